//! A cloud on ports of this machine, and the aws CLI pointed at it.
#![allow(dead_code, reason = "each file of tests uses a part of it, and none the same")]

use std::{
    collections::BTreeSet,
    process::{Command, Output},
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::Duration,
};

use breakfix_sim::pace::Pace;
use breakfix_sim_aws::{
    Call, Caller, Cloud, Config,
    serve::{Host, server::Server, service::Service},
    services::iam::principals::Credentials,
};
use jiff::Timestamp;
use serde_json::Value;

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-central-1";
const LEARNER: (&str, &str) = ("AKIALEARNER", "secret-of-the-learner");

/// A cloud that is served by a thread of this process.
pub struct Endpoint {
    pub host: Arc<Host>,
    pub service: Arc<Service>,
    pub port: u16,
    pub balancer_port: u16,
    home: tempfile::TempDir,
}

pub fn config() -> Config {
    let key =
        |(id, secret): (&str, &str)| Credentials { access_key_id: id.to_owned(), secret_access_key: secret.to_owned() };
    Config {
        seed: 1,
        date: Timestamp::now(),
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        images: BTreeSet::from(["registry.example/shop:1.4".to_owned()]),
        learner: key(LEARNER),
        operator: key(("AKIAOPERATOR", "secret-of-the-operator")),
    }
}

/// Whether this machine has the aws CLI; says so where it has not.
pub fn has_aws() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found =
        *FOUND.get_or_init(|| Command::new("aws").arg("--version").output().is_ok_and(|it| it.status.success()));
    if !found {
        println!("skipped: no aws");
    }
    found
}

impl Endpoint {
    /// A cloud whose time moves by hand.
    pub fn start() -> Self {
        let host = Host::new(Arc::new(Mutex::new(Cloud::empty(config()))), Pace::ByHand, None, Timestamp::now);
        let host = Arc::new(host);
        let service = Service::new(Arc::clone(&host), 1);
        let (send, receive) = std::sync::mpsc::channel();
        let served = Arc::clone(&service);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::listen(served, 0, 0).await.unwrap();
                send.send(server.ports()).unwrap();
                server.run().await;
            });
        });
        let (port, balancer_port) = receive.recv_timeout(Duration::from_secs(10)).unwrap();
        Self { host, service, port, balancer_port, home: tempfile::tempdir().unwrap() }
    }

    /// A call as the operator, without the wire.
    pub fn call(&self, service: &str, operation: &str, input: Value) -> Value {
        let caller = Caller { arn: format!("arn:aws:iam::{ACCOUNT}:root") };
        let call = Call { service: service.to_owned(), operation: operation.to_owned(), input, caller };
        self.host.act(call).unwrap().unwrap_or_else(|error| panic!("{service} {operation}: {error}"))
    }

    /// The aws CLI as the learner has it, in an environment of its own.
    pub fn command(&self) -> Command {
        let mut command = Command::new("aws");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port))
            // The CLI's version 1 knows the one name only, the SDKs the other.
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", LEARNER.0)
            .env("AWS_SECRET_ACCESS_KEY", LEARNER.1)
            .env("AWS_PAGER", "")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for variable in ["PYENV_ROOT", "PYENV_VERSION"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
    }

    pub fn run(&self, line: &str) -> Output {
        self.command().args(line.split_whitespace()).output().unwrap()
    }

    /// Runs a command whose words have no blanks; what it printed.
    pub fn aws(&self, line: &str) -> String {
        let output = self.run(line);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "aws {line}\n{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The same as JSON; `null` for nothing.
    pub fn json(&self, line: &str) -> Value {
        let text = self.aws(&format!("{line} --output json"));
        if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// What a command that is refused says.
    pub fn refused(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(!output.status.success(), "aws {line} was not refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.service.stop.send_replace(true);
    }
}
