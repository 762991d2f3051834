//! Query protocols: `Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1` → a tree → the members of the operation's input.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::{
    malformed::Malformed,
    model::{Kind, Model, Shape, Spelling},
};
use crate::moment;

/// No request of the services goes deeper.
const DEPTH_MAX: usize = 24;

/// What stands under a name: a value, parts, or both.
#[derive(Debug, Default)]
pub struct Node {
    value: Option<String>,
    parts: BTreeMap<String, Node>,
}

/// The tree of a form.
///
/// # Errors
/// A name goes too deep.
pub fn tree(pairs: Vec<(String, String)>) -> Result<Node, Malformed> {
    let mut root = Node::default();
    for (name, value) in pairs {
        if name.matches('.').count() >= DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        let mut node = &mut root;
        for part in name.split('.') {
            node = node.parts.entry(part.to_owned()).or_default();
        }
        node.value = Some(value);
    }
    Ok(root)
}

impl Node {
    /// A scalar of the form's first level.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.parts.get(name)?.value.as_deref()
    }

    /// The names of the first level.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }

    /// What is numbered under this node, in order.
    fn numbered(&self) -> Vec<&Node> {
        let mut numbered: Vec<(u32, &Node)> =
            self.parts.iter().filter_map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, node)| node).collect()
    }

    /// The numbered entries of a list or a map: right below, or below the name that its entries have.
    fn entries(&self, name: &str) -> Vec<&Node> {
        self.parts.get(name).map_or_else(|| self.numbered(), Node::numbered)
    }
}

/// The members of a structure out of a form.
///
/// # Errors
/// A value is not of its member's kind.
pub fn structure(model: &Model, name: &str, node: &Node) -> Result<Value, Malformed> {
    let mut read = Map::new();
    for member in model.members(name) {
        if let Some(part) = node.parts.get(member.asked) {
            read.insert(member.name.to_owned(), value(model, member.of, part, member.name)?);
        }
    }
    Ok(Value::Object(read))
}

fn value(model: &Model, kind: Kind, node: &Node, place: &str) -> Result<Value, Malformed> {
    if let Kind::Shape(name) = kind {
        return match model.shapes.get(name) {
            Some(Shape::List { of, item, .. }) => {
                let entries = node.entries(item).into_iter();
                entries.map(|node| value(model, *of, node, place)).collect::<Result<_, _>>().map(Value::Array)
            }
            Some(Shape::Map { of, key, value: held, .. }) => map(model, *of, (key, held), node, place),
            _ => structure(model, name, node),
        };
    }
    let text = node.value.clone().unwrap_or_default();
    scalar(kind, text, place)
}

fn map(model: &Model, of: Kind, names: (&str, &str), node: &Node, place: &str) -> Result<Value, Malformed> {
    let mut read = Map::new();
    for entry in node.entries("entry") {
        let Some(key) = entry.text(names.0) else { continue };
        let held = entry.parts.get(names.1).map_or(Ok(Value::Null), |node| value(model, of, node, place))?;
        read.insert(key.to_owned(), held);
    }
    Ok(Value::Object(read))
}

/// A text as the kind of value that it spells.
///
/// # Errors
/// It spells none.
pub fn scalar(kind: Kind, text: String, place: &str) -> Result<Value, Malformed> {
    let wrong = |kind: &'static str| Malformed::Spelling { text: text.clone(), place: place.to_owned(), kind };
    Ok(match kind {
        Kind::Integer => text.trim().parse::<i64>().map_err(|_| wrong("Integer"))?.into(),
        Kind::Number => {
            let number = text.trim().parse::<f64>().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or_else(|| wrong("Double"))?)
        }
        Kind::Flag if text.eq_ignore_ascii_case("true") => true.into(),
        Kind::Flag if text.eq_ignore_ascii_case("false") => false.into(),
        Kind::Flag => return Err(wrong("Boolean")),
        Kind::Date(Spelling::Protocol | Spelling::Iso | Spelling::Epoch | Spelling::Rfc822) => {
            let text = Value::String(text.clone());
            moment::read(&text).map(moment::written).ok_or_else(|| wrong("Timestamp"))?
        }
        Kind::Text | Kind::Bytes | Kind::Anything | Kind::Shape(_) => text.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::{message::pairs, model};

    fn read(service: &str, shape: &str, form: &str) -> Result<Value, Malformed> {
        structure(model::of(service).unwrap(), shape, &tree(pairs(form))?)
    }

    #[test]
    fn lists_and_structures_of_the_query_protocol() {
        let form = "Action=CreateTargetGroup&Name=shop&Port=8080&HealthCheckEnabled=true&Matcher.HttpCode=200-399\
                    &Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.10.Key=c";
        let input = read("elasticloadbalancing", "CreateTargetGroupInput", form).unwrap();
        assert_eq!(
            input,
            json!({"Name": "shop", "Port": 8080, "HealthCheckEnabled": true, "Matcher": {"HttpCode": "200-399"},
                   "Tags": [{"Key": "a"}, {"Key": "b"}, {"Key": "c"}]})
        );
    }

    #[test]
    fn lists_of_ec2_have_no_name_of_their_own() {
        let form = "Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2&VpcId.1=vpc-3&MaxResults=5";
        let input = read("ec2", "DescribeVpcsRequest", form).unwrap();
        assert_eq!(
            input,
            json!({"Filters": [{"Name": "vpc-id", "Values": ["vpc-1", "vpc-2"]}], "VpcIds": ["vpc-3"], "MaxResults": 5})
        );
    }

    #[test]
    fn a_map_has_entries() {
        let form = "Entries.entry.1.key=a&Entries.entry.1.value=b";
        let mut model = Model::default();
        model.shapes.insert("M", Shape::Map { of: Kind::Text, key: "key", value: "value", flat: false });
        let node = tree(pairs(form)).unwrap();
        let read = value(&model, Kind::Shape("M"), &node.parts["Entries"], "Entries").unwrap();
        assert_eq!(read, json!({"a": "b"}));
    }

    #[test]
    fn what_is_no_number_or_no_end_of_parts_is_refused() {
        assert!(matches!(read("ec2", "DescribeVpcsRequest", "MaxResults=many"), Err(Malformed::Spelling { .. })));
        let deep = format!("a{}=1", ".a".repeat(10_000));
        assert!(matches!(read("ec2", "DescribeVpcsRequest", &deep), Err(Malformed::TooDeep)));
        let odd = read("ec2", "DescribeVpcsRequest", "Filter.x.Name=1&Filter=2&VpcId.99999999999=3&.=&=").unwrap();
        assert_eq!(odd, json!({"Filters": [], "VpcIds": []}));
    }
}
