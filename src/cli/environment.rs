//! Options set by environment variables: `WSTAIL_<COMMAND>_<OPTION>`, for each long option of each command. The list comes from
//! `schema`. `WSTAIL_TOKEN`, which is not an option, is read in `tokens`.

use std::ffi::OsString;

use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::schema::{CommandSchema, Flag, is_pattern, is_repeatable, takes_value};
use super::words::{Word, text};

/// A variable that stands for an option.
#[derive(Debug)]
pub(super) struct Variable {
    name: String,
    option: &'static str,
    values: Vec<String>,
}

/// Pairs of options: one of them on the command line also overrides the variable of the other.
const OPPOSITES: [(&str, &str); 7] = [
    ("--follow", "--no-follow"),
    ("--follow", "--until"),
    ("--ca-file", "--insecure"),
    ("--ignore-case", "--case-sensitive"),
    ("--entry", "--after-context"),
    ("--entry", "--before-context"),
    ("--entry", "--context"),
];

/// Adds the options that are set by variables and not on the command line. `lookup` is the environment; an empty variable
/// counts as unset.
///
/// # Errors
/// A usage error if a switch is not set to `1`, `true`, `0` or `false`.
pub(super) fn add(
    command: &CommandSchema,
    words: &mut Vec<Word>,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Variable>> {
    let (mut added, mut variables) = (Vec::new(), Vec::new());
    for flag in command.flags() {
        let name = format!("WSTAIL_{}_{}", command.name(), &flag.long[2..]).replace('-', "_").to_uppercase();
        let is_overridden = words.iter().any(|word| word.is(flag.long) || opposite(flag).any(|other| word.is(other)));
        let Some(value) = lookup(&name).filter(|value| !value.is_empty() && !is_overridden) else { continue };
        let values = values(flag, &name, text(value))?;
        let word = |value| Word::Option { flag, typed: flag.long.to_owned(), value };
        match takes_value(flag) {
            true => added.extend(values.iter().map(|value| word(Some(value.clone())))),
            false => added.extend(values.iter().map(|_| word(None))),
        }
        variables.push(Variable { name, option: flag.long, values });
    }
    words.append(&mut added);
    Ok(variables)
}

fn opposite(flag: &Flag) -> impl Iterator<Item = &'static str> {
    let long = flag.long;
    OPPOSITES.into_iter().filter_map(move |(one, other)| match long {
        _ if long == one => Some(other),
        _ if long == other => Some(one),
        _ => None,
    })
}

/// The values of the option, one for each time it is given.
fn values(flag: &Flag, name: &str, value: String) -> Result<Vec<String>> {
    if is_pattern(flag) {
        // A comma may belong to it, and so may a space.
        return Ok(vec![value]);
    }
    if takes_value(flag) {
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        return Ok(if is_repeatable(flag) { parts.collect() } else { vec![value] });
    }
    match value.as_str() {
        "1" | "true" => Ok(vec![value]),
        "0" | "false" => Ok(Vec::new()),
        _ => Err(Error::usage(format!(
            "cannot use the variable {name}: expected 1, true, 0 or false, not `{}`",
            escape(&value)
        ))),
    }
}

/// Adds the name of the variable to a usage error that is about one.
pub(super) fn explain(message: String, variables: &[Variable]) -> String {
    for Variable { name, option, values } in variables {
        let parsed = format!("error parsing option '{option}' with value ");
        if let Some(rest) = message.strip_prefix(&parsed) {
            return format!("cannot use the variable {name} with value {rest}");
        }
        let is_named = |value: &String| message.contains(&format!("`{}`", escape(value)));
        let is_about = values.iter().any(is_named)
            || message.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == *option);
        if is_about {
            return format!("{message} (set by the variable {name})");
        }
    }
    let names: Vec<_> = variables.iter().map(|variable| &variable.name[..]).collect();
    if names.is_empty() { message } else { format!("{message} (variables that are set: {})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(command: &str, variables: &[(&str, &str)]) -> Result<Vec<String>> {
        let command = CommandSchema::find(command).unwrap();
        let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        let mut words = Vec::new();
        add(&command, &mut words, lookup)?;
        let word = |word| match word {
            Word::Option { flag, value, .. } => [flag.long, &value.unwrap_or_default()].join(" ").trim().to_owned(),
            Word::Operand(operand) => operand,
        };
        Ok(words.into_iter().map(word).collect())
    }

    #[test]
    fn every_kind_of_option_has_its_form() {
        let variables = [
            ("WSTAIL_SERVE_BASE_PATH", "/a,b"),
            ("WSTAIL_SERVE_HIDDEN", "true"),
            ("WSTAIL_SERVE_ALLOW_HOST", "a, b,,c"),
            ("WSTAIL_SERVE_PORT", ""),
            ("WSTAIL_TAIL_QUIET", "1"),
            ("WSTAIL_TAIL_GREP", " a{1,2}, b"),
        ];
        let mut options = added("serve", &variables).unwrap();
        options.sort();
        assert_eq!(options, ["--allow-host a", "--allow-host b", "--allow-host c", "--base-path /a,b", "--hidden"]);
        assert_eq!(added("tail", &variables).unwrap(), ["--grep  a{1,2}, b", "--quiet"]);
        assert!(added("serve", &[("WSTAIL_SERVE_HIDDEN", "0"), ("WSTAIL_SERVE_ALLOW_HOST", ",")]).unwrap().is_empty());
        let error = added("serve", &[("WSTAIL_SERVE_HIDDEN", "yes")]).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("WSTAIL_SERVE_HIDDEN"), "{error}");
    }

    #[test]
    fn opposites_are_options_of_one_command() {
        for (one, other) in OPPOSITES {
            let has = |command: &CommandSchema, long| command.flags().any(|flag| flag.long == long);
            let mut commands = super::super::schema::names().into_iter().map(|name| CommandSchema::find(name).unwrap());
            assert!(commands.any(|command| has(&command, one) && has(&command, other)), "{one} {other}");
        }
    }

    #[test]
    fn every_option_of_every_command_has_a_variable() {
        for name in super::super::schema::names() {
            for flag in CommandSchema::find(name).unwrap().flags() {
                let variable = format!("WSTAIL_{name}_{}", &flag.long[2..]).replace('-', "_").to_uppercase();
                assert_eq!(added(name, &[(&variable, "1")]).unwrap().len(), 1, "{variable}");
            }
        }
    }
}
