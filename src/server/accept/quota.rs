//! Counts the connections from each address, and says whether there may be one more. It does not refuse anyone itself.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Counts connections by address. IPv6 addresses count by their first 64 bits, because one customer usually has all the
/// rest.
#[derive(Debug)]
pub(in crate::server) struct Quota {
    limit: Option<usize>,
    counts: HashMap<IpAddr, usize>,
}

impl Quota {
    pub(in crate::server) fn new(limit: Option<usize>) -> Quota {
        Quota { limit, counts: HashMap::new() }
    }

    pub(in crate::server) fn has_room(&self, address: IpAddr) -> bool {
        let count = self.counts.get(&network(address)).copied().unwrap_or(0);
        self.limit.is_none_or(|limit| count < limit)
    }

    pub(in crate::server) fn enter(&mut self, address: IpAddr) {
        if self.limit.is_some() {
            *self.counts.entry(network(address)).or_default() += 1;
        }
    }

    pub(in crate::server) fn leave(&mut self, address: IpAddr) {
        let network = network(address);
        if let Some(count) = self.counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&network);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = u128::MAX << 64;
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_share_and_gives_it_back() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut quota = Quota::new(Some(2));
        quota.enter(ip("10.0.0.1"));
        quota.enter(ip("::ffff:10.0.0.1"));
        assert!(!quota.has_room(ip("10.0.0.1")) && quota.has_room(ip("10.0.0.2")));
        quota.enter(ip("2001:db8:0:1::1"));
        quota.enter(ip("2001:db8:0:1:ffff::2"));
        assert!(!quota.has_room(ip("2001:db8:0:1::3")) && quota.has_room(ip("2001:db8:0:2::3")));
        quota.leave(ip("10.0.0.1"));
        assert!(quota.has_room(ip("10.0.0.1")));
        for address in ["10.0.0.1", "2001:db8:0:1::1", "2001:db8:0:1::1"] {
            quota.leave(ip(address));
        }
        assert!(quota.counts.is_empty());
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let mut quota = Quota::new(None);
        quota.enter(IpAddr::from([1, 2, 3, 4]));
        assert!(quota.has_room(IpAddr::from([1, 2, 3, 4])) && quota.counts.is_empty());
    }
}
