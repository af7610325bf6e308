//! Any text as a cursor and a place: what is understood is written as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wstail::follow::position::Position;
use wstail::protocol::cursor::Place;

fuzz_target!(|text: &str| {
    let Ok(place) = text.parse::<Place>() else { return };
    assert_eq!(place.to_string().parse(), Ok(place.clone()));
    if let Some(position) = Position::parse(&place.cursor) {
        assert_eq!(position.cursor(), place.cursor);
        let _ = (position.is_bare(), position.start(0));
    }
});
