//! Configuration as containers see it: variables, files, changes.

use breakfix_sim_kube::{kind, node};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, is_ready};

/// A pod with one container and volumes.
fn pod(name: &str, volumes: Value, container: Value) -> Value {
    let mut container = container;
    container["name"] = json!("main");
    container["image"] = json!(WEB);
    json!({"metadata": {"name": name, "labels": {"app": name}, "annotations": {"note": "hello"}},
        "spec": {"volumes": volumes, "containers": [container]}})
}

fn cat(world: &mut World, pod: &str, path: &str) -> String {
    let argv = ["cat".to_owned(), path.to_owned()];
    let done = node::exec(&mut world.cluster, SPACE, pod, "", &argv, b"").unwrap();
    String::from_utf8(if done.exit == 0 { done.stdout } else { done.stderr }).unwrap()
}

fn with_config() -> World {
    let mut world = World::new();
    world.create(
        &kind::CONFIG_MAP,
        SPACE,
        json!({"metadata": {"name": "shop"}, "data": {"currency": "EUR", "shop.yaml": "a: 1\n"}}),
    );
    world.create(&kind::SECRET, SPACE, json!({"metadata": {"name": "db"}, "stringData": {"password": "s3cret"}}));
    world
}

/// Tried on 1.36 (`login-fails-since-rotation`): a volume follows after 47 to 64 s, a subPath never, a variable never.
#[test]
fn a_change_reaches_a_volume_and_not_a_sub_path() {
    let mut world = with_config();
    world.create(
        &kind::POD,
        SPACE,
        pod(
            "web",
            json!([{"name": "db", "secret": {"secretName": "db"}}]),
            json!({
                "env": [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
                "volumeMounts": [
                    {"name": "db", "mountPath": "/secret"},
                    {"name": "db", "mountPath": "/fixed/password", "subPath": "password"},
                ],
            }),
        ),
    );
    world.run(20);
    assert_eq!(cat(&mut world, "web", "/secret/password"), "s3cret");
    world.edit(&kind::SECRET, "db", |db| db["data"]["password"] = json!("bmV3"));
    world.run(20);
    assert_eq!(cat(&mut world, "web", "/secret/password"), "s3cret", "not at once");
    world.run(75);
    assert_eq!(cat(&mut world, "web", "/secret/password"), "new");
    assert_eq!(cat(&mut world, "web", "/fixed/password"), "s3cret");
    let argv = ["printenv".to_owned(), "PW".to_owned()];
    assert_eq!(node::exec(&mut world.cluster, SPACE, "web", "", &argv, b"").unwrap().stdout, b"s3cret\n");
}

/// kubelet's words; documented: the pod waits in ContainerCreating until the volume can be mounted.
#[test]
fn a_missing_volume_is_waited_for() {
    let mut world = with_config();
    let mount = json!({"volumeMounts": [{"name": "config", "mountPath": "/etc/shop"}]});
    let config = |source: Value| json!([{"name": "config", "configMap": source}]);
    world.create(&kind::POD, SPACE, pod("none", config(json!({"name": "later"})), mount.clone()));
    world.create(
        &kind::POD,
        SPACE,
        pod("key", config(json!({"name": "shop", "items": [{"key": "url", "path": "url"}]})), mount.clone()),
    );
    world.create(&kind::POD, SPACE, pod("optional", config(json!({"name": "later", "optional": true})), mount));
    world.run(10);
    let waiting = |world: &World, name: &str| {
        world.get(&kind::POD, name)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone()
    };
    assert_eq!(waiting(&world, "none"), "ContainerCreating");
    assert_eq!(waiting(&world, "key"), "ContainerCreating");
    assert!(is_ready(&world.get(&kind::POD, "optional")));
    let events = world.events();
    assert!(
        events
            .iter()
            .any(|event| event
                .contains("MountVolume.SetUp failed for volume \"config\" : configmap \"later\" not found")),
        "{events:#?}"
    );
    assert!(events.iter().any(|event| {
        event.contains("MountVolume.SetUp failed for volume \"config\" : references non-existent config key: url")
    }));
    world.create(&kind::CONFIG_MAP, SPACE, json!({"metadata": {"name": "later"}, "data": {"a": "b"}}));
    world.until(130, "it runs", |cluster| is_ready(&cluster.get(&kind::POD, SPACE, "none").unwrap()));
    assert_eq!(cat(&mut world, "none", "/etc/shop/a"), "b");
}

/// Tried on 1.36 (`orders-vanish`): an emptyDir survives a container's crash and not the pod; a container's own files survive neither.
#[test]
fn an_empty_dir_lives_as_long_as_its_pod() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        pod(
            "web",
            json!([{"name": "data", "emptyDir": {}}]),
            json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
        ),
    );
    world.run(4);
    let write = |world: &mut World, path: &str| {
        let argv = ["touch".to_owned(), path.to_owned()];
        assert_eq!(node::exec(&mut world.cluster, SPACE, "web", "", &argv, b"").unwrap().exit, 0);
    };
    write(&mut world, "/data/kept");
    write(&mut world, "/tmp/lost");
    let kill = ["sh".to_owned(), "-c".to_owned(), "kill 1".to_owned()];
    node::exec(&mut world.cluster, SPACE, "web", "", &kill, b"").unwrap();
    world.run(5);
    assert_eq!(world.get(&kind::POD, "web")["status"]["containerStatuses"][0]["restartCount"], 1);
    assert_eq!(cat(&mut world, "web", "/data/kept"), "");
    assert!(cat(&mut world, "web", "/tmp/lost").contains("No such file or directory"));
}

