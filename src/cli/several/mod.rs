//! The logs of a `wstail tail`, each followed in a thread of its own: those that are named, and those that patterns stand
//! for. A thread for each pattern (`watch`) asks the server which logs these are, and goes on to hear of new and of deleted
//! ones; `children` are the threads that it begins. `known` decides which logs are followed, and `shared` has what all of
//! them need.

mod children;
mod known;
mod shared;
mod watch;

use std::thread;

use wstail::Result;
use wstail::client::LogPattern;

pub(super) use self::known::FollowedLogs;
pub(super) use self::shared::Several;
use self::shared::{Start, Task};
use self::watch::PatternWatch;
use super::cursor_file::Record;
use super::follow::{AddressOrigin, Outcome};
use super::lock;
use super::merge::Merge;
use super::names::NamedSource;

/// What a thread is begun for.
enum Begin {
    Log(Box<Task>),
    Pattern(LogPattern),
}

impl Several<'_> {
    /// Follows all logs until they have ended. `record` is for a single log.
    ///
    /// # Errors
    /// If the cursor file of a log that is named cannot be used. No log is followed then.
    pub(super) fn run(&self, sources: Vec<NamedSource>, record: Option<Record>) -> Result<Vec<Outcome>> {
        let tasks = self.tasks(sources, record)?;
        Ok(thread::scope(|scope| {
            scope.spawn(|| self.stdout.watch());
            let merge = self.merge.as_ref();
            let begin = |(index, task): (usize, Begin)| match task {
                Begin::Log(task) => {
                    let sink = self.sink(index, &task.log);
                    scope.spawn(move || self.follow(*task, sink, self.shutdown.clone()))
                }
                Begin::Pattern(pattern) => {
                    // Nothing is printed before it is known which logs there are.
                    let unknown = merge.map(|merge| merge.add((index, String::new()), None));
                    let watch = PatternWatch::new(self, scope, (index, pattern), unknown);
                    scope.spawn(move || watch.run())
                }
            };
            let threads: Vec<_> = tasks.into_iter().enumerate().map(begin).collect();
            let printing = merge.map(|merge| scope.spawn(|| merge.run(self.shutdown)));
            let panicked = |_| Outcome::failed();
            let outcomes = threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect();
            merge.into_iter().for_each(Merge::close);
            // If it panics, it ends the other threads first, and the program ends here.
            printing.into_iter().for_each(|thread| thread.join().expect("the merge does not panic"));
            self.stdout.end();
            outcomes
        }))
    }

    /// What the sources stand for. The logs that are named are known before a pattern finds them, too.
    fn tasks(&self, sources: Vec<NamedSource>, mut record: Option<Record>) -> Result<Vec<Begin>> {
        let begin = |(index, source): (usize, NamedSource)| match source {
            NamedSource::Log(url) => {
                let log = self.names.of_source(index);
                lock(&self.known).begin(&log, index);
                let record = self.record(&url)?.or_else(|| record.take());
                let (origin, start) = (AddressOrigin::Named, Start::Usual);
                Ok(Begin::Log(Box::new(Task { url, log, record, origin, start })))
            }
            NamedSource::Pattern(pattern) => Ok(Begin::Pattern(pattern)),
        };
        sources.into_iter().enumerate().map(begin).collect()
    }
}
