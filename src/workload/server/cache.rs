//! The role `cache`, and pages that are kept in one.

use std::time::Duration;

use crate::{Machine, Request, Response, Url};

use super::{Server, Trail};

/// How long something stays in the cache.
const LIFETIME: Duration = Duration::from_secs(60);
/// Things in the cache at the same time; the one that would go first makes room.
const ITEMS_MAX: usize = 1000;
/// Says whether a page came out of the cache: `hit`, `miss`, or `away` where no cache answered.
pub(super) const HEADER: &str = "x-cache";

impl Server {
    /// `GET /cache?key=K`, `POST /cache?key=K` with the value as its body.
    pub(super) fn cache(&self, request: &Request, machine: &mut dyn Machine) -> Response {
        if !self.config.is_cache {
            return Response::text(404, "nothing is cached here\n");
        }
        let Some(key) = request.query("key").filter(|key| !key.is_empty()) else {
            return Response::text(400, "which key? ?key=NAME is wanted\n");
        };
        let now = machine.uptime();
        self.state.with(|state| {
            state.items.retain(|_, (_, until)| *until > now);
            if request.method == "POST" {
                if state.items.len() >= ITEMS_MAX
                    && let Some(first) =
                        state.items.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone())
                {
                    state.items.remove(&first);
                }
                let value = String::from_utf8_lossy(&request.body).into_owned();
                state.items.insert(key, (value, now + LIFETIME));
                return Response::text(200, "kept\n");
            }
            match state.items.get(&key) {
                Some((value, _)) => Response::text(200, value.clone()),
                None => Response::text(404, format!("nothing is kept as {key}\n")),
            }
        })
    }

    /// A page through the cache: from there if it has it, otherwise made and put there.
    pub(super) fn cached(
        &self,
        trail: &mut Trail,
        machine: &mut dyn Machine,
        make: impl FnOnce(&mut Trail, &mut dyn Machine) -> Response,
    ) -> Response {
        let Some(cache) = self.config.cache.clone() else { return make(trail, machine) };
        let path = cache.target.split('?').next().unwrap_or("/cache");
        let path = if path == "/" { "/cache" } else { path };
        let key = format!("{path}?key={}-{}", self.config.app, self.config.version);
        let url = Url { target: key.clone(), ..cache };
        match self.call("cache", &url, Request::get(&key), trail, machine) {
            Ok(found) if found.status == 200 => mark(Response::text(200, found.body_text()), "hit"),
            Ok(_) => {
                let page = make(trail, machine);
                if page.status == 200 {
                    // A cache that cannot take it is no reason to fail.
                    drop(self.call("cache", &url, Request::post(&key, &page.body_text()), trail, machine));
                }
                mark(page, "miss")
            }
            Err(_) => mark(make(trail, machine), "away"),
        }
    }
}

fn mark(mut page: Response, word: &str) -> Response {
    page.headers.insert(HEADER.to_owned(), word.to_owned());
    page
}
