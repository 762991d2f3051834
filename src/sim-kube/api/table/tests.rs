use serde_json::json;

use super::*;
use crate::kind::{POD, SERVICE};

fn cells(kind: &Kind, object: &Value) -> Vec<String> {
    let now = "2026-01-01T10:01:00Z".parse().unwrap();
    let shown = |cell: Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    layout(kind).cells(object, now).into_iter().map(shown).collect()
}

fn pod(status: &Value) -> Value {
    json!({
        "metadata": {"name": "a", "creationTimestamp": "2026-01-01T10:00:00Z"},
        "spec": {"containers": [{"name": "a"}]},
        "status": status,
    })
}

#[test]
fn a_pods_status_is_what_its_containers_say() {
    for (status, wanted) in [
        (json!({"phase": "Pending"}), "Pending"),
        (
            json!({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}),
            "ErrImagePull",
        ),
        (json!({"phase": "Running", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}), "ExitCode:3"),
        (json!({"phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]}), "Running"),
        (json!({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
        (json!({"phase": "Pending", "initContainerStatuses": [{"state": {"running": {}}}]}), "Init:0/0"),
        (
            json!({"phase": "Pending", "initContainerStatuses": [{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}),
            "Init:Error",
        ),
    ] {
        assert_eq!(cells(&POD, &pod(&status))[2], wanted, "{status}");
    }
}

#[test]
fn restarts_say_when() {
    let status = json!({"phase": "Running", "containerStatuses": [{
        "restartCount": 3,
        "ready": true,
        "state": {"running": {}},
        "lastState": {"terminated": {"finishedAt": "2026-01-01T10:00:35Z"}},
    }]});
    assert_eq!(cells(&POD, &pod(&status))[..5], ["a", "1/1", "Running", "3 (25s ago)", "60s"]);
}

#[test]
fn a_services_ports_are_shown_with_their_node_ports() {
    let service = json!({
        "metadata": {"name": "web", "creationTimestamp": "2026-01-01T10:00:00Z"},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.1.1",
            "selector": {"app": "web"},
            "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
        },
    });
    assert_eq!(
        cells(&SERVICE, &service),
        ["web", "NodePort", "10.96.1.1", "<none>", "80:30080/TCP,53/UDP", "60s", "app=web"]
    );
}

#[test]
fn every_kind_has_as_many_cells_as_columns() {
    let now = "2026-01-01T10:01:00Z".parse().unwrap();
    for kind in crate::kind::KINDS {
        let layout = layout(kind);
        assert_eq!(layout.cells(&json!({}), now).len(), layout.columns.len(), "{}", kind.kind);
    }
}

#[test]
fn ages_have_two_units_at_most() {
    for (seconds, wanted) in [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (190, "3m10s"),
        (700, "11m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (40 * 3600, "40h"),
        (3 * 86400 + 7200, "3d2h"),
        (800 * 86400, "2y70d"),
    ] {
        assert_eq!(human(seconds), wanted);
    }
}
