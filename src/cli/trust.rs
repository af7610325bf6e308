//! How a client connects, by the options `--ca-file` and `--insecure`.

use std::path::Path;

use wstail::Result;
use wstail::client::{ClientConfig, Trust};
use wstail::protocol::token::Token;

/// # Errors
/// A usage error when both options are given, or the file cannot be used.
pub(super) fn client_config(token: Option<Token>, ca_file: Option<&Path>, insecure: bool) -> Result<ClientConfig> {
    let mut config = ClientConfig::default();
    config.token = token;
    config.trust = match ca_file {
        Some(_) if insecure => return Err(super::usage("--ca-file and --insecure cannot be combined")),
        Some(file) => Trust::only(file)?,
        None if insecure => Trust::anyone()?,
        None => Trust::default(),
    };
    Ok(config)
}
