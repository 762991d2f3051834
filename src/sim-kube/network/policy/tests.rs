//! The rules of the API's own words (networking/v1 types, and the page "Network Policies" of the documentation), one by one.

use serde_json::{Value, json};

use super::{Attempt, Direction, End, Pod, permits};

struct Scene {
    web: Value,
    api: Value,
    stranger: Value,
    shop: Value,
    other: Value,
}

impl Scene {
    fn new() -> Self {
        let pod = |labels: Value| {
            json!({"metadata": {"labels": labels}, "spec": {"containers": [
                {"ports": [{"name": "db", "containerPort": 5432}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]}})
        };
        Self {
            web: pod(json!({"app": "web"})),
            api: pod(json!({"app": "api", "role": "api"})),
            stranger: pod(json!({"app": "api"})),
            shop: json!({"kubernetes.io/metadata.name": "shop"}),
            other: json!({"kubernetes.io/metadata.name": "other", "team": "x"}),
        }
    }

    /// web and api live in `shop`, the stranger in `other`, `outside` is no pod.
    fn end(&self, who: &str) -> End<'_> {
        let pod = |object, namespace, labels| Some(Pod { object, namespace, namespace_labels: Some(labels) });
        let (ip, pod) = match who {
            "web" => ([10, 244, 1, 2], pod(&self.web, "shop", &self.shop)),
            "api" => ([10, 244, 1, 3], pod(&self.api, "shop", &self.shop)),
            "stranger" => ([10, 244, 2, 4], pod(&self.stranger, "other", &self.other)),
            _ => ([192, 0, 2, 7], None),
        };
        End { ip: ip.into(), pod }
    }

    fn tried(&self, direction: Direction, specs: &[Value], from: &str, to: &str, port: u16, protocol: &str) -> bool {
        let policies: Vec<Value> = specs.iter().map(|spec| json!({"spec": spec})).collect();
        let attempt = Attempt { from: self.end(from), to: self.end(to), port, protocol };
        permits(policies.iter(), &attempt, direction)
    }
}

fn enters(specs: &[Value], from: &str, port: u16) -> bool {
    Scene::new().tried(Direction::Ingress, specs, from, "web", port, "TCP")
}

fn leaves(specs: &[Value], to: &str, port: u16, protocol: &str) -> bool {
    Scene::new().tried(Direction::Egress, specs, "web", to, port, protocol)
}

const ALL: [&str; 3] = ["api", "stranger", "outside"];

fn who_enters(specs: &[Value]) -> Vec<&'static str> {
    ALL.into_iter().filter(|from| enters(specs, from, 5432)).collect()
}

#[test]
fn without_a_policy_that_selects_the_pod_everybody_may() {
    assert_eq!(who_enters(&[]), ALL);
    assert_eq!(who_enters(&[json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]})]), ALL);
    assert_eq!(who_enters(&[json!({"podSelector": {}, "policyTypes": ["Egress"]})]), ALL, "the other direction");
}

#[test]
fn an_empty_list_of_rules_denies_and_an_empty_rule_allows() {
    for deny in [
        json!({"podSelector": {}}),
        json!({"podSelector": {}, "policyTypes": ["Ingress"]}),
        json!({"podSelector": {}, "ingress": [], "policyTypes": ["Ingress"]}),
    ] {
        assert_eq!(who_enters(&[deny]), [""; 0]);
    }
    assert_eq!(who_enters(&[json!({"podSelector": {}, "ingress": [{}]})]), ALL);
    assert_eq!(who_enters(&[json!({"podSelector": {}, "ingress": [{"from": []}]})]), ALL);
}

#[test]
fn policies_add_up() {
    let deny = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    let allow = json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "api"}}}]}]});
    assert_eq!(who_enters(&[deny, allow]), ["api"]);
}

#[test]
fn a_pod_selector_alone_means_the_policys_namespace() {
    let from = |peers: Value| who_enters(&[json!({"podSelector": {}, "ingress": [{"from": peers}]})]);
    let app = json!({"matchLabels": {"app": "api"}});
    let space = json!({"matchLabels": {"team": "x"}});
    assert_eq!(from(json!([{"podSelector": app}])), ["api"]);
    assert_eq!(from(json!([{"podSelector": {}}])), ["api"]);
    assert_eq!(from(json!([{"namespaceSelector": {}}])), ["api", "stranger"]);
    assert_eq!(from(json!([{"namespaceSelector": space}])), ["stranger"]);
    assert_eq!(from(json!([{"namespaceSelector": {}, "podSelector": app}])), ["api", "stranger"]);
    // One peer with both is an AND, two peers are an OR.
    let role = json!({"matchLabels": {"role": "api"}});
    assert_eq!(from(json!([{"namespaceSelector": space, "podSelector": role}])), [""; 0]);
    assert_eq!(from(json!([{"namespaceSelector": space}, {"podSelector": role}])), ["api", "stranger"]);
}

#[test]
fn a_block_of_addresses_has_exceptions() {
    let from = |block: Value| who_enters(&[json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": block}]}]})]);
    assert_eq!(from(json!({"cidr": "0.0.0.0/0"})), ALL);
    assert_eq!(from(json!({"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]})), ["outside"]);
    assert_eq!(from(json!({"cidr": "10.244.1.0/24", "except": ["10.244.1.9/32"]})), ["api"]);
}

#[test]
fn ports_are_numbers_names_and_ranges() {
    let with = |ports: Value| json!({"podSelector": {}, "ingress": [{"ports": ports}]});
    for (ports, port, wanted) in [
        (json!([{"port": 5432}]), 5432, true),
        (json!([{"port": 5432, "protocol": "TCP"}]), 5433, false),
        (json!([{"port": 5432, "protocol": "UDP"}]), 5432, false),
        (json!([{"port": "db"}]), 5432, true),
        (json!([{"port": "db"}]), 5433, false),
        (json!([{"port": "nope"}]), 5432, false),
        (json!([{"port": 5000, "endPort": 6000}]), 5432, true),
        (json!([{"port": 5000, "endPort": 6000}]), 6000, true),
        (json!([{"port": 5000, "endPort": 6000}]), 6001, false),
        (json!([{"protocol": "TCP"}]), 9999, true),
        (json!([{"protocol": "UDP"}]), 9999, false),
        (json!([{"port": 80}, {"port": 5432}]), 5432, true),
    ] {
        assert_eq!(enters(&[with(ports.clone())], "api", port), wanted, "{ports} {port}");
    }
}

#[test]
fn egress_is_judged_by_its_own_rules() {
    let dns = json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [
        {"ports": [{"port": 53, "protocol": "UDP"}]},
        {"to": [{"podSelector": {"matchLabels": {"role": "api"}}}], "ports": [{"port": "db"}]},
    ]});
    let specs = [dns];
    assert!(leaves(&specs, "stranger", 53, "UDP"));
    assert!(!leaves(&specs, "stranger", 53, "TCP"));
    assert!(leaves(&specs, "api", 5432, "TCP"));
    assert!(!leaves(&specs, "stranger", 5432, "TCP"));
    assert!(!leaves(&specs, "outside", 443, "TCP"));
    // `policyTypes` left out: rules for egress make it a policy of both directions.
    let both = json!({"podSelector": {}, "egress": [{}]});
    assert!(leaves(std::slice::from_ref(&both), "outside", 443, "TCP"));
    assert!(!enters(&[both], "api", 5432));
    // Named for one direction, rules of the other are dead letters.
    let one = json!({"podSelector": {}, "policyTypes": ["Ingress"], "egress": []});
    assert!(leaves(&[one], "outside", 443, "TCP"));
}
