//! The options of `wstail tail` that say which lines to print: what they take, which exclude each other, and what they
//! make of a URL. Which lines that are is the server's question.

use std::num::NonZeroU64;

use wstail::client::Url;
use wstail::protocol::criteria::{Case, Context, MAX_CONTEXT, MAX_PATTERNS};
use wstail::select::MAX_PATTERN;
use wstail::{Criteria, Result};

use super::tail::Tail;
use super::usage;
use super::values::number;

/// A pattern. Whether it is a valid expression is for the server to say.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    match text {
        "" => Err("expected a pattern that is not empty".to_owned()),
        _ if text.len() > MAX_PATTERN => Err(format!("expected a pattern of at most {MAX_PATTERN} bytes")),
        // What stands for bytes that are not UTF-8, see `words`.
        _ if text.contains('\0') => Err("expected UTF-8; `\\xFF` in an expression stands for a byte".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// How many lines of context.
pub(super) fn context_lines(text: &str) -> Result<u32, String> {
    let lines = number(text).ok().and_then(|lines| u32::try_from(lines).ok());
    lines.filter(|&lines| lines <= MAX_CONTEXT).ok_or_else(|| format!("expected a number of lines up to {MAX_CONTEXT}"))
}

/// How many matching lines.
pub(super) fn line_count(text: &str) -> Result<NonZeroU64, String> {
    let count = number(text).ok().and_then(|count| NonZeroU64::new(count as u64));
    count.ok_or_else(|| "expected 1 or more".to_owned())
}

/// Reports options that cannot be combined.
///
/// # Errors
/// A usage error that names them.
pub(super) fn check(tail: &Tail) -> Result<()> {
    for (option, patterns) in [("--grep", &tail.grep), ("--exclude", &tail.exclude)] {
        if patterns.len() > MAX_PATTERNS {
            return Err(usage(format!("{option} can be given {MAX_PATTERNS} times at most")));
        }
    }
    let conflicts = [
        ("--ignore-case", "--case-sensitive", tail.ignore_case && tail.case_sensitive),
        ("--entry", "--after-context", tail.entry && tail.after_context.is_some()),
        ("--entry", "--before-context", tail.entry && tail.before_context.is_some()),
        ("--entry", "--context", tail.entry && tail.context.is_some()),
    ];
    match conflicts.iter().find(|(.., are_both)| *are_both) {
        Some((one, other, _)) => Err(usage(format!("{one} and {other} cannot be combined"))),
        None => Ok(()),
    }
}

/// Adds the options to a URL. Each replaces the parameter that the URL may have; the others stay. Returns the whole
/// filter.
///
/// # Errors
/// A usage error if a parameter of the URL is malformed.
pub(super) fn add(tail: &Tail, url: &mut Url) -> Result<Criteria> {
    let of_url = url.criteria()?;
    let mut criteria = of_url.clone();
    if !tail.grep.is_empty() {
        criteria.grep.clone_from(&tail.grep);
    }
    if !tail.exclude.is_empty() {
        criteria.exclude.clone_from(&tail.exclude);
    }
    criteria.match_all |= tail.all_match;
    criteria.fixed |= tail.fixed_strings;
    match (tail.ignore_case, tail.case_sensitive) {
        (true, _) => criteria.case = Case::Ignored,
        (_, true) => criteria.case = Case::Sensitive,
        _ => {}
    }
    if let Some(context) = context(tail) {
        criteria.context = context;
    }
    criteria.level = tail.level.or(criteria.level);
    criteria.max = tail.max.or(criteria.max);
    if criteria != of_url {
        url.set_criteria(&criteria);
    }
    Ok(criteria)
}

fn context(tail: &Tail) -> Option<Context> {
    if tail.entry {
        return Some(Context::Entry);
    }
    let (before, after) = (tail.before_context.or(tail.context), tail.after_context.or(tail.context));
    before.or(after)?;
    Some(Context::Lines { before: before.unwrap_or(0), after: after.unwrap_or(0) })
}

/// Tells filters apart in a cursor file: two that select the same lines for the same reason have the same, in every
/// version and on every machine. `None` if all lines are selected. `max` is left out: it says how many lines to send, and
/// not which.
pub(super) fn fingerprint(criteria: &Criteria) -> Option<String> {
    let mut criteria = criteria.clone();
    for patterns in [&mut criteria.grep, &mut criteria.exclude] {
        patterns.sort();
        patterns.dedup();
    }
    criteria.match_all &= criteria.grep.len() > 1;
    criteria.max = None;
    if !criteria.has_context() {
        criteria.context = Context::default();
    }
    if criteria.grep.is_empty() && criteria.exclude.is_empty() {
        (criteria.fixed, criteria.case) = (false, Case::default());
    }
    if criteria.is_everything() {
        return None;
    }
    // Its text as a request has it, which is the same in every version because servers understand it.
    let text = criteria.to_string();
    Some(format!("{:08x}", crc32fast::hash(text.as_bytes())))
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
        let criteria = add(&tail(arguments), &mut url).unwrap();
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
            (&["-C", "2"], "context=2"),
            (&["-A", "1"], "context=0,1"),
            (&["-B", "1"], "context=1,0"),
            (&["-C", "2", "-A", "1"], "context=2,1"),
            (&["-C", "2", "-A", "1", "-B", "0"], "context=0,1"),
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
        let bad = add(&tail(&[]), &mut "h/a?level=loud".parse().unwrap()).unwrap_err();
        assert!(bad.is_usage() && bad.to_string().contains("`level`"), "{bad}");
    }

    #[test]
    fn options_exclude_each_other() {
        for arguments in [&["-i", "-s"][..], &["--entry", "-A", "1"], &["--entry", "-B", "1"], &["--entry", "-C", "1"]]
        {
            assert!(check(&tail(arguments)).unwrap_err().is_usage(), "{arguments:?}");
        }
        let many = |count: usize| ["-g", "x", "-v", "y"].repeat(count);
        assert!(check(&tail(&many(16))).is_ok());
        assert!(check(&tail(&many(17))).is_err());
        assert!(check(&tail(&["-A", "1", "-B", "1", "-C", "1", "-i"])).is_ok());
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let long = "é".repeat(512);
        assert!(pattern(&long).is_ok() && pattern(&(long + "x")).is_err());
        assert!(pattern("").is_err() && pattern("a\0ff").is_err() && pattern(" ").is_ok());
        assert!(context_lines("1000").is_ok() && context_lines("0").is_ok());
        assert!(["1001", "-1", "", "x", "4294967296"].iter().all(|text| context_lines(text).is_err()));
        assert!(line_count("1").is_ok() && ["0", "", "x"].iter().all(|text| line_count(text).is_err()));
    }

    #[test]
    fn filters_with_the_same_meaning_have_the_same_fingerprint() {
        let of = |query: &str| fingerprint(&format!("h/a?{query}").parse::<Url>().unwrap().criteria().unwrap());
        for everything in ["", "max=5", "context=2", "fixed=1&ignore-case=0", "match=all"] {
            assert_eq!(of(everything), None, "{everything}");
        }
        // It is in files, so it must not change.
        assert_eq!(of("grep=a").unwrap(), "2f755bff");
        for same in ["grep=a&max=3", "grep=a&grep=a&match=all", "grep=%61", "grep=a&lines=5", "grep=a&context=0"] {
            assert_eq!(of(same), of("grep=a"), "{same}");
        }
        assert_eq!(of("grep=b&grep=a&exclude=d&exclude=c"), of("grep=a&grep=b&exclude=c&exclude=d"));
        assert_eq!(of("level=warn&context=3&fixed=1&ignore-case=1"), of("level=warn"));
        let different = ["grep=a", "grep=b", "grep=a&grep=b", "grep=a&grep=b&match=all", "exclude=a", "grep=a&fixed=1"]
            .into_iter()
            .chain(["grep=a&ignore-case=0", "grep=a&context=1", "grep=a&context=entry", "level=info", "level=warn"]);
        let mut found: Vec<_> = different.map(of).collect();
        let count = found.len();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), count);
    }
}
