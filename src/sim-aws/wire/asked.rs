//! A request, read: which service, which operation, with which members, signed by whom. Whether the signature holds is `gate`'s question.

use serde_json::{Map, Value};

use super::{
    cbor, form,
    malformed::Malformed,
    message::{Request, pairs},
    model::{self, Kind, Model, Operation},
    protocol::Protocol,
    refusal::Refusal,
    rest,
    sign::{self, Signed},
    typed,
};
use crate::AwsError;

/// What a request asks for.
#[derive(Debug)]
pub struct Asked {
    pub model: &'static Model,
    pub operation: &'static Operation,
    pub input: Value,
    pub signed: Option<Signed>,
}

/// A request that could not be read, and what is known of how to say so.
#[derive(Debug)]
pub struct Unreadable {
    pub model: Option<&'static Model>,
    pub error: AwsError,
}

/// Reads a request, in the protocol that it speaks.
pub fn open(request: &Request) -> (Protocol, Result<Asked, Unreadable>) {
    let model = match sign::read(request) {
        Ok(Some(signed)) => model::of(&signed.service),
        _ => unsigned_model(request),
    };
    let protocol = Protocol::of(request, model);
    (protocol, read(request, protocol))
}

/// Reads a request.
///
/// # Errors
/// It is not whole, is of a service that is not simulated, or says what its operation does not know.
pub fn read(request: &Request, protocol: Protocol) -> Result<Asked, Unreadable> {
    let unsigned = Unreadable::of(None, protocol);
    let signed = sign::read(request).map_err(|incomplete| unsigned.with(&incomplete.into()))?;
    let model = match &signed {
        Some(signed) => model::of(&signed.service).ok_or_else(|| Unreadable {
            model: None,
            error: AwsError::not_simulated(&signed.service, &named(request)),
        })?,
        None => unsigned_model(request).ok_or_else(|| unsigned.with(&Refusal::NotSigned))?,
    };
    let refuse = Unreadable::of(Some(model), protocol);
    let (operation, input) = match protocol {
        Protocol::Json => by_target(model, request),
        Protocol::Query | Protocol::Ec2 => by_form(model, request, protocol),
        Protocol::Rest => by_path(model, request),
        Protocol::Cbor => by_cbor(model, request),
    }
    .map_err(|wrong| match wrong {
        Wrong::Refused(refusal) => refuse.with(&refusal),
        Wrong::Version(version) => Unreadable {
            model: Some(model),
            error: AwsError::not_simulated(model.name, &format!("{} of {version}", named(request))),
        },
    })?;
    Ok(Asked { model, operation, input, signed })
}

/// How errors are put for a request that cannot be read.
struct Say {
    model: Option<&'static Model>,
    protocol: Protocol,
}

impl Unreadable {
    fn of(model: Option<&'static Model>, protocol: Protocol) -> Say {
        Say { model, protocol }
    }
}

impl Say {
    fn with(&self, refusal: &Refusal) -> Unreadable {
        Unreadable { model: self.model, error: refusal.error(self.protocol) }
    }
}

enum Wrong {
    Refused(Refusal),
    /// Another version of the service's API than the one that is simulated.
    Version(String),
}

impl<T: Into<Refusal>> From<T> for Wrong {
    fn from(refusal: T) -> Self {
        Self::Refused(refusal.into())
    }
}

/// The operation that a request seems to name, for a sentence about it.
fn named(request: &Request) -> String {
    let target = request.header("x-amz-target").and_then(|target| target.split('.').next_back());
    let action = || form_pairs(request).into_iter().find(|(name, _)| name == "Action").map(|(_, value)| value);
    target.map(str::to_owned).or_else(action).unwrap_or_else(|| format!("{} {}", request.method, request.path))
}

/// What an unsigned request is for: some operations need no signature, and the others are refused as their service refuses them.
fn unsigned_model(request: &Request) -> Option<&'static Model> {
    if let Some(target) = request.header("x-amz-target") {
        return model::by_target(target.split('.').next()?);
    }
    let pairs = form_pairs(request);
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let (action, version) = (value("Action")?, value("Version")?);
    model::by_version(version).filter(|model| model.operations.contains_key(action))
}

/// Parameters of the query protocols come in the body, or in the address.
fn form_pairs(request: &Request) -> Vec<(String, String)> {
    let mut pairs = pairs(&request.query);
    if request.method == "POST" {
        pairs.extend(self::pairs(&String::from_utf8_lossy(&request.body)));
    }
    pairs
}

fn by_target(model: &'static Model, request: &Request) -> Result<(&'static Operation, Value), Wrong> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let (prefix, name) = target.split_once('.').unwrap_or(("", target));
    let operation =
        model.operations.get(name).filter(|_| prefix == model.target).ok_or_else(|| unknown(model, name))?;
    let body: Value = match request.body.trim_ascii() {
        [] => Value::Object(Map::new()),
        bytes => serde_json::from_slice(bytes).map_err(|error| Malformed::Syntax(syntax(&error)))?,
    };
    Ok((operation, typed(model, operation, &body)?))
}

/// Where the services' JSON reader stumbles it says little; the place helps whoever wrote the request by hand.
fn syntax(error: &serde_json::Error) -> String {
    format!("Could not parse request body into json: {error}")
}

fn by_form(model: &'static Model, request: &Request, protocol: Protocol) -> Result<(&'static Operation, Value), Wrong> {
    let tree = form::tree(form_pairs(request))?;
    let name = tree.text("Action").unwrap_or_default();
    if let Some(version) = tree.text("Version").filter(|version| *version != model.version) {
        return Err(Wrong::Version(version.to_owned()));
    }
    let operation = model.operations.get(name).ok_or_else(|| unknown(model, name))?;
    let shape = operation.input.unwrap_or_default();
    if protocol == Protocol::Ec2 {
        let known = |name: &str| model.members(shape).iter().any(|member| member.asked == name);
        let ours = |name: &str| matches!(name, "Action" | "Version" | "DryRun") || name.starts_with("X-Amz-");
        if let Some(stranger) = tree.names().find(|name| !ours(name) && !known(name)) {
            return Err(Refusal::UnknownParameter(stranger.to_owned()).into());
        }
    }
    Ok((operation, form::structure(model, shape, &tree)?))
}

fn by_path(model: &'static Model, request: &Request) -> Result<(&'static Operation, Value), Wrong> {
    let (operation, parts) = rest::route(model, request).ok_or_else(|| unknown(model, &request.path))?;
    Ok((operation, rest::read(model, operation, &parts, request)?))
}

/// `/service/GraniteServiceVersion20100801/operation/DescribeAlarms`.
fn by_cbor(model: &'static Model, request: &Request) -> Result<(&'static Operation, Value), Wrong> {
    let name = request.path.rsplit("/operation/").next().unwrap_or_default();
    let operation = model.operations.get(name).ok_or_else(|| unknown(model, name))?;
    let body = if request.body.is_empty() { Value::Object(Map::new()) } else { cbor::read(&request.body)? };
    Ok((operation, typed(model, operation, &body)?))
}

fn unknown(model: &Model, name: &str) -> Refusal {
    Refusal::UnknownOperation { operation: name.to_owned(), version: model.version.to_owned() }
}

fn typed(model: &Model, operation: &Operation, body: &Value) -> Result<Value, Malformed> {
    match operation.input {
        Some(shape) => typed::read(model, Kind::Shape(shape), body),
        None => Ok(Value::Object(Map::new())),
    }
}
