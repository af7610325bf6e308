//! TLS, as both ends use it: rustls over a socket that is used turn by turn.
//! A build without the feature `tls` has `absent` in its place.

mod acceptor;
mod connector;
mod stream;

pub(crate) use self::acceptor::Acceptor;
pub(crate) use self::connector::Connector;
pub(crate) use self::stream::TlsStream;

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use crate::error::{Error, Result, cause};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates in a file, at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|error| flaw(&error))?;
    if certificates.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(certificates) }
}

/// What is wrong with a PEM file.
fn flaw(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => cause(error),
        _ => "it is no PEM".to_owned(),
    }
}

/// A file that is needed to begin with, and of no use as it is.
fn unusable(kind: &str, file: &Path, flaw: &str) -> Error {
    Error::usage(format!("cannot use the {kind} file `{}`: {flaw}", file.display()))
}
