//! The table of kinds: what the API serves, as rows. A kind without behaviour of its own is a row and nothing else.

mod rows;

use std::sync::LazyLock;

use breakfix_sim::Key;

pub use rows::*;

use crate::custom::Custom;

/// One kind that the API serves.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    /// The resource's plural, as in paths: `pods`.
    pub plural: &'static str,
    pub singular: &'static str,
    pub short: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    /// `status`, `scale`, `log`, `exec` …
    pub subresources: &'static [&'static str],
    /// The store's collection; two versions or groups of the same objects share one (events).
    pub collection: &'static str,
    /// Whether `metadata.generation` counts changes of `spec`.
    pub generation: bool,
    /// The schema's name: `io.k8s.api.core.v1.Pod`.
    pub schema: &'static str,
    /// What a kind has that the cluster itself defines; `None` for the kinds of the table.
    pub custom: Option<&'static Custom>,
}

impl Kind {
    /// The kind of a list of these: `PodList`.
    pub fn list_kind(&self) -> String {
        self.custom.map_or_else(|| format!("{}List", self.kind), |custom| custom.list_kind.to_owned())
    }

    /// The schema's name as it is published: `com.example.stable.v1.CronTab`.
    pub fn published(&self) -> String {
        if self.custom.is_none() {
            return self.schema.to_owned();
        }
        let mut parts: Vec<&str> = self.group.split('.').rev().collect();
        parts.extend([self.version, self.kind]);
        parts.join(".")
    }

    /// Where an object of this kind lies in the store.
    pub fn key(&self, namespace: &str, name: &str) -> Key {
        Key::new(self.collection, if self.namespaced { namespace } else { "" }, name)
    }

    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods`, `deployments.apps`: as error messages name it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

/// A kind whose objects are answered and forgotten: nothing is stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub namespaced: bool,
    /// The schema's name.
    pub schema: &'static str,
}

/// Every question, in the order in which discovery lists it.
pub static QUESTIONS: &[Question] = &[
    Question {
        group: "authentication.k8s.io",
        version: "v1",
        kind: "SelfSubjectReview",
        plural: "selfsubjectreviews",
        singular: "selfsubjectreview",
        namespaced: false,
        schema: "io.k8s.api.authentication.v1.SelfSubjectReview",
    },
    Question {
        group: "authentication.k8s.io",
        version: "v1",
        kind: "TokenReview",
        plural: "tokenreviews",
        singular: "tokenreview",
        namespaced: false,
        schema: "io.k8s.api.authentication.v1.TokenReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "LocalSubjectAccessReview",
        plural: "localsubjectaccessreviews",
        singular: "localsubjectaccessreview",
        namespaced: true,
        schema: "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "SelfSubjectAccessReview",
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        namespaced: false,
        schema: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "SelfSubjectRulesReview",
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        namespaced: false,
        schema: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "SubjectAccessReview",
        plural: "subjectaccessreviews",
        singular: "subjectaccessreview",
        namespaced: false,
        schema: "io.k8s.api.authorization.v1.SubjectAccessReview",
    },
];

/// The question served at this group, version and plural.
pub fn question(group: &str, version: &str, plural: &str) -> Option<&'static Question> {
    QUESTIONS
        .iter()
        .find(|question| question.group == group && question.version == version && question.plural == plural)
}

static GROUPS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let stored = KINDS.iter().chain(READINGS).map(|kind| (kind.group, kind.version));
    let mut groups: Vec<_> =
        stored.chain(QUESTIONS.iter().map(|question| (question.group, question.version))).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
});

/// Every group with each of its versions, the core group first.
pub fn groups() -> &'static [(&'static str, &'static str)] {
    &GROUPS
}

/// Whether a named group is served.
pub fn has_group(group: &str) -> bool {
    !group.is_empty() && groups().iter().any(|(served, _)| *served == group)
}

/// Whether a group is served at this version.
pub fn has_version(group: &str, version: &str) -> bool {
    groups().contains(&(group, version))
}

/// The kind served at this group, version and plural.
pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind of readings served at this group, version and plural.
pub fn reading(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    READINGS.iter().copied().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind that an `apiVersion` and `kind` name.
pub fn by_kind(api_version: &str, name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.kind == name && kind.api_version() == api_version)
}

/// The kind stored in this collection; of several versions, the one in which it is stored.
pub fn by_collection(collection: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.collection == collection)
}
