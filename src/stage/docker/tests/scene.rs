//! A session on the engine of this machine, with a shop of two containers; gone when the test is over, also when it failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Mutex,
    time::Duration,
};

use breakfix_grade::{Exchange, Fetched, Outcome, Query};
use breakfix_lab::{
    Document,
    check::{Caller, Request},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    docker::{
        DockerTarget,
        endpoint::{Endpoint, Surroundings},
        engine::{Engine, PATIENCE},
    },
    journal::Undo,
    target::{Cause, Place, Target},
};

/// One test's session. Names carry the test's own, as names on an engine are everybody's.
pub(super) struct Scene {
    pub(super) target: DockerTarget,
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) home: tempfile::TempDir,
}

/// What a change told about its own interruption.
#[derive(Default)]
pub(super) struct Noted(pub(super) Mutex<Vec<Option<Value>>>);

impl Undo for Noted {
    fn note(&self, note: Value) -> io::Result<()> {
        self.0.lock().unwrap().push(Some(note));
        Ok(())
    }

    fn settled(&self) -> io::Result<()> {
        self.0.lock().unwrap().push(None);
        Ok(())
    }
}

impl Scene {
    /// `None` where there is no engine, which is said.
    pub(super) async fn open(name: &'static str) -> Option<Self> {
        let target = connect(name, tempfile::tempdir().unwrap()).await?;
        target.target.clear().await.unwrap();
        Some(target)
    }

    /// The same session as a later command has it.
    pub(super) async fn again(&self) -> DockerTarget {
        DockerTarget::new(engine().await.unwrap(), self.target.place.clone())
    }

