//! Changes, and what is left when one is cut short.

use breakfix_lab::Change;
use serde_json::{Value, json};

use super::scene::{Noted, Scene};
use crate::target::{Cause, Target};

async fn change(scene: &Scene, change: Value) -> Result<Noted, crate::TargetError> {
    let change: Change = serde_json::from_value(change).unwrap();
    let noted = Noted::default();
    scene.target.change(&change, &noted).await.map(|()| noted)
}

/// What of a container must be the same after it was made again.
fn settings(container: &Value) -> Value {
    let mut host = container["HostConfig"].clone();
    let mut config = container["Config"].clone();
    config["Hostname"] = Value::Null;
    // Engines write nothing and an empty list both ways.
    host["Links"] = Value::Null;
    let mut env = config["Env"].as_array().cloned().unwrap_or_default();
    env.sort_by_key(ToString::to_string);
    config["Env"] = env.into();
    json!({"config": config, "host": host, "image": container["Image"]})
}

#[tokio::test]
async fn a_container_made_again_is_the_same_but_for_the_edit() {
    let Some(scene) = Scene::open("bfxagain").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let before = scene.inspect("web").await.unwrap();
    let noted = change(&scene, json!({"recreate": {"name": "bfxagain-web"}})).await.unwrap();
    let after = scene.inspect("web").await.unwrap();
    assert_ne!(after["Id"], before["Id"]);
    assert_eq!(settings(&after), settings(&before));
    assert_eq!(after["NetworkSettings"]["Networks"].as_object().unwrap().len(), 2);
    scene.page().await;
    let notes = noted.0.into_inner().unwrap();
    assert_eq!((notes.len(), notes[0].is_some(), &notes[1]), (2, true, &None));
    let merge = json!({"HostConfig": {"Memory": 67108864}, "Env": ["TITLE=market"]});
    change(&scene, json!({"patch": {"kind": "Container", "name": "bfxagain-web", "merge": merge}})).await.unwrap();
    assert!(scene.page().await.starts_with("market 1.4\n"));
    assert_eq!(scene.inspect("web").await.unwrap()["HostConfig"]["Memory"], 67108864);
    scene.over().await;
}

#[tokio::test]
async fn a_new_address_is_another_one_and_nothing_keeps_the_old() {
    let Some(scene) = Scene::open("bfxaddress").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let address = |it: &Value| it["NetworkSettings"]["Networks"]["bfxaddress-net"]["IPAddress"].clone();
    let before = address(&scene.inspect("db").await.unwrap());
    change(&scene, json!({"recreate": {"name": "bfxaddress-db", "new_address": true}})).await.unwrap();
    assert_ne!(address(&scene.inspect("db").await.unwrap()), before);
    let holders = [
        "ps",
        "-aq",
        "--filter",
        "label=breakfix.dev/session=bfxaddress-test",
        "--filter",
        "label=breakfix.dev/role=placeholder",
    ];
    assert_eq!(scene.docker(&holders).await, "");
    // On the default bridge, where the engine gives the lowest free address, it would get the same one again.
    let merge = json!({"HostConfig": {"NetworkMode": "bridge"}, "NetworkingConfig": null});
    change(&scene, json!({"recreate": {"name": "bfxaddress-db", "merge": merge}})).await.unwrap();
    let address = |it: &Value| it["NetworkSettings"]["Networks"]["bridge"]["IPAddress"].clone();
    let before = address(&scene.inspect("db").await.unwrap());
    change(&scene, json!({"recreate": {"name": "bfxaddress-db", "new_address": true}})).await.unwrap();
    assert_ne!(address(&scene.inspect("db").await.unwrap()), before);
    // A stopped one has given its address back; it is kept from it all the same.
    let before = address(&scene.inspect("db").await.unwrap());
    change(&scene, json!({"stop": {"kind": "Container", "name": "bfxaddress-db"}})).await.unwrap();
    assert_eq!(address(&scene.inspect("db").await.unwrap()), "");
    change(&scene, json!({"recreate": {"name": "bfxaddress-db", "new_address": true}})).await.unwrap();
    let after = address(&scene.inspect("db").await.unwrap());
    assert!(after != "" && after != before, "{after} after {before}");
    scene.over().await;
}

