//! The directory of a log, and what writers, rotation tools, editors and others do to it.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::support::random::Random;

/// How rotated files are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `app.log.1`, shifted.
    Numbered,
    /// `archive/app.log.1`, shifted.
    OldDirectory,
    /// `app.log-20260101`.
    Dated,
    /// `app.1.log`, counting up.
    Counting,
    /// `app.log.old`, which replaces the one before.
    Word,
}

pub const SCHEMES: [Scheme; 5] =
    [Scheme::Numbered, Scheme::OldDirectory, Scheme::Dated, Scheme::Counting, Scheme::Word];

/// A file that was rotated away.
pub struct Rotated {
    pub path: PathBuf,
    pub generation: usize,
    writer: Option<File>,
    /// How many times the server had been stopped when it was rotated.
    pub stop: Option<usize>,
    /// Its modification time is not that of the last line that was written before the rotation.
    is_dated_wrong: bool,
}

impl Rotated {
    pub fn is_plain(&self) -> bool {
        self.path.extension().is_none_or(|end| end != "gz")
    }
}

pub struct World {
    pub directory: PathBuf,
    pub scheme: Scheme,
    banner: String,
    pub writer: File,
    /// What each generation contains, or contained.
    pub texts: Vec<String>,
    /// Oldest first.
    pub rotated: Vec<Rotated>,
    rotations: usize,
    lines: usize,
    /// The same of the log.
    is_dated_wrong: bool,
    pub is_birthless: bool,
    /// The last rotated generation, if the one after it was deleted or moved away.
    pub detached: Option<usize>,
}

/// A line that was written, and its length.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub number: usize,
    pub length: usize,
}

/// Names that a rotation may have given, but did not.
const STRANGERS: [&str; 6] =
    ["app.log.99", "app.log-20200101", "app.log.bak", "app_98.log", "archive/app.log.97", "app.2020-01-02.log"];

const APART: Duration = Duration::from_millis(25);

