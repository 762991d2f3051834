use serde_json::json;

use super::*;

const BEFORE: &str = "2026-03-01T09:00:00.5Z";
const AFTER: &str = "2026-03-01T10:05:00.123456789Z";

fn claims() -> Claims {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Claims {
        session: "lab-abcd".into(),
        before: Some(BTreeSet::new()),
        containers: set(&["web", "db"]),
        networks: set(&["shop"]),
        volumes: set(&["db-data"]),
        images: set(&["registry.example/shop/web:1.4"]),
        ports: set(&["18080"]),
        seen: set(&["forgotten", "left-id"]),
        others: Default::default(),
    }
}

fn container(name: &str, created: &str, more: Value) -> Value {
    let mut value = json!({
        "Id": format!("{name:x<64}"),
        "Name": format!("/{name}"),
        "Created": created,
        "Config": {"Image": "alpine", "Labels": {}},
        "HostConfig": {"NetworkMode": "default", "PortBindings": {}},
        "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "bridge-id"}}},
        "Mounts": [],
    });
    crate::life::edit::merge(&mut value, &more);
    value
}

fn network(name: &str, created: &str) -> Value {
    json!({"Id": format!("{name}-id"), "Name": name, "Created": created, "Labels": {}})
}

fn volume(name: &str, created: &str) -> Value {
    json!({"Name": name, "CreatedAt": created, "Labels": null})
}

/// With everything that was made before on record as such.
fn belongings(snapshot: &Snapshot) -> Belongings {
    let all = snapshot.containers.iter().chain(&snapshot.networks).chain(&snapshot.volumes);
    let old = |it: &&Value| text(it, &["Created"]).or(text(it, &["CreatedAt"])) == Some(BEFORE);
    snapshot.belongings(&Claims { before: Some(all.filter(old).filter_map(key).collect()), ..claims() })
}

fn of(snapshot: &Snapshot) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mine = belongings(snapshot);
    let names = mine.containers.iter().map(|id| id.trim_end_matches('x').to_owned()).collect();
    (names, mine.networks.into_iter().collect(), mine.volumes.into_iter().collect())
}

#[test]
fn labels_and_declared_names_are_enough() {
    let labelled = json!({"Config": {"Labels": {"breakfix.dev/session": "lab-abcd"}}});
    let snapshot = Snapshot {
        containers: vec![container("other", BEFORE, labelled), container("web", AFTER, json!({}))],
        networks: vec![network("shop", AFTER), network("bridge", BEFORE)],
        volumes: vec![volume("db-data", "2026-03-01T10:00:00Z"), volume("mine", BEFORE)],
    };
    let (containers, networks, volumes) = of(&snapshot);
    assert_eq!(containers, ["other", "web"]);
    assert_eq!((networks, volumes), (vec!["shop-id".to_owned()], vec!["db-data".to_owned()]));
}

#[test]
fn a_name_that_was_taken_before_the_session_began_stays_its_owners() {
    let snapshot = Snapshot {
        containers: vec![container("web", BEFORE, json!({}))],
        networks: vec![network("shop", BEFORE)],
        volumes: vec![volume("db-data", BEFORE)],
    };
    assert_eq!(belongings(&snapshot), Belongings::default());
}

#[test]
fn another_session_is_never_touched() {
    let theirs = json!({"Config": {"Labels": {"breakfix.dev/session": "lab-efgh"}}});
    let mut shop = network("shop", AFTER);
    shop["Labels"] = json!({"breakfix.dev/session": "lab-efgh"});
    let snapshot =
        Snapshot { containers: vec![container("web", AFTER, theirs)], networks: vec![shop], volumes: Vec::new() };
    assert_eq!(belongings(&snapshot), Belongings::default());
}

#[test]
fn what_was_there_before_is_not_the_labs_whatever_it_is_tied_to() {
    let on_shop = json!({"NetworkSettings": {"Networks": {"shop": {"NetworkID": "shop-id"}}}});
    let joined = json!({
        "NetworkSettings": {"Networks": {"own": {"NetworkID": "own-id"}}},
        "Mounts": [{"Type": "volume", "Name": "own-data"}],
    });
    let snapshot = Snapshot {
        containers: vec![container("mine", BEFORE, on_shop), container("web", AFTER, joined)],
        networks: vec![network("shop", AFTER), network("own", BEFORE)],
        volumes: vec![volume("own-data", BEFORE), volume("forgotten", BEFORE)],
    };
    let (containers, networks, volumes) = of(&snapshot);
    assert_eq!(containers, ["web"]);
    assert_eq!(networks, ["shop-id"]);
    assert!(volumes.is_empty());
}

#[test]
fn what_was_made_since_and_is_tied_to_the_lab_is_the_labs() {
    let on_new = json!({"NetworkSettings": {"Networks": {"back": {"NetworkID": "back-id"}}}});
    let shares = json!({"HostConfig": {"NetworkMode": format!("container:{:x<64}", "web")}});
    let by_name = json!({"HostConfig": {"PidMode": "container:relay"}});
    let mounts = json!({"Mounts": [{"Type": "volume", "Name": "copy"}, {"Type": "volume", "Name": "db-data"}]});
    let image = json!({
        "Config": {"Image": "registry.example/shop/web:1.4", "Labels": {"breakfix.dev/workload": "0123"}},
    });
    let port = json!({"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "18080"}]}}});
    let snapshot = Snapshot {
        containers: vec![
            container("peek", AFTER, by_name),
            container("relay", AFTER, shares),
            container("helper", AFTER, on_new.clone()),
            container("web", AFTER, on_new),
            container("backup", AFTER, mounts),
            container("second", AFTER, image),
            container("proxy", AFTER, port),
            container("unrelated", AFTER, json!({})),
        ],
        networks: vec![network("back", AFTER), network("lonely", AFTER), network("left", AFTER)],
        volumes: vec![
            volume("db-data", AFTER),
            volume("copy", AFTER),
            volume("forgotten", AFTER),
            volume("own", AFTER),
        ],
    };
    let (containers, networks, volumes) = of(&snapshot);
    assert_eq!(containers, ["backup", "helper", "peek", "proxy", "relay", "second", "web"]);
    assert_eq!(networks, ["back-id", "left-id"]);
    assert_eq!(volumes, ["copy", "db-data", "forgotten"]);
}

#[test]
fn an_image_of_the_same_name_that_is_not_ours_ties_nothing() {
    let image = json!({"Config": {"Image": "registry.example/shop/web:1.4"}});
    let snapshot = Snapshot { containers: vec![container("second", AFTER, image)], ..Snapshot::default() };
    assert_eq!(belongings(&snapshot), Belongings::default());
}

#[test]
fn a_session_that_has_made_nothing_has_nothing() {
    let snapshot = Snapshot {
        containers: vec![container("web", AFTER, json!({}))],
        networks: vec![network("shop", AFTER)],
        volumes: vec![volume("db-data", AFTER)],
    };
    assert_eq!(snapshot.belongings(&Claims { before: None, ..claims() }), Belongings::default());
}
