//! The words on what a real Kubernetes 1.36 answered, where its recorded answers lie beside the repository (`../shared/golden`).
//!
//! Without them these tests say so and pass: the fixtures beside each word stand for themselves.

use std::path::Path;

use serde_json::{Value, json};

use crate::{Baseline, Fetched, Judge, Observation, Query, View, query::Scope};

/// The recorded objects of a scenario and, as its time, that of its last event.
fn recorded(scenario: &str) -> Option<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden").join(scenario);
    let text = std::fs::read_to_string(folder.join("objects.json")).ok()?;
    let mut list: Value = serde_json::from_str(&text).unwrap();
    Some(serde_json::from_value(list["items"].take()).unwrap())
}

fn word(scenario: &str, objects: &[Value], check: Value) -> String {
    let check: breakfix_lab::Check = serde_json::from_value(check).unwrap();
    let scope = Scope { namespace: scenario.to_owned() };
    let platform = breakfix_lab::Platform::Kubernetes;
    let answer = |query: Query| {
        let Query::Objects { kind, .. } = &query else { panic!("{query}") };
        let found = objects.iter().filter(|it| it["kind"] == *kind).cloned().collect();
        (query, Ok(Fetched::Objects(found)))
    };
    let last = objects.iter().filter_map(|it| it["lastTimestamp"].as_str()).max().unwrap();
    let observation = Observation {
        at: last.parse().unwrap(),
        answers: check.queries(platform, &scope).into_iter().map(answer).collect(),
    };
    let mut baseline = Baseline::empty(observation.at);
    for object in objects {
        baseline.objects.entry(object["kind"].as_str().unwrap().to_owned()).or_default().push(object.clone());
    }
    let moved = crate::Moved::default();
    let (scope, observation, baseline) = (&scope, &observation, &baseline);
    let verdict = check.judge(&View { platform, scope, observation, baseline, triggered: None, moved });
    format!("{}: {}", verdict.word(), verdict.reason().unwrap_or(""))
}

#[test]
fn real_objects_get_the_verdicts_that_their_scenario_deserves() {
    let rolled_out = |kind: &str, name: &str| json!({"rolled_out": {"kind": kind, "name": name, "quiet": "5s"}});
    let owned = |name: &str| json!({"endpoints": {"service": name, "owned_by": {"kind": "Deployment", "name": name}}});
    let service = |name: &str| json!({"endpoints": {"service": name, "at_least": 1}});
    let untouched = json!({"all": [
        {"identity": {"kinds": ["Deployment", "Service"]}},
        {"unchanged": {"kinds": ["Deployment", "Service"], "fields": ["spec", "metadata.labels"]}},
        {"scale_kept": {"kinds": ["Deployment"]}},
        {"no_new_power": {}},
    ]});
    let mut looked_at = 0;
    for (scenario, check, wanted) in [
        ("healthy-deployment", rolled_out("Deployment", "web"), "met: "),
        ("healthy-deployment", owned("web"), "met: "),
        ("healthy-deployment", untouched, "met: "),
        ("crash-loop", rolled_out("Deployment", "app"), "not_met: Deployment app has 0 of 1 ready"),
        ("wrong-image-tag", rolled_out("Deployment", "web"), "not_met: Deployment web has 0 of 1 ready"),
        ("readiness-failing", service("web"), "not_met: Service web has no ready endpoint"),
        ("rollout-stuck", rolled_out("Deployment", "web"), "not_met: "),
        ("rollout-stuck", owned("web"), "met: "),
        ("service-selector-mismatch", service("web"), "not_met: Service web has no ready endpoint"),
        ("service-selector-mismatch", rolled_out("Deployment", "web"), "met: "),
        ("service-targetport-wrong", service("good"), "met: "),
        (
            "service-targetport-wrong",
            service("named"),
            "not_met: Service named lists pods but no port on which to reach them",
        ),
        ("scale-to-zero", rolled_out("Deployment", "web"), "not_met: "),
        ("unschedulable-cpu", rolled_out("Deployment", "big"), "not_met: Deployment big has 0 of 1 ready"),
        ("daemonset", rolled_out("DaemonSet", "agent"), "met: "),
        ("daemonset", rolled_out("DaemonSet", "nowhere"), "not_met: DaemonSet nowhere wants no pod at all"),
    ] {
        let Some(objects) = recorded(scenario) else { continue };
        let word = word(scenario, &objects, check.clone());
        assert!(word.starts_with(wanted), "{scenario}, {check}:\n  wanted {wanted}\n  found  {word}");
        looked_at += 1;
    }
    if looked_at == 0 {
        eprintln!("skipped: no recorded answers of a real cluster beside the repository");
    }
}
