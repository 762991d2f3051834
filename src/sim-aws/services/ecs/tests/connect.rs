//! Service Connect: who finds whom, since when, and what is told where nobody answers.
//!
//! Sources: Amazon ECS developer guide, "Service Connect" and "Service Connect components" (endpoints are fixed for a deployment; the task's own
//! security groups count on the container port); API reference, ServiceConnectService and ServiceConnectClientAlias; Envoy's own sentences.

use breakfix_workload::Request;
use serde_json::{Value, json};

use super::shop::{Shop, image};
use crate::services::elbv2;

const NAMESPACE: &str = "shop.connect";

/// A shop whose `web` shows what `http://api` answers, and whose `api` has the alias `api:80`. `http`: the proxy understands what it carries.
struct Pair {
    shop: Shop,
    api: String,
    web: String,
}

impl Pair {
    fn new(http: bool) -> Self {
        let mut shop = Shop::new();
        shop.call("servicediscovery", "CreateHttpNamespace", json!({"Name": NAMESPACE}));
        let web = shop.net.id("web");
        shop.net.allow("other", 8080, json!({"UserIdGroupPairs": [{"GroupId": web}]}));
        let mut port = json!({"name": "http", "containerPort": 8080});
        if http {
            port["appProtocol"] = json!("http");
        }
        let api =
            shop.define(&image(), json!({"portMappings": [port], "environment": [{"name": "APP", "value": "api"}]}));
        let settings =
            json!([{"name": "UPSTREAMS", "value": "api=http://api/"}, {"name": "UPSTREAM_TIMEOUT", "value": "20s"}]);
        let web = shop.define(&image(), json!({"environment": settings}));
        Self { shop, api, web }
    }

    fn api(&mut self, connect: Value) {
        let (group, definition) = (self.shop.net.id("other"), self.api.clone());
        let subnets = [self.shop.net.id("private-a"), self.shop.net.id("private-b")];
        let input = json!({
            "cluster": "shop", "serviceName": "api", "taskDefinition": definition, "desiredCount": 2, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
            "serviceConnectConfiguration": connect,
        });
        self.shop.call("ecs", "CreateService", input);
        self.shop.pass(240);
    }

    fn web(&mut self, connect: Value) {
        let definition = self.web.clone();
        self.shop.serve(&definition, json!({"serviceConnectConfiguration": connect}));
        self.shop.pass(300);
    }

    fn update(&mut self, mut input: Value) {
        input["cluster"] = json!("shop");
        self.shop.call("ecs", "UpdateService", input);
        self.shop.pass(300);
    }

    /// What the page says of `api`.
    fn page(&mut self) -> String {
        let name = self.shop.dns.clone();
        let answer = elbv2::answer(&mut self.shop.net.cloud, &name, 80, &Request::get("/")).result.unwrap();
        answer.body_text().lines().filter(|it| it.contains("api")).collect()
    }

    fn instances(&mut self) -> Vec<Value> {
        let input = json!({"NamespaceName": NAMESPACE, "ServiceName": "orders"});
        self.shop.call("servicediscovery", "DiscoverInstances", input)["Instances"].as_array().unwrap().clone()
    }
}

fn serves() -> Value {
    json!({
        "enabled": true, "namespace": NAMESPACE,
        "services": [{"portName": "http", "discoveryName": "orders", "clientAliases": [{"port": 80, "dnsName": "api"}]}],
    })
}

fn asks() -> Value {
    json!({"enabled": true, "namespace": NAMESPACE})
}

#[test]
fn an_alias_leads_to_the_tasks_that_serve_it_whichever_they_are() {
    let mut pair = Pair::new(true);
    pair.api(serves());
    pair.web(asks());
    assert!(pair.page().contains("api 1.0"), "{}", pair.page());
    let service = pair.shop.call("ecs", "DescribeServices", json!({"cluster": "shop", "services": ["api"]}));
    let resources = &service["services"][0]["deployments"][0]["serviceConnectResources"];
    assert_eq!(resources[0]["discoveryName"], "orders", "{service:#}");
    assert!(resources[0]["discoveryArn"].as_str().unwrap().contains(":servicediscovery:"));
    assert_eq!(pair.instances().len(), 2);
    // Other tasks, the same name.
    let before = pair.instances();
    pair.update(json!({"service": "api", "forceNewDeployment": true}));
    let now = pair.instances();
    assert!(now.len() == 2 && now.iter().all(|it| !before.contains(it)), "{now:#?}");
    assert!(pair.page().contains("api 1.0"), "{}", pair.page());
}

