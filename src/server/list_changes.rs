//! What has changed in the list of logs since a client last heard of it. The lists come from the caller, as does the time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::follow::listing::Entry;
use crate::protocol::list_request::ListParameters;
use crate::server::listing::{Difference, List};

/// How long a log that is gone is remembered. A file that is given a rotated log's name meanwhile is not a new log.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The logs that a client asks for, and those that it knows. The list is shared with other clients, and of each of its paths
/// one bit is known here.
pub(in crate::server) struct Changes {
    wanted: ListParameters,
    list: Arc<List>,
    /// Whether the client was told of a path, in the order of the list's paths.
    told: Vec<bool>,
    /// The logs that the client was told of and that are gone, since when.
    gone: HashMap<String, Instant>,
    /// Those of which it is not told yet that they are gone.
    leaving: VecDeque<String>,
    /// The entries that are not judged yet.
    ahead: PendingChanges,
}

/// Places of a list's entries, newest first.
enum PendingChanges {
    All(std::ops::Range<usize>),
    New(std::vec::IntoIter<usize>, Arc<Difference>),
}

/// What one step has found.
pub(in crate::server) enum FoundLogs {
    Gone(String),
    /// A log, and the file that it begins with, if it is new.
    Log(Entry, Option<Entry>),
    /// A log that is not told of.
    Nothing,
    /// Everything in the list is told.
    Over,
}

impl Changes {
    /// All that is wanted of `list` is news.
    pub(in crate::server) fn new(wanted: ListParameters, list: Arc<List>) -> Changes {
        let count = list.entries().len();
        let (told, ahead) = (vec![false; count], PendingChanges::All(0..count));
        Changes { wanted, list, told, gone: HashMap::new(), leaving: VecDeque::new(), ahead }
    }

    /// Goes on to a later list. Everything in the one before must be told.
    pub(in crate::server) fn go_on(&mut self, list: Arc<List>, now: Instant) {
        self.gone.retain(|_, since| now < *since + REMEMBERED);
        if Arc::ptr_eq(&self.list, &list) {
            return;
        }
        let difference = list.difference(&self.list);
        let (removed, added) = (&difference.removed, &difference.added);
        let is_told = |number: &&usize| self.told[**number];
        let path = |number: &usize| self.list.entries()[self.list.place(*number)].path.clone();
        self.leaving = removed.iter().filter(is_told).map(path).collect();
        self.gone.extend(self.leaving.iter().map(|path| (path.clone(), now)));
        if !removed.is_empty() || !added.is_empty() {
            let mut removed = removed.iter().peekable();
            let kept = self.told.iter().enumerate().filter(|(number, _)| removed.next_if_eq(&number).is_none());
            let mut kept = kept.map(|(_, is_told)| *is_told);
            let mut added = added.iter().peekable();
            let told = |number| added.next_if_eq(&&number).is_none() && kept.next().unwrap_or_default();
            self.told = (0..list.entries().len()).map(told).collect();
        }
        let mut new: Vec<_> = added.iter().map(|number| list.place(*number)).collect();
        new.sort_unstable();
        (self.ahead, self.list) = (PendingChanges::New(new.into_iter(), difference), list);
    }

    /// Judges one more log: those that are gone come first, then the new ones, newest first.
    pub(in crate::server) fn step(&mut self) -> FoundLogs {
        if let Some(path) = self.leaving.pop_front() {
            return FoundLogs::Gone(path);
        }
        let next = match &mut self.ahead {
            PendingChanges::All(range) => range.next(),
            PendingChanges::New(places, _) => places.next(),
        };
        let Some(place) = next else { return FoundLogs::Over };
        let entry = &self.list.entries()[place];
        if !self.list.is_wanted(entry, &self.wanted, |path| self.gone.contains_key(path)) {
            return FoundLogs::Nothing;
        }
        if let Some(number) = self.list.number(&entry.path) {
            self.told[number] = true;
        }
        self.gone.remove(&entry.path);
        FoundLogs::Log(entry.clone(), self.first(entry))
    }

    /// The file that a new log begins with: it may have been rotated since it was created. Files that were there
    /// before are not its own, although they may have been renamed.
    fn first(&self, log: &Entry) -> Option<Entry> {
        let PendingChanges::New(_, difference) = &self.ahead else { return None };
        let place = difference.first.get(&log.path);
        Some(place.map_or(log, |place| &self.list.entries()[*place]).clone())
    }