impl World {
    pub fn new(directory: PathBuf, scheme: Scheme, banner: usize) -> World {
        fs::create_dir_all(directory.join("archive")).unwrap();
        let banner = "# the same in every generation\n".repeat(banner);
        let writer = append(&directory.join("app.log"));
        let is_birthless = writer.metadata().unwrap().created().is_err();
        let (texts, rotated, rotations, lines) = (vec![String::new()], Vec::new(), 0, 0);
        let mut world = World {
            directory,
            scheme,
            banner,
            writer,
            texts,
            rotated,
            rotations,
            lines,
            is_dated_wrong: false,
            is_birthless,
            detached: None,
        };
        world.write_banner();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn log(&self) -> PathBuf {
        self.path("app.log")
    }

    pub fn current(&self) -> usize {
        self.texts.len() - 1
    }

    fn write_banner(&mut self) {
        let banner = self.banner.clone();
        self.writer.write_all(banner.as_bytes()).unwrap();
        self.texts.last_mut().unwrap().push_str(&banner);
    }

    /// No two lines are alike.
    fn line(&mut self, random: &mut Random) -> (String, Line) {
        self.lines += 1;
        self.is_dated_wrong = false;
        let padding = "a line of the log, as long as lines are in the field, and then some more of it "
            .repeat(1 + random.below(3));
        let text = format!("{}:{padding}\n", self.lines);
        let length = text.len();
        (text, Line { number: self.lines, length })
    }

    pub fn write(&mut self, random: &mut Random) -> Line {
        let (text, line) = self.line(random);
        self.writer.write_all(text.as_bytes()).unwrap();
        self.texts.last_mut().unwrap().push_str(&text);
        line
    }

    /// Writes a line, its last byte first.
    pub fn write_in_two_steps(&mut self, random: &mut Random) -> Line {
        let (text, line) = self.line(random);
        let file = OpenOptions::new().write(true).open(self.log()).unwrap();
        let end = file.metadata().unwrap().len();
        let (first, last) = text.as_bytes().split_at(text.len() - 1);
        file.write_all_at(last, end + first.len() as u64).unwrap();
        thread::sleep(Duration::from_millis(1 + random.below(20) as u64));
        file.write_all_at(first, end).unwrap();
        self.texts.last_mut().unwrap().push_str(&text);
        line
    }

    /// Writes to the last rotated file, as a writer does that has not noticed the rotation.
    pub fn write_late(&mut self, random: &mut Random) -> Option<(Line, usize, Option<usize>)> {
        let (text, line) = self.line(random);
        let rotated = self.rotated.last_mut()?;
        rotated.writer.as_mut()?.write_all(text.as_bytes()).unwrap();
        rotated.is_dated_wrong = true;
        self.texts[rotated.generation].push_str(&text);
        Some((line, rotated.generation, rotated.stop))
    }

    fn begin(&mut self) {
        self.texts.push(String::new());
        self.write_banner();
    }

    /// The path for the next rotated file. Makes room for it.
    fn rotated_path(&mut self) -> PathBuf {
        self.rotations += 1;
        self.detached = None;
        let name = match self.scheme {
            Scheme::Numbered | Scheme::OldDirectory => {
                let stem = if self.scheme == Scheme::Numbered { "app.log" } else { "archive/app.log" };
                let count = self.rotated.len();
                for at in 0..count {
                    let old = self.rotated[at].path.clone();
                    let end = if old.extension().is_some_and(|end| end == "gz") { ".gz" } else { "" };
                    let new = self.path(&format!("{stem}.{}{end}", count - at + 1));
                    if old != new {
                        fs::rename(&old, &new).unwrap();
                    }
                    self.rotated[at].path = new;
                }
                format!("{stem}.1")
            }
            Scheme::Dated => format!("app.log-2026{:02}{:02}", 1 + self.rotations / 28, 1 + self.rotations % 28),
            Scheme::Counting => format!("app.{}.log", self.rotations),
            Scheme::Word => "app.log.old".to_owned(),
        };
        self.path(&name)
    }

    /// Renames the log and begins a new one. Whether a word replaced an older file, which, and how long there was none.
    pub fn rotate(&mut self, by_link: bool, stop: Option<usize>) -> (Option<usize>, Duration) {
        let path = self.rotated_path();
        let replaced = if self.scheme == Scheme::Word { self.rotated.pop() } else { None };
        let begun = Instant::now();
        if by_link && self.scheme != Scheme::Word {
            fs::hard_link(self.log(), &path).unwrap();
            let new = append(&self.path("new"));
            fs::rename(self.path("new"), self.log()).unwrap();
            self.put_away(path, new, stop);
        } else {
            fs::rename(self.log(), &path).unwrap();
            let new = append(&self.log());
            self.put_away(path, new, stop);
        }
        let elapsed = begun.elapsed();
        self.begin();
        (replaced.map(|rotated| rotated.generation), elapsed)
    }

    fn put_away(&mut self, path: PathBuf, new: File, stop: Option<usize>) {
        let old = std::mem::replace(&mut self.writer, new);
        let is_dated_wrong = std::mem::take(&mut self.is_dated_wrong);
        self.rotated.push(Rotated { path, generation: self.current(), writer: Some(old), stop, is_dated_wrong });
    }

    pub fn copy_and_truncate(&mut self) {
        let path = self.rotated_path();
        fs::copy(self.log(), &path).unwrap();
        self.writer.set_len(0).unwrap();
        self.rotated.push(Rotated {
            path,
            generation: self.current(),
            writer: None,
            stop: None,
            is_dated_wrong: false,
        });
        self.begin();
    }

    pub fn truncate(&mut self) {
        self.writer.set_len(0).unwrap();
        self.begin();
    }

    pub fn delete(&mut self) {
        fs::remove_file(self.log()).unwrap();
        self.writer = append(&self.log());
        self.begin();
    }

    /// Renames the log to where no rotated file is, and begins a new one. How long there was none.
    pub fn move_away(&mut self, random: &mut Random) -> Duration {
        let directories = ["", "archive/", "far/away/"];
        let name = format!("{}gone {}.txt", directories[random.below(3)], self.current());
        let path = self.path(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let begun = Instant::now();
        fs::rename(self.log(), path).unwrap();
        self.writer = append(&self.log());
        let elapsed = begun.elapsed();
        self.begin();
        elapsed
    }

    /// Deletes the oldest rotated file. Returns its generation.
    pub fn expire(&mut self) -> Option<usize> {
        if self.rotated.is_empty() {
            return None;
        }
        let oldest = self.rotated.remove(0);
        fs::remove_file(&oldest.path).unwrap();
        Some(oldest.generation)
    }

    /// Compresses a rotated file. Returns its generation, and whether its modification time is wrong.
    pub fn compress(&mut self, random: &mut Random) -> Option<(usize, bool)> {
        let at = random.below(self.rotated.len().max(1));
        let rotated = self.rotated.get_mut(at).filter(|rotated| rotated.is_plain())?;
        // Such a name is given to one file after the other: if the times are wrong, nothing tells which one it was.
        if self.scheme == Scheme::Word && rotated.is_dated_wrong {
            return None;
        }
        assert!(Command::new("gzip").arg("-f").arg(&rotated.path).status().unwrap().success());
        rotated.path.as_mut_os_string().push(".gz");
        rotated.writer = None;
        Some((rotated.generation, rotated.is_dated_wrong))
    }

    /// Adds a copy, or an unpacked archive, of an older generation or of the log itself. Returns the generation.
    pub fn add_stranger(&mut self, random: &mut Random) -> usize {
        let name = STRANGERS[random.below(STRANGERS.len())];
        let generation = random.below(self.texts.len());
        let text = &self.texts[generation];
        // No observer can tell a file that appears at the moment of a rotation from a rotated one.
        thread::sleep(APART);
        fs::write(self.path(name), text).unwrap();
        thread::sleep(APART);
        generation
    }

    /// Sets a modification time. Returns the generation, and whether the file is not compressed.
    pub fn touch(&mut self, random: &mut Random) -> (usize, bool) {
        let (log, current) = (self.log(), self.current());
        let at = random.below(self.rotated.len() + 1);
        let (path, generation, is_plain) = match self.rotated.get_mut(at) {
            Some(rotated) => {
                rotated.is_dated_wrong = true;
                (&rotated.path, rotated.generation, rotated.is_plain())
            }
            None => {
                self.is_dated_wrong = true;
                (&log, current, true)
            }
        };
        let day = Duration::from_secs(86_400);
        let time = match random.below(3) {
            0 => SystemTime::now() + 400 * day,
            1 => SystemTime::UNIX_EPOCH + 18_262 * day,
            _ => SystemTime::now() - day,
        };
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        (generation, is_plain)
    }

    /// Writes a rotated file anew, with the same bytes. Returns its generation.
    pub fn restore(&mut self, random: &mut Random) -> Option<usize> {
        let at = random.below(self.rotated.len().max(1));
        let new = self.path("restored");
        let rotated = self.rotated.get_mut(at)?;
        fs::copy(&rotated.path, &new).unwrap();
        fs::rename(&new, &rotated.path).unwrap();
        rotated.writer = None;
        Some(rotated.generation)
    }

    /// An editor writes the log anew, with one more line, and renames it into place.
    pub fn rewrite(&mut self, random: &mut Random) -> Option<Line> {
        if self.texts.last().unwrap().len() < 300 {
            return None;
        }
        let (text, line) = self.line(random);
        self.texts.last_mut().unwrap().push_str(&text);
        fs::write(self.path("new"), self.texts.last().unwrap()).unwrap();
        fs::rename(self.path("new"), self.log()).unwrap();
        self.writer = append(&self.log());
        Some(line)
    }

    /// Overwrites the log with its last lines and one more.
    pub fn trim(&mut self, random: &mut Random) -> Option<Line> {
        let (more, line) = self.line(random);
        let text = self.texts.last_mut().unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        if lines.len() < 4 {
            return None;
        }
        *text = lines[lines.len() - 2..].concat() + &more;
        fs::write(self.directory.join("app.log"), &*text).unwrap();
        Some(line)
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}
