//! The declared folder: what the learner's work folder says, and the reconciler that makes the cluster say the same.

use http::Method;
use serde_json::{Value, json};

use super::{belongings, object, target::KubeTarget, trouble::Trouble};
use crate::{
    target::{Cause, TargetError},
    work,
};

/// As whom a reconciler writes: every field that a document names is its own.
const MANAGER: &str = "gitops";

/// How the API says that it cannot make sense of a document; it says so with 500.
const UNTYPED: &str = "failed to create typed patch object";

/// What a folder declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Declared {
    /// By file, in the order of the paths.
    documents: Vec<(String, Value)>,
    /// Files that say nothing, each with why.
    unread: Vec<String>,
}

impl Declared {
    /// Reads the YAML and JSON files among these texts.
    fn of<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut declared = Self::default();
        for (path, text) in texts.filter(|(path, _)| [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))) {
            match serde_saphyr::from_multiple::<Value>(text) {
                Err(error) => declared.unread.push(format!("{path}: {error}")),
                Ok(documents) => declared.add(path, documents),
            }
        }
        declared
    }

    fn add(&mut self, path: &str, documents: Vec<Value>) {
        for mut document in documents.into_iter().filter(|document| !document.is_null()) {
            // A list stands for what is in it, as kubectl has it.
            let is_list = object::text(&document, "/kind") == Some("List");
            if let (true, Some(Value::Array(items))) = (is_list, document.get_mut("items").map(Value::take)) {
                self.add(path, items);
                continue;
            }
            let missing = ["/apiVersion", "/kind", "/metadata/name"]
                .into_iter()
                .find(|field| object::text(&document, field).is_none_or(str::is_empty));
            match missing {
                Some(field) => self.unread.push(format!("{path}: a document has no {}", field.replace('/', "."))),
                None => self.documents.push((path.to_owned(), document)),
            }
        }
    }
}

impl KubeTarget {
    fn read_declared(&self) -> Result<Declared, TargetError> {
        let folder = work::folder(&self.place);
        let files = work::Files::read(&folder).map_err(|error| {
            TargetError::new(Cause::Local, format!("read the work folder {}", folder.display())).because(error)
        })?;
        Ok(Declared::of(files.texts()))
    }

    /// What the folder declares of a kind in a namespace, each with its namespace.
    pub(super) fn declared(&self, kind: &str, namespace: &str) -> Result<Vec<Value>, TargetError> {
        let documents = self.read_declared()?.documents.into_iter().map(|(_, document)| self.at_home(document));
        let here = |document: &Value| {
            object::text(document, "/kind") == Some(kind)
                && object::namespace(document).is_none_or(|home| home == namespace)
        };
        Ok(documents.filter(here).collect())
    }

    /// A document with the namespace that it lands in.
    fn at_home(&self, mut document: Value) -> Value {
        if object::namespace(&document).is_none() && !self.place.namespace.is_empty() {
            object::set(&mut document, &["metadata", "namespace"], json!(self.place.namespace));
        }
        document
    }

    /// Applies what the folder declares. A folder that cannot be applied is the learner's, and an answer.
    pub(super) async fn sync(&self) -> Result<(), TargetError> {
        let declared = self.read_declared()?;
        let denied = |why: String| TargetError::new(Cause::Denied, format!("sync the work folder: {why}"));
        if let Some(why) = declared.unread.first() {
            return Err(denied(why.clone()));
        }
        if declared.documents.is_empty() {
            return Err(denied("it declares nothing".to_owned()));
        }
        let api = &*self.api().await?;
        for (path, document) in declared.documents {
            let kind = object::text(&document, "/kind").unwrap_or_default().to_owned();
            let what = format!("{path}: {kind} {}", object::name(&document));
            let version = object::text(&document, "/apiVersion").map(str::to_owned);
            let Some(resource) = self.resource(version.as_deref(), &kind).await? else {
                return Err(denied(format!("{what}: no matches for kind \"{kind}\"")));
            };
            let mut body = if resource.namespaced { self.at_home(document) } else { document };
            let namespace = object::namespace(&body).map(str::to_owned).filter(|_| resource.namespaced);
            if belongings::needs_label(&self.place, &resource, namespace.as_deref()) {
                return Err(denied(format!("{what} lies outside the namespaces of the lab")));
            }
            self.host.adapt(&mut body);
            let path = resource.path(namespace.as_deref(), Some(object::name(&body)), None);
            let path = format!("{path}?fieldManager={MANAGER}&force=true&fieldValidation=Strict");
            match api.send(Method::PATCH, &path, Some(("application/apply-patch+yaml", &body))).await {
                Ok(_) => {}
                Err(Trouble::Said { code, message, .. }) if code < 500 || message.starts_with(UNTYPED) => {
                    return Err(denied(format!("{what}: {message}")));
                }
                Err(trouble) => return Err(self.cannot(format!("sync the work folder: {what}"), trouble)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_declares_its_documents_and_says_what_it_cannot_read() {
        let texts = [
            (
                "a.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n",
            ),
            ("notes.txt", "kind: nothing"),
            ("z/broken.yml", "a: ["),
            ("z/nameless.json", r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {}}"#),
        ];
        let declared = Declared::of(texts.into_iter());
        let names: Vec<&str> = declared.documents.iter().map(|(_, document)| object::name(document)).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(declared.unread.len(), 2, "{:?}", declared.unread);
        assert!(declared.unread[0].starts_with("z/broken.yml: "));
        assert_eq!(declared.unread[1], "z/nameless.json: a document has no .metadata.name");
    }
}
