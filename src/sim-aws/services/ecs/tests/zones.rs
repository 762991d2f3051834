//! Zones that fail and come back, tasks that move between them, and what is refused because it is not modelled.

use serde_json::{Value, json};

use super::shop::{Shop, image};
use crate::services::{
    iam,
    outage::{self, Outage},
};

fn zones(shop: &mut Shop) -> Vec<usize> {
    let tasks = shop.tasks("RUNNING");
    let count =
        |zone: &str| tasks.iter().filter(|it| it["availabilityZone"] == zone && it["lastStatus"] == "RUNNING").count();
    vec![count("eu-central-1a"), count("eu-central-1b")]
}

/// Sentences: events of production services, the zones' names aside.
#[test]
fn a_service_moves_out_of_a_zone_that_fails_and_back_when_it_is_found_again() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({"desiredCount": 4}));
    shop.pass(240);
    assert_eq!(zones(&mut shop), [2, 2]);
    outage::begin(&mut shop.net.cloud, &Outage::Zone("b".to_owned())).unwrap();
    shop.pass(600);
    assert_eq!((zones(&mut shop), shop.get("/")), (vec![4, 0], 200), "{:#?}", shop.events());
    outage::end(&mut shop.net.cloud, &Outage::Zone("b".to_owned())).unwrap();
    shop.pass(900);
    assert_eq!(zones(&mut shop), [2, 2], "{:#?}", shop.events());
    let events = shop.events();
    for said in [
        "(service web) is not AZ balanced with 4 tasks in eu-central-1a, 0 tasks in eu-central-1b. AZ Rebalancing in progress.",
        "(service web) has started 1 tasks in eu-central-1b to AZ Rebalance: (task T).",
        "(service web) is AZ balanced with 2 tasks in eu-central-1a, 2 tasks in eu-central-1b.",
    ] {
        assert!(events.iter().any(|it| it == said), "{said}: {events:#?}");
    }
}

#[test]
fn a_service_that_does_not_rebalance_stays_where_it_is() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({"desiredCount": 4, "availabilityZoneRebalancing": "DISABLED"}));
    shop.pass(240);
    outage::begin(&mut shop.net.cloud, &Outage::Zone("b".to_owned())).unwrap();
    shop.pass(600);
    outage::end(&mut shop.net.cloud, &Outage::Zone("b".to_owned())).unwrap();
    shop.pass(900);
    assert_eq!(zones(&mut shop), [4, 0]);
}

#[test]
fn what_is_not_modelled_is_refused_and_not_forgotten() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({}));
    let group = shop.group.clone();
    for (more, word) in [
        (
            json!({"serviceConnectConfiguration": {"enabled": true, "accessLogConfiguration": {"format": "TEXT"}}}),
            "Service Connect",
        ),
        (
            json!({"loadBalancers": [{"targetGroupArn": group, "containerName": "web", "containerPort": 8080, "advancedConfiguration": {}}]}),
            "blue/green",
        ),
        (json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}}), "BLUE_GREEN"),
        (json!({"deploymentConfiguration": {"lifecycleHooks": [{"hookTargetArn": "x"}]}}), "lifecycle hooks"),
        (json!({"volumeConfigurations": [{"name": "x"}]}), "volumeConfigurations"),
    ] {
        let mut input = json!({"cluster": "shop", "service": "web"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let error = shop.net.call("ecs", "UpdateService", input).unwrap_err();
        assert_eq!(error.code, "UnsupportedFeatureException", "{error}");
        assert!(error.message.contains(word) && error.message.contains("breakfix simulator"), "{error}");
    }
    let off = json!({"cluster": "shop", "service": "web", "serviceConnectConfiguration": {"enabled": false}});
    shop.call("ecs", "UpdateService", off);
}

/// keidarcy/e1s, issue 429: a new count needs no right to pass roles, the same definition named again does.
#[test]
fn whoever_names_a_definition_passes_its_roles() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    let asked = |operation: &str, input: Value| {
        let needs = crate::services::ecs::needs(&shop.net.cloud, operation, &input);
        needs
            .iter()
            .filter(|it: &&iam::Need| it.action == "iam:PassRole")
            .map(|it| it.resource.clone())
            .collect::<Vec<_>>()
    };
    let roles = ["arn:aws:iam::123456789012:role/shop-web", "arn:aws:iam::123456789012:role/shop-exec"];
    assert_eq!(asked("UpdateService", json!({"service": "web", "taskDefinition": definition})), roles);
    assert_eq!(asked("CreateService", json!({"serviceName": "web", "taskDefinition": "web"})), roles);
    assert!(asked("UpdateService", json!({"service": "web", "desiredCount": 3})).is_empty());
}
