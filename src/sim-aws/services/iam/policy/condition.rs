//! Condition operators: IAM user guide, "JSON policy elements: Condition operators" and "Multivalued context keys".

use std::{cmp::Ordering, net::IpAddr};

use jiff::Timestamp;

use super::{document::Condition, pattern::Pattern, question::Keys};

/// What a condition does with several values of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    /// No prefix: the key has one value.
    One,
    All,
    Any,
}

/// An operator, taken apart.
struct Operator<'a> {
    set: Set,
    base: &'a str,
    if_exists: bool,
}

impl<'a> Operator<'a> {
    fn read(text: &'a str) -> Self {
        let (set, rest) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Set::All, rest),
            Some(("ForAnyValue", rest)) => (Set::Any, rest),
            _ => (Set::One, text),
        };
        let base = rest.strip_suffix("IfExists");
        Self { set, base: base.unwrap_or(rest), if_exists: base.is_some() }
    }
}

const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// Whether a policy may name this operator. `Null` has neither prefix nor `IfExists`.
pub fn is_operator(text: &str) -> bool {
    text == "Null" || OPERATORS.contains(&Operator::read(text).base)
}

/// Whether a condition holds. Values of one key are alternatives; under a negated operator, none of them may match.
pub fn holds(condition: &Condition, keys: &Keys, knows_variables: bool) -> bool {
    let present = keys.get(&condition.key);
    if condition.operator == "Null" {
        let absent = present.is_none_or(<[String]>::is_empty);
        return condition.values.iter().any(|value| value.eq_ignore_ascii_case("true") == absent);
    }
    let operator = Operator::read(&condition.operator);
    if !OPERATORS.contains(&operator.base) {
        return false;
    }
    let (base, negated) = positive(operator.base);
    let variables = knows_variables.then_some(keys);
    let Some(present) = present.filter(|values| !values.is_empty()) else {
        // Without the key: `IfExists` and `ForAllValues` hold, so do negated operators; `ForAnyValue` never does.
        return operator.if_exists || operator.set == Set::All || (negated && operator.set == Set::One);
    };
    let matched = |actual: &String| condition.values.iter().any(|value| compare(base, actual, value, variables));
    match operator.set {
        Set::One => present.iter().any(matched) != negated,
        Set::All => present.iter().all(|actual| matched(actual) != negated),
        Set::Any => present.iter().any(|actual| matched(actual) != negated),
    }
}

/// The operator without its negation.
fn positive(operator: &str) -> (&str, bool) {
    match operator {
        "StringNotEquals" => ("StringEquals", true),
        "StringNotEqualsIgnoreCase" => ("StringEqualsIgnoreCase", true),
        "StringNotLike" => ("StringLike", true),
        "NumericNotEquals" => ("NumericEquals", true),
        "DateNotEquals" => ("DateEquals", true),
        "NotIpAddress" => ("IpAddress", true),
        "ArnNotEquals" | "ArnNotLike" => ("ArnLike", true),
        "ArnEquals" => ("ArnLike", false),
        other => (other, false),
    }
}

fn compare(operator: &str, actual: &str, wanted: &str, variables: Option<&Keys>) -> bool {
    let literal = || Pattern::literal(wanted, variables);
    match operator {
        "StringEquals" | "BinaryEquals" => literal().is_some_and(|wanted| wanted == actual),
        "StringEqualsIgnoreCase" => literal().is_some_and(|wanted| wanted.to_lowercase() == actual.to_lowercase()),
        "Bool" => literal().is_some_and(|wanted| wanted.eq_ignore_ascii_case(actual)),
        "StringLike" => Pattern::read(wanted, variables).is_some_and(|pattern| pattern.matches(actual)),
        "ArnLike" => Pattern::read(wanted, variables).is_some_and(|pattern| pattern.matches_arn(actual)),
        "IpAddress" => literal().is_some_and(|wanted| is_inside(actual, &wanted)),
        _ => match operator.strip_prefix("Numeric") {
            Some(relation) => literal().is_some_and(|wanted| related(relation, number(actual), number(&wanted))),
            None => match operator.strip_prefix("Date") {
                Some(relation) => literal().is_some_and(|wanted| related(relation, date(actual), date(&wanted))),
                None => false,
            },
        },
    }
}

fn related<T: PartialOrd>(relation: &str, actual: Option<T>, wanted: Option<T>) -> bool {
    let (Some(actual), Some(wanted)) = (actual, wanted) else { return false };
    let Some(order) = actual.partial_cmp(&wanted) else { return false };
    match relation {
        "Equals" => order == Ordering::Equal,
        "LessThan" => order == Ordering::Less,
        "LessThanEquals" => order != Ordering::Greater,
        "GreaterThan" => order == Ordering::Greater,
        "GreaterThanEquals" => order != Ordering::Less,
        _ => false,
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// W3C's profile of ISO 8601 with a zone, a day alone, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let day =
        || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|it| it.timestamp());
    let epoch = || text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    text.parse::<Timestamp>().ok().or_else(epoch).or_else(day)
}

/// An address inside a range in CIDR notation; a range without a length is one address.
fn is_inside(actual: &str, range: &str) -> bool {
    let (network, length) = match range.split_once('/') {
        Some((network, length)) => (network, length.parse::<u32>().ok()),
        None => (range, Some(u32::MAX)),
    };
    match (actual.parse::<IpAddr>(), network.parse::<IpAddr>(), length) {
        (Ok(IpAddr::V4(actual)), Ok(IpAddr::V4(network)), Some(length)) => {
            let drop = 32_u32.saturating_sub(length);
            u64::from(actual.to_bits()) >> drop == u64::from(network.to_bits()) >> drop
        }
        (Ok(IpAddr::V6(actual)), Ok(IpAddr::V6(network)), Some(length)) => {
            let drop = 128_u32.saturating_sub(length);
            actual.to_bits().checked_shr(drop).unwrap_or(0) == network.to_bits().checked_shr(drop).unwrap_or(0)
        }
        _ => false,
    }
}
