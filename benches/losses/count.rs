//! What came of the lines that were written.

/// The first line of each log: a tool that shows it follows. It is not counted.
pub const READY: &str = "ready\n";
/// A line from long ago begins so.
pub const FOREIGN: &str = "long ago ";

/// With the number before it, about 100 bytes a line.
pub const PADDING: &str =
    "2026-11-23 01:32:27.123 | INFO     | service.module:function:123 - took 12.3 ms and answered 200";

/// How many of the lines came, came not, and came again. One that came in pieces is none. A line from long ago counts as one
/// that came again.
pub fn count(output: &[u8], written: usize) -> String {
    let mut seen = vec![0_usize; written];
    let (mut damaged, mut foreign) = (0, 0);
    let output = output.strip_suffix(b"\n").unwrap_or(output);
    for line in output.split(|byte| *byte == b'\n').filter(|line| *line != READY.trim().as_bytes()) {
        match number(line).and_then(|number| seen.get_mut(number)) {
            Some(times) => *times += 1,
            None if line.starts_with(FOREIGN.as_bytes()) => foreign += 1,
            None => damaged += 1,
        }
    }
    let delivered = seen.iter().filter(|times| **times > 0).count();
    let again = seen.iter().sum::<usize>() - delivered + foreign;
    let note = if damaged > 0 { format!(" ({damaged} damaged)") } else { String::new() };
    format!("{delivered} / {} / {again}{note}", written - delivered)
}

fn number(line: &[u8]) -> Option<usize> {
    let (number, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    number.parse().ok().filter(|_| rest == PADDING)
}

/// How many notices have the word.
pub fn gaps(notices: &str) -> usize {
    let has_word = |line: &&str| line.split(|character: char| !character.is_alphanumeric()).any(|word| word == "gap");
    notices.lines().filter(has_word).count()
}
