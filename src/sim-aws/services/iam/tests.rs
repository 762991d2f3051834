use serde_json::{Value, json};

use super::{Context, evaluate, operator, policy::Keys, trust};
use crate::services::testing::{ACCOUNT, Account};

fn trust_of(service: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    ]})
    .to_string()
}

fn policy(action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
        .to_string()
}

fn role(account: &mut Account, name: &str) {
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust_of("ecs-tasks.amazonaws.com")});
    account.ok("iam", "CreateRole", input);
}

fn decoded(text: &Value) -> Value {
    let text = text.as_str().unwrap();
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_role_lives_and_dies() {
    let mut account = Account::new();
    let trust = trust_of("ecs-tasks.amazonaws.com");
    let answer = account.ok(
        "iam",
        "CreateRole",
        json!({
            "RoleName": "shop-web", "Path": "/shop/", "AssumeRolePolicyDocument": trust, "Description": "web",
            "MaxSessionDuration": 7200, "Tags": [{"Key": "team", "Value": "shop"}],
        }),
    );
    let view = &answer["Role"];
    assert_eq!(view["Arn"], format!("arn:aws:iam::{ACCOUNT}:role/shop/shop-web"));
    assert_eq!(decoded(&view["AssumeRolePolicyDocument"])["Statement"][0]["Action"], "sts:AssumeRole");
    assert!(view["RoleId"].as_str().unwrap().starts_with("AROA") && view["RoleId"].as_str().unwrap().len() == 21);
    let refusal =
        account.refused("iam", "CreateRole", json!({"RoleName": "SHOP-web", "AssumeRolePolicyDocument": trust}));
    assert_eq!(refusal, "EntityAlreadyExists: Role with name SHOP-web already exists.");
    account.ok("iam", "UpdateRole", json!({"RoleName": "shop-web", "Description": "d", "MaxSessionDuration": 3600}));
    account.ok("iam", "UpdateRoleDescription", json!({"RoleName": "shop-web", "Description": "e"}));
    account.ok("iam", "TagRole", json!({"RoleName": "shop-web", "Tags": [{"Key": "a", "Value": "b"}]}));
    account.ok("iam", "UntagRole", json!({"RoleName": "shop-web", "TagKeys": ["team"]}));
    let tags = account.ok("iam", "ListRoleTags", json!({"RoleName": "shop-web"}));
    assert_eq!(tags["Tags"], json!([{"Key": "a", "Value": "b"}]));
    let trust = trust_of("ec2.amazonaws.com");
    account.ok("iam", "UpdateAssumeRolePolicy", json!({"RoleName": "shop-web", "PolicyDocument": trust}));
    let view = account.ok("iam", "GetRole", json!({"RoleName": "shop-web"}));
    assert_eq!(decoded(&view["Role"]["AssumeRolePolicyDocument"]), serde_json::from_str::<Value>(&trust).unwrap());
    assert_eq!((&view["Role"]["Description"], &view["Role"]["MaxSessionDuration"]), (&json!("e"), &json!(3600)));
    assert_eq!(account.ok("iam", "ListRoles", json!({"PathPrefix": "/shop/"}))["Roles"].as_array().unwrap().len(), 1);
    account.ok("iam", "DeleteRole", json!({"RoleName": "shop-web"}));
    let refusal = account.refused("iam", "GetRole", json!({"RoleName": "shop-web"}));
    assert_eq!(refusal, "NoSuchEntity: The role with name shop-web cannot be found.");
}

#[test]
fn a_bad_trust_policy_or_name_is_refused() {
    let mut account = Account::new();
    let mut refused = |name: &str, trust: &str, session: Value| {
        let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust, "MaxSessionDuration": session});
        account.refused("iam", "CreateRole", input)
    };
    let trust = trust_of("ecs-tasks.amazonaws.com");
    assert!(refused("a", "{", Value::Null).starts_with("MalformedPolicyDocument: "));
    let nobody = trust
        .replace("\"Service\":\"ecs-tasks.amazonaws.com\"", &format!("\"AWS\":\"arn:aws:iam::{ACCOUNT}:role/no\""));
    let refusal = refused("a", &nobody, Value::Null);
    assert_eq!(
        refusal,
        format!("MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"arn:aws:iam::{ACCOUNT}:role/no\"")
    );
    assert!(
        refused("a b", &trust, Value::Null)
            .starts_with("ValidationError: The specified value for roleName is invalid.")
    );
    assert!(refused(&"a".repeat(65), &trust, Value::Null).contains("less than or equal to 64"));
    assert!(refused("a", &trust, json!(60)).contains("greater than or equal to 3600"));
}

