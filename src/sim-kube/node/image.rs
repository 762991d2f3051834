//! Images: references, what an image says about how it is run, and what a registry answers.
//!
//! Every image of `Config::images` is the workload under another name, as `stage`'s image builder makes it for real nodes: the same
//! files, the same configuration. Images of the node itself (DNS server, control plane) are named in `resident`.

use breakfix_workload::tool;

use super::{
    files::{Entry, Tree},
    resident,
};
use crate::Cluster;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// 2024-01-01: when every file of an image says it was made.
const CREATED: u64 = 1_704_067_200;
const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\napp:x:10001:10001:app:/:/bin/sh\n";
const GROUP: &str = "root:x:0:\napp:x:10001:\n";
/// The user that owns `/data`.
const APP: u32 = 10_001;

/// How a container of an image is run where nothing else is said. The user is root, the folder `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    pub env: Vec<(String, String)>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
}

/// The configuration of the image of this name: `registry.example/shop/web:1.4` is the program `web`, version `1.4`.
pub fn image_config(reference: &str) -> ImageConfig {
    let (name, tag) = name_and_tag(reference);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    ImageConfig {
        env: vec![pair("PATH", PATH), pair("APP", name), pair("VERSION", tag)],
        entrypoint: vec!["/workload".to_owned()],
        cmd: vec!["serve".to_owned()],
    }
}

fn name_and_tag(reference: &str) -> (&str, &str) {
    let bare = reference.split_once('@').map_or(reference, |(bare, _)| bare);
    let last = bare.rsplit('/').next().unwrap_or(bare);
    last.split_once(':').unwrap_or((last, "latest"))
}

/// The files of every image.
pub fn root() -> Tree {
    let mut root = Tree::with_root(Entry::directory(0o755, CREATED));
    for tool in tool::names() {
        root.put(&format!("/bin/{tool}"), Entry::link("/workload", CREATED));
    }
    root.put("/data", Entry::directory(0o755, CREATED).owned_by(APP, APP));
    root.put("/etc/group", Entry::file(GROUP, 0o644, CREATED));
    root.put("/etc/passwd", Entry::file(PASSWD, 0o644, CREATED));
    root.put("/tmp", Entry::directory(0o1777, CREATED));
    // Its contents are the real program's; here only that it can be run matters.
    root.put("/workload", Entry::file("\u{7f}ELF", 0o755, CREATED));
    root
}

/// A reference as the runtime spells it out: `lab/box:1` is `docker.io/lab/box:1`.
pub fn full(reference: &str) -> String {
    let bare = reference.split_once('@').map_or(reference, |(bare, _)| bare);
    let tagged = if bare == reference && !bare.rsplit('/').next().unwrap_or(bare).contains(':') {
        format!("{reference}:latest")
    } else {
        reference.to_owned()
    };
    match tagged.split_once('/') {
        Some((host, _)) if host.contains('.') || host.contains(':') || host == "localhost" => tagged,
        Some(_) => format!("docker.io/{tagged}"),
        None => format!("docker.io/library/{tagged}"),
    }
}

/// Why a reference cannot be read, in kubelet's words.
pub fn invalid(reference: &str) -> Option<String> {
    let bare = reference.split_once('@').map_or(reference, |(bare, _)| bare);
    let path = match bare.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => path,
        _ => bare,
    };
    let why = if path.chars().any(|letter| letter.is_ascii_uppercase()) {
        let name = match path.split_once('/') {
            // The first part may be a host, which may be written large.
            Some((host, rest)) if host.contains('.') || host.contains(':') || host.chars().any(char::is_uppercase) => {
                rest
            }
            _ => path,
        };
        format!("invalid reference format: repository name ({name}) must be lowercase")
    } else if path.is_empty()
        || path.chars().any(|letter| !(letter.is_ascii_alphanumeric() || "._-/:".contains(letter)))
    {
        "invalid reference format".to_owned()
    } else {
        return None;
    };
    Some(format!("Failed to apply default image tag \"{reference}\": couldn't parse image name \"{reference}\": {why}"))
}

/// Whether every node has the image.
pub fn is_present(cluster: &Cluster, reference: &str) -> bool {
    let wanted = full(reference);
    resident::of(reference).is_some() || cluster.config.images.iter().any(|image| full(image) == wanted)
}

/// What a registry answers to a pull: none of them has anything. The words are those that containerd reports.
pub fn pull_failure(reference: &str) -> String {
    let full = full(reference);
    let host = full.split('/').next().unwrap_or("");
    let front = format!("failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": ");
    let path = full.split_once('/').map_or("", |(_, path)| path);
    match host {
        // A stand-in registry: nothing there, and a part that asks for a login.
        "registry.example" if path.starts_with("private/") => {
            format!(
                "{front}pull access denied, repository does not exist or may require authorization: server message: \
                 insufficient_scope: authorization failed"
            )
        }
        "registry.example" => format!("rpc error: code = NotFound desc = {front}{full}: not found"),
        // No other registry can be reached: the cluster has no way out.
        _ => {
            let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
            let (name, tag) = match path.split_once('@') {
                Some(parts) => parts,
                None => path.rsplit_once(':').unwrap_or((path, "latest")),
            };
            format!(
                "{front}failed to do request: Head \"https://{host}/v2/{name}/manifests/{tag}\": dial tcp: lookup {host} on \
                 {}:53: no such host",
                crate::network::GATEWAY
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_come_from_the_reference() {
        let config = image_config("registry.example/shop/web:1.4");
        let tail: Vec<_> = config.env[1..].iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(tail, ["APP=web", "VERSION=1.4"]);
        assert_eq!(name_and_tag("db"), ("db", "latest"));
        assert_eq!(name_and_tag("host:5000/db"), ("db", "latest"));
    }

    #[test]
    fn references_are_spelled_out() {
        assert_eq!(full("lab/box:1"), "docker.io/lab/box:1");
        assert_eq!(full("web"), "docker.io/library/web:latest");
        assert_eq!(full("registry.example/shop/web:1"), "registry.example/shop/web:1");
    }

    /// Recorded: wrong-image-tag of a 1.36 cluster.
    #[test]
    fn refusals_have_the_real_words() {
        assert_eq!(
            invalid("Lab/Box:1").unwrap(),
            "Failed to apply default image tag \"Lab/Box:1\": couldn't parse image name \"Lab/Box:1\": invalid reference format: \
             repository name (Box) must be lowercase"
        );
        assert_eq!(invalid("registry.example/shop/web:1.0.typo"), None);
        assert_eq!(
            pull_failure("registry.example/shop/web:1.0.typo"),
            "rpc error: code = NotFound desc = failed to pull and unpack image \"registry.example/shop/web:1.0.typo\": failed to resolve \
             reference \"registry.example/shop/web:1.0.typo\": registry.example/shop/web:1.0.typo: not found"
        );
        assert!(pull_failure("registry.unreachable.example/shop/web:1.0").ends_with(
            "failed to do request: Head \"https://registry.unreachable.example/v2/shop/web/manifests/1.0\": dial tcp: lookup \
             registry.unreachable.example on 172.31.0.1:53: no such host"
        ));
    }
}
