//! CEL expressions over objects, as Kubernetes' own admission policies use them.
//!
//! Rules: an absent key, or a value of another type than the expression expects, is how the object is, thus `not met`. What no
//! object can help (a name that nobody declared, a result that is no bool) is the lab's fault, thus `unknown`.
//! Functions besides CEL's own: `quantity(x)`.

use std::sync::{Arc, LazyLock};

use breakfix_expression::{BUDGET, Compiled, Compiler, Plain, Trouble as Refused, Unread};
use cel::{Context, Env, ExecutionError, Value as CelValue};
use serde_json::Value;

use crate::quantity;

/// CEL's own types, which are values too: `type(x) == string`.
const TYPES: [&str; 10] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// Of the standard functions and macros, which never change.
static COMPILER: LazyLock<Compiler> = LazyLock::new(|| Compiler::new(Env::stdlib()));

/// Whether an expression can be read and names nothing but these variables and the functions there are.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn compile(expression: &str, variables: &[&str]) -> Result<(), String> {
    let program = program(expression)?;
    let names = &program.names;
    let known = |name: &str| variables.contains(&name) || TYPES.contains(&name);
    if let Some(name) = names.variables.iter().find(|name| !known(name)) {
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
    name == "quantity" || Context::with_env(COMPILER.environment()).add_function(name, || true).is_err()
}

/// Reads an expression.
///
/// # Errors
/// It cannot be read; a sentence.
pub(crate) fn program(expression: &str) -> Result<Arc<Compiled>, String> {
    COMPILER.read(expression).map_err(|error| match error {
        Unread::Wrong(error) => format!("the expression `{expression}` cannot be read: {error}"),
        error => format!("an expression cannot be read: {error}"),
    })
}

/// Whose fault it is that there was no yes or no.
pub(crate) enum Trouble {
    Object(String),
    Lab(String),
}

/// The expression's yes or no, with these values for its variables.
pub(crate) fn evaluate(program: &Compiled, variables: &[(&str, &Value)]) -> Result<bool, Trouble> {
    match execute(program, variables)? {
        CelValue::Bool(yes) => Ok(yes),
        _ => Err(Trouble::Lab("does not say yes or no".to_owned())),
    }
}

/// The expression's value as a text: a text, a number, `true` or `false`.
pub(crate) fn said(program: &Compiled, variables: &[(&str, &Value)]) -> Result<String, Trouble> {
    Ok(match execute(program, variables)? {
        CelValue::String(text) => text.to_string(),
        CelValue::Int(number) => number.to_string(),
        CelValue::UInt(number) => number.to_string(),
        CelValue::Float(number) => number.to_string(),
        CelValue::Bool(truth) => truth.to_string(),
        _ => return Err(Trouble::Lab("says neither a text nor a number".to_owned())),
    })
}

fn execute(program: &Compiled, variables: &[(&str, &Value)]) -> Result<CelValue, Trouble> {
    let ours = |error: &dyn std::fmt::Display| Trouble::Lab(error.to_string());
    let mut context = Context::with_env(COMPILER.environment());
    for (name, value) in variables {
        context.add_variable(*name, Plain(value)).map_err(|error| ours(&error))?;
    }
    context.add_function("quantity", base_units).map_err(|error| ours(&error))?;
    let error = match program.metered.execute(context) {
        Ok(value) => return Ok(value),
        Err(Refused::TooCostly) => {
            return Err(Trouble::Lab(format!("goes through more than {BUDGET} values")));
        }
        Err(Refused::Declaration(error)) => return Err(ours(&error)),
        Err(Refused::Execution(error)) => error,
    };
    match error {
        ExecutionError::NoSuchKey(key) => Err(Trouble::Object(format!("{key} is absent"))),
        error @ (ExecutionError::UndeclaredReference(_)
        | ExecutionError::InvalidArgumentCount { .. }
        | ExecutionError::MissingArgumentOrTarget
        | ExecutionError::InternalError(_)) => Err(ours(&error)),
        ExecutionError::IndexOutOfBounds(_) => Err(Trouble::Object("a list is shorter".to_owned())),
        ExecutionError::FunctionError { message, .. } => Err(Trouble::Object(message)),
        // The other errors print whole values, which are long and may spoil.
        _ => Err(Trouble::Object("a value is of another type".to_owned())),
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
