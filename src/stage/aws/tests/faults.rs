//! Trouble of the account's and of the way to it: never a verdict, never residue, and a sentence about what to try.

use std::collections::BTreeSet;

use breakfix_grade::{Failure, Fetched, Query};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{lab, object, objects, run, shared::Account};
use crate::{
    Target,
    aws::{target::AwsTarget, trouble::Trouble},
    target::Cause,
};

const TODAY: &str = "2026-01-05T09:00:00Z";

fn refused(code: &str) -> Trouble {
    Trouble::Refused { code: code.to_owned(), message: "no".to_owned(), status: 400 }
}

/// What an observation says of these kinds.
async fn seen(target: &AwsTarget, kinds: &[&str]) -> Vec<Result<Vec<Value>, Failure>> {
    let query = |kind: &&str| Query::Objects { kind: (*kind).to_owned(), namespace: None };
    let queries: BTreeSet<Query> = kinds.iter().map(query).collect();
    let mut observation = target.observe(&queries, Timestamp::UNIX_EPOCH).await;
    let mut one = |kind: &&str| match observation.answers.remove(&query(kind)).unwrap() {
        Ok(Fetched::Objects(objects)) => Ok(objects),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => Err(failure),
    };
    kinds.iter().map(&mut one).collect()
}

async fn opened() -> (Account, AwsTarget) {
    let account = Account::new();
    let target = account.session(&lab(), "s-1", TODAY);
    target.create(&lab().documents).await.unwrap();
    (account, target)
}

#[test]
fn a_throttled_question_is_asked_again_and_then_given_up_without_a_verdict() {
    run(async {
        let (account, target) = opened().await;
        account.fail(|number, _| (number <= 3).then(|| refused("ThrottlingException")));
        assert_eq!(seen(&target, &["Role"]).await[0].as_ref().unwrap().len(), 2, "the fourth time it is answered");
        account.fail(|_, _| Some(refused("ThrottlingException")));
        let failure = seen(&target, &["Role"]).await.remove(0).unwrap_err();
        assert!(failure.hint.unwrap().contains("fewer questions"));
    });
}

#[test]
fn credentials_that_are_wrong_or_over_are_said_and_judge_nothing() {
    run(async {
        let (account, target) = opened().await;
        for (code, hint) in [("ExpiredTokenException", "have expired"), ("InvalidClientTokenId", "get-caller-identity")]
        {
            account.fail(move |_, _| Some(refused(code)));
            for found in seen(&target, &["Cluster", "Role", "Vpc"]).await {
                let failure = found.unwrap_err();
                assert!(failure.why.contains(code) && failure.hint.unwrap().contains(hint));
            }
        }
    });
}

#[test]
fn silence_is_waited_for_once() {
    run(async {
        let (account, target) = opened().await;
        account.fail(|_, _| Some(Trouble::Slow(20)));
        let found = seen(&target, &["Cluster", "Role", "Secret", "Service", "TargetGroup", "Vpc"]).await;
        assert!(found.iter().all(Result::is_err));
        assert_eq!(account.calls(), 1);
        // The next look asks anew.
        account.heal();
        assert!(seen(&target, &["Cluster", "Role"]).await.iter().all(Result::is_ok));
    });
}

#[test]
fn an_answer_that_breaks_off_leaves_its_question_open_and_the_others_answered() {
    run(async {
        let (account, target) = opened().await;
        account.fail(|_, operation| {
            (operation == "DescribeServices").then(|| Trouble::Odd("status 200, {\"services\": [{".to_owned()))
        });
        let found = seen(&target, &["Cluster", "Service", "TargetGroup"]).await;
        assert!(found[0].is_ok() && found[2].is_ok());
        assert!(found[1].as_ref().unwrap_err().why.contains("an answer that is none"));
    });
}

#[test]
fn a_kind_that_the_lab_has_is_never_none_because_nobody_serves_it() {
    run(async {
        let (account, target) = opened().await;
        account.fail(|_, operation| {
            let unserved = || Trouble::Unserved { operation: operation.to_owned(), why: "status 500".to_owned() };
            ["DescribeTargetGroups", "DescribeCapacityProviders"].contains(&operation).then(unserved)
        });
        let found = seen(&target, &["TargetGroup", "CapacityProvider"]).await;
        assert!(found[0].is_err(), "the lab has target groups");
        assert_eq!(found[1].as_ref().unwrap().len(), 0, "and no capacity providers");
    });
}

