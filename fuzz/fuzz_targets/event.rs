//! Any text as an event that a server sends: what is understood is written as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wstail::protocol::event::Event;

fuzz_target!(|text: &str| {
    let Some(mut event) = Event::parse(text) else { return };
    let written = event.to_string();
    let mut again = Event::parse(&written).expect("what is written can be read");
    if let (Event::Open { heartbeat: one, .. }, Event::Open { heartbeat: other, .. }) = (&mut event, &mut again) {
        // serde_json reads the last digit of a fraction as it likes.
        assert!((*one - *other).abs() <= one.abs() * 1e-15, "{written}");
        *other = *one;
    }
    assert_eq!(again, event, "{written}");
});
