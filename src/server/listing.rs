//! The list of logs, shared by all who ask for it: one of them walks the roots, and the others wait for what it finds. A
//! list is given out for up to a second, and not updated meanwhile. Nothing here waits or sends.

use std::collections::HashSet;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::json;

use crate::follow::is_generation;
use crate::follow::listing::{Entry, Listing};
use crate::follow::root::Roots;
use crate::protocol::list_request::ListParameters;

/// How long a list is also given to other clients.
const FRESH: Duration = Duration::from_secs(1);

/// Serializes the walks of the roots, and shares what they find.
#[derive(Debug, Default)]
pub(in crate::server) struct Lists {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    None,
    /// A connection's thread is walking. The socket becomes readable when it has ended.
    Walking(Arc<UnixStream>),
    Known(Arc<List>),
}

/// The logs that a walk found.
#[derive(Debug)]
pub(in crate::server) struct List {
    listing: Listing,
    /// When the walk ended, and how long it took.
    since: Instant,
    took: Duration,
    paths: OnceLock<HashSet<String>>,
    json: OnceLock<String>,
}

/// What a client does next.
pub(in crate::server) enum Lookup<'l> {
    List(Arc<List>),
    /// Another client is walking. The socket becomes readable when it has ended.
    Wait(Arc<UnixStream>),
    Walk(Walker<'l>),
}

/// The right to walk. Dropping it ends the walk, even after a panic, and then wakes the clients that wait.
pub(in crate::server) struct Walker<'l> {
    lists: &'l Lists,
    list: Option<Arc<List>>,
    // Declared last, so that it is dropped last.
    _end: UnixStream,
}

impl Drop for Walker<'_> {
    fn drop(&mut self) {
        *self.lists.lock() = self.list.take().map_or(State::None, State::Known);
    }
}

impl Lists {
    /// What to do for a list that is a second old at most.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub(in crate::server) fn look_up(&self) -> io::Result<Lookup<'_>> {
        let mut state = self.lock();
        match &*state {
            State::Known(list) if list.since.elapsed() < FRESH => return Ok(Lookup::List(list.clone())),
            State::Walking(end) => return Ok(Lookup::Wait(end.clone())),
            _ => {}
        }
        let (near, far) = UnixStream::pair()?;
        *state = State::Walking(Arc::new(far));
        Ok(Lookup::Walk(Walker { lists: self, list: None, _end: near }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walker<'_> {
    /// # Errors
    /// When the process has no descriptor or memory left.
    pub(in crate::server) fn run(mut self, roots: &Roots) -> io::Result<Arc<List>> {
        let begun = Instant::now();
        let list = Arc::new(List::new(roots.list()?, begun.elapsed()));
        self.list = Some(list.clone());
        Ok(list)
    }
}

impl List {
    pub(in crate::server) fn new(listing: Listing, took: Duration) -> List {
        List { listing, since: Instant::now(), took, paths: OnceLock::new(), json: OnceLock::new() }
    }

    /// There were more names than are read.
    pub(in crate::server) fn is_cut(&self) -> bool {
        self.listing.is_cut
    }

    /// When those who listen for changes look again: walks take half of a thread's time at most.
    pub(in crate::server) fn next_walk(&self) -> Instant {
        self.since + FRESH.max(self.took)
    }

    pub(in crate::server) fn contains(&self, path: &str) -> bool {
        let paths = || self.listing.entries.iter().map(|entry| entry.path.clone()).collect();
        self.paths.get_or_init(paths).contains(path)
    }

    /// The logs that a client asks for, newest first. `was_log` tells which logs there were a moment ago: in the midst
    /// of a rotation a log has no file.
    pub(in crate::server) fn select<'l>(
        &'l self,
        wanted: &'l ListParameters,
        was_log: impl Fn(&str) -> bool + 'l,
    ) -> impl Iterator<Item = &'l Entry> {
        let is_log = move |path: &str| self.contains(path) || was_log(path);
        self.listing.entries.iter().filter(move |entry| {
            wanted.glob.as_ref().is_none_or(|glob| glob.matches(&entry.path))
                && (wanted.has_generations() || !is_generation(&entry.path, &is_log))
        })
    }

