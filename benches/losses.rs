//! What is lost when a log is rotated or truncated under its followers: GNU tail and wstail, on one file at one time.
//! `cargo bench --bench losses` prints a table in about a minute; it counts and does not time.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

type Play = fn(&mut Stage);

const CASES: [(&str, Play); 5] = [
    ("rename and create, the writer 0.5 s late", late_writer),
    ("100 fast rotations", fast_rotations),
    ("copytruncate at full speed, 10 times", copytruncate),
    ("truncated and at once longer than before", regrown),
    ("5 rotations while the followers are stopped", stopped),
];

/// With the number before it, about 100 bytes a line.
const PADDING: &str =
    "2026-11-23 01:32:27.123 | INFO     | service.module:function:123 - took 12.3 ms and answered 200";

/// The first line of each log: a tool that shows it follows. It is not counted.
const READY: &str = "ready\n";

/// wstail waits up to 5 s for late writes, so that less silence is not the end.
const SILENCE: Duration = Duration::from_secs(8);
const SETTLED: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(10);

fn main() {
    let tail = gnu_tail();
    let found = tail.as_deref().unwrap_or("no GNU tail: install the Debian package coreutils");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let cores = thread::available_parallelism().unwrap();
    println!("Linux {}, {cores} cores; wstail {}; {found}\n", kernel.trim(), env!("CARGO_PKG_VERSION"));
    println!("Each tool's lines: delivered / lost / duplicated.\n");
    println!("| case | lines written | `{}` | `{}` | `wstail` | its gap notices |", TAILS[0], TAILS[1]);
    println!("|---|---|---|---|---|---|");
    for (name, play) in CASES {
        let mut stage = Stage::new(tail.is_some());
        play(&mut stage);
        stage.settle();
        println!("| {name} | {} | {} |", stage.written, stage.cells().join(" | "));
    }
}

const TAILS: [&str; 2] = ["tail -F -n +1 -s 0.25", "tail -F -n +1 ---disable-inotify -s 1"];

/// Its name and version; another tail does not know the options.
fn gnu_tail() -> Option<String> {
    let output = Command::new("tail").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().filter(|line| line.contains("GNU coreutils")).map(str::to_owned)
}

/// A program writes to the renamed file until it is told of the rotation or finds out. GNU tail loses nothing of that
/// when it polls: it looks for another file only after five looks without a change, `--max-unchanged-stats`.
fn late_writer(stage: &mut Stage) {
    stage.write(100);
    let mut late = stage.log.try_clone().unwrap();
    stage.rotate();
    let start = Instant::now();
    for millis in 0..500 {
        thread::sleep((start + Duration::from_millis(millis)).saturating_duration_since(Instant::now()));
        late.write_all(stage.line().as_bytes()).unwrap();
    }
    stage.write(500);
}

/// More generations than a timed look sees.
fn fast_rotations(stage: &mut Stage) {
    for _ in 0..100 {
        stage.write(200);
        stage.rotate();
    }
}

/// The writer itself copies and truncates, so that the copies have every byte.
fn copytruncate(stage: &mut Stage) {
    for _ in 0..10 {
        stage.write(20_000);
        stage.shift();
        fs::copy(stage.path("app.log"), stage.path("app.log.1")).unwrap();
        stage.log.set_len(0).unwrap();
    }
}

/// The size alone does not tell it from a log that was appended to.
fn regrown(stage: &mut Stage) {
    stage.write(1000);
    stage.wait_until_delivered();
    let lines: String = (0..3000).map(|_| stage.line()).collect();
    stage.log.set_len(0).unwrap();
    stage.log.write_all(lines.as_bytes()).unwrap();
}

/// As when a machine sleeps or is overloaded.
fn stopped(stage: &mut Stage) {
    stage.signal(Signal::STOP);
    stage.wait_until_stopped();
    for _ in 0..5 {
        stage.write(1000);
        stage.rotate();
    }
    stage.signal(Signal::CONT);
}

/// A log, its writer and its followers.
struct Stage {
    // Dropped before their files are.
    processes: Vec<Process>,
    directory: tempfile::TempDir,
    log: File,
    rotations: usize,
    written: usize,
    bytes: u64,
    /// Of each tool; `None` is missing.
    outputs: [Option<PathBuf>; 3],
}

impl Stage {
    /// Returns once all follow.
    fn new(has_tail: bool) -> Stage {
        let directory = tempfile::tempdir().unwrap();
        // The logs have a directory of their own, so that nobody is woken by the outputs.
        fs::create_dir(directory.path().join("logs")).unwrap();
        let log = append(&directory.path().join("logs/app.log"));
        let (processes, outputs) = (Vec::new(), [const { None }; 3]);
        let mut stage = Stage { processes, directory, log, rotations: 0, written: 0, bytes: 0, outputs };
        stage.log.write_all(READY.as_bytes()).unwrap();
        stage.bytes = READY.len() as u64;
        for column in (0..TAILS.len()).filter(|_| has_tail) {
            stage.start_tail(column);
        }
        stage.start_wstail();
        stage.wait_until_delivered();
        // A tool may show what there is before it sets up how it looks for more.
        thread::sleep(Duration::from_secs(1));
        stage
    }

