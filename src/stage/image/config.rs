//! What an image says about how it is run, derived from its name alone.
//!
//! The simulator derives the same, so that a container does the same on both.

use std::collections::BTreeMap;

use super::Reference;

/// The label that tells breakfix's own images: its value is the digest of the program inside, 12 hex digits.
pub const WORKLOAD_LABEL: &str = "breakfix.dev/workload";

/// The label that says under which name breakfix made an image; what a learner builds or commits from it inherits it.
pub const REFERENCE_LABEL: &str = "breakfix.dev/image";

/// Where programs are looked for: what engines set where an image says nothing, said all the same.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a container of an image is run where nothing else is said. The user is root, the folder `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    /// `NAME=value`.
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    /// `8080/tcp`: a note for people, nothing is published by it.
    pub exposed_ports: Vec<String>,
}

/// The configuration of the image of this name: `registry.example/shop/web:1.4` is the program `web`, version `1.4`.
pub fn image_config(reference: &Reference) -> ImageConfig {
    ImageConfig {
        env: vec![PATH.to_owned(), format!("APP={}", reference.name()), format!("VERSION={}", reference.tag())],
        entrypoint: vec!["/workload".to_owned()],
        cmd: vec!["serve".to_owned()],
        exposed_ports: vec!["8080/tcp".to_owned()],
    }
}

impl ImageConfig {
    /// As it stands in an image's configuration (OCI image specification 1.1, `config`).
    pub(super) fn to_json(&self, reference: &Reference, workload: &str) -> serde_json::Value {
        let ports: BTreeMap<&str, serde_json::Value> =
            self.exposed_ports.iter().map(|port| (port.as_str(), serde_json::json!({}))).collect();
        serde_json::json!({
            "Env": self.env,
            "Entrypoint": self.entrypoint,
            "Cmd": self.cmd,
            "ExposedPorts": ports,
            "WorkingDir": "/",
            "Labels": {WORKLOAD_LABEL: workload, REFERENCE_LABEL: reference.short()},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_come_from_the_reference() {
        let config = image_config(&"registry.example/shop/web:1.4".parse().unwrap());
        assert_eq!(config.env[1..], ["APP=web", "VERSION=1.4"]);
        assert_eq!((config.entrypoint, config.cmd), (vec!["/workload".to_owned()], vec!["serve".to_owned()]));
        let config = image_config(&"db".parse().unwrap());
        assert_eq!(config.env[1..], ["APP=db", "VERSION=latest"]);
    }
}
