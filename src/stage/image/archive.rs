//! The archive: one layer, and for each reference a configuration and a manifest of its own.
//!
//! Written as an OCI layout (`oci-layout`, `index.json`, `blobs/sha256/…`) with Docker's `manifest.json` beside it, which is
//! what `docker save` has written since Engine 25 and what every engine since 1.10 loads.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Reference, image_config, layer};

/// 2024-01-01T00:00:00Z: when every image of ours says it was made, so that its bytes are the same every time.
pub const CREATED_SECONDS: u64 = 1_704_067_200;
const CREATED: &str = "2024-01-01T00:00:00Z";

/// An archive, ready to be loaded.
#[derive(Clone, Debug)]
pub struct Archive {
    pub bytes: Vec<u8>,
    /// The label [`super::WORKLOAD_LABEL`] of every image in it.
    pub workload: String,
    /// By reference, as engines print it.
    pub images: BTreeMap<String, Image>,
}

/// How engines know one image of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `sha256:…` of the configuration: the image's id in the classic store and in CRI.
    pub config: String,
    /// `sha256:…` of the manifest: the image's id in the containerd store.
    pub manifest: String,
    /// `sha256:…` of the uncompressed layer: the one entry of `RootFS.Layers`.
    pub layer: String,
}

/// The workload's image under all these names. `architecture` in the images' words (`amd64`).
///
/// # Errors
/// None in practice: it is written to memory.
pub fn archive(
    references: &BTreeSet<Reference>,
    program: &[u8],
    tools: &[&str],
    architecture: &str,
) -> io::Result<Archive> {
    let layer = layer::layer(program, tools)?;
    let layer_digest = digest(&layer);
    let workload: String = layer_digest.chars().take(12).collect();
    let mut blobs = BTreeMap::new();
    let (mut index, mut manifests, mut images) = (Vec::new(), Vec::new(), BTreeMap::new());
    for reference in references {
        let config = to_bytes(&config(reference, &layer_digest, &workload, architecture))?;
        let config_digest = digest(&config);
        let manifest = to_bytes(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config_digest, config.len()),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer_digest, layer.len())],
        }))?;
        let manifest_digest = digest(&manifest);
        let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest_digest, manifest.len());
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("platform".into(), json!({"architecture": architecture, "os": "linux"}));
            // Both names are what `docker save` writes; containerd's import looks at the first.
            entry.insert(
                "annotations".into(),
                json!({"io.containerd.image.name": reference.full(), "org.opencontainers.image.ref.name": reference.tag()}),
            );
        }
        index.push(entry);
        manifests.push(json!({
            "Config": blob(&config_digest),
            "RepoTags": [reference.short()],
            "Layers": [blob(&layer_digest)],
        }));
        let image = Image {
            config: format!("sha256:{config_digest}"),
            manifest: format!("sha256:{manifest_digest}"),
            layer: format!("sha256:{layer_digest}"),
        };
        images.insert(reference.short().to_owned(), image);
        blobs.insert(blob(&config_digest), config);
        blobs.insert(blob(&manifest_digest), manifest);
    }
    blobs.insert(blob(&layer_digest), layer);
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": index});
    blobs.insert("index.json".into(), to_bytes(&index)?);
    blobs.insert("manifest.json".into(), to_bytes(&manifests)?);
    blobs.insert("oci-layout".into(), to_bytes(&json!({"imageLayoutVersion": "1.0.0"}))?);
    Ok(Archive { bytes: tar(&blobs)?, workload, images })
}

/// One image as a registry takes it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The configuration's bytes.
    pub config: Vec<u8>,
    /// The layer as a tar archive.
    pub layer: Vec<u8>,
}

/// The workload's image under one name.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn parts(reference: &Reference, program: &[u8], tools: &[&str], architecture: &str) -> io::Result<Parts> {
    let layer = layer::layer(program, tools)?;
    let layer_digest = digest(&layer);
    let workload: String = layer_digest.chars().take(12).collect();
    let config = to_bytes(&config(reference, &layer_digest, &workload, architecture))?;
    Ok(Parts { config, layer })
}

/// An image's configuration (OCI image specification 1.1).
fn config(reference: &Reference, layer: &str, workload: &str, architecture: &str) -> Value {
    json!({
        "created": CREATED,
        "architecture": architecture,
        "os": "linux",
        "config": image_config(reference).to_json(reference, workload),
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer}")]},
        "history": [{"created": CREATED, "created_by": "COPY /workload /workload"}],
    })
}

