//! Create, look, clear.

use serde_json::json;

use super::scene::{Scene, document, image};
use crate::target::{Cause, Target};

#[tokio::test]
async fn a_system_is_created_reached_and_gone() {
    let Some(scene) = Scene::open("bfxlife").await else { return };
    let before = scene.residue().await;
    assert!(scene.target.clashes(&scene.target.place.documents).await.unwrap().is_empty());
    scene.target.create(&scene.target.place.documents).await.unwrap();
    assert!(scene.page().await.starts_with("corner 1.4\n"));
    assert_eq!(scene.names("Container").await, [scene.called("db"), scene.called("web")]);
    assert_eq!(scene.names("Network").await, [scene.called("net")]);
    assert_eq!(scene.names("Volume").await, [scene.called("data")]);
    let web = scene.inspect("web").await.unwrap();
    assert_eq!(web["Config"]["Labels"]["breakfix.dev/session"], "bfxlife-test");
    assert_eq!(web["NetworkSettings"]["Networks"].as_object().unwrap().len(), 2);
    let baseline = scene.target.baseline().await.unwrap();
    assert_eq!(baseline.objects["Image"].len(), 1);
    assert_eq!(baseline.objects["Image"][0]["RepoTags"], json!([image("bfxlife")]));
    scene.target.clear().await.unwrap();
    assert_eq!(scene.residue().await, before);
    scene.over().await;
}

#[tokio::test]
async fn creating_twice_replaces_and_a_learners_own_things_go_too() {
    let Some(scene) = Scene::open("bfxtwice").await else { return };
    let before = scene.residue().await;
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let first = scene.inspect("web").await.unwrap()["Id"].clone();
    scene.target.create(&scene.target.place.documents[3..]).await.unwrap();
    assert_ne!(scene.inspect("web").await.unwrap()["Id"], first);
    // What a learner does: the same names without labels, a network, an anonymous volume, a relay, a tag, an image.
    let (web, net, own) = (scene.called("web"), scene.called("net"), scene.called("own"));
    let image = image("bfxtwice");
    scene.docker(&["rm", "-f", &web]).await;
    scene.docker(&["network", "create", &own]).await;
    scene.docker(&["run", "-d", "--name", &web, "--network", &own, "-v", "/cache", &image]).await;
    scene
        .docker(&[
            "run",
            "-d",
            "--name",
            "bfxtwice-relay",
            "--network",
            &format!("container:{web}"),
            &image,
            "sleep",
            "60",
        ])
        .await;
    scene.docker(&["run", "-d", "--name", "bfxtwice-peek", "--network", &net, "--rm", &image, "sleep", "60"]).await;
    scene.docker(&["tag", &image, "bfxtwice-mine:1"]).await;
    scene.docker(&["commit", &web, "bfxtwice-commit:1"]).await;
    assert_eq!(scene.names("Container").await, ["bfxtwice-db", "bfxtwice-peek", "bfxtwice-relay", "bfxtwice-web"]);
    assert_eq!(scene.names("Network").await, [net, own]);
    // The anonymous volume was seen, so it goes although nothing holds it any more.
    scene.docker(&["rm", "-f", "bfxtwice-relay", &web]).await;
    scene.again().await.clear().await.unwrap();
    assert_eq!(scene.residue().await, before);
    scene.over().await;
}

#[tokio::test]
async fn what_is_in_the_way_is_named_and_left_alone() {
    let Some(scene) = Scene::open("bfxclash").await else { return };
    let listener = std::net::TcpListener::bind(("127.0.0.1", scene.port)).unwrap();
    scene.docker(&["volume", "create", "bfxclash-data"]).await;
    let clashes = scene.target.clashes(&scene.target.place.documents).await.unwrap();
    let port = scene.port;
    assert_eq!(
        clashes,
        ["volume `bfxclash-data`".to_owned(), format!("port {port} of this machine, in use by some program")]
    );
    // It was there before the session made anything, however shortly.
    let refused = scene.target.create(&scene.target.place.documents).await.unwrap_err();
    assert_eq!(refused.cause, Cause::Refused, "{}", refused.chain());
    // Taking back what a refused start had made takes nothing of the learner's.
    scene.target.clear().await.unwrap();
    assert_eq!(scene.residue().await, ["volume bfxclash-data"]);
    scene.docker(&["volume", "rm", "bfxclash-data"]).await;
    let error = scene.target.create(&scene.target.place.documents).await.unwrap_err();
    assert_eq!(error.cause, Cause::Refused, "{}", error.chain());
    assert!(error.hints[0].contains(&port.to_string()), "{:?}", error.hints);
    drop(listener);
    scene.over().await;
}

#[tokio::test]
async fn a_container_that_cannot_start_is_no_error_and_a_foreign_folder_is_refused() {
    let Some(scene) = Scene::open("bfxstart").await else { return };
    let body = json!({"Image": image("bfxstart"), "Entrypoint": ["/no/such"]});
    scene.target.create(&[document("Container", "bfxstart-web", body)]).await.unwrap();
    let web = scene.inspect("web").await.unwrap();
    assert_eq!((web["State"]["Status"].as_str(), web["State"]["ExitCode"].as_i64()), (Some("created"), Some(127)));
    let body = json!({"Image": image("bfxstart"), "HostConfig": {"Binds": ["/etc:/etc"]}});
    let error = scene.target.create(&[document("Container", "bfxstart-web", body)]).await.unwrap_err();
    assert_eq!(error.cause, Cause::Refused);
    let body = json!({"Image": "registry.example/none:1"});
    let error = scene.target.create(&[document("Container", "bfxstart-none", body)]).await.unwrap_err();
    assert_eq!(error.cause, Cause::Answered);
    scene.over().await;
}

#[tokio::test]
async fn a_foreign_image_under_a_labs_name_is_refused() {
    let Some(scene) = Scene::open("bfxforeign").await else { return };
    let image = image("bfxforeign");
    let mut import = tokio::process::Command::new("sh");
    import.args(["-c", &format!("tar c -C / --files-from /dev/null | docker import - {image}")]);
    assert!(import.status().await.unwrap().success());
    let clashes = scene.target.clashes(&scene.target.place.documents).await.unwrap();
    assert_eq!(clashes, [format!("image `{image}`, which is not breakfix's")]);
    let error = scene.target.create(&scene.target.place.documents).await.unwrap_err();
    assert_eq!(error.cause, Cause::Refused);
    // The network and the volume were being made when the image was refused.
    scene.target.clear().await.unwrap();
    let left = scene.residue().await;
    assert!(left.iter().all(|line| line.starts_with("image")), "{left:?}");
    assert!(scene.target.engine.image(&image).await.unwrap().is_some(), "it is not ours to remove");
    scene.docker(&["rmi", &image]).await;
    scene.over().await;
}

#[tokio::test]
async fn the_last_session_removes_a_shared_image() {
    let Some(one) = Scene::open("bfxshare").await else { return };
    let mut two = one.again().await;
    two.place.session = "bfxshare-other".into();
    two.place.folder = one.home.path().join("sessions/bfxshare-other");
    one.target.create(&[]).await.unwrap();
    two.create(&[]).await.unwrap();
    one.target.clear().await.unwrap();
    let image = image("bfxshare");
    assert!(two.engine.image(&image).await.unwrap().is_some());
    two.clear().await.unwrap();
    assert!(two.engine.image(&image).await.unwrap().is_none());
    one.over().await;
}
