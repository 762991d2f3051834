//! Where the engine is: what `DOCKER_HOST`, the current context or the usual sockets say, in the order of Docker's own programs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::target::{Cause, TargetError};

/// An engine's address, and how breakfix came to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: Address,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`, if the engine is spoken to over TLS.
    pub tls: Option<PathBuf>,
    pub origin: Origin,
}

/// The ways to reach an engine that breakfix knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
}

/// Who named the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `DOCKER_HOST`, or the session that was opened with it.
    Variable,
    /// A context of Docker's command line, by its name.
    Context(String),
    /// Where Docker's own programs look when nothing is said.
    Usual,
    /// A socket that Docker's own programs would not find by themselves (rootless, Podman).
    Found,
}

/// The surroundings that an engine is looked for in; a value, so that a test can make one.
pub struct Surroundings<'a> {
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The socket of an engine that runs as root.
    pub usual: PathBuf,
    /// Podman's, if it runs as root.
    pub podman: PathBuf,
}

impl<'a> Surroundings<'a> {
    /// This machine.
    pub fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, usual: "/var/run/docker.sock".into(), podman: "/run/podman/podman.sock".into() }
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn docker_folder(&self) -> Option<PathBuf> {
        let own = self.get("DOCKER_CONFIG").map(PathBuf::from);
        own.or_else(|| self.get("HOME").map(|home| Path::new(&home).join(".docker")))
    }
}

impl Endpoint {
    /// Finds the engine: `asked` (as [`Address`] prints), DOCKER_HOST, the current context, the usual sockets.
    ///
    /// # Errors
    /// [`Cause::Missing`] where no engine is, or its address is one that breakfix cannot use.
    pub fn find(asked: Option<&str>, around: &Surroundings<'_>) -> Result<Self, TargetError> {
        if let Some(host) = asked.map(str::to_owned).or_else(|| around.get("DOCKER_HOST")) {
            let address = Address::parse(&host)?;
            let verify = around.get("DOCKER_TLS_VERIFY").is_some();
            let folder = around.get("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| around.docker_folder());
            let tls = folder.filter(|_| verify && matches!(address, Address::Tcp { .. }));
            return Ok(Self { address, tls, origin: Origin::Variable });
        }
        if let Some(name) = context_name(around) {
            return context(&name, around);
        }
        let usual = Self { address: Address::Unix(around.usual.clone()), tls: None, origin: Origin::Usual };
        if around.usual.exists() {
            return Ok(usual);
        }
        let runtime = around.get("XDG_RUNTIME_DIR").map(PathBuf::from);
        let home = around.get("HOME").map(PathBuf::from);
        let rootless = [
            runtime.as_ref().map(|folder| folder.join("docker.sock")),
            home.map(|folder| folder.join(".docker/run/docker.sock")),
            runtime.map(|folder| folder.join("podman/podman.sock")),
            Some(around.podman.clone()),
        ];
        let found = rootless.into_iter().flatten().find(|path| path.exists());
        // Where there is none at all, the error of the usual one says most.
        Ok(found.map_or(usual, |path| Self { address: Address::Unix(path), tls: None, origin: Origin::Found }))
    }
}

impl Address {
    /// As DOCKER_HOST has it.
    ///
    /// # Errors
    /// [`Cause::Missing`]: a kind of address that breakfix cannot use, with what to do instead.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let bad = |why: &str| {
            TargetError::new(Cause::Missing, format!("reach a Docker engine at `{text}`")).hint(why.to_owned())
        };
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp" | "http", rest)) => {
                let rest = rest.trim_end_matches('/');
                let (host, port) =
                    rest.rsplit_once(':').ok_or_else(|| bad("The address has no port: tcp://HOST:2376."))?;
                let port = port.parse().map_err(|_| bad("The port is not a number from 1 to 65535."))?;
                let host = host.trim_start_matches('[').trim_end_matches(']');
                if host.is_empty() {
                    return Err(bad("The address has no host: tcp://HOST:2376."));
                }
                Ok(Self::Tcp { host: host.to_owned(), port })
            }
            Some(("ssh", _)) => Err(bad(
                "breakfix asks published ports from this machine, so it needs an engine on it. Forward the socket \
                 (`ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`) and the ports, and set DOCKER_HOST=unix:///tmp/docker.sock.",
            )),
            Some(("npipe", _)) => Err(bad("Named pipes are not supported; run breakfix inside WSL.")),
            _ => Err(bad("DOCKER_HOST should be like unix:///var/run/docker.sock or tcp://127.0.0.1:2375.")),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

