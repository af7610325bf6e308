//! The documentation: its commands run, its links lead somewhere, and its tables are true.

mod commands;
mod messages;
mod proxies;
mod services;
mod tables;
mod times;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The pages for users and developers, relative to the top.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].iter().map(PathBuf::from).collect();
    let docs =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| Path::new("docs").join(entry.unwrap().file_name()));
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages.sort();
    pages
}

/// The fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), block.join("\n")));
        }
    }
    blocks
}

/// A page without its fenced blocks.
fn prose(page: &str) -> String {
    let mut is_block = false;
    let is_prose = |line: &&str| {
        let is_fence = line.starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    };
    page.lines().filter(is_prose).collect::<Vec<_>>().join("\n")
}

/// The anchor that GitHub gives to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &str) -> Vec<String> {
    let page = prose(page);
    page.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = prose(&read(&page));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, part) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(root().join(&path).exists(), "{}: {target}", page.display());
            if !part.is_empty() {
                assert!(anchors(&read(&path)).contains(&part.to_owned()), "{}: {target}", page.display());
            }
        }
    }
}

#[test]
fn every_code_block_has_a_known_language() {
    // A test runs `sh` and `bash`, and others run the proxies' configurations. The rest are not commands, or need
    // another machine.
    let known = ["sh", "bash", "python", "nginx", "caddyfile", "text", "ini", "dockerfile"];
    for page in pages() {
        for (language, block) in blocks(&read(&page)) {
            assert!(known.contains(&&language[..]), "{}: `{language}`: {block}", page.display());
        }
    }
}

#[test]
fn pages_stay_short() {
    for (page, most) in [("README.md", 200), ("CHANGELOG.md", 400)] {
        assert!(read(page).lines().count() <= most, "{page}");
    }
}

#[test]
fn packages_in_the_readme_have_this_version() {
    let readme = read("README.md");
    let names: Vec<_> = readme
        .split_whitespace()
        .filter(|word| word.starts_with("wstail") && word.ends_with(['b', 'm', 'z']))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    assert!(names.len() == 3 && names.iter().all(|name| name.contains(version)), "{names:?}");
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_named_test_exists() {
    let page = read("docs/promises.md");
    let names = page.split('`').skip(1).step_by(2).filter(|name| name.contains("::") && *name != "FILE::NAME");
    let sources = files(&root().join("tests/it"));
    let mut count = 0;
    for name in names {
        let (module, test) = name.rsplit_once("::").unwrap();
        // In whichever directory the file is.
        let file = format!("{}.rs", module.rsplit("::").next().unwrap());
        let defines = |path: &&PathBuf| {
            path.ends_with(&file) && fs::read_to_string(path).unwrap().contains(&format!("fn {test}("))
        };
        assert!(sources.iter().any(|path| defines(&path)), "{name}");
        count += 1;
    }
    assert!(count > 50, "only {count} tests are named");
}
