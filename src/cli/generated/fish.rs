//! Completions for fish.

use super::super::schema::{CommandSchema, Flag};
use super::values::{self, Value};
use super::{ORIGIN, commands, summary};

const HEAD: &str = r"
# Whether the command line is for this command of wstail; without an argument, whether it has no command yet.
function __wstail_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; or return (count $argv)
    test $words[2] = $argv[1]
end

complete -c wstail -f
";

pub(super) fn script() -> String {
    let commands = commands();
    let mut script = format!("# {ORIGIN}\n{HEAD}");
    for command in &commands {
        let (name, text) = (command.name(), quoted(&summary(command.description())));
        script += &format!("complete -c wstail -n __wstail_is -a {name} -d {text}\n");
    }
    script += "complete -c wstail -n __wstail_is -a help -d 'Print the options of a command.'\n";
    script += "complete -c wstail -n __wstail_is -s V -l version -d 'print the version'\n";
    script += "complete -c wstail -s h -l help -d 'print help'\n";
    let known: Vec<_> = commands.iter().map(CommandSchema::name).collect();
    script += &format!("complete -c wstail -n '__wstail_is help' -a '{}'\n", known.join(" "));
    for command in &commands {
        script += "\n";
        if values::of_operands(command).is_some_and(|(_, value)| value == Value::File) {
            script += &format!("complete -c wstail -n '__wstail_is {}' -F\n", command.name());
        }
        command.flags().for_each(|flag| script += &option(command, flag));
    }
    script
}

fn option(command: &CommandSchema, flag: &Flag) -> String {
    let short = flag.short.map_or(String::new(), |short| format!(" -s {short}"));
    let value = match values::of_option(command, flag) {
        None => String::new(),
        Some(Value::Words(words)) => format!(" -xa '{}'", words.join(" ")),
        Some(Value::File) => " -rF".to_owned(),
        Some(Value::Directory) => " -xa '(__fish_complete_directories)'".to_owned(),
        Some(Value::Other) => " -x".to_owned(),
    };
    let (name, long) = (command.name(), flag.long.trim_start_matches('-'));
    let text = quoted(&summary(flag.description));
    format!("complete -c wstail -n '__wstail_is {name}'{short} -l {long}{value} -d {text}\n")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
