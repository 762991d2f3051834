//! Requests, round trips, events.

use std::{collections::BTreeSet, time::Duration};

use breakfix_grade::{Fetched, Outcome, Query};
use breakfix_lab::check::{Caller, Leg};
use serde_json::json;

use super::scene::{Scene, on};
use crate::target::Target;

#[tokio::test]
async fn a_probe_asks_on_the_callers_network() {
    let Some(scene) = Scene::open("bfxprobe").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    scene.page().await;
    let net = scene.called("net");
    let answers = scene.requests(on(&net), json!({"url": "http://page:8080/"}), 3).await.unwrap();
    assert_eq!(answers.len(), 3);
    for answer in &answers {
        assert!(matches!(&answer.outcome, Outcome::Answered { status: 200, .. }), "{answer:?}");
    }
    assert_eq!(scene.get(on(&net), "http://nobody/").await[0].outcome, Outcome::NameUnknown);
    assert_eq!(scene.get(on(&net), "http://page:81/").await[0].outcome, Outcome::Refused);
    let missing = scene.requests(on("bfxprobe-none"), json!({"url": "http://page/"}), 1).await.unwrap_err();
    assert!(missing.hint.is_some_and(|hint| hint.contains("bfxprobe-none")), "{}", missing.why);
    // A probe is not the lab's, and one serves all requests of a check.
    assert_eq!(scene.names("Container").await, [scene.called("db"), scene.called("web")]);
    let probes = [
        "ps",
        "-aq",
        "--filter",
        "label=breakfix.dev/session=bfxprobe-test",
        "--filter",
        "label=breakfix.dev/role=probe",
    ];
    assert_eq!(scene.docker(&probes).await.lines().count(), 1);
    scene.target.rest().await;
    assert_eq!(scene.docker(&probes).await, "");
    scene.over().await;
}

#[tokio::test]
async fn a_probe_outlives_the_labs_image_and_its_own_removal() {
    let Some(scene) = Scene::open("bfxlost").await else { return };
    let before = scene.residue().await;
    scene.target.create(&scene.target.place.documents[..1]).await.unwrap();
    scene.docker(&["rmi", &super::scene::image("bfxlost")]).await;
    let net = scene.called("net");
    assert_eq!(scene.get(on(&net), "http://nobody/").await[0].outcome, Outcome::NameUnknown);
    let probe = scene.docker(&["ps", "-q", "--filter", "label=breakfix.dev/session=bfxlost-test"]).await;
    scene.docker(&["rm", "-f", &probe]).await;
    assert_eq!(scene.get(on(&net), "http://nobody/").await[0].outcome, Outcome::NameUnknown);
    scene.target.clear().await.unwrap();
    assert_eq!(scene.residue().await, before);
    scene.over().await;
}

#[tokio::test]
async fn an_order_goes_in_at_the_port_and_is_read_from_the_instance() {
    let Some(scene) = Scene::open("bfxtrip").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    scene.page().await;
    let leg = |request| Leg { from: Caller::default(), request: serde_json::from_value(request).unwrap() };
    let query = Query::RoundTrip {
        write: leg(json!({"method": "POST", "url": format!("http://127.0.0.1:{}/order?id=${{nonce}}", scene.port)})),
        read: leg(json!({"url": "http://db:8080/records", "each": {"kind": "Container", "name": scene.called("db")}})),
    };
    let Fetched::RoundTrip { nonce, write, read } = scene.fetch(query.clone()).await.unwrap() else { panic!() };
    let Outcome::Answered { status: 200..=299, .. } = write.outcome else { panic!("{write:?}") };
    let Some(Outcome::Answered { body, .. }) = read.map(|read| read.outcome) else { panic!() };
    assert!(body.contains(&nonce), "{body} has no {nonce}");
    scene.docker(&["stop", "-t", "0", &scene.called("db")]).await;
    let Fetched::RoundTrip { write, read, .. } = scene.fetch(query).await.unwrap() else { panic!() };
    assert!(!matches!(write.outcome, Outcome::Answered { status: 200..=299, .. }), "{write:?}");
    assert_eq!(read, None);
    scene.over().await;
}

#[tokio::test]
async fn events_of_a_name_are_told_since_a_moment() {
    let Some(scene) = Scene::open("bfxevents").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let since = scene.target.today().await;
    let query = Query::Events { container: scene.called("web") };
    let actions = async |since| {
        let mut seen = scene.target.observe(&BTreeSet::from([query.clone()]), since).await.answers;
        let Fetched::Events(events) = seen.remove(&query).unwrap().unwrap() else { panic!() };
        events.into_iter().map(|event| event.action).collect::<Vec<_>>()
    };
    assert!(actions(since).await.is_empty());
    scene.docker(&["kill", &scene.called("web")]).await;
    scene.docker(&["kill", &scene.called("db")]).await;
    let told = actions(since).await;
    assert!(told.contains(&"die".to_owned()) && told.contains(&"kill".to_owned()), "{told:?}");
    assert_eq!(told.iter().filter(|action| *action == "die").count(), 1, "db's is not web's: {told:?}");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(actions(scene.target.today().await).await.is_empty());
    scene.over().await;
}
