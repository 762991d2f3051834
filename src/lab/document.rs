//! One object of a system, as its platform's API wants it.

use serde_json::Value;

use crate::{
    ecs,
    lab::Platform,
    members,
    problem::{Place, Problem},
    suggest,
    yaml::{Data, Node},
};

/// The kinds of a Docker lab.
pub const DOCKER_KINDS: [&str; 4] = ["Container", "Image", "Network", "Volume"];

/// One document of `system/*.yaml` or of a file that a change applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `apps/v1`; absent but for Kubernetes.
    pub api_version: Option<String>,
    /// `Deployment`, `Service`; `Container`, `Network`, `Volume`, `Image`; `TaskDefinition`, `TargetGroup`, `Role`.
    pub kind: String,
    pub name: String,
    /// As written in the document; absent but for Kubernetes, for cluster-scoped kinds, and where the lab's own is meant.
    pub namespace: Option<String>,
    /// Kubernetes: the manifest as it is. Docker: the Engine API's create body (`Image`, `Env`, `HostConfig` …)
    /// without `kind` and `name`. ECS: the members of the create call, without these two.
    pub body: Value,
    /// The file within the lab's folder: `system/shop.yaml`.
    pub file: String,
    /// The line that the document begins on, from 1.
    pub line: u32,
}

impl Document {
    /// Reads one document. `path` names its file within the lab's folder, `file` the same file in messages.
    pub(crate) fn read(
        platform: Platform,
        path: &str,
        file: &str,
        node: &Node,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let before = problems.len();
        let mut error = |place: Place, message: &str, help: &str| {
            problems.push(Problem::error("document", file, place, message).help(help));
        };
        if !matches!(node.data, Data::Map(_)) {
            error(node.place, "a document must be a mapping", "write the object's `kind`, name and settings");
            return None;
        }
        let text = |key: &str| node.get(key).and_then(Node::as_text).filter(|text| !text.is_empty());
        let kind = text("kind");
        if kind.is_none() {
            error(node.place_of(&["kind"]), "the document has no `kind`", "write the kind of the object as a text");
        }
        let mut body = node.to_value();
        let (api_version, name, namespace) = match platform {
            Platform::Kubernetes => {
                let api_version = text("apiVersion");
                if api_version.is_none() {
                    error(
                        node.place_of(&["apiVersion"]),
                        "the manifest has no `apiVersion`",
                        "write it: `v1`, `apps/v1`",
                    );
                }
                let metadata = |key: &str| node.get("metadata")?.get(key)?.as_text().filter(|text| !text.is_empty());
                if kind == Some("List") {
                    error(node.place, "a List hides its objects", "write one document for each object");
                } else if metadata("name").is_none() {
                    error(
                        node.place_of(&["metadata", "name"]),
                        "the manifest has no `metadata.name`",
                        "write it as a text",
                    );
                }
                (api_version, metadata("name"), metadata("namespace"))
            }
            Platform::Docker | Platform::Ecs => {
                let name = text("name");
                if name.is_none() {
                    error(node.place_of(&["name"]), "the document has no `name`", "write the object's name as a text");
                }
                if let Some((message, help)) = kind.and_then(|kind| unknown_kind(platform, kind)) {
                    error(node.place_of(&["kind"]), &message, &help);
                }
                if platform == Platform::Ecs {
                    for (place, message, help) in kind.map(|kind| members::unknown(kind, node)).unwrap_or_default() {
                        error(place, &message, &help);
                    }
                }
                if let Some(map) = body.as_object_mut() {
                    map.remove("kind");
                    map.remove("name");
                }
                (None, name, None)
            }
        };
        let owned = |text: &str| text.to_owned();
        let read = Self {
            api_version: api_version.map(owned),
            kind: owned(kind?),
            name: owned(name?),
            namespace: namespace.map(owned),
            body,
            file: path.to_owned(),
            line: node.place.line,
        };
        (problems.len() == before).then_some(read)
    }
}

/// What is wrong with a kind that the platform does not have, and what may have been meant. Kubernetes may have any.
pub(crate) fn unknown_kind(platform: Platform, kind: &str) -> Option<(String, String)> {
    let (word, known) = match platform {
        Platform::Kubernetes => return None,
        Platform::Docker => ("Docker", DOCKER_KINDS.to_vec()),
        Platform::Ecs => ("an ECS lab", ecs::names()),
    };
    (!known.contains(&kind))
        .then(|| (format!("{word} has no kind `{kind}`"), suggest::help(kind, &known).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml;

    fn read(platform: Platform, text: &str) -> Result<Document, String> {
        let (page, problems) = yaml::read("f", text.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
        let mut problems = Vec::new();
        let read = Document::read(platform, "system/x.yaml", "f", &page.documents[0], &mut problems);
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        read.ok_or_else(|| said.join("\n"))
    }

    #[test]
    fn a_manifest_stays_as_it_is() {
        let text =
            "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: shop}\nspec: {ports: [{port: 80}]}\n";
        let document = read(Platform::Kubernetes, text).unwrap();
        assert_eq!((document.kind.as_str(), document.name.as_str()), ("Service", "shop"));
        assert_eq!(document.namespace.as_deref(), Some("shop"));
        assert_eq!(document.body["kind"], json!("Service"));
    }

    #[test]
    fn a_container_is_its_create_body() {
        let document = read(Platform::Docker, "kind: Container\nname: web\nImage: shop/web:1.4\nEnv: [A=1]\n").unwrap();
        assert_eq!(document.body, json!({"Image": "shop/web:1.4", "Env": ["A=1"]}));
    }

    #[test]
    fn says_what_is_missing() {
        assert_eq!(
            read(Platform::Kubernetes, "spec: {}\n").unwrap_err(),
            "f:1:1: the document has no `kind`; write the kind of the object as a text\n\
             f:1:1: the manifest has no `apiVersion`; write it: `v1`, `apps/v1`\n\
             f:1:1: the manifest has no `metadata.name`; write it as a text"
        );
        assert_eq!(
            read(Platform::Docker, "kind: Contaner\nname: web\n").unwrap_err(),
            "f:1:1: Docker has no kind `Contaner`; did you mean `Container`?"
        );
        assert!(read(Platform::Docker, "- a\n").unwrap_err().contains("must be a mapping"));
    }
}
