//! The routes to logs. A route is watched in each of its directories for the name that is looked up there: a new file,
//! directory or link with that name leads the route elsewhere. Readers of the same log share its route, and all routes
//! share the watches on directories, one for each directory.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use super::waker::Waker;
use crate::follow::arrivals::{Arrival, Count};
use crate::follow::confinement::ANY_NAME;
use crate::rotated_name::is_archive_of;

/// All routes that readers wait on. Directories are identified by their watch descriptors.
#[derive(Debug, Default)]
pub(super) struct Routes {
    directories: HashMap<i32, HashMap<Box<[u8]>, Name>>,
    routes: HashMap<RouteId, Route>,
    last: u32,
    last_name: u32,
    /// How many times events were lost.
    overflows: u32,
}

/// A name that is looked up in a directory on some route.
#[derive(Debug, Default)]
struct Name {
    /// A new number each time the name starts to be watched.
    id: u32,
    routes: Vec<RouteId>,
    /// How many files were given the name since it is watched.
    arrivals: u32,
    /// The last files that lost the name, oldest first.
    departed: VecDeque<Departed>,
}

/// A file that was renamed or deleted: its number among the files that had the watched name, and where it is now.
#[derive(Debug)]
struct Departed {
    number: u32,
    now: Now,
    /// The file beside it that it is being compressed to.
    archive: Option<Box<[u8]>>,
    /// It lost the watched name to a rename, not a deletion, whatever happened to it later.
    was_renamed: bool,
}

/// Where a file is that had the watched name.
#[derive(Debug, PartialEq)]
enum Now {
    /// It has this name in the same directory, or the archive has it to which it was compressed.
    Named(Box<[u8]>),
    /// It was moved to another directory, or is about to be given another name in this one. The cookie is its rename's.
    Moved(u32),
    /// Another file was moved to its name.
    Replaced,
    Deleted,
}

/// How many departed files are remembered for each name.
const DEPARTED: usize = 32;

impl Name {
    /// A file in the directory lost `name`: it was renamed, moved to another directory, or deleted.
    fn leave(&mut self, own: &[u8], name: &[u8], cookie: u32) {
        if name == own {
            if self.departed.len() == DEPARTED {
                self.departed.pop_front();
            }
            self.departed.push_back(Departed {
                number: self.arrivals,
                now: Now::after(cookie),
                archive: None,
                was_renamed: cookie != 0,
            });
        }
        for departed in &mut self.departed {
            if departed.archive.as_deref() == Some(name) {
                departed.archive = None;
            }
            if departed.is_named(name) {
                departed.now = match departed.archive.take() {
                    Some(archive) if cookie == 0 => Now::Named(archive),
                    _ => Now::after(cookie),
                };
            }
        }
    }

    /// A file in the directory was given `name`, perhaps replacing another file.
    fn arrive(&mut self, own: &[u8], name: &[u8], cookie: u32) {
        if name == own {
            self.arrivals = self.arrivals.wrapping_add(1);
        }
        for departed in &mut self.departed {
            if departed.is_named(name) {
                departed.now = Now::Replaced;
            }
            if departed.now == Now::Moved(cookie) {
                departed.now = Now::Named(name.into());
            }
            if let Now::Named(now) = &departed.now
                && is_archive_of(name, now)
            {
                departed.archive = Some(name.into());
            }
        }
    }
}

impl Departed {
    fn is_named(&self, name: &[u8]) -> bool {
        matches!(&self.now, Now::Named(now) if **now == *name)
    }
}

