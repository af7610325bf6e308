//! Any filter on any lines: what is selected does not depend on how the lines are cut into blocks.

#![no_main]

use std::num::NonZeroU64;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use wstail::protocol::criteria::{Context, Criteria};
use wstail::select::{Entries, Filter, Follows, Piece, Selector};

fuzz_target!(|input: (&str, &str, u8, u8, u8, Vec<u8>, &[u8])| {
    let (grep, exclude, before, after, max, cuts, text) = input;
    let mut criteria = Criteria::default();
    criteria.grep = grep.lines().take(3).map(str::to_owned).collect();
    criteria.exclude = exclude.lines().take(3).map(str::to_owned).collect();
    criteria.context = Context::Lines { before: u32::from(before % 8), after: u32::from(after % 8) };
    criteria.max = NonZeroU64::new(u64::from(max % 8));
    let Ok(filter) = Filter::new(&criteria) else { return };
    let filter = Arc::new(filter);
    let whole = selected(&filter, text, &[]);
    assert_eq!(selected(&filter, text, &cuts), whole, "cut after so many bytes in turn: {cuts:?}");
});

/// The lines that are selected if so many bytes in turn are added to what is judged.
fn selected(filter: &Arc<Filter>, text: &[u8], cuts: &[u8]) -> Vec<u8> {
    let mut selector = Selector::new(filter.clone(), Entries::Lines);
    let (mut start, mut end, mut selected) = (0, 0, Vec::new());
    let mut cuts = cuts.iter();
    loop {
        end = cuts.next().map_or(text.len(), |&more| text.len().min(end + usize::from(more) + 1));
        let follows = if end == text.len() { Follows::Generation } else { Follows::Open };
        let block = &text[start..end];
        let judged = selector.judge(block, follows);
        for piece in &judged.pieces {
            match piece {
                Piece::Lines(lines) => selected.extend_from_slice(&block[lines.clone()]),
                Piece::Skip(_) => {}
            }
        }
        start += judged.used;
        if judged.is_done || end == text.len() {
            return selected;
        }
    }
}
