//! What holds for every word: trouble is never a verdict, and no object makes one panic.

use std::collections::BTreeMap;

use breakfix_lab::{Check, Platform};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Exchange, Failure, Fetched, Judge, Observation, Outcome, Query, Verdict,
    fixture::*,
    observation::{EngineEvent, ImageSeen},
};

/// One of each word, and more than one where a word has several sides.
fn words() -> Vec<Check> {
    let owner = json!({"kind": "Deployment", "name": "shop"});
    [
        json!({"http": {"request": {"url": "http://shop/"}, "answered_by": owner.clone()}}),
        json!({"http": {"request": {"url": "http://shop/"}, "refused": {"control": "http://dns/"}}}),
        json!({"round_trip": {"write": {"request": {"url": "http://a/${nonce}"}}, "read": {"request": {"url": "http://b/"}}}}),
        json!({"endpoints": {"service": "shop", "owned_by": owner.clone(), "never": {"kind": "CronJob", "name": "x"}}}),
        json!({"rolled_out": {"kind": "Deployment", "name": "shop"}}),
        json!({"rolled_out": {"kind": "StatefulSet", "name": "shop"}}),
        json!({"rolled_out": {"kind": "DaemonSet", "name": "shop"}}),
        json!({"field": {"kind": "Pod", "cel": "object.spec.containers.all(c, quantity(c.size) > 1.0)", "wanted": "x"}}),
        json!({"field": {"kind": "Container", "name": "web", "cel": "object.HostConfig.Memory > baseline.HostConfig.Memory", "wanted": "x"}}),
        json!({"identity": {"kinds": ["Deployment", "Container", "Volume"]}}),
        json!({"unchanged": {"kinds": ["Deployment", "Container"], "fields": ["spec.template.spec.containers[*].image", "Config.Env"]}}),
        json!({"scale_kept": {"kinds": ["Deployment", "Container"]}}),
        json!({"no_new_power": {}}),
        json!({"events": {"container": "web", "none": ["oom"]}}),
        json!({"events": {"container": "web", "ended": {"codes": [0], "within": "3s"}}}),
        json!({"published": {"container": "web", "only_on": ["127.0.0.1"]}}),
        json!({"access": {"account": {"name": "x"}, "can": [{"verb": "get", "resource": "pods"}]}}),
        json!({"dry_run": {"create": "x.yaml"}}),
        json!({"restarts": {"kind": "Deployment", "name": "shop", "expect": "none"}}),
        json!({"objects": {"lists": {"pods": {"kind": "Pod", "owned_by": owner.clone()}}, "cel": "pods.all(p, p.spec.x)", "wanted": "x"}}),
        json!({"logs": {"of": owner.clone(), "contains": "x"}}),
        json!({"steady": {"service": "web", "desired": 1}}),
        json!({"targets": {"service": "web", "group": "web"}}),
        json!({"policy": {"role": "web", "can": [{"action": "s3:GetObject"}]}}),
        json!({"image": {"of": {"container": "web"}, "size_max": "12M", "absent": ["/src"], "like": {"rebuilt": "web"}}}),
        json!({"image": {"of": {"name": "web:1"}, "present": ["/app"], "lacks": ["secret"]}}),
        json!({"processes": {"container": "web", "zombies_max": 0, "unprivileged": true}}),
        json!({"file": {"container": "web", "path": "/data", "mode_lacks": "0002"}}),
    ]
    .into_iter()
    .map(check)
    .collect()
}

/// A world whose baseline holds something of everything.
fn world(platform: Platform) -> World {
    let mut world = match platform {
        Platform::Kubernetes => World::kubernetes(),
        Platform::Docker => World::docker(),
        Platform::Ecs => World::ecs(),
    };
    for (kind, object) in
        [("Deployment", deployment("shop", 3)), ("Container", container("web")), ("Volume", container("web"))]
    {
        world = world.from(kind, [object]);
    }
    world
}

fn platforms() -> [Platform; 3] {
    [Platform::Kubernetes, Platform::Docker, Platform::Ecs]
}

