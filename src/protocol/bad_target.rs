//! Why a request's target is refused.

use std::fmt;

/// The error for a target that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadTarget {
    /// It is answered with 400: the path or a parameter is malformed. The reason is for people.
    Malformed(String),
    /// It is answered with 403: the path has a `..` segment.
    Parent,
}

impl BadTarget {
    pub(super) fn because(reason: impl Into<String>) -> BadTarget {
        BadTarget::Malformed(reason.into())
    }

    /// A parameter with a value that it does not take.
    pub(crate) fn bad_value(name: &str, value: &str, expected: &str) -> BadTarget {
        const SHOWN: usize = 40;
        let dots = if value.chars().nth(SHOWN).is_some() { "…" } else { "" };
        let value: String = value.chars().take(SHOWN).collect();
        BadTarget::because(format!("the parameter `{name}` takes {expected}, not `{}{dots}`", value.escape_debug()))
    }
}

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadTarget::Malformed(reason) => f.write_str(reason),
            BadTarget::Parent => f.write_str("the path has a `..` segment"),
        }
    }
}

impl std::error::Error for BadTarget {}
