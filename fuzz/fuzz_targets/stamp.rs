//! Any lines: a time is found within the line and has readings, whatever the other lines are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wstail::select::stamp::Recogniser;
use wstail::select::zone::Zone;

fuzz_target!(|text: &[u8]| {
    let lines = || text.split_inclusive(|&byte| byte == b'\n');
    let recogniser = Recogniser::trained_on(lines());
    for line in lines() {
        let Some(stamp) = recogniser.find(line) else { continue };
        assert!(stamp.start < stamp.end && stamp.end <= line.len(), "{stamp:?}");
        let readings = stamp.resolve(&Zone::utc(), 1_800_000_000_000_000_000);
        assert!(readings.earliest <= readings.latest, "{readings:?}");
    }
});
