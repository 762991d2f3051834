//! The difference that a refused pod update shows: both specs as Go prints its internal types, as a unified diff.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::api::schema::{self, Field, Shape, Type};

const SPEC: &str = "io.k8s.api.core.v1.PodSpec";
const SECURITY: &str = "io.k8s.api.core.v1.PodSecurityContext";
/// Lines shown around a change.
const CONTEXT: usize = 3;
/// Members of the spec that the internal type keeps in its security context.
const HOST: [&str; 5] = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];

/// The unified diff of two pods' specs.
pub(super) fn diff(old: &Value, new: &Value) -> String {
    diff_of(SPEC, old, new)
}

/// The unified diff of two values of a type of `core`.
pub(super) fn diff_of(name: &str, old: &Value, new: &Value) -> String {
    unified(&dump(name, old), &dump(name, new))
}

/// A value of a type of `core` in one line, as an error shows it.
pub(super) fn shown_of(name: &str, value: &Value) -> String {
    let mut text = String::new();
    for line in dump(name, value) {
        let line = line.trim_start();
        // The key and its value stand apart in lines, together in one line.
        match line.strip_prefix('"').and_then(|rest| rest.split_once("\": ")) {
            Some((key, rest)) if !key.contains('"') => {
                let _ = write!(text, "\"{key}\":{rest}");
            }
            _ => text.push_str(line),
        }
    }
    text
}

/// A value's lines.
fn dump(name: &str, value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(of) = schema::find(name) {
        let spec = value.get("spec").filter(|_| of.field("spec").is_some()).unwrap_or(value);
        object(of, value, spec, 0, "", &mut lines);
    }
    lines
}

fn line(depth: usize, text: &str, lines: &mut Vec<String>) {
    lines.push(format!("{}{text}", " ".repeat(depth)));
}

