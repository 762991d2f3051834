use serde_json::{Value, json};

use crate::{
    Fetched, Judge, Verdict,
    fixture::{World, assert_met, assert_not_met, assert_unknown, check},
    observation::Decision,
};

fn word() -> Value {
    json!({"policy": {
        "role": "shop-exec",
        "can": [{"action": "ecr:GetAuthorizationToken"}],
        "cannot": [{"action": "ecr:DeleteRepository", "resource": "arn:x"}],
    }})
}

fn judge(decisions: Option<Vec<bool>>) -> Verdict {
    let check = check(word());
    let world = World::ecs();
    let query = check.queries(world.platform, &world.scope()).remove(0);
    let on = [None, Some("arn:aws:x".to_owned())];
    let said = |allowed| if allowed { "allowed" } else { "implicitDeny" }.to_owned();
    let say = |(allowed, on): (bool, &Option<String>)| Decision { allowed, said: said(allowed), on: on.clone() };
    let decisions = decisions.map(|all| all.into_iter().zip(&on).map(say).collect());
    world.answering(query, Fetched::Decisions(decisions)).judge(&check)
}

#[test]
fn healthy() {
    assert_met(&judge(Some(vec![true, false])));
}

#[test]
fn broken() {
    assert_not_met(&judge(Some(vec![false, false])), "may not ecr:GetAuthorizationToken");
}

#[test]
fn bypassed() {
    assert_not_met(&judge(Some(vec![true, true])), "must not, ecr:DeleteRepository on arn:aws:x");
}

#[test]
fn what_is_wanted_names_each_action_once() {
    let grants = |count: usize, action: &str| vec![json!({"action": action, "resource": "arn:x"}); count];
    let both = |can: Vec<Value>, cannot: Vec<Value>| {
        let check = check(json!({"policy": {"role": "deployer", "can": can, "cannot": cannot}}));
        let world = World::ecs();
        let query = check.queries(world.platform, &world.scope()).remove(0);
        let verdict = world.answering(query, Fetched::Decisions(None)).judge(&check);
        verdict.evidence().unwrap().wanted.clone()
    };
    let pass = "iam:PassRole";
    assert_eq!(
        both(grants(2, pass), grants(6, pass)),
        "role deployer may iam:PassRole on 2 resources and may not iam:PassRole on 6 others"
    );
    let mixed = grants(1, pass).into_iter().chain(grants(2, "ecs:RunTask")).collect();
    assert_eq!(
        both(mixed, grants(1, pass)),
        "role deployer may iam:PassRole, ecs:RunTask on 2 resources and may not iam:PassRole on another"
    );
}

#[test]
fn empty() {
    assert_not_met(&judge(None), "there is no role shop-exec");
}

#[test]
fn stale() {
    // An answer to another list of actions says nothing of this one.
    assert_unknown(&judge(Some(vec![true])), "another sort");
}

#[test]
fn api_error() {
    assert_unknown(&World::ecs().judge(&check(word())), "nothing was fetched");
}