/// Tried on 1.36 (`key-present-but-unreadable`): without runAsGroup the process has group 0, so 0440 alone is enough; 0400 is not.
#[test]
fn permissions_of_mounted_files_count() {
    let mut world = with_config();
    let volume = |mode: u32| json!([{"name": "db", "secret": {"secretName": "db", "defaultMode": mode}}]);
    let mounted =
        |user: Value| json!({"volumeMounts": [{"name": "db", "mountPath": "/secret"}], "securityContext": user});
    world.create(&kind::POD, SPACE, pod("owner-only", volume(0o400), mounted(json!({"runAsUser": 10001}))));
    world.create(&kind::POD, SPACE, pod("group-zero", volume(0o440), mounted(json!({"runAsUser": 10001}))));
    world.create(
        &kind::POD,
        SPACE,
        pod("other-group", volume(0o440), mounted(json!({"runAsUser": 10001, "runAsGroup": 10001}))),
    );
    let mut with_group = pod("fs-group", volume(0o400), mounted(json!({"runAsUser": 10001, "runAsGroup": 10001})));
    with_group["spec"]["securityContext"] = json!({"fsGroup": 10001});
    world.create(&kind::POD, SPACE, with_group);
    world.run(5);
    for (name, readable) in [("owner-only", false), ("group-zero", true), ("other-group", false), ("fs-group", true)] {
        let seen = cat(&mut world, name, "/secret/password");
        assert_eq!(seen == "s3cret", readable, "{name}: {seen}");
    }
}

/// Documented: a read-only root refuses writes, its volumes do not.
#[test]
fn a_read_only_root_is_read_only() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        pod(
            "web",
            json!([{"name": "tmp", "emptyDir": {}}]),
            json!({"securityContext": {"readOnlyRootFilesystem": true}, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}),
        ),
    );
    world.run(4);
    let touch = |world: &mut World, path: &str| {
        let argv = ["touch".to_owned(), path.to_owned()];
        node::exec(&mut world.cluster, SPACE, "web", "", &argv, b"").unwrap().exit
    };
    assert_eq!((touch(&mut world, "/tmp/a"), touch(&mut world, "/data/a")), (0, 1));
}