#[test]
fn inline_and_attached_policies_hold_a_role() {
    let mut account = Account::new();
    role(&mut account, "r");
    let inline = json!({"RoleName": "r", "PolicyName": "own", "PolicyDocument": policy("ssm:GetParameter", "*")});
    account.ok("iam", "PutRolePolicy", inline);
    let got = account.ok("iam", "GetRolePolicy", json!({"RoleName": "r", "PolicyName": "own"}));
    assert_eq!(decoded(&got["PolicyDocument"])["Statement"][0]["Action"], "ssm:GetParameter");
    assert_eq!(account.ok("iam", "ListRolePolicies", json!({"RoleName": "r"}))["PolicyNames"], json!(["own"]));
    let arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    account.ok("iam", "AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": arn}));
    let attached = account.ok("iam", "ListAttachedRolePolicies", json!({"RoleName": "r"}));
    let wanted = json!([{"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": arn}]);
    assert_eq!(attached["AttachedPolicies"], wanted);
    let refusal = account.refused("iam", "DeleteRole", json!({"RoleName": "r"}));
    assert_eq!(refusal, "DeleteConflict: Cannot delete entity, must detach all policies first.");
    account.ok("iam", "DetachRolePolicy", json!({"RoleName": "r", "PolicyArn": arn}));
    let refusal = account.refused("iam", "DeleteRole", json!({"RoleName": "r"}));
    assert_eq!(refusal, "DeleteConflict: Cannot delete entity, must delete policies first.");
    account.ok("iam", "DeleteRolePolicy", json!({"RoleName": "r", "PolicyName": "own"}));
    let refusal = account.refused("iam", "DeleteRolePolicy", json!({"RoleName": "r", "PolicyName": "own"}));
    assert_eq!(refusal, "NoSuchEntity: The role policy with name own cannot be found.");
    account.ok("iam", "DeleteRole", json!({"RoleName": "r"}));
}

#[test]
fn faults_of_policies_are_named() {
    let mut account = Account::new();
    role(&mut account, "r");
    let put = |document: &str| json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": document});
    assert_eq!(
        account.refused("iam", "PutRolePolicy", put(&policy("GetParameter", "*"))),
        "MalformedPolicyDocument: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    );
    assert_eq!(account.refused("iam", "PutRolePolicy", put("{")), "MalformedPolicyDocument: Syntax errors in policy.");
    let long = policy("ssm:GetParameter", &format!("arn:aws:ssm:::{}", "x".repeat(10_300)));
    assert_eq!(
        account.refused("iam", "PutRolePolicy", put(&long)),
        "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r"
    );
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/none");
    assert_eq!(
        account.refused("iam", "AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": arn})),
        format!("NoSuchEntity: Policy {arn} does not exist or is not attachable.")
    );
}

