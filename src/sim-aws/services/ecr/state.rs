//! What ECR keeps: repositories and the manifests of images. Layers are kept as what manifests say of them; the program inside is always
//! the workload.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By name: `shop/web`.
    pub repositories: BTreeMap<String, Repository>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repository {
    pub name: String,
    pub arn: String,
    /// `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`.
    pub uri: String,
    pub created: SimTime,
    pub mutability: Mutability,
    pub scans_on_push: bool,
    /// `AES256`, or `KMS` with its key.
    pub encryption: (String, Option<String>),
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
    pub lifecycle: Option<(String, SimTime)>,
    /// In the order in which they were pushed.
    pub images: Vec<Image>,
}

/// Whether a tag can be pushed again. Four values (`MUTABLE`, `IMMUTABLE`, each `_WITH_EXCLUSION`), the latter two with filters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutability {
    pub value: String,
    /// Wildcard patterns of the tags for which the opposite holds.
    pub exclusions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    pub digest: String,
    pub manifest: String,
    pub media_type: String,
    pub tags: Vec<String>,
    pub pushed: SimTime,
    pub size_bytes: u64,
    pub scanned: Option<SimTime>,
}

impl Mutability {
    /// Whether a tag stays where it is for ever.
    pub fn fixes(&self, tag: &str) -> bool {
        let excluded =
            self.value.ends_with("_WITH_EXCLUSION") && self.exclusions.iter().any(|filter| is_like(tag, filter));
        self.value.starts_with("IMMUTABLE") != excluded
    }
}

/// Stars only (reference of `ImageTagMutabilityExclusionFilter`).
fn is_like(tag: &str, filter: &str) -> bool {
    crate::services::iam::policy::pattern::Pattern::read(&filter.replace('?', ""), None)
        .is_some_and(|it| it.matches(tag))
}

impl Repository {
    /// The image of a digest, of a tag, or of both where they agree.
    pub fn find(&self, digest: Option<&str>, tag: Option<&str>) -> Option<&Image> {
        if digest.is_none() && tag.is_none() {
            return None;
        }
        self.images.iter().find(|image| {
            digest.is_none_or(|digest| image.digest == digest)
                && tag.is_none_or(|tag| image.tags.iter().any(|other| other == tag))
        })
    }
}
