//! Which certificates a client trusts. The checks themselves are in `tls`.

use std::path::Path;

use crate::error::Result;
use crate::tls::Connector;

/// Which certificates a client trusts over `wss://` and `https://`. Default: those the system trusts, or those that
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name in the environment.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// `None` for the system's, which are read when they are needed.
    connector: Option<Connector>,
}

impl Trust {
    /// Trusts only the certificates in a PEM file of at most 1 MiB, and what they have signed.
    ///
    /// # Errors
    /// A usage error ([`Error::is_usage`](crate::Error::is_usage)) when the file cannot be used, or in a build without the
    /// feature `tls`.
    pub fn only(file: &Path) -> Result<Trust> {
        Ok(Trust { connector: Some(Connector::only(file)?) })
    }

    /// Trusts any server. Anybody between the two ends can then read and change everything, including the token.
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
