//! What an expression may cost: whoever writes one must not decide how long others wait, nor how much memory it takes.
//!
//! A macro in a macro in a macro goes through a list by the third power, and texts that are put together again and again double. So what
//! macros go through, and what functions that make larger values give, is counted, as `cel-go` counts it where it is given a limit.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use cel::{
    Context, DeclarationError, ExecutionError, IdedExpr, Value,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, operators},
};

use crate::nesting::with_room;

/// Values that one evaluation may go through (`PerCallLimit` of a Kubernetes API server).
pub const BUDGET: u64 = 1_000_000;
/// Characters of a text that count as one value.
const TEXT: usize = 32;
/// What a function whose result grows with the product of its arguments may be given.
const PRODUCT_INPUT: u64 = 256;

const COUNT: &str = "@count";
const SMALL: &str = "@small";
/// Functions whose results may be larger than what they were given.
const GROWING: [&str; 6] = [operators::ADD, "flatten", "format", "join", "replace", "split"];
/// Those whose results may be as large as the product of it; and one that takes as long.
const PRODUCTS: [&str; 4] = ["format", "join", "matches", "replace"];

/// An expression that counts what it costs.
#[derive(Clone, Debug)]
pub struct Metered {
    expression: IdedExpr,
    nesting: usize,
}

/// Why there is no value.
#[derive(Debug)]
pub enum Trouble {
    /// It would have cost more than [`BUDGET`].
    TooCostly,
    Execution(ExecutionError),
    /// A name is taken that is needed for counting.
    Declaration(DeclarationError),
}

impl Metered {
    /// The same expression, counted. `nesting`: how deep it is at most.
    pub(crate) fn of(mut expression: IdedExpr, nesting: usize) -> Self {
        meter(&mut expression);
        Self { expression, nesting }
    }

    /// Its value in this context.
    ///
    /// # Errors
    /// There is none, or it would cost too much.
    pub fn execute(&self, mut context: Context<'_, '_>) -> Result<Value, Trouble> {
        let spent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&spent);
        let count = move |value: Value| {
            let before = counter.fetch_add(size(&value), Ordering::Relaxed);
            if before > BUDGET { Err(ExecutionError::function_error(COUNT, "too much")) } else { Ok(value) }
        };
        context.add_function(COUNT, count).map_err(Trouble::Declaration)?;
        let counter = Arc::clone(&spent);
        let small = move |value: Value| {
            if size(&value) <= PRODUCT_INPUT {
                return Ok(value);
            }
            counter.store(u64::MAX / 2, Ordering::Relaxed);
            Err(ExecutionError::function_error(SMALL, "too much"))
        };
        context.add_function(SMALL, small).map_err(Trouble::Declaration)?;
        let value = with_room(self.nesting, || Value::resolve(&self.expression, &context));
        // `||` and its like swallow errors: the count has the last word.
        if spent.load(Ordering::Relaxed) > BUDGET { Err(Trouble::TooCostly) } else { value.map_err(Trouble::Execution) }
    }
}

/// How many values a value is made of.
fn size(value: &Value) -> u64 {
    let text = |length: usize| 1 + u64::try_from(length / TEXT).unwrap_or(u64::MAX / 2);
    match value {
        Value::List(list) => 1 + list.iter().map(size).sum::<u64>(),
        Value::Map(map) => 1 + map.map.values().map(|value| 1 + size(value)).sum::<u64>(),
        Value::String(string) => text(string.len()),
        Value::Bytes(bytes) => text(bytes.len()),
        _ => 1,
    }
}

fn wrap(expression: &mut IdedExpr, function: &str) {
    let inside = std::mem::take(expression);
    let call = CallExpr { func_name: function.to_owned(), target: None, args: vec![inside] };
    *expression = IdedExpr { id: call.args.first().map_or(0, |inside| inside.id), expr: Expr::Call(call) };
}

fn meter(expression: &mut IdedExpr) {
    match &mut expression.expr {
        Expr::Call(call) => {
            call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args).for_each(meter);
            if PRODUCTS.contains(&call.func_name.as_str()) {
                call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args).for_each(|it| wrap(it, SMALL));
            }
            // What a macro appends to its own result is counted where it goes through its list.
            let appends =
                matches!(call.args.first(), Some(IdedExpr { expr: Expr::Ident(name), .. }) if name.starts_with('@'));
            if GROWING.contains(&call.func_name.as_str()) && !appends {
                wrap(expression, COUNT);
            }
        }
        Expr::Comprehension(comprehension) => {
            let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } = &mut **comprehension;
            [&mut *iter_range, accu_init, loop_cond, loop_step, result].into_iter().for_each(meter);
            wrap(iter_range, COUNT);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(meter),
        Expr::Select(select) => meter(&mut select.operand),
        Expr::Map(map) => map.entries.iter_mut().for_each(|it| entry(&mut it.expr)),
        Expr::Struct(made) => made.entries.iter_mut().for_each(|it| entry(&mut it.expr)),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn entry(entry: &mut EntryExpr) {
    match entry {
        EntryExpr::StructField(field) => meter(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            meter(&mut entry.key);
            meter(&mut entry.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use cel::Env;

    use super::*;
    use crate::nesting::nesting;

    fn value(text: &str) -> Result<Value, Trouble> {
        let environment = Arc::new(Env::stdlib());
        let program = with_room(nesting(text), || environment.compile(text).unwrap());
        let mut context = Context::with_env(environment);
        context.add_variable("list", (0..300).collect::<Vec<i64>>()).unwrap();
        context.add_variable("text", "x".repeat(1000)).unwrap();
        Metered::of(program.expression().clone(), nesting(text)).execute(context)
    }

    #[test]
    fn counting_changes_no_value() {
        for (text, wanted) in [
            ("list.map(i, i + 1).filter(i, i % 2 == 0).size() == 150", true),
            ("list.all(i, list.exists(j, i == j))", true),
            ("[1, 2].map(i, [i, i]).size() == 2 && 'a' + 'b' == 'ab'", true),
            ("has({'a': 1}.a) || 'x'.matches('y')", true),
            ("list.exists_one(i, i == 7) && {'a': list}.a[3] == 4", false),
        ] {
            assert!(matches!(value(text), Ok(Value::Bool(said)) if said == wanted), "{text}");
        }
    }

    #[test]
    fn what_grows_by_the_power_has_an_end() {
        let doubled = format!("[text]{}.size() == 1", ".map(a, a + a)".repeat(28));
        for text in [
            "list.all(a, list.all(b, list.all(c, a + b + c >= 0)))",
            "list.map(a, list.map(b, list.map(c, [a, b, c]))).size() > 0",
            "list.exists(a, list.exists(b, list.exists(c, list.exists(d, a + b + c + d < 0)))) || true",
            doubled.as_str(),
        ] {
            assert!(matches!(value(text), Err(Trouble::TooCostly)), "{text}");
        }
    }
}
