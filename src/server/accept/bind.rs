//! Resolves host names and binds the sockets to listen on. It does not accept connections.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};

use rustix::net::{bind, listen, sockopt};

use crate::error::{Error, Result, cause};
use crate::socket;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How many ports to try: the port that the system picks for the first address may be in use on another.
const PORTS: usize = 16;

/// The listening sockets and their addresses.
#[derive(Debug, Default)]
pub(in crate::server) struct ListeningSockets {
    pub sockets: Vec<TcpListener>,
    pub addresses: Vec<SocketAddr>,
    skipped: Vec<Failure>,
}

#[derive(Debug)]
struct Failure {
    place: String,
    error: io::Error,
}

/// Binds the addresses of every host. An address must be bindable; of the addresses of a name, at least one must be,
/// and the others are skipped. With port 0, all sockets get the port that the system picks for the first one.
///
/// # Errors
/// When a host cannot be resolved or bound.
pub(in crate::server) fn bind_hosts(hosts: &[String], port: u16) -> Result<ListeningSockets> {
    let is_taken = |failure: &Failure| port == 0 && failure.error.kind() == ErrorKind::AddrInUse;
    let mut tries = (0..PORTS).map(|_| bind_all(hosts, port));
    let last = tries.find(|bound| !bound.as_ref().is_err_and(is_taken));
    let bound = last.unwrap_or_else(|| bind_all(hosts, port));
    let bound = bound.map_err(|Failure { place, error }| Error::io(format!("cannot listen on {place}"), error))?;
    for Failure { place, error } in &bound.skipped {
        log::warn!("cannot listen on {place}: {}; listening on the other addresses of that name", cause(error));
    }
    Ok(bound)
}

fn bind_all(hosts: &[String], port: u16) -> Result<ListeningSockets, Failure> {
    let mut bound = ListeningSockets::default();
    for host in hosts {
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let failed = |error| Failure { place: host.clone(), error };
        let addresses: Vec<_> = (name, port).to_socket_addrs().map_err(failed)?.collect();
        if addresses.is_empty() {
            return Err(failed(io::Error::other("the name has no address")));
        }
        bound.add(&addresses, name.parse::<IpAddr>().is_err())?;
    }
    Ok(bound)
}

impl ListeningSockets {
    /// Binds the addresses of one host. With `is_name`, addresses that cannot be bound are skipped, as long as one can.
    fn add(&mut self, addresses: &[SocketAddr], is_name: bool) -> Result<(), Failure> {
        let mut failures = Vec::new();
        for &asked in addresses {
            if self.addresses.iter().any(|known| known.ip() == asked.ip()) {
                continue;
            }
            let picked = self.addresses.first().map(SocketAddr::port).filter(|_| asked.port() == 0);
            let address = SocketAddr::from((asked.ip(), picked.unwrap_or(asked.port())));
            match open(with_scope(address, asked)).and_then(|socket| Ok((socket.local_addr()?, socket))) {
                Ok((address, socket)) => {
                    self.addresses.push(address);
                    self.sockets.push(socket);
                }
                Err(error) => {
                    let is_taken = picked.is_some() && error.kind() == ErrorKind::AddrInUse;
                    let failure = Failure { place: address.to_string(), error };
                    if !is_name || is_taken {
                        return Err(failure);
                    }
                    failures.push(failure);
                }
            }
        }
        if failures.len() == addresses.len() {
            return Err(failures.swap_remove(0));
        }
        self.skipped.append(&mut failures);
        Ok(())
    }
}

/// The address, with the zone of `other`.
fn with_scope(mut address: SocketAddr, other: SocketAddr) -> SocketAddr {
    if let (SocketAddr::V6(address), SocketAddr::V6(other)) = (&mut address, other) {
        address.set_scope_id(other.scope_id());
    }
    address
}

/// With the address `::`, one socket serves IPv4 and IPv6, whatever the system's default is.
fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket::open(&address)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_name_listens_on_those_of_its_addresses_that_can_be_bound_with_one_port() {
        // 203.0.113.0/24 is for documentation: no machine has such an address.
        let mut bound = ListeningSockets::default();
        bound.add(&addresses(&["203.0.113.77:0", "127.0.0.1:0", "127.0.0.2:0", "127.0.0.1:0"]), true).unwrap();
        assert_eq!((bound.addresses.len(), bound.skipped.len()), (2, 1));
        assert_eq!(bound.addresses[0].port(), bound.addresses[1].port());
        let port = bound.addresses[0].port();
        let taken = addresses(&[&format!("127.0.0.1:{port}"), &format!("127.0.0.3:{port}")]);
        let mut other = ListeningSockets::default();
        other.add(&taken, true).unwrap();
        assert_eq!(other.addresses, taken[1..]);
    }

    #[test]
    fn a_name_of_which_nothing_can_be_bound_and_an_address_that_cannot_be_fail() {
        let mut bound = ListeningSockets::default();
        assert_eq!(
            bound.add(&addresses(&["203.0.113.77:0", "203.0.113.78:0"]), true).unwrap_err().place,
            "203.0.113.77:0"
        );
        assert!(bound.add(&addresses(&["203.0.113.77:0"]), false).is_err());
        assert!(bound.addresses.is_empty() && bound.sockets.is_empty());
    }

    #[test]
    fn localhost_listens_on_ipv4_if_ipv6_is_taken() {
        let mut picked = std::iter::repeat_with(|| TcpListener::bind("[::1]:0").unwrap());
        let port = |taken: &TcpListener| taken.local_addr().unwrap().port();
        // Others may use that port with IPv4.
        let taken = picked.find(|taken| TcpListener::bind(("127.0.0.1", port(taken))).is_ok()).unwrap();
        let port = port(&taken);
        assert_eq!(
            bind_hosts(&["localhost".to_owned()], port).unwrap().addresses,
            addresses(&[&format!("127.0.0.1:{port}")])
        );
        assert!(bind_hosts(&["::1".to_owned()], port).is_err());
    }

    #[test]
    fn a_picked_port_that_is_in_use_at_another_address_is_not_kept() {
        let mut bound = ListeningSockets::default();
        bound.add(&addresses(&["127.0.0.1:0"]), true).unwrap();
        let port = bound.addresses[0].port();
        let _taken = TcpListener::bind(("127.0.0.2", port)).unwrap();
        let failure = bound.add(&addresses(&["127.0.0.2:0"]), true).unwrap_err();
        assert_eq!((failure.place, failure.error.kind()), (format!("127.0.0.2:{port}"), ErrorKind::AddrInUse));
        let hosts = ["127.0.0.1", "127.0.0.2"].map(str::to_owned);
        assert_eq!(bind_hosts(&hosts, 0).unwrap().addresses.len(), 2);
    }
}
