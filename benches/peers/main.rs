//! wstail beside its peers, all under one load client: `cargo bench --bench peers -- [ROW...] [--rounds N] [--list]`.
//!
//! It prints Markdown: a table a row, then each goal with the ratio that was reached. Nothing is asserted but that wstail
//! loses, repeats and damages no line.

use std::error::Error;
use std::fs;
use std::process::{Command, ExitCode};
use std::thread;

use report::Report;
use stage::Stage;
use tools::Tools;

mod crowd;
mod dialect;
mod goals;
mod load;
mod log;
mod peer;
mod process;
mod report;
mod rows;
mod stage;
mod tally;
mod tools;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(faults) => {
            eprintln!("wstail lost, repeated or damaged {faults} lines, or failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The number of faults that wstail made.
fn run() -> Outcome<u64> {
    let mut rounds = ROUNDS;
    let mut names = Vec::new();
    let mut is_list = false;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // cargo's own.
            "--bench" => {}
            "--list" => is_list = true,
            "--rounds" => rounds = words.next().ok_or("--rounds wants a number")?.parse::<usize>()?.max(1),
            name => names.push(name.to_owned()),
        }
    }
    if let Some(name) = names.iter().find(|name| rows::ALL.iter().all(|row| row.name != **name)) {
        return Err(format!("there is no row `{name}`; --list names them").into());
    }
    let tools = Tools::find();
    if is_list {
        for row in rows::ALL {
            println!("{:<14} {}", row.name, row.about);
        }
    }
    println!("{}\n", machine()?);
    if let Some((missing, install)) = tools.missing() {
        println!("Missing: {missing}. To install what is missing:\n\n    {install}\n");
    }
    if is_list {
        return Ok(0);
    }
    let mut stage = Stage::new(tools, rounds)?;
    let chosen = rows::ALL.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name));
    for row in chosen {
        (row.run)(&mut stage)?;
        println!("{}", stage.report.table(row.name));
    }
    print_goals(&stage.report);
    Ok(stage.report.faults)
}

fn print_goals(report: &Report) {
    println!("| row | what | goal | measured | ratio | |\n|---|---|---|---|---|---|");
    for line in goals::GOALS.iter().filter_map(|goal| report.goal(goal)) {
        println!("{line}");
    }
}

/// The day and what it was measured on.
fn machine() -> Outcome<String> {
    let day = Command::new("date").arg("+%F").output()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let processor = fs::read_to_string("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(format!(
        "{}, Linux {}, {} cores, {}, wstail {}",
        String::from_utf8_lossy(&day.stdout).trim(),
        kernel.trim(),
        thread::available_parallelism()?,
        model.map_or("unknown processor", |(_, model)| model),
        env!("CARGO_PKG_VERSION")
    ))
}
