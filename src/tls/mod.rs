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
use crate::small_file;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The contents of a PEM file, or what is wrong with it.
fn read(file: &Path) -> Result<Vec<u8>, String> {
    small_file::read(file).map_err(|error| cause(&error))
}

/// The certificates in a file, at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("it contains no certificate".to_owned()),
        certificates => certificates.map_err(|_| NO_PEM.to_owned()),
    }
}

const NO_PEM: &str = "it is not a PEM file";

/// The error for a required file that cannot be used.
fn unusable(kind: &str, file: &Path, flaw: &str) -> Error {
    Error::usage(format!("cannot use the {kind} file `{}`: {flaw}", file.display()))
}
