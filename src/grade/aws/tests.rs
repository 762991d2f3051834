use serde_json::json;

use super::*;

#[test]
fn times_are_read_in_both_spellings() {
    let task = json!({"stoppedAt": 1_795_262_400.25, "created": "2026-11-21T12:00:00Z", "odd": [1]});
    assert_eq!(time(&task, &["stoppedAt"]).unwrap().to_string(), "2026-11-21T12:00:00.25Z");
    assert_eq!(time(&task, &["created"]).unwrap().to_string(), "2026-11-21T12:00:00Z");
    assert_eq!(time(&task, &["odd"]), None);
}

#[test]
fn a_task_belongs_to_the_service_that_started_it() {
    let service = json!({"serviceName": "web", "clusterArn": "c"});
    let task = |group: &str, by: &str, cluster: &str| json!({"group": group, "startedBy": by, "clusterArn": cluster});
    assert!(is_of(&task("service:web", "ecs-svc/1", "c"), &service));
    assert!(!is_of(&task("service:webb", "ecs-svc/1", "c"), &service));
    assert!(!is_of(&task("service:web", "somebody", "c"), &service));
    assert!(!is_of(&task("service:web", "ecs-svc/1", "d"), &service));
}

#[test]
fn addresses_stand_in_containers_and_attachments() {
    let task = json!({
        "containers": [{"networkInterfaces": [{"privateIpv4Address": "10.0.0.1"}]}],
        "attachments": [{"details": [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": "10.0.0.1"}]}],
    });
    assert_eq!(addresses(&task), ["10.0.0.1"].into());
    assert!(addresses(&json!({})).is_empty());
}
