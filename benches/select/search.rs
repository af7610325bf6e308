//! How fast a filter searches a log of 1 GB: `wstail tail --no-follow` over loopback, beside ripgrep and GNU grep on the
//! file itself.
//!
//! The output goes through `wc -l`, because grep stops at the first match when it writes to /dev/null. `dd` shows how fast
//! the log can be read in blocks as large as wstail's; ripgrep maps the file into memory and does not copy it.

use std::process::{Command, Stdio};
use std::time::Instant;

use super::figures::{ratio, shown};
use super::stage::Stage;

/// A name, the options of `wstail tail`, those of rg and grep, and the goal as a ratio to rg, where there is one.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], Option<f64>);

const ROWS: [Row; 10] = [
    ("a word in 0.001 % of lines", &["-s", "-g", "Needle100k"], &["Needle100k"], Some(1.2)),
    ("a word in 1 % of lines", &["-s", "-g", "Needle1k"], &["Needle1k"], Some(1.0)),
    ("an expression with a word", &["-s", "-g", NUMBER], &[NUMBER], Some(1.2)),
    ("ignore case", &["-i", "-g", "needle1k"], &["-i", "needle1k"], Some(0.9)),
    ("four words", &["-s", "-g", WORDS], &[WORDS], Some(0.9)),
    ("classes before a text", &["-s", "-g", CLASSES], &[CLASSES], None),
    ("no word at all", &["-s", "-g", WORDLESS], &[WORDLESS], Some(0.4)),
    ("90 % of lines", &["-s", "-v", "key=[0-9]*7 "], &["-v", "key=[0-9]*7 "], Some(1.0)),
    ("two lines of context", &["-s", "-g", "Needle100k", "-C", "2"], &["-C", "2", "Needle100k"], None),
    ("level", &["-l", "warn"], &["WARN|ERROR"], None),
];

const NUMBER: &str = "Needle1k timeout after [0-9]+s";
const WORDS: &str = "ERROR|FATAL|panic|Needle100k";
const CLASSES: &str = "[a-z]{5,} [a-z]{6,}d id=[0-9a-f]{6}";
const WORDLESS: &str = "[a-z]{5,}[^a-z][a-z]{6,}[^a-z=]+[0-9][A-Z]{3}";

pub fn run(stage: &Stage) {
    let has_rg = Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok();
    println!("{} bytes; MB/s, median (min-max) of {} rounds", stage.size, stage.rounds);
    println!(
        "{:<28} {:>20} {:>20} {:>20} {:>20} {:>8} {:>8} {:>8}",
        "", "wstail", "rg", "grep", "dd", "/ rg", "/ grep", "/ dd"
    );
    let file = stage.directory.join("app.log");
    let file = file.to_str().unwrap();
    let (input, url) = (format!("if={file}"), stage.url("app.log"));
    for (name, ours, theirs, goal) in ROWS {
        let wstail: Vec<&str> = [env!("CARGO_BIN_EXE_wstail"), "tail", "-q", "--no-follow", &url]
            .into_iter()
            .chain(ours.iter().copied())
            .collect();
        let rg = ["rg", "-a", "--no-unicode", "--no-config"];
        let rg: Vec<&str> = rg.into_iter().chain(theirs.iter().copied()).chain([file]).collect();
        let grep: Vec<&str> = ["grep", "-aE"].into_iter().chain(theirs.iter().copied()).chain([file]).collect();
        let dd = vec!["dd", &input, "of=/dev/null", "bs=256k", "status=none"];
        let commands = [wstail, rg, grep, dd];
        let mut speeds = [const { Vec::new() }; 4];
        let mut lines = Vec::new();
        for _ in 0..stage.rounds {
            for (command, speeds) in commands.iter().zip(&mut speeds) {
                if command[0] == "rg" && !has_rg {
                    continue;
                }
                let begun = Instant::now();
                let count = count(command);
                speeds.push(stage.size as f64 / 1e6 / begun.elapsed().as_secs_f64());
                lines.extend((command[0] != "dd").then_some(count));
            }
        }
        // Entries and lines are not the same.
        assert!(name == "level" || lines.windows(2).all(|two| two[0] == two[1]), "{name}: {lines:?}");
        let [ours, rg, grep, dd] = &speeds;
        let goal = goal.map_or(String::new(), |goal| format!("  goal {goal}"));
        println!(
            "{name:<28} {:>20} {:>20} {:>20} {:>20} {:>8} {:>8} {:>8}{goal}",
            shown(ours, 0),
            shown(rg, 0),
            shown(grep, 0),
            shown(dd, 0),
            ratio(ours, rg),
            ratio(ours, grep),
            ratio(ours, dd)
        );
    }
}

/// Runs a command, and counts the lines of its output.
fn count(command: &[&str]) -> u64 {
    let mut child =
        Command::new(command[0]).args(&command[1..]).env("LC_ALL", "C").stdout(Stdio::piped()).spawn().unwrap();
    let output = Command::new("wc").arg("-l").stdin(child.stdout.take().unwrap()).output().unwrap();
    child.wait().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
