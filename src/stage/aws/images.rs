//! The lab's images in the account's own repositories, pushed by the registry's own API.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{api::Api, trouble::Trouble, wire::Service::Ecr};
use crate::image;

/// The registry name that a lab's files use.
const REGISTRY: &str = "registry.example/";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The member of a Repository document with the platforms of its images, by tag.
pub(super) const PLATFORMS: &str = "Platforms";

/// `shop/web:2.1` of every image of the lab that belongs into this repository.
pub(super) fn of_repository<'a>(images: &'a [String], repository: &str) -> Vec<&'a str> {
    let named = images.iter().filter_map(|image| image.strip_prefix(REGISTRY));
    named.filter(|image| image.rsplit_once(':').is_some_and(|(name, _)| name == repository)).collect()
}

/// The platforms that a Repository document wants the image of this name to have; empty: one image that says nothing of platforms.
pub(super) fn platforms<'a>(document: &'a Value, image: &str) -> Vec<&'a str> {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let listed = document.get(PLATFORMS).and_then(|it| it.get(tag)).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Pushes the workload as `shop/web:2.1`: its configuration, its layer, its manifest. What the registry has it keeps. With `platforms`
/// (`linux/amd64`) it becomes an index of one image for each of them.
pub(super) async fn push(api: &Api, name: &str, platforms: &[&str]) -> Result<(), Trouble> {
    let (repository, tag) = name.rsplit_once(':').ok_or_else(|| Trouble::Odd(format!("`{name}` has no tag")))?;
    if platforms.is_empty() {
        let manifest = push_one(api, name, image::architecture()).await?;
        return put(api, repository, Some(tag), &manifest).await;
    }
    let mut listed = Vec::new();
    for platform in platforms {
        let (system, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
        let manifest = push_one(api, name, architecture).await?;
        put(api, repository, None, &manifest).await?;
        let text = manifest.to_string();
        listed.push(json!({
            "mediaType": MANIFEST_TYPE,
            "digest": digest(text.as_bytes()),
            "size": text.len(),
            "platform": {"architecture": architecture, "os": system},
        }));
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX_TYPE,
        "manifests": listed,
        "annotations": annotations(repository, tag),
    });
    put(api, repository, Some(tag), &index).await
}

/// What it is by any name: a digest has no tag.
fn annotations(repository: &str, tag: &str) -> Value {
    json!({
        "org.opencontainers.image.title": repository.rsplit('/').next(),
        "org.opencontainers.image.version": tag,
    })
}

/// Sends an image's parts; its manifest, which is yet to be put.
async fn push_one(api: &Api, name: &str, architecture: &str) -> Result<Value, Trouble> {
    let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
    let parts = parts(api, name, architecture)?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = packed.write_all(&parts.layer).and_then(|()| packed.finish());
    let layer = packed.map_err(|error| Trouble::Odd(error.to_string()))?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "size": parts.config.len(),
            "digest": digest(&parts.config),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "size": layer.len(),
            "digest": digest(&layer),
        }],
        "annotations": annotations(repository, tag),
    });
    // A simulator that keeps no bytes knows the workload by its name.
    if upload(api, repository, &parts.config).await? {
        upload(api, repository, &layer).await?;
    }
    Ok(manifest)
}

/// What the image is made of. A simulator runs no bytes and knows the workload by its name, so that there a few stand for all.
fn parts(api: &Api, name: &str, architecture: &str) -> Result<image::Parts, Trouble> {
    let odd = |error: &dyn std::fmt::Display| Trouble::Odd(error.to_string());
    let reference: image::Reference = format!("{REGISTRY}{name}").parse().map_err(|error| odd(&error))?;
    if !api.simulated && architecture != image::architecture() {
        let here = image::architecture();
        return Err(Trouble::Odd(format!(
            "this breakfix holds the workload for {here} only, and {name} is to run on {architecture}"
        )));
    }
    let (program, tools) = if api.simulated {
        (name.as_bytes(), Vec::new())
    } else {
        (image::program().map_err(|error| odd(&error))?, breakfix_workload::tool::names().to_vec())
    };
    image::parts(&reference, program, &tools, architecture).map_err(|error| odd(&error))
}

async fn put(api: &Api, repository: &str, tag: Option<&str>, manifest: &Value) -> Result<(), Trouble> {
    let mut input = json!({
        "repositoryName": repository,
        "imageManifest": manifest.to_string(),
        "imageManifestMediaType": manifest.get("mediaType"),
    });
    if let Some(tag) = tag {
        input["imageTag"] = json!(tag);
    }
    match api.call(Ecr, "PutImage", input).await {
        Err(trouble) if trouble.is_duplicate() => Ok(()),
        other => other.map(drop),
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Sends one blob, unless the registry has it. False where it takes none.
async fn upload(api: &Api, repository: &str, blob: &[u8]) -> Result<bool, Trouble> {
    let digest = digest(blob);
    let which = json!({"repositoryName": repository, "layerDigests": [digest]});
    let there = match api.call(Ecr, "BatchCheckLayerAvailability", which).await {
        Err(trouble) if trouble.is_unknown_operation() => return Ok(false),
        other => other?,
    };
    if there.pointer("/layers/0/layerAvailability").and_then(Value::as_str) == Some("AVAILABLE") {
        return Ok(true);
    }
    let begun = match api.call(Ecr, "InitiateLayerUpload", json!({"repositoryName": repository})).await {
        Err(trouble) if trouble.is_unknown_operation() => return Ok(false),
        other => other?,
    };
    let id = begun.get("uploadId").cloned().unwrap_or_default();
    let size = begun.get("partSize").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
    let mut first = 0;
    for part in blob.chunks(size.unwrap_or(blob.len()).max(1)) {
        let last = first + part.len() - 1;
        let input = json!({
            "repositoryName": repository,
            "uploadId": id,
            "partFirstByte": first,
            "partLastByte": last,
            "layerPartBlob": STANDARD.encode(part),
        });
        api.call(Ecr, "UploadLayerPart", input).await?;
        first = last + 1;
    }
    let input = json!({"repositoryName": repository, "uploadId": id, "layerDigests": [digest]});
    match api.call(Ecr, "CompleteLayerUpload", input).await {
        Err(trouble) if trouble.is_duplicate() => Ok(true),
        other => other.map(|_| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_go_to_the_repository_of_their_name() {
        let images = ["registry.example/shop/web:2.1", "registry.example/shop/web-old:2.1", "docker.io/shop/web:1"];
        let images: Vec<String> = images.iter().map(|&image| image.to_owned()).collect();
        assert_eq!(of_repository(&images, "shop/web"), ["shop/web:2.1"]);
    }

    #[test]
    fn platforms_are_said_by_tag() {
        let document = json!({"Platforms": {"2.1": ["linux/amd64"]}});
        assert_eq!(platforms(&document, "shop/web:2.1"), ["linux/amd64"]);
        assert!(platforms(&document, "shop/web:2.2").is_empty() && platforms(&json!({}), "shop/web:2.1").is_empty());
    }
}