/// The current context, unless it is the default one.
fn context_name(around: &Surroundings<'_>) -> Option<String> {
    let named = around.get("DOCKER_CONTEXT").or_else(|| {
        let config = std::fs::read(around.docker_folder()?.join("config.json")).ok()?;
        let config: Value = serde_json::from_slice(&config).ok()?;
        config.get("currentContext")?.as_str().map(str::to_owned)
    });
    named.filter(|name| !name.is_empty() && name != "default")
}

/// A context's address: `contexts/meta/SHA-256 of the name/meta.json`, its certificates under `contexts/tls/`.
fn context(name: &str, around: &Surroundings<'_>) -> Result<Endpoint, TargetError> {
    let bad = || {
        TargetError::new(Cause::Missing, format!("read the Docker context `{name}`"))
            .hint("`docker context ls` lists the contexts; `docker context use default` goes back to the usual engine.")
    };
    let digest: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let contexts = around.docker_folder().ok_or_else(bad)?.join("contexts");
    let meta = std::fs::read(contexts.join("meta").join(&digest).join("meta.json")).map_err(|e| bad().because(e))?;
    let meta: Value = serde_json::from_slice(&meta).map_err(|error| bad().because(error))?;
    let host = meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str).ok_or_else(bad)?;
    let tls = contexts.join("tls").join(&digest).join("docker");
    let address = Address::parse(host)?;
    let tls = Some(tls).filter(|folder| folder.is_dir() && matches!(address, Address::Tcp { .. }));
    Ok(Endpoint { address, tls, origin: Origin::Context(name.to_owned()) })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;

    fn find(folder: &Path, variables: &[(&str, &str)]) -> Result<Endpoint, TargetError> {
        let mut map: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        map.insert("HOME".into(), folder.display().to_string());
        let variable = |name: &str| map.get(name).cloned();
        let around =
            Surroundings { variable: &variable, usual: folder.join("docker.sock"), podman: folder.join("podman.sock") };
        Endpoint::find(None, &around)
    }

    fn with_context(folder: &Path, name: &str, host: &str) {
        let digest: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = folder.join(".docker/contexts/meta").join(digest);
        fs::create_dir_all(&meta).unwrap();
        let text = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
        fs::write(meta.join("meta.json"), text).unwrap();
    }

    #[test]
    fn the_variable_wins_over_the_context_and_the_context_over_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("docker.sock"), "").unwrap();
        assert_eq!(find(folder.path(), &[]).unwrap().origin, Origin::Usual);
        with_context(folder.path(), "colima", "unix:///colima.sock");
        fs::write(folder.path().join(".docker/config.json"), r#"{"currentContext":"colima"}"#).unwrap();
        let found = find(folder.path(), &[]).unwrap();
        assert_eq!(found.origin, Origin::Context("colima".into()));
        assert_eq!(found.address, Address::Unix("/colima.sock".into()));
        assert_eq!(find(folder.path(), &[("DOCKER_CONTEXT", "default")]).unwrap().origin, Origin::Usual);
        let found = find(folder.path(), &[("DOCKER_HOST", "tcp://10.0.0.1:2376"), ("DOCKER_TLS_VERIFY", "1")]).unwrap();
        assert_eq!(found.address.to_string(), "tcp://10.0.0.1:2376");
        assert_eq!(found.tls, Some(folder.path().join(".docker")));
    }

    #[test]
    fn a_rootless_or_podman_socket_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("podman.sock"), "").unwrap();
        let found = find(folder.path(), &[]).unwrap();
        assert_eq!((found.address, found.origin), (Address::Unix(folder.path().join("podman.sock")), Origin::Found));
        let runtime = folder.path().join("run");
        fs::create_dir_all(&runtime).unwrap();
        fs::write(runtime.join("docker.sock"), "").unwrap();
        let found = find(folder.path(), &[("XDG_RUNTIME_DIR", &runtime.display().to_string())]).unwrap();
        assert_eq!(found.address, Address::Unix(runtime.join("docker.sock")));
    }

    #[test]
    fn no_engine_at_all_is_looked_for_at_the_usual_place() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path(), &[]).unwrap().address, Address::Unix(folder.path().join("docker.sock")));
    }

    #[test]
    fn addresses_that_cannot_be_used_say_what_to_do() {
        for text in
            ["ssh://me@host", "npipe:////./pipe/docker_engine", "tcp://host", "tcp://:1", "docker.sock", "unix://x"]
        {
            let error = Address::parse(text).unwrap_err();
            assert_eq!((error.cause, error.hints.len()), (Cause::Missing, 1), "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        let error = find(folder.path(), &[("DOCKER_CONTEXT", "gone")]).unwrap_err();
        assert!(error.what.contains("`gone`"), "{error}");
    }
}
