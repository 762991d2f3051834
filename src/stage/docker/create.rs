//! Documents become things on the engine.

use bollard::{
    models::{ContainerCreateBody, NetworkConnectRequest, VolumeCreateRequest},
    query_parameters::CreateContainerOptionsBuilder,
};
use breakfix_grade::identity::VOLUME_MARK;
use breakfix_lab::Document;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    DockerTarget,
    belongs::{self, label},
    body::{Plan, foreign_binds, set},
    engine::{Engine, EngineError, escaped, whole},
    labels::{Role, SESSION, labels},
    marks::Marks,
    observe::nonce,
    podman,
    things::claims,
};
use crate::target::{Cause, TargetError};

impl Engine {
    /// Creates a container and returns its id.
    pub(super) async fn create_container(&self, name: &str, body: &Value) -> Result<String, EngineError> {
        let asked = self.is_podman().then(|| podman::asked(body));
        let body = asked.as_ref().unwrap_or(body);
        if let Some(model) = whole::<ContainerCreateBody>(body) {
            let options = CreateContainerOptionsBuilder::new().name(name).build();
            return Ok(self.ask(self.docker.create_container(Some(options), model)).await?.id);
        }
        let made = self.post(&format!("/containers/create?name={}", escaped(name)), body).await?;
        Ok(belongs::id(&made).unwrap_or_else(|| name.to_owned()))
    }
}

impl DockerTarget {
    /// Creates documents in their order.
    pub(super) async fn create_all(&self, documents: &[Document]) -> Result<(), TargetError> {
        for document in documents {
            self.create_composed(document, &self.place.documents).await?;
        }
        Ok(())
    }

    /// Creates one document. A thing of the lab's that bears the name is replaced.
    pub(super) async fn create_one(&self, document: &Document) -> Result<(), TargetError> {
        match document.kind.as_str() {
            "Image" => self.create_image(document).await,
            "Network" => self.create_network(document).await,
            "Volume" => self.create_volume(document).await,
            "Container" => self.create_container(document).await,
            other => Err(TargetError::new(Cause::Refused, format!("create `{}`", document.name))
                .hint(format!("Docker has no kind `{other}` ({}, line {}).", document.file, document.line))),
        }
    }

    async fn create_network(&self, document: &Document) -> Result<(), TargetError> {
        let what = format!("create the network {}", document.name);
        if let Some(there) = self.there("network", &format!("/networks/{}", document.name)).await? {
            self.may_replace(&there, &what)?;
            self.remove_network(&document.name).await?;
        }
        let mut body = self.with_labels(&document.body);
        body.insert("Name".into(), document.name.as_str().into());
        // Without this an engine before API 1.44 makes a second network of the same name.
        body.insert("CheckDuplicate".into(), true.into());
        // bollard's model has no such key any more.
        let made = self.engine.post("/networks/create", &Value::Object(body)).await;
        made.map(drop).map_err(|error| self.engine.trouble(what, error))
    }

    async fn create_volume(&self, document: &Document) -> Result<(), TargetError> {
        let what = format!("create the volume {}", document.name);
        if let Some(there) = self.there("volume", &format!("/volumes/{}", document.name)).await? {
            self.may_replace(&there, &what)?;
            self.remove_volume(&document.name).await?;
        }
        let mut body = self.with_labels(&document.body);
        body.insert("Name".into(), document.name.as_str().into());
        let mut body = Value::Object(body);
        // A volume has no id: by this one made anew is told from it.
        set(&mut body, &["Labels", VOLUME_MARK], nonce().into());
        let made = match whole::<VolumeCreateRequest>(&body) {
            Some(model) => self.engine.ask(self.engine.docker.create_volume(model)).await.map(drop),
            None => self.engine.post("/volumes/create", &body).await.map(drop),
        };
        made.map_err(|error| self.engine.trouble(what, error))
    }

