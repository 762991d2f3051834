//! The account as a lab sees it: calls, whole lists, and what is the lab's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    trouble::Trouble,
    wire::{Service, Wire},
};

/// How many times a throttled call is made again, and the first pause; each is twice as long as the one before.
const AGAIN: u32 = 5;
const PAUSE_MILLIS: u64 = 250;
/// No list of a lab is longer; what goes on is an answer that is none.
const PAGES_MAX: usize = 100;

/// An account in a region.
pub(super) struct Api {
    wire: Arc<dyn Wire>,
    pub account: String,
    pub region: String,
    /// On everything that is made: owner, session, lab, expiry.
    pub tags: BTreeMap<String, String>,
    /// Whether the whole account belongs to the session, so that all that is in it is the lab's.
    pub own_account: bool,
    /// Whether nothing real runs behind it.
    pub simulated: bool,
    /// The families of the lab's task definitions.
    families: BTreeSet<String>,
    at: Mutex<Option<Timestamp>>,
}

impl Api {
    pub(super) fn new(wire: Arc<dyn Wire>, account: String, region: String) -> Self {
        Self {
            wire,
            account,
            region,
            tags: BTreeMap::new(),
            own_account: true,
            simulated: false,
            families: BTreeSet::new(),
            at: Mutex::default(),
        }
    }

    pub(super) fn of_account(self, account: String) -> Self {
        Self { account, ..self }
    }

    /// Nothing real runs behind it.
    pub(super) fn simulated(self) -> Self {
        Self { simulated: true, ..self }
    }

    /// With these tags on everything that is made; `own_account`: all that is in the account is the lab's.
    pub(super) fn owning(self, tags: BTreeMap<String, String>, own_account: bool) -> Self {
        Self { tags, own_account, ..self }
    }

    /// With the families whose revisions are the lab's, whoever registered them.
    pub(super) fn with_families(self, families: BTreeSet<String>) -> Self {
        Self { families, ..self }
    }

    /// The same account, with everything in it, whosesoever it is.
    pub(super) fn seeing_everything(&self) -> Self {
        let Self { account, region, tags, .. } = self;
        Self::new(Arc::clone(&self.wire), account.clone(), region.clone()).owning(tags.clone(), true)
    }

    pub(super) fn owns_family(&self, family: &str) -> bool {
        self.families.contains(family)
    }

    /// One call; a throttled one is made again.
    pub(super) async fn call(&self, service: Service, operation: &str, input: Value) -> Result<Value, Trouble> {
        let mut tries = 0;
        loop {
            match self.wire.send(service, operation, &input).await {
                Ok(answer) => {
                    if answer.at.is_some() {
                        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = answer.at;
                    }
                    return Ok(answer.value);
                }
                Err(trouble) if trouble.is_throttled() && tries < AGAIN => {
                    tokio::time::sleep(std::time::Duration::from_millis(PAUSE_MILLIS << tries)).await;
                    tries += 1;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// The entries of every page of a list. `next`: what the token is called, in the question and in the answer.
    pub(super) async fn all(
        &self,
        service: Service,
        operation: &str,
        input: Value,
        member: &str,
        next: (&str, &str),
    ) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        let mut input = input;
        for _ in 0..PAGES_MAX {
            let mut page = self.call(service, operation, input.clone()).await?;
            if let Some(Value::Array(entries)) = page.get_mut(member).map(Value::take) {
                found.extend(entries);
            }
            match page.get(next.1).and_then(Value::as_str).filter(|token| !token.is_empty()) {
                Some(token) => input[next.0] = json!(token),
                None => return Ok(found),
            }
        }
        Err(Trouble::Odd(format!("{operation} has more than {PAGES_MAX} pages")))
    }

    /// When the system last answered, by its own clock.
    pub(super) fn at(&self) -> Option<Timestamp> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tags as a list of pairs under these two words (`key` and `value`, `Key` and `Value` …).
    pub(super) fn tag_list(&self, key: &str, value: &str) -> Value {
        self.tags.iter().map(|(k, v)| json!({key: k, value: v})).collect()
    }

    /// The tags and the name, for EC2's `TagSpecifications`.
    pub(super) fn tag_specification(&self, resource: &str, name: &str) -> Value {
        let mut tags = self.tag_list("Key", "Value");
        if let Some(list) = tags.as_array_mut() {
            list.push(json!({"Key": "Name", "Value": name}));
        }
        json!([{"ResourceType": resource, "Tags": tags}])
    }

    /// Whether an object bears the session's tag, in any of the ways in which services write tags.
    pub(super) fn is_tagged(&self, object: &Value) -> bool {
        let wanted = self.tags.get(SESSION_TAG);
        wanted.is_some_and(|wanted| tag(object, SESSION_TAG) == Some(wanted.as_str()))
    }
}

/// The tag that says whose a resource is.
pub(super) const SESSION_TAG: &str = "breakfix.dev/session";
/// The tag with the name that the lab's documents give, where the API has none.
pub(super) const NAME_TAG: &str = "Name";

/// A tag of an object: a list of pairs or a map, under any of the API's names.
pub(super) fn tag<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    let tags = ["Tags", "tags", "TagList"].iter().find_map(|member| object.get(member))?;
    match tags {
        Value::Object(map) => map.get(key).and_then(Value::as_str),
        Value::Array(list) => list.iter().find_map(|pair| {
            let part = |words: [&str; 3]| words.iter().find_map(|word| pair.get(word)).and_then(Value::as_str);
            (part(["Key", "key", "TagKey"]) == Some(key)).then(|| part(["Value", "value", "TagValue"])).flatten()
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_in_every_spelling() {
        for object in [
            json!({"Tags": [{"Key": "Name", "Value": "web"}]}),
            json!({"tags": [{"key": "Name", "value": "web"}]}),
            json!({"tags": {"Name": "web"}}),
            json!({"Tags": [{"TagKey": "Name", "TagValue": "web"}]}),
        ] {
            assert_eq!(tag(&object, NAME_TAG), Some("web"), "{object}");
        }
        assert_eq!(tag(&json!({"Tags": []}), NAME_TAG), None);
    }
}
