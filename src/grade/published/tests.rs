//! Fixtures: ports published here, there and everywhere.

use serde_json::{Value, json};

use crate::{Verdict, fixture::*};

fn judge(ports: Value) -> Verdict {
    let mut web = container("web");
    web["NetworkSettings"]["Ports"] = ports;
    World::docker().with("Container", [web]).judge(&here())
}

fn here() -> breakfix_lab::Check {
    check(json!({"published": {"container": "web", "only_on": ["127.0.0.1", "::1"]}}))
}

#[test]
fn on_this_machine_alone_is_met() {
    let verdict = World::docker().with("Container", [container("web")]).judge(&here());
    assert_met(&verdict);
    assert_eq!(verdict.evidence().unwrap().found, "127.0.0.1:18080");
    assert_met(&judge(
        json!({"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "1"}, {"HostIp": "::1", "HostPort": "1"}], "9/tcp": null}),
    ));
}

#[test]
fn on_every_address_is_not_met() {
    for ip in ["0.0.0.0", "::", "", "192.168.1.7"] {
        let ports = json!({"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "1"}, {"HostIp": ip, "HostPort": "2"}]});
        assert_not_met(&judge(ports), "port 2 of container web can be reached on");
    }
}

#[test]
fn no_address_is_every_address() {
    let verdict = judge(json!({"8080/tcp": [{"HostIp": "", "HostPort": "2"}]}));
    assert_not_met(&verdict, "port 2 of container web can be reached on 0.0.0.0");
}

#[test]
fn nothing_published_is_not_met() {
    for ports in [json!({}), json!({"8080/tcp": null}), json!({"8080/tcp": []}), Value::Null] {
        assert_not_met(&judge(ports), "publishes no port now");
    }
}

#[test]
fn what_was_asked_for_does_not_count() {
    let mut web = but(
        container("web"),
        json!({"HostConfig": {"NetworkMode": "host", "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1"}]}}}),
    );
    web["NetworkSettings"]["Ports"] = json!({});
    assert_not_met(&World::docker().with("Container", [web]).judge(&here()), "publishes no port now");
}

#[test]
fn deleted_is_not_met_and_an_engine_error_unknown() {
    assert_not_met(&World::docker().judge(&here()), "container web does not exist");
    assert_unknown(&World::docker().failing("Container").judge(&here()), "etcd");
}