    /// `{"files":[{"path","size","modified"}…]}`, newest first; with `"cut":true` if there were more names than are read.
    /// The list of all logs is made once for all clients.
    pub(in crate::server) fn json(self: Arc<List>, wanted: &ListParameters) -> Json {
        if wanted.glob.is_none() && wanted.has_generations() {
            self.json.get_or_init(|| json(self.listing.entries.iter(), self.is_cut()));
            return Json::All(self);
        }
        Json::Some(json(self.select(wanted, |_| false), self.is_cut()))
    }
}

/// A list as JSON.
pub(in crate::server) enum Json {
    All(Arc<List>),
    Some(String),
}

impl Json {
    pub(in crate::server) fn as_bytes(&self) -> &[u8] {
        match self {
            Json::All(list) => list.json.get().map_or(&[], String::as_bytes),
            Json::Some(text) => text.as_bytes(),
        }
    }
}

fn json<'l>(entries: impl Iterator<Item = &'l Entry>, is_cut: bool) -> String {
    let file = |entry: &Entry| json!({"path": entry.path, "size": entry.size, "modified": seconds(entry)});
    let files: Vec<_> = entries.map(file).collect();
    if is_cut { json!({"files": files, "cut": true}) } else { json!({"files": files}) }.to_string()
}

/// When the log was last written to, in seconds since the epoch.
pub(in crate::server) fn seconds(entry: &Entry) -> u64 {
    entry.modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read};

    fn list(paths: &[&str]) -> Arc<List> {
        let entry = |path: &&str| Entry { path: (*path).to_owned(), size: 1, modified: UNIX_EPOCH };
        let listing = Listing { entries: paths.iter().map(entry).collect(), is_cut: false };
        Arc::new(List::new(listing, Duration::ZERO))
    }

    #[test]
    fn a_walk_that_fails_is_begun_anew_by_the_next_and_one_that_ends_wakes_those_who_wait() {
        let lists = Lists::default();
        let Ok(Lookup::Walk(walk)) = lists.look_up() else { panic!("the first walks") };
        let Ok(Lookup::Wait(end)) = lists.look_up() else { panic!("the second waits") };
        end.set_nonblocking(true).unwrap();
        assert_eq!((&*end).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(walk);
        assert_eq!((&*end).read(&mut [0]).unwrap(), 0);
        let Ok(Lookup::Walk(mut walk)) = lists.look_up() else { panic!("it failed") };
        walk.list = Some(list(&["a"]));
        drop(walk);
        assert!(matches!(lists.look_up(), Ok(Lookup::List(list)) if list.contains("a")));
    }

    #[test]
    fn a_glob_leaves_rotated_files_out_unless_they_are_asked_for() {
        let list = list(&["app.log", "app.log.1", "nginx/a.log", "nginx/a.log.2.gz", "nginx/b.log.1", "old/app.log.1"]);
        let paths = |query: &str| {
            let wanted = ListParameters::parse(query).unwrap();
            list.select(&wanted, |_| false).map(|entry| entry.path.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(paths("match=**"), "app.log nginx/a.log nginx/b.log.1");
        assert_eq!(paths("match=*&generations=1"), "app.log app.log.1");
        assert_eq!(paths("match=nginx/*"), "nginx/a.log nginx/b.log.1");
        assert_eq!(paths("match=app.log.1"), "");
        assert_eq!(paths("generations=0"), paths("match=**"));
        assert_eq!(paths("").split(' ').count(), 6);
        let wanted = ListParameters::parse("match=nginx/b*").unwrap();
        assert_eq!(list.select(&wanted, |path| path == "nginx/b.log").count(), 0, "in the midst of a rotation");
        let json = |query: &str| {
            let json = list.clone().json(&ListParameters::parse(query).unwrap());
            String::from_utf8(json.as_bytes().to_vec()).unwrap()
        };
        assert_eq!(json("match=a*"), r#"{"files":[{"modified":0,"path":"app.log","size":1}]}"#);
        assert!(json("").contains("app.log.1"));
    }
}
