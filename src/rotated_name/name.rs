//! What the name of a rotated file says: that it belongs to a log, and where it stands among its like. Pure.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A name that a rotation may have given to a file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotated {
    /// The name without its numbers. Only names of one template can be ordered.
    template: Vec<u8>,
    pub stamp: NameStamp,
    /// The name ends as those of compressed files do.
    pub is_compressed: bool,
}

/// The name of a log whose files have names of their own: each is `before` and `after`, with a number or date between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatedName<'n> {
    before: &'n [u8],
    after: &'n [u8],
}

/// What orders the names of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NameStamp {
    /// `old`, `bak`, `~`: there is one such file, and it is replaced by the next.
    Word,
    /// A counter.
    Number {
        number: u64,
        /// `app.log.1`: all tools that name files like this count backwards.
        counts_back: bool,
    },
    /// Year, month, day, and the numbers that follow; or seconds since the epoch.
    Date(Vec<u64>),
}

/// The endings of compressed files, which stand behind a rotated name.
pub(super) const COMPRESSED: [&str; 4] = [".gz", ".xz", ".zst", ".bz2"];

/// Whether a file of that name may be what another one was compressed to.
pub(crate) fn is_archive_of(archive: &[u8], name: &[u8]) -> bool {
    archive.strip_prefix(name).is_some_and(|end| COMPRESSED.iter().any(|known| known.as_bytes() == end))
}
const WORDS: [&[u8]; 4] = [b"old", b"bak", b"prev", b"save"];

/// What stands in a log's name for the number or date of its files: `access_{date}.log`.
const DATE: &[u8] = b"{date}";

impl<'n> DatedName<'n> {
    /// `None` for the name of a single file.
    pub fn of(log: &'n [u8]) -> Option<DatedName<'n>> {
        let at = memchr::memmem::find(log, DATE)?;
        Some(DatedName { before: &log[..at], after: &log[at + DATE.len()..] })
    }

    /// What `name` says if a file of the log may have it.
    pub fn parse(&self, name: &[u8]) -> Option<Rotated> {
        // A hidden file is asked for with its dot.
        if self.before.is_empty() && name.starts_with(b".") {
            return None;
        }
        let (plain, is_compressed) = without_ending(name);
        let tokens = Tokens::of(plain.strip_prefix(self.before)?.strip_suffix(self.after)?);
        let is_date = tokens.template.iter().all(|byte| b"-_.:#TZ".contains(byte));
        if !is_date || tokens.numbers.is_empty() {
            return None;
        }
        let stamp = tokens.stamp(false);
        let template = match &stamp {
            // There may be several files of a day, or of an hour.
            NameStamp::Date(_) => b"D".to_vec(),
            _ => tokens.template,
        };
        Some(Rotated { template: [b"{", &template[..]].concat(), stamp, is_compressed })
    }
}

/// The name of a file before it was compressed, and whether it was.
fn without_ending(name: &[u8]) -> (&[u8], bool) {
    match COMPRESSED.iter().find_map(|end| name.strip_suffix(end.as_bytes())) {
        Some(plain) => (plain, true),
        None => (name, false),
    }
}

impl Rotated {
    /// What `name` says if a rotation may have given it to a file of `log`: the log's name, before or around which stand
    /// only numbers, separators and words for "old".
    pub fn parse(log: &[u8], name: &[u8]) -> Option<Rotated> {
        let (plain, is_compressed) = without_ending(name);
        let behind = plain.strip_prefix(log).map(|rest| (log, rest, true));
        let within = || {
            let dot = memchr::memrchr(b'.', log).filter(|&dot| dot > 0)?;
            let (stem, extension) = log.split_at(dot);
            let middle = plain.strip_prefix(stem)?.strip_suffix(extension)?;
            Some((stem, middle, false))
        };
        let parse = |(stem, rest, is_behind): (&[u8], &[u8], bool)| {
            let (template, stamp) = Rotated::parse_rest(stem, rest, is_behind)?;
            Some(Rotated { template, stamp, is_compressed })
        };
        behind.and_then(parse).or_else(|| within().and_then(parse))
    }

