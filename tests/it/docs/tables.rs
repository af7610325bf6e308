//! docs/options.md against `--help`.

use std::collections::BTreeMap;
use std::process::Stdio;

use super::read;
use crate::support::wstail;

/// Long option to its default, empty where there is none.
type Options = BTreeMap<String, String>;

fn help(arguments: &[&str]) -> String {
    let output = wstail().args(arguments).arg("--help").stdout(Stdio::piped()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn commands() -> Vec<String> {
    let help = help(&[]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn of_help(command: &str) -> Options {
    let help = help(&[command]);
    let (_, options) = help.split_once("\nOptions:\n").unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in options.lines() {
        let words = line.trim_start();
        match words.split_whitespace().find(|word| word.starts_with("--")).filter(|_| words.starts_with('-')) {
            Some(name) => found.push((name.to_owned(), words.to_owned())),
            None => found.last_mut().unwrap().1 += &format!(" {}", line.trim()),
        }
    }
    let default = |text: &str| {
        let text = text.split_once("[default: ");
        text.map_or(String::new(), |(_, rest)| rest.trim_end().trim_end_matches(']').to_owned())
    };
    let options = found.iter().filter(|(name, _)| name != "--help");
    options.map(|(name, text)| (name.clone(), default(text))).collect()
}

fn of_page(command: &str) -> Options {
    let page = read("docs/options.md");
    let (_, section) = page.split_once(&format!("## wstail {command}\n")).expect("a section for each command");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `-"));
    let cells = rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Vec<_>>());
    let name = |cell: &str| cell.split(['`', ' ']).find(|word| word.starts_with("--")).unwrap().to_owned();
    cells.map(|cells| (name(&cells[0]), cells[1].trim().trim_matches('`').to_owned())).collect()
}

#[test]
fn options_are_those_of_help() {
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in &commands {
        assert_eq!(of_page(command), of_help(command), "{command}");
    }
    let page = read("docs/options.md");
    let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## wstail ")).collect();
    assert_eq!(sections, commands, "the sections are the commands");
}

#[test]
fn defaults_in_prose_are_those_of_help() {
    for (page, phrase, command, option) in [
        ("README.md", "(the last {} lines, then", "tail", "--lines"),
        ("README.md", "http://127.0.0.1:{}/", "serve", "--port"),
        ("README.md", "(one every {} s)", "serve", "--heartbeat"),
        ("README.md", "heartbeat (one every 10 s) within {} s", "serve", "--heartbeat-timeout"),
        ("README.md", "no data for {} s", "serve", "--stall-timeout"),
        ("README.md", "the last {} lines unless", "serve", "--lines"),
        ("README.md", "may arrive up to {} s late", "serve", "--rotate-wait"),
        ("docs/protocol.md", "message `ping` every {} s", "serve", "--heartbeat"),
        ("docs/protocol.md", "message `pong` within {} s", "serve", "--heartbeat-timeout"),
        ("docs/rotation.md", "(`--poll`, {} ms by default)", "serve", "--poll"),
        ("docs/rotation.md", "`--rotate-wait` ({} s by default) after the rename", "serve", "--rotate-wait"),
        ("docs/security.md", "listens on `{}` unless", "serve", "--host"),
        ("docs/troubleshooting.md", "every {} ms by default", "serve", "--poll"),
        ("docs/troubleshooting.md", "a heartbeat every {} s by default", "serve", "--heartbeat"),
        ("docs/troubleshooting.md", "may arrive up to {} s late", "serve", "--rotate-wait"),
    ] {
        let text = read(page).split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = phrase.replace("{}", &of_help(command)[option]);
        assert!(text.contains(&expected), "{page}: {expected}");
    }
}
