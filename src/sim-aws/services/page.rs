//! Pages of listings: how many at once, and the token that goes on.

use serde_json::{Map, Value, json};

use crate::{AwsError, input};

/// One page of `views` under `set`: all of them, unless the request's member `size` says how many. The query services refuse a token that is
/// none of theirs, each in words of its own.
///
/// # Errors
/// `InvalidNextToken` with `refusal` of the token.
pub fn whole_unless_asked(
    request: &Value,
    size: &str,
    set: &str,
    views: Vec<Value>,
    refusal: impl Fn(&str) -> String,
) -> Result<Value, AwsError> {
    let start = match input::text(request, "NextToken") {
        None | Some("") => 0,
        Some(token) => token.parse::<usize>().map_err(|_| AwsError::new("InvalidNextToken", refusal(token)))?,
    };
    let size = input::integer(request, size).and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    let end = size.map_or(views.len(), |size| start.saturating_add(size).min(views.len()));
    let mut answer = Map::new();
    if end < views.len() {
        answer.insert("NextToken".to_owned(), json!(end.to_string()));
    }
    answer.insert(set.to_owned(), views.into_iter().skip(start).take(end.saturating_sub(start)).collect());
    Ok(Value::Object(answer))
}

/// How a service calls the members of its pages.
pub struct Paging {
    /// The request's member for the size: `maxResults`.
    pub size: &'static str,
    /// The request's member for the token: `nextToken`.
    pub token: &'static str,
    /// The answer's member for the next token.
    pub next: &'static str,
    /// How many without a wish, and at most.
    pub most: usize,
    /// IAM says besides whether there is more.
    pub truncated: Option<&'static str>,
}

/// IAM: `Marker`, `MaxItems`, `IsTruncated`.
pub const IAM: Paging =
    Paging { size: "MaxItems", token: "Marker", next: "Marker", most: 100, truncated: Some("IsTruncated") };

/// KMS: the same idea under its own names.
pub const KMS: Paging =
    Paging { size: "Limit", token: "Marker", next: "NextMarker", most: 100, truncated: Some("Truncated") };

impl Paging {
    /// `maxResults` and `nextToken`, as most JSON services have them.
    pub const fn lower(most: usize) -> Self {
        Self { size: "maxResults", token: "nextToken", next: "nextToken", most, truncated: None }
    }

    /// `MaxResults` and `NextToken`.
    pub const fn upper(most: usize) -> Self {
        Self { size: "MaxResults", token: "NextToken", next: "NextToken", most, truncated: None }
    }

    /// The answer with one page of `items` under `member`. The token is the number of items that went before; one that is none of ours
    /// starts from the beginning.
    pub fn answer(&self, request: &Value, member: &str, items: Vec<Value>) -> Value {
        let from = input::text(request, self.token).and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
        let wish = input::integer(request, self.size).and_then(|size| usize::try_from(size).ok());
        let size = wish.filter(|size| *size > 0).unwrap_or(self.most).min(self.most);
        let all = items.len();
        let page = items.into_iter().skip(from).take(size).collect::<Vec<_>>();
        let upto = from.saturating_add(page.len());
        let mut answer = Map::from_iter([(member.to_owned(), Value::Array(page))]);
        if upto < all {
            answer.insert(self.next.to_owned(), Value::String(upto.to_string()));
        }
        if let Some(truncated) = self.truncated {
            answer.insert(truncated.to_owned(), Value::Bool(upto < all));
        }
        Value::Object(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_follow_one_another_and_end() {
        let items = || (0..5).map(Value::from).collect::<Vec<_>>();
        let first = Paging::lower(100).answer(&json!({"maxResults": "2"}), "a", items());
        assert_eq!(first, json!({"a": [0, 1], "nextToken": "2"}));
        let last = Paging::lower(100).answer(&json!({"maxResults": 3, "nextToken": "2"}), "a", items());
        assert_eq!(last, json!({"a": [2, 3, 4]}));
        assert_eq!(IAM.answer(&json!({"Marker": "9"}), "a", items()), json!({"a": [], "IsTruncated": false}));
        assert_eq!(Paging::lower(2).answer(&json!({"maxResults": 50}), "a", items())["a"], json!([0, 1]));
    }
}
