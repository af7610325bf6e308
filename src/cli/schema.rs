//! The commands and their options, as argh's derive describes them. Everything that needs a list of options takes it
//! from here: splitting arguments, environment variables, suggestions. A new option is just a field in its command's
//! struct, with no list to update. Values are not parsed here.

use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};
use wstail::Result;

use super::nearest::nearest;
use super::{Arguments, usage};

/// One option of a command.
pub(super) type Flag = FlagInfo<'static>;

/// One command.
pub(super) struct CommandSchema(CommandInfoWithArgs);

/// Additional short names, which argh cannot express: the command, the name, and the option it stands for.
const ALIASES: [(&str, char, &str); 1] = [("tail", 'F', "--follow")];

/// The names of all commands.
pub(super) fn names() -> Vec<&'static str> {
    Arguments::get_subcommands().iter().map(|command| command.name).collect()
}

/// The command of that name.
pub(super) fn known(name: &str) -> Option<&'static str> {
    names().into_iter().find(|known| *known == name)
}

impl CommandSchema {
    /// # Errors
    /// A usage error if there is no such command. It names the nearest one.
    pub(super) fn find(name: &str) -> Result<CommandSchema> {
        let commands = Arguments::get_subcommands();
        if let Some(known) = commands.into_iter().find(|command| command.name == name) {
            return Ok(CommandSchema(known.command));
        }
        let what = if name.starts_with('-') { "option" } else { "command" };
        Err(unknown(what, name, nearest(name, names())))
    }

    pub(super) fn name(&self) -> &'static str {
        self.0.name
    }

    /// What the command does, in one sentence.
    pub(super) fn description(&self) -> &'static str {
        self.0.description
    }

    /// The operands: `PATH...` or `[URL]`, each with its description.
    pub(super) fn operands(&self) -> impl Iterator<Item = (String, &'static str)> + use<> {
        self.0.positionals.iter().map(|operand| {
            let name = match operand.optionality {
                Optionality::Required => operand.name.to_owned(),
                Optionality::Optional => format!("[{}]", operand.name),
                Optionality::Repeating | Optionality::Greedy => format!("{}...", operand.name),
            };
            (name, operand.description)
        })
    }

    /// The options, without `--help`.
    pub(super) fn flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.0.flags.iter().filter(|flag| flag.long != "--help")
    }

    /// The option with a long name: `--lines`.
    ///
    /// # Errors
    /// A usage error if there is no such option. It names the nearest one.
    pub(super) fn long(&self, name: &str) -> Result<&'static Flag> {
        let known = || self.flags().map(|flag| flag.long);
        self.flags().find(|flag| flag.long == name).ok_or_else(|| unknown("option", name, nearest(name, known())))
    }

    /// The option with a short name: `n`.
    pub(super) fn short(&self, name: char) -> Option<&'static Flag> {
        let alias = ALIASES.iter().find(|alias| alias.0 == self.name() && alias.1 == name);
        self.flags().find(|flag| flag.short == Some(name) || alias.is_some_and(|alias| alias.2 == flag.long))
    }
}

/// ``unknown option `--prot` (did you mean `--port`?)``
pub(super) fn unknown(what: &str, name: &str, meant: Option<impl AsRef<str>>) -> wstail::Error {
    let name = wstail::text::sanitize::escape(name);
    match meant {
        Some(meant) => wstail::Error::usage(format!("unknown {what} `{name}` (did you mean `{}`?)", meant.as_ref())),
        None => usage(format!("unknown {what} `{name}`")),
    }
}

/// Whether the option takes a value.
pub(super) fn takes_value(flag: &Flag) -> bool {
    matches!(flag.kind, FlagInfoKind::Option { .. })
}

/// The name of the option's value: `N`.
pub(super) fn value(flag: &Flag) -> &'static str {
    match flag.kind {
        FlagInfoKind::Option { arg_name } => arg_name,
        FlagInfoKind::Switch => "",
    }
}

/// Whether the option may be given more than once.
pub(super) fn is_repeatable(flag: &Flag) -> bool {
    matches!(flag.optionality, Optionality::Repeating)
}

/// Whether the option's value is a pattern, which may hold any characters.
pub(super) fn is_pattern(flag: &Flag) -> bool {
    value(flag) == "PATTERN"
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn commands() -> Vec<CommandSchema> {
        names().into_iter().map(|name| CommandSchema::find(name).unwrap()).collect()
    }

    #[test]
    fn every_alias_is_a_free_letter_for_an_option() {
        for (name, letter, long) in ALIASES {
            let command = CommandSchema::find(name).unwrap();
            assert!(command.flags().all(|flag| flag.short != Some(letter)), "-{letter} of {name} has two meanings");
            assert_eq!(command.short(letter).map(|flag| flag.long), Some(long), "-{letter} of {name}");
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        for command in commands() {
            let (mut longs, mut shorts) = (HashSet::new(), HashSet::from(['h', 'V']));
            for flag in command.flags() {
                assert!(longs.insert(flag.long), "{} {}", command.name(), flag.long);
                assert!(flag.short.is_none_or(|short| shorts.insert(short)), "{} {:?}", command.name(), flag.short);
            }
        }
    }

    #[test]
    fn every_option_has_a_description() {
        for command in commands() {
            assert!(!command.0.description.is_empty(), "{}", command.name());
            assert!(command.flags().all(|flag| !flag.description.is_empty()), "{}", command.name());
        }
    }
}
