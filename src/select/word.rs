//! Words that every matching line holds. A search for a word runs at several gigabytes a second, so only the lines in
//! which one is found are judged.
//!
//! Which word is rare depends on the log, so it is chosen by counting in a sample. A table of letter frequencies chose
//! `ms from ` over `took=3`, and the search became twelve times slower.

use std::cmp::Reverse;
use std::ops::Range;

use memchr::memmem;
#[cfg(feature = "regex")]
use regex_syntax::hir::{Class, Hir, HirKind};

use super::case;

/// How many words may be searched for at once. The vector search takes no more.
const MAX_WORDS: usize = 64;

/// How many spellings of one piece of a pattern are tried: four letters whose case is ignored.
const MAX_SPELLINGS: usize = 16;

/// How many pieces of a sequence are counted in the sample, so that choosing takes a few milliseconds at most.
const MAX_PIECES: usize = 24;

/// What every line holds that a pattern matches.
#[derive(Clone, Debug)]
pub(super) enum Required {
    Word(Vec<u8>),
    /// Each of them.
    All(Vec<Required>),
    /// At least one of them.
    Any(Vec<Required>),
}

/// Finds the next place where a line may match.
#[derive(Debug)]
pub(super) enum Searcher {
    One(Box<memmem::Finder<'static>>),
    #[cfg(feature = "regex")]
    Many(Box<aho_corasick::packed::Searcher>),
}

/// The words to search for. A line that matches holds one of them.
struct Choice {
    words: Vec<Vec<u8>>,
    count: usize,
}

/// A sequence of characters, each with its spellings.
#[derive(Default)]
struct Sequence(Vec<Vec<Vec<u8>>>);

impl Required {
    pub(super) fn of_text(text: &str, ignore_case: bool) -> Required {
        let mut sequence = Sequence::default();
        for letter in text.chars() {
            let mut spellings = vec![letter];
            if ignore_case {
                case::other_cases(letter..=letter, |other| spellings.push(other));
            }
            sequence.push(spellings);
        }
        Required::All(sequence.pieces())
    }

    #[cfg(feature = "regex")]
    pub(super) fn of_expression(hir: &Hir) -> Required {
        let parts = match hir.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(hir),
        };
        let mut all = Vec::new();
        let mut sequence = Sequence::default();
        for part in parts {
            match part.kind() {
                HirKind::Literal(literal) => {
                    for chunk in literal.0.utf8_chunks() {
                        chunk.valid().chars().for_each(|letter| sequence.push(vec![letter]));
                        // The escape of a byte that is not UTF-8, or that byte. It may be either in the log.
                        if !chunk.invalid().is_empty() {
                            all.append(&mut std::mem::take(&mut sequence).pieces());
                        }
                    }
                    continue;
                }
                HirKind::Class(Class::Unicode(class)) => {
                    let letters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
                    let letters: Vec<char> = letters.take(MAX_SPELLINGS + 1).collect();
                    if letters.len() <= MAX_SPELLINGS {
                        sequence.push(letters);
                        continue;
                    }
                }
                HirKind::Empty | HirKind::Look(_) => continue,
                HirKind::Repetition(repetition) if repetition.min > 0 => {
                    all.push(Required::of_expression(&repetition.sub));
                }
                HirKind::Alternation(choices) => {
                    all.push(Required::Any(choices.iter().map(Required::of_expression).collect()));
                }
                HirKind::Class(_) | HirKind::Repetition(_) | HirKind::Capture(_) | HirKind::Concat(_) => (),
            }
            all.append(&mut std::mem::take(&mut sequence).pieces());
        }
        all.append(&mut sequence.pieces());
        Required::All(all)
    }

    /// Chooses the words that are the rarest in `sample`, the first bytes of a log. `None` if a search would not help.
    pub(super) fn searcher(&self, sample: &[u8]) -> Option<Searcher> {
        let mut count = |word: &[u8]| memmem::find_iter(sample, word).count();
        let choice = self.choose(&mut count)?;
        let lines = memchr::memchr_iter(b'\n', sample).count();
        if choice.count > lines.max(16) {
            return None;
        }
        Searcher::new(&choice.words)
    }

    fn choose(&self, count: &mut dyn FnMut(&[u8]) -> usize) -> Option<Choice> {
        match self {
            Required::Word(word) => Some(Choice { words: vec![word.clone()], count: count(word) }),
            Required::All(all) => {
                let choices = all.iter().filter_map(|required| required.choose(count));
                choices.min_by_key(|choice| {
                    let shortest = choice.words.iter().map(Vec::len).min();
                    (choice.count, choice.words.len(), Reverse(shortest))
                })
            }
            Required::Any(any) => {
                let mut sum = Choice { words: Vec::new(), count: 0 };
                for required in any {
                    let mut choice = required.choose(count)?;
                    sum.words.append(&mut choice.words);
                    sum.count += choice.count;
                    if sum.words.len() > MAX_WORDS {
                        return None;
                    }
                }
                (!sum.words.is_empty()).then_some(sum)
            }
        }
    }
}

