//! The list of logs, shared by all who ask for it: one of them walks the roots, and the others wait for what it finds. A
//! list is given out for up to a second, and not updated meanwhile. Nothing here waits or sends.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::json;

use crate::follow::listing::{Entry, Listing};
use crate::follow::root::Roots;
use crate::protocol::list_request::ListParameters;
use crate::rotated_name::{compare_generations, is_generation};

/// How long a list is also given to other clients.
const FRESH: Duration = Duration::from_secs(1);
/// How long a client's logs are chosen at a time.
pub(in crate::server) const TURN: Duration = Duration::from_millis(20);

/// Serializes the walks of the roots, and shares what they find.
#[derive(Debug, Default)]
pub(in crate::server) struct Lists {
    state: Mutex<ListState>,
}

#[derive(Debug, Default)]
enum ListState {
    #[default]
    None,
    /// A connection's thread is walking. The socket becomes readable when it has ended.
    Walking(Arc<UnixStream>),
    Known(Arc<List>),
}

/// The logs that a walk found. All clients share it.
#[derive(Debug)]
pub(in crate::server) struct List {
    listing: Listing,
    /// The places of the entries, in the order of their paths.
    by_path: Vec<u32>,
    /// When the walk ended, and how long it took.
    since: Instant,
    took: Duration,
    difference: OnceLock<Arc<Difference>>,
    json: OnceLock<String>,
}

