//! Completions for zsh, as arguments for its `_arguments`.

use super::super::schema::{CommandSchema, Flag, is_repeatable, value};
use super::values::{self, Value};
use super::{ORIGIN, commands, names, summary};

pub(super) fn script() -> String {
    let commands = commands();
    let mut script = format!("#compdef wstail\n# {ORIGIN}\n\n_wstail() {{\n");
    script += "    local context state state_descr line\n    typeset -A opt_args\n    local -a commands=(\n";
    for command in &commands {
        let summary = summary(command.description()).replace(':', "\\:");
        script += &format!("        {}\n", quoted(&format!("{}:{summary}", command.name())));
    }
    script += "        'help:Print the options of a command.'\n    )\n";
    script += "    _arguments -C '(- : *)'{-h,--help}'[print help]' '(- : *)'{-V,--version}'[print the version]' \\\n";
    script += "        '1: :->command' '*:: :->rest' && return\n";
    script += "    case $state in\n    command) _describe -t commands command commands ;;\n    rest)\n";
    script += "        case $words[1] in\n        help) _arguments '1: :->command' && return\n";
    script += "            _describe -t commands command commands ;;\n";
    for command in &commands {
        script += &format!("        {}) _arguments -s -S \\\n", command.name());
        for flag in command.flags() {
            script += &format!("            {} \\\n", option(command, flag));
        }
        script += "            '(- : *)'{-h,--help}'[print this help]'";
        if let Some((name, value)) = values::of_operands(command) {
            let name = name.replace(':', "\\:");
            // A message beside the options would keep zsh from completing the only one that fits.
            let action = if value == Value::Other { "()".to_owned() } else { action(&value) };
            script += &format!(" \\\n            {}", quoted(&format!("*:{name}:{action}")));
        }
        script += " ;;\n";
    }
    script + "        esac ;;\n    esac\n}\n\n_wstail \"$@\"\n"
}

/// `'(-n --lines)'{-n+,--lines=}'[last N lines]:N: '`
fn option(command: &CommandSchema, flag: &Flag) -> String {
    let names = names(flag);
    let value_of = values::of_option(command, flag);
    let with_marks = names.iter().map(|name| match (&value_of, name.starts_with("--")) {
        (None, _) => name.clone(),
        (Some(_), true) => format!("{name}="),
        (Some(_), false) => format!("{name}+"),
    });
    let with_marks: Vec<_> = with_marks.collect();
    let text = summary(flag.description).replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    let value = value_of.map_or(String::new(), |it| format!(":{}:{}", value(flag), action(&it)));
    let rest = quoted(&format!("[{}]{value}", text.replace(':', "\\:")));
    let excluded = if is_repeatable(flag) { "*".to_owned() } else { format!("({})", names.join(" ")) };
    match &with_marks[..] {
        [one] => format!("'{excluded}{one}'{rest}"),
        several => format!("'{excluded}'{{{}}}{rest}", several.join(",")),
    }
}

fn action(value: &Value) -> String {
    match value {
        Value::Words(words) => format!("({})", words.join(" ")),
        Value::File => "_files".to_owned(),
        Value::Directory => "_files -/".to_owned(),
        Value::Other => " ".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