    /// Whether everything in the list is told.
    pub(in crate::server) fn is_over(&self) -> bool {
        let is_judged = match &self.ahead {
            PendingChanges::All(range) => range.is_empty(),
            PendingChanges::New(places, _) => places.len() == 0,
        };
        is_judged && self.leaving.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::listing::Listing;
    use crate::follow::position::Identity;
    use std::time::UNIX_EPOCH;

    struct Play {
        wanted: ListParameters,
        changes: Option<Changes>,
        now: Instant,
    }

    impl Play {
        fn of(query: &str) -> Play {
            let wanted = ListParameters::parse(query).unwrap();
            Play { wanted, changes: None, now: Instant::now() }
        }

        /// `+app.log -old.log`: what the client hears of after `seconds`, if the list has these paths then.
        fn after(&mut self, seconds: u64, paths: &str) -> String {
            self.now += Duration::from_secs(seconds);
            // `app.log:7` has that number.
            let entry = |path: &str| {
                let (path, number) = path.split_once(':').unwrap_or((path, "0"));
                let identity = Identity { inode: number.parse().unwrap(), ..Identity::default() };
                Entry { path: path.to_owned(), size: 1, modified: UNIX_EPOCH, identity }
            };
            let listing = Listing { entries: paths.split_whitespace().map(entry).collect(), is_cut: false };
            let list = Arc::new(List::new(listing, Duration::ZERO));
            match &mut self.changes {
                Some(changes) => changes.go_on(list, self.now),
                None => self.changes = Some(Changes::new(self.wanted.clone(), list)),
            }
            let changes = self.changes.as_mut().unwrap();
            let mut words = Vec::new();
            loop {
                match changes.step() {
                    FoundLogs::Log(Entry { path, .. }, first) => {
                        let first = first.map(|first| first.path).filter(|first| *first != path);
                        words.push(format!("+{path}{}", first.map_or(String::new(), |first| format!("={first}"))));
                    }
                    FoundLogs::Gone(path) => words.push(format!("-{path}")),
                    FoundLogs::Nothing => {}
                    FoundLogs::Over => break,
                }
            }
            assert!(changes.is_over());
            words.join(" ")
        }
    }

    #[test]
    fn logs_that_come_and_go_are_told_once() {
        let mut play = Play::of("match=*.log");
        assert_eq!(play.after(0, "a.log b.txt"), "+a.log");
        assert_eq!(play.after(1, "a.log b.txt"), "");
        assert_eq!(play.after(1, "b.log a.log"), "+b.log");
        assert_eq!(play.after(1, "b.log"), "-a.log");
        assert_eq!(play.after(1, "b.log a.log"), "+a.log");
        let mut gone: Vec<_> = play.after(1, "").split(' ').map(str::to_owned).collect();
        gone.sort();
        assert_eq!(gone, ["-a.log", "-b.log"]);
    }

    #[test]
    fn a_rotation_is_not_a_new_log() {
        let mut play = Play::of("match=**");
        assert_eq!(play.after(0, "app.log app.log.1"), "+app.log");
        assert_eq!(play.after(1, "app.log app.log.1 app.log.2"), "");
        // Between the two steps of a rotation.
        assert_eq!(play.after(1, "app.log.1 app.log.2 app.log.3"), "-app.log");
        assert_eq!(play.after(1, "app.log app.log.1 app.log.2 app.log.3"), "+app.log");
        // Deleted for good.
        assert_eq!(play.after(1, "app.log.1 app.log.2 app.log.3"), "-app.log");
        assert_eq!(play.after(61, "app.log.1 app.log.2 app.log.3"), "");
        assert_eq!(play.after(61, "app.log.1 app.log.2 app.log.3"), "");
        assert_eq!(play.after(1, "new.log app.log.1"), "+new.log");
    }

    #[test]
    fn a_log_that_gets_a_shorter_sibling_is_not_gone() {
        let mut play = Play::of("match=**");
        assert_eq!(play.after(0, "app-1.log"), "+app-1.log");
        assert_eq!(play.after(1, "app-1.log app.log"), "+app.log");
        assert_eq!(play.after(1, "app.log"), "-app-1.log");
    }

    #[test]
    fn a_new_log_begins_with_its_first_file() {
        let mut play = Play::of("match=*.log");
        assert_eq!(play.after(0, "old.log:1 app.log.1:2"), "+old.log");
        // It was created, and rotated twice.
        let list = "app.log:5 app.log.1:4 app.log.2:3 app.log.3:2 old.log:1";
        assert_eq!(play.after(1, list), "+app.log=app.log.2");
        assert_eq!(play.after(1, &format!("new.log:6 {list}")), "+new.log");
    }
}
