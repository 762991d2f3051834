//! Services, names and who reaches whom.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use breakfix_sim_kube::{kind, node};
use breakfix_workload::Request;
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, deployment, service};

/// Two pods `web` behind a Service, and a caller.
fn shop() -> (World, Arc<Value>) {
    let mut world = World::new();
    let caller = world.caller();
    world.create(
        &kind::DEPLOYMENT,
        SPACE,
        deployment("web", 2, json!({"ports": [{"name": "http", "containerPort": 8080}]})),
    );
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

fn slices(world: &World, service: &str) -> Vec<Arc<Value>> {
    let ours = |slice: &&Arc<Value>| slice["metadata"]["labels"]["kubernetes.io/service-name"] == service;
    world.cluster.list(&kind::ENDPOINT_SLICE, Some(SPACE)).filter(ours).cloned().collect()
}

/// Recorded in service-selector-mismatch and service-targetport-wrong.
#[test]
fn wrong_services_fail_in_different_ways() {
    let (mut world, caller) = shop();
    world.create(&kind::SERVICE, SPACE, service("nobody", "wep", 80, json!(8080)));
    world.create(&kind::SERVICE, SPACE, service("other-port", "web", 80, json!(9090)));
    world.create(&kind::SERVICE, SPACE, service("no-such-name", "web", 80, json!("nope")));
    world.run(1);
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://nobody/"), "refused");
    assert_eq!(ask(&mut world, &caller, "http://other-port/"), "refused");
    assert_eq!(ask(&mut world, &caller, "http://no-such-name/"), "refused");
    assert_eq!(ask(&mut world, &caller, "http://web:81/"), "timed_out");
    assert_eq!(ask(&mut world, &caller, "http://nothing/"), "name_unknown");
    // A named target that no pod has leaves the endpoints, and no port.
    let unnamed = &slices(&world, "no-such-name")[0];
    assert_eq!((unnamed["endpoints"].as_array().unwrap().len(), &unnamed["ports"]), (2, &Value::Null));
    let nobody = &slices(&world, "nobody")[0];
    assert_eq!((&nobody["endpoints"], &nobody["ports"]), (&Value::Null, &Value::Null));
}

/// Tried on 1.36: a hand-written slice answers; once its pod is gone, the share of requests that it gets times out.
#[test]
fn a_stale_address_times_out() {
    let (mut world, caller) = shop();
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["selector"] = json!({"app": "wep"}));
    let ip = world.pods_of("web")[0]["status"]["podIP"].clone();
    world.create(
        &kind::ENDPOINT_SLICE,
        SPACE,
        json!({
            "metadata": {"name": "by-hand", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ip]}],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }),
    );
    world.run(1);
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(0));
    world.run(5);
    assert_eq!(ask(&mut world, &caller, "http://web/"), "timed_out");
}

/// Tried on 1.36: Endpoints written by hand for a Service without a selector are mirrored to a slice.
#[test]
fn hand_written_endpoints_are_mirrored() {
    let (mut world, caller) = shop();
    let mut body = service("manual", "web", 80, json!(8080));
    body["spec"].as_object_mut().unwrap().remove("selector");
    world.create(&kind::SERVICE, SPACE, body);
    let ip = world.pods_of("web")[0]["status"]["podIP"].clone();
    let subsets = json!([{"addresses": [{"ip": ip}], "ports": [{"name": "http", "port": 8080}]}]);
    world.create(&kind::ENDPOINTS, SPACE, json!({"metadata": {"name": "manual"}, "subsets": subsets}));
    world.run(1);
    assert_eq!(ask(&mut world, &caller, "http://manual/"), "web 1.4");
    assert_eq!(
        slices(&world, "manual")[0]["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"],
        "endpointslicemirroring-controller.k8s.io"
    );
}

/// Tried on 1.36 (the probe): a readiness gate that nobody opens keeps a pod out of endpoints; publishNotReadyAddresses does not care.
#[test]
fn a_closed_readiness_gate_keeps_a_pod_out() {
    let (mut world, caller) = shop();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "gated", "labels": {"app": "gated"}}, "spec": {
            "readinessGates": [{"conditionType": "breakfix.dev/never"}],
            "containers": [{"name": "main", "image": WEB}]}}),
    );
    world.create(&kind::SERVICE, SPACE, service("gated", "gated", 80, json!(8080)));
    world.run(4);
    let gated = world.get(&kind::POD, "gated");
    assert_eq!(crate::world::condition(&gated, "ContainersReady"), "True");
    assert_eq!(crate::world::condition(&gated, "Ready"), "False");
    assert_eq!(slices(&world, "gated")[0]["endpoints"][0]["conditions"]["ready"], false);
    assert_eq!(ask(&mut world, &caller, "http://gated/"), "refused");
    world.edit(&kind::SERVICE, "gated", |gated| gated["spec"]["publishNotReadyAddresses"] = json!(true));
    world.run(1);
    assert_eq!(slices(&world, "gated")[0]["endpoints"][0]["conditions"]["ready"], true);
    assert_eq!(ask(&mut world, &caller, "http://gated/"), "web 1.4");
}

