//! XML answers of the query protocols: elements called and nested as the model has them.

use serde_json::Value;

use super::model::{Kind, Model, Shape};
use crate::moment;

/// How dates look: with milliseconds, but for IAM and STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    Seconds,
    Millis,
}

/// Writes elements.
pub struct Writer<'a> {
    pub model: &'a Model,
    pub dates: Dates,
    pub out: String,
}

impl<'a> Writer<'a> {
    pub fn new(model: &'a Model) -> Self {
        let dates = if matches!(model.name, "iam" | "sts") { Dates::Seconds } else { Dates::Millis };
        Self { model, dates, out: String::new() }
    }

    /// An element with a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.element(name, |writer| escape(text, &mut writer.out));
    }

    /// An element with whatever `inside` writes.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        inside(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// The members of a structure.
    pub fn members(&mut self, shape: &str, value: &Value) {
        let model = self.model;
        for member in model.members(shape) {
            if let Some(value) = value.get(member.name).filter(|value| !value.is_null()) {
                self.value(member.answered, member.of, value);
            }
        }
    }

    fn value(&mut self, name: &str, kind: Kind, value: &Value) {
        let model = self.model;
        let Kind::Shape(shape) = kind else { return self.text(name, &self.scalar(kind, value)) };
        match (model.shapes.get(shape), value) {
            (Some(Shape::List { of, item, flat }), Value::Array(values)) => {
                // EC2's lists have an element of their own in answers, whatever the model says of requests.
                if *flat && model.protocol != "ec2" {
                    let item = if *item == "member" { name } else { item };
                    return values.iter().for_each(|value| self.value(item, *of, value));
                }
                let item = if model.protocol == "ec2" && *item == "member" { "item" } else { item };
                self.element(name, |writer| values.iter().for_each(|value| writer.value(item, *of, value)));
            }
            (Some(Shape::Map { of, key, value: held, flat }), Value::Object(values)) => {
                let entry = if *flat { name } else { "entry" };
                let entries = |writer: &mut Self| {
                    for (name, value) in values {
                        writer.element(entry, |writer| {
                            writer.text(key, name);
                            writer.value(held, *of, value);
                        });
                    }
                };
                if *flat { entries(self) } else { self.element(name, entries) }
            }
            (Some(Shape::Structure(_)), Value::Object(_)) => {
                self.element(name, |writer| writer.members(shape, value));
            }
            _ => {}
        }
    }

    fn scalar(&self, kind: Kind, value: &Value) -> String {
        match (kind, value) {
            (Kind::Date(_), value) => match moment::read(value) {
                Some(date) if self.dates == Dates::Millis => date.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
                Some(date) => date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                None => String::new(),
            },
            (_, Value::String(text)) => text.clone(),
            (_, value) => value.to_string(),
        }
    }
}

/// Escapes a text; characters that XML cannot hold become the replacement character.
pub fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A reader would make a line feed of it.
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(letter),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::model;

    fn xml(service: &str, shape: &str, value: &Value) -> String {
        let mut writer = Writer::new(model::of(service).unwrap());
        writer.members(shape, value);
        writer.out
    }

    #[test]
    fn ec2_has_sets_of_items_and_small_names() {
        let answer = json!({"Vpcs": [{"VpcId": "vpc-1", "IsDefault": false, "Tags": [{"Key": "a", "Value": "<&>"}]}]});
        assert_eq!(
            xml("ec2", "DescribeVpcsResult", &answer),
            "<vpcSet><item><isDefault>false</isDefault><tagSet><item><key>a</key><value>&lt;&amp;&gt;</value></item></tagSet>\
             <vpcId>vpc-1</vpcId></item></vpcSet>"
        );
    }

    #[test]
    fn the_query_protocol_has_members_and_dates() {
        let answer = json!({"LoadBalancers": [{"CreatedTime": 1_795_262_400, "SecurityGroups": []}]});
        assert_eq!(
            xml("elasticloadbalancing", "DescribeLoadBalancersOutput", &answer),
            "<LoadBalancers><member><CreatedTime>2026-11-21T12:00:00.000Z</CreatedTime><SecurityGroups></SecurityGroups>\
             </member></LoadBalancers>"
        );
        let answer = json!({"Role": {"CreateDate": 1_795_262_400, "Stranger": 1, "Description": null}});
        assert_eq!(
            xml("iam", "GetRoleResponse", &answer),
            "<Role><CreateDate>2026-11-21T12:00:00Z</CreateDate></Role>"
        );
    }

    #[test]
    fn no_text_breaks_the_document() {
        let mut out = String::new();
        escape("a\u{0}b\r\n]]>", &mut out);
        assert_eq!(out, "a\u{fffd}b&#xD;\n]]&gt;");
    }
}
