//! The program as a child of its test.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::{DEADLINE, until};

pub fn wstail() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
    // The tests' own variables have other names.
    for (name, _) in std::env::vars_os() {
        let commands = ["SERVE", "TAIL", "LS", "PRODUCE", "DEMO", "HEALTHCHECK"];
        if commands.iter().any(|command| name.to_string_lossy().starts_with(&format!("WSTAIL_{command}_"))) {
            command.env_remove(name);
        }
    }
    command
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR")
        .env_remove("WSTAIL_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// A child that does not outlive its test.
#[derive(Debug)]
pub struct Process {
    child: Mutex<Child>,
    pub pid: u32,
    lines: Option<Mutex<mpsc::Receiver<String>>>,
    errors: Mutex<mpsc::Receiver<String>>,
}

impl Process {
    pub fn start(mut command: Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let pid = child.id();
        let lines = child.stdout.take().map(|stdout| {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
            Mutex::new(receiver)
        });
        let mut stderr = child.stderr.take().unwrap();
        let (sender, errors) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        Process { child: Mutex::new(child), pid, lines, errors: Mutex::new(errors) }
    }

    /// The next line of its stdout, which must be piped.
    pub fn line(&self) -> String {
        self.lines.as_ref().unwrap().lock().unwrap().recv_timeout(DEADLINE).expect("no line in time")
    }

    /// The rest of its stdout, up to its end.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.as_ref().unwrap().lock().unwrap();
        let next = || match lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("stdout is still open"),
        };
        std::iter::from_fn(next).collect()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.lock().unwrap()), signal).unwrap();
    }

    /// Stops the process (SIGSTOP), and waits until all of its threads have stopped.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        until("all threads have stopped", || {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
            let is_stopped = |task: io::Result<fs::DirEntry>| {
                let stat = fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
                stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('T'))
            };
            tasks.into_iter().all(is_stopped)
        });
    }

    /// Whether it has a handler for the signal.
    pub fn catches(&self, signal: Signal) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
    }

    /// Waits for it to end.
    pub fn wait(&self) -> ExitStatus {
        let mut status = None;
        until("the process ended", || {
            status = self.child.lock().unwrap().try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Waits for it to end. Returns its exit code and what it wrote to stderr.
    pub fn end(&self) -> (i32, String) {
        let code = self.wait().code().unwrap_or(-1);
        (code, self.errors.lock().unwrap().recv_timeout(DEADLINE).unwrap())
    }

    /// A number in `/proc/PID/status`: `VmRSS` in KiB, `Threads`.
    pub fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with(&format!("{field}:"))).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Its threads' names; a thread that ends meanwhile may be missing.
    pub fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
    }

    /// How many times any of its threads was woken from a wait.
    pub fn switches(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        let number = |task: io::Result<fs::DirEntry>| {
            let status = fs::read_to_string(task.unwrap().path().join("status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        tasks.filter_map(number).sum()
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap().count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}