/// Documented, and tried in `name-unknown-next-door`.
#[test]
fn names_are_those_of_the_cluster() {
    let (mut world, caller) = shop();
    world.create(&kind::NAMESPACE, "", json!({"metadata": {"name": "data"}}));
    world.run(1);
    let mut headless = service("all", "web", 8080, json!(8080));
    headless["spec"]["clusterIP"] = json!("None");
    world.create(&kind::SERVICE, SPACE, headless);
    let alias = |to: &str| json!({"spec": {"type": "ExternalName", "externalName": to}});
    for (name, to) in [("full", "web.shop.svc.cluster.local"), ("short", "web.shop")] {
        let mut body = alias(to);
        body["metadata"] = json!({"name": name});
        world.create(&kind::SERVICE, SPACE, body);
    }
    world.run(1);
    for name in ["web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local", "web.shop.svc.cluster.local."] {
        assert_eq!(ask(&mut world, &caller, &format!("http://{name}/")), "web 1.4", "{name}");
    }
    assert_eq!(ask(&mut world, &caller, "http://web.data/"), "name_unknown");
    assert_eq!(ask(&mut world, &caller, "http://all:8080/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://full/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://short/"), "name_unknown", "an alias is an absolute name");
    let found = |world: &mut World, name: &str| {
        let argv = ["nslookup".to_owned(), name.to_owned()];
        let done = node::exec(&mut world.cluster, SPACE, "caller", "", &argv, b"").unwrap();
        String::from_utf8(done.stdout).unwrap().lines().filter(|line| line.starts_with("Address: ")).count()
    };
    assert_eq!(found(&mut world, "all.shop.svc.cluster.local"), 2, "a headless name has all its pods");
    let dashed = world.pods_of("web")[0]["status"]["podIP"].as_str().unwrap().replace('.', "-");
    assert_eq!(found(&mut world, &format!("{dashed}.all.shop.svc.cluster.local")), 1);
}

/// Documented: `subdomain` and `hostname` give a pod a name under its headless Service.
#[test]
fn a_pod_has_a_name_under_its_subdomain() {
    let (mut world, caller) = shop();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "db-0", "labels": {"app": "db"}}, "spec": {"hostname": "db-0", "subdomain": "db",
            "containers": [{"name": "main", "image": WEB}]}}),
    );
    let mut headless = service("db", "db", 8080, json!(8080));
    headless["spec"]["clusterIP"] = json!("None");
    world.create(&kind::SERVICE, SPACE, headless);
    world.run(4);
    assert_eq!(ask(&mut world, &caller, "http://db-0.db:8080/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, "http://db-1.db:8080/"), "name_unknown");
}

/// DNS-based service discovery 1.1.0, 2.3.2 and 2.4.2; weights and PTR records as CoreDNS gives them (plugin/backend_lookup.go,
/// plugin/kubernetes/reverse.go).
#[test]
fn services_are_found_by_srv_and_addresses_have_names() {
    let (mut world, _) = shop();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "db-0", "labels": {"app": "db"}}, "spec": {"hostname": "db-0", "subdomain": "db",
            "containers": [{"name": "main", "image": WEB}]}}),
    );
    for (name, app) in [("db", "db"), ("all", "web")] {
        let mut headless = service(name, app, 5432, json!(8080));
        headless["spec"]["clusterIP"] = json!("None");
        headless["spec"]["ports"][0]["name"] = json!("store");
        world.create(&kind::SERVICE, SPACE, headless);
    }
    let mut ported = service("ported", "web", 80, json!(8080));
    ported["spec"]["ports"][0]["name"] = json!("http");
    world.create(&kind::SERVICE, SPACE, ported);
    world.run(4);
    let asked = |world: &mut World, arguments: &[&str]| {
        let argv: Vec<String> = ["nslookup"].iter().chain(arguments).map(|it| (*it).to_owned()).collect();
        let done = node::exec(&mut world.cluster, SPACE, "caller", "", &argv, b"").unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let found: Vec<String> = text.lines().skip(3).map(str::to_owned).collect();
        found
    };
    let full = "ported.shop.svc.cluster.local";
    let one = format!("_http._tcp.{full}\tservice = 0 100 80 {full}");
    assert_eq!(asked(&mut world, &["-type=srv", "_http._tcp.ported"]), [one]);
    assert_eq!(asked(&mut world, &["-type=srv", "ported"]), [format!("{full}\tservice = 0 100 80 {full}")]);
    let nothing = ["** server can't find _ftp._tcp.ported: NXDOMAIN"];
    assert_eq!(asked(&mut world, &["-type=srv", "_ftp._tcp.ported"]), nothing);
    let store = "_store._tcp.db.shop.svc.cluster.local\tservice = 0 100 8080 db-0.db.shop.svc.cluster.local";
    assert_eq!(asked(&mut world, &["-type=SRV", "_store._tcp.db"]), [store], "an endpoint has the pod's port");
    let all = asked(&mut world, &["-type=srv", "_store._tcp.all"]);
    assert!(all.len() == 2 && all.iter().all(|line| line.contains("service = 0 50 8080 ")), "{all:?}");
    let turned = |ip: &str| {
        let parts: Vec<&str> = ip.split('.').rev().collect();
        format!("{}.in-addr.arpa", parts.join("."))
    };
    let ip = |world: &World, kind: &'static breakfix_sim_kube::Kind, name: &str, path: &str| {
        world.get(kind, name).pointer(path).unwrap().as_str().unwrap().to_owned()
    };
    let cluster_ip = ip(&world, &kind::SERVICE, "ported", "/spec/clusterIP");
    let named = format!("{}\tname = {full}", turned(&cluster_ip));
    assert_eq!(asked(&mut world, &[&cluster_ip]), std::slice::from_ref(&named));
    assert_eq!(asked(&mut world, &["-type=ptr", &turned(&cluster_ip)]), [named]);
    let pod_ip = ip(&world, &kind::POD, "db-0", "/status/podIP");
    let named = format!("{}\tname = db-0.db.shop.svc.cluster.local", turned(&pod_ip));
    assert_eq!(asked(&mut world, &[&pod_ip]), [named], "a pod with a hostname");
    let bare = world.pods_of("web")[0]["status"]["podIP"].as_str().unwrap().to_owned();
    let none = format!("** server can't find {}: NXDOMAIN", turned(&bare));
    assert_eq!(asked(&mut world, &[&bare]), [none], "a pod without");
}

