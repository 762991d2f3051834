//! Port-forwarding in numbered channels: for the n-th port, channel 2n carries its bytes and 2n+1 what went wrong. Each channel begins
//! with its port's number (two bytes, the lower one first). One connection a port.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::mpsc;

use super::{Connection, FromPod, Target};
use crate::serve::{
    host::Host,
    remote::{Channels, Heard},
};

/// Carries these ports until all their connections or the client have ended.
pub async fn run(host: Arc<Host>, target: Target, ports: Vec<u16>, mut channels: Channels) {
    let (output, mut back) = mpsc::unbounded_channel();
    let mut open = BTreeMap::new();
    for (index, port) in (0_u8..).step_by(2).zip(ports) {
        for channel in [index, index + 1] {
            channels.send(channel, &port.to_le_bytes()).await;
        }
        open.insert(index, Connection::open(&host, &target, port, index, output.clone()));
    }
    while !open.is_empty() {
        tokio::select! {
            heard = channels.next() => match heard {
                Heard::Data(channel, bytes) => {
                    if let Some(connection) = open.get(&channel) {
                        connection.write(bytes);
                    }
                }
                Heard::Closed(channel) => {
                    if let Some(connection) = open.get_mut(&channel) {
                        connection.end_writing();
                    }
                }
                Heard::Gone => return,
            },
            Some((channel, from_pod)) = back.recv() => match from_pod {
                FromPod::Data(bytes) => channels.send(channel, &bytes).await,
                FromPod::Error(text) => channels.send(channel + 1, text.as_bytes()).await,
                FromPod::Done => drop(open.remove(&channel)),
            },
        }
    }
    channels.close().await;
}
