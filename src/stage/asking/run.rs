//! One call of the tool: its command line, and how long it may take.

use std::time::Duration;

use breakfix_grade::Exchange;
use breakfix_lab::{check::Request, values::NONCE};

use super::line;

/// One run of the tool.
#[derive(Clone, Debug)]
pub(crate) struct Run<'a> {
    /// With its nonce filled in.
    pub(crate) request: &'a Request,
    pub(crate) urls: Vec<String>,
    pub(crate) times: u32,
    /// For each request.
    pub(crate) timeout: Duration,
    pub(crate) control: Option<&'a str>,
}

impl Run<'_> {
    /// The same requests to these addresses.
    pub(crate) fn to(&self, urls: Vec<String>) -> Self {
        Self { urls, ..self.clone() }
    }

    /// The command line.
    pub(crate) fn command(&self) -> Vec<String> {
        let mut command: Vec<String> = ["/workload", "get", "--json", "--times"].map(str::to_owned).to_vec();
        command.push(self.times.to_string());
        command.extend(["--timeout".to_owned(), format!("{}ms", self.timeout.as_millis())]);
        command.extend(["--method".to_owned(), self.request.method.as_str().to_owned()]);
        for (name, value) in &self.request.headers {
            command.extend(["--header".to_owned(), format!("{name}:{value}")]);
        }
        if let Some(body) = &self.request.body {
            command.extend(["--body".to_owned(), body.clone()]);
        }
        if let Some(control) = self.control {
            command.extend(["--control".to_owned(), control.to_owned()]);
        }
        command.extend(self.urls.iter().cloned());
        command
    }

    /// How long the tool takes where nobody answers at all.
    pub(crate) fn longest(&self) -> Duration {
        let requests = u32::try_from(self.expected()).unwrap_or(u32::MAX);
        self.timeout.saturating_mul(requests.saturating_add(1))
    }

    /// What the tool printed, as exchanges.
    ///
    /// # Errors
    /// Why the output is not what the tool prints.
    pub(crate) fn read(&self, output: &str) -> Result<Vec<Exchange>, String> {
        line::read(output, self.expected(), self.control.is_some())
    }

    fn expected(&self) -> usize {
        self.urls.len().saturating_mul(usize::try_from(self.times).unwrap_or(usize::MAX))
    }
}

/// The request with `${nonce}` filled in.
pub(crate) fn filled(request: &Request, nonce: &str) -> Request {
    let mark = format!("${{{NONCE}}}");
    let fill = |text: &String| text.replace(&mark, nonce);
    Request {
        url: fill(&request.url),
        headers: request.headers.iter().map(|(name, value)| (name.clone(), fill(value))).collect(),
        body: request.body.as_ref().map(fill),
        ..request.clone()
    }
}

/// `http://shop:8080/x` at another address: the port stays.
pub(crate) fn with_host(url: &str, address: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port =
        authority.rsplit_once(':').map(|(_, port)| port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{path}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_instance_is_asked_at_its_own_address() {
        assert_eq!(with_host("http://shop:8080/a?b=c", "10.1.0.5"), "http://10.1.0.5:8080/a?b=c");
        assert_eq!(with_host("http://shop/", "fd00::5"), "http://[fd00::5]/");
        assert_eq!(with_host("http://shop", "10.1.0.5"), "http://10.1.0.5");
    }

    #[test]
    fn the_command_says_everything_the_query_says() {
        let request = Request {
            url: "http://api/order".to_owned(),
            headers: BTreeMap::from([("x-id".to_owned(), "${nonce}".to_owned())]),
            body: Some("id=${nonce}".to_owned()),
            ..serde_json::from_str(r#"{"url": "", "method": "POST"}"#).unwrap()
        };
        let request = filled(&request, "n1");
        let run = Run {
            urls: vec![request.url.clone()],
            request: &request,
            times: 20,
            timeout: Duration::from_millis(1500),
            control: Some("http://web/"),
        };
        assert_eq!(
            run.command().join(" "),
            "/workload get --json --times 20 --timeout 1500ms --method POST --header x-id:n1 --body id=n1 \
             --control http://web/ http://api/order"
        );
        assert_eq!(run.longest(), Duration::from_millis(21 * 1500));
    }
}
