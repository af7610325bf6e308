//! `wstail produce --rotate-name`.

use std::fs;
use std::path::Path;

use crate::support::{Process, wstail};

/// Writes ten lines to `app.log` and rotates after each.
fn produce(directory: &Path, pattern: &str, arguments: &[&str]) {
    let mut command = wstail();
    command.args(["produce", "app.log", "--rate", "0", "--count", "10", "--stamp", "--rotate", "1"]);
    command.args(["--rotate-name", pattern, "--keep", "3"]).args(arguments).current_dir(directory);
    assert_eq!(Process::start(command).end(), (0, String::new()), "{pattern}");
}

/// All files below the directory, with the numbers of their lines.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            files.extend(self::files(&entry.path()).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            let number = |line: &str| line.split("seq=").nth(1)?.split(' ').next().map(str::to_owned);
            files.push((name, text.lines().filter_map(number).collect::<Vec<_>>().join(" ")));
        }
    }
    files.sort();
    files
}

#[test]
fn numbers_continue_after_the_highest() {
    for how in ["rename", "copytruncate"] {
        for pattern in ["app.{n}.log", "app.log.{n}", "archive/deep/app.log.{n}", "{n}/app.log"] {
            let directory = tempfile::tempdir().unwrap();
            let name = |number: u64| pattern.replace("{n}", &number.to_string());
            let pairs = |pairs: &[(u64, &str)], log: &str| {
                let mut pairs: Vec<_> =
                    pairs.iter().map(|(number, text)| (name(*number), (*text).to_owned())).collect();
                pairs.push(("app.log".to_owned(), log.to_owned()));
                pairs.sort();
                pairs
            };
            produce(directory.path(), pattern, &["--rotate-how", how]);
            assert_eq!(files(directory.path()), pairs(&[(7, "7"), (8, "8"), (9, "9")], "10"), "{pattern} {how}");
            // After the existing ones, in the order of numbers rather than letters. A gap between them is not filled.
            produce(directory.path(), pattern, &["--rotate-how", how]);
            assert_eq!(files(directory.path()), pairs(&[(17, "7"), (18, "8"), (19, "9")], "10"), "{pattern} {how}");
        }
    }
}

#[test]
fn only_files_of_the_pattern_are_counted_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let others = ["app.x.log", "app.log.1", "app.2026-11-23_01-32-27_123456.log", "other.1.log"];
    others.iter().for_each(|name| fs::write(directory.path().join(name), "").unwrap());
    produce(directory.path(), "app.{n}.log", &[]);
    let names: Vec<_> = files(directory.path()).into_iter().map(|(name, _)| name).collect();
    let mut expected = [&others[..], &["app.7.log", "app.8.log", "app.9.log", "app.log"]].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
    // The log's own name may match the pattern.
    let directory = tempfile::tempdir().unwrap();
    let mut command = wstail();
    command.args(["produce", "app.5.log", "--rate", "0", "--count", "4", "--stamp", "--rotate", "1"]);
    command.args(["--rotate-name", "app.{n}.log", "--keep", "1"]).current_dir(directory.path());
    assert_eq!(Process::start(command).end(), (0, String::new()));
    let numbers: Vec<_> = files(directory.path()).into_iter().map(|(_, numbers)| numbers).collect();
    assert_eq!((files(directory.path())[1].0.as_str(), numbers), ("app.5.log", vec!["3".to_owned(), "4".to_owned()]));
}

#[test]
fn time_has_the_format_of_the_default_name() {
    let directory = tempfile::tempdir().unwrap();
    produce(directory.path(), "old/app-{time}.log", &[]);
    let files = files(directory.path());
    assert_eq!(files.iter().map(|(_, numbers)| &numbers[..]).collect::<Vec<_>>(), ["10", "7", "8", "9"]);
    for (name, _) in &files[1..] {
        let time = name.strip_prefix("old/app-").and_then(|rest| rest.strip_suffix(".log")).unwrap();
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00_00-00-00_000000");
    }
}
