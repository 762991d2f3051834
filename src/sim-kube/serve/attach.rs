//! `attach`: the streams of a container's own process, from now on.

use std::sync::Arc;

use breakfix_workload::Stream;
use bytes::Bytes;

use super::{
    blob::Blob,
    exec::exit_status,
    exec_run::Place,
    host::Host,
    inside,
    log_tail::{LogTail, Piece},
    logs,
    remote::{Channels, Heard, STDERR, STDIN, STDOUT},
    terminal::{Key, Terminal, printed},
    typed::Typed,
};
use crate::api::stream::{AttachSpec, LogSpec};

/// Shows what the process prints, and hands it what is typed, until it or the client ends.
pub async fn run(host: Arc<Host>, spec: AttachSpec, channels: Channels) {
    let place = Place { namespace: spec.namespace.clone(), pod: spec.pod.clone(), container: spec.container.clone() };
    let terminal = (spec.tty && spec.stdin).then(Terminal::default);
    let owes_prompt = terminal.is_some();
    let session = Session { host, place, spec, channels, terminal, owes_prompt };
    session.run().await;
}

struct Session {
    host: Arc<Host>,
    place: Place,
    spec: AttachSpec,
    channels: Channels,
    terminal: Option<Terminal>,
    /// A shell has done what it was told and would ask for the next line.
    owes_prompt: bool,
}

impl Session {
    async fn run(mut self) {
        let mut tail = LogTail::new(LogSpec {
            namespace: self.spec.namespace.clone(),
            pod: self.spec.pod.clone(),
            container: self.spec.container.clone(),
            follow: true,
            previous: false,
            tail: Some(0),
            since_seconds: None,
            since_time: None,
            timestamps: false,
            limit_bytes: None,
        });
        let mut news = self.host.news();
        loop {
            let piece = match logs::read(&self.host, &mut tail) {
                Ok(piece) => piece,
                Err(status) => return self.channels.finish(&status.body()).await,
            };
            let (over, next) = (piece.over, piece.next);
            self.show(piece).await;
            if over {
                return self.channels.finish(&exit_status(0, &[])).await;
            }
            if self.owes_prompt && next.is_none() {
                self.owes_prompt = false;
                self.prompt().await;
            }
            let heard = tokio::select! {
                _ = news.changed() => continue,
                () = logs::until(&self.host, next) => continue,
                heard = self.channels.next() => heard,
            };
            match heard {
                Heard::Data(STDIN, bytes) if self.spec.stdin => self.typed(bytes).await,
                Heard::Closed(STDIN) => self.left(),
                Heard::Gone => return self.left(),
                Heard::Data(..) | Heard::Closed(_) => {}
            }
        }
    }

    async fn show(&mut self, piece: Piece) {
        for (stream, line) in piece.lines {
            let (channel, wanted) = match stream {
                Stream::Err if !self.spec.tty => (STDERR, self.spec.stderr),
                Stream::Out | Stream::Err => (STDOUT, self.spec.stdout),
            };
            if wanted {
                self.channels.send(channel, &if self.spec.tty { printed(&line) } else { line }).await;
            }
        }
    }

    async fn prompt(&mut self) {
        let prompt = self.host.look(|cluster| inside::console_prompt(cluster, &self.place)).ok().flatten();
        if let Some(prompt) = prompt.filter(|_| self.spec.stdout) {
            self.channels.send(STDOUT, &printed(prompt.as_bytes())).await;
        }
    }

    async fn typed(&mut self, bytes: Bytes) {
        let Some(terminal) = &mut self.terminal else { return self.hand_in(bytes, false) };
        for key in terminal.typed(&bytes) {
            match key {
                Key::Echo(bytes) => self.channels.send(STDOUT, &bytes).await,
                Key::Line(line) => {
                    self.hand_in(line.into(), false);
                    self.owes_prompt = true;
                }
                Key::End => self.hand_in(Bytes::new(), true),
                Key::Interrupt => self.owes_prompt = true,
            }
        }
    }

    /// Input that cannot be handed in, since the process has just ended, is lost as it would be.
    fn hand_in(&self, bytes: Bytes, ends: bool) {
        drop(self.host.act(Typed { place: self.place.clone(), bytes: Blob(bytes), ends }));
    }

    /// Whoever typed has gone: a container with `stdinOnce` hears no more.
    fn left(&self) {
        let once = self.host.look(|cluster| inside::hears_once(cluster, &self.place)).unwrap_or(false);
        if self.spec.stdin && once {
            self.hand_in(Bytes::new(), true);
        }
    }
}
