//! The other cases of a letter, from the standard library's tables.
//!
//! Only letters that differ by nothing but their case belong together, and only where one letter stands for one: `ß` has
//! `ẞ`, but not `SS`. Letters of ASCII have only each other, so that the Kelvin sign is not a `k`.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// No letter after this one has another case. A test checks it.
const LAST: char = '\u{1e943}';

/// A letter that all cases of `letter` share: the lower-case one, as a rule.
pub(super) fn folded(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let upper = single(letter.to_uppercase()).unwrap_or(letter);
    single(upper.to_lowercase()).unwrap_or(upper)
}

/// Calls `each` with every letter that is another case of one in `range`, and perhaps with some of `range` itself.
pub(super) fn other_cases(range: RangeInclusive<char>, mut each: impl FnMut(char)) {
    for letter in 'a'..='z' {
        let upper = letter.to_ascii_uppercase();
        if range.contains(&letter) || range.contains(&upper) {
            each(letter);
            each(upper);
        }
    }
    if range.end().is_ascii() {
        return;
    }
    let same = |one: &(char, char), other: &(char, char)| one.0 == other.0;
    for group in table().chunk_by(same) {
        if group.iter().any(|(_, letter)| range.contains(letter)) {
            group.iter().for_each(|&(_, letter)| each(letter));
        }
    }
}

/// Appends `line` to `out` with every letter folded. Bytes that are not UTF-8 stay as they are.
pub(super) fn fold(line: &[u8], out: &mut Vec<u8>) {
    for chunk in line.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let mut buffer = [0; 4];
            out.extend_from_slice(folded(letter).encode_utf8(&mut buffer).as_bytes());
        }
        out.extend_from_slice(chunk.invalid());
    }
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|letter| letters.next().is_none() && !letter.is_ascii())
}

/// The letters beyond ASCII that have another case, each after what it is folded to. Sorted.
fn table() -> &'static [(char, char)] {
    static TABLE: OnceLock<Vec<(char, char)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<_> = ('\u{80}'..=LAST).filter(|&letter| folded(letter) != letter).collect::<Vec<_>>();
        table.extend(table.iter().map(|&letter| folded(letter)).collect::<Vec<_>>());
        table.sort_unstable();
        table.dedup();
        let mut table: Vec<_> = table.into_iter().map(|letter| (folded(letter), letter)).collect();
        table.sort_unstable();
        table.shrink_to_fit();
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(letter: char) -> String {
        let mut cases = vec![letter];
        other_cases(letter..=letter, |other| cases.push(other));
        cases.sort_unstable();
        cases.dedup();
        cases.into_iter().collect()
    }

    #[test]
    fn a_letter_has_its_other_case() {
        for expected in ["Ee", "Éé", "Ёё", "ßẞ", "Σςσ", "µΜμ", "Ǆǅǆ", "\u{212a}", "ſ", "İ", "ı", "1", "水", "Ꭰꭰ", "𞤀𞤢"]
        {
            for letter in expected.chars() {
                assert_eq!(cases(letter), expected, "{letter}");
            }
        }
    }

    #[test]
    fn every_case_folds_to_the_same_letter() {
        for letter in ('\0'..=char::MAX).filter(|letter| letter.is_alphabetic()) {
            let folded = folded(letter);
            assert_eq!(folded, super::folded(folded), "{letter}");
            assert!(folded == letter || letter <= LAST, "{letter:?}");
        }
    }

    #[test]
    fn folding_keeps_invalid_bytes() {
        let mut out = Vec::new();
        fold(b"\xffA\xc3\x89\xc3B\0", &mut out);
        assert_eq!(out, b"\xffa\xc3\xa9\xc3b\0");
    }
}
