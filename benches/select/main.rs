//! How fast a filter searches a log of 1 GB: `wstail tail --no-follow` over loopback, beside ripgrep and GNU grep on the
//! file itself. `cargo bench --bench select`; `WSTAIL_ROUNDS` (5) and `WSTAIL_MB` (1000) change how much is done.
//!
//! The commands of a row alternate, and their output goes through `wc -l`, because grep stops at the first match when it
//! writes to /dev/null. A row shows megabytes a second, the median and the range of the rounds, and the median of the
//! ratios of each round. The log lies in /dev/shm, so that no disk is measured.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A name, the options of `wstail tail`, those of rg and grep, and the goal as a ratio to rg, where there is one.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], Option<f64>);

const ROWS: [Row; 9] = [
    ("a word in 0.001 % of lines", &["-s", "-g", "Needle100k"], &["Needle100k"], Some(1.2)),
    ("a word in 1 % of lines", &["-s", "-g", "Needle1k"], &["Needle1k"], Some(1.0)),
    ("an expression with a word", &["-s", "-g", NUMBER], &[NUMBER], Some(1.2)),
    ("ignore case", &["-i", "-g", "needle1k"], &["-i", "needle1k"], Some(0.9)),
    ("four words", &["-s", "-g", WORDS], &[WORDS], Some(0.9)),
    ("classes before a text", &["-s", "-g", CLASSES], &[CLASSES], None),
    ("90 % of lines", &["-s", "-v", "key=[0-9]*7 "], &["-v", "key=[0-9]*7 "], Some(1.0)),
    ("two lines of context", &["-s", "-g", "Needle100k", "-C", "2"], &["-C", "2", "Needle100k"], None),
    ("level", &["-l", "warn"], &["WARN|ERROR"], None),
];

const NUMBER: &str = "Needle1k timeout after [0-9]+s";
const WORDS: &str = "ERROR|FATAL|panic|Needle100k";
const CLASSES: &str = "[a-z]{5,} [a-z]{6,}d id=[0-9a-f]{6}";

fn main() {
    let (rounds, megabytes) = (setting("WSTAIL_ROUNDS", 5), setting("WSTAIL_MB", 1000));
    let base = if Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    let directory = tempfile::tempdir_in(base).unwrap();
    let path = directory.path().join("app.log");
    let size = write(&path, megabytes as u64 * 1_000_000);
    let server = Server::of(directory.path());
    let has_rg = Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok();
    println!("{size} bytes; MB/s, median (min-max) of {rounds} rounds");
    println!("{:<28} {:>20} {:>20} {:>20} {:>8} {:>8}", "", "wstail", "rg", "grep", "/ rg", "/ grep");
    for (name, ours, theirs, goal) in ROWS {
        let url = format!("{}app.log", server.url);
        let wstail: Vec<&str> = [env!("CARGO_BIN_EXE_wstail"), "tail", "-q", "--no-follow", &url]
            .into_iter()
            .chain(ours.iter().copied())
            .collect();
        let file = path.to_str().unwrap();
        let rg: Vec<&str> = ["rg", "-a", "--no-unicode", "--no-config"]
            .into_iter()
            .chain(theirs.iter().copied())
            .chain([file])
            .collect();
        let grep: Vec<&str> = ["grep", "-aE"].into_iter().chain(theirs.iter().copied()).chain([file]).collect();
        let mut speeds = [Vec::new(), Vec::new(), Vec::new()];
        let mut lines = Vec::new();
        for _ in 0..rounds {
            for (command, speeds) in [&wstail, &rg, &grep].into_iter().zip(&mut speeds) {
                if command[0] == "rg" && !has_rg {
                    continue;
                }
                let begun = Instant::now();
                lines.push(count(command));
                speeds.push(size as f64 / 1e6 / begun.elapsed().as_secs_f64());
            }
        }
        // Entries and lines are not the same.
        assert!(name == "level" || lines.windows(2).all(|two| two[0] == two[1]), "{name}: {lines:?}");
        let [ours, rg, grep] = &speeds;
        let goal = goal.map_or(String::new(), |goal| format!("  goal {goal}"));
        println!(
            "{name:<28} {:>20} {:>20} {:>20} {:>8} {:>8}{goal}",
            shown(ours),
            shown(rg),
            shown(grep),
            ratio(ours, rg),
            ratio(ours, grep)
        );
    }
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Runs a command, and counts the lines of its output.
fn count(command: &[&str]) -> u64 {
    let mut child =
        Command::new(command[0]).args(&command[1..]).env("LC_ALL", "C").stdout(Stdio::piped()).spawn().unwrap();
    let output = Command::new("wc").arg("-l").stdin(child.stdout.take().unwrap()).output().unwrap();
    child.wait().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn shown(speeds: &[f64]) -> String {
    let mut sorted = speeds.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) => format!("{:.0} ({first:.0}-{last:.0})", sorted[sorted.len() / 2]),
        _ => "not installed".to_owned(),
    }
}

/// The median of the rounds' ratios.
fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let mut ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).map_or(String::new(), |ratio| format!("{ratio:.2}"))
}

/// Writes lines as loguru writes them, 172 bytes each on average, and returns their size.
fn write(path: &Path, size: u64) -> u64 {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let (mut written, mut number, mut state) = (0, 0u64, 1u64);
    while written < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 33;
        let level = ["INFO    ", "INFO    ", "DEBUG   ", "INFO    ", "WARNING ", "INFO    ", "DEBUG   ", "INFO    "]
            [number as usize % 8];
        let level = if number % 500 == 499 { "ERROR   " } else { level };
        let needle = match number {
            _ if number % 100_000 == 77 => "Needle100k",
            _ if number % 100 == 50 => "Needle1k timeout after 3s",
            _ => "handled session and went on",
        };
        let (second, millisecond) = (number / 1000 % 60, number % 1000);
        let line = format!(
            "2026-11-23 01:{:02}:{second:02}.{millisecond:03} | {level} | app.server:handle:{} - {needle} user={} key={} \
             took={}ms status=200 path=/api/v1/items/{random}/details\n",
            number / 60_000 % 60,
            random % 900,
            random % 100_000,
            random % 1_000_000,
            random % 5000,
        );
        file.write_all(line.as_bytes()).unwrap();
        (written, number) = (written + line.len() as u64, number + 1);
    }
    file.flush().unwrap();
    written
}

/// Ends with its bench.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn of(directory: &Path) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
        command.args(["serve", "--port", "0"]).arg(directory);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().replace("listening on http://", "ws://");
        Server { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
