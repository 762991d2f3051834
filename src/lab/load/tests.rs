//! Loading: a whole folder, its parameters, and everything that is wrong said at once.

use std::{borrow::Cow, path::Path, sync::Arc};

use super::*;
use crate::{Change, check::Check, embedded, values::Chosen};

fn valid(path: &str) -> LabSource {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lint/valid").join(path);
    LabSource::from_folder(&folder, Arc::new(embedded::houses())).unwrap()
}

fn lab(files: &[(&str, &str)]) -> Loading {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), Cow::Owned(text.as_bytes().to_vec()))).collect();
    LabSource::from_files("labs/docker/x", files, Arc::default()).examine(None)
}

#[test]
fn loads_a_kubernetes_lab() {
    let lab = valid("kubernetes/shop-answers-nobody").load().unwrap();
    assert_eq!(lab.namespace(), Some("shop"));
    let kinds: Vec<_> = lab.documents.iter().map(|document| document.kind.as_str()).collect();
    assert_eq!(kinds, ["Namespace", "Deployment", "Deployment", "Service"]);
    assert_eq!(lab.applied("controls/impostor.yaml").unwrap()[0].name, "impostor");
    assert!(lab.story_and_debrief().contains("release 1.4"));
    let names: Vec<_> = lab.safeguards().iter().map(|safeguard| safeguard.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "same-objects",
            "same-doors",
            "same-surroundings",
            "same-program",
            "no-new-power",
            "nothing-hidden",
            "rails-stay",
            "admin-stays-inside"
        ]
    );
}

impl LoadedLab {
    fn story_and_debrief(&self) -> String {
        format!("{}{}", self.lab.story, self.debrief)
    }
}

#[test]
fn fills_a_sessions_values_in() {
    let source = valid("kubernetes/shop-answers-nobody");
    let values = Values(BTreeMap::from([
        ("version".to_owned(), Chosen::Text("2.0".to_owned())),
        ("replicas".to_owned(), Chosen::Number(5)),
    ]));
    let lab = source.load_with(&values).unwrap();
    assert_eq!(lab.documents[1].body["spec"]["replicas"], 5);
    assert_eq!(lab.lab.images[0], "registry.example/shop/web:2.0");
    let Check::All(parts) = &lab.lab.objectives[2].check else { panic!() };
    assert!(matches!(&parts[0], Check::Endpoints(endpoints) if endpoints.ready == Some(5)));
    assert!(lab.debrief.contains("release 2.0"));
}

#[test]
fn chooses_values_by_seed() {
    let source = valid("docker/page-not-there");
    let values = source.values(None, &mut |from| Some(from + 1)).unwrap();
    let lab = source.load_with(&values).unwrap();
    let ports = &lab.documents[1].body["HostConfig"]["PortBindings"];
    assert_eq!(ports["8080/tcp"][0]["HostPort"], "18081");
    assert!(lab.lab.story.contains("127.0.0.1:18081"));
    let Change::Recreate(recreate) = &lab.lab.fault[0] else { panic!() };
    assert_eq!(recreate.merge.as_ref().unwrap()["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"], "18081");
}

#[test]
fn says_what_is_wrong_in_every_file() {
    let loading = lab(&[
        ("lab.yaml", "kind: Labb\nplatform: docker\nstory: ${x}\nparameters: {Up: {token: 3}, nonce: {token: 3}}\n"),
        (
            "system/a.yaml",
            "kind: Pod\nname: a\n---\nkind: Network\nname: ${y}\n---\nkind: Network\nname: n\n---\nkind: Network\nname: n\n",
        ),
        ("controls/b.yaml", "a: 1\na: 2\n"),
    ]);
    assert!(loading.lab.is_none());
    let said: Vec<String> = loading.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn says_when_there_is_no_lab() {
    let said = |files: &[(&str, &str)]| lab(files).problems[0].to_string();
    assert_eq!(
        said(&[("debrief.md", "")]),
        "labs/docker/x/lab.yaml: there is no lab.yaml; a lab is a folder with lab.yaml, system/ and debrief.md"
    );
    assert_eq!(said(&[("lab.yaml", "# nothing\n")]), "labs/docker/x/lab.yaml: lab.yaml is empty");
    let two = lab(&[("lab.yaml", "a: 1\n---\nb: 2\n")]);
    assert_eq!(two.problems.len(), 1);
    assert!(two.problems[0].line == 3 && two.problems[0].message.contains("second document"));
}

/// A lab whose system is a Compose file alone, with a parameter in it.
fn composed(compose: &str) -> Loading {
    let lab = "apiVersion: breakfix.dev/v1\nkind: Lab\nmetadata: {name: x, title: X, difficulty: easy, minutes: 5, topics: [compose]}\nplatform: docker\nparameters: {port: {free_port: 21000}}\nstory: S\nfault: [{up: {}}]\nobjectives:\n  - {name: a, title: A, points: 100, check: {field: {kind: Container, name: web, cel: 'true', wanted: w}}}\ncontrols: {reference: [{up: {}}]}\n";
    super::tests::lab(&[
        ("lab.yaml", lab),
        ("debrief.md", "# D\n"),
        ("work/compose.yaml", compose),
        ("work/.env", "COMPOSE_PROJECT_NAME=shop\n"),
    ])
}

#[test]
fn a_compose_file_is_the_system() {
    let lab =
        composed("services:\n  web: {image: web, container_name: web, ports: ['127.0.0.1:${port}:80']}\n").lab.unwrap();
    let names: Vec<_> = lab.documents.iter().map(|it| format!("{} {} {}", it.kind, it.name, it.file)).collect();
    assert_eq!(names, ["Network shop_default work/compose.yaml", "Container web work/compose.yaml"]);
    let port = &lab.documents[1].body["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"];
    assert_eq!(port, "21000");
    assert_eq!(lab.documents[1].line, 2);
}

#[test]
fn what_is_wrong_in_a_compose_file_is_wrong_with_the_lab() {
    let said: Vec<String> =
        composed("services:\n  web: {image: web, build: .}\n").problems.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|it| it.contains("work/compose.yaml:2") && it.contains("`build`")), "{said:#?}");
}
