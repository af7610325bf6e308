//! TLS, as both ends use it: rustls over a socket that is used turn by turn.
//! A build without the feature `tls` has `absent` in its place.

mod acceptor;
mod connector;
mod stream;

pub(crate) use self::acceptor::Acceptor;
pub(crate) use self::connector::Connector;
pub(crate) use self::stream::TlsStream;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use crate::error::{Error, Result, cause};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a file of PEM holds, or what is wrong with it.
fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut pem = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut pem));
    read.map_err(|error| cause(&error))?;
    if pem.len() as u64 > LARGEST { Err("it is larger than 1 MiB".to_owned()) } else { Ok(pem) }
}

/// The certificates in a file, at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("it holds no certificate".to_owned()),
        certificates => certificates.map_err(|_| NO_PEM.to_owned()),
    }
}

const NO_PEM: &str = "it is no PEM";

/// A file that is needed to begin with, and of no use as it is.
fn unusable(kind: &str, file: &Path, flaw: &str) -> Error {
    Error::usage(format!("cannot use the {kind} file `{}`: {flaw}", file.display()))
}
