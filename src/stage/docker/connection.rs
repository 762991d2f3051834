//! One connection to an engine: a socket, plain TCP, or TLS with the client certificate that Docker's own programs use.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::endpoint::{Address, Endpoint};

/// Both directions of a connection.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Connects.
///
/// # Errors
/// The socket's, or the certificates'.
pub(super) async fn connect(endpoint: &Endpoint) -> io::Result<Box<dyn Connection>> {
    match &endpoint.address {
        #[cfg(unix)]
        Address::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets")),
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            let Some(folder) = &endpoint.tls else { return Ok(Box::new(stream)) };
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            let connector = tokio_rustls::TlsConnector::from(Arc::new(configured(folder)?));
            Ok(Box::new(connector.connect(name, stream).await?))
        }
    }
}

/// The certificates of a folder, by the names that Docker gives them.
fn configured(folder: &Path) -> io::Result<ClientConfig> {
    let named = |name: &str, error: rustls::pki_types::pem::Error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", folder.join(name).display()))
    };
    let certificates = |name: &str| -> io::Result<Vec<CertificateDer<'static>>> {
        let all = CertificateDer::pem_file_iter(folder.join(name)).map_err(|error| named(name, error))?;
        all.collect::<Result<_, _>>().map_err(|error| named(name, error))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca.pem")? {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    if !folder.join("cert.pem").exists() {
        return Ok(builder.with_no_client_auth());
    }
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(|error| named("key.pem", error))?;
    builder.with_client_auth_cert(certificates("cert.pem")?, key).map_err(io::Error::other)
}