    fn start_tail(&mut self, column: usize) {
        let mut words = TAILS[column].split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(self.path("app.log")).stderr(Stdio::null());
        self.start(command, column);
    }

    fn start_wstail(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
        command.args(["serve", "--port", "0"]).arg(self.path(""));
        let mut server = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.processes.push(server);
        let address = line.trim().strip_prefix("listening on http://").expect("the server says where it listens");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
        command
            .args(["tail", "-n", "all", &format!("ws://{address}app.log")])
            .stderr(File::create(self.notices()).unwrap());
        self.start(command, TAILS.len());
    }

    fn start(&mut self, mut command: Command, column: usize) {
        let output = self.directory.path().join(format!("output.{column}"));
        self.processes.push(Process::start(command.stdout(File::create(&output).unwrap())));
        self.outputs[column] = Some(output);
    }

    fn notices(&self) -> PathBuf {
        self.directory.path().join("notices")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("logs").join(name)
    }

    /// A new line, for the caller to write.
    fn line(&mut self) -> String {
        let line = format!("{} {PADDING}\n", self.written);
        self.written += 1;
        self.bytes += line.len() as u64;
        line
    }

    /// One write a line, as loggers do.
    fn write(&mut self, lines: usize) {
        for _ in 0..lines {
            let line = self.line();
            self.log.write_all(line.as_bytes()).unwrap();
        }
    }

    /// As logrotate does it by default: rename, then create.
    fn rotate(&mut self) {
        self.shift();
        fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
        self.log = append(&self.path("app.log"));
    }

    /// Makes room for a new `app.log.1`; nothing is deleted.
    fn shift(&mut self) {
        let name = |number| self.path(&format!("app.log.{number}"));
        for number in (1..=self.rotations).rev() {
            fs::rename(name(number), name(number + 1)).unwrap();
        }
        self.rotations += 1;
    }

    fn signal(&self, signal: Signal) {
        for process in &self.processes {
            process.signal(signal);
        }
    }

    /// The signal alone only asks for it.
    fn wait_until_stopped(&self) {
        wait(DEADLINE, || self.processes.iter().all(Process::is_stopped));
    }

    /// Until every tool has all that was written; one that never gets it is counted later.
    fn wait_until_delivered(&self) {
        wait(DEADLINE, || self.sizes().iter().flatten().all(|size| *size >= self.bytes));
    }

    /// Until nothing comes any more.
    fn settle(&self) {
        let (mut sizes, mut since) = (self.sizes(), Instant::now());
        wait(SETTLED, || {
            let now = self.sizes();
            if now != sizes {
                (sizes, since) = (now, Instant::now());
            }
            since.elapsed() >= SILENCE
        });
    }

    fn sizes(&self) -> [Option<u64>; 3] {
        self.outputs.each_ref().map(|output| output.as_ref().map(|path| fs::metadata(path).unwrap().len()))
    }

    /// What each tool delivered, and the gaps that wstail announced.
    fn cells(&self) -> Vec<String> {
        let count = |path: &PathBuf| count(&fs::read(path).unwrap(), self.written);
        let missing = || "-".to_owned();
        let mut cells: Vec<_> = self.outputs.iter().map(|output| output.as_ref().map_or_else(missing, count)).collect();
        cells.push(gaps(&fs::read_to_string(self.notices()).unwrap()).to_string());
        cells
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Looks again and again until it is so or the time is over.
fn wait(most: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + most;
    while !is_so() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many of the lines came, came not, and came again. One that came in pieces is none.
fn count(output: &[u8], written: usize) -> String {
    let mut seen = vec![0_usize; written];
    let mut damaged = 0;
    let output = output.strip_suffix(b"\n").unwrap_or(output);
    for line in output.split(|byte| *byte == b'\n').filter(|line| *line != READY.trim().as_bytes()) {
        match number(line).and_then(|number| seen.get_mut(number)) {
            Some(times) => *times += 1,
            None => damaged += 1,
        }
    }
    let delivered = seen.iter().filter(|times| **times > 0).count();
    let again = seen.iter().sum::<usize>() - delivered;
    let note = if damaged > 0 { format!(" ({damaged} damaged)") } else { String::new() };
    format!("{delivered} / {} / {again}{note}", written - delivered)
}

fn number(line: &[u8]) -> Option<usize> {
    let (number, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    number.parse().ok().filter(|_| rest == PADDING)
}

/// How many notices have the word.
fn gaps(notices: &str) -> usize {
    let has_word = |line: &&str| line.split(|character: char| !character.is_alphanumeric()).any(|word| word == "gap");
    notices.lines().filter(has_word).count()
}

/// A child that ends with its stage, stopped or not.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Process {
        Process(command.stdin(Stdio::null()).env_remove("RUST_LOG").spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Each of its threads.
    fn is_stopped(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        threads.map_while(Result::ok).all(|thread| {
            // One that has just ended is stopped as well.
            fs::read_to_string(thread.path().join("status")).map_or(true, |text| text.contains("\nState:\tT"))
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
