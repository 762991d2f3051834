//! XML answers as the values that the JSON protocols would bring: the members of the services' models, which the simulator has too.

use breakfix_sim_aws::wire::model::{self, Kind, Member, Model, Shape};
use jiff::Timestamp;
use serde_json::Value;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    /// What stands between its ends, where no element does.
    pub text: String,
    pub children: Vec<Element>,
}

/// No answer is deeper.
const DEPTH_MAX: usize = 64;

impl Element {
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first of the name at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }
}

/// The root element; none where it is no XML.
pub(super) fn read(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = Vec::new();
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::ElementStart { local, .. } => {
                if open.len() >= DEPTH_MAX {
                    return None;
                }
                open.push(Element { name: local.to_string(), ..Element::default() });
            }
            Token::ElementEnd { end: ElementEnd::Open, .. } => {}
            Token::ElementEnd { .. } => {
                let done = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Some(done),
                }
            }
            Token::Text { text } => open.last_mut()?.text.push_str(&plain(&text)),
            Token::Cdata { text, .. } => open.last_mut()?.text.push_str(&text),
            _ => {}
        }
    }
    None
}

/// A text without entities.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((entity, tail)) = after.split_once(';') else {
            plain.push('&');
            rest = after;
            continue;
        };
        let number = |text: &str, radix| u32::from_str_radix(text, radix).ok().and_then(char::from_u32);
        let sign = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            other => match other.strip_prefix("#x") {
                Some(hex) => number(hex, 16),
                None => other.strip_prefix('#').and_then(|decimal| number(decimal, 10)),
            },
        };
        plain.extend(sign);
        rest = tail;
    }
    plain.push_str(rest);
    plain
}

/// The answer of an operation, with the names and types of the service's model; none where the model has no such operation.
///
/// `root` is the element whose children are the answer's members. What the model does not know is left out, dates are seconds since 1970 as
/// in the JSON protocols.
pub(super) fn answer(service: &str, operation: &str, root: &Element) -> Option<Value> {
    let model = model::of(service)?;
    let shape = model.operations.get(operation)?.output;
    Some(shape.map_or(Value::Null, |shape| structure(model, shape, root)))
}

fn structure(model: &Model, shape: &str, element: &Element) -> Value {
    let member = |member: &Member| {
        let value = match member.of {
            Kind::Shape(of) => match model.shapes.get(of) {
                // EC2's lists have an element of their own in answers, whatever the model says of requests.
                Some(Shape::List { of, item, flat: true }) if model.protocol != "ec2" => {
                    let name = if *item == "member" { member.answered } else { item };
                    let entries = element.children.iter().filter(|child| child.name == name);
                    let entries: Vec<Value> = entries.map(|child| value(model, *of, child)).collect();
                    (!entries.is_empty()).then_some(Value::Array(entries))
                }
                Some(map @ Shape::Map { flat: true, .. }) => {
                    let entries = element.children.iter().filter(|child| child.name == member.answered);
                    Some(entries_of(model, map, entries)).filter(|it| it.as_object().is_some_and(|it| !it.is_empty()))
                }
                _ => element.child(member.answered).map(|child| value(model, member.of, child)),
            },
            scalar => element.child(member.answered).map(|child| value(model, scalar, child)),
        };
        Some((member.name.to_owned(), value?))
    };
    Value::Object(model.members(shape).iter().filter_map(member).collect())
}

fn value(model: &Model, kind: Kind, element: &Element) -> Value {
    let text = element.text.as_str();
    let Kind::Shape(shape) = kind else { return scalar(kind, text) };
    match model.shapes.get(shape) {
        Some(Shape::Structure(_)) => structure(model, shape, element),
        Some(Shape::List { of, .. }) => element.children.iter().map(|child| value(model, *of, child)).collect(),
        Some(map @ Shape::Map { .. }) => entries_of(model, map, element.children.iter()),
        None => Value::from(text),
    }
}

/// The entries of a map, each an element with a key and a value.
fn entries_of<'a>(model: &Model, map: &Shape, entries: impl Iterator<Item = &'a Element>) -> Value {
    let Shape::Map { of, key, value: held, .. } = map else { return Value::Null };
    let entry = |it: &Element| Some((it.child(key)?.text.clone(), value(model, *of, it.child(held)?)));
    Value::Object(entries.filter_map(entry).collect())
}