#[test]
fn a_managed_policy_has_versions() {
    let mut account = Account::new();
    let created = account.ok("iam", "CreatePolicy", json!({"PolicyName": "p", "PolicyDocument": policy("ssm:*", "*")}));
    let arn = created["Policy"]["Arn"].clone();
    for action in ["ecs:*", "ecr:*", "logs:*", "kms:*"] {
        let input = json!({"PolicyArn": arn, "PolicyDocument": policy(action, "*"), "SetAsDefault": action == "kms:*"});
        account.ok("iam", "CreatePolicyVersion", input);
    }
    let sixth = json!({"PolicyArn": arn, "PolicyDocument": policy("s3:*", "*")});
    let refusal = account.refused("iam", "CreatePolicyVersion", sixth.clone());
    assert!(refusal.starts_with("LimitExceeded: A managed policy can have up to 5 versions."), "{refusal}");
    let default = json!({"PolicyArn": arn, "VersionId": "v5"});
    assert_eq!(
        account.refused("iam", "DeletePolicyVersion", default.clone()),
        "DeleteConflict: Cannot delete the default version of a policy."
    );
    let got = account.ok("iam", "GetPolicyVersion", default);
    assert_eq!(decoded(&got["PolicyVersion"]["Document"])["Statement"][0]["Action"], "kms:*");
    account.ok("iam", "DeletePolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"}));
    account.ok("iam", "CreatePolicyVersion", sixth);
    let versions = account.ok("iam", "ListPolicyVersions", json!({"PolicyArn": arn}));
    let ids =
        versions["Versions"].as_array().unwrap().iter().map(|it| it["VersionId"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids, ["v6", "v5", "v4", "v3", "v2"], "a number is not used twice");
    account.ok("iam", "SetDefaultPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v2"}));
    assert_eq!(account.ok("iam", "GetPolicy", json!({"PolicyArn": arn}))["Policy"]["DefaultVersionId"], "v2");
    assert!(account.refused("iam", "DeletePolicy", json!({"PolicyArn": arn})).contains("more than one version"));
    role(&mut account, "r");
    account.ok("iam", "PutRolePermissionsBoundary", json!({"RoleName": "r", "PermissionsBoundary": arn}));
    let users = account.ok("iam", "ListEntitiesForPolicy", json!({"PolicyArn": arn}));
    assert_eq!(users["PolicyRoles"][0]["RoleName"], "r");
    let refusal = account.refused("iam", "DeletePolicy", json!({"PolicyArn": arn}));
    assert_eq!(refusal, "DeleteConflict: Cannot delete a policy attached to entities.");
    account.ok("iam", "DeleteRolePermissionsBoundary", json!({"RoleName": "r"}));
    for version in ["v3", "v4", "v5", "v6"] {
        account.ok("iam", "DeletePolicyVersion", json!({"PolicyArn": arn, "VersionId": version}));
    }
    account.ok("iam", "TagPolicy", json!({"PolicyArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}));
    assert_eq!(account.ok("iam", "ListPolicyTags", json!({"PolicyArn": arn}))["Tags"][0]["Key"], "a");
    account.ok("iam", "DeletePolicy", json!({"PolicyArn": arn}));
}

#[test]
fn policies_of_aws_are_listed_in_pages_and_cannot_be_changed() {
    let mut account = Account::new();
    let (mut seen, mut marker) = (0, Value::Null);
    loop {
        let page = account.ok("iam", "ListPolicies", json!({"Scope": "AWS", "MaxItems": 20, "Marker": marker}));
        seen += page["Policies"].as_array().unwrap().len();
        marker = page["Marker"].clone();
        if page["IsTruncated"] == false {
            break;
        }
    }
    assert_eq!(seen, super::managed::all().count());
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    let view = account.ok("iam", "GetPolicy", json!({"PolicyArn": arn}));
    assert_eq!(view["Policy"]["AttachmentCount"], 1, "the learner's user has it");
    let document = account.ok("iam", "GetPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"}));
    assert_eq!(decoded(&document["PolicyVersion"]["Document"])["Statement"][0]["Action"], "*");
    assert!(account.refused("iam", "DeletePolicy", json!({"PolicyArn": arn})).starts_with("AccessDenied: "));
}

#[test]
fn the_operator_is_in_no_listing_and_may_do_everything() {
    let mut account = Account::new();
    let users = account.ok("iam", "ListUsers", json!({}));
    assert_eq!(users["Users"].as_array().unwrap().len(), 1);
    assert_eq!(users["Users"][0]["UserName"], "learner");
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    account.ok("iam", "DetachUserPolicy", json!({"UserName": "learner", "PolicyArn": admin}));
    let refusal = account.refused("iam", "ListUsers", json!({}));
    assert_eq!(
        refusal,
        format!(
            "AccessDenied: User: arn:aws:iam::{ACCOUNT}:user/learner is not authorized to perform: iam:ListUsers on resource: \
             * because no identity-based policy allows the iam:ListUsers action"
        )
    );
    account.caller = operator(&account.cloud.config);
    account.ok("iam", "AttachUserPolicy", json!({"UserName": "learner", "PolicyArn": admin}));
    account.become_learner();
    assert_eq!(account.ok("iam", "GetUser", json!({}))["User"]["UserName"], "learner", "nobody named: oneself");
}

