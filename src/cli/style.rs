//! How `wstail tail` prints lines: the options --output, --color and --prefix.

use std::io::{self, IsTerminal};

use argh::FromArgValue;
use wstail::text::sanitize::escape;

use super::printer::Form;

/// The option --output.
#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
pub(super) enum Output {
    Text,
    Raw,
    Json,
}

/// The options --color and --prefix.
#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
pub(super) enum UseWhen {
    Auto,
    Always,
    Never,
}

/// How lines are printed.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub output: Output,
    pub color: UseWhen,
    pub prefix: UseWhen,
    /// There are several logs, or may be later.
    pub is_several: bool,
}

/// Colours for prefixes: neither red, which stands for errors, nor black or white, which may be the background.
const COLORS: [u8; 10] = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94];

impl Style {
    /// The form of a log's lines.
    pub(super) fn form(&self, log: &str) -> Form {
        match self.output {
            Output::Raw => Form::raw(),
            Output::Text => Form::text(self.has_color()),
            Output::Json => Form::json(log),
        }
    }

    /// What each line of a log begins with. `None` if the log is alone, and need not print whole lines.
    pub(super) fn prefix(&self, log: &str) -> Option<Vec<u8>> {
        let has_prefix = match self.prefix {
            UseWhen::Auto => self.is_several,
            UseWhen::Always => true,
            UseWhen::Never => false,
        };
        if !has_prefix || self.output != Output::Text {
            return self.is_several.then(Vec::new);
        }
        let name = escape(log);
        let has_color = self.has_color() && io::stdout().is_terminal();
        Some(if has_color { colored(&name) } else { format!("{name}: ") }.into_bytes())
    }

    /// Whether UTF-16 would be shown garbled.
    pub(super) fn warns_of_wide(&self) -> bool {
        match self.output {
            Output::Raw => false,
            Output::Text => io::stdout().is_terminal(),
            Output::Json => true,
        }
    }

    /// Whether colours reach a terminal.
    fn has_color(&self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            UseWhen::Always => true,
            UseWhen::Never => false,
            UseWhen::Auto if set("NO_COLOR") => false,
            // The old console of Windows prints the codes. Windows Terminal has the one variable, shells for it the other.
            UseWhen::Auto if cfg!(windows) => set("WT_SESSION") || set("TERM"),
            UseWhen::Auto => std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

/// The same name has the same colour in every run.
fn colored(name: &str) -> String {
    let color = COLORS[crc32fast::hash(name.as_bytes()) as usize % COLORS.len()];
    format!("\x1b[{color}m{name}\x1b[0m: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_for_lines_of_text_that_could_be_of_several_logs() {
        let prefix = |output, prefix, is_several| {
            let style = Style { output, color: UseWhen::Never, prefix, is_several };
            style.prefix("a\u{9b}.log").map(|prefix| String::from_utf8(prefix).unwrap())
        };
        let name = Some("a\\x9b.log: ".to_owned());
        let (alone, shared) = (None, Some(String::new()));
        assert_eq!(prefix(Output::Text, UseWhen::Auto, true), name);
        assert_eq!(prefix(Output::Text, UseWhen::Auto, false), alone);
        assert_eq!(prefix(Output::Text, UseWhen::Always, false), name);
        assert_eq!(prefix(Output::Text, UseWhen::Never, true), shared);
        assert_eq!(prefix(Output::Json, UseWhen::Always, true), shared);
        assert_eq!(prefix(Output::Raw, UseWhen::Always, false), alone);
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(colored("app.log"), colored("app.log"));
        assert!(colored("app.log").ends_with("mapp.log\x1b[0m: "));
    }
}