impl Searcher {
    fn new(words: &[Vec<u8>]) -> Option<Searcher> {
        if let [word] = words {
            return Some(Searcher::One(Box::new(memmem::Finder::new(word).into_owned())));
        }
        Searcher::many(words)
    }

    /// `None` where the processor has no suitable vector instructions.
    #[cfg(feature = "regex")]
    fn many(words: &[Vec<u8>]) -> Option<Searcher> {
        let searcher = aho_corasick::packed::Searcher::new(words)?;
        Some(Searcher::Many(Box::new(searcher)))
    }

    #[cfg(not(feature = "regex"))]
    fn many(_: &[Vec<u8>]) -> Option<Searcher> {
        None
    }

    /// Where the next word begins.
    pub(super) fn find(&self, block: &[u8], range: Range<usize>) -> Option<usize> {
        match self {
            Searcher::One(finder) => finder.find(&block[range.clone()]).map(|index| range.start + index),
            #[cfg(feature = "regex")]
            Searcher::Many(searcher) => searcher.find_in(block, range.into()).map(|found| found.start()),
        }
    }
}

impl Sequence {
    fn push(&mut self, spellings: Vec<char>) {
        let mut spellings: Vec<_> = spellings.into_iter().map(|letter| letter.to_string().into_bytes()).collect();
        spellings.sort_unstable();
        spellings.dedup();
        self.0.push(spellings);
    }

    /// The words of the sequence: the stretches that are spelled in one way, and the longest ones of few spellings.
    fn pieces(self) -> Vec<Required> {
        let fixed = self.0.chunk_by(|left, right| left.len() == 1 && right.len() == 1);
        let fixed = fixed.filter(|letters| letters[0].len() == 1);
        let mut pieces: Vec<_> =
            fixed.map(|letters| Required::Word(letters.concat().concat())).take(MAX_PIECES).collect();
        let mut last_end = 0;
        for start in 0..self.0.len() {
            let mut end = start;
            let mut spellings = 1;
            while let Some(letters) = self.0.get(end).filter(|letters| spellings * letters.len() <= MAX_SPELLINGS) {
                spellings *= letters.len();
                end += 1;
            }
            if end > last_end && spellings > 1 && pieces.len() < 2 * MAX_PIECES {
                pieces.push(Required::Any(product(&self.0[start..end]).into_iter().map(Required::Word).collect()));
            }
            last_end = end.max(last_end);
        }
        pieces
    }
}

fn product(letters: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    letters.iter().fold(vec![Vec::new()], |words, spellings| {
        let longer = |word: &Vec<u8>| -> Vec<Vec<u8>> {
            spellings.iter().map(|spelling| [word.as_slice(), spelling].concat()).collect()
        };
        words.iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words chosen for a sample, sorted.
    fn chosen(required: &Required, sample: &str) -> Option<String> {
        let mut count = |word: &[u8]| memmem::find_iter(sample.as_bytes(), word).count();
        let mut words = required.choose(&mut count)?.words;
        words.sort_unstable();
        Some(words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_text_is_its_own_word() {
        assert_eq!(chosen(&Required::of_text("to be", false), "").unwrap(), "to be");
        assert_eq!(chosen(&Required::of_text("a\n", false), "").unwrap(), "a\n");
    }

    #[test]
    fn a_text_without_case_has_the_spellings_of_its_rarest_letters() {
        assert_eq!(chosen(&Required::of_text("ab", true), "").unwrap(), "AB Ab aB ab");
        assert_eq!(chosen(&Required::of_text("x1234", true), "").unwrap(), "1234");
        let words = chosen(&Required::of_text("abcdef", true), "abcd ABCD bcde").unwrap();
        assert!(words.contains("cdef") && !words.contains("abcd"), "{words}");
    }

    #[cfg(feature = "regex")]
    mod expressions {
        use super::*;
        use crate::protocol::criteria::Case;
        use crate::select::translate::translate;

        fn words(pattern: &str, sample: &str) -> Option<String> {
            chosen(&Required::of_expression(&translate(pattern, Case::Sensitive).unwrap().0), sample)
        }

        #[test]
        fn the_rarest_word_of_the_sample_is_chosen() {
            let pattern = "took=3[0-9]{3}ms from .* status=500";
            assert_eq!(words(pattern, &"took=1ms from status=500 ".repeat(2)).unwrap(), "took=3");
            assert_eq!(words(pattern, "took=3ms from x status=200").unwrap(), " status=500");
        }

        #[test]
        fn every_branch_has_a_word() {
            assert_eq!(words("ERROR|FATAL", "").unwrap(), "ERROR FATAL");
            assert_eq!(words("(ab+c|d[^x]e)+", "a").unwrap(), "b d");
            assert_eq!(words("ERROR|.*", ""), None);
            assert_eq!(words("a*", ""), None);
        }

        #[test]
        fn bytes_that_are_not_utf_8_are_not_searched_for() {
            assert_eq!(words(r"a\xFFbc\xE6", "").unwrap(), "bc");
            assert_eq!(words(r"\xC3\xA9", ""), None);
        }
    }
}
