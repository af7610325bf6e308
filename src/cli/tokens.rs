//! Where tokens come from: a file, one a line, and the environment. What is wrong with one is told, never the token.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use wstail::protocol::token::{BadToken, Token};
use wstail::{Error, Result};

/// One more token.
const VARIABLE: &str = "WSTAIL_TOKEN";
/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Those of the file, at least one, and the one of the environment.
pub(super) fn load(file: Option<&Path>) -> Result<Vec<Token>> {
    let mut tokens = file.map_or(Ok(Vec::new()), read)?;
    tokens.extend(from_environment()?);
    Ok(tokens)
}

fn read(path: &Path) -> Result<Vec<Token>> {
    let what = format!("cannot use the token file `{}`", path.display());
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| Error::usage(Error::io(&what, error).to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::usage(format!("{what}: it is larger than 1 MiB")));
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim_ascii).zip(1..).filter(|(line, _)| !line.is_empty());
    let parse = |(line, number): (&str, usize)| {
        line.parse().map_err(|bad| Error::usage(format!("{what}: line {number}: {bad}")))
    };
    let tokens: Vec<Token> = lines.map(parse).collect::<Result<_>>()?;
    if tokens.is_empty() {
        return Err(Error::usage(format!("{what}: it holds no token")));
    }
    Ok(tokens)
}

/// A variable that is set and empty was meant to hold one: who ignored it would serve to everybody.
fn from_environment() -> Result<Option<Token>> {
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let unusable = |bad: &dyn Display| Error::usage(format!("cannot use the variable {VARIABLE}: {bad}"));
    let value = value.to_string_lossy();
    match value.trim_ascii() {
        "" => Err(unusable(&"it is empty: give it a token or unset it")),
        token => token.parse().map(Some).map_err(|bad: BadToken| unusable(&bad)),
    }
}
