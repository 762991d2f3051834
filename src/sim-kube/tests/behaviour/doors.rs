//! The doors of Services other than their own address, and names beyond theirs. Sources: kube-proxy's `proxier.go` (iptables), CoreDNS's
//! plugin `kubernetes`, the pages "Virtual IPs and Service Proxies" and "DNS for Services and Pods" of the documentation.

use std::{collections::BTreeSet, sync::Arc};

use breakfix_sim_kube::{kind, node};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, deployment, service};

fn shop() -> (World, Arc<Value>) {
    let mut world = World::new();
    let caller = world.caller();
    let container = json!({"ports": [{"name": "http", "containerPort": 8080}]});
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, container));
    world.create(&kind::SERVICE, SPACE, service("web", "web", 80, json!("http")));
    world.run(4);
    (world, caller)
}

fn ask(world: &mut World, caller: &Value, url: &str) -> String {
    match world.get_from(caller, url) {
        Ok(answer) => answer.body_text().lines().next().unwrap_or("").to_owned(),
        Err(word) => word,
    }
}

/// A pod that waits on a node, with more of a spec.
fn waiting(world: &mut World, name: &str, node: &str, more: Value) -> Arc<Value> {
    let mut spec =
        json!({"nodeName": node, "containers": [{"name": "main", "image": WEB, "command": ["sleep", "infinity"]}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    world.create(&kind::POD, SPACE, json!({"metadata": {"name": name}, "spec": spec}));
    world.run(3);
    world.get(&kind::POD, name)
}

fn run(world: &mut World, pod: &str, argv: &[&str]) -> node::ExecResult {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    node::exec(&mut world.cluster, SPACE, pod, "", &argv, b"").unwrap()
}

#[test]
fn external_addresses_lead_to_the_service() {
    let (mut world, caller) = shop();
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["externalIPs"] = json!(["192.0.2.10"]));
    assert_eq!(ask(&mut world, &caller, "http://192.0.2.10/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://192.0.2.10:81/"), "timed_out", "no port, nobody");
    assert_eq!(ask(&mut world, &caller, "http://192.0.2.11/"), "timed_out");
}

/// A load balancer's address stays pending: nothing in the cluster hands one out (kind).
#[test]
fn a_load_balancer_stays_pending_and_its_node_port_works() {
    let (mut world, caller) = shop();
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["type"] = json!("LoadBalancer"));
    world.run(30);
    let web = world.get(&kind::SERVICE, "web");
    assert_eq!(web["status"], json!({"loadBalancer": {}}));
    let port = &web["spec"]["ports"][0]["nodePort"];
    assert_eq!(ask(&mut world, &caller, &format!("http://172.31.0.2:{port}/")), "web 1.4");
}

/// `externalTrafficPolicy: Local`: a node without an endpoint drops what comes from outside; what its own pods send takes the way of the cluster.
#[test]
fn a_local_policy_for_the_outside_is_each_nodes_own() {
    let (mut world, _) = shop();
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(1));
    world.edit(&kind::SERVICE, "web", |web| {
        web["spec"]["type"] = json!("NodePort");
        web["spec"]["externalTrafficPolicy"] = json!("Local");
    });
    world.run(5);
    let port = world.get(&kind::SERVICE, "web")["spec"]["ports"][0]["nodePort"].clone();
    let with = world.pods_of("web")[0]["spec"]["nodeName"].as_str().unwrap().to_owned();
    let (with_ip, without, without_ip) = match with.as_str() {
        "breakfix-worker" => ("172.31.0.3", "breakfix-worker2", "172.31.0.4"),
        _ => ("172.31.0.4", "breakfix-worker", "172.31.0.3"),
    };
    let here = waiting(&mut world, "here", without, json!({}));
    assert_eq!(ask(&mut world, &here, &format!("http://{with_ip}:{port}/")), "web 1.4");
    assert_eq!(ask(&mut world, &here, &format!("http://{without_ip}:{port}/")), "web 1.4", "its own node");
    let there = waiting(&mut world, "there", &with, json!({}));
    assert_eq!(ask(&mut world, &there, &format!("http://{without_ip}:{port}/")), "timed_out");
}

/// ClientIP affinity ends when its time does (`timeoutSeconds`, counted from the last connection).
#[test]
fn affinity_has_an_end() {
    let (mut world, caller) = shop();
    world.edit(&kind::SERVICE, "web", |web| {
        web["spec"]["sessionAffinity"] = json!("ClientIP");
        web["spec"]["sessionAffinityConfig"] = json!({"clientIP": {"timeoutSeconds": 10}});
    });
    let mut seen = BTreeSet::new();
    for _ in 0..12 {
        let answer = world.get_from(&caller, "http://web/").unwrap();
        seen.insert(answer.header("x-workload-instance").unwrap().to_owned());
        world.run(11);
    }
    assert_eq!(seen.len(), 2);
}

