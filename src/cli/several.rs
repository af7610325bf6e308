//! The logs of a `wstail tail`, each followed in a thread of its own: those that are named, and those that patterns stand
//! for. A thread for each pattern asks the server which logs these are, and goes on to hear of new and of deleted ones.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use wstail::client::{ClientConfig, LiveList, LogChange, LogPattern, Url};
use wstail::produce::verifier::Verifier;
use wstail::protocol::cursor::Place;
use wstail::protocol::request::Lines;
use wstail::text::sanitize::escape;
use wstail::text::wide::WideText;
use wstail::{Error, Result, Shutdown, Trigger};

use super::cursor_dir::CursorDir;
use super::follow::{Follow, Origin, Outcome};
use super::merge::{Input, Merge};
use super::names::{Names, Source};
use super::printer::Printer;
use super::progress::Progress;
use super::record::Record;
use super::refusal::Refusable;
use super::search::Search;
use super::sink::Sink;
use super::stdout::Stdout;
use super::style::Style;
use super::{Exit, lock, notices, print_error};

/// How long a deleted log is followed, in case it is created again.
const DELETED: Duration = Duration::from_secs(60);
/// How often to look whether the logs have ended, where nothing else is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// What all logs have in common.
pub(super) struct Several<'t> {
    pub config: &'t ClientConfig,
    pub stdout: &'t Stdout,
    pub shutdown: &'t Shutdown,
    pub style: Style,
    pub quiet: bool,
    pub retries: bool,
    pub verifies: bool,
    /// The options whose values a server may refuse.
    pub refusable: Refusable,
    /// How many logs are followed at a time.
    pub max_logs: usize,
    /// With a single log: where to start.
    pub after: Option<Place>,
    /// Where each log has a cursor file.
    pub cursor_dir: Option<CursorDir>,
    /// Set if entries are printed in the order of their times.
    pub merge: Option<Merge<'t>>,
    pub names: Names,
    pub known: Mutex<Known>,
}

/// The logs that are followed, or were, by their names: no two sources follow the same.
#[derive(Default)]
pub(super) struct Known {
    /// Each with the place of its source on the command line.
    sources: HashMap<String, usize>,
    followed: HashSet<String>,
}

impl Known {
    /// Whether the log belongs to another source.
    fn is_taken(&self, log: &str, source: usize) -> bool {
        self.sources.get(log).is_some_and(|other| *other != source)
    }

    fn begin(&mut self, log: &str, source: usize) {
        self.sources.insert(log.to_owned(), source);
        self.followed.insert(log.to_owned());
    }
}

/// The logs that a pattern stands for.
struct Children<'scope, 't> {
    /// The pattern's place on the command line.
    index: usize,
    running: HashMap<String, Child<'scope>>,
    ended: Vec<Outcome>,
    /// Until it is known which logs there are: keeps others from being printed out of order.
    unknown: Option<Input<'scope, 't>>,
}

/// A log in a thread of its own.
struct Child<'scope> {
    thread: ScopedJoinHandle<'scope, Outcome>,
    /// Ends it when it is dropped.
    trigger: Trigger,
    /// Since when there is no such log.
    gone: Option<Instant>,
}

