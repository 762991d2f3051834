//! The protocol of paths (EFS): the operation is a method and a path, members are parts of it, of the query, or of a JSON body.

use serde_json::{Map, Value};

use super::{
    form,
    malformed::Malformed,
    message::{Request, pairs, unescape},
    model::{Kind, Model, Operation, Place, Shape},
    typed,
};

/// Parts of a path that stand for members, and what they were.
type Parts = Vec<(&'static str, String)>;

/// The operation that a request's method and path name.
pub fn route(model: &'static Model, request: &Request) -> Option<(&'static Operation, Parts)> {
    model.operations.values().find_map(|operation| {
        let route = operation.route.filter(|route| route.method == request.method)?;
        Some((operation, parts(route.path, &request.path)?))
    })
}

fn parts(template: &'static str, path: &str) -> Option<Parts> {
    let template = template.split(['?', '#']).next().unwrap_or(template).trim_end_matches('/').split('/');
    let mut given = path.trim_end_matches('/').split('/');
    let mut parts = Vec::new();
    for part in template {
        let given = given.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(_) if given.is_empty() => return None,
            Some(name) => parts.push((name, unescape(given, false))),
            None if part == given => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(parts)
}

/// The members of a request.
///
/// # Errors
/// The body is not JSON, or a member is of another kind.
pub fn read(model: &Model, operation: &Operation, parts: &Parts, request: &Request) -> Result<Value, Malformed> {
    let Some(shape) = operation.input else { return Ok(Value::Object(Map::new())) };
    let body: Value = match request.body.as_slice() {
        [] => Value::Object(Map::new()),
        bytes => serde_json::from_slice(bytes).map_err(|error| Malformed::Syntax(error.to_string()))?,
    };
    let mut read = match typed::read(model, Kind::Shape(shape), &body)? {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let query = pairs(&request.query);
    for member in model.members(shape) {
        let values: Vec<&String> = match member.place {
            Place::Path(name) => parts.iter().filter(|(known, _)| *known == name).map(|(_, value)| value).collect(),
            Place::Query(name) => query.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect(),
            Place::Body | Place::Header(_) => continue,
        };
        let one = |kind: Kind, text: &String| form::scalar(kind, text.clone(), member.name);
        let value = match (member.of, values.as_slice()) {
            (_, []) => continue,
            (Kind::Shape(name), texts) => match model.shapes.get(name) {
                Some(Shape::List { of, .. }) => texts.iter().map(|text| one(*of, text)).collect::<Result<_, _>>()?,
                _ => continue,
            },
            (kind, [text, ..]) => one(kind, text)?,
        };
        read.insert(member.name.to_owned(), value);
    }
    Ok(Value::Object(read))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::model;

    #[test]
    fn an_operation_is_found_by_its_path_and_its_members_everywhere() {
        let model = model::of("elasticfilesystem").unwrap();
        let request = |method: &str, path: &str, query: &str, body: &str| Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: body.as_bytes().to_vec(),
            headers: Vec::new(),
        };
        let read = |request: Request| {
            let (operation, parts) = route(model, &request)?;
            Some((operation.name, read(model, operation, &parts, &request)))
        };
        let (name, input) =
            read(request("GET", "/2015-02-01/mount-targets", "FileSystemId=fs-1&MaxItems=5", "")).unwrap();
        assert_eq!((name, input.unwrap()), ("DescribeMountTargets", json!({"FileSystemId": "fs-1", "MaxItems": 5})));
        let path = "/2015-02-01/resource-tags/arn%3Aaws%3Ax";
        let (name, input) = read(request("POST", path, "", r#"{"Tags":[]}"#)).unwrap();
        assert_eq!((name, input.unwrap()), ("TagResource", json!({"ResourceId": "arn:aws:x", "Tags": []})));
        assert!(read(request("DELETE", "/2015-02-01/file-systems/", "", "")).is_none());
        assert!(read(request("POST", path, "", "{")).unwrap().1.is_err());
    }
}
