//! Any text as a time in a request: a refusal names a place in the text; a time can be resolved.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wstail::select::stamp::Recogniser;
use wstail::select::when::{Clock, Until, When};
use wstail::select::zone::Zone;

fuzz_target!(|text: &str| {
    let recogniser = Recogniser::trained_on([]);
    let now = 1_800_000_000_000_000_000;
    let clock = Clock { now, written: now, zone: &Zone::utc() };
    match When::parse(text, &recogniser) {
        Ok(when) => assert!(when.since(&clock) <= when.until(&clock), "{when:?}"),
        Err(error) => {
            assert!(error.place <= text.chars().count(), "{error:?}");
            assert!(!error.to_string().chars().any(char::is_control), "{error}");
        }
    }
    if let Ok(until) = Until::parse(text, &recogniser) {
        let _ = (until.resolve(None, &clock), until.resolve(Some(now), &clock));
    }
});