#[test]
fn access_keys_sign_for_their_user_while_they_are_active() {
    let mut account = Account::new();
    account.ok("iam", "CreateUser", json!({"UserName": "ci", "Path": "/bots/"}));
    let key = account.ok("iam", "CreateAccessKey", json!({"UserName": "ci"}))["AccessKey"].clone();
    let id = key["AccessKeyId"].as_str().unwrap().to_owned();
    let owner = |account: &Account| {
        super::key_owner(&account.cloud, &id).map(|(caller, secret)| (caller.arn, secret.to_owned()))
    };
    let secret = key["SecretAccessKey"].as_str().unwrap().to_owned();
    assert_eq!(owner(&account), Some((format!("arn:aws:iam::{ACCOUNT}:user/bots/ci"), secret)));
    assert_eq!(super::key_owner(&account.cloud, "AKIALEARNER").unwrap().0, super::learner(&account.cloud.config));
    account.ok("iam", "UpdateAccessKey", json!({"UserName": "ci", "AccessKeyId": id, "Status": "Inactive"}));
    assert_eq!(owner(&account), None);
    account.ok("iam", "CreateAccessKey", json!({"UserName": "ci"}));
    let refusal = account.refused("iam", "CreateAccessKey", json!({"UserName": "ci"}));
    assert_eq!(refusal, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2");
    let keys = account.ok("iam", "ListAccessKeys", json!({"UserName": "ci"}))["AccessKeyMetadata"].clone();
    assert_eq!(
        account.refused("iam", "DeleteUser", json!({"UserName": "ci"})).split(':').next(),
        Some("DeleteConflict")
    );
    for key in keys.as_array().unwrap() {
        account.ok("iam", "DeleteAccessKey", json!({"UserName": "ci", "AccessKeyId": key["AccessKeyId"]}));
    }
    account.ok("iam", "DeleteUser", json!({"UserName": "ci"}));
}

#[test]
fn an_instance_profile_holds_one_role() {
    let mut account = Account::new();
    role(&mut account, "node");
    account.ok("iam", "CreateInstanceProfile", json!({"InstanceProfileName": "node"}));
    let tagged =
        json!({"InstanceProfileName": "node", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]});
    account.ok("iam", "TagInstanceProfile", tagged);
    account.ok("iam", "UntagInstanceProfile", json!({"InstanceProfileName": "node", "TagKeys": ["c"]}));
    let tags = account.ok("iam", "ListInstanceProfileTags", json!({"InstanceProfileName": "node"}));
    assert_eq!(tags["Tags"], json!([{"Key": "a", "Value": "b"}]));
    let both = json!({"InstanceProfileName": "node", "RoleName": "node"});
    account.ok("iam", "AddRoleToInstanceProfile", both.clone());
    assert!(account.refused("iam", "AddRoleToInstanceProfile", both.clone()).starts_with("LimitExceeded: "));
    let of_role = account.ok("iam", "ListInstanceProfilesForRole", json!({"RoleName": "node"}));
    assert_eq!(of_role["InstanceProfiles"][0]["Roles"][0]["RoleName"], "node");
    assert!(account.refused("iam", "DeleteRole", json!({"RoleName": "node"})).contains("must remove roles"));
    account.ok("iam", "RemoveRoleFromInstanceProfile", both);
    account.ok("iam", "DeleteInstanceProfile", json!({"InstanceProfileName": "node"}));
    assert_eq!(account.ok("iam", "ListInstanceProfiles", json!({}))["InstanceProfiles"], json!([]));
}

#[test]
fn a_service_takes_on_a_role_that_trusts_it() {
    let mut account = Account::new();
    role(&mut account, "shop-exec");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/shop-exec");
    let take = |account: &Account, service| super::assume_for_service(&account.cloud, &arn, service, "abc");
    let caller = take(&account, "ecs-tasks.amazonaws.com").unwrap();
    assert_eq!(caller.arn, format!("arn:aws:sts::{ACCOUNT}:assumed-role/shop-exec/abc"));
    assert_eq!(take(&account, "ec2.amazonaws.com").unwrap_err().code, "AccessDenied");
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}},
    }});
    let input = json!({"RoleName": "shop-exec", "PolicyDocument": trust.to_string()});
    account.ok("iam", "UpdateAssumeRolePolicy", input);
    assert!(take(&account, "ecs-tasks.amazonaws.com").is_err(), "another account's deputy");
}

#[test]
fn a_token_s_claims_are_judged_by_the_trust_policy() {
    let mut account = Account::new();
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.example");
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"token.actions.example:sub": "repo:shop/web:ref:refs/heads/main"}},
    }]});
    account.ok("iam", "CreateRole", json!({"RoleName": "ci", "AssumeRolePolicyDocument": trust.to_string()}));
    let role = &account.cloud.iam.roles["ci"];
    let judged = |sub: &str| {
        let keys = Keys::from_iter([("token.actions.example:sub", sub)]);
        trust::trusts_token(role, &provider, &keys).is_allowed()
    };
    assert!(judged("repo:shop/web:ref:refs/heads/main"));
    assert!(!judged("repo:shop/web:ref:refs/heads/master"));
}

