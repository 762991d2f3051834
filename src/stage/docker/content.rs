//! What is in an image: `docker save`, unpacked. Pure.
//!
//! Two layouts are read by the one file that both have, `manifest.json`: `ID/layer.tar` (before Engine 25) and `blobs/sha256/…`. A layer may be
//! compressed (containerd's store); which it is, its first bytes tell.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use breakfix_grade::observation::{ImageContent, LayerContent, LayerEntry};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// So much of a file is compared by its content; the rest by its length.
const DIGESTED: u64 = 8 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: String,
    layers: Vec<String>,
}

/// Reads an archive with one image.
///
/// # Errors
/// It is not what `docker save` writes, or a layer is missing: some engines leave out layers that images share.
pub(super) fn read(archive: &[u8]) -> io::Result<ImageContent> {
    let Parts { config, layers } = open(archive)?;
    let config: Value = serde_json::from_slice(&config)?;
    let layers = layers.iter().map(|bytes| layer(bytes)).collect::<io::Result<_>>()?;
    Ok(ImageContent { config: config.get("config").cloned().unwrap_or_default(), layers })
}

/// An image's archive taken apart.
pub(super) struct Parts {
    /// The configuration's JSON, history included.
    pub(super) config: Vec<u8>,
    /// The layers' archives as they are stored, the lowest first.
    pub(super) layers: Vec<Vec<u8>>,
}

/// Takes an archive with one image apart.
///
/// # Errors
/// As for [`read`].
pub(super) fn open(archive: &[u8]) -> io::Result<Parts> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        // Older engines write a layer that images share once, and links to it.
        if let Some(target) = entry.link_name()? {
            files.insert(path.clone(), Saved::Link(resolved(&path, &target.to_string_lossy())));
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(path, Saved::Bytes(bytes));
    }
    let file = |path: &str| {
        let mut path = path.to_owned();
        for _ in 0..4 {
            match files.get(&path) {
                Some(Saved::Bytes(bytes)) => return Ok(bytes.clone()),
                Some(Saved::Link(target)) => path.clone_from(target),
                None => break,
            }
        }
        Err(io::Error::other(format!("the engine's archive has no {path}")))
    };
    let manifests: Vec<Manifest> = serde_json::from_slice(&file("manifest.json")?)?;
    let manifest = manifests.first().ok_or_else(|| io::Error::other("the engine's archive holds no image"))?;
    let layers = manifest.layers.iter().map(|path| file(path)).collect::<io::Result<_>>()?;
    Ok(Parts { config: file(&manifest.config)?, layers })
}

enum Saved {
    Bytes(Vec<u8>),
    Link(String),
}

/// Where a link leads, within the archive.
fn resolved(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A layer's archive, unpacked if it is packed.
pub(super) fn plain(bytes: &[u8]) -> io::Result<Box<dyn Read + '_>> {
    match bytes {
        [0x1f, 0x8b, ..] => Ok(Box::new(flate2::read::GzDecoder::new(bytes))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(io::Error::other("a layer is packed by zstd, which is not read here")),
        _ => Ok(Box::new(bytes)),
    }
}

fn layer(bytes: &[u8]) -> io::Result<LayerContent> {
    let mut content = LayerContent::default();
    for entry in tar::Archive::new(plain(bytes)?).entries()? {
        let entry = entry?;
        let path = entry.path()?.to_string_lossy().trim_start_matches("./").trim_end_matches('/').to_owned();
        if path.is_empty() || path == "." {
            continue;
        }
        let mode = entry.header().mode()? & 0o7777;
        let size = entry.size();
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let beside = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        let (path, entry) = match (name.strip_prefix(".wh."), entry.header().entry_type()) {
            (Some(".wh..opq"), _) => (parent.to_owned(), LayerEntry::Opaque),
            (Some(hidden), _) => (beside(hidden), LayerEntry::Whiteout),
            (None, tar::EntryType::Directory) => (path, LayerEntry::Folder { mode }),
            (None, tar::EntryType::Regular | tar::EntryType::Continuous) => {
                content.size += size;
                let mut digest = Sha256::new();
                io::copy(&mut entry.take(DIGESTED), &mut digest)?;
                let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                (path, LayerEntry::File { mode, size, digest })
            }
            (None, kind) => {
                let target = entry.link_name()?.map(|it| it.display().to_string()).unwrap_or_default();
                (path, LayerEntry::Other(format!("{kind:?} {target}")))
            }
        };
        content.entries.insert(path, entry);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, path, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn both_layouts_and_packed_layers_are_read() {
        let config = br#"{"config": {"Cmd": ["/workload"]}}"#;
        let (one, two) =
            (tar(&[("etc/a", b"12345")]), tar(&[("etc/.wh.a", b""), ("b/.wh..wh..opq", b""), ("./c", b"1")]));
        let manifest = br#"[{"Config": "c.json", "RepoTags": null, "Layers": ["1/layer.tar", "blobs/sha256/2"]}]"#;
        let archive = tar(&[
            ("manifest.json", manifest),
            ("c.json", config),
            ("1/layer.tar", &one),
            ("blobs/sha256/2", &gzipped(&two)),
        ]);
        let content = read(&archive).unwrap();
        assert_eq!(content.config["Cmd"][0], "/workload");
        assert_eq!(content.layers.iter().map(|layer| layer.size).collect::<Vec<_>>(), [5, 1]);
        assert!(matches!(&content.layers[0].entries["etc/a"], LayerEntry::File { mode: 0o644, size: 5, .. }));
        assert_eq!(content.layers[1].entries["etc/a"], LayerEntry::Whiteout);
        assert_eq!(content.layers[1].entries["b"], LayerEntry::Opaque);
        assert!(content.layers[1].entries.contains_key("c"));
    }

    #[test]
    fn a_shared_layer_may_be_a_link_and_a_missing_one_is_trouble() {
        assert_eq!(resolved("2/layer.tar", "../1/layer.tar"), "1/layer.tar");
        let manifest = br#"[{"Config": "c.json", "RepoTags": null, "Layers": ["1/layer.tar"]}]"#;
        let archive = tar(&[("manifest.json", manifest), ("c.json", b"{}")]);
        assert!(read(&archive).unwrap_err().to_string().contains("1/layer.tar"));
        assert!(read(b"<html>").is_err());
    }
}