#[test]
fn a_quota_that_is_reached_is_said_and_nothing_stays_behind() {
    run(async {
        for (operation, code) in [("CreateVpc", "VpcLimitExceeded"), ("CreateService", "LimitExceededException")] {
            let account = Account::new();
            let target = account.session(&lab(), "s-1", TODAY);
            account.fail(move |_, asked| (asked == operation).then(|| refused(code)));
            let error = target.create(&lab().documents).await.unwrap_err();
            assert!(error.chain().contains(code) && error.hints.concat().contains("quota"), "{error:?}");
            account.heal();
            target.clear().await.unwrap();
            assert!(target.inventory().await.unwrap().is_empty());
        }
    });
}

#[test]
fn what_somebody_deleted_by_hand_is_gone_for_the_checks_and_no_trouble_for_a_stop() {
    run(async {
        let (account, target) = opened().await;
        account.call("ecs", "DeleteService", json!({"cluster": "shop", "service": "web", "force": true}));
        account.call("logs", "DeleteLogGroup", json!({"logGroupName": "/shop/web"}));
        let arn = object(&target, "LoadBalancer", "shop").await["LoadBalancerArn"].clone();
        account.call("elasticloadbalancing", "DeleteLoadBalancer", json!({"LoadBalancerArn": arn}));
        target.host.pass(std::time::Duration::from_secs(120)).await.unwrap();
        for kind in ["Service", "LogGroup", "LoadBalancer"] {
            assert!(objects(&target, kind).await.is_empty(), "{kind}");
        }
        target.clear().await.unwrap();
        assert!(target.inventory().await.unwrap().is_empty());
    });
}

#[test]
fn a_name_that_is_taken_by_somebody_else_is_refused_and_theirs_is_left_alone() {
    run(async {
        let account = Account::new();
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ]})
        .to_string();
        account.call("iam", "CreateRole", json!({"RoleName": "shop-web", "AssumeRolePolicyDocument": trust}));
        account.call("ecs", "CreateCluster", json!({"clusterName": "shop"}));
        let target = account.session(&lab(), "s-1", TODAY);
        let clashes = target.clashes(&lab().documents).await.unwrap();
        assert_eq!(clashes.len(), 2, "{clashes:?}");
        assert!(
            clashes.iter().any(|it| it.contains("Role shop-web"))
                && clashes.iter().any(|it| it.contains("Cluster shop"))
        );
        target.clear().await.unwrap();
        let left = account.call("iam", "ListRoles", json!({}))["Roles"].as_array().unwrap().len();
        assert_eq!(left, 1);
    });
}

#[test]
fn two_sessions_in_one_account_see_their_own_and_clear_their_own() {
    run(async {
        let (account, first) = opened().await;
        // Task definitions are a lab's by their family, so a second session of the lab would take them along. It cannot come so far: what is in its
        // way keeps it from opening.
        let own = |lines: Vec<String>| lines.into_iter().filter(|it| !it.starts_with("Task")).collect::<Vec<_>>();
        let whole = own(first.inventory().await.unwrap());
        let second = account.session(&lab(), "s-2", TODAY);
        assert!(!second.clashes(&lab().documents).await.unwrap().is_empty());
        // A revision that a learner registers bears no tag: task definitions are a lab's by their family. Nothing else is.
        assert_eq!(second.inventory().await.unwrap(), ["TaskDefinition web"]);
        second.clear().await.unwrap();
        assert_eq!(own(first.inventory().await.unwrap()), whole);
    });
}

#[test]
fn what_nobody_serves_is_missing_and_no_failure() {
    let trouble = Trouble::Unserved { operation: "CreateCapacityProvider".to_owned(), why: "status 500".to_owned() };
    assert_eq!(trouble.on("create CapacityProvider machines").cause, Cause::Missing);
}
