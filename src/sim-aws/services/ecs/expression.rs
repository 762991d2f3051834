//! The cluster query language, as far as placement constraints and filters need it: comparisons of attributes, `and`, `or`, `not`.

use super::state::Instance;

/// Whether an expression holds for an instance. What cannot be read holds for none.
pub(super) fn holds(expression: &str, instance: &Instance) -> bool {
    let any = split(expression, &[" or ", "||"]);
    any.iter().any(|part| split(part, &[" and ", "&&"]).iter().all(|term| one(term.trim(), instance)))
}

fn split<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    let mut parts = vec![text];
    for word in words {
        parts = parts.into_iter().flat_map(|part| part.split(word)).collect();
    }
    parts
}

fn one(term: &str, instance: &Instance) -> bool {
    let term = term.trim_start_matches('(').trim_end_matches(')').trim();
    if let Some(rest) = term.strip_prefix("not ").or_else(|| term.strip_prefix('!')) {
        return !one(rest.trim(), instance);
    }
    let mut words = term.split_whitespace();
    let (Some(subject), operator) = (words.next(), words.next().unwrap_or("exists")) else { return false };
    let rest: String = words.collect::<Vec<_>>().join(" ");
    let own = value(subject, instance);
    let plain = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let listed = || rest.trim_start_matches('[').trim_end_matches(']').split(',').map(plain).collect::<Vec<_>>();
    match (operator, own) {
        ("exists", own) => own.is_some(),
        ("!exists", own) => own.is_none(),
        ("==" | "equals", own) => own.as_deref() == Some(&plain(&rest)),
        ("!=" | "not_equals", own) => own.as_deref() != Some(&plain(&rest)),
        ("in", own) => own.is_some_and(|own| listed().contains(&own)),
        ("!in" | "not_in", own) => own.is_none_or(|own| !listed().contains(&own)),
        ("=~" | "matches", own) => own.is_some_and(|own| matches(&plain(&rest), &own)),
        ("!~" | "not_matches", own) => own.is_none_or(|own| !matches(&plain(&rest), &own)),
        _ => false,
    }
}

fn value(subject: &str, instance: &Instance) -> Option<String> {
    match subject.strip_prefix("attribute:") {
        Some("ecs.availability-zone") => Some(instance.zone.clone()),
        Some(name) => instance.attributes.get(name).cloned(),
        None => match subject {
            "ec2InstanceId" => Some(instance.ec2_id.clone()),
            "agentConnected" => Some(instance.is_connected.to_string()),
            _ => None,
        },
    }
}

/// A pattern with `*` for anything, as in `t3.*`.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.replace(".*", "*");
    let Some((front, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(front) else { return false };
    rest.is_empty() || (0..=text.len()).filter_map(|at| text.get(at..)).any(|tail| matches(rest, tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn instance() -> Instance {
        Instance {
            arn: "arn".to_owned(),
            cluster: "shop".to_owned(),
            ec2_id: "i-1".to_owned(),
            zone: "eu-central-1a".to_owned(),
            interface: None,
            role: None,
            provider: None,
            cpu: 2048,
            memory: 3900,
            interfaces: 2,
            status: "ACTIVE".to_owned(),
            is_connected: true,
            registered: breakfix_sim::SimTime(0),
            attributes: BTreeMap::from([("ecs.instance-type".to_owned(), "t3.medium".to_owned())]),
            tags: BTreeMap::new(),
            version: 1,
        }
    }

    #[test]
    fn attributes_are_compared() {
        for (expression, expected) in [
            ("attribute:ecs.instance-type == t3.medium", true),
            ("attribute:ecs.instance-type =~ t3.*", true),
            ("attribute:ecs.instance-type =~ m5.*", false),
            ("attribute:ecs.availability-zone in [eu-central-1a, eu-central-1b]", true),
            ("attribute:ecs.availability-zone != eu-central-1a", false),
            ("attribute:stack exists", false),
            ("not (attribute:stack exists)", true),
            ("attribute:stack == x or attribute:ecs.instance-type == t3.medium", true),
            ("nonsense", false),
        ] {
            assert_eq!(holds(expression, &instance()), expected, "{expression}");
        }
    }
}
