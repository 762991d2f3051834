//! CEL as an API server runs it: expressions over JSON, with the functions of `apiserver/pkg/cel/library` that policies use.
//!
//! Not modelled, and therefore undeclared: `authorizer`, and the libraries for URLs, addresses and versions.

mod quantity;

use std::sync::{Arc, LazyLock};

use breakfix_expression::{Compiled, Compiler, Plain, Trouble};
use cel::{Context, Env, Value as CelValue};
use serde_json::Value;

/// CEL's own types, which are values too: `type(x) == string`.
const TYPES: [&str; 11] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"];

/// Of functions and macros that never change.
static COMPILER: LazyLock<Compiler> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    for extension in [cel::extensions::strings, cel::extensions::lists] {
        // Only a name that is taken is refused, and these are not.
        drop(environment.add_extension(extension));
    }
    Compiler::new(environment)
});

/// An expression that can be read.
pub struct Expression {
    compiled: Arc<Compiled>,
}

impl Expression {
    /// Reads an expression that may use these variables.
    ///
    /// # Errors
    /// What is wrong with it, in the words of `cel-go`.
    pub fn compile(text: &str, variables: &[&str]) -> Result<Self, String> {
        let compiled = COMPILER.read(text).map_err(|error| error.to_string())?;
        let known = |name: &str| variables.contains(&name) || TYPES.contains(&name) || name == "optional";
        if let Some(name) = compiled.names.variables.iter().find(|name| !known(name)) {
            let column = text.find(name.as_str()).map_or(1, |at| at + 1);
            return Err(format!(
                "ERROR: <input>:1:{column}: undeclared reference to '{name}' (in container '')\n | {text}\n | {}^",
                ".".repeat(column.saturating_sub(1))
            ));
        }
        Ok(Self { compiled })
    }

    /// The expression's value, of these variables.
    ///
    /// # Errors
    /// Why there is none, nearly in the words of `cel-go`.
    pub fn evaluate(&self, variables: &[(&str, &Value)]) -> Result<Value, String> {
        let mut context = Context::with_env(COMPILER.environment());
        for (name, value) in variables {
            context.add_variable(*name, Plain(value)).map_err(|error| error.to_string())?;
        }
        quantity::add(&mut context).map_err(|error| error.to_string())?;
        let error = match self.compiled.metered.execute(context) {
            Ok(CelValue::Opaque(_) | CelValue::Function(..)) => return Err("no such overload".to_owned()),
            Ok(value) => return value.json().map_err(|_| "no such overload".to_owned()),
            Err(Trouble::TooCostly) => return Err("operation cancelled: actual cost limit exceeded".to_owned()),
            Err(Trouble::Declaration(error)) => return Err(error.to_string()),
            Err(Trouble::Execution(error)) => error,
        };
        match error {
            cel::ExecutionError::NoSuchKey(key) => Err(format!("no such key: {key}")),
            cel::ExecutionError::IndexOutOfBounds(_) => Err("index out of bounds".to_owned()),
            cel::ExecutionError::FunctionError { message, .. } => Err(message),
            cel::ExecutionError::UndeclaredReference(name) => {
                Err(format!("undeclared reference to '{name}' (in container '')"))
            }
            // The other errors print whole values.
            _ => Err("no such overload".to_owned()),
        }
    }

    /// Whether the expression holds.
    ///
    /// # Errors
    /// Why it says neither yes nor no.
    pub fn holds(&self, variables: &[(&str, &Value)]) -> Result<bool, String> {
        match self.evaluate(variables)? {
            Value::Bool(holds) => Ok(holds),
            _ => Err("no such overload".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Result<Value, String> {
        let object = json!({"spec": {"replicas": 3, "image": "shop/web:latest", "memory": "128Mi"}});
        Expression::compile(text, &["object"])?.evaluate(&[("object", &object)])
    }

    #[test]
    fn expressions_are_worked_out_over_objects() {
        for (text, wanted) in [
            ("object.spec.replicas <= 5", json!(true)),
            ("object.spec.replicas + 1", json!(4)),
            ("object.spec.image.endsWith(':latest')", json!(true)),
            ("object.spec.image.matches('^shop/')", json!(true)),
            ("object.spec.image.split(':')[1]", json!("latest")),
            ("has(object.spec.paused)", json!(false)),
            ("object.?spec.?paused.orValue(false)", json!(false)),
            ("quantity(object.spec.memory).isGreaterThan(quantity('64Mi'))", json!(true)),
            ("quantity('1').compareTo(quantity('1000m'))", json!(0)),
            ("isQuantity('many')", json!(false)),
        ] {
            assert_eq!(value(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(value("object.spec.").unwrap_err().starts_with("ERROR: <input>:1:"));
        assert_eq!(
            value("subject.name == ''").unwrap_err(),
            "ERROR: <input>:1:1: undeclared reference to 'subject' (in container '')\n | subject.name == ''\n | ^"
        );
        assert_eq!(value("object.spec.nope").unwrap_err(), "no such key: nope");
    }
}
