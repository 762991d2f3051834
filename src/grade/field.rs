//! `field`: a CEL expression over an object, as Kubernetes' own admission policies use it.
//!
//! Rules: an absent key, or a value of another type than the expression expects, is how the object is, thus `not met`. What no
//! object can help (a name that nobody declared, a result that is no bool) is the lab's fault, thus `unknown`.
//! Variables: `object`, `baseline` (null where the object was not handed over). Functions besides CEL's own: `quantity(x)`.

mod names;

use std::sync::{Arc, LazyLock};

use breakfix_lab::{Platform, check::Field};
use cel::{Context, Env, ExecutionError, Program, Value as CelValue};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::{Evidence, Judge, Query, Verdict, View, answers::objects_query, object, pods, quantity, query::Scope};
use names::Names;

/// What an expression may name.
const VARIABLES: [&str; 2] = ["object", "baseline"];
/// CEL's own types, which are values too: `type(x) == string`.
const TYPES: [&str; 10] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The standard functions and macros, built once: they never change.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Judge for Field {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        vec![objects_query(platform, scope, &self.kind, self.namespace.as_deref())]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        compile(&self.cel).err().into_iter().collect()
    }
}

/// Whether an expression can be read and names nothing but the variables and functions there are.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn compile(expression: &str) -> Result<(), String> {
    let program = program(expression)?;
    let names = Names::of(program.expression());
    let unknown = |name: &&&str| !VARIABLES.contains(name) && !TYPES.contains(name);
    if let Some(name) = names.variables.iter().find(unknown) {
        return Err(format!(
            "the expression names `{name}`; there are only {}",
            VARIABLES.map(|it| format!("`{it}`")).join(" and ")
        ));
    }
    match names.functions.iter().find(|name| !is_function(name)) {
        Some(name) => Err(format!("the expression calls `{name}`, which is no function here")),
        None => Ok(()),
    }
}

/// A name that is taken cannot be declared again; there is no other way to ask.
fn is_function(name: &str) -> bool {
    name == "quantity" || Context::with_env(Arc::clone(&ENVIRONMENT)).add_function(name, || true).is_err()
}

fn program(expression: &str) -> Result<Program, String> {
    ENVIRONMENT.compile(expression).map_err(|error| format!("the expression `{expression}` cannot be read: {error}"))
}

fn judge(check: &Field, view: &View<'_>) -> Result<Verdict, Verdict> {
    let program = program(&check.cel).map_err(Verdict::unknown)?;
    let namespace = check.namespace.as_deref();
    let before = view.baseline.objects.get(&check.kind).map_or(&[][..], Vec::as_slice);
    let chosen: Vec<&Value> = view.objects(&check.kind, namespace)?.iter().filter(|it| is_chosen(check, it)).collect();
    let what = match &check.name {
        Some(name) => format!("{} {name}", check.kind),
        None => format!("{} of the lab", check.kind),
    };
    if chosen.is_empty() {
        return Ok(Verdict::not_met(format!("there is no {what}"), Evidence::new(&check.wanted, format!("no {what}"))));
    }
    let look = match (view.platform, chosen.as_slice()) {
        (Platform::Kubernetes, [one]) => {
            view.look(&format!("{} {} -o yaml", check.kind.to_lowercase(), object::name(one)), namespace)
        }
        (Platform::Kubernetes, _) => view.look(&check.kind.to_lowercase(), namespace),
        (Platform::Docker, _) => {
            Some(format!("docker inspect {}", chosen.iter().map(|it| object::name(it)).collect::<Vec<_>>().join(" ")))
        }
    };
    for object in &chosen {
        let earlier = before
            .iter()
            .find(|it| object::name(it) == object::name(object) && object::namespace(it) == object::namespace(object));
        let name = format!("{} {}", check.kind, object::name(object));
        let found = match evaluate(&program, object, earlier) {
            Ok(true) => continue,
            Ok(false) => format!("not so of {name}"),
            Err(Trouble::Object(why)) => format!("not so of {name}: {why}"),
            Err(Trouble::Lab(why)) => {
                return Err(Verdict::unknown(format!("the lab's expression `{}`: {why}", check.cel)));
            }
        };
        let reason = format!("{}: {found}", check.wanted);
        return Ok(Verdict::not_met(reason, Evidence::new(&check.wanted, found).look(look)));
    }
    let found = match chosen.as_slice() {
        [one] => format!("so of {} {}", check.kind, object::name(one)),
        many => format!("so of all {} of kind {}", many.len(), check.kind),
    };
    Ok(Verdict::met(Evidence::new(&check.wanted, found)))
}

fn is_chosen(check: &Field, object: &Value) -> bool {
    match &check.name {
        Some(name) => object::is_named(object, name) && object::has_labels(object, &check.labels),
        // One that is being deleted is on its way out and our probes are no part of the lab; neither is "every object".
        None => object::has_labels(object, &check.labels) && !object::is_going(object) && !pods::is_our_probe(object),
    }
}

/// Whose fault it is that there was no yes or no.
enum Trouble {
    Object(String),
    Lab(String),
}

fn evaluate(program: &Program, object: &Value, baseline: Option<&Value>) -> Result<bool, Trouble> {
    let ours = |error: &dyn std::fmt::Display| Trouble::Lab(error.to_string());
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    context.add_variable("object", Plain(object)).map_err(|error| ours(&error))?;
    context.add_variable("baseline", Plain(baseline.unwrap_or(&Value::Null))).map_err(|error| ours(&error))?;
    context.add_function("quantity", base_units).map_err(|error| ours(&error))?;
    match program.execute(&context) {
        Ok(CelValue::Bool(yes)) => Ok(yes),
        Ok(_) => Err(Trouble::Lab("does not say yes or no".to_owned())),
        Err(ExecutionError::NoSuchKey(key)) => Err(Trouble::Object(format!("{key} is absent"))),
        Err(
            error @ (ExecutionError::UndeclaredReference(_)
            | ExecutionError::InvalidArgumentCount { .. }
            | ExecutionError::MissingArgumentOrTarget
            | ExecutionError::InternalError(_)),
        ) => Err(ours(&error)),
        Err(ExecutionError::IndexOutOfBounds(_)) => Err(Trouble::Object("a list is shorter".to_owned())),
        Err(ExecutionError::FunctionError { message, .. }) => Err(Trouble::Object(message)),
        // The other errors print whole values, which are long and may spoil.
        Err(_) => Err(Trouble::Object("a value is of another type".to_owned())),
    }
}

/// `quantity("128Mi")`, `quantity(134217728)`: a number of base units.
fn base_units(value: CelValue) -> Result<f64, ExecutionError> {
    let number = match &value {
        CelValue::String(text) => quantity::parse(text),
        CelValue::Int(number) => Some(*number as f64),
        CelValue::UInt(number) => Some(*number as f64),
        CelValue::Float(number) => Some(*number),
        _ => None,
    };
    number.ok_or_else(|| ExecutionError::function_error("quantity", "a value is no quantity"))
}

/// JSON as CEL wants it: every whole number an int, so that `object.spec.replicas + 1` means something.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => match number.as_i64() {
                Some(whole) => serializer.serialize_i64(whole),
                None => number.serialize(serializer),
            },
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, &Plain(value))?;
                }
                out.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests;
