//! Requests, and who sends them: somebody on the internet, or somebody inside the lab's network.

use std::{collections::BTreeMap, time::Duration};

use breakfix_grade::{Exchange, Failure, Outcome};
use breakfix_lab::{
    check::{Caller, Request},
    ecs::Reference,
};
use serde_json::Value;

use super::{
    api::Api,
    host::{self, Inside},
    observe::{failure, with_nonce},
    resolve::Known,
    target::AwsTarget,
    trouble::Trouble,
};

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    host: String,
    port: u16,
    target: String,
}

impl Url {
    fn read(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://").ok_or_else(|| "it is no http URL".to_owned())?;
        let (authority, target) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| format!("`{port}` is no port"))?),
            None => (authority, 80),
        };
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { host: host.to_owned(), port, target })
    }
}

impl AwsTarget {
    /// Sends requests as the caller, one after the other; with `each` so many to every running task, at its own address. `most`: to no more
    /// tasks than this, the first by id.
    pub(super) async fn send(
        &self,
        api: &Api,
        from: &Caller,
        request: &Request,
        (times, most): (u32, Option<u32>),
        timeout: Duration,
        control: Option<&str>,
    ) -> Result<Vec<Exchange>, Failure> {
        let what = format!("{} {}", request.method.as_str(), request.url);
        let failed = |why: String| Failure { what: what.clone(), why, hint: None };
        let inside = match self.place_of(api, from).await {
            Ok(inside) => inside,
            // The learner may have deleted it: a finding, not trouble.
            Err(Trouble::NoReference(inside)) => {
                let gone = Outcome::CallerGone(in_words(&inside));
                return Ok((0..times)
                    .map(|_| host::exchange(&request.url, gone.clone(), Duration::ZERO, None))
                    .collect());
            }
            Err(trouble) => return Err(failure(what.clone(), &self.cannot(&what, trouble))),
        };
        let url = Url::read(&request.url).map_err(failed)?;
        let control = control.map(Url::read).transpose().map_err(failed)?;
        let hosts = match &request.each {
            None => vec![url.host.clone()],
            Some(_) if inside.is_none() => {
                return Err(failed(
                    "tasks in a private network can only be asked from inside it: say `from: {subnet: …}`".to_owned(),
                ));
            }
            Some(owner) => {
                let tasks = self
                    .owned(api, &mut Known::default(), owner)
                    .await
                    .map_err(|error| failure(what.clone(), &error))?;
                let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
                tasks.iter().filter_map(address).take(most).collect()
            }
        };
        let mut exchanges = Vec::new();
        for host in hosts {
            let url = Url { host, ..url.clone() };
            for _ in 0..times {
                let request = with_nonce(request, &self.host.nonce());
                let (outcome, took) = self.ask(api, inside.as_ref(), &url, &request, timeout).await?;
                let control_reached = match &control {
                    Some(control) => {
                        let request = Request {
                            url: String::new(),
                            method: Default::default(),
                            headers: BTreeMap::new(),
                            body: None,
                            each: None,
                        };
                        let (outcome, _) = self.ask(api, inside.as_ref(), control, &request, timeout).await?;
                        Some(matches!(outcome, Outcome::Answered { .. }))
                    }
                    None => None,
                };
                let is_silent = outcome == Outcome::TimedOut;
                let asked = if request.each.is_some() { at(&url) } else { request.url };
                exchanges.push(host::exchange(&asked, outcome, took, control_reached));
                // Who is silent once is waited for once: the others would only take as long.
                if is_silent {
                    break;
                }
            }
        }
        Ok(exchanges)
    }

