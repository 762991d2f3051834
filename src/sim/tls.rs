//! TLS as a simulator speaks it: its own server certificate, and client certificates of its own authority, which are optional.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{ca::Credentials, peer::Peer};

/// A handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// TLS could not be set up from the kept key material.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("read the PEM text of {what}")]
    Pem { what: &'static str, source: rustls::pki_types::pem::Error },
    #[error("use {what} for TLS")]
    Rejected { what: &'static str, source: rustls::Error },
    #[error("check client certificates")]
    Verifier { source: rustls::server::VerifierBuilderError },
}

/// A server's side of TLS, ready for connections.
#[derive(Clone)]
pub struct Acceptor {
    acceptor: TlsAcceptor,
}

impl Acceptor {
    /// From the authority's certificate (PEM) and the server's own. A client may show a certificate of the authority or none; one from
    /// elsewhere ends the handshake.
    ///
    /// # Errors
    /// The key material cannot be used.
    pub fn new(authority: &str, server: &Credentials) -> Result<Self, TlsError> {
        Ok(Self { acceptor: TlsAcceptor::from(server_config(authority, server)?) })
    }

    /// Shakes hands: the connection, and who the client is; `None` if it showed no certificate.
    ///
    /// # Errors
    /// The client does not speak TLS, does not trust us, shows a certificate from elsewhere, or is too slow.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Option<Peer>)> {
        let stream = timeout(HANDSHAKE, self.acceptor.accept(stream)).await.map_err(io::Error::from)??;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let peer = certificate.and_then(|certificate| Peer::of(certificate));
        Ok((stream, peer))
    }
}

/// Offers HTTP/2 and HTTP/1.1.
fn server_config(authority: &str, server: &Credentials) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.as_bytes())
        .map_err(|source| TlsError::Pem { what: "the authority's certificate", source })?;
    roots.add(root).map_err(|source| TlsError::Rejected { what: "the authority's certificate", source })?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|source| TlsError::Verifier { source })?;
    let chain = CertificateDer::pem_slice_iter(server.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { what: "the server's certificate", source })?;
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes())
        .map_err(|source| TlsError::Pem { what: "the server's key", source })?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Rejected { what: "the protocol versions", source })?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|source| TlsError::Rejected { what: "the server's certificate", source })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
