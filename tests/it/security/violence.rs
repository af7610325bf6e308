//! Servers, clients and connections that die at random moments while a log is written and rotated. Seeded. The oracle
//! is the log itself: its rotated files and the log, one after the other.

use std::fs::{self, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use memchr::{memchr_iter, memmem};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::proxy::FaultProxy;
use crate::support::random::{Random, rounds, seeds};
use crate::support::{DEADLINE, Log, Process, Server, serve_with, until, within, wstail};

const ROUNDS: u64 = 200;
/// How many rounds to play at a time: a round mostly waits.
const PLAYERS: u64 = 4;
/// How long the client may take from the last fault to the last line; its longest pause is 15 s.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "takes minutes"]
fn server_kills_and_network_faults_cost_nothing() {
    play(|seed| {
        let mut scene = Scene::new(seed);
        let output = Output::new(Form::Text);
        let tail = scene.tail(&scene.proxy.address(), &["-n", "0", "--verify"], &output);
        let producer = scene.produce();
        for _ in 0..scene.random.between(1, 4) {
            scene.pause();
            scene.replace_server();
        }
        let errors = scene.finish(&producer, &tail, &output);
        let verified = format!("verify: {} lines, 0 lost, 0 duplicated, 0 corrupt", scene.count);
        assert_eq!(errors.lines().last(), Some(&*verified), "{errors}");
    });
}

#[test]
#[ignore = "takes minutes"]
fn client_kills_with_a_cursor_file_cost_nothing() {
    play(|seed| {
        let mut scene = Scene::new(seed);
        let output = Output::new([Form::Text, Form::Json, Form::Pipe][seed as usize % 3]);
        let has_faults = scene.random.below(2) == 0;
        let address = if has_faults { scene.proxy.address() } else { scene.server.address.clone() };
        let start = |scene: &Scene| scene.tail(&address, &["-n", "all"], &output);
        let mut tail = start(&scene);
        let producer = scene.produce();
        for _ in 0..scene.random.between(2, 6) {
            scene.pause();
            if has_faults && scene.random.below(3) == 0 {
                scene.replace_server();
            } else {
                kill(&tail);
                tail = start(&scene);
            }
        }
        scene.finish(&producer, &tail, &output);
    });
}

/// Plays the rounds, several at a time, up to the first one that fails.
fn play(round: impl Fn(u64) + Send + Sync) {
    let seeds = seeds(rounds(ROUNDS));
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let play_one = |seed: u64| {
        let is_played = thread::scope(|scope| {
            let named = thread::Builder::new().name(format!("WSTAIL_SEED={seed}"));
            named.spawn_scoped(scope, || round(seed)).unwrap().join().is_ok()
        });
        if !is_played {
            failed.lock().unwrap().push(seed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                while failed.lock().unwrap().is_empty() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        break;
                    }
                    play_one(seed);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "play them again with WSTAIL_SEED: {failed:?}");
}

/// A log, its server, and the proxy between the server and its client.
struct Scene {
    random: Random,
    log: Log,
    options: Vec<&'static str>,
    server: Server,
    proxy: FaultProxy,
    /// What the client records. Not in the log's directory.
    notes: tempfile::TempDir,
    /// How many lines are written, and how.
    count: usize,
    how: String,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let (mut random, log) = (Random::new(seed), Log::with(""));
        let mut options = match random.below(10) {
            0 => vec!["--rotate-wait=0"],
            1 => vec!["--rotate-wait=1"],
            _ => vec!["--rotate-wait=0.2"],
        };
        if random.below(3) == 0 {
            options.extend(["--heartbeat=0.5", "--heartbeat-timeout=0.5"]);
        }
        let server = serve_with(&log, &options);
        let proxy = FaultProxy::start(server.address.clone(), seed);
        Scene { random, log, options, server, proxy, notes: tempfile::tempdir().unwrap(), count: 0, how: String::new() }
    }

    /// Follows the log. Returns once the client has recorded a place.
    fn tail(&self, address: &str, arguments: &[&str], output: &Output) -> Process {
        let cursor = self.notes.path().join("cursor");
        let mut command = wstail();
        command.args(["tail", &format!("{address}/app.log"), "--cursor-file"]).arg(&cursor).args(arguments);
        command.args(output.options()).stdout(output.stdout());
        let tail = Process::start(command);
        until("the client knows its place", || std::fs::metadata(&cursor).is_ok_and(|file| file.len() > 0));
        tail
    }

    /// Half of the producers write as fast as they can.
    fn produce(&mut self) -> Process {
        let random = &mut self.random;
        let is_fast = random.below(2) == 0;
        let rate = if is_fast { 0 } else { random.between(1000, 5000) };
        self.count = if is_fast { random.between(2000, 40_000) } else { rate };
        let size = random.between(100, if is_fast { 1000 } else { 200 });
        let how = ["rename", "copytruncate"][random.below(2)];
        self.how = format!("--rotate-how={how} --rotate={size}KB --rate={rate} --count={}", self.count);
        let mut command = wstail();
        command.arg("produce").arg(self.log.path()).args(["--stamp", "--keep=10000"]).args(self.how.split(' '));
        Process::start(command)
    }

    /// Pauses for a random time.
    fn pause(&mut self) {
        thread::sleep(Duration::from_millis(self.random.between(1, 300) as u64));
    }

    fn replace_server(&mut self) {
        kill(&self.server.process);
        if self.random.below(2) == 0 {
            self.pause();
        }
        self.server = serve_with(&self.log, &self.options);
        self.proxy.set_target(self.server.address.clone());
    }

    /// Waits until everything has arrived. Returns the client's notices.
    fn finish(&mut self, producer: &Process, tail: &Process, output: &Output) -> String {
        assert_eq!(producer.end(), (0, String::new()));
        self.proxy.calm();
        let whole = self.whole();
        assert_eq!(memchr_iter(b'\n', &whole).count(), self.count);
        within(PATIENCE, || output.may_be(&whole));
        // The last client may have had nothing to do, and may have barely started.
        within(DEADLINE, || tail.catches(Signal::INT));
        tail.signal(Signal::INT);
        let (code, errors) = tail.end();
        let fault = output.fault(&whole).unwrap_or_default();
        let how = format!("serve {} and produce {}", self.options.join(" "), self.how);
        assert!(fault.is_empty() && code == 130, "{how}: {fault}; the client ended with {code} and said:\n{errors}");
        errors
    }

    /// Everything that was written.
    fn whole(&self) -> Vec<u8> {
        let entries = fs::read_dir(self.log.directory()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        // The log itself sorts after its rotated files.
        files.sort();
        files.iter().flat_map(|file| fs::read(file).unwrap()).collect()
    }
}

fn kill(process: &Process) {
    process.signal(Signal::KILL);
    process.wait();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    /// A client cannot know what an earlier one wrote to a pipe: it may write it again.
    Pipe,
}

/// Where the clients write, one after the other.
struct Output {
    form: Form,
    directory: tempfile::TempDir,
    /// What each client wrote to its pipe.
    pipes: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
}

impl Output {
    fn new(form: Form) -> Output {
        Output { form, directory: tempfile::tempdir().unwrap(), pipes: Mutex::default() }
    }

    fn options(&self) -> &[&str] {
        if self.form == Form::Json { &["-o", "json"] } else { &[] }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("output")
    }

    fn stdout(&self) -> Stdio {
        if self.form == Form::Pipe {
            return self.pipe().unwrap().into();
        }
        OpenOptions::new().create(true).append(true).open(self.path()).unwrap().into()
    }

    fn pipe(&self) -> io::Result<PipeWriter> {
        let (reader, writer) = io::pipe()?;
        let bytes = Arc::default();
        self.pipes.lock().unwrap().push(Arc::clone(&bytes));
        thread::spawn(move || collect(reader, &bytes));
        Ok(writer)
    }

    /// Whether everything seems to have arrived.
    fn may_be(&self, whole: &[u8]) -> bool {
        match self.form {
            Form::Text => fs::metadata(self.path()).unwrap().len() >= whole.len() as u64,
            Form::Json => lines(&self.path()) >= memchr_iter(b'\n', whole).count(),
            Form::Pipe => self.covered(whole) == whole.len(),
        }
    }

    /// What is wrong with it, if anything.
    fn fault(&self, whole: &[u8]) -> Option<String> {
        match self.form {
            Form::Text => difference(&fs::read(self.path()).unwrap(), whole),
            Form::Json => difference(&unpacked(&fs::read_to_string(self.path()).unwrap()), whole),
            Form::Pipe => {
                let covered = self.covered(whole);
                (covered < whole.len()).then(|| format!("{covered} bytes of {}: {:?}", whole.len(), self.pieces(whole)))
            }
        }
    }

    /// For each client, where in the log the bytes are that it wrote, if anywhere, and how many there are.
    fn pieces(&self, whole: &[u8]) -> Vec<(Option<usize>, usize)> {
        let piece = |bytes: &Arc<Mutex<Vec<u8>>>| {
            let bytes = bytes.lock().unwrap();
            (memmem::rfind(whole, &bytes), bytes.len())
        };
        self.pipes.lock().unwrap().iter().map(piece).collect()
    }

    /// How many bytes of the log arrived, if each client begins where an earlier one ended, or before.
    fn covered(&self, whole: &[u8]) -> usize {
        self.pipes.lock().unwrap().iter().fold(0, |covered, bytes| {
            let bytes = bytes.lock().unwrap();
            let latest = whole.len().min(covered + bytes.len());
            memmem::rfind(&whole[..latest], &bytes).map_or(covered, |start| covered.max(start + bytes.len()))
        })
    }
}

fn collect(mut reader: PipeReader, bytes: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 65_536];
    while let Ok(read @ 1..) = reader.read(&mut chunk) {
        bytes.lock().unwrap_or_else(PoisonError::into_inner).extend(&chunk[..read]);
    }
}

fn lines(path: &PathBuf) -> usize {
    memchr_iter(b'\n', &fs::read(path).unwrap()).count()
}

/// The log's bytes, from the objects.
fn unpacked(objects: &str) -> Vec<u8> {
    let line = |object: &str| {
        let object: Value = serde_json::from_str(object).unwrap_or_else(|error| panic!("{error}: {object:?}"));
        assert_eq!(object["log"], "app.log");
        format!("{}\n", object["line"].as_str().unwrap())
    };
    objects.lines().map(line).collect::<String>().into_bytes()
}

/// Where the output differs from the log.
fn difference(output: &[u8], whole: &[u8]) -> Option<String> {
    let same = output.iter().zip(whole).take_while(|(left, right)| left == right).count();
    let near = |bytes: &[u8]| {
        let part = &bytes[same.saturating_sub(150)..bytes.len().min(same + 150)];
        String::from_utf8_lossy(part).into_owned()
    };
    let sizes = format!("the output has {} bytes, the log {}", output.len(), whole.len());
    (output != whole).then(|| {
        format!("{sizes}; from byte {same} on they differ:\n{}\n-- and not --\n{}\n", near(output), near(whole))
    })
}
