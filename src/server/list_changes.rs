//! What has changed in the list of logs since a client last heard of it. The lists come from the caller, as does the time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::protocol::list_event::ListEvent;
use crate::protocol::list_request::ListParameters;
use crate::server::listing::{List, seconds};

/// How long a log that is gone is remembered. A file that is given a rotated log's name meanwhile is not a new log.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The logs that a client knows, and the ones that it asks for.
pub(in crate::server) struct Changes {
    wanted: ListParameters,
    /// Each with the time at which it was found to be gone, if it is.
    known: HashMap<String, Option<Instant>>,
    last: Option<Arc<List>>,
}

impl Changes {
    pub(in crate::server) fn new(wanted: ListParameters) -> Changes {
        Changes { wanted, known: HashMap::new(), last: None }
    }

    /// What the client does not know yet, newest first.
    pub(in crate::server) fn take(&mut self, list: Arc<List>, now: Instant) -> Vec<ListEvent> {
        let last = self.last.replace(list.clone());
        if last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &list)) {
            return Vec::new();
        }
        let mut events = Vec::new();
        for (path, gone) in &mut self.known {
            if gone.is_none() && !list.contains(path) {
                *gone = Some(now);
                events.push(ListEvent::Gone { path: path.clone() });
            }
        }
        let was_log = |path: &str| self.known.contains_key(path);
        let is_new = |path: &str| match self.known.get(path) {
            Some(gone) => gone.is_some(),
            // A rotated file whose log was deleted meanwhile is not new.
            None => last.as_ref().is_none_or(|last| !last.contains(path)),
        };
        let new = list.select(&self.wanted, was_log).filter(|entry| is_new(&entry.path));
        let new: Vec<_> = new.map(|entry| (entry.path.clone(), entry.size, seconds(entry))).collect();
        for (path, size, modified) in new {
            self.known.insert(path.clone(), None);
            events.push(ListEvent::File { path, size, modified });
        }
        self.known.retain(|_, gone| gone.is_none_or(|since| now < since + REMEMBERED));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::listing::{Entry, Listing};
    use std::time::UNIX_EPOCH;

    struct Play {
        changes: Changes,
        now: Instant,
    }

    impl Play {
        fn of(query: &str) -> Play {
            let wanted = ListParameters::parse(query).unwrap();
            Play { changes: Changes::new(wanted), now: Instant::now() }
        }

        /// `+app.log -old.log`: what the client hears of after `seconds`, if the list has these paths then.
        fn after(&mut self, seconds: u64, paths: &str) -> String {
            self.now += Duration::from_secs(seconds);
            let entry = |path: &str| Entry { path: path.to_owned(), size: 1, modified: UNIX_EPOCH };
            let listing = Listing { entries: paths.split_whitespace().map(entry).collect(), is_cut: false };
            let events = self.changes.take(Arc::new(List::new(listing, Duration::ZERO)), self.now);
            let word = |event: &ListEvent| match event {
                ListEvent::File { path, .. } => format!("+{path}"),
                ListEvent::Gone { path } => format!("-{path}"),
                other => panic!("{other}"),
            };
            events.iter().map(word).collect::<Vec<_>>().join(" ")
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
}
