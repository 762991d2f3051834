//! What all resources of EC2 have in common: an id, a description, filters, tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::State;
use crate::{AwsError, Cloud, input};

/// A kind of resource that is described by a list.
pub(super) trait Resource: Sized {
    /// The member of the request that names ids: `VpcIds`.
    const IDS: &'static str;
    /// The member of the answer: `Vpcs`.
    const SET: &'static str;
    /// The word of `TagSpecifications`: `vpc`.
    const TYPE: &'static str;
    /// Each filter with the path of its values in a description; a list on the way means each of its items.
    const FILTERS: &'static [(&'static str, &'static str)];

    fn all(state: &State) -> &BTreeMap<String, Self>;
    /// Its description, but for its tags.
    fn view(&self, id: &str, cloud: &Cloud) -> Value;
    /// The refusal where there is none of this id.
    fn absent(id: &str) -> AwsError;
    /// The member of a description that holds its tags.
    fn tag_member() -> &'static str {
        "Tags"
    }
}

/// A resource that must exist.
pub(super) fn find<'a, R: Resource>(cloud: &'a Cloud, id: &str) -> Result<&'a R, AwsError> {
    R::all(&cloud.ec2).get(id).ok_or_else(|| R::absent(id))
}

/// A description with tags.
pub(super) fn describe_one<R: Resource>(cloud: &Cloud, id: &str) -> Result<Value, AwsError> {
    let mut view = find::<R>(cloud, id)?.view(id, cloud);
    if let Some(members) = view.as_object_mut() {
        members.insert(R::tag_member().to_owned(), tag_list(cloud, id));
    }
    Ok(view)
}

/// `Describe…`: by id, by filter, in pages.
pub(super) fn describe<R: Resource>(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, R::FILTERS)?;
    let ids = input::texts(request, R::IDS);
    for id in &ids {
        find::<R>(cloud, id)?;
    }
    let chosen = R::all(&cloud.ec2).keys().filter(|id| ids.is_empty() || ids.contains(&id.as_str()));
    let mut views = Vec::new();
    for id in chosen {
        let view = describe_one::<R>(cloud, id)?;
        if filters.accept(&view, R::FILTERS, R::tag_member()) {
            views.push(view);
        }
    }
    page(request, R::SET, views)
}

/// One page of an answer: all of it, unless `MaxResults` says how much.
pub(super) fn page(request: &Value, set: &str, views: Vec<Value>) -> Result<Value, AwsError> {
    crate::services::page::whole_unless_asked(request, "MaxResults", set, views, |token| {
        format!("The token '{token}' is invalid")
    })
}

/// `Filters`: every name with the values that it accepts.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads them; a name that the operation does not know is refused, as EC2 does.
    pub(super) fn read(request: &Value, known: &[(&str, &str)]) -> Result<Self, AwsError> {
        let mut filters = Vec::new();
        for filter in input::list(request, "Filters") {
            let name = input::text(filter, "Name").unwrap_or_default();
            let is_tag = name == "tag-key" || name.starts_with("tag:");
            if !is_tag && !known.iter().any(|(it, _)| *it == name) {
                let text = format!("The filter '{name}' is invalid");
                return Err(AwsError::new("InvalidParameterValue", text));
            }
            let values = input::texts(filter, "Values").into_iter().map(str::to_owned).collect();
            filters.push((name.to_owned(), values));
        }
        Ok(Self(filters))
    }

    /// Whether a description passes all of them.
    pub(super) fn accept(&self, view: &Value, known: &[(&str, &str)], tags: &str) -> bool {
        self.0.iter().all(|(name, accepted)| {
            let mut found = Vec::new();
            if let Some(key) = name.strip_prefix("tag:") {
                for tag in input::list(view, tags) {
                    if input::text(tag, "Key") == Some(key) {
                        values(tag, "Value", &mut found);
                    }
                }
            } else if name == "tag-key" {
                values(view, &format!("{tags}.Key"), &mut found);
            } else if let Some((_, path)) = known.iter().find(|(it, _)| it == name) {
                values(view, path, &mut found);
            }
            found.iter().any(|value| accepted.iter().any(|pattern| matches(pattern, value)))
        })
    }
}

