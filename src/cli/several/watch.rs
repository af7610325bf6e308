//! The logs that a pattern stands for: those that a server lists, and those that come and go.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::thread::Scope;
use std::time::{Duration, Instant};

use wstail::client::{LiveList, LogChange, LogFile, LogPattern, Url};
use wstail::protocol::request::Lines;
use wstail::{Error, Result};

use super::children::{Child, Children, Left};
use super::known::Admission;
use super::shared::{Several, Start, Task};
use crate::cli::follow::{AddressOrigin, Outcome};
use crate::cli::merge::MergeInput;
use crate::cli::sink::Sink;
use crate::cli::{Exit, lock, notices, print_error};

/// How often to look whether the logs have ended, where nothing else is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// A pattern, and the logs that it stands for.
pub(super) struct PatternWatch<'scope, 'env, 't> {
    several: &'scope Several<'t>,
    scope: &'scope Scope<'scope, 'env>,
    /// The pattern's place on the command line.
    index: usize,
    pattern: LogPattern,
    children: Children<'scope>,
    /// The logs that were there at the beginning, until all of them are known.
    listed: Option<Vec<LogFile>>,
    /// New logs that wait until another one ends.
    left_out: VecDeque<LogFile>,
    /// Until it is known which logs there are: keeps others from being printed out of order.
    unknown: Option<MergeInput<'scope, 't>>,
    /// There was no such directory at the beginning: all logs in it are new.
    is_awaited: bool,
    /// Why the list was lost, as it was reported last.
    trouble: Option<String>,
}

/// What becomes of a log that was found.
enum PreparedLog {
    /// It is to be followed.
    Task(Box<Task>),
    /// As many logs are followed as may be.
    Full,
    /// It is followed already, or is complete, or cannot be followed.
    Nothing,
}