/// How the paths of a list differ from those of an earlier one.
#[derive(Debug)]
pub(in crate::server) struct Difference {
    earlier: Weak<List>,
    /// The paths that are not there any more, as numbers in the order of the earlier list's paths.
    pub removed: Vec<usize>,
    /// Those that are new, as numbers in the order of the list's paths.
    pub added: Vec<usize>,
    /// The places of the oldest rotated files that are new, by the paths of their logs. A file that was there before under
    /// another path is not new.
    pub first: HashMap<String, usize>,
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
        *self.lists.lock() = self.list.take().map_or(ListState::None, ListState::Known);
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
            ListState::Known(list) if list.since.elapsed() < FRESH => return Ok(Lookup::List(list.clone())),
            ListState::Walking(end) => return Ok(Lookup::Wait(end.clone())),
            _ => {}
        }
        let (near, far) = UnixStream::pair()?;
        *state = ListState::Walking(Arc::new(far));
        Ok(Lookup::Walk(Walker { lists: self, list: None, _end: near }))
    }

    fn lock(&self) -> MutexGuard<'_, ListState> {
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
        let path = |place: &u32| &listing.entries[*place as usize].path;
        let mut by_path: Vec<u32> = (0..listing.entries.len() as u32).collect();
        by_path.sort_unstable_by(|one, two| path(one).cmp(path(two)));
        let (difference, json) = (OnceLock::new(), OnceLock::new());
        List { listing, by_path, since: Instant::now(), took, difference, json }
    }

    /// There were more names than are read.
    pub(in crate::server) fn is_cut(&self) -> bool {
        self.listing.is_cut
    }

    /// When those who listen for changes look again: walks take half of a thread's time at most.
    pub(in crate::server) fn next_walk(&self) -> Instant {
        self.since + FRESH.max(self.took)
    }

    /// Newest first.
    pub(in crate::server) fn entries(&self) -> &[Entry] {
        &self.listing.entries
    }

    /// The place among the entries of a path, by its number in the order of the paths.
    pub(in crate::server) fn place(&self, number: usize) -> usize {
        self.by_path[number] as usize
    }

    fn path(&self, number: usize) -> &str {
        &self.entries()[self.place(number)].path
    }

    /// The number of a path in the order of the paths.
    pub(in crate::server) fn number(&self, path: &str) -> Option<usize> {
        self.by_path.binary_search_by(|place| self.entries()[*place as usize].path.as_str().cmp(path)).ok()
    }

    pub(in crate::server) fn contains(&self, path: &str) -> bool {
        self.number(path).is_some()
    }

    /// How it differs from an earlier list. Most clients know the same earlier list, and share what is found.
    pub(in crate::server) fn difference(&self, earlier: &Arc<List>) -> Arc<Difference> {
        let found = || Arc::new(Difference::find(earlier, self));
        let shared = self.difference.get_or_init(found);
        if std::ptr::eq(shared.earlier.as_ptr(), Arc::as_ptr(earlier)) { shared.clone() } else { found() }
    }

    /// The oldest rotated file of each log that an earlier list does not have, under whatever path.
    fn new_generations(&self, earlier: &List) -> HashMap<String, usize> {
        // With the times of creation, for the number of a deleted file is given to the next one.
        let seen: HashSet<_> = earlier.entries().iter().map(|entry| entry.identity).collect();
        let new = self.entries().iter().enumerate().filter(|(_, entry)| !seen.contains(&entry.identity));
        let mut oldest: HashMap<String, usize> = HashMap::new();
        // A compressed file counts, too: it is unpacked, or there is a gap.
        for (place, entry) in new {
            let Some(log) = self.log_of(&entry.path) else { continue };
            let is_older = oldest.get(&log).is_none_or(|other| {
                let other = &self.entries()[*other];
                let by_name = || compare_generations(&log, &entry.path, &other.path);
                entry.modified.cmp(&other.modified).then_with(by_name) == Ordering::Less
            });
            if is_older {
                oldest.insert(log, place);
            }
        }
        oldest
    }

    /// The log of which a path is a rotated file.
    fn log_of(&self, path: &str) -> Option<String> {
        let found = RefCell::new(None);
        is_generation(path, |log| {
            let is_log = self.contains(log);
            found.replace(is_log.then(|| log.to_owned()));
            is_log
        });
        found.into_inner()
    }

    /// Whether a client asks for a log. `was_log` tells which logs there were a moment ago: in the midst of a rotation a log
    /// has no file.
    pub(in crate::server) fn is_wanted(
        &self,
        entry: &Entry,
        wanted: &ListParameters,
        was_log: impl Fn(&str) -> bool,
    ) -> bool {
        wanted.glob.as_ref().is_none_or(|glob| glob.matches(&entry.path))
            && (wanted.has_generations() || !is_generation(&entry.path, |path| self.contains(path) || was_log(path)))
    }

    /// `{"files":[{"path","size","modified"}…]}`, newest first; with `"cut":true` if there were more names than are read.
    /// The list of all logs is made once for all clients. The choice of some may take long: `goes_on` is asked every few
    /// milliseconds, and `None` is returned if it says no.
    pub(in crate::server) fn json(
        self: Arc<List>,
        wanted: &ListParameters,
        mut goes_on: impl FnMut() -> bool,
    ) -> Option<Json> {
        if wanted.glob.is_none() && wanted.has_generations() {
            self.json.get_or_init(|| json(self.entries().iter(), self.is_cut()));
            return Some(Json::All(self));
        }
        let (mut chosen, mut begun) = (Vec::new(), Instant::now());
        for entry in self.entries() {
            if self.is_wanted(entry, wanted, |_| false) {
                chosen.push(entry);
            }
            if begun.elapsed() >= TURN {
                if !goes_on() {
                    return None;
                }
                begun = Instant::now();
            }
        }
        Some(Json::Some(json(chosen.into_iter(), self.is_cut())))
    }
}

