use proptest::prelude::*;
use serde_json::{Value, json};

use super::{document::Effect, *};
use crate::services::iam::{Decision, PolicyKind};

const ACCOUNT: &str = "123456789012";
const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf";
const READ: &str = "secretsmanager:GetSecretValue";

fn role() -> Principal {
    Principal::Session {
        account: ACCOUNT.to_owned(),
        arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/shop-web/1"),
        role: format!("arn:aws:iam::{ACCOUNT}:role/shop-web"),
    }
}

fn document(statement: Value) -> Document {
    Document::from_value(&json!({"Version": "2012-10-17", "Statement": statement}))
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// What an identity with one statement may do.
fn with(statement: Value, action: &str, resource: &str, keys: &[(&str, &str)]) -> Decision {
    let document = document(statement);
    let keys = Keys::from_iter(keys.iter().copied());
    let question = Question { principal: Some(&role()), action, resource, keys: &keys };
    judge(&question, &Policies { identity: vec![&document], ..Policies::default() }).decision
}

fn conditioned(condition: Value, keys: &[(&str, &str)]) -> bool {
    let mut statement = allow("*", "*");
    statement["Condition"] = condition;
    with(statement, READ, SECRET, keys).is_allowed()
}

#[test]
fn nothing_is_allowed_by_nothing() {
    let none = with(json!([]), READ, SECRET, &[]);
    assert_eq!(none, Decision::ImplicitDeny(PolicyKind::Identity));
}

#[test]
fn actions_match_in_any_case_and_resources_do_not() {
    assert!(with(allow("SecretsManager:getsecretVALUE", "*"), READ, SECRET, &[]).is_allowed());
    assert!(with(allow("secretsmanager:Get*", SECRET), READ, SECRET, &[]).is_allowed());
    assert!(!with(allow("*", &SECRET.to_uppercase()), READ, SECRET, &[]).is_allowed());
    assert!(!with(allow("secretsmanager:Describe*", "*"), READ, SECRET, &[]).is_allowed());
}

#[test]
fn an_action_without_resources_is_not_allowed_on_an_arn() {
    let repository = "arn:aws:ecr:eu-central-1:123456789012:repository/shop/web";
    let token = "ecr:GetAuthorizationToken";
    assert_eq!(with(allow(token, repository), token, "*", &[]), Decision::ImplicitDeny(PolicyKind::Identity));
    assert!(with(allow(token, "*"), token, "*", &[]).is_allowed());
}

#[test]
fn an_explicit_deny_wins_wherever_it_stands() {
    let statements = json!([allow("*", "*"), {"Effect": "Deny", "Action": READ, "Resource": "*"}]);
    assert_eq!(with(statements, READ, SECRET, &[]), Decision::ExplicitDeny(PolicyKind::Identity));
}

#[test]
fn not_action_and_not_resource_mean_the_rest() {
    let rest = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    assert!(with(rest.clone(), READ, SECRET, &[]).is_allowed());
    assert!(!with(rest, "iam:CreateUser", "*", &[]).is_allowed());
    let rest = json!({"Effect": "Allow", "Action": "*", "NotResource": [SECRET]});
    assert!(!with(rest.clone(), READ, SECRET, &[]).is_allowed());
    assert!(with(rest, READ, &SECRET.replace("shop/db", "shop/card"), &[]).is_allowed());
}

#[test]
fn variables_come_from_the_request_and_only_in_the_new_version() {
    let resource = "arn:aws:ssm:eu-central-1:123456789012:parameter/${aws:username}/*";
    let parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/anna/key";
    let keys = [("aws:UserName", "anna")];
    assert!(with(allow("ssm:GetParameter", resource), "ssm:GetParameter", parameter, &keys).is_allowed());
    assert!(!with(allow("ssm:GetParameter", resource), "ssm:GetParameter", parameter, &[]).is_allowed());
    let old = Document::from_value(&json!({"Statement": [allow("ssm:GetParameter", resource)]}));
    let keys = Keys::from_iter(keys);
    let question = Question { principal: None, action: "ssm:GetParameter", resource: parameter, keys: &keys };
    assert!(!judge(&question, &Policies { identity: vec![&old], ..Policies::default() }).decision.is_allowed());
}

#[test]
fn strings_are_compared() {
    let key = [("iam:PassedToService", "ecs-tasks.amazonaws.com")];
    for (operator, value, holds) in [
        ("StringEquals", "ecs-tasks.amazonaws.com", true),
        ("StringEquals", "ecs-*", false),
        ("StringEquals", "ECS-tasks.amazonaws.com", false),
        ("StringEqualsIgnoreCase", "ECS-Tasks.amazonaws.com", true),
        ("StringLike", "ecs-*.amazonaws.com", true),
        ("StringLike", "ec2*", false),
        ("StringNotEquals", "ec2.amazonaws.com", true),
        ("StringNotLike", "ecs*", false),
        ("StringNotEqualsIgnoreCase", "ECS-tasks.amazonaws.com", false),
        ("StringLikes", "*", false),
    ] {
        assert_eq!(conditioned(json!({operator: {"IAM:passedtoservice": value}}), &key), holds, "{operator} {value}");
    }
}

#[test]
fn several_values_are_alternatives_and_several_keys_are_not() {
    let keys = [("a:b", "1"), ("c:d", "2")];
    assert!(conditioned(json!({"StringEquals": {"a:b": ["0", "1"], "c:d": "2"}}), &keys));
    assert!(!conditioned(json!({"StringEquals": {"a:b": ["0", "1"], "c:d": "3"}}), &keys));
    assert!(!conditioned(json!({"StringNotEquals": {"a:b": ["0", "1"]}}), &keys), "none of them may match");
    assert!(!conditioned(json!({"StringEquals": {"a:b": "1"}, "StringLike": {"c:d": "x"}}), &keys));
}

#[test]
fn a_key_that_is_not_there() {
    for (condition, holds) in [
        (json!({"StringEquals": {"a:b": "1"}}), false),
        (json!({"StringNotEquals": {"a:b": "1"}}), true),
        (json!({"StringEqualsIfExists": {"a:b": "1"}}), true),
        (json!({"NumericLessThan": {"a:b": "1"}}), false),
        (json!({"Bool": {"a:b": "false"}}), false),
        (json!({"BoolIfExists": {"a:b": "true"}}), true),
        (json!({"Null": {"a:b": "true"}}), true),
        (json!({"Null": {"a:b": false}}), false),
        (json!({"ForAllValues:StringEquals": {"a:b": "1"}}), true),
        (json!({"ForAnyValue:StringEquals": {"a:b": "1"}}), false),
        (json!({"ForAnyValue:StringNotEquals": {"a:b": "1"}}), false),
    ] {
        assert_eq!(conditioned(condition.clone(), &[]), holds, "{condition}");
    }
    assert!(!conditioned(json!({"Null": {"a:b": "true"}}), &[("a:b", "")]));
    assert!(!conditioned(json!({"StringEqualsIfExists": {"a:b": "1"}}), &[("a:b", "2")]));
}

#[test]
fn sets_of_values() {
    let mut keys = Keys::default();
    keys.set_all("aws:TagKeys", vec!["team".to_owned(), "cost".to_owned()]);
    let holds = |operator: &str, values: Value| {
        let condition = document::Condition {
            operator: operator.to_owned(),
            key: "aws:tagkeys".to_owned(),
            values: document::texts(&values),
        };
        condition::holds(&condition, &keys, true)
    };
    assert!(holds("ForAllValues:StringEquals", json!(["team", "cost", "more"])));
    assert!(!holds("ForAllValues:StringEquals", json!(["team"])));
    assert!(holds("ForAnyValue:StringEquals", json!(["team"])));
    assert!(!holds("ForAnyValue:StringLike", json!(["x*"])));
    assert!(holds("ForAnyValue:StringNotEquals", json!(["team"])), "cost is not team");
    assert!(!holds("ForAllValues:StringNotEquals", json!(["team"])));
}

#[test]
fn numbers_dates_booleans_and_addresses() {
    let keys = [
        ("n", "10"),
        ("d", "2026-11-21T12:00:00Z"),
        ("b", "true"),
        ("ip", "10.0.3.7"),
        ("six", "2001:db8::1"),
        ("arn", "arn:aws:ecs:eu-central-1:123456789012:cluster/shop"),
    ];
    for (operator, key, value, holds) in [
        ("NumericEquals", "n", "10.0", true),
        ("NumericLessThan", "n", "9", false),
        ("NumericGreaterThanEquals", "n", "10", true),
        ("NumericNotEquals", "n", "11", true),
        ("NumericEquals", "b", "1", false),
        ("DateLessThan", "d", "2026-12-01T00:00:00Z", true),
        ("DateGreaterThan", "d", "2026-11-21", true),
        ("DateGreaterThanEquals", "d", "1800000000", false),
        ("Bool", "b", "TRUE", true),
        ("Bool", "b", "false", false),
        ("IpAddress", "ip", "10.0.0.0/16", true),
        ("IpAddress", "ip", "10.1.0.0/16", false),
        ("IpAddress", "ip", "10.0.3.7", true),
        ("IpAddress", "ip", "0.0.0.0/0", true),
        ("IpAddress", "ip", "10.0.0.0/99999999999", false),
        ("NotIpAddress", "ip", "10.0.0.0/8", false),
        ("IpAddress", "six", "2001:db8::/32", true),
        ("IpAddress", "six", "::/0", true),
        ("IpAddress", "ip", "::/0", false),
        ("ArnLike", "arn", "arn:aws:ecs:*:*:cluster/*", true),
        ("ArnEquals", "arn", "arn:aws:ecs:*:*:cluster/shop", true),
        ("ArnNotLike", "arn", "arn:aws:ecs:*:*:service/*", true),
        ("ArnLike", "arn", "arn:aws:ecs:*:cluster/*", false),
    ] {
        assert_eq!(conditioned(json!({operator: {key: value}}), &keys), holds, "{operator} {key} {value}");
    }
}

/// A question about `READ` on `SECRET` by `role()`.
fn asked(policies: &Policies<'_>) -> Decision {
    let keys = Keys::default();
    judge(&Question { principal: Some(&role()), action: READ, resource: SECRET, keys: &keys }, policies).decision
}

#[test]
fn a_boundary_allows_nothing_and_limits_everything() {
    let (all, other) = (document(allow("*", "*")), document(allow("ssm:*", "*")));
    let bounded = |identity: &[&Document], boundary| {
        asked(&Policies { identity: identity.to_vec(), boundary: Some(boundary), ..Policies::default() })
    };
    assert_eq!(bounded(&[&all], &other), Decision::ImplicitDeny(PolicyKind::Boundary));
    assert_eq!(bounded(&[], &all), Decision::ImplicitDeny(PolicyKind::Identity));
    assert_eq!(bounded(&[&all], &all), Decision::Allowed);
    let deny = document(json!([allow("*", "*"), {"Effect": "Deny", "Action": READ, "Resource": "*"}]));
    assert_eq!(bounded(&[&all], &deny), Decision::ExplicitDeny(PolicyKind::Boundary));
}

fn resource(effect: &str, principal: Value) -> Document {
    document(json!({"Effect": effect, "Principal": principal, "Action": READ, "Resource": "*"}))
}

#[test]
fn a_resource_s_policy_may_give_what_the_identity_lacks() {
    let may = |policy: &Document, boundary: Option<&Document>| {
        asked(&Policies { resource: Some((ResourceRule::MayAllow, policy)), boundary, ..Policies::default() })
    };
    let none = document(json!([]));
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/shop-web/1");
    let by_role = resource("Allow", json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:role/shop-web")}));
    let by_session = resource("Allow", json!({"AWS": [session]}));
    let by_account = resource("Allow", json!({"AWS": ACCOUNT}));
    let other = resource("Allow", json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:role/other")}));
    let service = resource("Allow", json!({"Service": "ecs-tasks.amazonaws.com"}));
    assert_eq!(may(&by_role, None), Decision::Allowed);
    assert_eq!(may(&by_session, Some(&none)), Decision::Allowed, "a session's own ARN is not bounded");
    assert_eq!(may(&by_role, Some(&none)), Decision::ImplicitDeny(PolicyKind::Boundary), "a role's ARN is");
    assert_eq!(may(&by_account, None), Decision::ImplicitDeny(PolicyKind::Identity), "an account only passes on");
    assert_eq!(may(&other, None), Decision::ImplicitDeny(PolicyKind::Identity));
    assert_eq!(may(&service, None), Decision::ImplicitDeny(PolicyKind::Identity));
    assert_eq!(may(&resource("Allow", json!("*")), None), Decision::Allowed);
}

#[test]
fn a_resource_s_deny_binds_the_whole_account() {
    let all = document(allow("*", "*"));
    let deny = |principal| {
        let policy = resource("Deny", principal);
        asked(&Policies {
            identity: vec![&all],
            resource: Some((ResourceRule::MayAllow, &policy)),
            ..Policies::default()
        })
    };
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    assert_eq!(deny(json!({"AWS": root})), Decision::ExplicitDeny(PolicyKind::Resource));
    assert_eq!(deny(json!("*")), Decision::ExplicitDeny(PolicyKind::Resource));
    assert_eq!(deny(json!({"AWS": "arn:aws:iam::999999999999:root"})), Decision::Allowed);
    let spared = document(json!({"Effect": "Deny", "NotPrincipal": {"AWS": [root]}, "Action": "*", "Resource": "*"}));
    let policies =
        Policies { identity: vec![&all], resource: Some((ResourceRule::MayAllow, &spared)), ..Policies::default() };
    assert_eq!(asked(&policies), Decision::Allowed);
}

#[test]
fn without_its_key_policy_nobody_uses_a_key() {
    let all = document(allow("*", "*"));
    let key = |policy: &Document, identity: Vec<&Document>, granted| {
        let rule = ResourceRule::MustAllow(PolicyKind::Resource);
        asked(&Policies { identity, resource: Some((rule, policy)), granted, ..Policies::default() })
    };
    let account = resource("Allow", json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}));
    let nobody = document(json!([]));
    assert_eq!(key(&nobody, vec![&all], false), Decision::ImplicitDeny(PolicyKind::Resource));
    assert_eq!(key(&account, vec![], false), Decision::ImplicitDeny(PolicyKind::Identity));
    assert_eq!(key(&account, vec![&all], false), Decision::Allowed);
    assert_eq!(key(&nobody, vec![], true), Decision::Allowed, "a grant is enough");
    assert_eq!(key(&resource("Deny", json!("*")), vec![], true), Decision::ExplicitDeny(PolicyKind::Resource));
}

#[test]
fn a_boundary_speaks_for_itself() {
    let (all, none) = (document(allow("*", "*")), document(json!([])));
    let keys = Keys::default();
    let question = Question { principal: None, action: READ, resource: SECRET, keys: &keys };
    let says = |boundary| {
        judge(&question, &Policies { identity: vec![&all], boundary, ..Policies::default() }).boundary_allows
    };
    assert_eq!((says(None), says(Some(&all)), says(Some(&none))), (None, Some(true), Some(false)));
}

/// Any JSON, often of the shape of a policy.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "Allow",
        "Deny",
        "*",
        "s3:*",
        "${a}",
        "${",
        "$",
        "?",
        "",
        "arn:aws:*",
        "2012-10-17",
        "::::::",
        "ü*",
        "1e999",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let name = prop::sample::select(vec![
            "Statement",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Principal",
            "NotPrincipal",
            "AWS",
            "Condition",
            "StringLike",
            "ForAnyValue:ArnNotLike",
            "IpAddress",
            "DateEquals",
            "NumericLessThan",
            "Null",
            "Version",
            "a",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn any_statement() -> impl Strategy<Value = Value> {
    let pattern = prop::sample::select(vec!["*", "secretsmanager:*", READ, "ssm:Get?*", ""]);
    let resource = prop::sample::select(vec!["*", SECRET, "arn:aws:secretsmanager:*:*:secret:*", "arn:aws:s3:::x"]);
    let effect = prop::sample::select(vec!["Allow", "Deny"]);
    (effect, pattern, resource, any::<bool>()).prop_map(|(effect, action, resource, except)| {
        let name = if except { "NotAction" } else { "Action" };
        json!({"Effect": effect, name: action, "Resource": resource})
    })
}

proptest! {
    #[test]
    fn an_evaluation_never_panics(policy in any_json(), text in ".{0,60}", boundary in any_json()) {
        let documents = [Document::from_value(&policy), Document::read(&text), Document::from_value(&boundary)];
        let keys = Keys::from_iter([("a", "10.0.0.1"), ("aws:username", "*")]);
        for action in [READ, "", ":", "*"] {
            let question = Question { principal: Some(&role()), action, resource: SECRET, keys: &keys };
            judge(&question, &Policies {
                identity: vec![&documents[0], &documents[1]],
                boundary: Some(&documents[2]),
                resource: Some((ResourceRule::MayAllow, &documents[0])),
                granted: false,
            });
        }
    }

    #[test]
    fn an_explicit_deny_always_wins(
        statements in prop::collection::vec(any_statement(), 0..6),
        place in 0_usize..3,
        granted in any::<bool>(),
    ) {
        let others = document(Value::from(statements));
        let deny = document(json!({"Effect": "Deny", "Principal": "*", "Action": READ, "Resource": SECRET}));
        let all = document(allow("*", "*"));
        let everybody = resource("Allow", json!("*"));
        let policies = Policies {
            identity: if place == 0 { vec![&others, &all, &deny] } else { vec![&all, &others] },
            boundary: Some(if place == 1 { &deny } else { &all }),
            resource: Some((ResourceRule::MayAllow, if place == 2 { &deny } else { &everybody })),
            granted,
        };
        let keys = Keys::default();
        let question = Question { principal: Some(&role()), action: READ, resource: SECRET, keys: &keys };
        let judgement = judge(&question, &policies);
        prop_assert!(matches!(judgement.decision, Decision::ExplicitDeny(_)));
        prop_assert!(judgement.spoke.iter().any(|it| it.effect == Effect::Deny));
    }

    #[test]
    fn more_allowing_statements_never_take_a_right_away(statements in prop::collection::vec(any_statement(), 0..6)) {
        let mut more = statements.clone();
        more.push(allow("ssm:*", "*"));
        let (few, more) = (document(Value::from(statements)), document(Value::from(more)));
        let may = |policy| asked(&Policies { identity: vec![policy], ..Policies::default() }).is_allowed();
        prop_assert!(!may(&few) || may(&more));
    }
}