    /// What `name` says if it differs from `other` only in its numbers, as the targets of a link do that is switched from
    /// one to the next.
    pub fn parse_like(other: &[u8], name: &[u8]) -> Option<Rotated> {
        let (plain, is_compressed) = without_ending(name);
        let (tokens, like) = (Tokens::of(plain), Tokens::of(other));
        if tokens.numbers.is_empty() || tokens.template != like.template {
            return None;
        }
        let stamp = tokens.stamp(false);
        Some(Rotated { template: [b"=", &tokens.template[..]].concat(), stamp, is_compressed })
    }

    /// Any other name.
    pub fn any(name: &[u8]) -> Rotated {
        Rotated { template: [b"*", name].concat(), stamp: NameStamp::Word, is_compressed: false }
    }

    fn parse_rest(stem: &[u8], rest: &[u8], is_behind: bool) -> Option<(Vec<u8>, NameStamp)> {
        let tokens = Tokens::of(rest);
        let letters = tokens.template.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        let mut has_word = tokens.template.contains(&b'~');
        for word in letters {
            has_word |= WORDS.contains(&word);
            if !WORDS.contains(&word) && !matches!(word, b"T" | b"Z") {
                return None;
            }
        }
        let is_separator = |byte: &u8| b"-_.:~#TZ".contains(byte) || byte.is_ascii_lowercase();
        if !tokens.template.iter().all(is_separator) || tokens.numbers.is_empty() && !has_word {
            return None;
        }
        let stamp = tokens.stamp(is_behind);
        // Without a separator only a date is one: `app2.log` is another log, and so is `app-10.log` for `app-1.log`.
        let first = *rest.first()?;
        let joins = first.is_ascii_digit() && (stem.last()?.is_ascii_digit() || !matches!(stamp, NameStamp::Date(_)));
        if joins || first.is_ascii_lowercase() {
            return None;
        }
        let template = match &stamp {
            // What follows a day may be a number where the day before had none.
            NameStamp::Date(_) => {
                tokens.template.iter().copied().take_while(|&byte| byte != b'#').chain(*b"D").collect()
            }
            _ => tokens.template,
        };
        Some(([&[if is_behind { b'>' } else { b'<' }][..], &template].concat(), stamp))
    }

    /// What all names have that are like this one.
    pub fn template(&self) -> &[u8] {
        &self.template
    }

    pub fn is_like(&self, other: &Rotated) -> bool {
        self.template == other.template
    }

    /// A hash of the name of the uncompressed file, if it has a date.
    pub fn dated_name(&self) -> Option<u64> {
        let NameStamp::Date(date) = &self.stamp else { return None };
        let mut hasher = DefaultHasher::new();
        (&self.template, date).hash(&mut hasher);
        Some(hasher.finish())
    }

    /// Whether it is the name that a file with this date is given when it is compressed.
    pub fn is_compressed_of(&self, plain: &Rotated) -> bool {
        let is_dated = matches!(plain.stamp, NameStamp::Date(_)) && self.stamp == plain.stamp && self.is_like(plain);
        is_dated && self.is_compressed && !plain.is_compressed
    }

    pub fn is_ordered(&self) -> bool {
        self.stamp != NameStamp::Word
    }
}

impl NameStamp {
    /// Older first; numbers that do not count backwards by convention are compared as `counting` says.
    pub fn compare(&self, other: &NameStamp, counting: impl FnOnce() -> Counting) -> Ordering {
        match (self, other) {
            (NameStamp::Number { number: one, counts_back }, NameStamp::Number { number: two, .. }) => {
                if *counts_back || counting() == Counting::Back { two.cmp(one) } else { one.cmp(two) }
            }
            (NameStamp::Date(one), NameStamp::Date(two)) => one.cmp(two),
            _ => Ordering::Equal,
        }
    }
}

/// Whether a higher number is older (`app.1.log` being renamed to `app.2.log`), or younger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    Back,
    Up,
}

/// A text as its numbers, and what is left when each is replaced by `#`.
struct Tokens {
    template: Vec<u8>,
    numbers: Vec<Vec<u8>>,
}

impl Tokens {
    fn of(text: &[u8]) -> Tokens {
        let mut tokens = Tokens { template: Vec::new(), numbers: Vec::new() };
        let mut is_in_number = false;
        for &byte in text {
            match (byte.is_ascii_digit(), is_in_number) {
                (true, true) => tokens.numbers.last_mut().expect("a number was begun").push(byte),
                (true, false) => {
                    tokens.template.push(b'#');
                    tokens.numbers.push(vec![byte]);
                }
                (false, _) => tokens.template.push(byte),
            }
            is_in_number = byte.is_ascii_digit();
        }
        tokens
    }