impl<'scope, 'env, 't> PatternWatch<'scope, 'env, 't> {
    pub(super) fn new(
        several: &'scope Several<'t>,
        scope: &'scope Scope<'scope, 'env>,
        (index, pattern): (usize, LogPattern),
        unknown: Option<MergeInput<'scope, 't>>,
    ) -> PatternWatch<'scope, 'env, 't> {
        let (children, listed, left_out) = (Children::new(), Some(Vec::new()), VecDeque::new());
        PatternWatch {
            several,
            scope,
            index,
            pattern,
            children,
            listed,
            left_out,
            unknown,
            is_awaited: false,
            trouble: None,
        }
    }

    /// Follows the logs until they have ended.
    pub(super) fn run(mut self) -> Outcome {
        let (several, pattern) = (self.several, self.pattern.clone());
        let watched = pattern.locate(|base, glob| {
            let list = LiveList::new(base, glob, several.shutdown.clone());
            // A directory of this machine is waited for only if its logs are followed.
            let retries = several.retries && (base.follows() || !base.is_local());
            self.take_all(base, list.config(several.config.clone()).retries(retries))
        });
        if let Err(error) = watched {
            print_error(&error);
            let exit = if error.is_usage() { Exit::Usage } else { Exit::Failed };
            self.children.note(Outcome { exit, ..Outcome::failed() });
            if error.is_usage() {
                // What was asked for cannot be done: the other logs end, too.
                several.stdout.end();
            }
        }
        self.unknown = None;
        if several.shutdown.is_triggered() {
            self.children.note(Outcome { exit: Exit::Interrupted, ..Outcome::failed() });
        }
        while self.children.are_running() && !several.shutdown.sleep(PATIENCE) {}
        self.children.join()
    }

    /// Follows logs as the server at `base` reports them, until the shutdown; or only those that are there, if logs are not
    /// followed.
    fn take_all(&mut self, base: &Url, list: LiveList) -> Result<()> {
        for change in list {
            let change = change?;
            if let LogChange::Lost { error, pause } = &change {
                self.note_lost(error, *pause);
                continue;
            }
            self.trouble = None;
            let is_listed = matches!(change, LogChange::Listed { .. });
            self.take(base, change)?;
            if is_listed && !base.follows() {
                return Ok(());
            }
            self.children.end_deleted(Instant::now());
            self.begin_left_out(base)?;
        }
        Ok(())
    }

    fn take(&mut self, base: &Url, change: LogChange) -> Result<()> {
        match (change, &mut self.listed) {
            (LogChange::New(file), _) if self.several.is_own(&base.of_log(&file.path)) => {}
            (LogChange::New(file), Some(listed)) => listed.push(file),
            (LogChange::New(file), None) => self.take_new(base, file)?,
            (LogChange::Listed { is_cut }, listed) => {
                let listed = listed.take().unwrap_or_default();
                self.begin_listed(base, listed, is_cut)?;
            }
            (LogChange::Gone(path), Some(listed)) => listed.retain(|file| file.path != path),
            (LogChange::Gone(path), None) => {
                self.left_out.retain(|file| file.path != path);
                self.children.note_gone(&path, Instant::now());
            }
            _ => {}
        }
        Ok(())
    }

    /// Follows a new log, now or once another one has ended.
    fn take_new(&mut self, base: &Url, file: LogFile) -> Result<()> {
        if self.begin_new(base, &file)? {
            let log = self.several.names.of_listed(&base.of_log(&file.path));
            self.several.notice(&notices::left_out(&log));
            self.left_out.push_back(file);
        }
        Ok(())
    }

    fn note_lost(&mut self, error: &Error, pause: Duration) {
        let lost = error.to_string();
        if self.trouble.as_ref() != Some(&lost) {
            self.several.notice(&notices::reconnecting(self.pattern.server(), error, pause));
        }
        let is_local = self.pattern.server().is_local() && self.listed.is_some();
        self.is_awaited |= is_local && error.io_kind() == Some(ErrorKind::NotFound);
        self.trouble = Some(lost);
    }

    /// Follows the logs that were there at the beginning: all of them, or none if that is not possible.
    fn begin_listed(&mut self, base: &Url, mut listed: Vec<LogFile>, is_cut: bool) -> Result<()> {
        let names: Vec<_> = listed.iter().map(|file| self.several.names.of_listed(&base.of_log(&file.path))).collect();
        self.check_count(lock(&self.several.known).count_with(&names))?;
        if is_cut {
            self.several.notice(notices::CUT);
        }
        self.several.notice(&notices::listed(&self.pattern, names.len()));
        listed.sort_unstable_by(|one, two| one.path.cmp(&two.path));
        let mut tasks = Vec::new();
        for file in listed {
            let origin = if self.is_awaited { AddressOrigin::New } else { AddressOrigin::Listed };
            match self.prepare(base, &file, origin)? {
                PreparedLog::Task(task) => tasks.push((file.path, task)),
                // Another pattern has found logs meanwhile.
                PreparedLog::Full => return self.check_count(self.several.max_logs + 1),
                PreparedLog::Nothing => {}
            }
        }
        // All of them share what is held of the logs, so the first one has to know how many there are.
        let with_sink = |(path, task): (String, Box<Task>)| (path, self.several.sink(self.index, &task.log), task);
        let begun: Vec<_> = tasks.into_iter().map(with_sink).collect();
        begun.into_iter().for_each(|(path, sink, task)| self.begin(&path, *task, sink));
        self.unknown = None;
        Ok(())
    }

    /// # Errors
    /// If there would be too many logs.
    fn check_count(&self, count: usize) -> Result<()> {
        let (pattern, max) = (&self.pattern, self.several.max_logs);
        if count <= max {
            return Ok(());
        }
        self.several.stdout.end();
        let cause = format!("there would be {count} logs, and --max-logs allows {max}");
        Err(Error::failed(format!("cannot follow {pattern}: {cause}")))
    }

    /// Follows a new log. Returns whether it has to wait until another one ends.
    fn begin_new(&mut self, base: &Url, file: &LogFile) -> Result<bool> {
        match self.prepare(base, file, AddressOrigin::New)? {
            PreparedLog::Task(task) => {
                let sink = self.several.sink(self.index, &task.log);
                self.begin(&file.path, *task, sink);
            }
            PreparedLog::Full => return Ok(true),
            PreparedLog::Nothing => {}
        }
        Ok(false)
    }

    /// Follows new logs that were left out, as far as others have ended.
    fn begin_left_out(&mut self, base: &Url) -> Result<()> {
        while let Some(file) = self.left_out.front().cloned()
            && !self.begin_new(base, &file)?
        {
            self.left_out.pop_front();
        }
        Ok(())
    }

    /// What it takes to follow a log that the server has listed.
    ///
    /// # Errors
    /// A usage error if its cursor file is of another filter.
    fn prepare(&mut self, base: &Url, file: &LogFile, origin: AddressOrigin) -> Result<PreparedLog> {
        let path = &file.path;
        if self.children.is_taken(path) {
            return Ok(PreparedLog::Nothing);
        }
        let mut url = base.of_log(path);
        let log = self.several.names.of_listed(&url);
        let admission = lock(&self.several.known).admit(&log, self.index, self.several.max_logs);
        match admission {
            Admission::Admitted => {}
            Admission::Taken => return Ok(PreparedLog::Nothing),
            Admission::Full => return Ok(PreparedLog::Full),
        }
        let record = match self.several.record(&url) {
            Ok(record) => record,
            Err(error) if error.is_usage() => return Err(error),
            Err(error) => {
                self.fail(&log, &error);
                return Ok(PreparedLog::Nothing);
            }
        };
        if origin == AddressOrigin::New {
            url.set_lines(Lines::All);
            // It may have been rotated since it was created. Beside a cursor, this has no effect.
            url.set_history(true);
        }
        let left = self.children.take_left(path).map(|Left { place, was_missing }| Start::Left { place, was_missing });
        // A cursor would be followed rather than the time at which the log is to begin.
        let first = file.start.clone().filter(|_| !url.has_since());
        let first = || first.map_or(Start::Usual, |cursor| Start::First(cursor.into()));
        let start = left.unwrap_or_else(first);
        Ok(PreparedLog::Task(Box::new(Task { url, log, record, origin, start })))
    }

    fn begin(&mut self, path: &str, task: Task, sink: Sink<'scope, 't>) {
        let (trigger, shutdown) = match wstail::shutdown() {
            Ok(pair) => pair,
            Err(error) => return self.fail(&task.log, &Error::io(format!("cannot follow {}", task.url), error)),
        };
        let several = self.several;
        let thread = self.scope.spawn(move || several.follow(task, sink, shutdown));
        self.children.add(path.to_owned(), Child { thread, trigger });
    }

    /// A log that was admitted cannot be followed.
    fn fail(&mut self, log: &str, error: &Error) {
        print_error(error);
        lock(&self.several.known).end(log);
        self.children.note(Outcome::failed());
    }
}
