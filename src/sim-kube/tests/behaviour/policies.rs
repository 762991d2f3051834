//! NetworkPolicies, as the network plugin of kind enforces them (kindnet with kube-network-policies): denied is dropped in silence.

use std::sync::Arc;

use breakfix_sim_kube::{kind, node};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, deployment, service};

/// `web` (app: web) behind a Service, `caller` (app: caller) in the same namespace, and `stranger` in namespace `other`.
fn shop() -> (World, Arc<Value>, Arc<Value>) {
    let mut world = World::new();
    let caller = world.caller();
    world.create(&kind::NAMESPACE, "", json!({"metadata": {"name": "other"}}));
    world.run(1);
    world.create(
        &kind::POD,
        "other",
        json!({"metadata": {"name": "stranger", "labels": {"app": "caller"}}, "spec": {"containers": [
            {"name": "main", "image": WEB, "command": ["sleep", "infinity"]}]}}),
    );
    let container = json!({
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1},
    });
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, container));
    world.create(&kind::SERVICE, SPACE, service("web", "web", 80, json!("http")));
    world.run(5);
    let stranger = world.cluster.get(&kind::POD, "other", "stranger").unwrap();
    (world, caller, stranger)
}

fn policy(world: &mut World, name: &str, spec: Value) {
    if world.cluster.get(&kind::NETWORK_POLICY, SPACE, name).is_ok() {
        world.edit(&kind::NETWORK_POLICY, name, |policy| policy["spec"] = spec);
    } else {
        world.create(&kind::NETWORK_POLICY, SPACE, json!({"metadata": {"name": name}, "spec": spec}));
    }
    world.run(1);
}

fn ask(world: &mut World, caller: &Value, url: &str) -> String {
    match world.get_from(caller, url) {
        Ok(answer) => answer.body_text().lines().next().unwrap_or("").to_owned(),
        Err(word) => word,
    }
}

/// Documented: pods are isolated once a policy selects them; kubelet's probes from the pod's own node always pass.
#[test]
fn a_denied_caller_hears_nothing_and_probes_go_on() {
    let (mut world, caller, stranger) = shop();
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    policy(&mut world, "deny", json!({"podSelector": {}, "policyTypes": ["Ingress"]}));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "timed_out");
    world.run(30);
    assert!(world.pods_of("web").iter().all(|pod| crate::world::is_ready(pod)), "{}", world.scene());
    let from = json!([{"podSelector": {"matchLabels": {"app": "caller"}}}]);
    policy(&mut world, "allow", json!({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": from}]}));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    assert_eq!(ask(&mut world, &stranger, "http://web.shop/"), "timed_out", "the same labels in another namespace");
}

/// A policy counts the port of the pod, not the one of the Service: it is judged after kube-proxy.
#[test]
fn a_rule_names_the_pods_port() {
    let (mut world, caller, _) = shop();
    let with = |port: Value| json!({"podSelector": {}, "ingress": [{"ports": [{"port": port}]}]});
    policy(&mut world, "ports", with(json!(80)));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "timed_out");
    policy(&mut world, "ports", with(json!(8080)));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    policy(&mut world, "ports", with(json!("http")));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
}

/// Labels count as soon as they are written; a pod's own address never leaves it.
#[test]
fn labels_count_at_once_and_a_pod_reaches_itself() {
    let (mut world, caller, _) = shop();
    let from = json!([{"podSelector": {"matchLabels": {"role": "api"}}}]);
    policy(&mut world, "allow", json!({"podSelector": {}, "ingress": [{"from": from}]}));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "timed_out");
    world.edit(&kind::POD, "caller", |pod| pod["metadata"]["labels"]["role"] = json!("api"));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    let web = world.pods_of("web")[0].clone();
    let own = web["status"]["podIP"].as_str().unwrap().to_owned();
    assert_eq!(ask(&mut world, &web, &format!("http://{own}:8080/")), "web 1.4");
    assert_eq!(ask(&mut world, &web, "http://localhost:8080/"), "web 1.4");
}

/// Documented: DNS is traffic like any other. Without it the resolver waits 5 s, twice, for each search domain it comes to
/// (resolv.conf(5)): the first silence ends the search.
#[test]
fn without_the_rule_for_names_every_look_up_takes_its_time_and_fails() {
    let (mut world, caller, _) = shop();
    let to_web = json!({"to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 8080}]});
    policy(
        &mut world,
        "egress",
        json!({"podSelector": {"matchLabels": {"app": "caller"}}, "policyTypes": ["Egress"], "egress": [to_web]}),
    );
    let ip = world.get(&kind::SERVICE, "web")["spec"]["clusterIP"].as_str().unwrap().to_owned();
    assert_eq!(ask(&mut world, &caller, &format!("http://{ip}/")), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://web/"), "timed_out");
    let argv = ["nslookup", "web"].map(str::to_owned);
    let silent = node::exec(&mut world.cluster, SPACE, "caller", "", &argv, b"").unwrap();
    assert_eq!((silent.exit, silent.took.as_secs()), (1, 10));
    // Only over UDP, and only to the name servers: enough for names, nothing else.
    let dns = json!({
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
        "ports": [{"port": 53, "protocol": "UDP"}],
    });
    policy(&mut world, "dns", json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [dns]}));
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://kubernetes.default.svc:443/"), "timed_out");
}

/// Egress to the API server is judged by where its Service leads: the control plane's node, port 6443.
#[test]
fn the_api_server_is_an_address_of_the_outside() {
    let (mut world, caller, _) = shop();
    let to = |block: &str, port: u16| {
        json!({"podSelector": {"matchLabels": {"app": "caller"}}, "policyTypes": ["Egress"], "egress": [
            {"to": [{"ipBlock": {"cidr": block}}], "ports": [{"port": port}]}]})
    };
    policy(&mut world, "egress", to("10.96.0.1/32", 443));
    assert_eq!(ask(&mut world, &caller, "http://10.96.0.1:443/"), "timed_out");
    policy(&mut world, "egress", to("172.31.0.0/24", 6443));
    assert!(ask(&mut world, &caller, "http://10.96.0.1:443/").contains("HTTP request to an HTTPS server"));
}

/// Who comes through another node's port has that node's side of the network for an address: no pod selector fits it.
#[test]
fn node_ports_hide_pods() {
    let (mut world, caller, _) = shop();
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["type"] = json!("NodePort"));
    world.run(1);
    let port = world.get(&kind::SERVICE, "web")["spec"]["ports"][0]["nodePort"].clone();
    let from = json!([{"podSelector": {"matchLabels": {"app": "caller"}}}]);
    policy(&mut world, "allow", json!({"podSelector": {}, "ingress": [{"from": from}]}));
    let home = caller["spec"]["nodeName"].as_str().unwrap().to_owned();
    let other = if home == "breakfix-worker" { "172.31.0.4" } else { "172.31.0.3" };
    let answers: Vec<String> = (0..8).map(|_| ask(&mut world, &caller, &format!("http://{other}:{port}/"))).collect();
    assert!(answers.iter().all(|answer| answer == "timed_out"), "{answers:?}");
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
}
