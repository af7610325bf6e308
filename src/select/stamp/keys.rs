//! Times under a key: of a JSON object that is a line, or of logfmt.

use memchr::memchr2;

use super::Stamp;
use super::calendar::calendar;
use super::epoch::{audit, epoch, tai64n};
use super::scanner::Scanner;

/// The keys under which loggers write the time; the case of letters does not matter.
const KEYS: [&[u8]; 12] = [
    b"time",
    b"ts",
    b"timestamp",
    b"@timestamp",
    b"t",
    b"@t",
    b"datetime",
    b"date",
    b"asctime",
    b"eventTime",
    b"timeMillis",
    b"__REALTIME_TIMESTAMP",
];

/// MongoDB's key, which may also stand one level down: `{"t":{"$date":…}}`.
const DATE: &[u8] = b"$date";

/// Whether the line is a JSON object.
pub(super) fn is_object(line: &Scanner) -> bool {
    let mut ahead = *line;
    ahead.eat(b'{') && {
        blanks(&mut ahead);
        matches!(ahead.peek(), Some(b'"' | b'}'))
    }
}

/// The time under a key at the top of the object at which the scanner stands.
pub(super) fn json(mut scanner: Scanner) -> Option<Stamp> {
    scanner.eat(b'{');
    loop {
        blanks(&mut scanner);
        let key = string(&mut scanner)?;
        blanks(&mut scanner);
        if !scanner.eat(b':') {
            return None;
        }
        blanks(&mut scanner);
        if let Some(stamp) = is_key(key).then(|| value(scanner).or_else(|| nested(scanner))).flatten() {
            return Some(stamp);
        }
        skip(&mut scanner)?;
        blanks(&mut scanner);
        if !scanner.eat(b',') {
            return None;
        }
    }
}

fn is_key(key: &[u8]) -> bool {
    key == DATE || KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The time in an object whose first key is `$date`.
fn nested(mut scanner: Scanner) -> Option<Stamp> {
    let is_object = scanner.eat(b'{');
    blanks(&mut scanner);
    if !is_object || string(&mut scanner)? != DATE {
        return None;
    }
    blanks(&mut scanner);
    let has_value = scanner.eat(b':');
    blanks(&mut scanner);
    has_value.then(|| value(scanner)).flatten()
}

/// A time that is a value, in quotes or not.
fn value(mut scanner: Scanner) -> Option<Stamp> {
    scanner.eat(b'"');
    let start = scanner.at;
    let moment = match scanner.peek()? {
        b'@' => tai64n(&mut scanner),
        b'0'..=b'9' => epoch(&mut scanner).or_else(|| calendar(&mut scanner)),
        b'a' => audit(&mut scanner),
        _ => calendar(&mut scanner),
    };
    moment.map(|moment| Stamp { moment, start, end: scanner.at })
}

/// Takes a string, without its quotes; escapes in it stay.
fn string<'l>(scanner: &mut Scanner<'l>) -> Option<&'l [u8]> {
    if !scanner.eat(b'"') {
        return None;
    }
    let start = scanner.at;
    loop {
        let found = memchr2(b'"', b'\\', scanner.rest())?;
        scanner.at += found;
        if scanner.eat(b'"') {
            return Some(&scanner.line[start..scanner.at - 1]);
        }
        scanner.at = scanner.line.len().min(scanner.at + 2);
    }
}

/// Skips a value: a string, a number, a word, or all that braces and brackets enclose.
fn skip(scanner: &mut Scanner) -> Option<()> {
    let mut depth = 0usize;
    loop {
        match scanner.peek()? {
            b'"' => _ = string(scanner)?,
            b'{' | b'[' => {
                depth += 1;
                scanner.at += 1;
            }
            b'}' | b']' if depth == 0 => return Some(()),
            b'}' | b']' => {
                depth -= 1;
                scanner.at += 1;
            }
            b',' if depth == 0 => return Some(()),
            _ => scanner.at += 1,
        }
    }
}

fn blanks(scanner: &mut Scanner) {
    while scanner.one_of(b" \t").is_some() {}
}

/// The time under a key of a line that begins with pairs `key=value`, or an audit stamp among them. The search ends with
/// the first word that is not a pair.
pub(super) fn logfmt(mut scanner: Scanner) -> Option<Stamp> {
    loop {
        let start = scanner.at;
        while scanner.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_.@$-".contains(&byte)) {
            scanner.at += 1;
        }
        let key = &scanner.line[start..scanner.at];
        if key.is_empty() || !scanner.eat(b'=') {
            return None;
        }
        let is_audit = scanner.rest().starts_with(b"audit(");
        if let Some(stamp) = (is_audit || is_key(key)).then(|| value(scanner)).flatten() {
            return Some(stamp);
        }
        if scanner.peek() == Some(b'"') {
            string(&mut scanner)?;
        } else {
            scanner.at += memchr2(b' ', b'\t', scanner.rest())?;
        }
        scanner.one_of(b" \t")?;
        blanks(&mut scanner);
    }
}
