//! The man page and the shell completions in `contrib/`, made from the schema. A test makes them, so the program does
//! not contain what is needed for that. After a change of an option, run:
//!
//! ```text
//! WSTAIL_GENERATE=1 cargo test --bin wstail generated::
//! ```

mod bash;
mod fish;
mod man;
mod values;
mod zsh;

use std::fs;
use std::path::Path;

use super::schema::{self, CommandSchema, Flag};

/// The first lines of a generated file, after the characters that begin a comment.
const ORIGIN: &str = "Made from the program's options: WSTAIL_GENERATE=1 cargo test --bin wstail generated::";

fn commands() -> Vec<CommandSchema> {
    schema::names().into_iter().map(|name| CommandSchema::find(name).unwrap()).collect()
}

/// A description without its default value.
fn summary(description: &str) -> String {
    let text = plain(description);
    text.split(" [default: ").next().unwrap_or_default().to_owned()
}

/// A description on one line. argh doubles braces.
fn plain(description: &str) -> String {
    let words: Vec<_> = description.split_whitespace().collect();
    words.join(" ").replace("{{", "{").replace("}}", "}")
}

/// `-n` and `--lines`.
fn names(flag: &Flag) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short.into_iter().chain([flag.long.to_owned()]).collect()
}

#[test]
fn man_page_and_completions_are_current() {
    let files = [
        ("wstail.1", man::page()),
        ("completions/wstail.bash", bash::script()),
        ("completions/_wstail", zsh::script()),
        ("completions/wstail.fish", fish::script()),
    ];
    for (name, text) in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name);
        if std::env::var_os("WSTAIL_GENERATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            panic!("contrib/{name} is out of date: run `WSTAIL_GENERATE=1 cargo test --bin wstail generated::`");
        }
    }
}
