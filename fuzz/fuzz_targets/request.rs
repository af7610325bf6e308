//! Any bytes as a request head: its answer does not depend on what follows it, and its address holds no way out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wstail::protocol::address::Address;
use wstail::server::parse_head;

fuzz_target!(|bytes: &[u8]| {
    let Some((target, length)) = parse_head(bytes) else { return };
    assert_eq!(parse_head(&bytes[..length]), Some((target.clone(), length)), "what follows a head is no part of it");
    assert!(target.starts_with('/'), "{target:?}");
    let path = target.split_once('?').map_or(&target[..], |(path, _)| path);
    if let Ok(address) = Address::parse(path) {
        for segment in address.segments() {
            assert!(!matches!(&segment[..], b"" | b"." | b".."), "{segment:?}");
            assert!(segment.iter().all(|&byte| byte >= 0x20 && byte != b'/'), "{segment:?}");
        }
    }
});