/// What a text says; the text itself where it is not what the model promises.
fn scalar(kind: Kind, text: &str) -> Value {
    let read = match kind {
        Kind::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        Kind::Number => text.trim().parse::<f64>().ok().map(Value::from),
        Kind::Flag => text.trim().parse::<bool>().ok().map(Value::from),
        Kind::Date(_) => text.trim().parse::<Timestamp>().ok().map(|date| match date.subsec_nanosecond() {
            0 => Value::from(date.as_second()),
            _ => Value::from(date.as_duration().as_secs_f64()),
        }),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_answer(service: &str, operation: &str, inside: &str) -> Value {
        answer(service, operation, &read(&format!("<?xml version=\"1.0\"?>\n<R>{inside}</R>")).unwrap()).unwrap()
    }

    #[test]
    fn lists_maps_numbers_and_dates_of_the_query_protocol() {
        let text = "<TargetGroups><member><TargetGroupName>a&amp;b</TargetGroupName><Port>80</Port>\
            <HealthCheckEnabled>true</HealthCheckEnabled><LoadBalancerArns/><Matcher><HttpCode>200</HttpCode></Matcher></member></TargetGroups>";
        let wanted = json!({"TargetGroups": [{
            "TargetGroupName": "a&b", "Port": 80, "HealthCheckEnabled": true, "LoadBalancerArns": [], "Matcher": {"HttpCode": "200"},
        }]});
        assert_eq!(read_answer("elasticloadbalancing", "DescribeTargetGroups", text), wanted);
        let text =
            "<Role><RoleName>80</RoleName><CreateDate>2026-11-21T12:00:00Z</CreateDate><Stranger>1</Stranger></Role>";
        let wanted = json!({"Role": {"RoleName": "80", "CreateDate": 1_795_262_400}});
        assert_eq!(read_answer("iam", "GetRole", text), wanted);
        assert_eq!(answer("iam", "GetRoles", &Element::default()), None);
        assert_eq!(answer("nothing", "GetRole", &Element::default()), None);
    }

    #[test]
    fn elements_of_ec2_get_the_models_names() {
        let text = "<vpcSet><item><vpcId>vpc-1</vpcId><isDefault>false</isDefault><tagSet/></item></vpcSet>";
        let wanted = json!({"Vpcs": [{"VpcId": "vpc-1", "IsDefault": false, "Tags": []}]});
        assert_eq!(read_answer("ec2", "DescribeVpcs", text), wanted);
        let text = "<securityGroupInfo><item><ipPermissions><item><fromPort>80</fromPort><groups><item><groupId>g</groupId></item></groups></item>\
            </ipPermissions></item></securityGroupInfo>";
        let permission = json!({"FromPort": 80, "UserIdGroupPairs": [{"GroupId": "g"}]});
        let wanted = json!({"SecurityGroups": [{"IpPermissions": [permission]}]});
        assert_eq!(read_answer("ec2", "DescribeSecurityGroups", text), wanted);
    }

    #[test]
    fn instances_are_found_in_their_reservations() {
        let text = "<requestId>r</requestId><reservationSet><item><reservationId>r-1</reservationId><groupSet/><instancesSet><item>\
            <instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>\
            <groupSet><item><groupId>sg-1</groupId><groupName>machines</groupName></item></groupSet>\
            <tagSet><item><key>Name</key><value>one</value></item></tagSet></item></instancesSet></item></reservationSet>";
        let answer = read_answer("ec2", "DescribeInstances", text);
        let instance = &answer["Reservations"][0]["Instances"][0];
        assert_eq!(instance["InstanceId"], "i-1");
        assert_eq!(instance["State"], json!({"Code": 16, "Name": "running"}));
        assert_eq!(instance["SecurityGroups"], json!([{"GroupId": "sg-1", "GroupName": "machines"}]));
        assert_eq!(instance["Tags"], json!([{"Key": "Name", "Value": "one"}]));
        assert_eq!(answer["Reservations"][0]["Groups"], json!([]));
    }

    #[test]
    fn what_is_no_xml_is_none() {
        for text in ["", "<a>", "<a></b", "plain", "{}"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"<a>".repeat(1000)), None);
        assert_eq!(plain("a &lt;b&gt; &#65; &#x42; &unknown; & c"), "a <b> A B  & c");
    }
}
