//! Roles are taken, used and over.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::session;
use crate::{AwsError, Call, Caller, Cloud, services::iam, testing, wire};

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

fn cloud(trust: &Value) -> Cloud {
    let mut cloud = testing::cloud();
    let role = iam::Role {
        name: "deploy".to_owned(),
        id: "AROAEXAMPLE".to_owned(),
        arn: ROLE.replace("123456789012", &cloud.config.account),
        path: "/".to_owned(),
        created: cloud.now(),
        trust: trust.to_string(),
        description: None,
        max_session: 7_200,
        tags: std::collections::BTreeMap::default(),
        grants: iam::Grants::default(),
    };
    cloud.iam.roles.insert("deploy".to_owned(), role);
    cloud
}

fn trust(principal: &Value, action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action}]})
}

fn ask(cloud: &mut Cloud, caller: Caller, operation: &str, mut input: Value) -> Result<Value, AwsError> {
    if let Some(role) = input.get_mut("RoleArn") {
        *role = ROLE.replace("123456789012", &cloud.config.account).into();
    }
    let call = Call { service: "sts".to_owned(), operation: operation.to_owned(), input, caller };
    let answer = cloud.call(&call)?;
    assert_eq!(wire::departures("sts", operation, &answer), Vec::<String>::new());
    Ok(answer)
}

#[test]
fn a_role_that_trusts_the_account_is_taken_for_a_while() {
    let account = testing::cloud().config.account;
    let mut cloud = cloud(&trust(&json!({"AWS": account}), "sts:AssumeRole"));
    let learner = iam::learner(&cloud.config);
    let input = json!({"RoleArn": ROLE, "RoleSessionName": "me", "DurationSeconds": 900});
    let answer = ask(&mut cloud, learner, "AssumeRole", input).unwrap();
    let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned();
    let caller = session(&cloud, &key).unwrap().caller.clone();
    assert_eq!(caller.arn, answer["AssumedRoleUser"]["Arn"]);
    let who = ask(&mut cloud, caller, "GetCallerIdentity", json!({})).unwrap();
    assert_eq!(who["UserId"], "AROAEXAMPLE:me");
    assert!(session(&cloud, &key).unwrap().expires > cloud.now());
    cloud.advance(cloud.now() + Duration::from_secs(900));
    assert!(session(&cloud, &key).unwrap().expires <= cloud.now());
}

#[test]
fn a_role_that_trusts_another_or_is_not_there_is_not_taken() {
    let mut cloud = cloud(&trust(&json!({"Service": "ecs-tasks.amazonaws.com"}), "sts:AssumeRole"));
    let learner = iam::learner(&cloud.config);
    let input = json!({"RoleArn": ROLE, "RoleSessionName": "me"});
    assert_eq!(ask(&mut cloud, learner.clone(), "AssumeRole", input.clone()).unwrap_err().code, "AccessDenied");
    cloud.iam.roles.clear();
    assert_eq!(ask(&mut cloud, learner, "AssumeRole", input).unwrap_err().code, "AccessDenied");
}

#[test]
fn what_a_session_may_not_be_is_said() {
    let account = testing::cloud().config.account;
    let mut cloud = cloud(&trust(&json!({"AWS": account}), "sts:AssumeRole"));
    let learner = iam::learner(&cloud.config);
    let mut refusal = |more: Value| {
        let mut input = json!({"RoleArn": ROLE, "RoleSessionName": "me"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&mut cloud, learner.clone(), "AssumeRole", input).unwrap_err().to_string()
    };
    assert!(refusal(json!({"DurationSeconds": 60})).contains("greater than or equal to 900"));
    assert!(refusal(json!({"DurationSeconds": 10_000})).contains("MaxSessionDuration"));
    assert!(refusal(json!({"RoleSessionName": "a b"})).contains("roleSessionName"));
    assert!(refusal(json!({"Policy": "{}"})).contains("does not know"));
}

#[test]
fn a_token_is_judged_by_the_trust_policy() {
    let account = testing::cloud().config.account;
    let provider = format!("arn:aws:iam::{account}:oidc-provider/ci.example");
    let mut policy = trust(&json!({"Federated": provider}), "sts:AssumeRoleWithWebIdentity");
    policy["Statement"][0]["Condition"] = json!({"StringEquals": {"ci.example:sub": "repo:shop"}});
    let mut cloud = cloud(&policy);
    let anonymous = Caller { arn: "anonymous".to_owned() };
    let mut with = |claims: &Value| {
        let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let input = json!({"RoleArn": ROLE, "RoleSessionName": "me", "WebIdentityToken": token});
        ask(&mut cloud, anonymous.clone(), "AssumeRoleWithWebIdentity", input)
    };
    let good = json!({"iss": "https://ci.example", "sub": "repo:shop", "aud": "sts.amazonaws.com"});
    assert_eq!(with(&good).unwrap()["SubjectFromWebIdentityToken"], "repo:shop");
    let other = json!({"iss": "https://ci.example", "sub": "repo:other", "aud": "sts.amazonaws.com"});
    assert_eq!(with(&other).unwrap_err().code, "AccessDenied");
    let stale = json!({"iss": "https://ci.example", "sub": "repo:shop", "aud": "sts.amazonaws.com", "exp": 1});
    assert_eq!(with(&stale).unwrap_err().code, "ExpiredTokenException");
    assert_eq!(with(&json!({"iss": "x"})).unwrap_err().code, "InvalidIdentityToken");
}
