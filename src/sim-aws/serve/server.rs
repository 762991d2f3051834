//! A cloud on two ports of this machine: the API's, and one at which its load balancers answer.

use std::{io, sync::Arc, time::Duration};

use breakfix_sim::listen;
use tokio::net::{TcpListener, TcpStream};

use super::{
    error::ServeError,
    service::{self, Door, Service},
};

/// When the process has no more files to open for connections, it waits so long for some to end.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Server {
    api: TcpListener,
    balancers: TcpListener,
    service: Arc<Service>,
    ports: (u16, u16),
}

impl Server {
    /// Listens on these ports (the API's, the balancers'), or the next free ones; on any for 0.
    ///
    /// # Errors
    /// No port is free.
    pub async fn listen(service: Arc<Service>, api: u16, balancers: u16) -> Result<Self, ServeError> {
        let (api, api_port) = listen(api).await?;
        let (balancers, balancers_port) = listen(balancers).await?;
        service.listens_on(vec![api_port, balancers_port]);
        Ok(Self { api, balancers, service, ports: (api_port, balancers_port) })
    }

    /// The ports that it listens on: the API's, the balancers'.
    pub fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Serves until the service is stopped.
    pub async fn run(self) {
        let mut stop = self.service.stop.subscribe();
        loop {
            let (accepted, door) = tokio::select! {
                accepted = self.api.accept() => (accepted, Door::Api),
                accepted = self.balancers.accept() => (accepted, Door::Balancers),
                _ = stop.wait_for(|stopped| *stopped) => return,
            };
            match accepted {
                Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&self.service), door))),
                Err(_) => tokio::time::sleep(OUT_OF_FILES).await,
            }
        }
    }
}

async fn listen(port: u16) -> Result<(TcpListener, u16), ServeError> {
    let refused = |source: io::Error| ServeError::Listen { port, source };
    let listener = listen::listen(port).await.map_err(refused)?;
    let port = listener.local_addr().map_err(refused)?.port();
    Ok((listener, port))
}

/// One connection to its end. How it ends is the client's affair.
async fn connection(stream: TcpStream, service: Arc<Service>, door: Door) {
    let _ = stream.set_nodelay(true);
    let mut stop = service.stop.subscribe();
    let serving = listen::serve(stream, move |request| service::answer(Arc::clone(&service), door, request));
    tokio::select! {
        _ = serving => {}
        // A moment for the answer that says so.
        () = async {
            let _ = stop.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(OUT_OF_FILES).await;
        } => {}
    }
}
