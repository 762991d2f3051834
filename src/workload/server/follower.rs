//! A store that follows another: it holds the same records, and takes none itself.

use std::time::Duration;

use crate::{Machine, Request, Response, Stream, fetch::fetch};

use super::{Server, orders::PASSWORD_HEADER};

/// How often it asks.
const EVERY: Duration = Duration::from_secs(5);
/// Not yet known to be in sync.
const UNKNOWN: &str = "has not asked yet";

impl Server {
    /// When it asks next, if it follows anybody.
    pub(super) fn follows_at(&self) -> Option<Duration> {
        self.config.leader.as_ref()?;
        Some(self.state.with(|state| state.next_sync).max(self.config.start_delay))
    }

    /// Asks the leader for everything, if it is time.
    pub(super) fn follow(&self, machine: &mut dyn Machine) {
        let now = machine.uptime();
        if self.follows_at().is_none_or(|at| now < at) {
            return;
        }
        let outcome = self.copy(machine);
        let next = machine.uptime() + EVERY;
        let word = match &outcome {
            Ok(records) => format!("in sync, {records} records"),
            Err(why) => format!("out of sync: {why}"),
        };
        let is_news = self.state.with(|state| {
            state.next_sync = next;
            state.out_of_sync = outcome.err();
            std::mem::replace(&mut state.sync_told, word.clone()) != word
        });
        if is_news {
            machine.print(Stream::Out, &word);
        }
    }

    fn copy(&self, machine: &mut dyn Machine) -> Result<usize, String> {
        let (Some(leader), Some(store)) = (&self.config.leader, &self.store) else { return Ok(0) };
        let request = Request::get("/backup");
        let request = match store.password(machine)? {
            Some(password) => request.with_header(PASSWORD_HEADER, &password),
            None => request,
        };
        let answer = fetch(leader, &request, self.config.upstream_timeout, machine);
        match answer {
            Ok(fetched) if fetched.response.status == 200 => {
                store.restore(&fetched.response.body_text(), machine).map_err(|error| error.to_string())
            }
            Ok(fetched) => Err(format!("{}: status {}", leader.authority(), fetched.response.status)),
            Err(error) => Err(format!("{}: {error}", leader.authority())),
        }
    }

    /// Why it is not in sync with its leader.
    pub(super) fn out_of_sync(&self) -> Option<String> {
        self.config.leader.as_ref()?;
        self.state.with(
            |state| {
                if state.sync_told.is_empty() { Some(UNKNOWN.to_owned()) } else { state.out_of_sync.clone() }
            },
        )
    }

    /// `GET /sync`.
    pub(super) fn sync(&self) -> Response {
        let Some(leader) = &self.config.leader else { return Response::text(404, "this follows nobody\n") };
        match self.out_of_sync() {
            None => Response::text(200, format!("in sync with {}\n", leader.authority())),
            Some(why) => Response::text(503, format!("out of sync: {why}\n")),
        }
    }

    /// `GET /backup`: the whole store as text, for those who know its password.
    pub(super) fn backup(&self, request: &Request, machine: &mut dyn Machine) -> Response {
        let Some(store) = &self.store else { return Response::text(404, "nothing is kept here\n") };
        if let Some(refusal) = self.password_refusal(request, machine) {
            return refusal;
        }
        match store.backup(machine) {
            Ok(text) => Response::text(200, text),
            Err(error) => Response::text(500, format!("the store cannot be read: {error}\n")),
        }
    }
}