    fn stamp(&self, counts_back: bool) -> NameStamp {
        if self.numbers.is_empty() {
            return NameStamp::Word;
        }
        match self.date() {
            Some(date) => NameStamp::Date(date),
            None => NameStamp::Number { number: value(self.numbers.last().expect("there is one")), counts_back },
        }
    }

    fn date(&self) -> Option<Vec<u64>> {
        let lengths: Vec<usize> = self.numbers.iter().map(Vec::len).collect();
        let values: Vec<u64> = self.numbers.iter().map(|number| value(number)).collect();
        let digits = |number: &[u8], cuts: &[usize]| {
            let mut start = 0;
            let mut parts = Vec::new();
            for &length in cuts {
                parts.push(value(&number[start..start + length]));
                start += length;
            }
            parts
        };
        let first = &self.numbers[0][..];
        let (mut date, used) = match lengths[..] {
            [14, ..] => (digits(first, &[4, 2, 2, 2, 2, 2]), 1),
            [12, ..] => (digits(first, &[4, 2, 2, 2, 2]), 1),
            [10, ..] if is_day(&digits(first, &[4, 2, 2])) => (digits(first, &[4, 2, 2, 2]), 1),
            // Seconds or milliseconds since the epoch.
            [10 | 13] if first[0] == b'1' => return Some(values),
            [8, ..] => (digits(first, &[4, 2, 2]), 1),
            [4, 1 | 2, 1 | 2, ..] => (values[..3].to_vec(), 3),
            [1 | 2, 1 | 2, 4, ..] if values[0] > 12 => (vec![values[2], values[1], values[0]], 3),
            [1 | 2, 1 | 2, 4, ..] => (vec![values[2], values[0], values[1]], 3),
            [4, 2] => (vec![values[0], values[1], 1], 2),
            [6] => ([digits(first, &[4, 2]), vec![1]].concat(), 1),
            _ => return None,
        };
        if !is_day(&date) {
            return None;
        }
        date.extend(&values[used..]);
        Some(date)
    }
}

