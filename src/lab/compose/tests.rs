use serde_json::json;

use super::*;

fn texts(compose: &str, env: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("compose.yaml".to_owned(), compose.to_owned()), (".env".to_owned(), env.to_owned())])
}

fn made(compose: &str) -> Vec<Document> {
    read("work/", &texts(compose, "COMPOSE_PROJECT_NAME=shop\nTAG=1.4\n"), &BTreeMap::new()).unwrap()
}

fn said(compose: &str) -> String {
    let problems = read("work/", &texts(compose, "COMPOSE_PROJECT_NAME=shop\n"), &BTreeMap::new()).unwrap_err();
    problems.iter().map(|it| format!("{}:{}: {}\n", it.file, it.line, it.message)).collect()
}

fn container<'a>(documents: &'a [Document], name: &str) -> &'a serde_json::Value {
    &documents.iter().find(|it| it.kind == "Container" && it.name == name).unwrap().body
}

#[test]
fn a_project_is_networks_volumes_and_containers_in_the_order_of_their_start() {
    let documents = made(
        "services:\n  web: {image: 'web:${TAG}', container_name: web, depends_on: [api]}\n  api: {image: api, depends_on: {db: {condition: service_healthy}}}\n  db: {image: db, volumes: ['data:/data']}\nvolumes: {data: }\n",
    );
    let names: Vec<_> = documents.iter().map(|it| format!("{} {}", it.kind, it.name)).collect();
    assert_eq!(
        names,
        ["Network shop_default", "Volume shop_data", "Container shop-db-1", "Container shop-api-1", "Container web"]
    );
    assert_eq!(container(&documents, "web")["Image"], "web:1.4");
    assert_eq!(container(&documents, "shop-db-1")["HostConfig"]["Binds"], json!(["shop_data:/data:rw"]));
    let api = documents.iter().find(|it| it.name == "shop-api-1").unwrap();
    assert_eq!(conditions(api), [("db".to_owned(), Condition::Healthy)]);
    assert_eq!(service_of(api), Some("api"));
    let endpoints = &api.body["NetworkingConfig"]["EndpointsConfig"];
    assert_eq!(endpoints, &json!({"shop_default": {"Aliases": ["api"]}}));
}

#[test]
fn the_settings_of_a_service_are_those_of_the_engine() {
    let documents = made(
        "services:\n  web:\n    image: web\n    container_name: web\n    command: serve --page 'hello you'\n    entrypoint: [/workload]\n    environment: {A: 1, B: 'x y', C: }\n    ports: ['127.0.0.1:8080:80', {target: 53, published: 5353, protocol: udp}]\n    restart: on-failure:3\n    mem_limit: 64m\n    stop_grace_period: 1m30s\n    read_only: true\n    tmpfs: /tmp\n    healthcheck: {test: [CMD, get, /], interval: 2s, timeout: 500ms, retries: 3}\n    network_mode: host\n    logging: {driver: json-file, options: {max-size: 1m}}\n",
    );
    let body = container(&documents, "web");
    assert_eq!(body["Cmd"], json!(["serve", "--page", "hello you"]));
    assert_eq!((&body["Entrypoint"], &body["Env"]), (&json!(["/workload"]), &json!(["A=1", "B=x y"])));
    let host = &body["HostConfig"];
    assert_eq!(
        host["PortBindings"],
        json!({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "53/udp": [{"HostIp": "", "HostPort": "5353"}]})
    );
    assert_eq!(host["RestartPolicy"], json!({"Name": "on-failure", "MaximumRetryCount": 3}));
    assert_eq!((&host["Memory"], &body["StopTimeout"]), (&json!(64 << 20), &json!(90)));
    assert_eq!((&host["ReadonlyRootfs"], &host["Tmpfs"]), (&json!(true), &json!({"/tmp": ""})));
    assert_eq!(
        body["Healthcheck"],
        json!({"Test": ["CMD", "get", "/"], "Interval": 2_000_000_000i64, "Timeout": 500_000_000, "Retries": 3})
    );
    assert_eq!((&host["NetworkMode"], documents.len()), (&json!("host"), 1));
    assert_eq!(host["LogConfig"]["Config"], json!({"max-size": "1m"}));
}

#[test]
fn what_is_not_understood_is_said_with_its_line() {
    assert_eq!(
        said("services:\n  web:\n    image: web\n    secrets: [x]\n"),
        "work/compose.yaml:4: `secrets` of a service is not understood here\n"
    );
    assert!(said("services:\n  web: {build: .}\n").contains("`build` of a service"));
    assert!(said("services:\n  web: {image: web, volumes: ['./site:/srv']}\n").contains("./site"));
    assert!(said("services:\n  web: {image: 'web:${TAG}'}\n").contains("`TAG` has no value"));
    assert!(
        said("services:\n  a: {image: a, depends_on: [b]}\n  b: {image: b, depends_on: [a]}\n")
            .contains("never comes before")
    );
    assert!(said("services:\n  a: {image: a, depends_on: [nobody]}\n").contains("nobody"));
    assert!(said("services: [\n").contains("work/compose.yaml"));
    assert!(said("include: [x]\nservices:\n  a: {image: a}\n").contains("`include`"));
    let nameless = read("work/", &texts("services:\n  a: {image: a}\n", ""), &BTreeMap::new()).unwrap_err();
    assert!(nameless[0].message.contains("no name"), "{nameless:?}");
}

#[test]
fn a_folder_without_a_compose_file_has_no_documents() {
    assert_eq!(read("work/", &BTreeMap::new(), &BTreeMap::new()).unwrap(), []);
}

#[test]
fn what_the_environment_says_counts_more_than_the_file() {
    let folder = texts("services:\n  a: {image: 'a:$TAG'}\n", "COMPOSE_PROJECT_NAME=shop\nTAG=1\n");
    let documents = read("", &folder, &BTreeMap::from([("TAG".to_owned(), "2".to_owned())])).unwrap();
    assert_eq!(container(&documents, "shop-a-1")["Image"], "a:2");
}

#[test]
fn variables_have_values_or_defaults() {
    let known = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("E".to_owned(), String::new())]);
    let filled = |text: &str| text::filled(text, &known);
    assert_eq!(filled("$A-${A}-${B:-x}-${E:-y}-${E-z}-$$A").unwrap(), "1-1-x-y--$A");
    assert_eq!(filled("${B}").unwrap_err(), "B");
    assert_eq!(filled("${A:?must}").unwrap_err(), "A:?must");
}

#[test]
fn times_sizes_and_commands() {
    assert_eq!((text::nanoseconds("1m30s"), text::nanoseconds("2")), (Some(90_000_000_000), None));
    assert_eq!((text::bytes("64m"), text::bytes("1Gb"), text::bytes("x")), (Some(64 << 20), Some(1 << 30), None));
    assert_eq!(text::words(r#"a "b c" 'd \e' f\ g """#).unwrap(), ["a", "b c", r"d \e", "f g", ""]);
    assert_eq!(text::words("'open"), None);
}
