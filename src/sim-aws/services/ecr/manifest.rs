//! Image manifests: what one says, and how to write one for an image that is only named.
//!
//! An image is an OCI manifest or an index of several, one a platform. What program is inside stands in the annotations
//! `org.opencontainers.image.title` and `.version`; whoever runs the image reads them there.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::input;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What a manifest says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub media_type: String,
    /// Of configuration and layers; an index has none of its own.
    pub size_bytes: u64,
    /// Media type of the configuration.
    pub artifact: Option<String>,
}

/// Reads a manifest; none for a text that is no manifest.
pub fn read(text: &str) -> Option<Said> {
    let value = serde_json::from_str::<Value>(text).ok()?;
    let fields = value.as_object()?;
    let index = fields.contains_key("manifests");
    let config = fields.get("config");
    if !index && config.is_none() {
        return None;
    }
    let size = |value: &Value| value.get("size").and_then(Value::as_u64).unwrap_or(0);
    let layers = input::list(&value, "layers").iter().map(size).fold(0_u64, u64::saturating_add);
    Some(Said {
        media_type: input::text(&value, "mediaType").unwrap_or(if index { INDEX } else { IMAGE }).to_owned(),
        size_bytes: layers.saturating_add(config.map_or(0, size)),
        artifact: config.and_then(|config| input::text(config, "mediaType")).map(str::to_owned),
    })
}

/// `sha256:…` of a text.
pub fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().fold("sha256:".to_owned(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The manifest of an image of one platform. `build` tells apart images of the same program and version that were built twice.
pub fn image(program: &str, version: &str, build: &str, size_bytes: u64) -> String {
    let of = |part: &str| digest(&format!("{part} {program} {version} {build}"));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE,
        "config": {"mediaType": CONFIG, "digest": of("config"), "size": 1_469},
        "layers": [{"mediaType": LAYER, "digest": of("layer"), "size": size_bytes}],
        "annotations": annotations(program, version),
    });
    manifest.to_string()
}

/// The manifest of an index: `[("linux/amd64", manifest)]`. Its images are pushed before it.
pub fn index(program: &str, version: &str, images: &[(&str, &str)]) -> String {
    let entry = |(platform, manifest): &(&str, &str)| {
        let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
        json!({
            "mediaType": IMAGE, "digest": digest(manifest), "size": manifest.len(),
            "platform": {"architecture": architecture, "os": os},
        })
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": images.iter().map(entry).collect::<Vec<_>>(),
        "annotations": annotations(program, version),
    });
    manifest.to_string()
}

fn annotations(program: &str, version: &str) -> Value {
    json!({"org.opencontainers.image.title": program, "org.opencontainers.image.version": version})
}
