//! The list of logs, as JSON: `GET /-/files`. However many clients ask at once, one of them walks the roots and the
//! others wait for its list. A list is given out for up to a second, and not updated meanwhile.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::json;

use crate::error::cause;
use crate::follow::listing::{Entry, Listing};
use crate::follow::root::Roots;
use crate::protocol::request::Parameters;
use crate::server::short_response::Refusal;
use crate::server::stream::transport::socket::StreamSocket;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait_beside};

/// How long a list is also given to other clients.
const FRESH: Duration = Duration::from_secs(1);
/// How long a client may wait for another one's walk, and how long once it has shut down its sending side: it may have
/// disconnected.
const PATIENCE: Duration = Duration::from_secs(10);
const HALF_CLOSED: Duration = Duration::from_secs(1);

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
    Known {
        list: Arc<str>,
        since: Instant,
    },
}

/// What a client does next.
enum Lookup<'l> {
    List(Arc<str>),
    Wait(Arc<UnixStream>),
    Walk(Walker<'l>),
}

/// The right to walk. Dropping it ends the walk, even after a panic, and then wakes the clients that wait.
struct Walker<'l> {
    lists: &'l Lists,
    list: Option<Arc<str>>,
    // Declared last, so that it is dropped last.
    _end: UnixStream,
}

impl Drop for Walker<'_> {
    fn drop(&mut self) {
        let known = self.list.take().map(|list| State::Known { list, since: Instant::now() });
        *self.lists.lock() = known.unwrap_or_default();
    }
}

impl Lists {
    /// The list, at most a second old. `None` if the client disconnected while it waited.
    ///
    /// # Errors
    /// 503 when the roots cannot be walked, another client's walk takes too long, or the server stops.
    pub(in crate::server) fn get(
        &self,
        roots: &Roots,
        tcp: &TcpStream,
        stream: &mut impl StreamSocket,
        shutdown: &Shutdown,
    ) -> Result<Option<Arc<str>>, Refusal> {
        let failed = |error: io::Error| Refusal::new(503, format!("cannot list the logs now: {}", cause(&error)));
        let mut interest = Interest { read: true, write: false };
        let mut until = Instant::now() + PATIENCE;
        loop {
            let walk = match self.look_up().map_err(failed)? {
                Lookup::List(list) => return Ok(Some(list)),
                Lookup::Walk(walk) => return walk.run(roots).map(Some).map_err(failed),
                Lookup::Wait(walk) => walk,
            };
            let ready = wait_beside(tcp.as_fd(), interest, Some(shutdown), Some(walk.as_fd()), Some(until));
            let ready = ready.map_err(failed)?;
            if ready.stop {
                return Err(Refusal::new(503, "the server is going away"));
            }
            if Instant::now() >= until {
                return Err(Refusal::new(503, "listing the logs took too long"));
            }
            stream.begin(ready);
            match stream.read(&mut [0; 256]) {
                // The client may have disconnected, or only have nothing more to send.
                Ok(0) if interest.read => {
                    interest.read = false;
                    until = until.min(Instant::now() + HALF_CLOSED);
                }
                Ok(0) => return Ok(None),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Ok(None),
                _ => {}
            }
        }
    }

    fn look_up(&self) -> io::Result<Lookup<'_>> {
        let mut state = self.lock();
        match &*state {
            State::Known { list, since } if since.elapsed() < FRESH => return Ok(Lookup::List(list.clone())),
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
    fn run(mut self, roots: &Roots) -> io::Result<Arc<str>> {
        let list: Arc<str> = json(&roots.list()?).into();
        self.list = Some(list.clone());
        Ok(list)
    }
}

/// Refuses parameters that the list does not have. `view` is accepted and has no effect.
pub(in crate::server) fn check(query: &str) -> Result<(), Refusal> {
    let names = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or(pair));
    if let Some(other) = names.into_iter().find(|name| *name != "view") {
        return Err(Refusal::new(400, format!("unknown parameter `{}` for the list of logs", other.escape_debug())));
    }
    Ok(Parameters::parse(query).map(|_| ())?)
}

/// `{"files":[{"path","size","modified"}…]}`, newest first; with `"cut":true` if there were more names than are read.
fn json(listing: &Listing) -> String {
    let files: Vec<_> = listing.entries.iter().map(file).collect();
    if listing.is_cut { json!({"files": files, "cut": true}) } else { json!({"files": files}) }.to_string()
}

fn file(entry: &Entry) -> serde_json::Value {
    let modified = entry.modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    json!({"path": entry.path, "size": entry.size, "modified": modified})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded_stream::BoundedStream;
    use std::io::Read;
    use std::net::{Shutdown as Side, TcpListener};

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
        walk.list = Some("[]".into());
        drop(walk);
        assert!(matches!(lists.look_up(), Ok(Lookup::List(list)) if &*list == "[]"));
    }

    #[test]
    fn a_client_that_may_have_disconnected_waits_for_a_second_at_most() {
        let (lists, directory) = (Lists::default(), tempfile::tempdir().unwrap());
        let roots = Roots::open([directory.path()], false).unwrap();
        let (_trigger, shutdown) = crate::shutdown::shutdown().unwrap();
        let _walk = lists.look_up();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.shutdown(Side::Write).unwrap();
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nonblocking(true).unwrap();
        let begun = Instant::now();
        let refusal = lists.get(&roots, &tcp, &mut BoundedStream::new(&tcp), &shutdown).unwrap_err();
        assert_eq!((refusal.status(), refusal.reason()), (503, "listing the logs took too long"));
        assert!((HALF_CLOSED..PATIENCE).contains(&begun.elapsed()));
    }
}
