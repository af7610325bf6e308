//! The server's end: its certificate and key, and the handshake.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::fd::AsFd;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection};

use super::{NO_PEM, TlsStream, certificates, provider, read, unusable};
use crate::bounded_stream::Bounded;
use crate::error::Result;
use crate::shutdown::Shutdown;

#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
}

impl Acceptor {
    /// Reads the certificate, followed by its intermediate certificates, and its key.
    pub(crate) fn load(cert: &Path, key: &Path) -> Result<Acceptor> {
        let chain = certificates(cert).map_err(|flaw| unusable("certificate", cert, &flaw))?;
        let bad_key = |flaw: &str| unusable("key", key, flaw);
        let private = read(key).and_then(|pem| private(&pem)).map_err(|flaw| bad_key(&flaw))?;
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("ring speaks both versions").with_no_client_auth();
        let mut config = builder.with_single_cert(chain, private).map_err(|error| {
            bad_key(&match error {
                rustls::Error::InconsistentKeys(_) => format!("it does not match the certificate `{}`", cert.display()),
                error => error.to_string(),
            })
        })?;
        // A client that returns does the whole handshake again: nothing is stored for clients that have gone.
        (config.session_storage, config.send_tls13_tickets) = (Arc::new(NoServerSessionStorage {}), 0);
        Ok(Acceptor { config: Arc::new(config) })
    }

    /// Does a client's handshake, which must be finished by `until`.
    pub(crate) fn accept<T: Bounded + AsFd>(
        &self,
        turn: T,
        until: Instant,
        shutdown: &Shutdown,
    ) -> io::Result<TlsStream<T>> {
        let session = ServerConnection::new(self.config.clone()).map_err(io::Error::other)?;
        let mut stream = TlsStream::new(turn, session);
        stream.shake_hands(until, shutdown)?;
        Ok(stream)
    }
}

/// The first key in a file.
fn private(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let has = |words: &[u8]| memchr::memmem::find(pem, words).is_some();
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        // The markers of PKCS #8, and of the formats before it.
        _ if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") => "it is encrypted".to_owned(),
        pem::Error::NoItemsFound => "it contains no key".to_owned(),
        _ => NO_PEM.to_owned(),
    })
}
