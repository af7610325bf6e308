//! The client's end: the certificates it trusts, and the handshake.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::fd::AsFd;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, InvalidMessage,
    RootCertStore, SignatureScheme,
};

use super::{TlsStream, certificates, provider, unusable};
use crate::bounded_stream::Bounded;
use crate::error::{Error, Result, cause};
use crate::shutdown::Shutdown;

#[derive(Clone, Debug)]
pub(crate) struct Connector {
    config: Arc<ClientConfig>,
}

impl Connector {
    /// Trusts the certificates that the system trusts.
    pub(crate) fn system() -> Result<Connector> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Among a system's certificates there are some that rustls cannot use.
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or("it has none".to_owned(), ToString::to_string);
            return Err(Error::io("cannot read the system's root certificates", io::Error::other(why)));
        }
        Ok(Connector::trusting(roots))
    }

    /// Trusts only the certificates in the file.
    pub(crate) fn only(file: &Path) -> Result<Connector> {
        let bad = |flaw: &str| unusable("CA", file, flaw);
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file).map_err(|flaw| bad(&flaw))? {
            roots.add(certificate).map_err(|_| bad("it contains a malformed certificate"))?;
        }
        Ok(Connector::trusting(roots))
    }

    /// Trusts any server.
    pub(crate) fn anyone() -> Result<Connector> {
        let verifier = Arc::new(Anyone(provider()));
        Ok(Connector::new(|builder| {
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }))
    }

    fn trusting(roots: RootCertStore) -> Connector {
        Connector::new(|builder| builder.with_root_certificates(roots).with_no_client_auth())
    }

    fn new(
        finish: impl FnOnce(rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>) -> ClientConfig,
    ) -> Connector {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let mut config = finish(builder.expect("ring speaks both versions"));
        config.resumption = Resumption::disabled();
        Connector { config: Arc::new(config) }
    }

    /// Does the handshake with the server, whose certificate must be for `host`, a name or an address. Errors begin
    /// with `what`.
    pub(crate) fn connect<T: Bounded + AsFd>(
        &self,
        turn: T,
        host: &str,
        what: &str,
        until: Instant,
        shutdown: &Shutdown,
    ) -> Result<TlsStream<T>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::usage(format!("{what}: no certificate can be for `{}`", host.escape_debug())))?;
        let session = ClientConnection::new(self.config.clone(), name)
            .map_err(|error| Error::io(what, io::Error::other(error)))?;
        let mut stream = TlsStream::new(turn, session);
        stream.shake_hands(until, shutdown).map_err(|error| failure(what, error))?;
        Ok(stream)
    }
}

fn failure(what: &str, error: io::Error) -> Error {
    if error.kind() == ErrorKind::TimedOut {
        return Error::timeout(format!("{what}: the TLS handshake was not finished within 10 s"));
    }
    match error.get_ref().and_then(|error| error.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(flaw)) => Error::untrusted(what, &distrust(flaw)),
        Some(TlsError::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            Error::io(what, io::Error::other("the server does not speak TLS: try ws:// or http://"))
        }
        _ => {
            let cause = cause(&error);
            Error::io(what, io::Error::new(error.kind(), cause))
        }
    }
}

/// Why a certificate is not trusted.
fn distrust(flaw: &CertificateError) -> String {
    match flaw {
        CertificateError::UnknownIssuer => "its issuer is unknown (see --ca-file)".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::BadSignature | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it was not signed by a trusted issuer (see --ca-file)".to_owned()
        }
        flaw if flaw.to_string().contains("CaUsedAsEndEntity") => {
            "it is an authority's own (CA:TRUE), not a server's".to_owned()
        }
        flaw => flaw.to_string(),
    }
}

/// Accepts every certificate. Whether the server has its key is still checked.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