#[test]
fn taking_on_a_role_needs_its_trust() {
    let mut account = Account::new();
    role(&mut account, "closed");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/closed");
    let may = |account: &Account| evaluate(&account.cloud, &account.caller, "sts:AssumeRole", &arn, &Context::new());
    let refusal = may(&account).refusal(&account.caller, "sts:AssumeRole", &arn).unwrap();
    assert_eq!(
        refusal,
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/learner is not authorized to perform: sts:AssumeRole on resource: {arn}"
        )
    );
    let trust = trust_of("x").replace("\"Service\":\"x\"", &format!("\"AWS\":\"arn:aws:iam::{ACCOUNT}:root\""));
    account.ok("iam", "UpdateAssumeRolePolicy", json!({"RoleName": "closed", "PolicyDocument": trust}));
    assert!(may(&account).is_allowed());
}

#[test]
fn a_boundary_s_refusal_says_so() {
    let mut account = Account::new();
    account.become_role("worker", &json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    let worker = account.caller.clone();
    account.become_learner();
    let boundary =
        account.ok("iam", "CreatePolicy", json!({"PolicyName": "edge", "PolicyDocument": policy("ssm:*", "*")}));
    let arn = boundary["Policy"]["Arn"].clone();
    account.ok("iam", "PutRolePermissionsBoundary", json!({"RoleName": "worker", "PermissionsBoundary": arn}));
    account.caller = worker;
    let refusal = account.refused("iam", "ListRoles", json!({}));
    assert!(refusal.ends_with("because no permissions boundary allows the iam:ListRoles action"), "{refusal}");
}

#[test]
fn a_simulation_is_the_engine_s_own_judgement() {
    let mut account = Account::new();
    let pass = json!([
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": format!("arn:aws:iam::{ACCOUNT}:role/shop-*"),
         "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
        {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*/break-glass"},
    ]);
    // `*/break-glass` is no ARN; the policy is put in its proper form.
    let deny = format!("arn:aws:iam::{ACCOUNT}:role/shop-root");
    let pass = serde_json::from_str::<Value>(&pass.to_string().replace("*/break-glass", &deny)).unwrap();
    account.become_role("deployer", &pass);
    account.become_learner();
    let source = format!("arn:aws:iam::{ACCOUNT}:role/deployer");
    let mut simulate = |resource: &str, service: Option<&str>| {
        let entries = service.map(|it| json!([{"ContextKeyName": "iam:PassedToService", "ContextKeyValues": [it], "ContextKeyType": "string"}]));
        let input = json!({
            "PolicySourceArn": source, "ActionNames": ["iam:PassRole"],
            "ResourceArns": [format!("arn:aws:iam::{ACCOUNT}:role/{resource}")], "ContextEntries": entries.unwrap_or(json!([])),
        });
        account.ok("iam", "SimulatePrincipalPolicy", input)["EvaluationResults"][0].clone()
    };
    let ecs = Some("ecs-tasks.amazonaws.com");
    let allowed = simulate("shop-exec", ecs);
    assert_eq!((&allowed["EvalDecision"], &allowed["MissingContextValues"]), (&json!("allowed"), &json!([])));
    assert_eq!(allowed["MatchedStatements"][0]["SourcePolicyId"], "own");
    assert_eq!(allowed["MatchedStatements"][0]["StartPosition"]["Line"], 1);
    assert_eq!(simulate("shop-exec", Some("ec2.amazonaws.com"))["EvalDecision"], "implicitDeny");
    assert_eq!(simulate("shop-exec", None)["MissingContextValues"], json!(["iam:PassedToService"]));
    assert_eq!(simulate("shop-root", ecs)["EvalDecision"], "explicitDeny");
    assert_eq!(simulate("admin", ecs)["EvalDecision"], "implicitDeny");
    let none = json!({"PolicySourceArn": format!("{source}s"), "ActionNames": ["iam:PassRole"]});
    let refusal = account.refused("iam", "SimulatePrincipalPolicy", none);
    assert_eq!(refusal, "NoSuchEntity: The role with name deployers cannot be found.");
}

#[test]
fn a_simulation_of_documents_tells_what_a_boundary_says() {
    let mut account = Account::new();
    let simulate = |account: &mut Account, boundary: &str| {
        let input = json!({
            "PolicyInputList": [policy("*", "*")], "PermissionsBoundaryPolicyInputList": [policy(boundary, "*")],
            "ActionNames": ["ssm:GetParameter"],
        });
        account.ok("iam", "SimulateCustomPolicy", input)["EvaluationResults"][0].clone()
    };
    let inside = simulate(&mut account, "ssm:*");
    assert_eq!(inside["EvalDecision"], "allowed");
    assert_eq!(inside["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"], true);
    let outside = simulate(&mut account, "ecs:*");
    assert_eq!(outside["EvalDecision"], "implicitDeny");
    assert_eq!(outside["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"], false);
}
