//! The parameters of a request for the list of logs, `/-/files`.

use super::bad_target::BadTarget;
use super::glob::Glob;
use super::request::{View, flag, put, word};

/// Which logs a client asks for; a parameter that it did not name is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListParameters {
    /// Only logs whose paths match.
    pub glob: Option<Glob>,
    /// Whether the rotated files of other listed logs are logs, too.
    pub generations: Option<bool>,
    /// It has no effect, because there is no page of the list.
    pub view: Option<View>,
}

impl ListParameters {
    /// Parses a query.
    ///
    /// # Errors
    /// If a parameter is unknown, repeated or malformed.
    pub fn parse(query: &str) -> Result<ListParameters, BadTarget> {
        let mut parameters = ListParameters::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let bad = |reason| BadTarget::Malformed(format!("the parameter `{}` {reason}", name.escape_debug()));
            let (name, value) = (word(name).map_err(bad)?, word(value).map_err(bad)?);
            parameters.set(&name, &value)?;
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), BadTarget> {
        let malformed = |reason: String| Err(BadTarget::Malformed(reason));
        match name {
            "match" => match value.parse::<Glob>() {
                Ok(glob) => put(&mut self.glob, name, value, "a pattern", |_| Some(glob.clone())),
                Err(error) => malformed(format!("the parameter `match` is not a pattern for paths: {error}")),
            },
            "generations" => put(&mut self.generations, name, value, "1 or 0", flag),
            "view" => put(&mut self.view, name, value, "text or page", |value| value.parse().ok()),
            _ => malformed(format!(
                "unknown parameter `{}` for the list of logs; the parameters are match and generations",
                name.escape_debug()
            )),
        }
    }

    /// Whether rotated files are listed. By default they are in the list of all logs, and not where logs are chosen by
    /// their names: who asks for `*.log` does not want to read a log twice.
    pub fn has_generations(&self) -> bool {
        self.generations.unwrap_or(self.glob.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_chooses_logs() {
        let parse = |query: &str| ListParameters::parse(query).unwrap();
        assert_eq!(parse(""), ListParameters::default());
        assert!(parse("").has_generations() && !parse("generations=0").has_generations());
        assert!(!parse("match=*.log").has_generations() && parse("match=*.log&generations=1").has_generations());
        assert_eq!(parse("match=%E6%B0%B4/%2A&view=text").glob, Some("水/*".parse().unwrap()));
        assert_eq!(parse("match=a+b").glob.unwrap().to_string(), "a+b");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for (query, cause) in [
            ("match=", "`match` is not a pattern for paths: it is empty"),
            ("match=a[", "a `[` is not closed"),
            ("match=%ff", "`match` is not UTF-8"),
            ("match=a&match=b", "`match` is repeated"),
            ("generations=2", "`generations` takes 1 or 0"),
            ("lines=1", "unknown parameter `lines`"),
            ("%zz", "`%zz` has a malformed percent escape"),
        ] {
            let error = ListParameters::parse(query).unwrap_err().to_string();
            assert!(error.contains(cause), "{query}: {error}");
        }
    }
}
