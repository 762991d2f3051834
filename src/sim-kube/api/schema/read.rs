//! Reads the table of types: a type a line, its fields indented below it.

use std::collections::BTreeMap;

use super::{Field, ListType, Shape, Type};

/// The values of enumerations, by the Go name of their type with its group before it: `core.v1.PullPolicy`.
pub(super) fn enumerations(text: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("enum "));
    lines
        .filter_map(|line| {
            let (name, values) = line.split_once(' ')?;
            let values = values.split(if values.contains('|') { '|' } else { ' ' });
            Some((name, values.map(|value| if value == "-" { "" } else { value }).collect()))
        })
        .collect()
}

/// The table. A line that says nothing sensible is left out; a test counts them.
pub(super) fn table(text: &'static str) -> BTreeMap<&'static str, Type> {
    let mut types: BTreeMap<&'static str, Type> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("enum ")) {
        if let Some(field) = line.strip_prefix(' ') {
            let found = current.and_then(|name: &str| types.get_mut(name));
            if let (Some(found), Some((inline, field))) = (found, self::field(field)) {
                match (inline, &field.shape) {
                    (true, Shape::Object(inner)) => {
                        found.inline.push((field.number, inner));
                        found.inline_after = found.fields.len();
                    }
                    _ => found.fields.push(field),
                }
            }
        } else {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or("");
            let words: Vec<_> = words.collect();
            current = Some(name);
            types.insert(
                name,
                Type {
                    name,
                    root: words.contains(&"root"),
                    atomic: words.contains(&"atomic"),
                    fields: Vec::new(),
                    inline: Vec::new(),
                    inline_after: 0,
                    by_name: BTreeMap::new(),
                },
            );
        }
    }
    flatten(&mut types);
    types
}

/// Inlined types within inlined types, at most.
const INLINE_MAX: usize = 4;

/// The fields that a type has from the types inlined in it.
fn inlined(types: &BTreeMap<&'static str, Type>, name: &str, depth: usize) -> Vec<Field> {
    let inner = types.get(name).into_iter().flat_map(|outer| &outer.inline);
    let mut fields = Vec::new();
    for inner in inner.filter(|_| depth > 0).filter_map(|(_, inner)| types.get(inner)) {
        fields.extend(inner.fields.iter().cloned().map(|field| Field { number: 0, ..field }));
        fields.extend(inlined(types, inner.name, depth - 1));
    }
    fields
}

fn flatten(types: &mut BTreeMap<&'static str, Type>) {
    let inlined: Vec<_> = types.keys().map(|name| (*name, inlined(types, name, INLINE_MAX))).collect();
    for (outer, fields) in inlined {
        if let Some(outer) = types.get_mut(outer) {
            outer.fields.extend(fields);
        }
    }
    for found in types.values_mut() {
        found.by_name = found.fields.iter().enumerate().map(|(index, field)| (field.name, index)).collect();
    }
}

fn field(line: &'static str) -> Option<(bool, Field)> {
    let mut words = line.split(' ');
    let mut field = Field {
        name: words.next()?,
        go: None,
        number: words.next()?.parse().ok()?,
        shape: shape(words.next()?),
        pointer: false,
        always: false,
        omit_zero: false,
        required: false,
        list: ListType::Atomic,
        atomic: false,
        merge: false,
        merge_key: None,
        retain_keys: false,
        default: None,
    };
    let mut inline = false;
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("inline", _) => inline = true,
            ("pointer", _) => field.pointer = true,
            ("always", _) => field.always = true,
            ("omitzero", _) => field.omit_zero = true,
            ("required", _) => field.required = true,
            ("atomic", _) => field.atomic = true,
            ("set", _) => field.list = ListType::Set,
            ("map", keys) => field.list = ListType::Map(keys.split(',').collect()),
            ("merge", key) => {
                field.merge = true;
                field.merge_key = (!key.is_empty()).then_some(key);
            }
            ("retain", _) => field.retain_keys = true,
            ("go", name) => field.go = Some(name),
            ("default", value) => field.default = Some(value),
            _ => {}
        }
    }
    Some((inline, field))
}

fn shape(word: &'static str) -> Shape {
    if let Some(inner) = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Shape::List(Box::new(shape(inner)));
    }
    if let Some(inner) = word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return Shape::Map(Box::new(shape(inner)));
    }
    match word.split_once('/').map_or(word, |(plain, _)| plain) {
        "string" => Shape::Text(word.split_once('/').map_or("string", |(_, go)| go)),
        "bool" => Shape::Bool,
        "int32" => Shape::Int32,
        "int64" => Shape::Int64,
        "double" => Shape::Double,
        "bytes" => Shape::Bytes,
        "time" => Shape::Time,
        "microtime" => Shape::MicroTime,
        "duration" => Shape::Duration,
        "quantity" => Shape::Quantity,
        "int-or-string" => Shape::IntOrString,
        "raw" => Shape::Raw,
        "fields" => Shape::Fields,
        _ => Shape::Object(word),
    }
}
