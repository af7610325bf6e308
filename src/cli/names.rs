//! The names of several logs on a terminal: as short as possible, but all different.
//!
//! A log of a server is called by its path there, or by that and the server's name. A log of this machine is called by its
//! name, or its path below a directory that was given, or by that and this machine's name, or as the user would write it.

use wstail::client::{LogPattern, Url};

/// What a URL on the command line stands for.
pub(super) enum NamedSource {
    Log(Url),
    Pattern(LogPattern),
}

/// The names of the logs that are named on the command line, and of those that patterns stand for.
pub(super) struct Names {
    of_sources: Vec<String>,
    /// What the logs of patterns are called.
    of_patterns: NameForm,
}

/// How much a name contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameForm {
    Log,
    /// Also the name of its server, or of this machine.
    Server,
    /// Of a log of this machine, its whole path as the user would write it; otherwise as [`NameForm::Server`].
    Path,
}

impl NamedSource {
    pub(super) fn server(&self) -> &Url {
        match self {
            NamedSource::Log(url) => url,
            NamedSource::Pattern(pattern) => pattern.server(),
        }
    }

    pub(super) fn server_mut(&mut self) -> &mut Url {
        match self {
            NamedSource::Log(url) => url,
            NamedSource::Pattern(pattern) => pattern.server_mut(),
        }
    }
}

impl Names {
    pub(super) fn of(sources: &[NamedSource]) -> Names {
        let urls: Vec<_> = sources.iter().map(NamedSource::server).collect();
        // Logs may come whose paths are not known yet.
        let is_open = sources.iter().any(|source| matches!(source, NamedSource::Pattern(_)));
        let of_patterns = if is_open { NameForm::of_patterns(&urls) } else { NameForm::Log };
        let of_sources = match is_open {
            true => urls.iter().map(|url| name(url, of_patterns)).collect(),
            false => names(&urls),
        };
        Names { of_sources, of_patterns }
    }

    /// The name of the log that is named at this place on the command line.
    pub(super) fn of_source(&self, index: usize) -> String {
        self.of_sources[index].clone()
    }

    /// The name of a log that a pattern stands for.
    pub(super) fn of_listed(&self, url: &Url) -> String {
        name(url, self.of_patterns)
    }
}

impl NameForm {
    /// The shortest form in which no two sources have logs of the same name.
    fn of_patterns(urls: &[&Url]) -> NameForm {
        let mut paths = urls.iter().filter(|url| url.is_local() && !url.is_named()).map(|url| url.place());
        let first = paths.next();
        match paths.any(|path| Some(path) != first) {
            true => NameForm::Path,
            false if urls.iter().any(|url| url.server_name() != urls[0].server_name()) => NameForm::Server,
            false => NameForm::Log,
        }
    }
}

fn name(url: &Url, form: NameForm) -> String {
    match form {
        NameForm::Log => url.log(),
        NameForm::Path if url.is_local() && !url.is_named() => url.to_string(),
        NameForm::Server | NameForm::Path => format!("{}/{}", url.server_name(), url.log()),
    }
}

/// Of each log the shortest form in which no other log has the same name. A log that is followed twice is numbered.
fn names(urls: &[&Url]) -> Vec<String> {
    let is_elsewhere = |url: &Url, form| {
        let is_other = |other: &&Url| name(other, NameForm::Path) != name(url, NameForm::Path);
        urls.iter().any(|other| name(other, form) == name(url, form) && is_other(other))
    };
    let name_of = |url: &&Url| {
        // A name that the user has set is wanted.
        let shortest = if url.is_named() && urls.len() > 1 { NameForm::Server } else { NameForm::Log };
        let forms = [shortest, NameForm::Server].into_iter().find(|form| !is_elsewhere(url, *form));
        name(url, forms.unwrap_or(NameForm::Path))
    };
    let names: Vec<_> = urls.iter().map(name_of).collect();
    let count = |names: &[String], name: &String| names.iter().filter(|other| *other == name).count();
    let numbered = |(at, name): (usize, &String)| match count(&names, name) {
        1 => name.clone(),
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
