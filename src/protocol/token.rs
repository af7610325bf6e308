//! A bearer token: the secret that a client sends to be let in. It is compared here in constant time, and printed nowhere.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use subtle::{Choice, ConstantTimeEq};

/// A secret of 1 to 4096 visible ASCII characters. It is parsed from a string; `Debug` does not show it.
///
/// It is sent as `Authorization: Bearer TOKEN`; a browser, which cannot send that along with a WebSocket handshake, offers
/// it as a [subprotocol](Token::subprotocol).
#[derive(Clone)]
pub struct Token {
    plain: String,
    subprotocol: String,
}

const LONGEST: usize = 4096;

/// The error for a text that is not a token. It does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken;

impl Token {
    /// What a browser offers as a subprotocol: `bearer.` and the token in base64url, without padding, which RFC 6455 has no
    /// place for. It is never the one that the server picks, so a browser must offer `wstail.v1` along with it.
    pub fn subprotocol(&self) -> &str {
        &self.subprotocol
    }

    /// The value of the header `Authorization`.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.plain)
    }

    /// Whether this is the token. The time this takes depends on the length of `offered` only.
    pub(crate) fn is(&self, offered: &[u8]) -> Choice {
        same(self.plain.as_bytes(), offered)
    }

    /// Whether this is the token as a subprotocol, in constant time as well.
    pub(crate) fn is_subprotocol(&self, offered: &[u8]) -> Choice {
        same(self.subprotocol.as_bytes(), offered)
    }
}

fn same(secret: &[u8], offered: &[u8]) -> Choice {
    let around = secret.iter().cycle();
    let bytes = offered.iter().zip(around).fold(Choice::from(1), |same, (one, other)| same & one.ct_eq(other));
    bytes & offered.len().ct_eq(&secret.len())
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Token, BadToken> {
        if !(1..=LONGEST).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadToken);
        }
        let subprotocol = format!("bearer.{}", BASE64URL_NOPAD.encode(text.as_bytes()));
        Ok(Token { plain: text.to_owned(), subprotocol })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a token is 1 to {LONGEST} visible ASCII characters, without spaces")
    }
}

impl std::error::Error for BadToken {}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(token: &str, offered: &str) -> bool {
        token.parse::<Token>().unwrap().is(offered.as_bytes()).into()
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(is("s3cret", "s3cret") && is("x", "x"));
        for other in ["", "s", "s3cre", "s3crets", "S3cret", "s3cresS", "s3crets3cret", " s3cret"] {
            assert!(!is("s3cret", other), "{other}");
        }
    }

    #[test]
    fn a_browser_offers_it_in_base64url_without_padding() {
        let token: Token = "a?>~~".parse().unwrap();
        assert_eq!(token.subprotocol(), "bearer.YT8-fn4");
        for (offered, is) in [("bearer.YT8-fn4", true), ("bearer.YT8-fn4=", false), ("bearer.YT8+fn4", false)] {
            assert_eq!(bool::from(token.is_subprotocol(offered.as_bytes())), is, "{offered}");
        }
    }

    #[test]
    fn a_token_is_visible_ascii_and_not_printed() {
        for bad in ["", "two words", "tab\t", "umläut", "\u{7f}", &"x".repeat(LONGEST + 1)] {
            assert_eq!(bad.parse::<Token>().unwrap_err(), BadToken, "{bad:?}");
        }
        let token: Token = "!~=secret".parse().unwrap();
        assert!(!format!("{token:?}{token:#?}").contains("secret"));
    }
}