    /// A container that was started. One that cannot start stays: that may be the very fault.
    async fn create_container(&self, document: &Document) -> Result<(), TargetError> {
        let plan = self.make_container(document).await?;
        self.connect_and_start(&document.name, &plan).await
    }

    /// A container that is there and was not started.
    pub(super) async fn create_unstarted(&self, document: &Document) -> Result<(), TargetError> {
        let plan = self.make_container(document).await?;
        self.connect(&document.name, &plan).await
    }

    async fn make_container(&self, document: &Document) -> Result<Plan, TargetError> {
        let name = &document.name;
        let what = format!("create the container {name}");
        self.refuse_binds(&document.body, &what)?;
        Marks::will_make(&self.place.folder, [name.as_str()].into_iter())?;
        let plan = Plan::new(document.body.clone()).labelled(&labels(&self.place, Role::Lab));
        // Hardly ever is a name taken, and the engine says so itself.
        match self.engine.create_container(name, &plan.body).await {
            Ok(_) => return Ok(plan),
            Err(error) if error.is(StatusCode::CONFLICT) => {
                let Some(there) = self.there("container", &format!("/containers/{name}/json")).await? else {
                    return Err(self.engine.trouble(what, error));
                };
                self.may_replace(&there, &what)?;
                self.remove_container(name, true).await?;
            }
            Err(error) => return Err(self.engine.trouble(what, error)),
        }
        let made = self.engine.create_container(name, &plan.body).await;
        made.map_err(|error| self.engine.trouble(what, error))?;
        Ok(plan)
    }

    /// Creates, connects, starts. A container that cannot start stays.
    pub(super) async fn run(&self, name: &str, plan: &Plan) -> Result<(), TargetError> {
        let what = format!("create the container {name}");
        self.engine.create_container(name, &plan.body).await.map_err(|error| self.engine.trouble(what, error))?;
        self.connect_and_start(name, plan).await
    }

    /// The second half, which a repair may have to do alone.
    pub(super) async fn connect_and_start(&self, name: &str, plan: &Plan) -> Result<(), TargetError> {
        self.connect(name, plan).await?;
        self.start(name).await
    }

    async fn connect(&self, name: &str, plan: &Plan) -> Result<(), TargetError> {
        for (network, settings) in &plan.networks {
            let body = json!({"Container": name, "EndpointConfig": settings});
            let network = &escaped(network);
            let connected = match whole::<NetworkConnectRequest>(&body) {
                Some(model) => self.engine.ask(self.engine.docker.connect_network(network, model)).await,
                None => self.engine.post(&format!("/networks/{network}/connect"), &body).await.map(drop),
            };
            match connected {
                Ok(()) => {}
                // On it already.
                Err(error) if error.is(StatusCode::FORBIDDEN) && error.words().contains("already exists") => {}
                Err(error) => {
                    return Err(self.engine.trouble(format!("connect {name} to the network {network}"), error));
                }
            }
        }
        Ok(())
    }

    /// Starts. Only a port in use and a full disk are errors: everything else that keeps a container from starting is the lab's matter.
    pub(super) async fn start(&self, name: &str) -> Result<(), TargetError> {
        let what = format!("start the container {name}");
        let engine = &self.engine;
        let started = engine.within(2 * engine.patience, engine.docker.start_container(&escaped(name), None)).await;
        match started {
            Ok(()) => Ok(()),
            Err(error @ EngineError::Answered { .. }) => match taken_port(error.words()) {
                Some(port) => Err(port_in_use(&what, &port).because(error)),
                None if error.words().contains("no space left on device") => Err(self.engine.trouble(what, error)),
                None if error.is_missing() && !error.words().contains("exec") && error.words().contains(name) => {
                    Err(self.engine.trouble(what, error))
                }
                None => Ok(()),
            },
            Err(error) => Err(self.engine.trouble(what, error)),
        }
    }

    async fn there(&self, kind: &str, path: &str) -> Result<Option<Value>, TargetError> {
        let found = self.engine.find(path).await;
        found.map_err(|error| self.engine.trouble(format!("look for a {kind} of that name"), error))
    }

