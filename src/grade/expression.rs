//! CEL expressions over objects, as Kubernetes' own admission policies use them.
//!
//! Rules: an absent key, or a value of another type than the expression expects, is how the object is, thus `not met`. What no
//! object can help (a name that nobody declared, a result that is no bool) is the lab's fault, thus `unknown`.
//! Functions besides CEL's own: `quantity(x)`.

use std::sync::{Arc, LazyLock};

use breakfix_expression::{Names, Plain};
use cel::{Context, Env, ExecutionError, Program, Value as CelValue};
use serde_json::Value;

use crate::quantity;

/// CEL's own types, which are values too: `type(x) == string`.
const TYPES: [&str; 10] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The standard functions and macros, built once: they never change.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Whether an expression can be read and names nothing but these variables and the functions there are.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn compile(expression: &str, variables: &[&str]) -> Result<(), String> {
    let program = program(expression)?;
    let names = Names::of(program.expression());
    let unknown = |name: &&&str| !variables.contains(name) && !TYPES.contains(name);
    if let Some(name) = names.variables.iter().find(unknown) {
        let known = variables.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" and ");
        return Err(format!("the expression names `{name}`; there are only {known}"));
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

/// Reads an expression.
///
/// # Errors
/// It cannot be read; a sentence.
pub(crate) fn program(expression: &str) -> Result<Program, String> {
    ENVIRONMENT.compile(expression).map_err(|error| format!("the expression `{expression}` cannot be read: {error}"))
}

/// Whose fault it is that there was no yes or no.
pub(crate) enum Trouble {
    Object(String),
    Lab(String),
}

/// The expression's yes or no, with these values for its variables.
pub(crate) fn evaluate(program: &Program, variables: &[(&str, &Value)]) -> Result<bool, Trouble> {
    match execute(program, variables)? {
        CelValue::Bool(yes) => Ok(yes),
        _ => Err(Trouble::Lab("does not say yes or no".to_owned())),
    }
}

/// The expression's value as a text: a text, a number, `true` or `false`.
pub(crate) fn said(program: &Program, variables: &[(&str, &Value)]) -> Result<String, Trouble> {
    Ok(match execute(program, variables)? {
        CelValue::String(text) => text.to_string(),
        CelValue::Int(number) => number.to_string(),
        CelValue::UInt(number) => number.to_string(),
        CelValue::Float(number) => number.to_string(),
        CelValue::Bool(truth) => truth.to_string(),
        _ => return Err(Trouble::Lab("says neither a text nor a number".to_owned())),
    })
}

fn execute(program: &Program, variables: &[(&str, &Value)]) -> Result<CelValue, Trouble> {
    let ours = |error: &dyn std::fmt::Display| Trouble::Lab(error.to_string());
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    for (name, value) in variables {
        context.add_variable(*name, Plain(value)).map_err(|error| ours(&error))?;
    }
    context.add_function("quantity", base_units).map_err(|error| ours(&error))?;
    match program.execute(&context) {
        Ok(value) => Ok(value),
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