    pub(super) fn called(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    pub(super) async fn inspect(&self, name: &str) -> Option<Value> {
        self.target.engine.find(&format!("/containers/{}/json", self.called(name))).await.unwrap()
    }

    /// The docker program, as a learner has it.
    pub(super) async fn docker(&self, arguments: &[&str]) -> String {
        let output = tokio::process::Command::new("docker").args(arguments).output().await.unwrap();
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(super) async fn fetch(&self, query: Query) -> Result<Fetched, breakfix_grade::Failure> {
        let mut observation = self.target.observe(&BTreeSet::from([query.clone()]), self.target.place.opened).await;
        observation.answers.remove(&query).unwrap()
    }

    pub(super) async fn names(&self, kind: &str) -> Vec<String> {
        let query = Query::Objects { kind: kind.to_owned(), namespace: None };
        let Fetched::Objects(objects) = self.fetch(query).await.unwrap() else { panic!("not objects") };
        let names = objects.iter().map(|it| it["Name"].as_str().unwrap_or_default().trim_start_matches('/').to_owned());
        // Tests run at the same time, and every new container of the engine is looked at.
        names.filter(|name| name.starts_with(self.name)).collect()
    }

    pub(super) async fn get(&self, from: Caller, url: &str) -> Vec<Exchange> {
        self.requests(from, json!({"url": url}), 1).await.unwrap()
    }

    pub(super) async fn requests(
        &self,
        from: Caller,
        request: Value,
        times: u32,
    ) -> Result<Vec<Exchange>, breakfix_grade::Failure> {
        let request: Request = serde_json::from_value(request).unwrap();
        let query = Query::Requests { from, request, times, timeout: Duration::from_secs(3), control: None };
        match self.fetch(query).await? {
            Fetched::Exchanges(exchanges) => Ok(exchanges),
            other => panic!("{other:?}"),
        }
    }

    /// The page through the published port, as soon as it answers.
    pub(super) async fn page(&self) -> String {
        let url = format!("http://127.0.0.1:{}/", self.port);
        for _ in 0..50 {
            if let Outcome::Answered { status: 200, body, .. } = &self.get(Caller::default(), &url).await[0].outcome {
                return body.clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no page at {url}")
    }

    /// Of everything on the engine what has the scene's name: tests run at the same time.
    pub(super) async fn residue(&self) -> Vec<String> {
        let all = self.target.inventory().await.unwrap();
        all.into_iter().filter(|line| line.contains(self.name) && !line.starts_with("image <none>")).collect()
    }

    pub(super) async fn over(self) {
        self.target.clear().await.unwrap();
    }
}

impl Drop for Scene {
    /// A failed test leaves nothing on the engine either. The program is used: there is no runtime to wait in here.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let label = format!("label=breakfix.dev/session={}", self.target.place.session);
            let script = format!(
                "docker ps -aq --filter {label} | xargs -r docker rm -fv; docker network ls -q --filter {label} | xargs -r docker network rm; \
                 docker volume ls -q --filter {label} | xargs -r docker volume rm"
            );
            drop(std::process::Command::new("sh").args(["-c", &script]).output());
        }
    }
}

async fn engine() -> Result<Engine, crate::TargetError> {
    let variable = |name: &str| std::env::var(name).ok();
    Engine::open(Endpoint::find(None, &Surroundings::new(&variable))?, PATIENCE).await
}

async fn connect(name: &'static str, home: tempfile::TempDir) -> Option<Scene> {
    let engine = match engine().await {
        Ok(engine) => engine,
        Err(error) => {
            assert!(matches!(error.cause, Cause::Unreachable | Cause::Missing), "{}", error.chain());
            let required = std::env::var("BREAKFIX_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|it| it == "docker"), "no Docker engine: {}", error.chain());
            eprintln!("skipped: no Docker engine ({})", error.chain());
            return None;
        }
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let documents = documents(name, port);
    let extra = vec![document(
        "Container",
        &format!("{name}-extra"),
        json!({
            "Image": image(name), "HostConfig": {"NetworkMode": format!("{name}-net")},
        }),
    )];
    let place = Place {
        platform: breakfix_lab::Platform::Docker,
        session: format!("{name}-test"),
        lab: name.to_owned(),
        folder: home.path().join("sessions").join(format!("{name}-test")),
        namespace: String::new(),
        files: BTreeMap::from([("controls/extra.yaml".to_owned(), extra)]),
        texts: BTreeMap::new(),
        images: vec![image(name)],
        documents,
        zones: Vec::new(),
        contexts: Vec::new(),
        requires: Vec::new(),
        opened: Timestamp::now(),
    };
    Some(Scene { target: DockerTarget::new(engine, place), name, port, home })
}

/// A reference of the test's own: tests run at the same time, and the last one would remove it from the others.
pub(super) fn image(name: &str) -> String {
    format!("registry.example/{name}/web:1.4")
}

pub(super) fn document(kind: &str, name: &str, body: Value) -> Document {
    Document {
        api_version: None,
        kind: kind.into(),
        name: name.into(),
        namespace: None,
        body,
        file: "system/shop.yaml".into(),
        line: 1,
    }
}

fn documents(name: &str, port: u16) -> Vec<Document> {
    let net = format!("{name}-net");
    vec![
        document("Network", &net, json!({"Driver": "bridge"})),
        document("Volume", &format!("{name}-data"), json!({})),
        document(
            "Container",
            &format!("{name}-db"),
            json!({
                "Image": image(name),
                "Cmd": ["store"],
                "HostConfig": {"NetworkMode": net, "Binds": [format!("{name}-data:/data")]},
            }),
        ),
        document(
            "Container",
            &format!("{name}-web"),
            json!({
                "Image": image(name),
                "Env": [format!("ORDERS=http://{name}-db:8080/records"), "TITLE=corner"],
                "ExposedPorts": {"8080/tcp": {}},
                "HostConfig": {"PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]}},
                "NetworkingConfig": {"EndpointsConfig": {net.as_str(): {"Aliases": ["page"]}, "bridge": {}}},
            }),
        ),
    ]
}

/// From a network of the scene's.
pub(super) fn on(network: &str) -> Caller {
    Caller { network: Some(network.to_owned()), ..Caller::default() }
}