fn tar(files: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::with_capacity(files.values().map(|bytes| bytes.len() + 1024).sum()));
    for (path, bytes) in files {
        layer::file(&mut tar, path, 0o644, bytes)?;
    }
    tar.into_inner()
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> Value {
    json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size})
}

fn blob(digest: &str) -> String {
    format!("blobs/sha256/{digest}")
}

/// In hex.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn to_bytes(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn made(references: &[&str]) -> Archive {
        let references = references.iter().map(|text| text.parse().unwrap()).collect();
        archive(&references, b"program", &["cat", "sh"], "amd64").unwrap()
    }

    fn files(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(bytes);
        let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().to_string_lossy().into_owned(), bytes)
        };
        archive.entries().unwrap().map(read).collect()
    }

    fn json_at(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
        serde_json::from_slice(files.get(path).unwrap_or_else(|| panic!("no {path}"))).unwrap()
    }

    #[test]
    fn every_name_shares_the_layer_and_every_digest_is_right() {
        let archive = made(&["registry.example/shop/web:1.4", "registry.example/shop/db:1.4"]);
        let files = files(&archive.bytes);
        for (path, bytes) in &files {
            if let Some(named) = path.strip_prefix("blobs/sha256/") {
                assert_eq!(named, digest(bytes));
            }
        }
        assert_eq!(files.len(), 3 + 1 + 2 * 2);
        let manifests = json_at(&files, "manifest.json");
        assert_eq!(manifests[0]["RepoTags"], json!(["registry.example/shop/db:1.4"]));
        assert_eq!(manifests[0]["Layers"], manifests[1]["Layers"]);
        let config = json_at(&files, manifests[1]["Config"].as_str().unwrap());
        assert_eq!(config["config"]["Env"][1], "APP=web");
        assert_eq!(config["config"]["Labels"]["breakfix.dev/workload"], archive.workload);
        let image = &archive.images["registry.example/shop/web:1.4"];
        assert_eq!(config["rootfs"]["diff_ids"], json!([image.layer]));
        assert_eq!(format!("blobs/sha256/{}", image.config.trim_start_matches("sha256:")), manifests[1]["Config"]);
    }

    #[test]
    fn the_oci_index_names_the_same_images() {
        let archive = made(&["registry.example/shop/web:1.4", "web"]);
        let files = files(&archive.bytes);
        assert_eq!(json_at(&files, "oci-layout")["imageLayoutVersion"], "1.0.0");
        let index = json_at(&files, "index.json");
        let names: Vec<&str> = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["annotations"]["io.containerd.image.name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["registry.example/shop/web:1.4", "docker.io/library/web:latest"]);
        for entry in index["manifests"].as_array().unwrap() {
            let path = entry["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
            assert_eq!(files[&path].len() as u64, entry["size"].as_u64().unwrap());
            let manifest = json_at(&files, &path);
            let layer = manifest["layers"][0]["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
            assert_eq!(files[&layer].len() as u64, manifest["layers"][0]["size"].as_u64().unwrap());
        }
    }

    #[test]
    fn the_layer_holds_program_tools_and_users() {
        let archive = made(&["web"]);
        let outer = files(&archive.bytes);
        let layer = &archive.images["web:latest"].layer;
        let layer = &outer[&layer.replace("sha256:", "blobs/sha256/")];
        let mut seen = BTreeMap::new();
        for entry in tar::Archive::new(layer.as_slice()).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            let link = entry.link_name().unwrap().map(|link| link.display().to_string());
            let about = (header.mode().unwrap(), header.uid().unwrap(), link);
            seen.insert(entry.path().unwrap().display().to_string(), about);
        }
        assert_eq!(seen["workload"], (0o755, 0, None));
        assert_eq!(seen["bin/sh"], (0o777, 0, Some("/workload".to_owned())));
        assert_eq!(seen["tmp/"].0, 0o1777);
        assert_eq!(seen["data/"].1, 10_001);
        assert_eq!(files(layer)["workload"], b"program");
    }

    #[test]
    fn the_same_input_gives_the_same_bytes_and_another_program_another_label() {
        assert_eq!(made(&["web:1"]).bytes, made(&["web:1"]).bytes);
        let one = made(&["web:1"]);
        let other = archive(&["web:1".parse().unwrap()].into(), b"other", &["cat", "sh"], "amd64").unwrap();
        assert_ne!(one.workload, other.workload);
        // Written down once: a change of layout must be meant, since every engine then loads anew.
        assert_eq!(one.workload, "13738cd74f69");
    }
}
