//! Rewrites a command line into the only form that argh parses, `--option value`: people also write `--option=value`, `-n5`
//! and `-fq`, and mistype. It does not know the options, which come from `schema`, nor what their values mean.

use std::ffi::OsString;

use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::environment::{self, Variable};
use super::schema::{CommandSchema, Flag, takes_value, unknown};
use super::words::{Word, text};

/// The words for argh to parse, and the variables that some of them came from.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub words: Vec<String>,
    pub variables: Vec<Variable>,
}

/// Turns arguments, and variables that stand for options, into words for argh.
///
/// # Errors
/// A usage error if a command or an option is unknown, or a variable has a bad value.
pub(super) fn prepare(arguments: Vec<OsString>) -> Result<Prepared> {
    let arguments: Vec<String> = arguments.into_iter().map(text).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [first, rest @ ..] = &words[..] else { return Ok(Prepared::default()) };
    match *first {
        "-V" | "--version" => return Ok(only(&["--version"])),
        "help" | "--help" | "-h" => {
            return match rest.first() {
                Some(&command) if !command.starts_with('-') && command != "help" => {
                    Ok(only(&[CommandSchema::find(command)?.name(), "--help"]))
                }
                _ => Ok(only(&["--help"])),
            };
        }
        _ => {}
    }
    let command = CommandSchema::find(first)?;
    if asks(&command, rest, &["-V", "--version"]) {
        return Ok(only(&["--version"]));
    }
    if asks(&command, rest, &["-h", "--help"]) {
        return Ok(only(&[command.name(), "--help"]));
    }
    let mut words = split(&command, rest)?;
    let variables = environment::add(&command, &mut words, |name| std::env::var_os(name))?;
    Ok(Prepared { words: join(&command, words), variables })
}

fn only(words: &[&str]) -> Prepared {
    Prepared { words: words.iter().map(|word| (*word).to_owned()).collect(), variables: Vec::new() }
}

/// Whether one of these options is given, and is not the value of another one.
fn asks(command: &CommandSchema, arguments: &[&str], options: &[&str]) -> bool {
    let mut arguments = arguments.iter().take_while(|argument| **argument != "--");
    while let Some(argument) = arguments.next() {
        if options.contains(argument) {
            return true;
        }
        let short = argument.strip_prefix('-').and_then(|name| Some((name.chars().next()?, name.chars().count() == 1)));
        let takes_next = match short {
            Some(('-', _)) if argument.contains('=') => false,
            Some(('-', _)) => command.long(argument).is_ok_and(takes_value),
            Some((name, true)) => command.short(name).is_some_and(takes_value),
            _ => false,
        };
        if takes_next {
            arguments.next();
        }
    }
    false
}

fn split(command: &CommandSchema, arguments: &[&str]) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    let mut arguments = arguments.iter().copied();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            words.extend(arguments.map(|operand| Word::Operand(operand.to_owned())));
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (&argument[..name.len() + 2], Some(value)),
                None => (argument, None),
            };
            let flag = command.long(name).map_err(|error| habit(command, name).unwrap_or(error))?;
            if value.is_some() && !takes_value(flag) {
                return Err(Error::usage(format!("the option `{name}` takes no value")));
            }
            words.push(option(flag, name, value, &mut arguments)?);
        } else if argument.starts_with('-') && argument.len() > 1 {
            split_shorts(command, argument, &mut arguments, &mut words)?;
        } else if let Some(error) = habit(command, argument) {
            return Err(error);
        } else {
            words.push(Word::Operand(argument.to_owned()));
        }
    }
    Ok(words)
}

