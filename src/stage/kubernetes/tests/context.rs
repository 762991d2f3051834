//! A cluster of the learner's: TLS, a kubeconfig, real time. The simulator stands in for it, and the target does not know.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
};

use breakfix_grade::{Fetched, Outcome, Query};
use breakfix_lab::Document;
use breakfix_sim::pace::Pace;
use breakfix_sim_kube::{
    Config,
    bootstrap::bootstrap,
    serve::{host::Host, keys::Keys, kubeconfig::kubeconfig, server::Server, service::Service},
};
use jiff::Timestamp;

use super::sim::{documents, query};
use crate::{
    Place, Target,
    kubernetes::{
        Options,
        belongings::tests::{document, place},
        kubeconfig as own, open,
    },
    target::{Cause, TargetName},
};

/// A served cluster; its kubeconfig is what `start` would have copied into the session's folder.
async fn cluster(folder: &Path) -> Place {
    let images = BTreeSet::from(["registry.example/shop/web:1.4".to_owned(), super::super::probe::IMAGE.to_owned()]);
    let config = Config { seed: 3, date: Timestamp::now(), workers: 2, images };
    let cluster = Arc::new(Mutex::new(bootstrap(config).unwrap()));
    let host = Arc::new(Host::new(cluster, Pace::Wall { speed: 20.0 }, None, Timestamp::now));
    let keys = Keys::generate(jiff::Zoned::now().date()).unwrap();
    let server = Server::listen(Service::new(Arc::clone(&host)), &keys, 0).await.unwrap();
    let all = own::parse(&kubeconfig(&keys, server.port(), "default"), "test").unwrap();
    tokio::spawn(server.run());
    tokio::spawn(async move { host.keep_time().await });
    let place = Place { folder: folder.to_owned(), ..place(documents()) };
    own::write(&own::path(folder), &own::only(&all, "breakfix", "shop").unwrap()).unwrap();
    place
}

async fn target(place: Place, options: &Options) -> Box<dyn Target> {
    open(&TargetName::Context("breakfix".to_owned()), place, options).await.unwrap()
}

fn options(folder: &Path, registry: Option<&str>) -> Options {
    Options { home: folder.join("home"), registry: registry.map(str::to_owned), ..Options::default() }
}

#[tokio::test]
async fn a_lab_lives_on_a_cluster_behind_a_kubeconfig_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = cluster(folder.path()).await;
    let target = target(place, &options(folder.path(), Some("registry.example"))).await;
    let before = target.inventory().await.unwrap();
    target.create(&documents()).await.unwrap();
    let query = query("http://web/", None, 3);
    let mut answered = false;
    for _ in 0..50 {
        let observation = target.observe(&BTreeSet::from([query.clone()]), Timestamp::UNIX_EPOCH).await;
        let Ok(Fetched::Exchanges(exchanges)) = &observation.answers[&query] else { panic!("{observation:?}") };
        answered = exchanges.iter().all(|it| matches!(it.outcome, Outcome::Answered { status: 200, .. }));
        if answered {
            break;
        }
        target.pass(std::time::Duration::from_millis(100)).await.unwrap();
    }
    assert!(answered);
    target.rest().await;
    let reach = target.reach().await.unwrap();
    assert_eq!(reach.env["KUBECONFIG"], folder.path().join("kubeconfig.yaml").display().to_string());
    target.clear().await.unwrap();
    assert_eq!(target.inventory().await.unwrap(), before);
}

#[tokio::test]
async fn only_the_labs_own_namespaces_unless_more_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut place = cluster(folder.path()).await;
    let outside = document("ConfigMap", "settings", Some("default"));
    place.documents.push(outside.clone());
    let options = options(folder.path(), Some("registry.example"));
    let refused = target(place.clone(), &options).await;
    let all: Vec<Document> = place.documents.clone();
    let error = refused.create(&all).await.unwrap_err();
    assert_eq!(error.cause, Cause::Refused);
    assert!(error.hints[0].contains("--allow-cluster-scoped"), "{:?}", error.hints);
    let allowed = target(place, &Options { allow_cluster_scoped: true, ..options }).await;
    allowed.create(&all).await.unwrap();
    allowed.clear().await.unwrap();
    let query = Query::Objects { kind: "ConfigMap".to_owned(), namespace: Some("default".to_owned()) };
    let observation = allowed.observe(&BTreeSet::from([query.clone()]), Timestamp::UNIX_EPOCH).await;
    let Ok(Fetched::Objects(left)) = &observation.answers[&query] else { panic!("{observation:?}") };
    assert!(left.iter().all(|object| object["metadata"]["name"] != "settings"), "{left:?}");
}

#[tokio::test]
async fn images_come_from_the_registry_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = cluster(folder.path()).await;
    let target = target(place, &options(folder.path(), Some("reg.example.com/team/"))).await;
    target.create(&documents()).await.unwrap();
    let baseline = target.baseline().await.unwrap();
    let image = &baseline.objects["Deployment"][0]["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "reg.example.com/team/shop/web:1.4");
    assert!(target.reach().await.unwrap().notes.join(" ").contains("reg.example.com/team/"));
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_unreachable_with_what_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let text = "
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]
contexts: [{name: breakfix, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
";
    let all = own::parse(text, "test").unwrap();
    own::write(&own::path(folder.path()), &own::only(&all, "breakfix", "shop").unwrap()).unwrap();
    let place = Place { folder: folder.path().to_owned(), ..place(documents()) };
    let target = target(place, &options(folder.path(), Some("registry.example"))).await;
    let error = target.clear().await.unwrap_err();
    assert_eq!(error.cause, Cause::Unreachable);
    assert!(error.hints.iter().any(|hint| hint.contains("kubectl --context breakfix")), "{:?}", error.hints);
    let query = query("http://web/", None, 1);
    let observation = target.observe(&BTreeSet::from([query.clone()]), Timestamp::UNIX_EPOCH).await;
    assert!(observation.answers[&query].as_ref().unwrap_err().why.contains("cannot be reached"), "{observation:?}");
}
