//! Whose certificates a client trusts, by its options.

use std::path::Path;

use wstail::Result;
use wstail::client::trust::Trust;

/// `ca_file` is `--ca-file`, `insecure` is `--insecure`.
pub(super) fn from_options(ca_file: Option<&Path>, insecure: bool) -> Result<Trust> {
    match ca_file {
        Some(_) if insecure => Err(super::usage("give --ca-file or --insecure, not both")),
        Some(file) => Trust::only(file),
        None if insecure => Trust::anyone(),
        None => Ok(Trust::default()),
    }
}
