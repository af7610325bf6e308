//! What the value of an option, or an operand, may be.

use argh::{EarlyExit, FromArgs};

use super::super::Arguments;
use super::super::schema::{CommandSchema, Flag, takes_value, value};

/// What a shell offers for a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// One of these.
    Words(Vec<String>),
    File,
    Directory,
    /// Nothing: a number, a URL, a text.
    Other,
}

/// The value of an option. `None` for a switch.
pub(super) fn of_option(command: &CommandSchema, flag: &Flag) -> Option<Value> {
    takes_value(flag).then(|| match value(flag) {
        "FILE" => Value::File,
        "DIR" => Value::Directory,
        _ => match words(command.name(), flag.long) {
            words if words.is_empty() => Value::Other,
            words => Value::Words(words),
        },
    })
}

/// The operands of a command, which are all alike: how they are called, and what they are.
pub(super) fn of_operands(command: &CommandSchema) -> Option<(String, Value)> {
    let (name, _) = command.operands().next()?;
    let name = name.trim_end_matches("...");
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    // `ls` lists a server, or a path.
    let value = if matches!(name, "FILE" | "PATH" | "HOST[:PORT]") { Value::File } else { Value::Other };
    Some((name.to_owned(), value))
}

/// The words of an option that takes no others. The parser names them when it refuses a value.
fn words(command: &str, long: &str) -> Vec<String> {
    let refusal = refusal(command, long, "?").unwrap_or_default();
    let Some((_, list)) = refusal.rsplit_once("expected ") else { return Vec::new() };
    let list = list.trim().replace(" or ", ", ");
    let words: Vec<_> = list.split(", ").map(|word| word.trim_matches(['"', '`', '\'']).to_owned()).collect();
    let is_word = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if words.len() < 2 || !words.iter().all(is_word) {
        return Vec::new();
    }
    for word in &words {
        assert_eq!(self::refusal(command, long, word), None, "{command} {long} {word}");
    }
    words
}

/// What the parser says about a value that it does not take.
fn refusal(command: &str, long: &str, value: &str) -> Option<String> {
    match Arguments::from_args(&["wstail"], &[command, long, value]) {
        Err(EarlyExit { output, status: Err(()) }) if output.contains("with value") => Some(output),
        _ => None,
    }
}

#[test]
fn options_with_fixed_words_are_known() {
    let list = |command: &str, long| words(command, long).join(" ");
    assert_eq!(list("tail", "--color"), "auto always never");
    assert_eq!(list("tail", "--prefix"), "auto always never");
    assert_eq!(list("tail", "--retry"), "auto never");
    assert_eq!(list("tail", "--output"), "text raw json");
    assert_eq!(list("tail", "--level"), "trace debug info notice warn error fatal");
    assert_eq!(list("ls", "--output"), "text json");
    assert_eq!(list("serve", "--format"), "text html");
    assert_eq!(list("produce", "--rotate-how"), "rename copytruncate");
    for (command, long) in [("tail", "--lines"), ("tail", "--max-logs"), ("tail", "--zone"), ("serve", "--host")] {
        assert_eq!(list(command, long), "", "{command} {long}");
    }
}

#[test]
fn options_with_listed_words_have_fixed_ones() {
    // WHEN, FORM and so on stand for a list of words: an option that takes such a value has its words here.
    for command in super::commands() {
        for flag in command.flags() {
            let is_list = matches!(value(flag), "WHEN" | "FORM" | "FORMAT" | "LEVEL" | "HOW");
            let found = of_option(&command, flag);
            assert_eq!(matches!(found, Some(Value::Words(_))), is_list, "{} {}", command.name(), flag.long);
        }
    }
}
