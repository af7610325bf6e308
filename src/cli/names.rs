//! The names of several logs on a terminal: as short as possible, but all different.

use wstail::client::{LogPattern, Url};

/// What a URL on the command line stands for.
pub(super) enum NamedSource {
    Log(Url),
    Pattern(LogPattern),
}

/// The names of the logs that are named on the command line, and of those that patterns stand for.
pub(super) struct Names {
    of_sources: Vec<String>,
    /// There are several servers, and logs may come whose paths are not known yet.
    has_servers: bool,
}

impl NamedSource {
    pub(super) fn server(&self) -> &Url {
        match self {
            NamedSource::Log(url) => url,
            NamedSource::Pattern(pattern) => pattern.server(),
        }
    }
}

impl Names {
    pub(super) fn of(sources: &[NamedSource]) -> Names {
        let place = |source: &NamedSource| source.server().place();
        let is_open = sources.iter().any(|source| matches!(source, NamedSource::Pattern(_)));
        let has_servers = is_open && sources.iter().any(|source| place(source) != place(&sources[0]));
        let urls: Vec<_> = sources.iter().map(NamedSource::server).collect();
        let of_sources = match is_open {
            true => urls.iter().map(|url| name(url, has_servers)).collect(),
            false => names(&urls),
        };
        Names { of_sources, has_servers }
    }

    /// The name of the log that is named at this place on the command line.
    pub(super) fn of_source(&self, index: usize) -> String {
        self.of_sources[index].clone()
    }

    /// The name of a log that a pattern stands for.
    pub(super) fn of_listed(&self, url: &Url) -> String {
        name(url, self.has_servers)
    }
}

fn name(url: &Url, has_server: bool) -> String {
    if has_server { format!("{}/{}", url.place(), url.log()) } else { url.log() }
}

/// A log's path, or `HOST:PORT/PATH` if another server has the same path. A log that is followed twice is numbered.
fn names(urls: &[&Url]) -> Vec<String> {
    let logs: Vec<_> = urls.iter().map(|url| (name(url, false), name(url, true))).collect();
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
        Names::of(&urls.map(|url| NamedSource::Log(url.parse().unwrap()))).of_sources
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

    #[test]
    fn logs_of_patterns_have_their_servers_names_if_there_are_several() {
        let named = |sources: [&str; 2]| {
            let source = |text: &str| match LogPattern::parse(text).unwrap() {
                Some(pattern) => NamedSource::Pattern(pattern),
                None => NamedSource::Log(text.parse().unwrap()),
            };
            let names = Names::of(&sources.map(source));
            [names.of_source(0), names.of_listed(&"a:1/y/app.log".parse().unwrap())]
        };
        assert_eq!(named(["a:1/x.log", "a:1/y/*"]), ["x.log", "y/app.log"]);
        assert_eq!(named(["b:1/x.log", "a:1/y/*"]), ["b:1/x.log", "a:1/y/app.log"]);
    }
}
