//! The kind target against a `kind` program of a few lines, which writes down how it is called.

use std::{fs, process::Command};

use super::*;
use crate::kubernetes::belongings::tests::place;

/// A machine with a `kind` program.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// `clusters`: what `kind get clusters` prints at first.
    fn with(clusters: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(machine.path("clusters"), clusters).unwrap();
        // Nobody listens there: whoever asks the cluster is told at once.
        let kubeconfig = "
apiVersion: v1
kind: Config
clusters: [{name: kind-breakfix, cluster: {server: 'http://127.0.0.1:9'}}]
contexts: [{name: kind-breakfix, context: {cluster: kind-breakfix, user: kind-breakfix}}]
users: [{name: kind-breakfix, user: {}}]
";
        fs::write(machine.path("kubeconfig"), kubeconfig).unwrap();
        machine.script(
            "case \"$1 $2\" in
version*) echo 'kind v0.29.0 go1.24.2 linux/amd64' ;;
'get clusters') cat clusters ;;
'get kubeconfig') cat kubeconfig ;;
'create cluster') echo breakfix >> clusters ;;
'delete cluster') : > clusters ;;
esac",
        );
        machine
    }

    fn script(&self, body: &str) {
        let folder = self.folder.path().display();
        let text = format!("#!/bin/sh\ncd '{folder}'\necho \"$*\" >> calls\n{body}\n");
        // Written by another process: a test beside this one that forks just now would hold the file open for writing, and
        // nobody could run it then.
        let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
        let path = self.path("kind").display().to_string();
        assert!(Command::new("sh").args(["-c", write, "sh", &path, &text]).status().unwrap().success());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn home(&self) -> PathBuf {
        self.path("home")
    }

    fn host(&self) -> KindHost {
        let host = KindHost::new(place(Vec::new()), self.home(), Some("kindest/node:v1.36.1".to_owned()), None);
        KindHost { program: self.path("kind"), ..host }
    }

    /// The verbs that were called, without those that only ask.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let verbs = text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
        verbs.filter(|verb| !verb.starts_with("get") && !verb.starts_with("version")).collect()
    }
}

#[test]
fn only_the_very_mark_makes_a_cluster_ours() {
    assert!(is_marked(Some(&json!({"data": {"id": "x1"}})), "x1"));
    assert!(!is_marked(Some(&json!({"data": {"id": "x2"}})), "x1"));
    assert!(!is_marked(Some(&json!({})), "x1"));
    assert!(!is_marked(None, "x1"));
}

#[test]
fn two_do_not_make_the_cluster_at_once() {
    let home = tempfile::tempdir().unwrap();
    let guard = lock(home.path()).unwrap();
    assert_eq!(lock(home.path()).map(drop).unwrap_err().cause, Cause::Refused);
    drop(guard);
    assert!(lock(home.path()).is_ok());
}

#[tokio::test]
async fn without_the_program_the_learner_is_told_how_to_get_it() {
    let machine = Machine::with("");
    let host = KindHost { program: machine.path("nowhere"), ..machine.host() };
    let error = host.kubeconfig().await.unwrap_err();
    assert_eq!(error.cause, Cause::Missing);
    assert!(error.hints[0].contains("Install kind"), "{:?}", error.hints);
    machine.script("echo 'kind v0.11.1 go1.16 linux/amd64'");
    let error = machine.host().kubeconfig().await.unwrap_err();
    assert!(error.cause == Cause::Missing && error.what.contains("kind 0.11"), "{}", error.what);
    machine.script("echo 'ERROR: failed to list nodes: Cannot connect to the Docker daemon' >&2; exit 1");
    assert_eq!(machine.host().kubeconfig().await.unwrap_err().cause, Cause::Unreachable);
}

