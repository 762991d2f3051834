//! Quantities in CEL (`apiserver/pkg/cel/library/quantity.go`), as numbers of base units.

use std::cmp::Ordering;

use cel::{Context, DeclarationError, ExecutionError, extractors::This};

use crate::api::quantity::Quantity;

/// Adds `quantity`, `isQuantity` and what can be done with a quantity.
pub(super) fn add(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function("quantity", parse)?;
    context.add_function("isQuantity", |text: Arc<String>| Quantity::parse(&text).is_ok())?;
    context.add_function("isGreaterThan", |This(a): This<f64>, b: f64| a > b)?;
    context.add_function("isLessThan", |This(a): This<f64>, b: f64| a < b)?;
    context.add_function("compareTo", |This(a): This<f64>, b: f64| match a.partial_cmp(&b) {
        Some(Ordering::Less) => -1_i64,
        Some(Ordering::Greater) => 1,
        _ => 0,
    })?;
    context.add_function("asApproximateFloat", |This(a): This<f64>| a)?;
    context.add_function("asInteger", |This(a): This<f64>| whole(a))?;
    Ok(())
}

use std::sync::Arc;

#[expect(clippy::cast_precision_loss, reason = "thousandths of amounts that machines have are far below 2^53")]
fn parse(text: Arc<String>) -> Result<f64, ExecutionError> {
    match Quantity::parse(&text) {
        Ok(amount) => Ok(amount.milli() as f64 / 1000.0),
        Err(error) => Err(ExecutionError::function_error("quantity", error)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "amounts that machines have")]
fn whole(amount: f64) -> i64 {
    amount.round() as i64
}
