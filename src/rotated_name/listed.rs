//! Which of the paths in a list are rotated files of another log in it. Only names are judged; what is read of a log's
//! generations depends on more than that. Pure.

use std::cmp::Ordering;

use super::name::{COMPRESSED, Counting, Rotated};

/// Whether a rotation may have given `path` to a file of another log: of one in the same directory, or in the directory
/// above it. `is_log` tells whether there is a log with a path.
pub fn is_generation(path: &str, is_log: impl Fn(&str) -> bool) -> bool {
    let (directory, name) = split(path);
    let above = split(directory.trim_end_matches('/')).0;
    let directories = if directory.is_empty() { &[""][..] } else { &[directory, above] };
    candidates(name).any(|log| {
        Rotated::parse(log.as_bytes(), name.as_bytes()).is_some()
            && directories.iter().any(|directory| is_log(&format!("{directory}{log}")))
    })
}

/// The paths of two rotated files of a log, older first as far as their names tell.
pub fn compare_generations(log: &str, one: &str, two: &str) -> Ordering {
    let rotated = |path| Rotated::parse(split(log).1.as_bytes(), split(path).1.as_bytes());
    match (rotated(one), rotated(two)) {
        // Where the files would have to tell, numbers count back, as most tools have it.
        (Some(one), Some(two)) if one.is_like(&two) => one.stamp.compare(&two.stamp, || Counting::Back),
        _ => Ordering::Equal,
    }
}

/// The directory, with the slash behind it, and the name.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// The names that a log may have of which `name` is a rotated file: what stands before a number, a separator or `~`,
/// alone and with the extension.
fn candidates(name: &str) -> impl Iterator<Item = String> {
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let extension = plain.rfind('.').map_or("", |dot| &plain[dot..]);
    let may_end = |character: char| character.is_ascii_digit() || "-_.~".contains(character);
    plain.match_indices(may_end).filter(|(end, _)| *end > 0).flat_map(move |(end, _)| {
        let (stem, rest) = plain.split_at(end);
        let within = (rest.len() > extension.len() && !extension.is_empty()).then(|| format!("{stem}{extension}"));
        [stem.to_owned()].into_iter().chain(within)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one(path: &str, logs: &[&str]) -> bool {
        is_generation(path, |log| logs.contains(&log))
    }

    #[test]
    fn a_rotated_name_beside_its_log_is_a_generation() {
        for name in [
            "app.log.1",
            "app.log.2.gz",
            "app.log-20261123",
            "app.log-20261123-1700000000.xz",
            "app.2026-11-23_01-32-27_123456.log",
            "app-2026-11-23T01-32-27.123.log",
            "app.1.log",
            "app20261123.log",
            "app.log.old",
            "app.log~",
            "app-11-23-2026-1.log.gz",
            "app.old.log",
        ] {
            assert!(is_one(name, &["app.log"]), "{name}");
            assert!(is_one(&format!("nginx/{name}"), &["nginx/app.log"]), "{name}");
            assert!(is_one(&format!("old/{name}"), &["app.log"]), "{name} in a directory of its own");
            assert!(!is_one(name, &["other.log"]) && !is_one(name, &[]), "{name}");
            assert!(!is_one(&format!("a/b/{name}"), &["app.log"]), "{name}");
        }
        assert!(is_one("syslog.1", &["syslog"]) && is_one("access_log.2", &["access_log"]));
    }

    #[test]
    fn other_names_are_logs_of_their_own() {
        for name in ["app.log", "app.error.log", "app2.log", "app.log.lock", "apps.log", "app.log.gz", "1", "~", ""] {
            assert!(!is_one(name, &["app.log"]), "{name}");
        }
        assert!(!is_one("app-10.log", &["app-1.log"]));
        assert!(!is_one("app.log", &["app.log.1"]));
        assert!(!is_one("app-2026-11-24.log", &["app-2026-11-23.log"]), "dated logs without one of the plain name");
        assert!(!is_one("水2.log", &["水.log"]) && is_one("水.log.1", &["水.log"]));
    }
}
