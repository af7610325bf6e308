//! The options of `wstail tail` that say which lines to print: what they take, which exclude each other, and what they
//! make of a URL. Which lines that are is the server's question.

use wstail::client::Url;
use wstail::protocol::criteria::{Case, Context, MAX_PATTERNS};
use wstail::select::Filter;
use wstail::{Criteria, Result};

use super::arguments::with_value;
use super::refusal::Refusable;
use super::tail::Tail;
use super::usage;

impl Tail {
    /// Reports options that cannot be combined.
    ///
    /// # Errors
    /// A usage error that names them.
    pub(super) fn check_filter(&self) -> Result<()> {
        for (option, patterns) in [("--grep", &self.grep), ("--exclude", &self.exclude)] {
            if patterns.len() > MAX_PATTERNS {
                return Err(usage(format!("{option} can be given {MAX_PATTERNS} times at most")));
            }
        }
        let conflicts = [
            ("--ignore-case", "--case-sensitive", self.ignore_case && self.case_sensitive),
            ("--entry", "--after-context", self.entry && self.after_context.is_some()),
            ("--entry", "--before-context", self.entry && self.before_context.is_some()),
            ("--entry", "--context", self.entry && self.context.is_some()),
        ];
        match conflicts.iter().find(|(.., are_both)| *are_both) {
            Some((one, other, _)) => Err(usage(format!("{one} and {other} cannot be combined"))),
            None => Ok(()),
        }
    }

    /// Reports options that the whole filter makes pointless.
    ///
    /// # Errors
    /// A usage error that names them.
    fn check_criteria(&self, criteria: &Criteria) -> Result<()> {
        let contexts = [
            ("--context", self.context),
            ("--after-context", self.after_context),
            ("--before-context", self.before_context),
        ];
        let context = contexts.iter().find(|(_, lines)| lines.is_some_and(|lines| lines > 0));
        if let Some((option, _)) = context.filter(|_| criteria.grep.is_empty()) {
            return Err(usage(format!("{option} needs --grep: without it, all lines match")));
        }
        let is_thinned = !criteria.grep.is_empty() || !criteria.exclude.is_empty() || criteria.level.is_some();
        if self.verify && is_thinned {
            return Err(usage("--verify cannot be combined with --grep, --exclude or --level: it checks all lines"));
        }
        Ok(())
    }

    /// The options whose values a server may refuse.
    pub(super) fn refusable(&self) -> Refusable {
        let mut refusable = Refusable::default();
        let once =
            [("since", "--since", &self.since), ("until", "--until", &self.until), ("zone", "--zone", &self.zone)];
        for (parameter, option, value) in once {
            refusable.add(parameter, option, value.as_slice());
        }
        refusable.add("grep", "--grep", &self.grep);
        refusable.add("exclude", "--exclude", &self.exclude);
        refusable
    }

    /// Reports a pattern that the server would refuse.
    ///
    /// # Errors
    /// A usage error that names the option and the place in the pattern.
    fn check_patterns(&self, criteria: &Criteria) -> Result<()> {
        if !cfg!(feature = "regex") && !criteria.fixed {
            // Expressions are not known here. The server may know them.
            return Ok(());
        }
        let Err(error) = Filter::new(criteria) else { return Ok(()) };
        let (option, patterns) = match error.parameter() {
            "grep" => ("--grep", &self.grep),
            _ => ("--exclude", &self.exclude),
        };
        match patterns.get(error.index()) {
            Some(pattern) => Err(usage(format!("cannot use `{}`: {}", with_value(option, pattern), error.error()))),
            // It is the URL's.
            None => Ok(()),
        }
    }

    /// Adds the options to a URL. Each replaces the parameter that the URL may have; the others stay. Returns the whole
    /// filter.
    ///
    /// # Errors
    /// A usage error if a pattern, or a parameter of the URL, cannot be used, or options contradict the filter.
    pub(super) fn add_filter(&self, url: &mut Url) -> Result<Criteria> {
        let of_url = url.criteria()?;
        let mut criteria = of_url.clone();
        if !self.grep.is_empty() {
            criteria.grep.clone_from(&self.grep);
        }
        if !self.exclude.is_empty() {
            criteria.exclude.clone_from(&self.exclude);
        }
        criteria.match_all |= self.all_match;
        criteria.fixed |= self.fixed_strings;
        match (self.ignore_case, self.case_sensitive) {
            (true, _) => criteria.case = Case::Ignored,
            (_, true) => criteria.case = Case::Sensitive,
            _ => {}
        }
        if let Some(context) = self.filter_context() {
            criteria.context = context;
        }
        criteria.level = self.level.or(criteria.level);
        criteria.max = self.max.or(criteria.max);
        self.check_criteria(&criteria)?;
        self.check_patterns(&criteria)?;
        if criteria != of_url {
            url.set_criteria(&criteria);
        }
        Ok(criteria)
    }

