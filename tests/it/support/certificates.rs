//! Certificates for tests, and both ends of TLS connections with them.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::{DEADLINE, Log, Process, Server, serve_with, upgrade, wstail};

/// An authority, and a server's certificate and key, as files.
pub struct Certificates {
    directory: tempfile::TempDir,
}

impl Certificates {
    /// The certificate is for these names and addresses.
    pub fn new(names: &[&str]) -> Certificates {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("authority of {}", names[0]));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let files = Certificates { directory: tempfile::tempdir().unwrap() };
        let contents = [("ca.pem", authority.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())];
        contents.iter().for_each(|(name, text)| fs::write(files.path(name), text).unwrap());
        files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn serve(&self, log: &Log, options: &[&str]) -> Server {
        let (cert, key) = (self.word("cert.pem"), self.word("key.pem"));
        serve_with(log, &[&["--tls-cert", &cert, "--tls-key", &key], options].concat())
    }

    /// An open connection on which nothing was sent yet.
    pub fn connect(&self, server: &Server) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(session, server.connect());
        // Without this, a request would wait until the end of the handshake is acknowledged.
        stream.sock.set_nodelay(true).unwrap();
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        stream
    }

    /// Takes the next client, up to the end of its handshake.
    pub fn accept(&self, listener: &TcpListener) -> StreamOwned<ServerConnection, TcpStream> {
        let certificates = vec![CertificateDer::from_pem_file(self.path("cert.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.path("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(certificates, key).unwrap();
        let socket = listener.accept().unwrap().0;
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket)
    }

    /// The whole answer to a request, up to the end, which TLS must confirm.
    pub fn get(&self, server: &Server, target: &str, fields: &str) -> Vec<u8> {
        let mut stream = self.connect(server);
        write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// An open WebSocket.
    pub fn upgraded(&self, server: &Server, target: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let mut stream = self.connect(server);
        upgrade(&mut stream, target, "");
        stream
    }
}

pub fn local_certificates() -> Certificates {
    Certificates::new(&["localhost", "127.0.0.1"])
}

/// Runs `wstail tail`.
pub fn tail(url: &str, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", url]).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// The address of the server's log over TLS.
pub fn secure_url(server: &Server) -> String {
    format!("wss://{}/app.log", server.address)
}