impl<'t> Several<'t> {
    /// Follows all logs until they have ended. `record` is for a single log.
    pub(super) fn run(&self, sources: Vec<Source>, mut record: Option<Record>) -> Vec<Outcome> {
        thread::scope(|scope| {
            scope.spawn(|| self.stdout.watch());
            // Before a pattern finds them, too.
            for (index, _) in sources.iter().enumerate().filter(|(_, source)| matches!(source, Source::Log(_))) {
                lock(&self.known).begin(&self.names.of_source(index), index);
            }
            let merge = self.merge.as_ref();
            let begin = |(index, source): (usize, Source)| match source {
                Source::Log(url) => {
                    let (log, record) = (self.names.of_source(index), record.take());
                    let sink = self.sink(index, &log);
                    let shutdown = self.shutdown.clone();
                    scope.spawn(move || vec![self.follow(url, log, sink, record, Origin::Named, shutdown)])
                }
                Source::Pattern(pattern) => {
                    // Nothing is printed before it is known which logs there are.
                    let unknown = merge.map(|merge| merge.add((index, String::new()), None));
                    scope.spawn(move || self.watch(scope, index, &pattern, unknown))
                }
            };
            let threads: Vec<_> = sources.into_iter().enumerate().map(begin).collect();
            let printing = merge.map(|merge| scope.spawn(|| merge.run(self.shutdown)));
            let panicked = |_| vec![Outcome::failed()];
            let outcomes = threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(panicked)).collect();
            merge.into_iter().for_each(Merge::close);
            // Its panic ends the program.
            printing.into_iter().for_each(|thread| thread.join().expect("the merge does not panic"));
            self.stdout.end();
            outcomes
        })
    }

    /// Where the lines of a log go. `index` is the place of its source on the command line.
    fn sink(&self, index: usize, log: &str) -> Sink<'_, 't> {
        let printer = Printer::new(self.stdout, self.style.prefix(log), self.style.form(log));
        match &self.merge {
            Some(merge) => Sink::Merge(merge.add((index, log.to_owned()), Some(printer))),
            None => Sink::Printer(printer),
        }
    }

    /// Follows one log until it ends.
    fn follow(
        &self,
        url: Url,
        log: String,
        sink: Sink<'_, 't>,
        record: Option<Record>,
        origin: Origin,
        shutdown: Shutdown,
    ) -> Outcome {
        let of_dir = self.cursor_dir.as_ref().map(|dir| dir.record(&url)).transpose();
        let record = match of_dir {
            Ok(of_dir) => of_dir.or(record),
            Err(error) => {
                print_error(&error);
                return Outcome {
                    exit: if error.is_usage() { Exit::Usage } else { Exit::Failed },
                    ..Outcome::failed()
                };
            }
        };
        let after = record.as_ref().and_then(Record::place).or(self.after.as_ref()).cloned();
        let is_alone = !self.style.is_several;
        let follow = Follow {
            search: Search::of(&url, is_alone && !self.quiet),
            verifier: self.verifies.then(|| Verifier::new(after.is_some())),
            name: (!is_alone).then(|| escape(&log)),
            sink,
            url,
            config: self.config.clone(),
            refusable: &self.refusable,
            quiet: self.quiet,
            retries: self.retries,
            origin,
            after,
            record,
            progress: Progress::default(),
            held: 0,
            trouble: None,
            wide: self.style.warns_of_wide().then(WideText::default),
            has_failed: false,
            shutdown,
            interrupt: self.shutdown,
        };
        let outcome = follow.run();
        lock(&self.known).followed.remove(&log);
        outcome
    }

    /// Follows the logs that a pattern stands for.
    fn watch<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
        pattern: &LogPattern,
        unknown: Option<Input<'scope, 't>>,
    ) -> Vec<Outcome> {
        let mut children = Children { index, running: HashMap::new(), ended: Vec::new(), unknown };
        let watched = pattern.locate(|base, glob| {
            let list = LiveList::new(base, glob, self.shutdown.clone());
            let list = list.config(self.config.clone()).retries(self.retries);
            self.watch_list(scope, &mut children, pattern, base, list)
        });
        if let Err(error) = watched {
            print_error(&error);
            children.ended.push(Outcome::failed());
        }
        children.unknown = None;
        if self.shutdown.is_triggered() {
            children.ended.push(Outcome { exit: Exit::Interrupted, ..Outcome::failed() });
        }
        while children.running.values().any(|child| !child.thread.is_finished()) && !self.shutdown.sleep(PATIENCE) {}
        children.join()
    }

    /// Follows logs as the server at `base` reports them, until the shutdown; or only those that are there, if logs are not
    /// followed.
    fn watch_list<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        children: &mut Children<'scope, 't>,
        pattern: &LogPattern,
        base: &Url,
        list: LiveList,
    ) -> Result<()> {
        // The logs that were there at the beginning, until all of them are known.
        let mut listed = Some(Vec::new());
        let mut trouble = None;
        for change in list {
            match change? {
                LogChange::New(file) => match &mut listed {
                    Some(listed) => listed.push(file.path),
                    None => self.begin(scope, children, base, &file.path, Origin::New),
                },
                LogChange::Listed { is_cut } => {
                    let mut paths = listed.take().unwrap_or_default();
                    let names: Vec<_> = paths.iter().map(|path| self.names.of_listed(&base.of_log(path))).collect();
                    self.check_listed(pattern, &names, is_cut)?;
                    paths.sort_unstable();
                    paths.iter().for_each(|path| self.begin(scope, children, base, path, Origin::Listed));
                    children.unknown = None;
                    if !base.follows() {
                        return Ok(());
                    }
                }
                LogChange::Gone(path) => {
                    listed.iter_mut().for_each(|listed| listed.retain(|known| *known != path));
                    if let Some(child) = children.running.get_mut(&path) {
                        child.gone = Some(Instant::now());
                    }
                }
                LogChange::Lost { error, pause } => {
                    let lost = error.to_string();
                    if trouble.as_ref() != Some(&lost) {
                        self.notice(&notices::reconnecting(&lost, pause));
                    }
                    trouble = Some(lost);
                    continue;
                }
                _ => {}
            }
            trouble = None;
            children.end_deleted(Instant::now());
        }
        Ok(())
    }

    /// Reports how many logs there are at the beginning.
    ///
    /// # Errors
    /// If there are too many.
    fn check_listed(&self, pattern: &LogPattern, names: &[String], is_cut: bool) -> Result<()> {
        let known = lock(&self.known);
        let new = names.iter().filter(|name| !known.followed.contains(*name)).count();
        let (count, max) = (known.followed.len() + new, self.max_logs);
        drop(known);
        if count > max {
            self.stdout.end();
            let cause = format!("there would be {count} logs, and --max-logs allows {max}");
            return Err(Error::failed(format!("cannot follow {pattern}: {cause}")));
        }
        if is_cut {
            self.notice(notices::CUT);
        }
        self.notice(&notices::listed(pattern, names.len()));
        Ok(())
    }

    /// Follows a log that a server has listed, unless it is followed already.
    fn begin<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        children: &mut Children<'scope, 't>,
        base: &Url,
        path: &str,
        origin: Origin,
    ) {
        if let Some(child) = children.running.get_mut(path) {
            child.gone = None;
            if !child.thread.is_finished() {
                return;
            }
        }
        children.end(path);
        let mut url = base.of_log(path);
        let name = self.names.of_listed(&url);
        let mut known = lock(&self.known);
        if known.is_taken(&name, children.index) {
            return;
        }
        if known.followed.len() >= self.max_logs {
            return self.notice(&notices::left_out(&name));
        }
        known.begin(&name, children.index);
        drop(known);
        if origin == Origin::New {
            url.set_lines(Lines::All);
        }
        let (trigger, shutdown) = match wstail::shutdown() {
            Ok(pair) => pair,
            Err(error) => return print_error(&Error::io(format!("cannot follow {url}"), error)),
        };
        let sink = self.sink(children.index, &name);
        let thread = scope.spawn(move || self.follow(url, name, sink, None, origin, shutdown));
        children.running.insert(path.to_owned(), Child { thread, trigger, gone: None });
    }

    fn notice(&self, text: &str) {
        if !self.quiet {
            print_error(&text);
        }
    }
}

impl Children<'_, '_> {
    /// Ends the logs that were deleted a minute ago.
    fn end_deleted(&mut self, now: Instant) {
        let is_over = |child: &Child| child.gone.is_some_and(|gone| now >= gone + DELETED);
        let over: Vec<_> =
            self.running.iter().filter(|(_, child)| is_over(child)).map(|(path, _)| path.clone()).collect();
        over.iter().for_each(|path| self.end(path));
    }

    fn end(&mut self, path: &str) {
        if let Some(Child { thread, trigger, .. }) = self.running.remove(path) {
            drop(trigger);
            self.ended.push(thread.join().unwrap_or_else(|_| Outcome::failed()));
        }
    }

    /// Ends all logs.
    fn join(mut self) -> Vec<Outcome> {
        // All of them at once, because each may take a moment to print what it holds.
        let (triggers, threads): (Vec<_>, Vec<_>) =
            self.running.into_values().map(|child| (child.trigger, child.thread)).unzip();
        drop(triggers);
        self.ended.extend(threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Outcome::failed())));
        self.ended
    }
}
