//! Sweeping: what has expired goes, and nothing else, however often it is cut short.

use serde_json::json;

use super::{lab, run, shared::Account};
use crate::{Target, aws::trouble::Trouble};

const LONG_AGO: &str = "2026-01-01T00:00:00Z";
const TODAY: &str = "2026-01-05T09:00:00Z";

/// Things of somebody who has never heard of breakfix, some under names that labs use.
fn somebody_elses(account: &Account) {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]})
    .to_string();
    account.call("iam", "CreateRole", json!({"RoleName": "admin", "AssumeRolePolicyDocument": trust}));
    account.call("ecs", "CreateCluster", json!({"clusterName": "production"}));
    account.call("logs", "CreateLogGroup", json!({"logGroupName": "/production/web"}));
    account.call("ec2", "CreateVpc", json!({"CidrBlock": "10.20.0.0/16"}));
    // Expired by its tag, and not ours by its owner.
    let tags = json!([{"key": "breakfix.dev/expires", "value": LONG_AGO}, {"key": "owner", "value": "somebody"}]);
    account.call("ecs", "CreateCluster", json!({"clusterName": "staging", "tags": tags}));
}

/// Everything that is there for a stranger to see, less what has stopped.
async fn inventory(account: &Account) -> Vec<String> {
    let everything = crate::aws::target::AwsTarget::new(
        Box::new(crate::aws::host::LocalHost::on(account.cloud.clone())),
        super::place(&lab()),
    );
    everything.inventory().await.unwrap()
}

#[test]
fn only_what_has_expired_goes() {
    run(async {
        let account = Account::new();
        somebody_elses(&account);
        let before = inventory(&account).await;
        let old = account.session(&lab(), "old", LONG_AGO);
        old.create(&lab().documents).await.unwrap();

        assert!(account.sweep("2026-01-01T11:59:00Z", &[]).await.found().await.unwrap().is_empty(), "not yet");
        assert!(account.sweep(TODAY, &["old"]).await.found().await.unwrap().is_empty(), "it is open on this machine");

        let sweep = account.sweep(TODAY, &[]).await;
        let found = sweep.found().await.unwrap();
        for kind in ["Service", "Role", "Vpc", "NatGateway", "LoadBalancer", "Repository", "TaskDefinition"] {
            let thing = found.iter().find(|it| it.kind == kind).unwrap_or_else(|| panic!("no {kind}: {found:?}"));
            // Not every list of AWS's tells the tags: a service goes with its cluster, whatever its own say.
            assert!(thing.session.as_deref().is_none_or(|session| session == "old"), "{thing:?}");
        }
        assert!(!found.iter().any(|it| ["admin", "production", "staging"].contains(&it.name.as_str())), "{found:?}");
        sweep.remove().await.unwrap();
        assert_eq!(inventory(&account).await, before);
        assert!(sweep.found().await.unwrap().is_empty());
    });
}

#[test]
fn a_session_that_is_still_good_is_left_alone() {
    run(async {
        let account = Account::new();
        let fresh = account.session(&lab(), "fresh", TODAY);
        fresh.create(&lab().documents).await.unwrap();
        let before = inventory(&account).await;
        account.sweep("2026-01-05T20:59:00Z", &[]).await.remove().await.unwrap();
        assert_eq!(inventory(&account).await, before);
        assert_eq!(fresh.inventory().await.unwrap().len(), before.len());
    });
}

#[test]
fn a_sweep_or_a_stop_that_was_cut_short_is_gone_on_with() {
    run(async {
        for is_stop in [false, true] {
            let account = Account::new();
            somebody_elses(&account);
            let before = inventory(&account).await;
            let old = account.session(&lab(), "old", LONG_AGO);
            old.create(&lab().documents).await.unwrap();
            let whole = inventory(&account).await.len();
            let mut cuts = 0;
            let mut sizes = Vec::new();
            // Each try is cut off a little later, until one comes to its end.
            for calls in (20..).step_by(60) {
                account.fail(move |number, _| {
                    (number > calls).then(|| Trouble::Unreachable("the network is gone".to_owned()))
                });
                let done = if is_stop { old.clear().await } else { account.sweep(TODAY, &[]).await.remove().await };
                account.heal();
                sizes.push(inventory(&account).await.len());
                if done.is_ok() {
                    break;
                }
                cuts += 1;
                assert!(cuts < 100, "it never ends: {sizes:?}");
            }
            assert!(cuts >= 2 && sizes.iter().any(|it| *it < whole && *it > before.len()), "{cuts}: {sizes:?}");
            assert_eq!(inventory(&account).await, before);
        }
    });
}
