//! Whose certificates a client trusts.

use std::path::Path;

use crate::error::Result;
use crate::tls::Connector;

/// Whose certificates a client trusts over `wss://` and `https://`. Default: those of whom the system trusts, which
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment stand in for.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// `None` for the system's, which are read when they are needed.
    connector: Option<Connector>,
}

impl Trust {
    /// Trusts the authorities whose certificates are in a file, PEM, and nobody else.
    ///
    /// # Errors
    /// A usage error where the file cannot be used, or this is a build without the feature `tls`.
    pub fn only(file: &Path) -> Result<Trust> {
        Ok(Trust { connector: Some(Connector::only(file)?) })
    }

    /// Trusts any server: who sits between can read and change everything, the token, too.
    ///
    /// # Errors
    /// A usage error in a build without the feature `tls`.
    pub fn anyone() -> Result<Trust> {
        Ok(Trust { connector: Some(Connector::anyone()?) })
    }

    pub(super) fn connector(&self) -> Result<Connector> {
        self.connector.clone().map_or_else(Connector::system, Ok)
    }
}
