//! From a model to a table. `wire/model/mod.rs` says how a table reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Wanted;

/// Lines are no longer than this; a line that begins with a blank goes on with the one before.
const WIDTH: usize = 120;

struct Writer<'a> {
    shapes: &'a Value,
    protocol: &'a str,
    done: BTreeSet<&'a str>,
    /// Lines by shape.
    lines: BTreeMap<&'a str, String>,
    errors: BTreeSet<&'a str>,
}

/// The table of a model.
pub fn write(wanted: &Wanted, model: &Value) -> String {
    let meta = &model["metadata"];
    let text = |member: &str| meta[member].as_str().unwrap_or("-");
    let protocol = text("protocol");
    let mut writer = Writer {
        shapes: &model["shapes"],
        protocol,
        done: BTreeSet::new(),
        lines: BTreeMap::new(),
        errors: BTreeSet::new(),
    };
    let mut operations = Vec::new();
    for (name, operation) in model["operations"].as_object().into_iter().flatten() {
        if wanted.holds(name) {
            operations.push(writer.operation(name, operation, protocol == "rest-json"));
        }
    }
    let mut out = format!(
        "service {} {protocol} {} {} {} {}\n",
        wanted.table,
        text("jsonVersion"),
        text("targetPrefix"),
        text("apiVersion"),
        text("xmlNamespace"),
    );
    if let Some(namespace) = meta["xmlNamespace"]["uri"].as_str() {
        out = out.replace(" -\n", &format!(" {namespace}\n"));
    }
    let errors = writer.errors.iter().filter_map(|name| writer.error(name)).collect::<Vec<_>>();
    for line in operations.iter().chain(&errors).chain(writer.lines.values()) {
        wrap(line, &mut out);
    }
    out
}

fn wrap(line: &str, out: &mut String) {
    let mut width = 0;
    for (index, word) in line.split(' ').enumerate() {
        if index > 0 && width + word.len() >= WIDTH {
            out.push_str("\n ");
            width = 1;
        } else if index > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.len();
    }
    out.push('\n');
}

impl<'a> Writer<'a> {
    fn operation(&mut self, name: &str, operation: &'a Value, rest: bool) -> String {
        let shape = |member: &str| operation[member]["shape"].as_str();
        let (input, output) = (shape("input"), shape("output"));
        for shape in [input, output].into_iter().flatten() {
            self.shape(shape);
        }
        for error in operation["errors"].as_array().into_iter().flatten() {
            self.errors.extend(error["shape"].as_str());
        }
        let mut line = format!("operation {name} {} {}", input.unwrap_or("-"), output.unwrap_or("-"));
        if let (true, Some(method), Some(uri)) =
            (rest, operation["http"]["method"].as_str(), operation["http"]["requestUri"].as_str())
        {
            let status = operation["http"]["responseCode"].as_u64().unwrap_or(200);
            line.push_str(&format!(" {method} {uri} {status}"));
        }
        line
    }

    /// `error SHAPE CODE STATUS MEMBER`: the member that holds the sentence.
    fn error(&self, name: &str) -> Option<String> {
        let shape = self.shapes.get(name)?;
        let error = &shape["error"];
        let status = error["httpStatusCode"].as_u64().unwrap_or(if shape["fault"] == true { 500 } else { 400 });
        let code = error["code"].as_str().unwrap_or(name);
        let members = shape["members"].as_object();
        let message = members.and_then(|members| members.keys().find(|name| name.eq_ignore_ascii_case("message")));
        Some(format!("error {name} {code} {status} {}", message.map_or("-", String::as_str)))
    }

    /// How a shape is called in a table; its line is written on the way.
    fn shape(&mut self, name: &'a str) -> String {
        let shape = &self.shapes[name];
        if shape["document"] == true {
            return "d".to_owned();
        }
        let letter = match shape["type"].as_str().unwrap_or_default() {
            "string" | "character" => "s",
            "integer" | "long" | "short" | "byte" => "i",
            "float" | "double" => "f",
            "boolean" => "b",
            "blob" => "x",
            "timestamp" => return timestamp(shape).to_owned(),
            kind => {
                if self.done.insert(name) {
                    let line = self.compound(name, kind, shape);
                    self.lines.insert(name, line);
                }
                return name.to_owned();
            }
        };
        letter.to_owned()
    }

    fn compound(&mut self, name: &str, kind: &str, shape: &'a Value) -> String {
        let flat = if shape["flattened"] == true { " flat" } else { "" };
        match kind {
            "list" => {
                let member = &shape["member"];
                let of = self.member_type(member);
                let item = member["locationName"].as_str().unwrap_or("member");
                format!("list {name} {of} {item}{flat}")
            }
            "map" => {
                let value = self.member_type(&shape["value"]);
                let called = |part: &str| shape[part]["locationName"].as_str().unwrap_or(part).to_owned();
                format!("map {name} {value} {} {}{flat}", called("key"), called("value"))
            }
            _ => {
                let required: BTreeSet<&str> =
                    shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let mut line = format!("structure {name}");
                for (member, reference) in shape["members"].as_object().into_iter().flatten() {
                    let of = self.member_type(reference);
                    let must = if required.contains(member.as_str()) { "!" } else { "" };
                    line.push_str(&format!(" {member}{must}={of}{}", self.names(member, reference)));
                }
                line
            }
        }
    }

    fn member_type(&mut self, reference: &'a Value) -> String {
        match reference.get("timestampFormat") {
            Some(_) => timestamp(reference).to_owned(),
            None => self.shape(reference["shape"].as_str().unwrap_or_default()),
        }
    }

    /// What a member is called on the wire, where that is not its own name: `|o:` in answers, `|i:` in requests, `|u:` in the path,
    /// `|q:` in the query, `|h:` in the headers.
    fn names(&self, member: &str, reference: &Value) -> String {
        let called = reference["locationName"].as_str().unwrap_or(member);
        match reference["location"].as_str() {
            Some("uri") => return format!("|u:{called}"),
            Some("querystring") => return format!("|q:{called}"),
            Some("header" | "headers" | "statusCode") => return format!("|h:{called}"),
            _ => {}
        }
        let asked = match (self.protocol, reference["queryName"].as_str()) {
            ("ec2", Some(name)) => name.to_owned(),
            ("ec2", None) if reference.get("locationName").is_some() => capital(called),
            _ => called.to_owned(),
        };
        let mut names = String::new();
        for (mark, name) in [('o', called), ('i', asked.as_str())] {
            if name != member {
                names.push_str(&format!("|{mark}:{name}"));
            }
        }
        names
    }
}

fn timestamp(shape: &Value) -> &'static str {
    match shape["timestampFormat"].as_str() {
        Some("iso8601") => "ti",
        Some("unixTimestamp") => "tu",
        Some("rfc822") => "tr",
        _ => "t",
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