/// Documented: dnsConfig adds to what the policy gives, and `None` leaves only it.
#[test]
fn a_pods_resolver_is_its_own() {
    let (mut world, _) = shop();
    let with = |name: &str, policy: &str, config: Value| {
        json!({"metadata": {"name": name}, "spec": {"dnsPolicy": policy, "dnsConfig": config,
            "containers": [{"name": "main", "image": WEB}]}})
    };
    world.create(
        &kind::POD,
        SPACE,
        with(
            "more",
            "ClusterFirst",
            json!({"searches": ["data.svc.cluster.local"], "options": [{"name": "ndots", "value": "2"}]}),
        ),
    );
    world.create(
        &kind::POD,
        SPACE,
        with("bare", "None", json!({"nameservers": ["10.96.0.10"], "searches": ["x.example"]})),
    );
    world.run(4);
    let read = |world: &mut World, pod: &str| {
        let argv = ["cat".to_owned(), "/etc/resolv.conf".to_owned()];
        String::from_utf8(node::exec(&mut world.cluster, SPACE, pod, "", &argv, b"").unwrap().stdout).unwrap()
    };
    assert_eq!(
        read(&mut world, "more"),
        "search shop.svc.cluster.local svc.cluster.local cluster.local data.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:2\n"
    );
    assert_eq!(read(&mut world, "bare"), "search x.example\nnameserver 10.96.0.10\n");
}

/// By mechanism: without its name servers the cluster has no names, and addresses still answer.
#[test]
fn without_dns_only_addresses_work() {
    let (mut world, caller) = shop();
    world
        .cluster
        .update(
            &kind::DEPLOYMENT,
            "kube-system",
            "coredns",
            breakfix_sim_kube::api::verbs::Part::Main,
            &World::admin(),
            |dns| dns["spec"]["replicas"] = json!(0),
        )
        .unwrap();
    world.run(5);
    let ip = world.get(&kind::SERVICE, "web")["spec"]["clusterIP"].as_str().unwrap().to_owned();
    assert_ne!(ask(&mut world, &caller, "http://web/"), "web 1.4");
    assert_eq!(ask(&mut world, &caller, &format!("http://{ip}/")), "web 1.4");
}

