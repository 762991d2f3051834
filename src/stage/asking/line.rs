//! What a probe says: one line of JSON a request, as the workload's tool `get --json` prints it.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use breakfix_grade::{Exchange, Outcome};
use serde::Deserialize;

/// One line.
#[derive(Debug, Deserialize)]
struct Line {
    url: String,
    outcome: String,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    millis: u64,
    /// Who was connected to, where somebody answered.
    #[serde(default)]
    address: Option<SocketAddr>,
    error: Option<String>,
    #[serde(default)]
    control: bool,
}

/// All requests of one run. `expected`: how many there must be; `control`: whether one more went to a control target.
///
/// # Errors
/// Why the output is not what the tool prints.
pub(super) fn read(output: &str, expected: usize, control: bool) -> Result<Vec<Exchange>, String> {
    let mut exchanges = Vec::new();
    let mut control_reached = None;
    for text in output.lines().filter(|text| !text.trim().is_empty()) {
        let line: Line = serde_json::from_str(text).map_err(|error| format!("the probe said `{text}`: {error}"))?;
        if line.control {
            control_reached = Some(line.outcome == "answered");
        } else {
            exchanges.push(Exchange {
                url: line.url.clone(),
                took: Duration::from_millis(line.millis),
                address: line.address,
                control_reached: None,
                outcome: outcome(line)?,
            });
        }
    }
    if exchanges.len() != expected {
        return Err(format!("the probe reported {} requests of {expected}", exchanges.len()));
    }
    if control && control_reached.is_none() {
        return Err("the probe did not report on its control target".to_owned());
    }
    for exchange in &mut exchanges {
        exchange.control_reached = control_reached.filter(|_| control);
    }
    Ok(exchanges)
}

fn outcome(line: Line) -> Result<Outcome, String> {
    let error = line.error.as_deref().unwrap_or_default();
    Ok(match line.outcome.as_str() {
        "answered" => Outcome::Answered {
            status: line.status.ok_or("the probe reports an answer without a status")?,
            headers: line.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
            body: line.body,
        },
        "refused" => Outcome::Refused,
        "reset" => Outcome::Reset,
        "name_unknown" => Outcome::NameUnknown,
        "name_unanswered" => Outcome::NameUnanswered,
        "timed_out" if error.starts_with("no name server") => Outcome::NameUnanswered,
        "timed_out" => Outcome::TimedOut,
        // A network that says that there is no way is as silent to the caller as one that says nothing.
        "error" if error == "no route to host" => Outcome::TimedOut,
        // Somebody was there, but what came was no answer.
        "error" => Outcome::Reset,
        other => return Err(format!("the probe reports the outcome `{other}`, which is unknown")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERED: &str = r#"{"url":"http://shop/","outcome":"answered","status":200,"headers":{"X-Workload-Instance":"web-1"},"body":"shop 1.4","truncated":false,"millis":7,"address":"10.0.0.1:80","error":null,"control":false}"#;

    fn failed(outcome: &str, error: &str, control: bool) -> String {
        format!(
            r#"{{"url":"http://db/","outcome":"{outcome}","status":null,"headers":{{}},"body":"","truncated":false,"millis":5000,"address":null,"error":"{error}","control":{control}}}"#
        )
    }

    #[test]
    fn an_answer_is_read_with_its_instance() {
        let exchanges = read(&format!("{ANSWERED}\n{ANSWERED}\n"), 2, false).unwrap();
        assert_eq!(exchanges[0].took, Duration::from_millis(7));
        assert_eq!(exchanges[0].address, Some(([10, 0, 0, 1], 80).into()));
        let Outcome::Answered { status, headers, body } = &exchanges[0].outcome else { panic!("{exchanges:?}") };
        assert_eq!((*status, headers["x-workload-instance"].as_str(), body.as_str()), (200, "web-1", "shop 1.4"));
        assert_eq!(exchanges[0].control_reached, None);
    }

    #[test]
    fn every_way_to_get_no_answer_is_told_apart() {
        let of = |outcome: &str, error: &str| read(&failed(outcome, error, false), 1, false).unwrap().remove(0).outcome;
        assert_eq!(of("refused", "connection refused"), Outcome::Refused);
        assert_eq!(of("timed_out", "timed out"), Outcome::TimedOut);
        assert_eq!(of("timed_out", "no name server answers for db"), Outcome::NameUnanswered);
        assert_eq!(of("name_unknown", "name unknown: db"), Outcome::NameUnknown);
        assert_eq!(of("error", "no route to host"), Outcome::TimedOut);
        assert_eq!(of("error", "not HTTP"), Outcome::Reset);
        assert_eq!(of("reset", "connection reset"), Outcome::Reset);
        assert!(read(&failed("sideways", "", false), 1, false).is_err());
    }

    #[test]
    fn the_control_is_told_to_every_exchange() {
        let output = format!(
            "{}\n{}",
            failed("timed_out", "timed out", false),
            ANSWERED.replace("\"control\":false", "\"control\":true")
        );
        assert_eq!(read(&output, 1, true).unwrap()[0].control_reached, Some(true));
        let output = format!("{}\n{}", failed("timed_out", "timed out", false), failed("refused", "", true));
        assert_eq!(read(&output, 1, true).unwrap()[0].control_reached, Some(false));
        assert!(read(&failed("timed_out", "", false), 1, true).unwrap_err().contains("control"));
    }

    #[test]
    fn what_is_missing_or_garbled_is_no_observation() {
        assert!(read("", 1, false).unwrap_err().contains("0 requests of 1"));
        assert!(read("sh: not found\n", 1, false).unwrap_err().contains("sh: not found"));
        assert!(read(ANSWERED, 2, false).is_err());
    }
}