    /// A thing may be replaced if it is this session's, or came under a name that was free before the session made anything.
    pub(super) fn may_replace(&self, there: &Value, what: &str) -> Result<(), TargetError> {
        let ours = match label(there, SESSION) {
            Some(session) => session == self.place.session,
            None => claims(&self.place, &Marks::read(&self.place.folder)?).is_new(there),
        };
        if ours {
            return Ok(());
        }
        let name = belongs::name(there).unwrap_or_default();
        Err(TargetError::new(Cause::Refused, what.to_owned())
            .hint(format!("`{name}` exists already and is not this session's. Remove or rename it.")))
    }

    pub(super) fn refuse_binds(&self, body: &Value, what: &str) -> Result<(), TargetError> {
        match foreign_binds(body, &self.place.folder).first() {
            None => Ok(()),
            Some(source) => Err(TargetError::new(Cause::Refused, what.to_owned()).hint(format!(
                "The lab wants to mount {source} of this machine. A lab may only mount what is in {}.",
                self.place.folder.display()
            ))),
        }
    }

    fn with_labels(&self, body: &Value) -> serde_json::Map<String, Value> {
        let mut body = body.as_object().cloned().unwrap_or_default();
        let mut all = body.get("Labels").and_then(Value::as_object).cloned().unwrap_or_default();
        all.extend(labels(&self.place, Role::Lab));
        body.insert("Labels".into(), Value::Object(all));
        body
    }
}

/// The address and port that the engine says is in use; an empty text where it does not say which.
pub(super) fn taken_port(words: &str) -> Option<String> {
    let taken = ["port is already allocated", "address already in use", "Ports are not available"];
    if !taken.iter().any(|text| words.contains(text)) {
        return None;
    }
    // `Bind for 127.0.0.1:18080 failed: …`, `listen tcp4 127.0.0.1:18080: bind: …`, `exposing port TCP 127.0.0.1:18080 -> …`
    let address = words.split_whitespace().map(|word| word.trim_end_matches([':', ','])).find(|word| {
        word.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && port.parse::<u16>().is_ok()
                && host.chars().all(|c| c.is_ascii_hexdigit() || ".:[]".contains(c))
        })
    });
    Some(address.unwrap_or_default().to_owned())
}

fn port_in_use(what: &str, address: &str) -> TargetError {
    let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
    let error = TargetError::new(Cause::Refused, what.to_owned());
    if port.is_empty() {
        return error.hint("A port that the lab publishes is in use. `docker ps` and `ss -ltnp` show by whom.");
    }
    error
        .hint(format!("Port {port} is in use on this machine. `docker ps` and `ss -ltnp 'sport = :{port}'` show by whom; stop it and try again."))
        .hint("A lab that names its ports by a parameter takes others with `--seed`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_told_from_other_reasons() {
        let said = "driver failed programming external connectivity on endpoint web (0a1b): Bind for 127.0.0.1:18080 failed: port is already allocated";
        assert_eq!(taken_port(said).as_deref(), Some("127.0.0.1:18080"));
        let said = "driver failed programming external connectivity on endpoint web (0a1b): Error starting userland proxy: listen tcp4 127.0.0.1:18080: bind: address already in use";
        assert_eq!(taken_port(said).as_deref(), Some("127.0.0.1:18080"));
        let said = "Ports are not available: exposing port TCP 0.0.0.0:80 -> 127.0.0.1:0: listen tcp 0.0.0.0:80: bind: address already in use";
        assert_eq!(taken_port(said).as_deref(), Some("0.0.0.0:80"));
        assert_eq!(taken_port("OCI runtime create failed: exec: \"/bin/sh\": stat /bin/sh: no such file"), None);
    }

    #[test]
    fn the_hint_names_the_port() {
        let error = port_in_use("start web", "127.0.0.1:18080");
        assert_eq!(error.cause, Cause::Refused);
        assert!(error.hints[0].contains("18080"), "{:?}", error.hints);
    }
}
