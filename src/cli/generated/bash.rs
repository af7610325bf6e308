//! Completions for bash. They need nothing but bash itself.

use super::super::schema::CommandSchema;
use super::values::{self, Value};
use super::{ORIGIN, commands, names};

const HEAD: &str = r#"
_wstail() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options i
    COMPREPLY=()
    # In bash, `--color=al` is three words: `--color`, `=` and `al`.
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    # After `--`, nothing is an option.
    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || before=--
    done
"#;

const WORDS: &str = r#"
_wstail_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

complete -F _wstail wstail
"#;

pub(super) fn script() -> String {
    let commands = commands();
    let mut script = format!("# {ORIGIN}\n{HEAD}");
    script += "    case \"$COMP_CWORD ${COMP_WORDS[1]} $before\" in\n";
    let known: Vec<_> = commands.iter().map(CommandSchema::name).collect();
    script += &format!("        '1 '*) _wstail_words '{} help --help --version' && return ;;\n", known.join(" "));
    script += &format!("        *' help help') _wstail_words '{}' && return ;;\n", known.join(" "));
    for command in &commands {
        script += &values(command);
    }
    script += "    esac\n    case ${COMP_WORDS[1]} in\n";
    for command in &commands {
        script += &format!("        {}) options='{}' ;;\n", command.name(), options(command).join(" "));
    }
    script += "        *) return ;;\n    esac\n    if [[ $word == -* && $before != -- ]]; then\n        _wstail_words \"$options\"\n";
    let takes_files = |command: &&CommandSchema| values::of_operands(command).is_some_and(|(_, it)| it == Value::File);
    let with_files: Vec<_> = commands.iter().filter(takes_files).map(CommandSchema::name).collect();
    script += &format!("    elif [[ ${{COMP_WORDS[1]}} == @({}) ]]; then\n", with_files.join("|"));
    script + "        compopt -o default\n    fi\n}\n" + WORDS
}

/// The cases of a command's options with values.
fn values(command: &CommandSchema) -> String {
    let mut cases: Vec<(String, Vec<String>)> = Vec::new();
    for flag in command.flags() {
        let Some(value) = values::of_option(command, flag) else { continue };
        let offer = match value {
            Value::Words(words) => format!("_wstail_words '{}' && ", words.join(" ")),
            Value::File => "compopt -o default && ".to_owned(),
            Value::Directory => "compopt -o dirnames && ".to_owned(),
            Value::Other => String::new(),
        };
        let typed = names(flag).into_iter().map(|name| format!("*' {} {name}'", command.name()));
        match cases.iter_mut().find(|(known, _)| *known == offer) {
            Some((_, all)) => all.extend(typed),
            None => cases.push((offer, typed.collect())),
        }
    }
    let case = |(offer, typed): &(String, Vec<String>)| format!("        {}) {offer}return ;;\n", typed.join(" | "));
    cases.iter().map(case).collect()
}

fn options(command: &CommandSchema) -> Vec<String> {
    command.flags().flat_map(names).chain(["-h".to_owned(), "--help".to_owned()]).collect()
}
