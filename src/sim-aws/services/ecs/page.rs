//! Lists in pages: `maxResults` and `nextToken`.

use serde_json::{Map, Value, json};

use super::find::invalid;
use crate::{
    AwsError,
    input::{integer, text},
};

/// A page of a list under the answer's member; `most` is the largest page, and the page without a wish.
///
/// # Errors
/// A token that we did not give, or a page size out of bounds.
pub(super) fn of(input: &Value, member: &str, items: Vec<Value>, most: i64) -> Result<Value, AwsError> {
    let size = integer(input, "maxResults").unwrap_or(most);
    if !(1..=most).contains(&size) {
        return Err(invalid(format!("MaxResults must be between 1 and {most}.")));
    }
    let begin = match text(input, "nextToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|at| at.parse().ok())
            .filter(|at: &usize| *at <= items.len())
            .ok_or_else(|| invalid("Invalid token."))?,
    };
    let end = begin.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)).min(items.len());
    let mut answer = Map::new();
    if end < items.len() {
        answer.insert("nextToken".to_owned(), json!(format!("page-{end}")));
    }
    answer.insert(member.to_owned(), items.into_iter().take(end).skip(begin).collect());
    Ok(Value::Object(answer))
}
