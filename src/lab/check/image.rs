//! `image`: what is in an image, layer by layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every key given must hold of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub of: ImageOf,
    /// All its layers together, unpacked, hold at most so many bytes: `12M`, `12Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_max: Option<String>,
    /// No layer holds one of these paths, or anything below it; a file that a later layer hides counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// What a container sees has each of these paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<String>,
    /// None of these texts is anywhere in it: in a file of any layer, a path, the configuration, the history; neither plain nor as
    /// base64 or hex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// The same files (path, mode, content) and the same configuration as this image. Not the same digests: these depend on the
    /// moment of the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<ImageOf>,
    /// With `like`: only what lies at or below these paths is compared, and no configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<String>,
}

/// Which image. Exactly one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageOf {
    /// The one that this container was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The one that has this name now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The grader's own build of this name, made by the objective's trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuilt: Option<String>,
}
