//! ECS labs at a service of somebody else's that speaks AWS's API: what it cannot show is unsupported there, and nothing stays behind.

mod learner;

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use learner::Learner;
use serde_json::Value;

const LAB: &str = "targets-never-healthy";

/// moto's server, which takes every request and runs nothing (docs.getmoto.org, "Server mode").
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    /// None where it is not installed.
    fn start(port: u16) -> Option<Self> {
        let quiet = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        let process = quiet(Command::new("moto_server").args(["-p", &port.to_string()]))?;
        let moto = Self { process, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(90), "moto's server does not get to listen");
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(moto)
    }

    /// Everything of a few kinds that it holds.
    fn holds(&self, learner: &Learner) -> String {
        let ask = |arguments: &[&str]| {
            let mut command = learner.command("aws");
            command.args(["--endpoint-url", &self.url, "--region", "eu-central-1", "--output", "json"]).args(arguments);
            command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
            String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
        };
        // moto goes on listing a cluster that was deleted, as INACTIVE.
        let clusters = ask(&["ecs", "list-clusters", "--query", "clusterArns", "--output", "text"]);
        let active = |arn: &str| {
            let described = ask(&["ecs", "describe-clusters", "--clusters", arn, "--query", "clusters[].status"]);
            described.contains("\"ACTIVE\"").then(|| arn.to_owned())
        };
        [
            clusters.split_whitespace().filter_map(active).collect(),
            ask(&["ecs", "list-task-definitions"]),
            ask(&["iam", "list-roles", "--query", "Roles[].RoleName"]),
            ask(&["ec2", "describe-vpcs", "--query", "Vpcs[].VpcId"]),
            ask(&["elbv2", "describe-target-groups", "--query", "TargetGroups[].TargetGroupName"]),
        ]
        .concat()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_lab_that_an_emulator_cannot_show_is_unsupported_there() {
    let Some(moto) = Moto::start(5873) else {
        println!("skipped: no moto_server");
        return;
    };
    let learner = Learner::new();
    let before = moto.holds(&learner);
    let target = format!("endpoint:{}", moto.url);
    let said = learner.run(&["start", LAB, "--target", &target, "--yes"]).code(2);
    assert!(said.err.contains("is unsupported here") && said.err.contains("running-tasks"), "{}", said.err);
    assert_eq!(learner.sessions().len(), 0);
    assert_eq!(moto.holds(&learner), before);

    let said = learner.run(&["sweep", "--target", &target]).code(0);
    assert!(said.err.contains("Nothing of breakfix's has expired"), "{}", said.err);
}

#[test]
fn names_that_others_have_are_refused_and_theirs_stay() {
    let host = Learner::new();
    let started = host.run(&["start", LAB, "--json"]).code(0).json();
    let env = |name: &str| started["env"][name].as_str().unwrap_or_default().to_owned();
    let url = env("AWS_ENDPOINT_URL");
    let mut guest = Learner::new();
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
        guest = guest.with(name, &env(name));
    }
    let said = guest.run(&["start", LAB, "--target", &format!("endpoint:{url}"), "--yes"]).code(2);
    assert!(said.err.contains("cannot open") && said.err.contains("Cluster shop"), "{}", said.err);
    assert_eq!(guest.sessions().len(), 0);
    let clusters = host.tool(&["aws", "ecs", "list-clusters", "--output", "json"]);
    if clusters.code == 0 {
        let clusters: Value = clusters.json();
        assert_eq!(clusters["clusterArns"].as_array().map(Vec::len), Some(1), "{clusters}");
    }
    // Without the credentials that its own configuration names for this address nobody is let in.
    let stranger = Learner::new();
    let said = stranger.run(&["start", LAB, "--target", &format!("endpoint:{url}"), "--yes"]).code(3);
    assert!(said.err.contains("get-caller-identity"), "{}", said.err);
}