/// The values at a path, as texts.
fn values(view: &Value, path: &str, found: &mut Vec<String>) {
    match view {
        Value::Array(items) => items.iter().for_each(|item| values(item, path, found)),
        Value::Object(members) => {
            let (head, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(member) = members.get(head) {
                values(member, rest, found);
            }
        }
        Value::String(text) if path.is_empty() => found.push(text.clone()),
        Value::Bool(_) | Value::Number(_) if path.is_empty() => found.push(view.to_string()),
        _ => {}
    }
}

/// `*` stands for any text, `?` for one character.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // reach[j]: the pattern so far can end just before character j.
    let mut reach = vec![false; text.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    for letter in pattern {
        let mut next = vec![false; text.len() + 1];
        for (place, slot) in next.iter_mut().enumerate() {
            let before = place.checked_sub(1);
            let from_before = before.is_some_and(|before| {
                reach.get(before) == Some(&true) && (letter == '?' || text.get(before) == Some(&letter))
            });
            *slot = if letter == '*' { reach.iter().take(place + 1).any(|it| *it) } else { from_before };
        }
        reach = next;
    }
    reach.last() == Some(&true)
}

/// An id of this kind: 17 hexadecimal digits behind its prefix.
pub(crate) fn new_id(cloud: &mut Cloud, prefix: &str) -> String {
    format!("{prefix}-{}", cloud.chance.text(b"0123456789abcdef", 17))
}

/// The tags of a resource.
pub(super) fn tag_list(cloud: &Cloud, id: &str) -> Value {
    let tags = cloud.ec2.tags.get(id);
    tags.into_iter().flatten().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The tags that a request gives to a new resource of this type.
pub(super) fn tag_new(cloud: &mut Cloud, request: &Value, kind: &str, id: &str) {
    for specification in input::list(request, "TagSpecifications") {
        if input::text(specification, "ResourceType") == Some(kind) {
            add_tags(cloud, id, input::list(specification, "Tags"));
        }
    }
}

/// Adds or overwrites tags.
pub(super) fn add_tags(cloud: &mut Cloud, id: &str, tags: &[Value]) {
    for tag in tags {
        if let Some(key) = input::text(tag, "Key") {
            let value = input::text(tag, "Value").unwrap_or_default().to_owned();
            cloud.ec2.tags.entry(id.to_owned()).or_default().insert(key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, text, is_match) in [
            ("shop-*", "shop-web", true),
            ("shop-*", "shop", false),
            ("*", "", true),
            ("?eb", "web", true),
            ("?eb", "eb", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("web", "web2", false),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
        }
    }

    #[test]
    fn a_filter_walks_lists_and_reads_numbers_and_flags() {
        let view = json!({"Associations": [{"Main": false}, {"Main": true, "SubnetId": "subnet-1"}], "Port": 80});
        let known = [("association.main", "Associations.Main"), ("port", "Port"), ("subnet", "Associations.SubnetId")];
        let accepts = |name: &str, value: &str| {
            let request = json!({"Filters": [{"Name": name, "Values": [value]}]});
            Filters::read(&request, &known).unwrap().accept(&view, &known, "Tags")
        };
        assert!(accepts("association.main", "true") && accepts("port", "80") && accepts("subnet", "subnet-?"));
        assert!(!accepts("port", "8") && !accepts("subnet", "subnet-2") && !accepts("tag:Name", "x"));
        let unknown = json!({"Filters": [{"Name": "colour", "Values": ["red"]}]});
        assert_eq!(
            Filters::read(&unknown, &known).err().map(|error| error.code).as_deref(),
            Some("InvalidParameterValue")
        );
    }

    #[test]
    fn an_answer_comes_in_pages() {
        let views = || vec![json!(1), json!(2), json!(3)];
        let first = page(&json!({"MaxResults": "2"}), "Set", views()).unwrap();
        assert_eq!(first, json!({"Set": [1, 2], "NextToken": "2"}));
        assert_eq!(page(&json!({"MaxResults": 2, "NextToken": "2"}), "Set", views()).unwrap(), json!({"Set": [3]}));
        assert_eq!(page(&json!({"NextToken": "x"}), "Set", views()).unwrap_err().code, "InvalidNextToken");
    }
}