    /// Adds the options for times to a URL, as they were typed: they mean what they would mean in the log.
    ///
    /// # Errors
    /// A usage error if they contradict each other.
    pub(super) fn add_times(&self, url: &mut Url) -> Result<()> {
        if let Some(since) = &self.since {
            url.set_since(since);
        }
        if let Some(until) = &self.until {
            url.set_until(until);
            url.set_tail(false);
        }
        if let Some(zone) = &self.zone {
            url.set_zone(zone);
        }
        if self.history {
            url.set_history(true);
        }
        match &self.until {
            _ if self.follow && url.names("until") => Err(usage("--follow and --until cannot be combined")),
            Some(until) if until.starts_with('+') && !url.names("since") => {
                Err(usage("--until +DURATION needs --since"))
            }
            _ => Ok(()),
        }
    }

    fn filter_context(&self) -> Option<Context> {
        if self.entry {
            return Some(Context::Entry);
        }
        let (before, after) = (self.before_context.or(self.context), self.after_context.or(self.context));
        before.or(after)?;
        Some(Context::Lines { before: before.unwrap_or(0), after: after.unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    use argh::FromArgs;

    use super::*;

    fn tail(arguments: &[&str]) -> Tail {
        Tail::from_args(&["tail"], &[arguments, &["--", "h/a"]].concat()).unwrap()
    }

    fn added(url: &str, arguments: &[&str]) -> String {
        let mut url: Url = url.parse().unwrap();
        let criteria = tail(arguments).add_filter(&mut url).unwrap();
        assert_eq!(url.criteria().unwrap(), criteria);
        criteria.to_string()
    }

    #[test]
    fn each_option_is_a_parameter() {
        for (arguments, expected) in [
            (&[][..], ""),
            (&["-g", "a+ b", "-g", "b", "--all-match"], "grep=a%2B%20b&grep=b&match=all"),
            (&["-v", "a,b", "--fixed-strings", "-i"], "exclude=a,b&fixed=1&ignore-case=1"),
            (&["-s", "-l", "warn", "-m", "3"], "ignore-case=0&level=warn&max=3"),
            (&["-g", "a", "-C", "2"], "grep=a&context=2"),
            (&["-g", "a", "-A", "1"], "grep=a&context=0,1"),
            (&["-g", "a", "-B", "1"], "grep=a&context=1,0"),
            (&["-g", "a", "-C", "2", "-A", "1"], "grep=a&context=2,1"),
            (&["-g", "a", "-C", "2", "-A", "1", "-B", "0"], "grep=a&context=0,1"),
            (&["-C", "0"], ""),
            (&["--entry"], "context=entry"),
        ] {
            assert_eq!(added("h/a", arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn an_option_replaces_the_parameter_of_the_url() {
        let url = "h/a?grep=a&grep=b&match=all&context=5&ignore-case=1&max=9&level=info";
        let of_url = "grep=a&grep=b&match=all&ignore-case=1&context=5&level=info&max=9";
        assert_eq!(added(url, &[]), of_url);
        assert_eq!(added(url, &["-v", "x"]), of_url.replace("&ignore", "&exclude=x&ignore"));
        let expected = "grep=c&match=all&ignore-case=0&context=0,1&level=error&max=2";
        assert_eq!(added(url, &["-g", "c", "-s", "-A", "1", "-l", "error", "-m", "2"]), expected);
        let bad = tail(&[]).add_filter(&mut "h/a?level=loud".parse().unwrap()).unwrap_err();
        assert!(bad.is_usage() && bad.to_string().contains("`level`"), "{bad}");
    }

    #[test]
    fn the_filter_of_the_url_counts_for_options_that_need_one_or_none() {
        let refused = |url: &str, arguments: &[&str]| {
            let result = tail(arguments).add_filter(&mut url.parse().unwrap());
            result.is_err_and(|error| error.is_usage())
        };
        for context in ["-A1", "-B1", "-C1"] {
            let (option, lines) = context.split_at(2);
            assert!(refused("h/a", &[option, lines]) && refused("h/a?level=warn", &[option, lines]), "{context}");
            assert!(!refused("h/a?grep=x", &[option, lines]) && !refused("h/a", &["-g", "x", option, lines]));
        }
        for filter in ["grep=x", "exclude=x", "level=warn"] {
            assert!(refused(&format!("h/a?{filter}"), &["--verify"]), "{filter}");
        }
        assert!(!refused("h/a?max=5&lines=3", &["--verify"]));
    }

    #[test]
    fn options_exclude_each_other() {
        for arguments in [&["-i", "-s"][..], &["--entry", "-A", "1"], &["--entry", "-B", "1"], &["--entry", "-C", "1"]]
        {
            assert!(tail(arguments).check_filter().unwrap_err().is_usage(), "{arguments:?}");
        }
        let many = |count: usize| ["-g", "x", "-v", "y"].repeat(count);
        assert!(tail(&many(16)).check_filter().is_ok());
        assert!(tail(&many(17)).check_filter().is_err());
        assert!(tail(&["-A", "1", "-B", "1", "-C", "1", "-i"]).check_filter().is_ok());
    }
}
