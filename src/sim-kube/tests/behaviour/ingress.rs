//! Ingress objects, with a controller in the cluster and without one. Sources: the page "Ingress" of the documentation, ingress-nginx.

use std::sync::Arc;

use breakfix_sim_kube::{
    bootstrap::add_ingress_controller,
    kind,
    network::{self, Source},
};
use breakfix_workload::Request;
use serde_json::{Value, json};

use crate::world::{SPACE, World, deployment, service};

fn shop() -> (World, Arc<Value>) {
    let mut world = World::new();
    let caller = world.caller();
    for name in ["web", "admin"] {
        let container = json!({"ports": [{"containerPort": 8080}], "env": [{"name": "APP", "value": name}]});
        world.create(&kind::DEPLOYMENT, SPACE, deployment(name, 1, container));
        world.create(&kind::SERVICE, SPACE, service(name, name, 80, json!(8080)));
    }
    (world, caller)
}

fn ingress(paths: Value) -> Value {
    json!({"metadata": {"name": "shop"}, "spec": {"ingressClassName": "nginx", "rules": [
        {"host": "shop.example", "http": {"paths": paths}}]}})
}

fn path(kind: &str, path: &str, service: &str) -> Value {
    json!({"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

/// Status and first line through the controller's Service, under a host name.
fn through(world: &mut World, caller: &Value, host: &str, path: &str) -> (u16, String) {
    let from = Source::Pod(caller["metadata"]["uid"].as_str().unwrap().to_owned());
    let url = format!("http://ingress-nginx-controller.ingress-nginx{path}");
    let request = Request::get(path).with_header("host", host);
    let timeout = std::time::Duration::from_secs(10);
    let answer = network::http(&mut world.cluster, &from, &url, &request, timeout).outcome.unwrap();
    (answer.status, answer.body_text().lines().next().unwrap_or("").to_owned())
}

#[test]
fn a_request_meets_its_rule() {
    let (mut world, caller) = shop();
    add_ingress_controller(&mut world.cluster).unwrap();
    world.create(&kind::INGRESS, SPACE, ingress(json!([path("Exact", "/", "web"), path("Prefix", "/admin", "admin")])));
    world.run(25);
    assert_eq!(through(&mut world, &caller, "shop.example", "/"), (200, "web 1.4".to_owned()));
    assert_eq!(through(&mut world, &caller, "shop.example", "/cart/1").0, 404, "Exact means the same path");
    assert_eq!(through(&mut world, &caller, "other.example", "/").0, 404, "no such host");
    world.edit(&kind::INGRESS, "shop", |shop| {
        shop["spec"]["rules"][0]["http"]["paths"][0]["pathType"] = json!("Prefix")
    });
    assert_eq!(through(&mut world, &caller, "shop.example", "/"), (200, "web 1.4".to_owned()));
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(0));
    world.run(5);
    assert_eq!(through(&mut world, &caller, "shop.example", "/").0, 503, "no endpoints");
    world.edit(&kind::INGRESS, "shop", |shop| shop["spec"]["ingressClassName"] = json!("other"));
    assert_eq!(through(&mut world, &caller, "shop.example", "/admin").0, 404, "another class is another controller's");
    world.run(60);
}

#[test]
fn the_controller_says_where_it_is_reached() {
    let (mut world, _) = shop();
    world.create(&kind::INGRESS, SPACE, ingress(json!([path("Prefix", "/", "web")])));
    world.run(120);
    let status = |world: &World| world.get(&kind::INGRESS, "shop")["status"].clone();
    assert_eq!(status(&world).pointer("/loadBalancer/ingress"), None, "kind has no controller");
    add_ingress_controller(&mut world.cluster).unwrap();
    world.run(120);
    assert_eq!(status(&world)["loadBalancer"]["ingress"], json!([{"hostname": "localhost"}]));
}
