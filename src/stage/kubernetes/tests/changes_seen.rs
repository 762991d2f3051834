//! What a watcher is told, by the simulator in this process and by a scripted server.

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::Change;
use jiff::Timestamp;
use serde_json::json;

use super::{
    fake::{Fake, Reply},
    sim::{Nothing, query, running},
};
use crate::{
    Target,
    target::{Changes, Happened, drained},
};

const QUIET: Duration = Duration::from_millis(300);
const AT_MOST: Duration = Duration::from_secs(5);

async fn told(changes: &mut dyn Changes) -> Option<Happened> {
    drained(changes, QUIET, AT_MOST).await
}

#[tokio::test]
async fn an_edit_is_told_from_what_moves_by_itself_and_probes_are_not_told_at_all() {
    let target = running().await;
    let mut changes = target.changes();
    assert_eq!(told(&mut *changes).await, Some(Happened::Moved), "telling has begun");
    assert_eq!(told(&mut *changes).await, None, "what was there before is no change");

    target.observe(&BTreeSet::from([query("http://web/", None, 2)]), Timestamp::UNIX_EPOCH).await;
    target.rest().await;
    assert_eq!(told(&mut *changes).await, None, "the grader's own probe");

    let change = |change| serde_json::from_value::<Change>(change).unwrap();
    let edit = json!({"patch": {"kind": "Service", "name": "web", "merge": {"spec": {"selector": {"app": "x"}}}}});
    target.change(&change(edit), &Nothing).await.unwrap();
    assert_eq!(told(&mut *changes).await, Some(Happened::Edited));

    let delete = json!({"delete": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "web"}, "count": 1}});
    target.change(&change(delete), &Nothing).await.unwrap();
    target.pass(Duration::from_secs(60)).await.unwrap();
    assert_eq!(told(&mut *changes).await, Some(Happened::Moved), "a pod replaced by its owner");

    let scale = json!({"scale": {"kind": "Deployment", "name": "web", "replicas": 3}});
    target.change(&change(scale), &Nothing).await.unwrap();
    assert_eq!(told(&mut *changes).await, Some(Happened::Edited));
}

#[tokio::test]
async fn an_api_that_goes_away_is_told_once() {
    let fake = Fake::new();
    fake.rule("/namespaces/shop/", Reply::Text(503, "gone".to_owned()));
    let target = fake.bare_target();
    let mut changes = target.changes();
    assert_eq!(told(&mut *changes).await, Some(Happened::Moved));
}

#[tokio::test]
async fn where_nothing_may_be_watched_it_is_polled() {
    let fake = Fake::new();
    fake.rule("/namespaces/shop/", Reply::status(403, "Forbidden", "you may not watch"));
    let target = fake.bare_target();
    let mut changes = target.changes();
    assert_eq!(drained(&mut *changes, Duration::from_secs(3), Duration::from_secs(4)).await, Some(Happened::Moved));
}