#[tokio::test]
async fn a_cluster_of_our_name_that_we_did_not_make_is_left_alone() {
    let machine = Machine::with("breakfix\n");
    let error = machine.host().kubeconfig().await.unwrap_err();
    assert_eq!(error.cause, Cause::Refused);
    assert!(error.hints[0].contains("context:kind-breakfix"), "{:?}", error.hints);
    delete_with(&machine.path("kind"), &machine.home()).await.unwrap();
    assert_eq!(machine.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_cut_short_before_its_mark_is_made_anew() {
    let machine = Machine::with("other\n");
    // The cluster is made; the mark cannot be written.
    assert_eq!(machine.host().kubeconfig().await.unwrap_err().cause, Cause::Unreachable);
    assert!(!ownership(&machine.home()).unwrap().unwrap().made);
    assert_eq!(machine.calls(), ["create cluster"]);
    let log = fs::read_to_string(machine.path("calls")).unwrap();
    assert!(log.contains("--name breakfix --config") && log.contains("--image kindest/node:v1.36.1"), "{log}");
    machine.host().kubeconfig().await.unwrap_err();
    assert_eq!(machine.calls(), ["create cluster", "delete cluster", "create cluster"]);
}

#[tokio::test]
async fn a_session_goes_on_without_the_program_and_knows_when_its_cluster_is_gone() {
    let machine = Machine::with("breakfix\n");
    let place = crate::Place { folder: machine.path("session"), ..place(Vec::new()) };
    let host = KindHost { place, ..machine.host() };
    let all = kubeconfig::parse(&fs::read_to_string(machine.path("kubeconfig")).unwrap(), "test").unwrap();
    let own = kubeconfig::only(&all, "kind-breakfix", "shop").unwrap();
    kubeconfig::write(&kubeconfig::path(&host.place.folder), &own).unwrap();
    host.connect().await.unwrap();
    assert!(fs::read_to_string(machine.path("calls")).is_err(), "nothing to ask the program");
    assert!(!host.is_gone().await);
    fs::write(machine.path("clusters"), "other\n").unwrap();
    assert!(host.is_gone().await);
}

#[tokio::test]
async fn deleting_forgets_the_cluster_and_may_be_repeated() {
    let machine = Machine::with("breakfix\n");
    write_ownership(&machine.home(), &Ownership { id: "x".to_owned(), made: true }).unwrap();
    let program = machine.path("kind");
    delete_with(&program, &machine.home()).await.unwrap();
    delete_with(&program, &machine.home()).await.unwrap();
    assert_eq!(machine.calls(), ["delete cluster"], "one that cannot be asked is told by the disk");
    assert_eq!(ownership(&machine.home()).unwrap(), None);
}

#[tokio::test]
async fn a_cluster_that_was_never_finished_goes_with_its_session_and_a_whole_one_stays() {
    let machine = Machine::with("breakfix\n");
    let (program, home) = (machine.path("kind"), machine.home());
    delete_unfinished_with(&program, &home).await.unwrap();
    write_ownership(&home, &Ownership { id: "x".to_owned(), made: true }).unwrap();
    delete_unfinished_with(&program, &home).await.unwrap();
    assert_eq!(machine.calls(), Vec::<String>::new());

    write_ownership(&home, &Ownership { id: "x".to_owned(), made: false }).unwrap();
    let making = lock(&home).unwrap();
    delete_unfinished_with(&program, &home).await.unwrap();
    assert_eq!(machine.calls(), Vec::<String>::new(), "another breakfix is making it");
    drop(making);
    delete_unfinished_with(&machine.path("nowhere"), &home).await.unwrap();
    assert!(ownership(&home).unwrap().is_some(), "what could not be looked for is not forgotten");
    delete_unfinished_with(&program, &home).await.unwrap();
    assert_eq!(machine.calls(), ["delete cluster"]);
    assert_eq!(ownership(&home).unwrap(), None);
}

#[tokio::test]
async fn what_a_killed_start_goes_on_making_is_removed_until_it_ends() {
    let machine = Machine::with("");
    let (program, home) = (machine.path("kind"), machine.home());
    write_ownership(&home, &Ownership { id: "x".to_owned(), made: false }).unwrap();
    // A `kind create` that nobody listens to any more: its nodes are there a little later only.
    let held = unfinished::maker(&home).unwrap().share().unwrap();
    let mut orphan = Command::new("sh")
        .args(["-c", "sleep 1.5; echo breakfix > \"$1\"", "sh", &machine.path("clusters").display().to_string()])
        .stdin(held)
        .spawn()
        .unwrap();
    delete_with(&program, &home).await.unwrap();
    assert!(orphan.try_wait().unwrap().is_some(), "it is waited for");
    assert_eq!(machine.calls(), ["delete cluster"]);
    assert_eq!(ownership(&home).unwrap(), None);
}

#[tokio::test]
async fn a_failing_program_is_quoted() {
    let machine = Machine::with("");
    machine.script(
        "case $1 in version) echo kind v0.29.0;; get) ;; *) echo 'ERROR: failed to pull image' >&2; exit 1;; esac",
    );
    let error = machine.host().kubeconfig().await.unwrap_err();
    assert_eq!(error.cause, Cause::Answered);
    assert!(error.what.contains("failed to pull image") && error.hints[0].contains("--kind-image"), "{}", error.what);
}
