//! `${TargetGroup/web.arn}` → what the account says it is.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_lab::ecs::{self, Reference};
use serde_json::Value;

use super::{api::Api, kind, trouble::Trouble};

/// What is known of an account's objects, by kind; asked for once, until something of the kind is made.
#[derive(Default)]
pub(super) struct Known {
    lists: BTreeMap<String, Vec<Value>>,
}

impl Known {
    /// Fills every reference of a value in.
    pub(super) async fn fill(&mut self, api: &Api, value: &mut Value) -> Result<(), Trouble> {
        self.fill_with(api, value, &BTreeMap::new()).await
    }

    /// The same, with live values besides.
    pub(super) async fn fill_with(
        &mut self,
        api: &Api,
        value: &mut Value,
        live: &BTreeMap<String, String>,
    ) -> Result<(), Trouble> {
        breakfix_lab::live::fill(value, live);
        let mut texts = BTreeMap::new();
        for reference in ecs::references(value) {
            let text = self.text(api, &reference).await?;
            texts.insert(format!("{}/{}.{}", reference.kind, reference.name, reference.attribute), text);
        }
        let known = |inside: &str| match inside {
            "aws.account" => Some(api.account.clone()),
            "aws.region" => Some(api.region.clone()),
            reference => texts.get(reference).cloned(),
        };
        ecs::fill(value, &known).map_err(Trouble::NoReference)
    }

    async fn text(&mut self, api: &Api, reference: &Reference) -> Result<String, Trouble> {
        let said = || Trouble::NoReference(format!("{}/{}.{}", reference.kind, reference.name, reference.attribute));
        let kind = kind::find(&reference.kind).ok_or_else(said)?;
        let object = self.object(api, &reference.kind, &reference.name).await?.ok_or_else(said)?;
        kind.attribute(&object, &reference.attribute).filter(|text| !text.is_empty()).ok_or_else(said)
    }

    /// The object of this name, if there is one; of a task definition the newest revision.
    pub(super) async fn object(&mut self, api: &Api, kind: &str, name: &str) -> Result<Option<Value>, Trouble> {
        let of_name = |it: &&Value| it.get("Name").and_then(Value::as_str) == Some(name);
        Ok(self.list(api, kind).await?.iter().find(of_name).cloned())
    }

    /// Every object of a kind.
    pub(super) async fn list(&mut self, api: &Api, kind: &str) -> Result<&[Value], Trouble> {
        if !self.lists.contains_key(kind) {
            let found = match kind::find(kind) {
                Some(known) => known.list(api).await?,
                None => Vec::new(),
            };
            self.lists.insert(kind.to_owned(), found);
        }
        Ok(self.lists.get(kind).map_or(&[], Vec::as_slice))
    }

    /// Something of this kind was made or changed.
    pub(super) fn forget(&mut self, kind: &str) {
        self.lists.remove(kind);
    }
}

/// Documents in an order in which each comes after what it names; otherwise as kinds need each other, and as they stand.
pub(super) fn in_order(documents: &[breakfix_lab::Document]) -> Vec<&breakfix_lab::Document> {
    let rank = |kind: &str| ecs::names().iter().position(|name| *name == kind).unwrap_or(usize::MAX);
    let mut waiting: Vec<&breakfix_lab::Document> = documents.iter().collect();
    waiting.sort_by_key(|document| rank(&document.kind));
    let mut done: Vec<&breakfix_lab::Document> = Vec::new();
    while !waiting.is_empty() {
        let open: BTreeSet<(&str, &str)> =
            waiting.iter().map(|document| (document.kind.as_str(), document.name.as_str())).collect();
        let is_free = |document: &&breakfix_lab::Document| {
            let own = (document.kind.as_str(), document.name.as_str());
            ecs::references(&document.body).iter().all(|it| {
                (it.kind.as_str(), it.name.as_str()) == own || !open.contains(&(it.kind.as_str(), it.name.as_str()))
            })
        };
        // Documents that name each other in a ring are taken as they stand; AWS says what is missing.
        let next = waiting.iter().position(is_free).unwrap_or(0);
        done.push(waiting.remove(next));
    }
    done
}

#[cfg(test)]
mod tests {
    use breakfix_lab::Document;
    use serde_json::json;

    use super::*;

    fn document(kind: &str, name: &str, body: Value) -> Document {
        let (api_version, namespace) = (None, None);
        Document { api_version, kind: kind.into(), name: name.into(), namespace, body, file: "x".into(), line: 1 }
    }

    #[test]
    fn what_is_named_comes_first() {
        let documents = [
            document("Service", "web", json!({"x": "${TargetGroup/web.arn}"})),
            document("SecurityGroup", "b", json!({"x": "${SecurityGroup/c.id}"})),
            document("SecurityGroup", "c", json!({"x": "${Vpc/shop.id}"})),
            document("TargetGroup", "web", json!({"x": "${Vpc/shop.id}"})),
            document("Vpc", "shop", json!({})),
        ];
        let order: Vec<String> = in_order(&documents).iter().map(|it| format!("{}/{}", it.kind, it.name)).collect();
        assert_eq!(order, ["Vpc/shop", "SecurityGroup/c", "SecurityGroup/b", "TargetGroup/web", "Service/web"]);
    }

    #[test]
    fn a_ring_is_taken_as_it_stands() {
        let documents = [
            document("SecurityGroup", "a", json!({"x": "${SecurityGroup/b.id}"})),
            document("SecurityGroup", "b", json!({"x": "${SecurityGroup/a.id}"})),
        ];
        assert_eq!(in_order(&documents).len(), 2);
    }
}
