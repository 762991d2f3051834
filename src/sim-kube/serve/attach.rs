//! `attach`: the streams of a container's own process, from now on.

use std::sync::Arc;

use breakfix_workload::Stream;

use super::{
    exec::exit_status,
    host::Host,
    log_tail::LogTail,
    logs,
    remote::{Channels, Heard, STDERR, STDOUT},
    terminal::printed,
};
use crate::api::stream::{AttachSpec, LogSpec};

/// Shows what the process prints until it or the client ends. What is typed reaches nobody: the workload's roles read no input.
pub async fn run(host: Arc<Host>, spec: AttachSpec, mut channels: Channels) {
    let mut tail = LogTail::new(LogSpec {
        namespace: spec.namespace.clone(),
        pod: spec.pod.clone(),
        container: spec.container.clone(),
        follow: true,
        previous: false,
        tail: Some(0),
        since_seconds: None,
        since_time: None,
        timestamps: false,
        limit_bytes: None,
    });
    let mut news = host.news();
    loop {
        let piece = match logs::read(&host, &mut tail) {
            Ok(piece) => piece,
            Err(status) => return channels.finish(&status.body()).await,
        };
        for (stream, line) in piece.lines {
            let (channel, wanted) = match stream {
                Stream::Err if !spec.tty => (STDERR, spec.stderr),
                Stream::Out | Stream::Err => (STDOUT, spec.stdout),
            };
            if wanted {
                channels.send(channel, &if spec.tty { printed(&line) } else { line }).await;
            }
        }
        if piece.over {
            return channels.finish(&exit_status(0, &[])).await;
        }
        tokio::select! {
            _ = news.changed() => {}
            () = logs::until(&host, piece.next) => {}
            heard = channels.next() => if heard == Heard::Gone { return },
        }
    }
}
