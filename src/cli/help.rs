//! The help of a command, from its schema: one line per option where possible, with the name of its value.

use super::schema::{CommandSchema, Flag, takes_value};

/// The width of the text, in columns.
const WIDTH: usize = 90;
/// The column at which descriptions begin.
const INDENT: usize = 34;

/// What `wstail COMMAND --help` prints.
pub(super) fn of(command: &CommandSchema) -> String {
    let operands: Vec<_> = command.operands().map(|(name, _)| name).collect();
    let mut help = format!("Usage: wstail {} [OPTIONS] {}", command.name(), operands.join(" "));
    help.truncate(help.trim_end().len());
    help += &format!("\n\n{}\n", command.description());
    if !operands.is_empty() {
        help += "\nArguments:\n";
        command.operands().for_each(|(name, text)| help += &row(&format!("  {name}"), text));
    }
    help += "\nOptions:\n";
    command.flags().for_each(|flag| help += &row(&names(flag), flag.description));
    help + &row("  -h, --help", "print this help")
}

/// `  -n, --lines N`
fn names(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let value = if takes_value(flag) { format!(" {}", super::schema::value(flag)) } else { String::new() };
    format!("  {short}{}{value}", flag.long)
}

/// A name and its description, which is wrapped between words. A `[default: X]` stays on one line.
fn row(name: &str, description: &str) -> String {
    // argh doubles braces.
    let description = &description.replace("{{", "{").replace("}}", "}")[..];
    let mut row = format!("{name:INDENT$}");
    let mut column = row.chars().count();
    if column > INDENT {
        row += "\n";
        column = 0;
    }
    let (text, default) = description.split_once(" [default: ").map_or((description, None), |(a, b)| (a, Some(b)));
    let default = default.map(|rest| format!("[default: {rest}"));
    for word in text.split(' ').chain(default.as_deref()) {
        let length = word.chars().count();
        if column > INDENT && column + 1 + length > WIDTH {
            row += "\n";
            column = 0;
        }
        let gap = if column < INDENT { INDENT - column } else { usize::from(column > INDENT) };
        row += &" ".repeat(gap);
        row += word;
        column += gap + length;
    }
    row + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_wrapped_between_words_but_not_within_a_default() {
        let text = format!("{} word [default: a b]", "x".repeat(48));
        let indent = " ".repeat(INDENT);
        let expected = format!("{:INDENT$}{} word\n{indent}[default: a b]\n", "  --port N", "x".repeat(48));
        assert_eq!(row("  --port N", &text), expected);
        assert_eq!(row("  -h", "print"), format!("{:INDENT$}print\n", "  -h"));
    }
}