fn answer(check: &Check, world: &World, of: impl Fn(&Query) -> Option<Result<Fetched, Failure>>) -> Verdict {
    let queries = check.queries(world.platform, &world.scope());
    let answers: BTreeMap<_, _> = queries.into_iter().filter_map(|query| of(&query).map(|it| (query, it))).collect();
    world.judge_of(check, &Observation { at: at(NOW), answers })
}

#[test]
fn every_word_asks_for_something() {
    for platform in platforms() {
        let world = world(platform);
        for check in words() {
            assert!(!check.queries(platform, &world.scope()).is_empty(), "{check:?}");
        }
    }
}

#[test]
fn what_was_not_fetched_is_unknown() {
    for platform in platforms() {
        for check in words() {
            let verdict = answer(&check, &world(platform), |_| None);
            assert!(verdict.is_unknown(), "{check:?}: {verdict:?}");
        }
    }
}

#[test]
fn what_failed_is_unknown_with_the_systems_words() {
    let failure = || Failure { what: "list".into(), why: "connection reset".into(), hint: None };
    for platform in platforms() {
        for check in words() {
            let verdict = answer(&check, &world(platform), |_| Some(Err(failure())));
            assert_unknown(&verdict, "connection reset");
        }
    }
}

#[test]
fn an_answer_of_another_sort_is_unknown() {
    for platform in platforms() {
        for check in words() {
            let verdict = answer(&check, &world(platform), |query| {
                Some(Ok(match query {
                    Query::Objects { .. } => Fetched::Exchanges(vec![]),
                    _ => Fetched::Objects(vec![]),
                }))
            });
            assert!(verdict.is_unknown(), "{check:?}: {verdict:?}");
        }
    }
}

#[test]
fn nothing_anywhere_is_never_met_but_for_the_scan_of_rights() {
    for platform in platforms() {
        for check in words() {
            let verdict = answer(&check, &world(platform), |query| {
                Some(Ok(match query {
                    Query::Objects { .. } | Query::Declared { .. } => Fetched::Objects(vec![]),
                    Query::Access { actions, .. } => {
                        Fetched::Permits(Some(actions.iter().map(|_| permit(true, false)).collect()))
                    }
                    Query::DryCreate { .. } => {
                        Fetched::Admission(crate::Admission::Refused { code: 403, message: String::new() })
                    }
                    Query::DryEvict { .. } => Fetched::Admission(crate::Admission::Nothing),
                    Query::Logs { .. } => Fetched::Logs(Vec::new()),
                    Query::Decisions { .. } => Fetched::Decisions(None),
                    Query::Events { .. } => Fetched::Events(vec![]),
                    Query::Image { .. } => Fetched::Image(ImageSeen::Missing("there is none".into())),
                    Query::Traces { .. } => {
                        Fetched::Traces(crate::observation::Traces::Missing("there is none".into()))
                    }
                    Query::Processes { .. } => Fetched::Processes(None),
                    Query::File { .. } => Fetched::File(crate::observation::FileSeen::Missing),
                    _ => Fetched::Exchanges(vec![]),
                }))
            });
            assert_eq!(verdict.is_met(), matches!(check, Check::NoNewPower(_)), "{check:?}: {verdict:?}");
        }
    }
}