/// `-fq`, `-n5`, `-fn 5`
fn split_shorts<'a>(
    command: &CommandSchema,
    argument: &'a str,
    arguments: &mut impl Iterator<Item = &'a str>,
    words: &mut Vec<Word>,
) -> Result<()> {
    let mut rest = &argument[1..];
    while let Some(name) = rest.chars().next() {
        rest = &rest[name.len_utf8()..];
        let typed = format!("-{name}");
        let Some(flag) = command.short(name) else {
            let whole = || habit(command, argument).or_else(|| habit(command, &typed));
            return Err(whole().unwrap_or_else(|| unknown("option", argument, None::<&str>)));
        };
        // The rest of the word is the value, if there is any.
        let value = (takes_value(flag) && !rest.is_empty()).then(|| std::mem::take(&mut rest));
        words.push(option(flag, &typed, value, arguments)?);
    }
    Ok(())
}

fn option<'a>(
    flag: &'static Flag,
    typed: &str,
    value: Option<&str>,
    arguments: &mut impl Iterator<Item = &'a str>,
) -> Result<Word> {
    let value = match value {
        Some(value) => Some(value.to_owned()),
        None if takes_value(flag) => {
            let next = arguments.next().ok_or_else(|| super::usage(format!("the option `{typed}` needs a value")))?;
            Some(next.to_owned())
        }
        None => None,
    };
    Ok(Word::Option { flag, typed: typed.to_owned(), value })
}

/// Suggestions for options of other programs.
fn habit(command: &CommandSchema, word: &str) -> Option<Error> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if command.name() != "tail" {
        return None;
    }
    let meant = match (word.strip_prefix('-'), word.strip_prefix('+')) {
        (Some(number), _) if digits(number.trim_end_matches(['f', 'F'])) => {
            format!("-n {}", number.trim_end_matches(['f', 'F']))
        }
        (_, Some(number)) if digits(number) => format!("-n {word}"),
        (Some("c" | "-bytes"), _) => "-n".to_owned(),
        (Some("-sleep-interval"), _) => return Some(no_polling(word)),
        _ => return None,
    };
    Some(unknown("option", word, Some(meant)))
}

fn no_polling(word: &str) -> Error {
    Error::usage(format!("unknown option `{word}`: the server sends lines as they come (see `wstail serve --poll`)"))
}

/// Puts options first, because argh takes a word with a dash only as an operand after `--`.
fn join(command: &CommandSchema, words: Vec<Word>) -> Vec<String> {
    let (mut joined, mut operands) = (vec![command.name().to_owned()], vec!["--".to_owned()]);
    for word in words {
        match word {
            // argh knows only one short name for each option.
            Word::Option { flag, typed, value } => {
                let is_known = typed.starts_with("--") || typed.chars().nth(1) == flag.short;
                joined.push(if is_known { typed } else { flag.long.to_owned() });
                joined.extend(value);
            }
            Word::Operand(operand) => operands.push(operand),
        }
    }
    joined.extend(operands);
    joined
}

/// An error of argh, on one line.
pub(super) fn one_line(complaint: &str) -> String {
    // A NUL stands for a byte that is not UTF-8, see `words`.
    let complaint = complaint.replace('\0', "\\x");
    let joined = escape(&complaint.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut characters = joined.trim_end_matches('.').chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// How much of a value is repeated in an error, in characters.
const LONGEST_SHOWN: usize = 200;

/// An error of argh, worded like our own errors: ``cannot use `--port 99999`: expected a port``.
pub(super) fn plain(complaint: String) -> String {
    if let Some(missing) = complaint.strip_prefix("required positional arguments not provided: ") {
        return format!("{missing} is missing");
    }
    let rewritten = || {
        let (option, rest) = complaint.strip_prefix("error parsing option '")?.split_once("' with value '")?;
        let (value, cause) = rest.rsplit_once("': ")?;
        Some(format!("cannot use `{}`: {cause}", with_value(option, value)))
    };
    rewritten().unwrap_or(complaint)
}

/// An option and its value, as errors show them. A value may be very long, and the reason comes after it.
pub(super) fn with_value(option: &str, value: &str) -> String {
    let dots = if value.chars().nth(LONGEST_SHOWN).is_some() { "…" } else { "" };
    let value: String = value.chars().take(LONGEST_SHOWN).collect();
    format!("{option} {}{dots}", escape(&value))
}