impl Now {
    /// After a rename with that cookie, or, if it is 0, after a deletion.
    fn after(cookie: u32) -> Now {
        if cookie == 0 { Now::Deleted } else { Now::Moved(cookie) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RouteId(u32);

/// In place of a name: only changes to the directory itself matter.
pub(super) const ITSELF: &[u8] = b"";

#[derive(Debug, Default)]
struct Route {
    /// Each directory, with the name that is looked up in it.
    steps: Vec<(i32, Box<[u8]>)>,
    wakers: Vec<Arc<Waker>>,
    /// One of the names has changed since the route was followed: it may lead elsewhere by now.
    is_stale: bool,
    /// Every change is reported: the route was followed as far as it exists, and all its directories are on local file
    /// systems.
    is_covered: bool,
}

impl Routes {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Begins a route that has no steps yet, and no reader until [`Routes::enter`].
    pub(super) fn begin(&mut self) -> RouteId {
        self.last = self.last.wrapping_add(1);
        while self.routes.contains_key(&RouteId(self.last)) {
            self.last = self.last.wrapping_add(1);
        }
        let id = RouteId(self.last);
        self.routes.insert(id, Route { is_covered: true, ..Route::default() });
        id
    }

    /// Adds a step. Call this before the name is looked up, so that no change to it is missed.
    pub(super) fn push(&mut self, id: RouteId, directory: i32, name: &[u8], is_local: bool) {
        let Some(route) = self.routes.get_mut(&id) else { return };
        route.is_covered &= is_local;
        let step = (directory, Box::from(name));
        if !route.steps.contains(&step) {
            let names = self.directories.entry(directory).or_default();
            let last = &mut self.last_name;
            let name = names.entry(step.1.clone()).or_insert_with(|| {
                *last = last.wrapping_add(1);
                Name { id: *last, ..Name::default() }
            });
            name.routes.push(id);
            route.steps.push(step);
        }
    }

    /// The route could not be followed to its end.
    pub(super) fn uncover(&mut self, id: RouteId) {
        if let Some(route) = self.routes.get_mut(&id) {
            route.is_covered = false;
        }
    }

    /// Adds a reader to the route that was just followed. If other readers wait on the same route, it joins them.
    /// Returns the route's id, and the watches that are not needed any more.
    pub(super) fn enter(&mut self, id: RouteId, waker: &Arc<Waker>) -> (RouteId, Vec<i32>) {
        let Some(route) = self.routes.get(&id) else { return (id, Vec::new()) };
        let last = route.steps.last().and_then(|(directory, name)| self.directories.get(directory)?.get(name));
        let is_same = |other: &&RouteId| **other != id && self.routes[*other].steps == route.steps;
        let same = last.and_then(|name| name.routes.iter().find(is_same)).copied();
        let (shared, is_stale, is_covered) = (same.unwrap_or(id), route.is_stale, route.is_covered);
        if let Some(route) = self.routes.get_mut(&shared) {
            // If the shared route had changed since this one was begun, this one would be stale, too.
            (route.is_stale, route.is_covered) = (is_stale, is_covered);
            route.wakers.push(waker.clone());
        }
        (shared, if same.is_some() { self.remove(id) } else { Vec::new() })
    }

    /// Removes a reader. Returns the watches that are not needed any more.
    pub(super) fn leave(&mut self, id: RouteId, waker: &Arc<Waker>) -> Vec<i32> {
        let Some(route) = self.routes.get_mut(&id) else { return Vec::new() };
        if let Some(place) = route.wakers.iter().position(|other| Arc::ptr_eq(other, waker)) {
            route.wakers.swap_remove(place);
        }
        if route.wakers.is_empty() { self.remove(id) } else { Vec::new() }
    }

    /// Removes a route. Returns the watches that are not needed any more.
    pub(super) fn remove(&mut self, id: RouteId) -> Vec<i32> {
        let steps = self.routes.remove(&id).map(|route| route.steps).unwrap_or_default();
        let mut unused = Vec::new();
        for (directory, name) in steps {
            let Some(names) = self.directories.get_mut(&directory) else { continue };
            if let Some(watched) = names.get_mut(&name) {
                watched.routes.retain(|route| *route != id);
                if watched.routes.is_empty() {
                    names.remove(&name);
                }
            }
            if names.is_empty() {
                self.directories.remove(&directory);
                unused.push(directory);
            }
        }
        unused
    }

    /// Whether no change to the route was reported since it was followed.
    pub(super) fn is_current(&self, id: RouteId) -> bool {
        self.routes.get(&id).is_some_and(|route| !route.is_stale)
    }

    /// Whether everything that can happen to the route will be reported.
    pub(super) fn is_covered(&self, id: RouteId) -> bool {
        self.is_current(id) && self.routes[&id].is_covered
    }

    /// A name in a directory has changed, or if there is no name, the directory itself.
    pub(super) fn report(&mut self, directory: i32, name: Option<&[u8]>) {
        let Some(names) = self.directories.get(&directory) else { return };
        let is_concerned = |other: &[u8]| name.is_none_or(|name| name == other || other == ANY_NAME);
        let concerned = names.iter().filter(|(other, _)| is_concerned(other));
        for id in concerned.flat_map(|(_, name)| &name.routes) {
            self.routes.get_mut(id).expect("routes are removed with their steps").wake();
        }
    }

    /// A file in a directory was given a name, or lost it.
    pub(super) fn note(&mut self, directory: i32, name: &[u8], arrives: bool, cookie: u32) {
        for (own, watched) in self.directories.get_mut(&directory).into_iter().flatten() {
            if arrives { watched.arrive(own, name, cookie) } else { watched.leave(own, name, cookie) }
        }
    }

    /// What became of the files after number `since` that were given the name at the end of the route and lost it
    /// again.
    pub(super) fn departed(&self, id: RouteId, since: u32) -> Option<Vec<Arrival>> {
        let (directory, name) = self.routes.get(&id)?.steps.last()?;
        let name = self.directories.get(directory)?.get(name)?;
        let find = |number| name.departed.iter().find(|departed| departed.number == number);
        let now = |number| match find(number).map(|departed| &departed.now) {
            Some(Now::Named(name)) => Arrival::Named(OsString::from_vec(name.to_vec())),
            Some(Now::Deleted) => Arrival::Deleted,
            Some(Now::Moved(_)) => Arrival::Moved,
            // A file is not reported to have lost a name to which another one is moved.
            Some(Now::Replaced) | None => Arrival::Replaced,
        };
        Some((since + 1..name.arrivals).map(now).collect())
    }

    /// Whether the file with that number lost the name to a rename.
    pub(super) fn was_renamed(&self, id: RouteId, number: u32) -> bool {
        let name = self.routes.get(&id).and_then(|route| {
            let (directory, name) = route.steps.last()?;
            self.directories.get(directory)?.get(name)
        });
        let departed = name.map(|name| &name.departed);
        departed.into_iter().flatten().any(|departed| departed.number == number && departed.was_renamed)
    }

    /// How many files were given the name at the end of the route, if every change is reported. Two counts can be
    /// compared only if their first numbers are equal.
    pub(super) fn arrivals(&self, id: RouteId) -> Option<Count> {
        let route = self.routes.get(&id).filter(|route| route.is_covered)?;
        let (directory, name) = route.steps.last()?;
        let name = self.directories.get(directory)?.get(name)?;
        Some((u64::from(self.overflows) << 32 | u64::from(name.id), name.arrivals))
    }

    /// Events were lost.
    pub(super) fn overflow(&mut self) {
        self.overflows = self.overflows.wrapping_add(1);
        self.wake_all();
    }

    /// A directory is no longer watched.
    pub(super) fn forget(&mut self, directory: i32) {
        self.report(directory, None);
        self.directories.remove(&directory);
    }

    /// Anything may have happened.
    pub(super) fn wake_all(&mut self) {
        self.routes.values_mut().for_each(Route::wake);
    }
}

impl Route {
    fn wake(&mut self) {
        self.is_stale = true;
        self.wakers.iter().for_each(|waker| waker.wake());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A route through two directories, with one reader.
    fn enter(routes: &mut Routes, meanwhile: impl FnOnce(&mut Routes)) -> (RouteId, Vec<i32>, Arc<Waker>) {
        let (id, waker) = (routes.begin(), Arc::new(Waker::new().unwrap()));
        routes.push(id, 1, b"sub", true);
        meanwhile(routes);
        routes.push(id, 2, b"log", true);
        let (id, unused) = routes.enter(id, &waker);
        (id, unused, waker)
    }

    #[test]
    fn readers_of_the_same_log_share_their_route() {
        let mut routes = Routes::default();
        let (one, _, first) = enter(&mut routes, |_| {});
        let (other, unused, second) = enter(&mut routes, |_| {});
        assert_eq!((one, routes.routes.len(), unused), (other, 1, vec![]));
        assert!(routes.leave(one, &first).is_empty());
        assert_eq!(routes.leave(one, &second), [1, 2]);
        assert!(routes.is_empty() && routes.directories.is_empty());
    }

    #[test]
    fn a_route_is_stale_from_a_change_of_a_name_on_it_until_it_is_followed_again() {
        let mut routes = Routes::default();
        let (id, ..) = enter(&mut routes, |_| {});
        routes.report(1, Some(b"other"));
        assert!(routes.is_covered(id));
        routes.report(1, Some(b"sub"));
        assert!(!routes.is_current(id));
        let (again, ..) = enter(&mut routes, |_| {});
        assert!(id == again && routes.is_covered(id));
        enter(&mut routes, |routes| routes.report(1, Some(b"sub")));
        assert!(!routes.is_current(id), "it was changed while it was followed");
    }

    #[test]
    fn a_file_that_is_compressed_is_called_as_its_archive_is() {
        let mut routes = Routes::default();
        let (id, ..) = enter(&mut routes, |_| {});
        let now = |routes: &Routes| routes.departed(id, 0).unwrap().remove(0);
        let named = |name: &str| Arrival::Named(name.into());
        routes.note(2, b"log", true, 0);
        routes.note(2, b"log", false, 7);
        routes.note(2, b"log.1", true, 7);
        routes.note(2, b"log", true, 0);
        routes.note(2, b"log.1.gz", true, 0);
        assert_eq!(now(&routes), named("log.1"));
        routes.note(2, b"log.1", false, 0);
        assert_eq!(now(&routes), named("log.1.gz"));
        routes.note(2, b"log.1.gz", false, 8);
        routes.note(2, b"log.2.gz", true, 8);
        assert_eq!(now(&routes), named("log.2.gz"));
        routes.note(2, b"log.2.gz", false, 0);
        assert_eq!(now(&routes), Arrival::Deleted);
    }

    #[test]
    fn a_directory_that_is_gone_makes_its_routes_stale_and_is_not_removed_twice() {
        let mut routes = Routes::default();
        let (id, _, waker) = enter(&mut routes, |_| {});
        routes.forget(2);
        assert!(!routes.is_current(id));
        assert_eq!(routes.leave(id, &waker), [1]);
    }
}
