//! What a watcher is told by a real engine. Others may use it at the same time, so silence proves nothing here; what each event weighs
//! is tested beside the code.

use std::time::Duration;

use super::scene::Scene;
use crate::target::{Happened, Target};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_watcher_hears_of_a_rename() {
    let Some(scene) = Scene::open("bfxwatch").await else { return };
    scene.target.create(&scene.target.place.documents).await.unwrap();
    let web = scene.called("web");
    let mut changes = scene.target.changes();
    assert_eq!(tokio::time::timeout(SOON, changes.next()).await, Ok(Happened::Moved), "telling begins");
    scene.docker(&["rename", &web, &format!("{web}-old")]).await;
    let edited = async { while changes.next().await != Happened::Edited {} };
    assert_eq!(tokio::time::timeout(SOON, edited).await, Ok(()));
    drop(changes);
    scene.docker(&["rename", &format!("{web}-old"), &web]).await;
    scene.target.clear().await.unwrap();
    scene.over().await;
}
