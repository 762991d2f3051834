//! `get`: requests whose outcome a program can read. The grader's probes run it.

use std::time::Duration;

use crate::{CallError, Fetched, JsonObject, Machine, Request, Url, fetch::fetch, parse_span};

use super::{Io, arguments::Arguments};

/// A body is shown up to here.
const BODY_SHOWN_MAX: usize = 64 << 10;
const TIMES_MAX: u32 = 10_000;

/// `get [--json] [--times N] [--timeout TIME] [--method M] [--header K:V]… [--body TEXT] [--control URL] URL…`.
///
/// Exit code 0 when every request was answered, whatever the status; 1 when one was not; 64 when the command line is wrong.
pub(super) fn get(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let plan = match Plan::read(arguments) {
        Ok(plan) => plan,
        Err(error) => {
            io.complain(&format!("get: {error}"));
            return crate::USAGE;
        }
    };
    let mut all_answered = true;
    for (text, url) in &plan.urls {
        for _ in 0..plan.times {
            all_answered &= plan.send(text, url, false, io, machine);
        }
    }
    if let Some((text, url)) = &plan.control {
        plan.send(text, url, true, io, machine);
    }
    i32::from(!all_answered)
}

/// What a command line asks for.
struct Plan {
    urls: Vec<(String, Url)>,
    control: Option<(String, Url)>,
    times: u32,
    timeout: Duration,
    request: Request,
    json: bool,
}

impl Plan {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let arguments = Arguments::read(arguments, "json times= timeout= method= header= body= control=")?;
        let parsed = |text: &String| Url::parse(text).map(|url| (text.clone(), url)).map_err(|error| error.to_string());
        let urls: Vec<(String, Url)> = arguments.rest.iter().map(parsed).collect::<Result<_, _>>()?;
        if urls.is_empty() {
            return Err("a URL is wanted".into());
        }
        let control = arguments.value("control").map(|text| parsed(&text.to_owned())).transpose()?;
        let times = arguments.value("times").unwrap_or("1");
        let times = times.parse().ok().filter(|times| (1..=TIMES_MAX).contains(times));
        let times = times.ok_or_else(|| format!("--times is wanted from 1 to {TIMES_MAX}"))?;
        let timeout = parse_span(arguments.value("timeout").unwrap_or("5s"));
        let timeout = timeout.filter(|time| !time.is_zero()).ok_or("--timeout is wanted as a time such as 5s")?;
        let body = arguments.value("body");
        let method = arguments.value("method").unwrap_or(if body.is_some() { "POST" } else { "GET" });
        let mut request = Request::new(&method.to_ascii_uppercase(), "/").with_header("user-agent", "get");
        request.body = body.unwrap_or_default().as_bytes().to_vec();
        for header in arguments.values("header") {
            let (name, value) =
                header.split_once(':').ok_or_else(|| format!("--header {header}: NAME:VALUE is wanted"))?;
            request = request.with_header(name.trim(), value.trim());
        }
        Ok(Self { urls, control, times, timeout, request, json: arguments.has("json") })
    }

    /// Send one request and tell its outcome; true when it was answered. A control is a plain GET.
    fn send(&self, text: &str, url: &Url, is_control: bool, io: &mut Io, machine: &mut dyn Machine) -> bool {
        let request = if is_control {
            Request::get(&url.target).with_header("user-agent", "get")
        } else {
            Request { target: url.target.clone(), ..self.request.clone() }
        };
        let began = machine.uptime();
        let outcome = fetch(url, &request, self.timeout, machine);
        let took = machine.uptime().saturating_sub(began);
        if self.json {
            io.line(&line(text, &outcome, took, is_control));
        } else {
            plain(text, &outcome, io);
        }
        outcome.is_ok()
    }
}

/// One request as one line of JSON.
fn line(url: &str, outcome: &Result<Fetched, CallError>, took: Duration, is_control: bool) -> String {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let object = JsonObject::new().text("url", url);
    let object = match outcome {
        Ok(Fetched { response, address }) => {
            let shown = response.body.get(..BODY_SHOWN_MAX).unwrap_or(&response.body);
            object
                .text("outcome", "answered")
                .number("status", u64::from(response.status))
                .map("headers", &response.headers)
                .text("body", &String::from_utf8_lossy(shown))
                .flag("truncated", shown.len() < response.body.len())
                .number("millis", millis)
                .text("address", &address.to_string())
                .raw("error", "null")
        }
        Err(error) => object
            .text("outcome", error.word())
            .raw("status", "null")
            .raw("headers", "{}")
            .text("body", "")
            .flag("truncated", false)
            .number("millis", millis)
            .raw("address", "null")
            .text("error", &error.to_string()),
    };
    object.flag("control", is_control).finish()
}

/// For people: status and headers, then the body; or what went wrong.
fn plain(url: &str, outcome: &Result<Fetched, CallError>, io: &mut Io) {
    match outcome {
        Ok(Fetched { response, address }) => {
            io.line(&format!("{} from {address}", response.status));
            for (name, value) in &response.headers {
                io.line(&format!("{name}: {value}"));
            }
            io.line("");
            io.bytes(&response.body);
        }
        Err(error) => drop(io.complain(&format!("get: {url}: {error}"))),
    }
}
