//! `docs/simulator.md`: what the simulator models and what it refuses, from the tables in its code. UPDATE_DOCS=1 writes it anew.

use std::{fmt::Write, fs, path::Path};

use breakfix_sim_kube::{controllers, kind, limits};

fn page() -> String {
    let mut page = String::from(
        "# What the simulator is, and is not\n\nWritten by a test from the simulator's own tables; `UPDATE_DOCS=1 cargo test -p breakfix-sim-kube \
         --test simulator_page` writes it anew.\n\nThe Kubernetes simulator answers as a Kubernetes 1.36 cluster made by kind does: the same words, \
         events and times, on a clock of its own. What it does\nnot model it refuses in the API's own words. Whoever finds a silent difference has \
         found a defect.\n\n## Kinds that are served\n\n| API | kind | subresources |\n| --- | --- | --- |\n",
    );
    for kind in kind::KINDS.iter().chain(kind::READINGS) {
        let parts = kind.subresources.join(", ");
        writeln!(page, "| {} | {} | {parts} |", kind.api_version(), kind.kind).unwrap();
    }
    page.push_str("\nBeside these, kinds that a CustomResourceDefinition defines, and questions that are answered and forgotten: ");
    let questions: Vec<&str> = kind::QUESTIONS.iter().map(|question| question.kind).collect();
    writeln!(page, "{}.", questions.join(", ")).unwrap();
    page.push_str("\n## Kinds that are not\n\n| API | kinds | why |\n| --- | --- | --- |\n");
    for (version, kinds, why) in limits::NOT_SERVED {
        writeln!(page, "| {version} | {kinds} | {why} |").unwrap();
    }
    page.push_str("\n## Controllers\n\n");
    let names: Vec<&str> = controllers::ALL.iter().map(|controller| controller.name).collect();
    for line in names.chunks(6) {
        writeln!(page, "{},", line.join(", ")).unwrap();
    }
    page.push_str("and the garbage collector. Beside them a scheduler, a kubelet on each node, kube-proxy, the cluster's DNS and network policies.\n");
    page.push_str("\n## What differs\n\n| what | how |\n| --- | --- |\n");
    for (what, how) in limits::DIFFERENT {
        writeln!(page, "| {what} | {how} |").unwrap();
    }
    page
}

#[test]
fn the_page_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulator.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/simulator.md is out of date: UPDATE_DOCS=1 cargo test -p breakfix-sim-kube --test simulator_page"
    );
}

/// A row that says "not served" of a kind that is would be the silent difference itself.
#[test]
fn what_is_called_absent_is_absent() {
    for (version, kinds, _) in limits::NOT_SERVED {
        for name in kinds.split(", ") {
            assert!(kind::by_kind(version, name).is_none(), "{version} {name} is served");
        }
    }
}
