//! Which requests a rule is about.

use std::net::Ipv4Addr;

use breakfix_workload::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{AwsError, input, services::ec2::Cidr};

/// One condition; any of its values will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    Path(Vec<String>),
    Host(Vec<String>),
    Method(Vec<String>),
    Header {
        name: String,
        values: Vec<String>,
    },
    /// Key (perhaps none) and value.
    Query(Vec<(Option<String>, String)>),
    SourceIp(Vec<Cidr>),
}

impl Condition {
    /// Whether a request of this client fulfils it.
    pub(super) fn accepts(&self, request: &Request, client: Ipv4Addr) -> bool {
        match self {
            // Paths are told apart by case, hosts are not.
            Self::Path(patterns) => patterns.iter().any(|it| matches(it, request.path())),
            Self::Host(patterns) => {
                let host = request.header("host").unwrap_or_default();
                let host = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
                patterns.iter().any(|it| matches(&it.to_ascii_lowercase(), &host))
            }
            Self::Method(methods) => methods.contains(&request.method),
            Self::Header { name, values } => request
                .header(&name.to_ascii_lowercase())
                .is_some_and(|found| values.iter().any(|it| matches(it, found))),
            Self::Query(pairs) => pairs.iter().any(|(key, value)| match key {
                Some(key) => request.query(key).is_some_and(|found| matches(value, &found)),
                None => request.target.split_once('?').is_some_and(|(_, query)| {
                    query.split('&').any(|pair| matches(value, pair.split_once('=').map_or(pair, |(_, value)| value)))
                }),
            }),
            Self::SourceIp(ranges) => ranges.iter().any(|it| it.contains(client)),
        }
    }

    pub(super) fn view(&self) -> Value {
        match self {
            Self::Path(values) => {
                json!({"Field": "path-pattern", "Values": values, "PathPatternConfig": {"Values": values}})
            }
            Self::Host(values) => {
                json!({"Field": "host-header", "Values": values, "HostHeaderConfig": {"Values": values}})
            }
            Self::Method(values) => {
                json!({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": values}})
            }
            Self::Header { name, values } => {
                json!({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": values}})
            }
            Self::Query(pairs) => {
                let values: Vec<Value> = pairs
                    .iter()
                    .map(|(key, value)| match key {
                        Some(key) => json!({"Key": key, "Value": value}),
                        None => json!({"Value": value}),
                    })
                    .collect();
                json!({"Field": "query-string", "QueryStringConfig": {"Values": values}})
            }
            Self::SourceIp(ranges) => json!({"Field": "source-ip", "SourceIpConfig": {"Values": ranges}}),
        }
    }
}

/// `*` and `?`, as in file names.
fn matches(pattern: &str, text: &str) -> bool {
    crate::services::ec2::pattern_matches(pattern, text)
}

/// Reads `Conditions`.
pub(super) fn read(list: &[Value]) -> Result<Vec<Condition>, AwsError> {
    list.iter().map(read_one).collect()
}

fn read_one(given: &Value) -> Result<Condition, AwsError> {
    let bad = |text: &str| AwsError::new("ValidationError", text);
    let own = |config: &str| -> Vec<String> {
        let inner = given.get(config).map(|it| input::texts(it, "Values")).unwrap_or_default();
        let values = if inner.is_empty() { input::texts(given, "Values") } else { inner };
        values.into_iter().map(str::to_owned).collect()
    };
    let field = input::text(given, "Field").unwrap_or_default();
    let condition = match field {
        "path-pattern" => Condition::Path(own("PathPatternConfig")),
        "host-header" => Condition::Host(own("HostHeaderConfig")),
        "http-request-method" => Condition::Method(own("HttpRequestMethodConfig")),
        "http-header" => {
            let name = given.get("HttpHeaderConfig").and_then(|it| input::text(it, "HttpHeaderName"));
            let name = name.ok_or_else(|| bad("A http-header condition needs a HttpHeaderName"))?.to_owned();
            Condition::Header { name, values: own("HttpHeaderConfig") }
        }
        "query-string" => {
            let pairs = given.get("QueryStringConfig").map(|it| input::list(it, "Values")).unwrap_or_default();
            let pair = |it: &Value| {
                let value = input::text(it, "Value").unwrap_or_default().to_owned();
                (input::text(it, "Key").map(str::to_owned), value)
            };
            Condition::Query(pairs.iter().map(pair).collect())
        }
        "source-ip" => {
            let ranges: Result<Vec<Cidr>, _> = own("SourceIpConfig").iter().map(|it| it.parse()).collect();
            Condition::SourceIp(ranges.map_err(|_| bad("The source-ip condition needs CIDR blocks"))?)
        }
        other => {
            return Err(bad(&format!(
                "Condition field '{other}' must be one of '[http-request-method, source-ip, host-header, query-string, http-header, path-pattern]'"
            )));
        }
    };
    let is_empty = match &condition {
        Condition::Path(values) | Condition::Host(values) | Condition::Method(values) => values.is_empty(),
        Condition::Header { values, .. } => values.is_empty(),
        Condition::Query(pairs) => pairs.is_empty(),
        Condition::SourceIp(ranges) => ranges.is_empty(),
    };
    if is_empty { Err(bad("A condition must have a value")) } else { Ok(condition) }
}
