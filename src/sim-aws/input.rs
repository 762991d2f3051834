//! Reading the members of a request. Lenient where protocols differ: a query protocol may bring `"8080"` and `"true"` where JSON brings
//! `8080` and `true`. A member that is absent, `null` or of another kind altogether reads as `None`: the wire has refused what is
//! malformed before a service sees it.

use serde_json::{Map, Value};

use crate::{AwsError, Call};

/// A text.
pub fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str)
}

/// `true`, `"true"`.
pub fn flag(input: &Value, member: &str) -> Option<bool> {
    match input.get(member)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// `8080`, `8080.0`, `"8080"`.
pub fn integer(input: &Value, member: &str) -> Option<i64> {
    as_integer(input.get(member)?)
}

/// The same of a value that is no member, as in a list.
pub fn as_integer(value: &Value) -> Option<i64> {
    match value {
        // 2^53: beyond it a float says no whole number exactly.
        Value::Number(number) => number.as_i64().or_else(|| {
            number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15).map(|float| float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `0.5`, `"0.5"`, `1`.
pub fn number(input: &Value, member: &str) -> Option<f64> {
    match input.get(member)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// A list; one that is absent is empty.
pub fn list<'a>(input: &'a Value, member: &str) -> &'a [Value] {
    input.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether a member is there and is not `null`: an empty list is there.
pub fn has(input: &Value, member: &str) -> bool {
    input.get(member).is_some_and(|value| !value.is_null())
}

/// The texts of a list.
pub fn texts<'a>(input: &'a Value, member: &str) -> Vec<&'a str> {
    list(input, member).iter().filter_map(Value::as_str).collect()
}

/// A structure or a map.
pub fn object<'a>(input: &'a Value, member: &str) -> Option<&'a Map<String, Value>> {
    input.get(member).and_then(Value::as_object)
}

/// A text that must be there and not be empty.
///
/// # Errors
/// It is not: in the service's words.
pub fn required<'a>(call: &'a Call, member: &str) -> Result<&'a str, AwsError> {
    text(&call.input, member).filter(|text| !text.is_empty()).ok_or_else(|| missing(&call.service, member))
}

/// An integer that must be there.
///
/// # Errors
/// It is not: in the service's words.
pub fn required_integer(call: &Call, member: &str) -> Result<i64, AwsError> {
    integer(&call.input, member).ok_or_else(|| missing(&call.service, member))
}

/// A list that must be there and not be empty.
///
/// # Errors
/// It is not: in the service's words.
pub fn required_list<'a>(call: &'a Call, member: &str) -> Result<&'a [Value], AwsError> {
    Some(list(&call.input, member)).filter(|list| !list.is_empty()).ok_or_else(|| missing(&call.service, member))
}

/// What a service says of a member that must be there and is not. ECS names it with a capital; EC2 has words of its own; the others
/// share the validator of their framework.
pub fn missing(service: &str, member: &str) -> AwsError {
    match service {
        "ecs" => AwsError::new("InvalidParameterException", format!("{} can not be blank.", capital(member))),
        "ec2" => AwsError::new("MissingParameter", format!("The request must contain the parameter {member}")),
        _ => invalid(
            service,
            &format!("Value null at '{}' failed to satisfy constraint: Member must not be null", lower(member)),
        ),
    }
}

/// A refusal by the validator that most services share; `what` is one sentence of it without its end, such as
/// `Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1`.
pub fn invalid(service: &str, what: &str) -> AwsError {
    AwsError::new(invalid_code(service), format!("1 validation error detected: {what}"))
}

/// The code under which a service refuses a request whose members are not as its model says.
pub fn invalid_code(service: &str) -> &'static str {
    match service {
        "ecs" | "logs" | "ecr" => "InvalidParameterException",
        "ec2" => "InvalidParameterValue",
        "iam" | "sts" | "elasticloadbalancing" | "autoscaling" => "ValidationError",
        _ => "ValidationException",
    }
}

fn capital(member: &str) -> String {
    let mut letters = member.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn lower(member: &str) -> String {
    let mut letters = member.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Caller;

    #[test]
    fn a_query_s_texts_and_json_s_types_read_alike() {
        for input in [json!({"a": 8080, "b": true, "c": 0.5}), json!({"a": "8080", "b": "true", "c": "0.5"})] {
            assert_eq!(integer(&input, "a"), Some(8080), "{input}");
            assert_eq!(flag(&input, "b"), Some(true), "{input}");
            assert_eq!(number(&input, "c"), Some(0.5), "{input}");
        }
    }

    #[test]
    fn what_is_of_another_kind_is_not_there() {
        let input = json!({"a": "x", "b": "yes", "c": {}, "d": null, "e": 1.5, "f": 1e300, "g": "inf"});
        assert_eq!(integer(&input, "a"), None);
        assert_eq!(flag(&input, "b"), None);
        assert!(list(&input, "c").is_empty());
        assert!(!has(&input, "d") && has(&input, "c"));
        assert_eq!((integer(&input, "e"), integer(&input, "f"), number(&input, "g")), (None, None, None));
        assert_eq!(text(&Value::Null, "a"), None);
    }

    #[test]
    fn a_missing_member_is_refused_in_the_service_s_words() {
        let call = |service: &str| Call {
            service: service.to_owned(),
            operation: "X".to_owned(),
            input: json!({"RoleName": ""}),
            caller: Caller { arn: String::new() },
        };
        let refusal = |service| required(&call(service), "RoleName").unwrap_err();
        assert_eq!(refusal("ec2").code, "MissingParameter");
        assert_eq!(
            refusal("iam").to_string(),
            "ValidationError: 1 validation error detected: Value null at 'roleName' failed to satisfy constraint: \
             Member must not be null"
        );
        assert_eq!(
            required_list(&call("ecs"), "tasks").unwrap_err().to_string(),
            "InvalidParameterException: Tasks can not be blank."
        );
    }
}