#[tokio::test]
async fn a_recreation_cut_short_anywhere_is_finished() {
    let Some(scene) = Scene::open("bfxshort").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let merge = json!({"Env": ["TITLE=market"]});
    let noted = change(&scene, json!({"recreate": {"name": "bfxshort-web", "merge": merge}})).await.unwrap();
    let note = noted.0.into_inner().unwrap().remove(0).unwrap();
    // Right after the note: the old one is still there.
    let mut early = note.clone();
    early["old"] = scene.inspect("web").await.unwrap()["Id"].clone();
    scene.target.repair(&early).await.unwrap();
    assert!(scene.page().await.starts_with("market"));
    // After the removal, with a placeholder left.
    scene.docker(&["rm", "-f", "bfxshort-web"]).await;
    scene
        .target
        .start_helper("bfxshort-hold", "bfxshort-net", crate::docker::labels::Role::Placeholder, json!({}))
        .await
        .unwrap();
    scene.again().await.repair(&note).await.unwrap();
    assert!(scene.page().await.starts_with("market"));
    assert_eq!(scene.docker(&["ps", "-aq", "--filter", "name=bfxshort-hold"]).await, "");
    // After the creation, before the second network and the start.
    scene.docker(&["stop", "-t", "0", "bfxshort-web"]).await;
    scene.docker(&["network", "disconnect", "bridge", "bfxshort-web"]).await;
    scene.target.repair(&note).await.unwrap();
    scene.page().await;
    let networks = scene.inspect("web").await.unwrap()["NetworkSettings"]["Networks"].as_object().unwrap().len();
    assert_eq!(networks, 2);
    scene.over().await;
}

#[tokio::test]
async fn small_changes_do_what_their_commands_do() {
    let Some(scene) = Scene::open("bfxsmall").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let running = async || scene.inspect("web").await.unwrap()["State"]["Running"].as_bool().unwrap();
    let web = json!({"kind": "Container", "name": "bfxsmall-web"});
    change(&scene, json!({"stop": web})).await.unwrap();
    assert!(!running().await);
    change(&scene, json!({"start": web})).await.unwrap();
    assert!(running().await);
    let began = scene.inspect("web").await.unwrap()["State"]["StartedAt"].clone();
    change(&scene, json!({"restart": web})).await.unwrap();
    assert_ne!(scene.inspect("web").await.unwrap()["State"]["StartedAt"], began);
    let update = json!({"kind": "Container", "name": "bfxsmall-web", "subresource": "update",
        "merge": {"Memory": 134217728, "MemorySwap": 134217728}});
    change(&scene, json!({"patch": update})).await.unwrap();
    assert_eq!(scene.inspect("web").await.unwrap()["HostConfig"]["Memory"], 134217728);
    change(&scene, json!({"apply": "controls/extra.yaml"})).await.unwrap();
    assert!(scene.inspect("extra").await.is_some());
    change(&scene, json!({"delete": {"kind": "Container", "name": "bfxsmall-extra"}})).await.unwrap();
    change(&scene, json!({"delete": {"kind": "Container", "name": "bfxsmall-extra"}})).await.unwrap();
    assert!(scene.inspect("extra").await.is_none());
    change(&scene, json!({"delete": {"kind": "Network", "name": "bfxsmall-net"}})).await.unwrap();
    assert!(scene.names("Network").await.is_empty());
    let url = format!("http://127.0.0.1:{}/order?id=1", scene.port);
    change(&scene, json!({"request": {"request": {"method": "POST", "url": url}}})).await.unwrap();
    for bad in [
        json!({"scale": {"kind": "Container", "name": "bfxsmall-web", "replicas": 2}}),
        json!({"patch": {"kind": "Network", "name": "bfxsmall-net", "merge": {}}}),
        json!({"patch": {"kind": "Container", "name": "bfxsmall-web", "merge": {"HostConfig": {"Binds": ["/:/host"]}}}}),
        json!({"apply": "controls/none.yaml"}),
        json!({"restart": {"kind": "Volume", "name": "x"}}),
    ] {
        assert_eq!(change(&scene, bad.clone()).await.err().map(|error| error.cause), Some(Cause::Refused), "{bad}");
    }
    scene.over().await;
}
