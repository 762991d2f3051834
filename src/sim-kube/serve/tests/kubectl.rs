//! The server through the real `kubectl`, over TLS.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use breakfix_sim::pace::Pace;
use jiff::Timestamp;

use super::*;
use crate::serve::{keys::Keys, kubeconfig::kubeconfig, server::Server, service::Service};

/// A served cluster and a kubeconfig for it. The server's thread ends with the test's process.
pub struct Served {
    folder: tempfile::TempDir,
}

impl Served {
    /// `None`, with a word, where there is no kubectl.
    pub fn new(cluster: Cluster) -> Option<Self> {
        if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
            println!("skipped: no kubectl");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::generate(jiff::civil::date(2026, 11, 21)).unwrap();
        let (send, ports) = std::sync::mpsc::channel();
        let thread_keys = keys.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let pace = Pace::Wall { speed: 1.0 };
                let host = Arc::new(Host::new(shared(cluster), pace, None, Timestamp::now));
                let server = Server::listen(Service::new(Arc::clone(&host)), &thread_keys, 0).await.unwrap();
                send.send(server.port()).unwrap();
                tokio::join!(server.run(), host.keep_time());
            });
        });
        let port = ports.recv().unwrap();
        fs::write(folder.path().join("config"), kubeconfig(&keys, port, "shop")).unwrap();
        Some(Self { folder })
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", self.folder.path().join("config")).env("HOME", self.folder.path());
        command
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs kubectl, which must succeed, and gives what it prints.
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn file(&self, name: &str, object: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, object.to_string()).unwrap();
        path
    }
}

#[test]
fn kubectl_talks_to_it_like_to_any_cluster() {
    let Some(served) = Served::new(cluster()) else { return };
    assert!(served.prints(&["version"]).contains("breakfix"), "it says what it is");
    assert!(served.prints(&["api-resources"]).contains("deployments"));
    assert!(served.prints(&["create", "namespace", "shop"]).contains("namespace/shop created"));
    let file = served.file("map.json", &config_map("settings", "1"));
    let file = file.to_str().unwrap();
    assert_eq!(served.prints(&["apply", "-f", file]), "configmap/settings created\n");
    assert_eq!(served.prints(&["apply", "-f", file]), "configmap/settings unchanged\n");
    assert!(served.prints(&["get", "configmaps"]).contains("settings"));
    let missing = served.kubectl(&["get", "configmap", "nothing"]);
    assert_eq!(
        String::from_utf8_lossy(&missing.stderr),
        "Error from server (NotFound): configmaps \"nothing\" not found\n"
    );
}

#[test]
fn a_watch_goes_on_until_what_it_waits_for() {
    let Some(served) = Served::new(cluster()) else { return };
    served.prints(&["create", "namespace", "shop"]);
    let file = served.file("map.json", &config_map("settings", "1"));
    served.prints(&["create", "-f", file.to_str().unwrap()]);
    let waiting =
        served.command().args(["wait", "--for=delete", "configmap/settings", "--timeout=20s"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    served.prints(&["delete", "configmap", "settings", "--wait=false"]);
    assert!(waiting.wait_with_output().unwrap().status.success());
}

#[test]
fn nobody_without_the_right_certificate_gives_orders() {
    let Some(served) = Served::new(cluster()) else { return };
    assert!(served.prints(&["get", "--raw", "/breakfix/info"]).contains("\"simulator\":true"));
    let text = fs::read_to_string(served.folder.path().join("config")).unwrap();
    let without: String =
        text.lines().filter(|line| !line.contains("client-")).map(|line| format!("{line}\n")).collect();
    fs::write(served.folder.path().join("config"), without + "    token: nonsense\n").unwrap();
    let refused = served.kubectl(&["get", "--raw", "/breakfix/info"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Unauthorized"), "{refused:?}");
}
