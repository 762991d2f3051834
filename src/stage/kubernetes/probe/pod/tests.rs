use std::collections::BTreeMap;

use super::*;
use crate::kubernetes::belongings::tests::place;

fn made(caller: &Caller, namespace: &str) -> Value {
    manifest(&place(Vec::new()), caller, namespace, "probe-abc", "Never")
}

#[test]
fn nobody_adopts_it_and_no_service_sends_to_it() {
    let labels = [("app", "customer"), ("pod-template-hash", "5d4f"), ("controller-revision-hash", "x")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let caller = Caller { labels: BTreeMap::from(labels), namespace: Some("shop".to_owned()), ..Caller::default() };
    let pod = made(&caller, "shop");
    assert_eq!(object::label(&pod, "app"), Some("customer"));
    for key in ADOPTED_BY {
        assert_eq!(object::label(&pod, key), None, "{key}");
    }
    assert_eq!(object::text(&pod, "/spec/readinessGates/0/conditionType"), Some("breakfix.dev/never-an-endpoint"));
    assert!(pod.pointer("/metadata/ownerReferences").is_none());
    assert!(pod.pointer("/spec/dnsConfig").is_none(), "names of its own namespace come first anyway");
}

#[test]
fn passes_restricted_and_a_full_quota() {
    let pod = made(&Caller::default(), "breakfix-probe-s1");
    let spec = &pod["spec"];
    let container = &spec["containers"][0];
    assert_eq!(
        container["resources"],
        json!({"requests": {"cpu": "0", "memory": "0"}, "limits": {"cpu": "0", "memory": "0"}})
    );
    assert_eq!(spec["securityContext"]["runAsNonRoot"], json!(true));
    assert_eq!(spec["securityContext"]["seccompProfile"]["type"], json!("RuntimeDefault"));
    assert_eq!(container["securityContext"]["capabilities"], json!({"drop": ["ALL"]}));
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], json!(false));
    assert_eq!(container["imagePullPolicy"], json!("Never"));
    assert_eq!(spec["dnsConfig"], json!({"searches": ["shop.svc.cluster.local"]}));
    assert!(object::is_of_session(&pod, "s1") && object::label(&pod, ROLE_LABEL) == Some("probe"));
    for flag in ["automountServiceAccountToken", "enableServiceLinks"] {
        assert_eq!(spec[flag], json!(false), "{flag}");
    }
}

#[test]
fn names_are_letters_whatever_the_word() {
    for word in ["0000000000000000", "0123456789abcdef", "9999999999999999"] {
        let name = name(word);
        let (_, tail) = name.split_once('-').unwrap();
        assert!(tail.len() == 10 && tail.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
    }
    assert_ne!(name("0123456789abcdef"), name("fedcba9876543210"));
}

#[test]
fn the_state_says_whether_waiting_helps() {
    let container = |state: Value, restarts: u32| json!({"status": {"phase": "Pending", "containerStatuses": [{"restartCount": restarts, "state": state, "imageID": "sha256:1"}]}});
    assert_eq!(state(&container(json!({"running": {}}), 0)), State::Running);
    assert!(
        matches!(state(&container(json!({"running": {}}), 1)), State::Lost(_)),
        "a restarted probe is not ours any more"
    );
    assert!(matches!(state(&container(json!({"waiting": {"reason": "ContainerCreating"}}), 0)), State::Coming(_)));
    let never = json!({"waiting": {"reason": "ErrImageNeverPull", "message": "not present"}});
    assert_eq!(state(&container(never, 0)), State::Lost("ErrImageNeverPull: not present".to_owned()));
    assert!(
        matches!(state(&json!({"status": {"phase": "Failed", "reason": "DeadlineExceeded"}})), State::Lost(why) if why.contains("Deadline"))
    );
    assert!(matches!(state(&json!({"metadata": {"deletionTimestamp": "x"}})), State::Lost(_)));
    let unscheduled =
        json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]}});
    assert_eq!(state(&unscheduled), State::Coming("0/3 nodes".to_owned()));
    assert_eq!(image_id(&container(json!({}), 0)), Some("sha256:1"));
}
