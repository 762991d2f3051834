//! A question in the form of the query protocols: `Tags.member.1.Key=Name` (EC2: `Tag.1.Key=Name`).

use serde_json::Value;

/// The form's pairs, in the question's order.
pub(super) fn pairs(operation: &str, version: &str, input: &Value, is_ec2: bool) -> Vec<(String, String)> {
    let mut pairs = vec![("Action".to_owned(), operation.to_owned()), ("Version".to_owned(), version.to_owned())];
    flatten("", input, is_ec2, &mut pairs);
    // The one member of the inputs sent here that has another name in this operation alone.
    if operation == "CreateSecurityGroup" {
        let description = pairs.iter_mut().filter(|(key, _)| key == "Description");
        description.for_each(|(key, _)| *key = "GroupDescription".to_owned());
    }
    pairs
}

/// As `application/x-www-form-urlencoded`.
pub(super) fn encoded(pairs: &[(String, String)]) -> String {
    let part = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    pairs.iter().map(|(key, value)| format!("{}={}", part(key), part(value))).collect::<Vec<_>>().join("&")
}

fn flatten(prefix: &str, value: &Value, is_ec2: bool, pairs: &mut Vec<(String, String)>) {
    let below = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                let key = if is_ec2 { ec2_name(key) } else { key };
                flatten(&below(key), value, is_ec2, pairs);
            }
        }
        Value::Array(entries) => {
            // An empty list is said as an empty value.
            if entries.is_empty() && !is_ec2 {
                pairs.push((prefix.to_owned(), String::new()));
            }
            for (index, entry) in entries.iter().enumerate() {
                let number = (index + 1).to_string();
                let key = if is_ec2 { below(&number) } else { below(&format!("member.{number}")) };
                flatten(&key, entry, is_ec2, pairs);
            }
        }
        Value::String(text) => pairs.push((prefix.to_owned(), text.clone())),
        other => pairs.push((prefix.to_owned(), other.to_string())),
    }
}

/// What EC2 calls a member in a question (botocore's ec2 model, `locationName` of the inputs that are sent here).
fn ec2_name(member: &str) -> &str {
    match member {
        "TagSpecifications" => "TagSpecification",
        "Tags" => "Tag",
        "UserIdGroupPairs" => "Groups",
        "VpcEndpointIds" => "VpcEndpointId",
        "SubnetIds" => "SubnetId",
        "SecurityGroupIds" => "SecurityGroupId",
        "InstanceIds" => "InstanceId",
        "RouteTableIds" => "RouteTableId",
        "AddRouteTableIds" => "AddRouteTableId",
        "RemoveRouteTableIds" => "RemoveRouteTableId",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(input: Value, is_ec2: bool) -> Vec<String> {
        let pairs = pairs("Do", "1", &input, is_ec2);
        pairs.iter().skip(2).map(|(key, value)| format!("{key}={value}")).collect()
    }

    #[test]
    fn lists_are_numbered() {
        let input = json!({"Tags": [{"Key": "a", "Value": "b"}], "On": true, "Port": 80, "No": null, "Empty": []});
        assert_eq!(
            said(input.clone(), false),
            ["Empty=", "On=true", "Port=80", "Tags.member.1.Key=a", "Tags.member.1.Value=b"]
        );
        assert_eq!(said(input, true), ["On=true", "Port=80", "Tag.1.Key=a", "Tag.1.Value=b"]);
    }

    #[test]
    fn a_form_is_percent_encoded() {
        let pairs = [("a.1".to_owned(), "x y/{\"ü\"}".to_owned())];
        assert_eq!(encoded(&pairs), "a.1=x%20y%2F%7B%22%C3%BC%22%7D");
    }
}
