//! The threads of the logs that a pattern stands for: they are ended when their logs were deleted, and joined.

use std::collections::{HashMap, HashSet};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use wstail::Trigger;
use wstail::protocol::cursor::Place;

use crate::cli::follow::Outcome;

/// How long a deleted log is followed, in case it is created again.
const DELETED: Duration = Duration::from_secs(60);

pub(super) struct Children<'scope> {
    /// By the paths of their logs, each with the time since when there is no such log.
    running: HashMap<String, (Child<'scope>, Option<Instant>)>,
    /// The logs that were followed, with where they were left.
    left: HashMap<String, Left>,
    /// The logs of which as much is printed as was asked for.
    complete: HashSet<String>,
    /// The sum of those that have ended.
    ended: Outcome,
}

/// A log in a thread of its own.
pub(super) struct Child<'scope> {
    pub thread: ScopedJoinHandle<'scope, Outcome>,
    /// Ends it when it is dropped.
    pub trigger: Trigger,
}

/// Where a log was left.
pub(super) struct Left {
    /// Everything before this place was printed.
    pub place: Place,
    /// The log was missing then, and its file was read to its end.
    pub was_missing: bool,
}

impl<'scope> Children<'scope> {
    pub(super) fn new() -> Children<'scope> {
        let (running, left, complete) = (HashMap::new(), HashMap::new(), HashSet::new());
        Children { running, left, complete, ended: Outcome::done() }
    }

    pub(super) fn add(&mut self, path: String, child: Child<'scope>) {
        self.running.insert(path, (child, None));
    }

    /// The log is there. Returns whether it is followed, or is complete; if it was followed, its thread has ended.
    pub(super) fn is_taken(&mut self, path: &str) -> bool {
        match self.running.get_mut(path) {
            Some((child, gone)) if !child.thread.is_finished() => {
                *gone = None;
                true
            }
            Some(_) => {
                self.end(path);
                self.complete.contains(path)
            }
            None => self.complete.contains(path),
        }
    }

    /// Where the log was left, if it was followed before.
    pub(super) fn take_left(&mut self, path: &str) -> Option<Left> {
        self.left.remove(path)
    }

    /// There is no such log any more.
    pub(super) fn note_gone(&mut self, path: &str, now: Instant) {
        if let Some((_, gone)) = self.running.get_mut(path) {
            gone.get_or_insert(now);
        }
    }

    /// Ends the logs that were deleted a minute ago.
    pub(super) fn end_deleted(&mut self, now: Instant) {
        let is_over = |gone: &Option<Instant>| gone.is_some_and(|gone| now >= gone + DELETED);
        let over: Vec<_> =
            self.running.iter().filter(|(_, (_, gone))| is_over(gone)).map(|(path, _)| path.clone()).collect();
        over.iter().for_each(|path| self.end(path));
    }

    fn end(&mut self, path: &str) {
        let Some((Child { thread, trigger }, _)) = self.running.remove(path) else { return };
        drop(trigger);
        let outcome = thread.join().unwrap_or_else(|_| Outcome::failed());
        if outcome.is_complete {
            self.complete.insert(path.to_owned());
        }
        // Lines may have come until just now, also of a new file of that name. They must not come again.
        if let Some(place) = outcome.place.clone() {
            self.left.insert(path.to_owned(), Left { place, was_missing: outcome.is_missing });
        }
        self.note(outcome);
    }

    /// Adds an outcome to those of the logs that have ended.
    pub(super) fn note(&mut self, outcome: Outcome) {
        self.ended.add(outcome);
    }

    pub(super) fn are_running(&self) -> bool {
        self.running.values().any(|(child, _)| !child.thread.is_finished())
    }

    /// Ends all logs.
    pub(super) fn join(mut self) -> Outcome {
        // All of them at once, because each may take a moment to print what it holds.
        let (triggers, threads): (Vec<_>, Vec<_>) =
            self.running.into_values().map(|(child, _)| (child.trigger, child.thread)).unzip();
        drop(triggers);
        threads.into_iter().for_each(|thread| self.ended.add(thread.join().unwrap_or_else(|_| Outcome::failed())));
        self.ended
    }
}
