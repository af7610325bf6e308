//! How grave an entry is, as its first line says.

use memchr::{memchr, memchr_iter};

use crate::protocol::criteria::Level;

/// How far behind the time a word for a level is looked for, in bytes.
const REACH: usize = 256;

/// How much of a line is copied if it has colour codes.
const COLOURED: usize = 4 * 1024;

/// Keys of JSON and logfmt whose value is a level.
const KEYS: [&[u8]; 6] = [b"level", b"lvl", b"severity", b"levelname", b"log.level", b"@l"];

/// The lengths of `err` and `information`.
const WORD_LENGTHS: std::ops::RangeInclusive<usize> = 3..=11;

/// The length of `log.level` and `levelname`.
const LONGEST_KEY: usize = 9;

/// The level of an entry whose first line is `line`. Its time ends at `after_time`; 0 if it has none.
pub fn level_of(line: &[u8], after_time: usize) -> Option<Level> {
    let head = &line[..line.len().min(COLOURED)];
    if memchr(0x1b, head).is_none() {
        return plain(line, after_time);
    }
    let (text, after_time) = without_colours(head, after_time);
    plain(&text, after_time)
}

fn plain(line: &[u8], after_time: usize) -> Option<Level> {
    if line.trim_ascii_start().first() == Some(&b'{') {
        return json(line).or_else(|| word(line, 0));
    }
    priority(line)
        .or_else(|| klog(line))
        .or_else(|| logfmt(line))
        .or_else(|| first_word(line, after_time))
        .or_else(|| word(line, after_time))
        .or_else(|| access(line))
}

/// A level under one of the keys of an object, wherever in the line.
fn json(line: &[u8]) -> Option<Level> {
    let mut depth = 0;
    let mut at = 0;
    // The key that led to where the scan is, by depth: `log` above `level` is `log.level`.
    let mut is_in_log = false;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let (key, end) = string(line, at);
                let value = after_colon(line, end);
                if let Some(value) = value.filter(|_| depth == 1 || depth == 2 && is_in_log) {
                    let is_level = if depth == 1 { KEYS.contains(&key) } else { key == b"level" };
                    let level = match key {
                        b"PRIORITY" if depth == 1 => scalar(line, value).and_then(severity),
                        _ if is_level => scalar(line, value).and_then(value_of),
                        _ => None,
                    };
                    if level.is_some() {
                        return level;
                    }
                    if depth == 1 {
                        is_in_log = key == b"log" && line[value..].first() == Some(&b'{');
                    }
                }
                at = end;
                continue;
            }
            _ => (),
        }
        at += 1;
    }
    None
}

