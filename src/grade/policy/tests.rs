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
    let say = |allowed| Decision { allowed, said: if allowed { "allowed" } else { "implicitDeny" }.to_owned() };
    let decisions = decisions.map(|all| all.into_iter().map(say).collect());
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
    assert_not_met(&judge(Some(vec![true, true])), "must not, ecr:DeleteRepository on arn:x");
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
