//! Shared systems: `labs/<platform>/base/<name>/<part>.yaml`, of which a lab takes the parts that it needs.
//!
//! A lab's own document of the same kind, name and namespace is laid over the base's: maps are merged, `null` removes, lists whose entries
//! all have a name (containers, variables, ports, volumes; policies and statements of AWS) are merged by it, every other list is replaced.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Document, house::HouseText, lab::Platform, suggest};

/// The folder of a platform that holds the shared systems, and the part of each that every lab with it gets.
pub(crate) const BASE_FOLDER: &str = "base";
/// What all of a base's labs get: its namespace above all.
pub(crate) const ALWAYS: &str = "always";

/// The shared systems' texts, by platform and then `shop/web`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bases(pub BTreeMap<(Platform, String), HouseText>);

impl Bases {
    /// The name of a part from its path below the labs: `kubernetes/base/shop/web.yaml` is `shop/web` of Kubernetes.
    pub(crate) fn part_of(path: &str) -> Option<(Platform, String)> {
        let (platform, rest) = path.split_once('/')?;
        let (folder, part) = rest.split_once('/')?;
        let part = part.strip_suffix(".yaml")?;
        (folder == BASE_FOLDER && part.split('/').count() == 2).then_some(())?;
        Some((Platform::named(platform)?, part.to_owned()))
    }

    /// The parts that a lab gets of a base, in the order of their names, what all labs get first.
    ///
    /// # Errors
    /// There is no such base, or it has no such part.
    pub(crate) fn parts(
        &self,
        platform: Platform,
        base: &str,
        parts: &[String],
    ) -> Result<Vec<(String, &HouseText)>, NoPart> {
        let known = |part: &str| self.0.get(&(platform, format!("{base}/{part}")));
        let all = || self.0.keys().filter(|(on, _)| *on == platform).filter_map(|(_, part)| part.split_once('/'));
        if !all().any(|(name, _)| name == base) {
            let names: Vec<&str> = all().map(|(name, _)| name).collect();
            let message = format!("there is no base system `{base}`");
            return Err(NoPart { index: None, message, help: suggest::help(base, &names) });
        }
        let mut found = BTreeMap::new();
        for (index, part) in parts.iter().enumerate() {
            let Some(text) = known(part).filter(|_| part != ALWAYS) else {
                let names: Vec<&str> =
                    all().filter(|(name, part)| *name == base && *part != ALWAYS).map(|it| it.1).collect();
                let message = format!("`{base}` has no part `{part}`");
                return Err(NoPart { index: Some(index), message, help: suggest::help(part, &names) });
            };
            found.insert(part.clone(), text);
        }
        let always = known(ALWAYS).map(|text| (ALWAYS.to_owned(), text));
        Ok(always.into_iter().chain(found).map(|(part, text)| (format!("{base}/{part}"), text)).collect())
    }
}

/// A part that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoPart {
    /// Which of the parts asked for; none where it is the base itself.
    pub index: Option<usize>,
    pub message: String,
    pub help: Option<String>,
}

/// Lays a lab's documents over those of its base: what is there already is changed in its place, the rest comes after it.
pub(crate) fn lay_over(base: Vec<Document>, own: Vec<Document>) -> Vec<Document> {
    let mut all = base;
    let shared = all.len();
    for document in own {
        let same = |other: &&mut Document| {
            (&other.kind, &other.name, &other.namespace) == (&document.kind, &document.name, &document.namespace)
        };
        match all.iter_mut().take(shared).find(same) {
            Some(under) => {
                merge(&mut under.body, document.body);
                under.file = document.file;
                under.line = document.line;
            }
            None => all.push(document),
        }
    }
    all
}

fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => merge_maps(under, over),
        (Value::Array(under), Value::Array(over)) if named(under) && named(&over) => {
            for entry in over {
                match under.iter_mut().find(|other| entry_name(other) == entry_name(&entry)) {
                    Some(same) => merge(same, entry),
                    None => under.push(entry),
                }
            }
        }
        (under, over) => *under = over,
    }
}

