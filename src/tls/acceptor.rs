//! The server's end: its certificate and key, and the handshake.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection};

use super::{NO_PEM, TlsStream, certificates, provider, read, unusable};
use crate::error::Result;
use crate::shutdown::Shutdown;
use crate::turn::Turn;

#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
}

impl Acceptor {
    /// Reads the certificate, with those that lead to its root behind it, and its key.
    pub(crate) fn load(cert: &Path, key: &Path) -> Result<Acceptor> {
        let chain = certificates(cert).map_err(|flaw| unusable("certificate", cert, &flaw))?;
        let bad_key = |flaw: &str| unusable("key", key, flaw);
        let private = read(key).and_then(|pem| private(&pem)).map_err(|flaw| bad_key(&flaw))?;
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("ring speaks both versions").with_no_client_auth();
        let mut config = builder.with_single_cert(chain, private).map_err(|error| {
            bad_key(&match error {
                rustls::Error::InconsistentKeys(_) => format!("it is not the key of `{}`", cert.display()),
                error => error.to_string(),
            })
        })?;
        // A client that comes again takes the whole handshake: nothing is kept for those that have gone.
        (config.session_storage, config.send_tls13_tickets) = (Arc::new(NoServerSessionStorage {}), 0);
        Ok(Acceptor { config: Arc::new(config) })
    }

    /// Takes a client's handshake, which must be done at `until`.
    pub(crate) fn accept<T: Turn + AsFd>(
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

/// The first key that a file holds.
fn private(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let has = |words: &[u8]| memchr::memmem::find(pem, words).is_some();
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        // In the words of PKCS #8, and in those that came before it.
        _ if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") => "it is encrypted".to_owned(),
        pem::Error::NoItemsFound => "it holds no key".to_owned(),
        _ => NO_PEM.to_owned(),
    })
}
