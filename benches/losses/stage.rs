//! A log, its writer and its followers.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::count::{FOREIGN, PADDING, READY, count, gaps};
use crate::process::Process;

/// wstail without a server, and with one.
pub const WSTAILS: [&str; 2] = ["wstail tail ./app.log", "wstail tail HOST/app.log"];
const TOOLS: usize = TAILS.len() + WSTAILS.len();

pub const TAILS: [&str; 2] = ["tail -F -n +1 -s 0.25", "tail -F -n +1 ---disable-inotify -s 1"];

/// wstail waits up to 5 s for late writes, so that less silence is not the end.
const SILENCE: Duration = Duration::from_secs(8);
const SETTLED: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(10);

/// What the log's name is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    File,
    /// A symbolic link to `app-1.log`.
    Link,
}

/// A log, its writer and its followers.
pub struct Stage {
    // Dropped before their files are.
    processes: Vec<Process>,
    directory: tempfile::TempDir,
    pub log: File,
    rotations: usize,
    pub written: usize,
    bytes: u64,
    /// Of each tool; `None` is missing.
    outputs: [Option<PathBuf>; TOOLS],
}

impl Stage {
    /// Returns once all follow.
    pub fn new(layout: Layout, has_tail: bool) -> Stage {
        let directory = tempfile::tempdir().unwrap();
        // The logs have a directory of their own, so that nobody is woken by the outputs.
        fs::create_dir(directory.path().join("logs")).unwrap();
        let path = directory.path().join("logs/app.log");
        if layout == Layout::Link {
            symlink("app-1.log", &path).unwrap();
        }
        let log = append(&path);
        let (processes, outputs) = (Vec::new(), [const { None }; TOOLS]);
        let mut stage = Stage { processes, directory, log, rotations: 0, written: 0, bytes: 0, outputs };
        stage.log.write_all(READY.as_bytes()).unwrap();
        stage.bytes = READY.len() as u64;
        for column in (0..TAILS.len()).filter(|_| has_tail) {
            stage.start_tail(column);
        }
        stage.start_wstail(0, "./app.log".to_owned());
        let address = stage.start_server();
        stage.start_wstail(1, format!("ws://{address}app.log"));
        stage.wait_until_delivered();
        // A tool may show what there is before it sets up how it looks for more.
        thread::sleep(Duration::from_secs(1));
        stage
    }

    fn start_tail(&mut self, column: usize) {
        let mut words = TAILS[column].split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(self.path("app.log")).stderr(Stdio::null());
        self.start(&mut command, column);
    }

    /// Its address.
    fn start_server(&mut self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
        command.args(["serve", "--port", "0"]).arg(self.path(""));
        let mut server = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.processes.push(server);
        let address = line.trim().strip_prefix("listening on http://").expect("the server says where it listens");
        address.to_owned()
    }

    fn start_wstail(&mut self, number: usize, log: String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
        command.args(["tail", "-n", "all", &log]).current_dir(self.path(""));
        self.start(command.stderr(File::create(self.notices(number)).unwrap()), TAILS.len() + number);
    }

    fn start(&mut self, command: &mut Command, column: usize) {
        let output = self.directory.path().join(format!("output.{column}"));
        self.processes.push(Process::start(command.stdout(File::create(&output).unwrap())));
        self.outputs[column] = Some(output);
    }

    fn notices(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("notices.{number}"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("logs").join(name)
    }

    /// A new line, for the caller to write.
    pub fn line(&mut self) -> String {
        let line = format!("{} {PADDING}\n", self.written);
        self.written += 1;
        self.bytes += line.len() as u64;
        line
    }

    /// Lines that were never the log's while it is followed.
    pub fn foreign_lines(&self, lines: usize) -> String {
        (0..lines).map(|number| format!("{FOREIGN}{number} {PADDING}\n")).collect()
    }

    /// One write a line, as loggers do.
    pub fn write(&mut self, lines: usize) {
        for _ in 0..lines {
            let line = self.line();
            self.log.write_all(line.as_bytes()).unwrap();
        }
    }

    /// As logrotate does it by default: rename, then create.
    pub fn rotate(&mut self) {
        self.shift("app.log");
        self.rotate_to("app.log.1");
    }

    /// Renames the log and creates a new one.
    pub fn rotate_to(&mut self, name: &str) {
        fs::rename(self.path("app.log"), self.path(name)).unwrap();
        self.log = append(&self.path("app.log"));
    }

    /// Creates a file and switches the link to it, in one step.
    pub fn switch_to(&mut self, target: &str) {
        self.log = append(&self.path(target));
        symlink(target, self.path("new")).unwrap();
        fs::rename(self.path("new"), self.path("app.log")).unwrap();
    }

    /// Makes room for a new `….1`; nothing is deleted.
    pub fn shift(&mut self, stem: &str) {
        let name = |number| self.path(&format!("{stem}.{number}"));
        for number in (1..=self.rotations).rev() {
            fs::rename(name(number), name(number + 1)).unwrap();
        }
        self.rotations += 1;
    }

    pub fn signal(&self, signal: Signal) {
        for process in &self.processes {
            process.signal(signal);
        }
    }

    /// The signal alone only asks for it.
    pub fn wait_until_stopped(&self) {
        wait(DEADLINE, || self.processes.iter().all(Process::is_stopped));
    }

    /// Until every tool has all that was written; one that never gets it is counted later.
    pub fn wait_until_delivered(&self) {
        wait(DEADLINE, || self.sizes().iter().flatten().all(|size| *size >= self.bytes));
    }

    /// Until nothing comes any more.
    pub fn settle(&self) {
        let (mut sizes, mut since) = (self.sizes(), Instant::now());
        wait(SETTLED, || {
            let now = self.sizes();
            if now != sizes {
                (sizes, since) = (now, Instant::now());
            }
            since.elapsed() >= SILENCE
        });
    }

    fn sizes(&self) -> [Option<u64>; TOOLS] {
        self.outputs.each_ref().map(|output| output.as_ref().map(|path| fs::metadata(path).unwrap().len()))
    }

    /// What each tool delivered, and the gaps that each wstail announced.
    pub fn cells(&self) -> Vec<String> {
        let count = |path: &PathBuf| count(&fs::read(path).unwrap(), self.written);
        let missing = || "-".to_owned();
        let mut cells: Vec<_> = self.outputs.iter().map(|output| output.as_ref().map_or_else(missing, count)).collect();
        let gaps = |number| gaps(&fs::read_to_string(self.notices(number)).unwrap()).to_string();
        cells.push((0..WSTAILS.len()).map(gaps).collect::<Vec<_>>().join(", "));
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
