//! A state in one line, without what differs from run to run.

use serde_json::Value;

/// A pod's state: phase, conditions, containers.
pub fn pod(pod: &Value) -> String {
    let conditions: Vec<String> = list(&pod["status"]["conditions"])
        .map(|condition| {
            let reason = condition["reason"].as_str().map(|reason| format!("({reason})")).unwrap_or_default();
            format!("{}={}{reason}", text(&condition["type"]), text(&condition["status"]))
        })
        .collect();
    let containers: Vec<String> = ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .flat_map(|field| list(&pod["status"][field]))
        .map(container)
        .collect();
    let deleting = if pod["metadata"]["deletionTimestamp"].is_null() { "" } else { " deleting" };
    let reason = pod["status"]["reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
    format!("{}{reason}{deleting} [{}] {}", text(&pod["status"]["phase"]), conditions.join(","), containers.join("; "))
}

fn container(status: &Value) -> String {
    let mut words = vec![
        format!("{}:{}", text(&status["name"]), state(&status["state"])),
        format!("restarts={}", status["restartCount"]),
    ];
    for flag in ["ready", "started"] {
        if status[flag] == true {
            words.push(flag.to_owned());
        }
    }
    let last = state(&status["lastState"]);
    if !last.is_empty() {
        words.push(format!("last={last}"));
    }
    words.join(" ")
}

fn state(state: &Value) -> String {
    if !state["waiting"].is_null() {
        return format!("waiting({})", text(&state["waiting"]["reason"]));
    }
    if !state["terminated"].is_null() {
        return format!("terminated({} {})", text(&state["terminated"]["reason"]), state["terminated"]["exitCode"]);
    }
    if state["running"].is_null() { String::new() } else { "running".to_owned() }
}

/// A Deployment's state: generation, numbers, conditions.
pub fn deployment(deployment: &Value) -> String {
    let status = &deployment["status"];
    let counts: Vec<String> = status
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.is_number())
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    let conditions: Vec<String> = list(&status["conditions"])
        .map(|condition| {
            format!("{}={}({})", text(&condition["type"]), text(&condition["status"]), text(&condition["reason"]))
        })
        .collect();
    format!("gen={} {} [{}]", deployment["metadata"]["generation"], counts.join(" "), conditions.join(","))
}

/// An event: type, reason, object, message, component; with the count where `counted`.
pub fn event(event: &Value) -> String {
    let involved = &event["involvedObject"];
    format!(
        "{} {} {}/{} {}: {}",
        text(&event["type"]),
        text(&event["reason"]),
        text(&involved["kind"]),
        plain(text(&involved["name"])),
        text(&event["reportingComponent"]),
        plain(text(&event["message"])),
    )
}

/// A text without generated names, uids, addresses, and with one name for all nodes and namespaces.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    for letter in text.chars().chain([' ']) {
        if is_word(letter) {
            word.push(letter);
            continue;
        }
        out.push_str(&plain_word(&word));
        word.clear();
        out.push(letter);
    }
    out.trim_end().to_owned()
}

fn plain_word(word: &str) -> String {
    let bare = word.trim_start_matches('/');
    if bare.len() < word.len() {
        return plain_word(bare);
    }
    // `shop/web-5f-x` and `web-5f-x_shop` carry the namespace's name.
    if let Some((_, rest)) =
        word.split_once('/').filter(|(front, rest)| !front.is_empty() && !rest.contains('/') && !rest.is_empty())
    {
        return format!("NS/{}", plain_word(rest));
    }
    if let Some((front, _)) = word.split_once('_') {
        return format!("{}_NS", plain_word(front));
    }
    if word.contains("worker") || word.ends_with("control-plane") {
        return "NODE".to_owned();
    }
    let is_uid = word.len() == 36 && word.matches('-').count() == 4;
    if is_uid {
        return "UID".to_owned();
    }
    if word.split('.').count() == 4 && word.split('.').all(|part| part.parse::<u8>().is_ok()) {
        return "IP".to_owned();
    }
    let parts: Vec<&str> = word.split('-').collect();
    let kept: Vec<&str> = parts
        .iter()
        .copied()
        .enumerate()
        .filter(|(at, part)| *at == 0 || !is_generated(part))
        .map(|(_, part)| part)
        .collect();
    kept.join("-")
}

/// A hash or a suffix of a generated name.
fn is_generated(part: &str) -> bool {
    let safe = part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    safe && (part.len() == 5 || (7..=10).contains(&part.len()))
        && part.bytes().any(|byte| byte.is_ascii_digit() || part.len() == 5)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

#[test]
fn what_differs_from_run_to_run_is_taken_out() {
    assert_eq!(plain("Created pod: web-8487459854-x4j64"), "Created pod: web");
    assert_eq!(
        plain("failed container app in pod app-7b6b58cf68-dvd9h_crash-loop(ba4a5155-d9ea-41e1-a0e8-4fba4f170db0)"),
        "failed container app in pod app_NS(UID)"
    );
    assert_eq!(
        plain("Successfully assigned shop/web-5d6c95f6f5-98l2g to bed-worker2"),
        "Successfully assigned NS/web to NODE"
    );
    assert_eq!(plain("dial tcp 10.244.1.18:8080: refused"), "dial tcp IP:8080: refused");
}
