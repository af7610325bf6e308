//! Any text as a query: what was refused is said in one line without control characters.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wstail::protocol::request::Parameters;

fuzz_target!(|query: &str| {
    match Parameters::parse(query) {
        Ok(read) => {
            let again = format!("{query}&");
            assert_eq!(Parameters::parse(&again), Ok(read), "an empty pair says nothing");
        }
        Err(bad) => {
            let reason = bad.to_string();
            assert!(!reason.is_empty() && !reason.chars().any(char::is_control), "{reason:?}");
        }
    }
});