/// Documented: fields, resources, expansion, and Services' variables unless they are not wanted.
#[test]
fn the_environment_is_made_of_many_things() {
    let mut world = with_config();
    world.create(&kind::SERVICE, SPACE, crate::world::service("db", "db", 5432, json!(5432)));
    let env = json!([
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "APP_LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "CPU_HALF", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}},
        {"name": "URL", "value": "http://$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)/$(POD)/$(MISSING)"},
        {"name": "OPTIONAL", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "nope", "optional": true}}},
    ]);
    let mut body = pod(
        "web",
        json!([]),
        json!({
            "env": env,
            "envFrom": [{"prefix": "SHOP_", "configMapRef": {"name": "shop"}}],
            "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "500m"}},
        }),
    );
    world.create(&kind::POD, SPACE, body.clone());
    body["metadata"]["name"] = json!("plain");
    body["spec"]["enableServiceLinks"] = json!(false);
    world.create(&kind::POD, SPACE, body);
    world.run(5);
    let env = |world: &mut World, pod: &str| {
        let done = node::exec(&mut world.cluster, SPACE, pod, "", &["env".to_owned()], b"").unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let web = env(&mut world, "web");
    let db = world.get(&kind::SERVICE, "db")["spec"]["clusterIP"].as_str().unwrap().to_owned();
    for line in
        ["POD=web", "APP_LABEL=web", "MEMORY=64", "CPU_HALF=1", "SHOP_currency=EUR", "HOSTNAME=web", "VERSION=1.4"]
    {
        assert!(web.lines().any(|seen| seen == line), "{line} is not in\n{web}");
    }
    assert!(web.contains(&format!("URL=http://{db}:5432/web/$(MISSING)\n")), "{web}");
    assert!(!web.contains("OPTIONAL"));
    let plain = env(&mut world, "plain");
    assert!(!plain.contains("DB_SERVICE_HOST=") && plain.contains("KUBERNETES_SERVICE_HOST=10.96.0.1\n"), "{plain}");
}

/// Recorded in healthy-deployment: the token's folder as every container has it.
#[test]
fn every_container_has_its_token() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!([]), json!({})));
    world.run(4);
    let argv = ["ls".to_owned(), "-la".to_owned(), "/var/run/secrets/kubernetes.io/serviceaccount".to_owned()];
    let done = node::exec(&mut world.cluster, SPACE, "web", "", &argv, b"").unwrap();
    let listing = String::from_utf8(done.stdout).unwrap();
    for ending in ["ca.crt -> ..data/ca.crt", "namespace -> ..data/namespace", "token -> ..data/token"] {
        assert!(listing.lines().any(|line| line.ends_with(ending)), "{ending} is not in\n{listing}");
    }
    let argv = ["ls", "-lL", "/var/run/secrets/kubernetes.io/serviceaccount"].map(str::to_owned);
    let done = node::exec(&mut world.cluster, SPACE, "web", "", &argv, b"").unwrap();
    let followed = String::from_utf8(done.stdout).unwrap();
    assert_eq!(
        followed.lines().filter(|line| line.starts_with("-rw-r--r--") && !line.contains("->")).count(),
        3,
        "{followed}"
    );
    assert_eq!(cat(&mut world, "web", "/var/run/secrets/kubernetes.io/serviceaccount/namespace"), "shop");
    assert_eq!(cat(&mut world, "web", "/var/run/secrets/kubernetes.io/serviceaccount/token").matches('.').count(), 2);
    assert!(cat(&mut world, "web", "/etc/hosts").contains("\tweb\n"));
}

/// Documented, and for an unmodelled type by honesty: what is not simulated is said.
#[test]
fn an_unknown_volume_is_refused_in_words() {
    let mut world = World::new();
    let volume = json!([{"name": "data", "nfs": {"server": "nas", "path": "/"}}]);
    world.create(
        &kind::POD,
        SPACE,
        pod("web", volume, json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]})),
    );
    world.run(4);
    assert!(
        world.events().iter().any(|event| event.contains("volumes of type nfs are not simulated")),
        "{}",
        world.scene()
    );
}