fn merge_maps(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        if value.is_null() {
            under.remove(&key);
        } else if let Some(there) = under.get_mut(&key) {
            merge(there, value);
        } else {
            under.insert(key, value);
        }
    }
}

/// Whether every entry has a name by which it can be found.
fn named(list: &[Value]) -> bool {
    list.iter().all(|entry| entry_name(entry).is_some())
}

/// The name of a list's entry: `name`, or what AWS policies have in its place.
pub fn entry_name(entry: &Value) -> Option<&str> {
    ["name", "PolicyName", "Sid"].iter().find_map(|key| entry.get(key)?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(name: &str, body: Value) -> Document {
        Document {
            api_version: Some("apps/v1".to_owned()),
            kind: "Deployment".to_owned(),
            name: name.to_owned(),
            namespace: None,
            body,
            file: "system/x.yaml".to_owned(),
            line: 1,
        }
    }

    #[test]
    fn a_variable_is_added_to_the_container_of_its_name() {
        let under = document(
            "web",
            json!({"containers": [{"name": "web", "image": "a", "env": [{"name": "A", "value": "1"}]}]}),
        );
        let over = document("web", json!({"containers": [{"name": "web", "env": [{"name": "B", "value": "2"}]}]}));
        let all = lay_over(vec![under], vec![over]);
        let env = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
        assert_eq!(all[0].body, json!({"containers": [{"name": "web", "image": "a", "env": env}]}));
    }

    #[test]
    fn null_removes_and_other_lists_are_replaced() {
        let under = document("web", json!({"replicas": 3, "args": ["serve"], "probe": {"path": "/"}}));
        let over = document("web", json!({"probe": null, "args": ["client"]}));
        assert_eq!(lay_over(vec![under], vec![over])[0].body, json!({"replicas": 3, "args": ["client"]}));
    }

    #[test]
    fn what_the_base_has_not_comes_after_it() {
        let all = lay_over(
            vec![document("web", json!({}))],
            vec![document("api", json!({})), document("api", json!({"a": 1}))],
        );
        let names: Vec<&str> = all.iter().map(|document| document.name.as_str()).collect();
        assert_eq!(names, ["web", "api", "api"], "a lab that says a thing twice is told so later");
    }

    #[test]
    fn parts_are_found_or_suggested() {
        let text = HouseText { shown: String::new(), bytes: Vec::new().into() };
        let of = |part: &str| ((Platform::Kubernetes, format!("shop/{part}")), text.clone());
        let bases = Bases(BTreeMap::from([of("always"), of("web"), of("api")]));
        let names = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
            bases
                .parts(Platform::Kubernetes, "shop", &parts)
                .map(|all| all.into_iter().map(|it| it.0).collect::<Vec<_>>())
        };
        assert_eq!(names(&["web", "api"]).unwrap(), ["shop/always", "shop/api", "shop/web"]);
        let NoPart { index, message, help } = names(&["web", "wep"]).unwrap_err();
        assert_eq!((index, message.as_str()), (Some(1), "`shop` has no part `wep`"));
        assert!(help.unwrap().contains("web"));
        assert!(bases.parts(Platform::Docker, "shop", &[]).is_err());
        assert!(names(&["always"]).is_err());
    }

    #[test]
    fn a_part_is_known_by_its_path() {
        assert_eq!(
            Bases::part_of("kubernetes/base/shop/web.yaml"),
            Some((Platform::Kubernetes, "shop/web".to_owned()))
        );
        for other in [
            "kubernetes/shop/system/web.yaml",
            "kubernetes/base/web.yaml",
            "kubernetes/base/shop/x/y.yaml",
            "kubernetes/house.yaml",
        ] {
            assert_eq!(Bases::part_of(other), None, "{other}");
        }
    }
}
