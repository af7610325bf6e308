//! The names of several logs on a terminal: as short as possible, but all different.

use wstail::client::Url;

/// A log's path, or `HOST:PORT/PATH` if another server has the same path. A log that is followed twice is numbered.
pub(super) fn names(urls: &[Url]) -> Vec<String> {
    let logs: Vec<_> = urls.iter().map(|url| (url.log(), format!("{}/{}", url.place(), url.log()))).collect();
    let is_elsewhere = |(log, full): &(String, String)| logs.iter().any(|other| other.0 == *log && other.1 != *full);
    let names: Vec<_> = logs.iter().map(|log| if is_elsewhere(log) { &log.1 } else { &log.0 }).collect();
    let count = |names: &[&String], name: &String| names.iter().filter(|other| **other == name).count();
    let numbered = |(at, name): (usize, &&String)| match count(&names, name) {
        1 => name.to_string(),
        _ => format!("{name} ({})", count(&names[..=at], name)),
    };
    names.iter().enumerate().map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<const N: usize>(urls: [&str; N]) -> Vec<String> {
        names(&urls.map(|url| url.parse().unwrap()))
    }

    #[test]
    fn a_path_will_do_where_it_is_the_only_one() {
        assert_eq!(named(["a:1/x/app.log", "ws://b:1/app.log", "b:1/%20"]), ["x/app.log", "app.log", " "]);
    }

    #[test]
    fn the_same_path_elsewhere_is_told_by_its_host_and_port() {
        let urls = ["a:1/x.log", "http://[::1]:1/x.log", "a:2/x.log", "a:1/y.log"];
        assert_eq!(named(urls), ["a:1/x.log", "[::1]:1/x.log", "a:2/x.log", "y.log"]);
    }

    #[test]
    fn the_same_log_twice_is_numbered() {
        assert_eq!(named(["a:1/x?lines=1", "a:1/y", "ws://a:1//x"]), ["x (1)", "y", "x (2)"]);
        assert_eq!(named(["a:1/x", "b:1/x", "a:1/x"]), ["a:1/x (1)", "b:1/x", "a:1/x (2)"]);
    }
}