#[test]
fn who_has_no_service_connect_knows_no_alias() {
    let mut pair = Pair::new(true);
    pair.api(serves());
    pair.web(json!({"enabled": false}));
    assert!(pair.page().contains("unknown"), "{}", pair.page());
    pair.update(json!({"service": "web", "serviceConnectConfiguration": asks()}));
    assert!(pair.page().contains("api 1.0"), "{}", pair.page());
}

#[test]
fn an_endpoint_is_known_to_deployments_that_begin_after_it() {
    let mut pair = Pair::new(true);
    pair.web(asks());
    pair.api(serves());
    assert!(pair.page().contains("unknown"), "{}", pair.page());
    // A task that replaces another behaves as its deployment does.
    let tasks = pair.shop.tasks("RUNNING");
    for task in tasks.iter().filter(|it| it["group"] == "service:web") {
        pair.shop.call("ecs", "StopTask", json!({"cluster": "shop", "task": task["taskArn"]}));
    }
    pair.shop.pass(300);
    assert!(pair.page().contains("unknown"), "{}", pair.page());
    pair.update(json!({"service": "web", "forceNewDeployment": true}));
    assert!(pair.page().contains("api 1.0"), "{}", pair.page());
}

#[test]
fn where_nobody_answers_the_proxy_says_so_if_it_speaks_http() {
    for (http, said) in [(true, "503"), (false, "ended")] {
        let mut pair = Pair::new(http);
        pair.api(serves());
        pair.web(asks());
        pair.update(json!({"service": "api", "desiredCount": 0}));
        let page = pair.page();
        assert!(page.contains(said) || !http && page.contains("reset"), "{page}");
        assert!(pair.instances().is_empty());
    }
}

#[test]
fn the_groups_of_the_server_count_on_the_container_port() {
    let mut pair = Pair::new(true);
    pair.api(serves());
    pair.web(asks());
    pair.shop.net.close("other", false);
    let page = pair.page();
    assert!(page.contains("504") || page.contains("503"), "{page}");
}

#[test]
fn a_service_that_is_gone_leaves_no_name_behind() {
    let mut pair = Pair::new(true);
    pair.api(serves());
    pair.shop.call("ecs", "DeleteService", json!({"cluster": "shop", "service": "api", "force": true}));
    pair.shop.pass(300);
    let names = pair.shop.call("servicediscovery", "ListServices", json!({}));
    assert_eq!(names["Services"], json!([]));
}

#[test]
fn a_cluster_lends_its_namespace_and_makes_one_where_there_is_none() {
    let mut pair = Pair::new(true);
    let input = json!({"cluster": "shop", "serviceConnectDefaults": {"namespace": "fresh"}});
    let cluster = pair.shop.call("ecs", "UpdateCluster", input)["cluster"].clone();
    let arn = cluster["serviceConnectDefaults"]["namespace"].as_str().unwrap().to_owned();
    assert!(arn.contains(":namespace/ns-"), "{arn}");
    let mut connect = serves();
    connect.as_object_mut().unwrap().remove("namespace");
    pair.api(connect);
    let input = json!({"NamespaceName": "fresh", "ServiceName": "orders"});
    let found = pair.shop.call("servicediscovery", "DiscoverInstances", input);
    assert_eq!(found["Instances"].as_array().unwrap().len(), 2);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut pair = Pair::new(true);
    pair.api(serves());
    let service = |more: Value| json!([more]);
    let alias = json!([{"port": 80, "dnsName": "api"}]);
    for (member, value, code, word) in [
        ("services", service(json!({"portName": "grpc"})), "InvalidParameterException", "grpc"),
        (
            "services",
            service(json!({"portName": "http", "clientAliases": [{"dnsName": "api"}]})),
            "InvalidParameterException",
            "port",
        ),
        (
            "services",
            service(json!({"portName": "http", "discoveryName": "orders", "clientAliases": alias})),
            "InvalidParameterException",
            "already in use",
        ),
        (
            "services",
            service(json!({"portName": "http", "tls": {"issuerCertificateAuthority": {}}})),
            "UnsupportedFeatureException",
            "TLS",
        ),
        ("logConfiguration", json!({"logDriver": "awslogs"}), "UnsupportedFeatureException", "logs"),
        ("namespace", json!("nowhere"), "NamespaceNotFoundException", "nowhere"),
        ("namespace", json!(""), "InvalidParameterException", "namespace"),
    ] {
        let mut connect = asks();
        connect[member] = value;
        let input = json!({
            "cluster": "shop", "serviceName": "third", "taskDefinition": pair.api, "desiredCount": 1, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": [pair.shop.net.id("private-a")]}},
            "serviceConnectConfiguration": connect,
        });
        let error = pair.shop.net.call("ecs", "CreateService", input).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(word), "{error}");
    }
}