/// Tried on 1.36 (`one-node-gets-no-answer`): with a local policy a node without an endpoint of its own drops the packets.
#[test]
fn a_local_policy_drops_where_no_endpoint_is() {
    let (mut world, _) = shop();
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(1));
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["internalTrafficPolicy"] = json!("Local"));
    world.run(5);
    let node = world.pods_of("web")[0]["spec"]["nodeName"].as_str().unwrap().to_owned();
    for worker in ["breakfix-worker", "breakfix-worker2"] {
        let name = format!("on-{worker}");
        world.create(
            &kind::POD,
            SPACE,
            json!({"metadata": {"name": name}, "spec": {"nodeName": worker, "containers": [
                {"name": "main", "image": WEB, "command": ["sleep", "infinity"]}]}}),
        );
        world.run(4);
        let caller = world.get(&kind::POD, &name);
        let wanted = if worker == node { "web 1.4" } else { "timed_out" };
        assert_eq!(ask(&mut world, &caller, "http://web/"), wanted, "{worker}");
    }
}

/// Documented: both pods get requests; with ClientIP affinity one caller stays with one pod.
#[test]
fn requests_are_spread_unless_the_caller_is_to_stay() {
    let (mut world, caller) = shop();
    let instances = |world: &mut World| -> BTreeSet<String> {
        (0..20)
            .map(|_| world.get_from(&caller, "http://web/").unwrap().header("x-workload-instance").unwrap().to_owned())
            .collect()
    };
    assert_eq!(instances(&mut world).len(), 2);
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["sessionAffinity"] = json!("ClientIP"));
    assert_eq!(instances(&mut world).len(), 1);
}

/// Documented: a node port leads to the Service from every node.
#[test]
fn a_node_port_is_on_every_node() {
    let (mut world, caller) = shop();
    world.edit(&kind::SERVICE, "web", |web| web["spec"]["type"] = json!("NodePort"));
    world.run(1);
    let port = world.get(&kind::SERVICE, "web")["spec"]["ports"][0]["nodePort"].clone();
    for host in 2..5 {
        assert_eq!(ask(&mut world, &caller, &format!("http://172.31.0.{host}:{port}/")), "web 1.4");
    }
    assert_eq!(ask(&mut world, &caller, "http://172.31.0.3:31999/"), "refused");
}

/// By mechanism: a program that asks another one within a request waits for it; a circle of programs ends.
#[test]
fn programs_call_each_other() {
    let (mut world, caller) = shop();
    let env =
        |upstream: &str| json!({"env": [{"name": "UPSTREAMS", "value": upstream}, {"name": "APP", "value": "front"}]});
    world.create(&kind::DEPLOYMENT, SPACE, deployment("front", 1, env("web=http://web/")));
    world.create(&kind::SERVICE, SPACE, service("front", "front", 80, json!(8080)));
    world.create(&kind::DEPLOYMENT, SPACE, deployment("round", 1, env("self=http://round/")));
    world.create(&kind::SERVICE, SPACE, service("round", "round", 80, json!(8080)));
    world.run(4);
    let answer = world.get_from(&caller, "http://front/").unwrap();
    assert!(answer.body_text().contains("web: web 1.4"), "{}", answer.body_text());
    let answer = world.get_from(&caller, "http://round/");
    assert!(answer.is_ok(), "the circle ends: {answer:?}");
}

/// Recorded in http/26-port-forward: a forwarded port reaches the program over the loopback interface.
#[test]
fn a_port_can_be_forwarded() {
    let (mut world, _) = shop();
    let name = world.pods_of("web")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let (spoken, took) = node::pod_port(&mut world.cluster, SPACE, &name, 8080, &Request::get("/")).unwrap();
    let node::Spoken::Answer(answer) = spoken else { panic!("{spoken:?}") };
    assert_eq!((answer.status, took < Duration::from_secs(1)), (200, true));
    let (spoken, _) = node::pod_port(&mut world.cluster, SPACE, &name, 9999, &Request::get("/")).unwrap();
    let node::Spoken::Refused(words) = spoken else { panic!("{spoken:?}") };
    assert!(words.contains("dial tcp4 127.0.0.1:9999: connect: connection refused"), "{words}");
}

/// Recorded in healthy-deployment: a deleting pod still serves, and is not ready any more; then it is gone from the slice.
#[test]
fn a_pod_that_goes_is_taken_out_at_once() {
    let (mut world, caller) = shop();
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(1));
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        world.run_millis(20);
        for endpoint in slices(&world, "web")[0]["endpoints"].as_array().unwrap() {
            seen.insert(endpoint["conditions"].to_string());
        }
    }
    assert!(seen.contains(r#"{"ready":false,"serving":true,"terminating":true}"#), "{seen:?}");
    assert_eq!(slices(&world, "web")[0]["endpoints"].as_array().unwrap().len(), 1);
    assert_eq!(ask(&mut world, &caller, "http://web/"), "web 1.4");
}
