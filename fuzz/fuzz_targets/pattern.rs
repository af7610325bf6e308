//! Any text as a pattern, and any lines after it. A refusal is one line and names a place in the pattern; a line of ASCII
//! matches if it does with the crate `regex`.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use regex::bytes::RegexBuilder;
use wstail::protocol::criteria::{Case, Criteria};
use wstail::select::{Entries, Filter, Follows, Selector};

fuzz_target!(|text: &str| {
    let (pattern, lines) = text.split_once('\n').unwrap_or((text, ""));
    let mut criteria = Criteria::default();
    criteria.grep = vec![pattern.to_owned()];
    criteria.case = Case::Sensitive;
    let filter = match Filter::new(&criteria) {
        Ok(filter) => filter,
        Err(error) => {
            let reason = error.to_string();
            assert!(!reason.chars().any(char::is_control), "{reason:?}");
            return;
        }
    };
    let Ok(regex) = RegexBuilder::new(pattern).unicode(pattern.contains("(?u")).build() else { return };
    let filter = Arc::new(filter);
    for line in lines.lines().filter(|line| line.is_ascii() && !line.contains('\r')) {
        let block = format!("{line}\n");
        let found = Selector::new(filter.clone(), Entries::Lines).judge(block.as_bytes(), Follows::Generation).matches;
        assert_eq!(found == 1, regex.is_match(line.as_bytes()), "{pattern:?} and {line:?}");
    }
});
