//! One forwarded connection. What listens in a pod speaks HTTP, one request a connection, so that is what is carried.

use std::{sync::Arc, time::Duration};

use breakfix_workload::{CallError, Response, http1};
use bytes::Bytes;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::sleep,
};

use crate::serve::{call::Call, host::Host, inside};

/// The pod that ports are forwarded to.
#[derive(Clone, Debug)]
pub struct Target {
    pub namespace: String,
    pub pod: String,
}

/// What comes back on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromPod {
    Data(Vec<u8>),
    /// The port cannot be reached, in the runtime's words.
    Error(String),
    /// The pod's side is closed.
    Done,
}

/// A connection as its carrier holds it. Dropping it closes it.
pub struct Connection {
    to_pod: Option<UnboundedSender<Bytes>>,
    task: tokio::task::JoinHandle<()>,
}

impl Connection {
    /// Opens a connection; what comes back goes to `output` under `name`.
    pub fn open<N: Clone + Send + Sync + 'static>(
        host: &Arc<Host>,
        target: &Target,
        port: u16,
        name: N,
        output: mpsc::UnboundedSender<(N, FromPod)>,
    ) -> Self {
        let (to_pod, input) = mpsc::unbounded_channel();
        let (host, target) = (Arc::clone(host), target.clone());
        let task = tokio::spawn(async move {
            let say = |what| drop(output.send((name.clone(), what)));
            carry(&host, &target, port, input, &say).await;
            say(FromPod::Done);
        });
        Self { to_pod: Some(to_pod), task }
    }

    /// Bytes for the pod.
    pub fn write(&self, bytes: Bytes) {
        if let Some(to_pod) = &self.to_pod {
            let _ = to_pod.send(bytes);
        }
    }

    /// The client will write no more; it may still read.
    pub fn end_writing(&mut self) {
        self.to_pod = None;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    host: &Host,
    target: &Target,
    port: u16,
    mut input: UnboundedReceiver<Bytes>,
    say: &(impl Fn(FromPod) + Sync),
) {
    let reached = host.look(|cluster| inside::reach(cluster, &target.namespace, &target.pod, port));
    match reached {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return say(FromPod::Error(error)),
        Err(failed) => return say(FromPod::Error(failed.to_string())),
    }
    let mut arrived = Vec::new();
    while let Some(bytes) = input.recv().await {
        arrived.extend_from_slice(&bytes);
        let request = match http1::read_request(&arrived) {
            Ok(None) => continue,
            Ok(Some(request)) => request,
            Err(malformed) => {
                let response = Response::text(malformed.status(), format!("{malformed}\n"));
                return say(FromPod::Data(http1::write_response(&response, "GET")));
            }
        };
        let method = request.method.clone();
        let called = match host.act(Call::new(&target.namespace, &target.pod, port, request)) {
            Ok(called) => called,
            Err(refused) => return say(FromPod::Error(refused.to_string())),
        };
        match called.answer {
            // Nothing ever comes: the client ends it.
            Err(CallError::TimedOut) => std::future::pending().await,
            answer => {
                pass(host, called.took).await;
                if let Ok(response) = answer {
                    say(FromPod::Data(http1::write_response(&response, &method)));
                }
                return;
            }
        }
    }
}

async fn pass(host: &Host, took: Duration) {
    let wait = host.wait_for(took);
    if !wait.is_zero() {
        sleep(wait).await;
    }
}