/// A port of another protocol is another port.
#[test]
fn a_udp_port_takes_no_tcp() {
    let (mut world, caller) = shop();
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["ports"][0]["protocol"] = json!("UDP"));
    world.run(1);
    assert_eq!(ask(&mut world, &caller, "http://web/"), "timed_out");
}

/// CoreDNS: endpoints have names under any Service, ports have names too; the nodes' name server behind it knows the nodes.
#[test]
fn there_are_more_names_than_services() {
    let (mut world, caller) = shop();
    let dashed = world.pods_of("web")[0]["status"]["podIP"].as_str().unwrap().replace('.', "-");
    assert_eq!(ask(&mut world, &caller, &format!("http://{dashed}.web.shop.svc.cluster.local:8080/")), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://_http._tcp.web.shop.svc.cluster.local/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://_nope._tcp.web.shop.svc.cluster.local/"), "name_unknown");
    assert_eq!(ask(&mut world, &caller, "http://breakfix-worker:1/"), "refused");
    assert_eq!(ask(&mut world, &caller, "http://shop.example/"), "name_unknown");
}

/// `dnsPolicy: Default` takes the node's own resolver: it answers at once, and knows no Service.
#[test]
fn the_nodes_resolver_knows_no_services() {
    let (mut world, _) = shop();
    let pod = waiting(&mut world, "plain", "breakfix-worker", json!({"dnsPolicy": "Default"}));
    assert_eq!(ask(&mut world, &pod, "http://web/"), "name_unknown");
    assert_eq!(ask(&mut world, &pod, "http://web.shop.svc.cluster.local/"), "name_unknown");
    let asked = run(&mut world, "plain", &["nslookup", "web.shop.svc.cluster.local"]);
    assert!(asked.took.as_secs() < 1, "no silence: {asked:?}");
}

/// A pod on its node's network takes the node's resolver, unless it asks for the cluster's.
#[test]
fn host_network_changes_the_resolver() {
    let (mut world, _) = shop();
    let plain = waiting(&mut world, "plain", "breakfix-worker", json!({"hostNetwork": true}));
    assert_eq!(ask(&mut world, &plain, "http://web.shop.svc.cluster.local/"), "name_unknown");
    let policy = json!({"hostNetwork": true, "dnsPolicy": "ClusterFirstWithHostNet"});
    let asking = waiting(&mut world, "asking", "breakfix-worker", policy);
    assert_eq!(ask(&mut world, &asking, "http://web/"), "web 1.4");
    // It shares the node's loopback interface, node ports included.
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["type"] = json!("NodePort"));
    world.run(1);
    let port = world.get(&kind::SERVICE, "web")["spec"]["ports"][0]["nodePort"].clone();
    assert_eq!(ask(&mut world, &asking, &format!("http://localhost:{port}/")), "web 1.4");
}

/// Documented: hostAliases stand in `/etc/hosts`, before any name server is asked.
#[test]
fn host_aliases_come_before_name_servers() {
    let (mut world, _) = shop();
    let ip = world.get(&kind::SERVICE, "web")["spec"]["clusterIP"].clone();
    let more = json!({"hostAliases": [{"ip": ip, "hostnames": ["front.example", "front"]}]});
    let pod = waiting(&mut world, "aliased", "breakfix-worker", more);
    assert_eq!(ask(&mut world, &pod, "http://front.example/"), "web 1.4");
    let hosts = String::from_utf8(run(&mut world, "aliased", &["cat", "/etc/hosts"]).stdout).unwrap();
    let end = format!("\n# Entries added by HostAliases.\n{}\tfront.example\tfront\n", ip.as_str().unwrap());
    assert!(hosts.ends_with(&end), "{hosts}");
}

/// Without the Service `kube-dns` nobody has the address in `/etc/resolv.conf` any more: silence, twice 5 s.
#[test]
fn without_its_service_dns_is_silent() {
    let (mut world, _) = shop();
    world.cluster.delete(&kind::SERVICE, "kube-system", "kube-dns", &Default::default(), &World::admin()).unwrap();
    world.run(1);
    let asked = run(&mut world, "caller", &["nslookup", "web"]);
    assert_eq!((asked.exit, asked.took.as_secs()), (1, 10), "{asked:?}");
}
