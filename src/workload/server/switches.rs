//! POST endpoints that make the program misbehave: they stand for bugs, load and crashes.

use std::time::Duration;

use crate::{End, Machine, Request, Response, Stream, parse_span, stop::Ending};

use super::{Server, config::MIB};

/// How long `/load` holds its memory where nothing else is said.
const LOAD_SECONDS: u64 = 30;
/// Memory that one request may ask for: 64 GiB.
const LOAD_MB_MAX: u64 = 64 << 10;
/// An answer to `/exit` gets this long to reach its caller.
const EXIT_GRACE: Duration = Duration::from_millis(50);

/// Helpers that one request may ask for.
const HELPERS_MAX: u32 = 1000;

impl Server {
    pub(super) fn switch(&self, path: &str, request: &Request, machine: &mut dyn Machine) -> Response {
        let now = machine.uptime();
        match path {
            "/hang" => self.state.with(|state| state.hung = true),
            "/break" => self.state.with(|state| state.broken = true),
            "/unready" => self.state.with(|state| state.unready = true),
            "/mend" => self.state.with(|state| {
                state.broken = false;
                state.unready = false;
            }),
            "/load" => return self.load(request, now),
            "/helper" => return helpers(request, machine),
            "/exit" => return self.exit(request, now),
            other => return Response::text(404, format!("no page {other}\n")),
        }
        Response::text(200, "done\n")
    }

    /// `/load?mb=96&seconds=30`: memory is held before the answer goes out.
    fn load(&self, request: &Request, now: Duration) -> Response {
        let mb = match request.query("mb").map(|text| text.parse::<u64>()) {
            None => self.config.load_bytes / MIB,
            Some(Ok(mb)) if mb <= LOAD_MB_MAX => mb,
            Some(_) => return Response::text(400, "mb is wanted as a whole number\n"),
        };
        let time = match request.query("seconds").map(|text| parse_span(&text)) {
            None => Duration::from_secs(LOAD_SECONDS),
            Some(Some(time)) => time,
            Some(None) => return Response::text(400, "seconds is wanted as a whole number\n"),
        };
        self.state.with(|state| state.load(mb * MIB, now.saturating_add(time)));
        Response::text(200, format!("holding {mb} MiB for {}\n", crate::write_span(time)))
    }

    /// `/exit?code=1`.
    fn exit(&self, request: &Request, now: Duration) -> Response {
        let code = match request.query("code").map(|text| text.parse::<u8>()) {
            None => 1,
            Some(Ok(code)) => i32::from(code),
            Some(Err(_)) => return Response::text(400, "code is wanted from 0 to 255\n"),
        };
        self.state.with(|state| state.ending = Some(Ending { end: End::Exit(code), at: now + EXIT_GRACE }));
        Response::text(200, format!("ending with {code}\n"))
    }
}

/// `/helper?times=100`: one after another, until one cannot be started.
fn helpers(request: &Request, machine: &mut dyn Machine) -> Response {
    let times = match request.query("times").map(|text| text.parse::<u32>()) {
        None => 1,
        Some(Ok(times)) if times <= HELPERS_MAX => times,
        Some(_) => return Response::text(400, format!("times is wanted from 0 to {HELPERS_MAX}\n")),
    };
    for number in 1..=times {
        if let Err(error) = machine.spawn(&["helper"], true) {
            machine.print(Stream::Err, &format!("helper {number} of {times} failed: {error}"));
            return Response::text(500, format!("helper {number} of {times} failed: {error}\n"));
        }
    }
    Response::text(200, format!("{times} helpers done\n"))
}
