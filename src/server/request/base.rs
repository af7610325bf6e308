//! The base path below which the service answers, for a reverse proxy that passes one path on. It only decides which
//! paths are below it.

use crate::error::{Error, Result};
use crate::protocol::address::Address;

/// `/` or `/logs/`.
#[derive(Debug)]
pub(in crate::server) struct Base {
    /// The encoded path, with a slash at both ends.
    path: String,
    address: Address,
}

/// Where a path is relative to the base path.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum Below {
    /// Below the base: the rest of the path.
    Address(Address),
    /// The base without its last slash.
    Bare,
    Outside,
}

impl Base {
    /// Parses a base path, with or without the last slash.
    pub(in crate::server) fn parse(text: &str) -> Result<Base> {
        let bad = |cause: &str| Error::usage(format!("cannot use the base path `{}`: {cause}", text.escape_debug()));
        let is_path = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
        if !text.starts_with('/') || !text.bytes().all(is_path) {
            return Err(bad("expected a path such as /logs"));
        }
        let address = Address::parse(text).map_err(|error| bad(&error.to_string()))?;
        let segments = text.split('/').filter(|segment| !matches!(*segment, "" | "."));
        let path = segments.fold("/".to_owned(), |path, segment| path + segment + "/");
        Ok(Base { path, address })
    }

    /// The path to redirect to from the bare base.
    pub(in crate::server) fn path(&self) -> &str {
        &self.path
    }

    /// `path` is the path as requested, `address` what it decodes to.
    pub(in crate::server) fn below(&self, path: &str, address: &Address) -> Below {
        match address.beneath(&self.address) {
            Some(rest) if rest.segments().is_empty() && self.path != "/" && !path.ends_with('/') => Below::Bare,
            Some(rest) => Below::Address(rest),
            None => Below::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(base: &str, path: &str) -> String {
        match Base::parse(base).unwrap().below(path, &Address::parse(path).unwrap()) {
            Below::Address(address) => format!("<{address}>"),
            Below::Bare => "bare".to_owned(),
            Below::Outside => "outside".to_owned(),
        }
    }

    #[test]
    fn only_what_lies_beneath_is_answered() {
        for base in ["/a/logs", "/a/logs/", "//a/./logs"] {
            let seen =
                ["/a/logs", "/a/logs/", "/a/l%6fgs//srv/x", "/a/logsx", "/a", "/", "/x"].map(|path| below(base, path));
            assert_eq!(seen, ["bare", "<>", "<srv/x>", "outside", "outside", "outside", "outside"], "{base}");
            assert_eq!(Base::parse(base).unwrap().path(), "/a/logs/");
        }
        assert_eq!(["/", "/x", "/."].map(|path| below("/", path)), ["<>", "<x>", "<>"]);
    }

    #[test]
    fn a_base_is_a_path() {
        for bad in ["", "logs", "/a b", "/a?b", "/../x", "/%zz", "/é", "http://x/"] {
            assert!(Base::parse(bad).unwrap_err().is_usage(), "{bad}");
        }
    }
}
