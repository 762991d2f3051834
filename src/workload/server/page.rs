//! `GET /`: the page that customers see.

use crate::{CallError, Machine, ParameterError, Request, Response, Stream, fetch::fetch};

use super::{HOPS_HEADER, Server, Trail};

impl Server {
    /// `TITLE VERSION`, the facts of the configuration, one line for each upstream. 502 or 504 when one of them is away.
    pub(super) fn page(&self, trail: &mut Trail, machine: &mut dyn Machine) -> Response {
        let now = machine.uptime();
        self.state.with(|state| state.fill_cache(&self.config, now));
        let mut status = 200;
        let mut body = format!("{} {}\n", self.config.title, self.config.version);
        for (key, value) in &self.config.facts {
            body.push_str(&format!("{key}: {value}\n"));
        }
        for upstream in &self.config.upstreams {
            let request = Request::get(&upstream.url.target);
            let answer = self.call(&upstream.name, &upstream.url, request, trail, machine);
            let line = match answer {
                Ok(answer) if answer.is_success() => answer.body_text().lines().next().unwrap_or_default().to_owned(),
                Ok(answer) => {
                    status = status.max(502);
                    format!("status {}", answer.status)
                }
                Err(error) => {
                    status = status.max(status_of(&error));
                    error.to_string()
                }
            };
            body.push_str(&format!("{}: {line}\n", upstream.name));
        }
        for (name, parameter) in &self.config.parameters {
            let line = match machine.parameter(parameter, self.config.upstream_timeout) {
                Ok(value) => value,
                Err(error) => {
                    status = status.max(if error == ParameterError::TimedOut { 504 } else { 502 });
                    // Customers are not told who is refused what.
                    machine.print(Stream::Err, &format!("cannot read parameter {parameter}: {error}"));
                    "not readable".to_owned()
                }
            };
            body.push_str(&format!("{name}: {line}\n"));
        }
        Response::text(status, body)
    }

    /// Call another program on behalf of a request, and note how long that took.
    pub(super) fn call(
        &self,
        name: &str,
        url: &crate::Url,
        request: Request,
        trail: &mut Trail,
        machine: &mut dyn Machine,
    ) -> Result<Response, CallError> {
        let began = machine.uptime();
        let request = request
            .with_header("x-request-id", &trail.id)
            .with_header(HOPS_HEADER, &(trail.hops + 1).to_string())
            .with_header("user-agent", &format!("{}/{}", self.config.app, self.config.version));
        let answer = fetch(url, &request, self.config.upstream_timeout, machine);
        let took = machine.uptime().saturating_sub(began).as_millis();
        trail.calls.push(format!("{name}={took}ms"));
        answer.map(|fetched| fetched.response)
    }
}

/// What a gateway answers when its own call fails.
pub(super) fn status_of(error: &CallError) -> u16 {
    match error {
        CallError::TimedOut | CallError::NamesSilent(_) => 504,
        _ => 502,
    }
}