    /// One request; from outside a host without a dot is a load balancer of the lab, from inside too.
    async fn ask(
        &self,
        api: &Api,
        inside: Option<&Inside>,
        url: &Url,
        request: &Request,
        timeout: Duration,
    ) -> Result<(Outcome, Duration), Failure> {
        let what = format!("{} {}", request.method.as_str(), at(url));
        let host = if url.host.contains('.') {
            url.host.clone()
        } else {
            let found = Known::default().object(api, "LoadBalancer", &url.host).await;
            let found = found.map_err(|trouble| failure(what.clone(), &self.cannot(&what, trouble)))?;
            match found.as_ref().and_then(|it| it.get("DNSName")).and_then(Value::as_str) {
                Some(dns) => dns.to_owned(),
                // A balancer that is gone takes its name with it.
                None => return Ok((Outcome::NameUnknown, Duration::ZERO)),
            }
        };
        let sent = breakfix_workload::Request {
            method: request.method.as_str().to_owned(),
            target: url.target.clone(),
            headers: request.headers.clone(),
            body: request.body.clone().unwrap_or_default().into_bytes(),
        };
        match inside {
            None => Ok(self.host.ask_balancer(&host, url.port, &sent, timeout).await),
            Some(inside) => {
                let asked = self.host.ask_inside(inside, (&host, url.port), &sent, timeout).await;
                asked.map_err(|error| failure(what, &error))
            }
        }
    }

    /// Where the caller stands; `None`: on the internet.
    async fn place_of(&self, api: &Api, from: &Caller) -> Result<Option<Inside>, Trouble> {
        let Some(subnet) = &from.subnet else { return Ok(None) };
        let mut known = Known::default();
        let groups = from.groups.iter().map(|group| format!("${{SecurityGroup/{group}.id}}"));
        let mut ids = Value::from([format!("${{Subnet/{subnet}.id}}")].into_iter().chain(groups).collect::<Vec<_>>());
        known.fill(api, &mut ids).await?;
        let mut ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let subnet = ids.next().unwrap_or_default();
        Ok(Some(Inside { subnet, groups: ids.collect() }))
    }
}

/// `Subnet visitors` for `Subnet/visitors.id`.
pub(super) fn in_words(reference: &str) -> String {
    let read = Reference::read(reference);
    read.map_or_else(|| reference.to_owned(), |it| format!("{} {}", it.kind, it.name))
}

fn at(url: &Url) -> String {
    let port = if url.port == 80 { String::new() } else { format!(":{}", url.port) };
    format!("http://{}{port}{}", url.host, url.target)
}

/// The address of a task that runs; one on its way up or down has nobody who could answer.
fn address(task: &Value) -> Option<String> {
    if task.get("lastStatus").and_then(Value::as_str) != Some("RUNNING") {
        return None;
    }
    let found = task.pointer("/containers/0/networkInterfaces/0/privateIpv4Address");
    found.and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn urls_are_read_in_their_parts() {
        let read = |text: &str| Url::read(text).map(|it| (it.host, it.port, it.target));
        let url = |host: &str, port, target: &str| Ok((host.to_owned(), port, target.to_owned()));
        assert_eq!(read("http://shop"), url("shop", 80, "/"));
        assert_eq!(read("http://web:8080/load?mb=3"), url("web", 8080, "/load?mb=3"));
        assert_eq!(read("http://10.0.1.7?x"), url("10.0.1.7", 80, "/?x"));
        assert!(read("ftp://shop/").is_err() && read("http://shop:x/").is_err());
    }

    #[test]
    fn what_is_gone_is_said_as_the_lab_calls_it() {
        assert_eq!(in_words("Subnet/visitors.id"), "Subnet visitors");
        assert_eq!(in_words("odd"), "odd");
    }

    #[test]
    fn only_tasks_that_run_are_asked() {
        let task = |status: &str| json!({"lastStatus": status, "containers": [{"networkInterfaces": [{"privateIpv4Address": "10.0.1.7"}]}]});
        assert_eq!(address(&task("RUNNING")), Some("10.0.1.7".to_owned()));
        assert_eq!(address(&task("PENDING")), None);
        assert_eq!(address(&json!({"lastStatus": "RUNNING", "containers": []})), None);
    }
}