/// The string that begins with the quote at `start`, and where it ends. Escapes stay as they are.
fn string(line: &[u8], start: usize) -> (&[u8], usize) {
    let mut end = start + 1;
    while let Some(&byte) = line.get(end) {
        match byte {
            b'"' => return (&line[start + 1..end], end + 1),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    (&[], line.len())
}

/// Where the value begins, if a colon follows.
fn after_colon(line: &[u8], at: usize) -> Option<usize> {
    let rest = line.get(at..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    Some(line.len() - rest.len())
}

/// A string, a number or a word.
fn scalar(line: &[u8], start: usize) -> Option<&[u8]> {
    let rest = line.get(start..)?;
    if rest.first() == Some(&b'"') {
        return Some(string(line, start).0);
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// A level as the value of a key: a word, or a number as bunyan and pino write it.
fn value_of(value: &[u8]) -> Option<Level> {
    match number(value) {
        Some(10..20) => Some(Level::Trace),
        Some(20..30) => Some(Level::Debug),
        Some(30..40) => Some(Level::Info),
        Some(40..50) => Some(Level::Warn),
        Some(50..60) => Some(Level::Error),
        Some(60) => Some(Level::Fatal),
        Some(_) => None,
        None => of_word(value),
    }
}

/// A severity as syslog and journald count it.
fn severity(value: &[u8]) -> Option<Level> {
    match number(value)? {
        0..=2 => Some(Level::Fatal),
        3 => Some(Level::Error),
        4 => Some(Level::Warn),
        5 => Some(Level::Notice),
        6 => Some(Level::Info),
        7 => Some(Level::Debug),
        _ => None,
    }
}

fn number(value: &[u8]) -> Option<u8> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn of_word(word: &[u8]) -> Option<Level> {
    // Most words of a log have another length or first letter, which takes less time to see than to compare them.
    let may_be = matches!(
        word.first()? | 0x20,
        b't' | b'v' | b'd' | b'i' | b'n' | b'w' | b'e' | b's' | b'f' | b'c' | b'a' | b'p'
    );
    if !may_be || !WORD_LENGTHS.contains(&word.len()) {
        return None;
    }
    let mut lower = [0; *WORD_LENGTHS.end()];
    let lower = &mut lower[..word.len()];
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"trace" | b"verbose" => Some(Level::Trace),
        b"debug" | b"dbg" => Some(Level::Debug),
        b"info" | b"inf" | b"information" => Some(Level::Info),
        b"notice" => Some(Level::Notice),
        b"warn" | b"warning" | b"wrn" => Some(Level::Warn),
        b"error" | b"err" | b"severe" => Some(Level::Error),
        b"fatal" | b"critical" | b"crit" | b"alert" | b"emerg" | b"panic" => Some(Level::Fatal),
        _ => None,
    }
}

/// `<11>` at the start: a facility times eight and a severity.
fn priority(line: &[u8]) -> Option<Level> {
    let rest = line.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|&byte| byte == b'>')?;
    let number = number(&rest[..end]).filter(|&number| number < 192)?;
    severity(&[b'0' + number % 8])
}

/// `E1123 ` at the start: a letter, month and day.
fn klog(line: &[u8]) -> Option<Level> {
    let (date, rest) = line.get(1..)?.split_at_checked(4)?;
    if !date.iter().all(u8::is_ascii_digit) || rest.first() != Some(&b' ') {
        return None;
    }
    match line[0] {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// `level=error`, or another key of [`KEYS`], with or without quotes.
fn logfmt(line: &[u8]) -> Option<Level> {
    memchr_iter(b'=', line).find_map(|equals| {
        let before = &line[equals.saturating_sub(LONGEST_KEY + 1)..equals];
        // Most keys end with another letter.
        if !matches!(before.last()?, b'l' | b'y' | b'e' | b'Y') {
            return None;
        }
        let key = before.rsplit(u8::is_ascii_whitespace).next()?;
        match key {
            b"PRIORITY" => severity(scalar(line, equals + 1)?),
            _ if KEYS.contains(&key) => value_of(scalar(line, equals + 1)?),
            _ => None,
        }
    })
}

/// The line's first word, if the time comes after it: `ERROR 2026-11-23 …`, `Zigbee2MQTT:info  2026-11-23 …`.
fn first_word(line: &[u8], after_time: usize) -> Option<Level> {
    // Most lines begin with their time.
    if line.first()?.is_ascii_digit() {
        return None;
    }
    let word = line[..after_time.min(line.len())].split(u8::is_ascii_whitespace).next()?;
    let word = word.rsplit(|&byte| byte == b':').find(|part| !part.is_empty())?;
    of_word(word.trim_ascii_start().strip_prefix(b"[").map_or(word, |word| word.strip_suffix(b"]").unwrap_or(word)))
}

/// The first word for a level that stands alone behind the time.
fn word(line: &[u8], after_time: usize) -> Option<Level> {
    let start = after_time.min(line.len());
    let end = line.len().min(start + REACH);
    let mut at = start;
    while at < end {
        if !is_letter(line[at]) {
            at += 1;
            continue;
        }
        let length = line[at..].iter().take(REACH).position(|&byte| !is_letter(byte)).unwrap_or(line.len() - at);
        let word = at..at + length;
        at = word.end;
        if let Some(level) = of_word(&line[word.clone()]).filter(|_| word.end <= end) {
            let is_capital = line[word.clone()].iter().all(u8::is_ascii_uppercase);
            if is_capital || is_marked(&line[start..], word.start - start..word.end - start) {
                return Some(level);
            }
        }
    }
    None
}

/// An error in a row of an access log whose answer has a status of 500 or more: `"GET / HTTP/1.1" 503 12`.
fn access(line: &[u8]) -> Option<Level> {
    let mut quotes = memchr_iter(b'"', line);
    let is_failure = |quote: usize| match (line[..quote].rsplit(|&byte| byte == b' ').next(), &line[quote + 1..]) {
        (Some(version), [b' ', b'5', b'0'..=b'9', b'0'..=b'9', b' ', ..]) => version.starts_with(b"HTTP/"),
        _ => false,
    };
    quotes.any(is_failure).then_some(Level::Error)
}

/// Whether a word in any case is meant as a level: within brackets, or before `:` or `|`.
fn is_marked(line: &[u8], word: std::ops::Range<usize>) -> bool {
    let after = line[word.end..].trim_ascii_start().first();
    if matches!(after, Some(b':' | b'|')) {
        return true;
    }
    // `[core:error]`, `[ info ]`; not a word of a sentence in brackets.
    let (before, is_closed) = (&line[..word.start], matches!(after, Some(b']' | b')' | b'>' | b'}')));
    let is_opened = matches!(before.trim_ascii_end().last(), Some(b'[' | b'(' | b'<' | b'{'));
    let is_open = || {
        let bracket = before.iter().rev().find(|byte| b"[](){}<>".contains(byte));
        matches!(bracket, Some(b'[' | b'(' | b'<' | b'{')) && before.last() == Some(&b':')
    };
    is_closed && (is_opened || is_open()) || is_opened && !matches!(after, Some(byte) if is_letter(*byte))
}

/// Bytes beyond ASCII are taken for letters.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

/// The line without its colour codes, and where its time ends then.
fn without_colours(line: &[u8], after_time: usize) -> (Vec<u8>, usize) {
    let mut text = Vec::with_capacity(line.len());
    let mut end_of_time = after_time;
    let mut at = 0;
    while at < line.len() {
        let length = code(&line[at..]);
        if length == 0 {
            text.push(line[at]);
        } else if at < after_time {
            end_of_time = end_of_time.saturating_sub(length);
        }
        at += length.max(1);
    }
    (text, end_of_time)
}

/// The length of the colour code that `line` begins with.
fn code(line: &[u8]) -> usize {
    let Some(rest) = line.strip_prefix(b"\x1b[") else { return 0 };
    match rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) {
        Some(end) if rest[end] == b'm' => end + 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