fn is_day(date: &[u64]) -> bool {
    matches!(date, [1970..=2199, 1..=12, 1..=31, ..])
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| u64::saturating_add(u64::saturating_mul(value, 10), (digit - b'0').into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Option<Rotated> {
        Rotated::parse(b"app.log", name.as_bytes())
    }

    #[test]
    fn rotated_names_differ_by_numbers_separators_and_words() {
        let siblings = [
            "app.log.1",
            "app.log.10",
            "app.log-20261123",
            "app.log-20261123-1700000000",
            "app.log.2026-11-23",
            "app.log.2026-11-23_01-32-27",
            "app.2026-11-23_01-32-27_123456.log",
            "app-2026-11-23T01-32-27.123.log",
            "app.1.log",
            "app-1.log",
            "app_1.log",
            "app.log.old",
            "app.log.bak",
            "app.log.prev",
            "app.log.save",
            "app.log~",
            "app_2026-11-23.log",
            "app20261123.log",
            "app.log2026-11-23",
            "app.log.2026_11_23",
            "app__2026-11-23_00-00-00.log",
            "app-11-23-2026-1.log",
            "app.log.1.old",
            "app.old.log",
        ];
        for name in siblings {
            assert!(parse(name).is_some_and(|rotated| !rotated.is_compressed), "{name}");
            assert!(parse(&format!("{name}.gz")).is_some_and(|rotated| rotated.is_compressed), "{name}.gz");
        }
        let others = [
            "app.log",
            "app.error.log",
            "app.log.lock",
            "app.log.swp",
            "app.log.1.tmp",
            "app.log.1.gz.tmp",
            "app.log-",
            "app2.log",
            "apps.log",
            "x",
            "app.logold",
            "app.log.gz",
            "app.older.log",
        ];
        for name in others {
            assert_eq!(parse(name), None, "{name}");
        }
        assert!(Rotated::parse(b"syslog", b"syslog.1").is_some());
        assert!(Rotated::parse(b"0.log", b"0.log.20261123-013227").is_some());
        assert_eq!(Rotated::parse(b"app-1.log", b"app-10.log"), None);
        assert_eq!(Rotated::parse(b"app-1.log", b"app-120261123.log"), None);
    }

    #[test]
    fn names_of_one_template_are_ordered() {
        let ordered = [
            ("app.log.10", "app.log.9"),
            ("app.log.2026-11-22", "app.log.2026-11-23"),
            ("app.log-20261122", "app.log-20261123"),
            ("app.log-20261123", "app.log-20261123-1700000000"),
            ("app-12-31-2026-1.log", "app-1-1-2027-1.log"),
            ("app-11-23-2026-1.log", "app-11-23-2026-2.log"),
            ("app.log.1700000000", "app.log.1700000001"),
            ("app.2026-11-23_01-32-27_123456.log", "app.2026-11-23_01-32-28_000001.log"),
        ];
        for (older, younger) in ordered {
            let (older, younger) = (parse(older).unwrap(), parse(younger).unwrap());
            assert!(older.is_like(&younger), "{older:?} {younger:?}");
            assert_eq!(older.stamp.compare(&younger.stamp, || Counting::Up), Ordering::Less, "{older:?} {younger:?}");
        }
        let [one, two] = ["app.1.log", "app.2.log"].map(|name| parse(name).unwrap());
        assert_eq!(one.stamp.compare(&two.stamp, || Counting::Up), Ordering::Less);
        assert_eq!(one.stamp.compare(&two.stamp, || Counting::Back), Ordering::Greater);
    }

    #[test]
    fn names_of_different_templates_are_not_alike() {
        let names = ["app.log.1", "app.1.log", "app.log-20261123", "app.20261123.log", "app.log.old", "app.log~"];
        for (at, one) in names.iter().enumerate() {
            for two in &names[at + 1..] {
                assert!(!parse(one).unwrap().is_like(&parse(two).unwrap()), "{one} {two}");
            }
        }
        assert!(parse("app.log.1").unwrap().is_like(&parse("app.log.1.gz").unwrap()));
    }

    #[test]
    fn targets_of_a_link_differ_in_their_numbers() {
        let target = |name: &str| Rotated::parse_like(b"app-2", name.as_bytes());
        assert_eq!(target("app-10").unwrap().stamp, NameStamp::Number { number: 10, counts_back: false });
        assert_eq!((target("app"), target("app-x"), target("other-2")), (None, None, None));
        let dated = Rotated::parse_like(b"app.2026-11-23.log", b"app.2026-11-24.log").unwrap();
        assert_eq!(dated.stamp, NameStamp::Date(vec![2026, 11, 24]));
        let compressed = Rotated::parse_like(b"app.2026-11-23.log", b"app.2026-11-22.log.gz").unwrap();
        assert!(compressed.is_compressed && compressed.is_like(&dated));
    }

    #[test]
    fn files_of_a_dated_log_differ_in_a_number_or_date() {
        let parse = |name: &str| DatedName::of(b"access_{date}.log").unwrap().parse(name.as_bytes());
        let ordered = [
            "access_2026-11-22.log.gz",
            "access_2026-11-23.log",
            "access_2026-11-23-1.log",
            "access_2026-11-23-2.log",
            "access_2026-11-23-10.log",
            "access_20261124.log",
            "access_2026-11-24T00-10-00.log",
        ];
        for two in ordered.windows(2) {
            let (older, younger) = (parse(two[0]).unwrap(), parse(two[1]).unwrap());
            assert!(older.is_like(&younger), "{two:?}");
            assert_eq!(older.stamp.compare(&younger.stamp, || Counting::Up), Ordering::Less, "{two:?}");
        }
        assert_eq!(parse("access_7.log").unwrap().stamp, NameStamp::Number { number: 7, counts_back: false });
        for other in ["access_.log", "access_x.log", "access_old.log", "access_2026-11-23.log.1", "access_{date}.log"] {
            assert_eq!(parse(other), None, "{other}");
        }
        assert!(DatedName::of(b"app.log").is_none());
        let bare = DatedName::of(b"{date}").unwrap();
        assert!(bare.parse(b"2026-11-23").is_some());
        assert_eq!((bare.parse(b".2026-11-23"), bare.parse(b".1")), (None, None), "they are hidden");
    }
}