fn go_name(field: &Field) -> String {
    if let Some(name) = field.go {
        return name.to_owned();
    }
    let mut chars = field.name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// The fields of a type as the internal struct has them.
fn fields(of: &'static Type) -> Vec<&'static Field> {
    let own = of.fields.iter().filter(|field| field.number > 0);
    let inlined = of.fields.iter().filter(|field| field.number == 0);
    let mut fields: Vec<&Field> = own.clone().take(of.inline_after).collect();
    fields.extend(inlined);
    fields.extend(own.skip(of.inline_after));
    if of.name == SPEC {
        fields.retain(|field| field.name != "serviceAccount" && !HOST.contains(&field.name));
    }
    if of.name == SECURITY
        && let Some(spec) = schema::find(SPEC)
    {
        let host: Vec<&Field> = HOST.iter().filter_map(|name| spec.field(name)).collect();
        fields.splice(0..0, host);
    }
    fields
}

fn object(of: &'static Type, value: &Value, spec: &Value, depth: usize, end: &str, lines: &mut Vec<String>) {
    let fields = fields(of);
    open(lines, "{");
    let last = fields.len().saturating_sub(1);
    for (index, field) in fields.iter().enumerate() {
        // Metadata is part of the struct around it.
        if field.name == "metadata" {
            let members = value.get("metadata").and_then(Value::as_object).into_iter().flatten();
            for (key, member) in members {
                line(depth + 1, &format!("{key:?}: "), lines);
                plain(member, depth + 1, ",", lines);
            }
            continue;
        }
        let holder = if of.name == SECURITY && HOST.contains(&field.name) { spec } else { value };
        let end = if index == last { "" } else { "," };
        line(depth + 1, &format!("{:?}: ", go_name(field)), lines);
        member(&field.shape, field.pointer, holder.get(field.name), spec, depth + 1, end, lines);
    }
    line(depth, &format!("}}{end}"), lines);
}

/// Goes on in the last line, or begins the first one.
fn open(lines: &mut Vec<String>, text: &str) {
    match lines.last_mut() {
        Some(last) if last.ends_with(": ") || last.trim().is_empty() => last.push_str(text),
        _ => lines.push(text.to_owned()),
    }
}

fn member(
    shape: &Shape,
    pointer: bool,
    value: Option<&Value>,
    spec: &Value,
    depth: usize,
    end: &str,
    lines: &mut Vec<String>,
) {
    let empty = Value::Object(Map::new());
    let value = value.filter(|value| !value.is_null());
    match (shape, value) {
        // Types of meta/v1 are printed as they are in JSON.
        (Shape::Object(name), Some(value)) if name.contains("apimachinery") => plain(value, depth, end, lines),
        (Shape::Object(_), value) if value.is_some() || !pointer => {
            if let Some(inner) = shape.object() {
                object(inner, value.unwrap_or(&empty), spec, depth, end, lines);
            }
        }
        (Shape::List(inner), Some(Value::Array(entries))) if matches!(**inner, Shape::Object(_)) => {
            open(lines, "[");
            let last = entries.len().saturating_sub(1);
            for (index, entry) in entries.iter().enumerate() {
                line(depth + 1, "", lines);
                member(inner, false, Some(entry), spec, depth + 1, if index == last { "" } else { "," }, lines);
            }
            line(depth, &format!("]{end}"), lines);
        }
        (_, Some(value)) => plain(value, depth, end, lines),
        (Shape::Text(_), None) if !pointer => open(lines, &format!("\"\"{end}")),
        (Shape::Bool, None) if !pointer => open(lines, &format!("false{end}")),
        (Shape::Int32 | Shape::Int64 | Shape::IntOrString, None) if !pointer => open(lines, &format!("0{end}")),
        (Shape::Quantity, None) if !pointer => open(lines, &format!("\"0\"{end}")),
        (_, None) => open(lines, &format!("null{end}")),
    }
}

/// A value as JSON, indented by one.
fn plain(value: &Value, depth: usize, end: &str, lines: &mut Vec<String>) {
    let (brackets, entries): ([&str; 2], Vec<(String, &Value)>) = match value {
        Value::Array(entries) => (["[", "]"], entries.iter().map(|entry| (String::new(), entry)).collect()),
        Value::Object(members) => {
            (["{", "}"], members.iter().map(|(key, member)| (format!("{key:?}: "), member)).collect())
        }
        scalar => return open(lines, &format!("{scalar}{end}")),
    };
    let [first, close] = brackets;
    open(lines, first);
    let last = entries.len().saturating_sub(1);
    for (index, (key, entry)) in entries.into_iter().enumerate() {
        line(depth + 1, &key, lines);
        plain(entry, depth + 1, if index == last { "" } else { "," }, lines);
    }
    line(depth, &format!("{close}{end}"), lines);
}

/// A line of the difference: its sign and text.
type Edit<'a> = (char, &'a String);

/// Both sides as a unified diff.
fn unified(old: &[String], new: &[String]) -> String {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let middle = |side: &'_ [String]| side.len() - tail;
    let mut all: Vec<Edit<'_>> = old.iter().take(head).map(|text| (' ', text)).collect();
    all.extend(edits(old.get(head..middle(old)).unwrap_or_default(), new.get(head..middle(new)).unwrap_or_default()));
    all.extend(old.iter().skip(middle(old)).map(|text| (' ', text)));
    hunks(&all)
}

/// The shortest way from one side to the other, by their longest common lines.
fn edits<'a>(a: &'a [String], b: &'a [String]) -> Vec<Edit<'a>> {
    let width = b.len() + 1;
    let mut table = vec![0_usize; (a.len() + 1) * width];
    let score = |table: &[usize], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, left) in a.iter().enumerate().rev() {
        for (j, right) in b.iter().enumerate().rev() {
            let best = if left == right {
                score(&table, i + 1, j + 1) + 1
            } else {
                score(&table, i + 1, j).max(score(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    loop {
        match (a.get(i), b.get(j)) {
            (None, None) => return out,
            (Some(left), Some(right)) if left == right => {
                out.push((' ', left));
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || score(&table, i + 1, j) >= score(&table, i, j + 1) => {
                out.push(('-', left));
                i += 1;
            }
            (_, Some(right)) => {
                out.push(('+', right));
                j += 1;
            }
            (Some(_), None) => return out,
        }
    }
}

/// Changes with the lines around them.
fn hunks(all: &[Edit<'_>]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (index, _) in all.iter().enumerate().filter(|(_, (sign, _))| *sign != ' ') {
        match spans.last_mut() {
            Some((_, last)) if index - *last <= 2 * CONTEXT => *last = index,
            _ => spans.push((index, index)),
        }
    }
    let mut out = String::new();
    for (first, last) in spans {
        let from = first.saturating_sub(CONTEXT);
        let inside = all.get(from..(last + CONTEXT + 1).min(all.len())).unwrap_or_default();
        let before = all.get(..from).unwrap_or_default();
        let count = |range: &[Edit<'_>], other: char| range.iter().filter(|(sign, _)| *sign != other).count();
        let _ = writeln!(
            out,
            "@@ -{},{} +{},{} @@",
            count(before, '+') + 1,
            count(inside, '+'),
            count(before, '-') + 1,
            count(inside, '-')
        );
        for (sign, text) in inside {
            let _ = writeln!(out, "{sign}{text}");
        }
    }
    out
}
