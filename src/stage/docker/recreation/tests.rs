use serde_json::json;

use super::*;

/// What Engine 20.10 says of `docker run --name web -p 127.0.0.1:18080:80 --link db:data -e A=1 …`, shortened.
fn container() -> Value {
    json!({
        "Id": "0123456789abcdef0123",
        "Name": "/web",
        "Image": "sha256:aaaa",
        "Config": {
            "Hostname": "0123456789ab", "Domainname": "", "User": "", "Tty": false,
            "ExposedPorts": {"80/tcp": {}, "8080/tcp": {}},
            "Env": ["A=1", "PATH=/bin", "APP=web", "VERSION=1.4"],
            "Cmd": ["serve"], "Entrypoint": ["/workload"], "WorkingDir": "/", "Volumes": null,
            "Image": "registry.example/shop/web:1.4",
            "Labels": {"breakfix.dev/workload": "0123", "team": "shop"},
        },
        "HostConfig": {
            "NetworkMode": "shop", "Links": ["/db:/web/data"], "Memory": 1024,
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]},
        },
        "NetworkSettings": {"Networks": {"shop": {
            "IPAMConfig": null, "Links": null, "Aliases": ["page", "0123456789ab"], "NetworkID": "n", "EndpointID": "e",
            "IPAddress": "172.18.0.2", "MacAddress": "02:42:ac:12:00:02", "DriverOpts": null,
        }}},
    })
}

fn image() -> Value {
    json!({
        "Id": "sha256:aaaa",
        "RepoTags": ["registry.example/shop/web:1.4"],
        "Config": {
            "Env": ["PATH=/bin", "APP=web", "VERSION=1.4"], "Cmd": ["serve"], "Entrypoint": ["/workload"],
            "ExposedPorts": {"8080/tcp": {}}, "Labels": {"breakfix.dev/workload": "0123"}, "WorkingDir": "/",
        },
    })
}

#[test]
fn what_the_engine_and_the_image_gave_is_left_out() {
    let body = body_of(&container(), Some(&image()));
    assert_eq!(
        body,
        json!({
            "Domainname": "", "User": "", "Tty": false,
            "ExposedPorts": {"80/tcp": {}},
            "Env": ["A=1"],
            "Volumes": null,
            "Image": "registry.example/shop/web:1.4",
            "Labels": {"team": "shop"},
            "HostConfig": {
                "NetworkMode": "shop", "Links": ["db:data"], "Memory": 1024,
                "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]},
            },
            "NetworkingConfig": {"EndpointsConfig": {"shop": {"Aliases": ["page"]}}},
        })
    );
}

#[test]
fn a_tag_that_moved_is_not_followed() {
    let mut moved = image();
    moved["RepoTags"] = json!(["old:1"]);
    assert_eq!(body_of(&container(), Some(&moved))["Image"], "sha256:aaaa");
    assert_eq!(body_of(&container(), None)["Image"], "sha256:aaaa");
}

#[test]
fn without_the_image_everything_is_written_down() {
    let body = body_of(&container(), None);
    assert_eq!(body["Cmd"], json!(["serve"]));
    assert_eq!(body["Env"].as_array().unwrap().len(), 4);
}

#[test]
fn an_entry_point_of_its_own_keeps_its_command() {
    let mut container = container();
    container["Config"]["Entrypoint"] = json!(["/bin/sh", "-c"]);
    let body = body_of(&container, Some(&image()));
    assert_eq!((&body["Entrypoint"], &body["Cmd"]), (&json!(["/bin/sh", "-c"]), &json!(["serve"])));
    container["Config"]["Entrypoint"] = json!(["/workload"]);
    container["Config"]["Cmd"] = json!(["store"]);
    let body = body_of(&container, Some(&image()));
    assert_eq!((body.get("Entrypoint"), &body["Cmd"]), (None, &json!(["store"])));
}

#[test]
fn networks_that_the_mode_says_are_not_said_twice() {
    let mut container = container();
    container["NetworkSettings"]["Networks"] =
        json!({"bridge": {"Aliases": null, "IPAMConfig": null, "GwPriority": 0}});
    container["HostConfig"]["NetworkMode"] = json!("default");
    assert_eq!(body_of(&container, None).get("NetworkingConfig"), None);
    container["HostConfig"]["NetworkMode"] = json!("host");
    container["NetworkSettings"]["Networks"] = json!({"host": {"Aliases": null}});
    assert_eq!(body_of(&container, None).get("NetworkingConfig"), None);
    container["HostConfig"]["NetworkMode"] = json!("shop");
    container["NetworkSettings"]["Networks"] = json!({"shop": {}, "back": {"Aliases": ["db"]}});
    let both = json!({"EndpointsConfig": {"shop": {}, "back": {"Aliases": ["db"]}}});
    assert_eq!(body_of(&container, None)["NetworkingConfig"], both);
}

#[test]
fn an_address_that_was_asked_for_is_asked_for_again() {
    let mut container = container();
    container["NetworkSettings"]["Networks"]["shop"]["IPAMConfig"] = json!({"IPv4Address": "172.18.0.9"});
    let body = body_of(&container, None);
    let asked = body.pointer("/NetworkingConfig/EndpointsConfig/shop/IPAMConfig/IPv4Address");
    assert_eq!(asked, Some(&json!("172.18.0.9")));
}

#[test]
fn another_network_mode_leaves_the_old_networks() {
    let body = body_of(&container(), Some(&image()));
    let merge = json!({"HostConfig": {"NetworkMode": "host", "PortBindings": null}});
    let changed = edited(body.clone(), Some(&merge));
    assert_eq!((changed.get("NetworkingConfig"), &changed["HostConfig"]["Memory"]), (None, &json!(1024)));
    let merge = json!({"HostConfig": {"NetworkMode": "back"}, "NetworkingConfig": {"EndpointsConfig": {"back": {}}}});
    let changed = edited(body.clone(), Some(&merge));
    assert!(changed["NetworkingConfig"]["EndpointsConfig"].get("back").is_some());
    let changed = edited(body.clone(), Some(&json!({"Env": ["A=2"]})));
    assert_eq!(changed["Env"], json!(["A=2"]));
    assert_eq!(edited(body.clone(), None), body);
}