impl Difference {
    fn find(earlier: &Arc<List>, later: &List) -> Difference {
        let (mut removed, mut added, mut one, mut two) = (Vec::new(), Vec::new(), 0, 0);
        while one < earlier.by_path.len() || two < later.by_path.len() {
            let order = match (one < earlier.by_path.len(), two < later.by_path.len()) {
                (true, true) => earlier.path(one).cmp(later.path(two)),
                (true, false) => Ordering::Less,
                _ => Ordering::Greater,
            };
            if order == Ordering::Less {
                removed.push(one);
            }
            if order == Ordering::Greater {
                added.push(two);
            }
            one += usize::from(order != Ordering::Greater);
            two += usize::from(order != Ordering::Less);
        }
        let first = if added.is_empty() { HashMap::new() } else { later.new_generations(earlier) };
        Difference { earlier: Arc::downgrade(earlier), removed, added, first }
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
    use crate::follow::position::Identity;
    use std::io::{ErrorKind, Read};

    fn list(paths: &[&str]) -> Arc<List> {
        list_of(&paths.iter().map(|path| (*path, 0, 0, None)).collect::<Vec<_>>())
    }

    /// Of files with a path, the time of the last write, a number, and the time of creation.
    fn list_of(files: &[(&str, u64, u64, Option<i64>)]) -> Arc<List> {
        let entry = |(path, modified, inode, born): &(&str, u64, u64, Option<i64>)| Entry {
            path: (*path).to_owned(),
            size: 1,
            modified: UNIX_EPOCH + Duration::from_secs(*modified),
            identity: Identity { device: 0, inode: *inode, born: *born },
        };
        Arc::new(List::new(Listing { entries: files.iter().map(entry).collect(), is_cut: false }, Duration::ZERO))
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
            let chosen = list.entries().iter().filter(|entry| list.is_wanted(entry, &wanted, |_| false));
            chosen.map(|entry| entry.path.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(paths("match=**"), "app.log nginx/a.log nginx/b.log.1");
        assert_eq!(paths("match=*&generations=1"), "app.log app.log.1");
        assert_eq!(paths("match=nginx/*"), "nginx/a.log nginx/b.log.1");
        assert_eq!(paths("match=app.log.1"), "");
        assert_eq!(paths("generations=0"), paths("match=**"));
        assert_eq!(paths("").split(' ').count(), 6);
        let wanted = ListParameters::parse("match=nginx/b*").unwrap();
        let entry = &list.entries()[4];
        assert!(list.is_wanted(entry, &wanted, |_| false), "{entry:?}");
        assert!(!list.is_wanted(entry, &wanted, |path| path == "nginx/b.log"), "in the midst of a rotation");
        let json = |query: &str| {
            let json = list.clone().json(&ListParameters::parse(query).unwrap(), || true);
            String::from_utf8(json.unwrap().as_bytes().to_vec()).unwrap()
        };
        assert_eq!(json("match=a*"), r#"{"files":[{"modified":0,"path":"app.log","size":1}]}"#);
        assert!(json("").contains("app.log.1"));
    }

    #[test]
    fn the_difference_of_two_lists_is_found_once() {
        let (one, two) = (list(&["b", "c", "a", "e"]), list(&["d", "f", "c", "a"]));
        let difference = two.difference(&one);
        let path = |list: &List, number: &usize| list.path(*number).to_owned();
        assert_eq!(difference.removed.iter().map(|number| path(&one, number)).collect::<String>(), "be");
        assert_eq!(difference.added.iter().map(|number| path(&two, number)).collect::<String>(), "df");
        assert!(Arc::ptr_eq(&difference, &two.difference(&one)));
        assert_eq!(two.difference(&list(&[])).added.len(), 4, "of a client that was slow");
    }

    #[test]
    fn a_choice_that_takes_long_can_be_given_up() {
        let paths: Vec<_> = (0..30_000).map(|number| format!("{number}{}", "a".repeat(250))).collect();
        let list = list(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let wanted = ListParameters::parse(&format!("match={}b", "*a".repeat(500))).unwrap();
        let mut turns = 0;
        let json = list.json(&wanted, || {
            turns += 1;
            turns < 3
        });
        assert!(json.is_none() && turns == 3, "{turns}");
    }

    #[test]
    fn a_new_log_begins_with_its_oldest_file() {
        let first = |earlier: &[_], later: &[_]| {
            let list = list_of(later);
            let found = list.new_generations(&list_of(earlier)).remove("app.log");
            found.map_or(String::new(), |place| list.entries()[place].path.clone())
        };
        let old = [("old.log", 1, 7, Some(1))];
        let new = |born| [("app.log", 3, 8, Some(3)), ("app.log.1", 2, 7, born)];
        assert_eq!(first(&old, &new(Some(2))), "app.log.1", "the number of a deleted file is given to the next one");
        assert_eq!(first(&old, &new(Some(1))), "", "the same file under another name");
        let at_once = |names: &[&'static str]| {
            let new: Vec<_> = names.iter().zip(8..).map(|(name, inode)| (*name, 2, inode, None)).collect();
            first(&old, &new)
        };
        assert_eq!(at_once(&["app.log", "app.log.1", "app.log.10", "app.log.9"]), "app.log.10");
        assert_eq!(at_once(&["app.log", "app.log-20261123", "app.log-20261124"]), "app.log-20261123");
        assert_eq!(at_once(&["app.log", "app.log.1", "app.log.2.gz"]), "app.log.2.gz");
    }

    #[test]
    fn changes_are_looked_for_every_second() {
        let list = list(&["a"]);
        assert_eq!(list.next_walk(), list.since + Duration::from_secs(1));
    }
}