/// Keys that the words look for, so that arbitrary objects get past the first step.
const KEYS: [&str; 40] = [
    "metadata",
    "name",
    "Name",
    "namespace",
    "uid",
    "labels",
    "kubernetes.io/service-name",
    "ownerReferences",
    "controller",
    "kind",
    "deletionTimestamp",
    "generation",
    "spec",
    "replicas",
    "template",
    "containers",
    "image",
    "status",
    "observedGeneration",
    "conditions",
    "type",
    "reason",
    "readyReplicas",
    "endpoints",
    "addresses",
    "targetRef",
    "ports",
    "containerStatuses",
    "restartCount",
    "state",
    "running",
    "startedAt",
    "Config",
    "Env",
    "HostConfig",
    "Memory",
    "Binds",
    "Mounts",
    "NetworkSettings",
    "Ports",
];
const TEXTS: [&str; 12] = [
    "shop",
    "web",
    "/web",
    "uid-shop",
    "True",
    "Ready",
    "Progressing",
    "2026-11-21T12:00:00Z",
    "-9999-01-01T00:00:00Z",
    "=",
    "ä=ö",
    "",
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 8, |inner| {
        let key = proptest::sample::select(KEYS.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..8).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A real object with some of it replaced by anything.
fn object() -> impl Strategy<Value = Value> {
    let real = proptest::sample::select(vec![
        deployment("shop", 3),
        replica_set("shop"),
        pod("shop-a-1", "10.0.0.1", "ReplicaSet", "shop-a"),
        slice("shop", &[&pod("shop-a-1", "10.0.0.1", "ReplicaSet", "shop-a")]),
        container("web"),
    ]);
    prop_oneof![anything(), (real, anything()).prop_map(|(real, patch)| but(real, patch))]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Refused),
        Just(Outcome::TimedOut),
        (any::<u16>(), ".{0,100}").prop_map(|(status, body)| Outcome::Answered {
            status,
            headers: BTreeMap::new(),
            body
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_object_makes_a_word_panic(objects in proptest::collection::vec(object(), 0..5), before in object(), outcome in outcome()) {
        for platform in platforms() {
            let mut world = world(platform);
            for kind in ["Deployment", "Container", "Volume", "Pod", "ClusterRoleBinding"] {
                world = world.from(kind, [before.clone()]);
            }
            for check in words() {
                let verdict = answer(&check, &world, |query| Some(Ok(match query {
                    Query::Objects { .. } | Query::Declared { .. } => Fetched::Objects(objects.clone()),
                    Query::Requests { .. } => Fetched::Exchanges(vec![exchange(outcome.clone())]),
                    Query::RoundTrip { .. } => {
                        let once = || Exchange { ..exchange(outcome.clone()) };
                        Fetched::RoundTrip { nonce: "n".into(), write: once(), read: Some(Box::new(once())) }
                    }
                    Query::Access { actions, .. } => Fetched::Permits(Some(actions.iter().map(|_| permit(true, false)).collect())),
                    Query::DryCreate { .. } => Fetched::Admission(crate::Admission::Admitted),
                    Query::DryEvict { .. } => Fetched::Admission(crate::Admission::Nothing),
                    Query::Logs { .. } => Fetched::Logs(Vec::new()),
                    Query::Decisions { .. } => Fetched::Decisions(None),
                    Query::Image { .. } => Fetched::Image(ImageSeen::Missing("there is none".into())),
                    Query::Traces { .. } => Fetched::Traces(crate::observation::Traces::Missing("there is none".into())),
                    Query::Processes { .. } => Fetched::Processes(None),
                    Query::File { .. } => Fetched::File(crate::observation::FileSeen::Missing),
                    Query::Events { .. } => Fetched::Events(vec![EngineEvent { action: "oom".into(), at: at(NOW), container: "x".into(), exit_code: None }]),
                })));
                // The same observation, the same verdict.
                prop_assert_eq!(verdict.word().is_empty(), false);
            }
        }
    }

    #[test]
    fn an_object_is_unchanged_from_itself(before in object()) {
        let named = but(before, json!({"metadata": {"name": "shop", "namespace": "shop", "ownerReferences": null}}));
        let check = check(json!({"unchanged": {"kinds": ["Deployment"], "fields": ["spec", "metadata", "HostConfig", "Config.Env"]}}));
        let world = World::kubernetes().from("Deployment", [named.clone()]).with("Deployment", [named]);
        let verdict = world.judge(&check);
        prop_assert!(verdict.is_met(), "{:?}", verdict);
    }

    #[test]
    fn no_path_makes_one_panic(text in ".{0,20}", keys in "[a-z.\\[\\]*\"0-9]{0,20}", mut value in object()) {
        for text in [text, keys] {
            if let Ok(path) = text.parse::<crate::Path>() {
                path.find(&value);
                path.remove(&mut value);
                prop_assert!(path.find(&value).is_empty(), "{} is still there", text);
            }
        }
    }

    #[test]
    fn no_expression_makes_lint_panic(text in "[a-z.()\\[\\]&|=!<>?:'0-9 +*-]{0,24}") {
        let _ = crate::field::compile(&text);
        crate::quantity::parse(&text);
    }
}
