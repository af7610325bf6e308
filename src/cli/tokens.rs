//! Loads tokens from a file, one a line, and from the environment. An error says what is wrong, and never shows the token.

use std::fmt::Display;
use std::path::Path;

use wstail::protocol::token::{BadToken, Token};
use wstail::{Error, Result, small_file};

/// The variable with one more token.
const VARIABLE: &str = "WSTAIL_TOKEN";

/// The tokens in the file, which must have at least one, then the one in the environment.
pub(super) fn load(file: Option<&Path>) -> Result<Vec<Token>> {
    let mut tokens = file.map_or(Ok(Vec::new()), read)?;
    tokens.extend(from_environment()?);
    Ok(tokens)
}

fn read(path: &Path) -> Result<Vec<Token>> {
    let what = format!("cannot use the token file `{}`", path.display());
    let bytes = small_file::read(path).map_err(|error| Error::usage(Error::io(&what, error).to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim_ascii).zip(1..).filter(|(line, _)| !line.is_empty());
    let parse = |(line, number): (&str, usize)| {
        line.parse().map_err(|bad| Error::usage(format!("{what}: line {number}: {bad}")))
    };
    let tokens: Vec<Token> = lines.map(parse).collect::<Result<_>>()?;
    if tokens.is_empty() {
        return Err(Error::usage(format!("{what}: it contains no token")));
    }
    Ok(tokens)
}

/// An empty variable is an error: it was meant to hold a token, and ignoring it would let everybody in.
fn from_environment() -> Result<Option<Token>> {
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let unusable = |bad: &dyn Display| Error::usage(format!("cannot use the variable {VARIABLE}: {bad}"));
    let value = value.to_string_lossy();
    match value.trim_ascii() {
        "" => Err(unusable(&"it is empty: give it a token or unset it")),
        token => token.parse().map(Some).map_err(|bad: BadToken| unusable(&bad)),
    }
}
