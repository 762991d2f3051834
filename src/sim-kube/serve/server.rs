//! A cluster on a port of this machine, behind TLS.

use std::{io, sync::Arc, time::Duration};

use breakfix_sim::{listen, tls::Acceptor};
use tokio::net::{TcpListener, TcpStream};

use super::{
    error::ServeError,
    keys::Keys,
    service::{self, Service, Way},
};

/// When the process has no more files to open for connections, it waits so long for some to end.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    acceptor: Acceptor,
    service: Arc<Service>,
    port: u16,
}

impl Server {
    /// Listens on this port, or the next free one; on any for 0.
    ///
    /// # Errors
    /// No port is free, or the keys are of no use.
    pub async fn listen(service: Arc<Service>, keys: &Keys, port: u16) -> Result<Self, ServeError> {
        let acceptor = Acceptor::new(&keys.authority.certificate, &keys.server)?;
        let refused = |source: io::Error| ServeError::Listen { port, source };
        let listener = listen::listen(port).await.map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        Ok(Self { listener, acceptor, service, port })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until the service is stopped.
    pub async fn run(self) {
        let mut stop = self.service.stop.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stopped| *stopped) => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    drop(tokio::spawn(connection(stream, self.acceptor.clone(), Arc::clone(&self.service))))
                }
                Err(_) => tokio::time::sleep(OUT_OF_FILES).await,
            }
        }
    }
}

/// One connection, from the handshake to its end. How it ends is the client's affair.
async fn connection(stream: TcpStream, acceptor: Acceptor, service: Arc<Service>) {
    let _ = stream.set_nodelay(true);
    let Ok((stream, peer)) = acceptor.accept(stream).await else { return };
    let certified = service::asker(peer);
    let mut stop = service.stop.subscribe();
    let serving = listen::serve(stream, move |request| {
        service::answer(Arc::clone(&service), certified.clone(), request, Way::Wire)
    });
    tokio::select! {
        _ = serving => {}
        // A moment for the answer that says so.
        () = async {
            let _ = stop.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(OUT_OF_FILES).await;
        } => {}
    }
}
