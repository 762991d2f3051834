use serde_json::{Value, json};

use crate::services::testing::{ACCOUNT, Account};

fn get(account: &mut Account, more: Value) -> Value {
    let mut input = json!({"SecretId": "shop/db"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    account.ok("secretsmanager", "GetSecretValue", input)
}

fn create(account: &mut Account, more: Value) -> Value {
    let mut input = json!({"Name": "shop/db", "SecretString": "{\"password\":\"one\"}"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    account.ok("secretsmanager", "CreateSecret", input)
}

#[test]
fn a_secret_is_found_by_name_and_by_arn() {
    let mut account = Account::new();
    let arn = create(&mut account, json!({}))["ARN"].as_str().unwrap().to_owned();
    let whole = format!("arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:shop/db-");
    assert!(arn.starts_with(&whole) && arn.len() == whole.len() + 6, "{arn}");
    for id in ["shop/db", &arn, whole.trim_end_matches('-')] {
        assert_eq!(get(&mut account, json!({"SecretId": id}))["SecretString"], "{\"password\":\"one\"}", "{id}");
    }
    let none = account.refused("secretsmanager", "GetSecretValue", json!({"SecretId": "shop/none"}));
    assert_eq!(none, "ResourceNotFoundException: Secrets Manager can't find the specified secret.");
    let again = account.refused("secretsmanager", "CreateSecret", json!({"Name": "shop/db"}));
    assert_eq!(again, "ResourceExistsException: The operation failed because the secret shop/db already exists.");
}

#[test]
fn stages_move_from_version_to_version() {
    let mut account = Account::new();
    let first = create(&mut account, json!({}))["VersionId"].clone();
    let put = json!({"SecretId": "shop/db", "SecretString": "two"});
    let second = account.ok("secretsmanager", "PutSecretValue", put)["VersionId"].clone();
    assert_eq!(get(&mut account, json!({}))["VersionId"], second);
    assert_eq!(get(&mut account, json!({"VersionStage": "AWSPREVIOUS"}))["VersionId"], first);
    let pending = json!({"SecretId": "shop/db", "SecretString": "three", "VersionStages": ["AWSPENDING"]});
    let third = account.ok("secretsmanager", "PutSecretValue", pending)["VersionId"].clone();
    assert_eq!(get(&mut account, json!({}))["SecretString"], "two");
    let mut to_third = json!({"SecretId": "shop/db", "VersionStage": "AWSCURRENT", "MoveToVersionId": third});
    let refusal = account.refused("secretsmanager", "UpdateSecretVersionStage", to_third.clone());
    assert!(refusal.contains("currently attached to version"), "{refusal}");
    to_third["RemoveFromVersionId"] = second.clone();
    account.ok("secretsmanager", "UpdateSecretVersionStage", to_third);
    assert_eq!(get(&mut account, json!({}))["SecretString"], "three");
    let view = account.ok("secretsmanager", "DescribeSecret", json!({"SecretId": "shop/db"}));
    let stages = &view["VersionIdsToStages"];
    assert_eq!(stages[second.as_str().unwrap()], json!(["AWSPREVIOUS"]));
    assert_eq!(stages.get(first.as_str().unwrap()), None, "a version without a stage is deprecated");
    let all = json!({"SecretId": "shop/db", "IncludeDeprecated": true});
    assert_eq!(account.ok("secretsmanager", "ListSecretVersionIds", all)["Versions"].as_array().unwrap().len(), 3);
    let none = account.refused("secretsmanager", "GetSecretValue", json!({"SecretId": "shop/db", "VersionStage": "X"}));
    assert_eq!(
        none,
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: X"
    );
}

#[test]
fn a_token_makes_a_request_happen_once() {
    let mut account = Account::new();
    create(&mut account, json!({}));
    let token = "00000000-0000-4000-8000-000000000001";
    let mut put = json!({"SecretId": "shop/db", "SecretString": "two", "ClientRequestToken": token});
    account.ok("secretsmanager", "PutSecretValue", put.clone());
    assert_eq!(account.ok("secretsmanager", "PutSecretValue", put.clone())["VersionId"], token);
    put["SecretString"] = json!("three");
    assert!(account.refused("secretsmanager", "PutSecretValue", put).starts_with("ResourceExistsException"));
}

#[test]
fn a_deleted_secret_can_be_restored_for_a_while() {
    let mut account = Account::new();
    create(&mut account, json!({}));
    let id = json!({"SecretId": "shop/db"});
    account.ok("secretsmanager", "DeleteSecret", json!({"SecretId": "shop/db", "RecoveryWindowInDays": 7}));
    let refusal = account.refused("secretsmanager", "GetSecretValue", id.clone());
    assert_eq!(
        refusal,
        "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."
    );
    assert!(
        account.refused("secretsmanager", "CreateSecret", json!({"Name": "shop/db"})).contains("already scheduled")
    );
    assert_eq!(account.ok("secretsmanager", "ListSecrets", json!({}))["SecretList"], json!([]));
    account.ok("secretsmanager", "RestoreSecret", id.clone());
    get(&mut account, json!({}));
    account.ok("secretsmanager", "DeleteSecret", json!({"SecretId": "shop/db", "RecoveryWindowInDays": 7}));
    account.pass(7 * 86_400);
    assert!(account.refused("secretsmanager", "DescribeSecret", id).starts_with("ResourceNotFoundException"));
    create(&mut account, json!({}));
    account.ok("secretsmanager", "DeleteSecret", json!({"SecretId": "shop/db", "ForceDeleteWithoutRecovery": true}));
    create(&mut account, json!({}));
}

#[test]
fn a_secret_under_the_account_s_own_key_needs_that_key_too() {
    let mut account = Account::new();
    let read = json!([{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]);
    let key = account.ok("kms", "CreateKey", json!({}))["KeyMetadata"]["Arn"].clone();
    account.ok("kms", "CreateAlias", json!({"AliasName": "alias/shop", "TargetKeyId": key}));
    create(&mut account, json!({}));
    account.become_role("shop-exec", &read);
    let exec = account.caller.clone();
    get(&mut account, json!({}));
    account.become_learner();
    account.ok("secretsmanager", "UpdateSecret", json!({"SecretId": "shop/db", "KmsKeyId": "alias/shop"}));
    let view = account.ok("secretsmanager", "DescribeSecret", json!({"SecretId": "shop/db"}));
    assert_eq!(view["KmsKeyId"], "alias/shop");
    account.caller = exec.clone();
    let id = json!({"SecretId": "shop/db"});
    let refusal = account.refused("secretsmanager", "GetSecretValue", id.clone());
    assert_eq!(refusal, "AccessDeniedException: Access to KMS is not allowed");
    account.become_learner();
    let decrypt = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key,
         "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}},
    ]});
    let put = json!({"RoleName": "shop-exec", "PolicyName": "kms", "PolicyDocument": decrypt.to_string()});
    account.ok("iam", "PutRolePolicy", put);
    account.caller = exec.clone();
    get(&mut account, json!({}));
    account.become_learner();
    account.ok("kms", "DisableKey", json!({"KeyId": key}));
    account.caller = exec;
    assert!(account.refused("secretsmanager", "GetSecretValue", id).starts_with("DecryptionFailure: "));
}

#[test]
fn a_resource_policy_lets_in_and_keeps_out() {
    let mut account = Account::new();
    create(&mut account, json!({}));
    account.become_role("reader", &json!([{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]));
    let reader = account.caller.clone();
    let id = json!({"SecretId": "shop/db"});
    let refusal = account.refused("secretsmanager", "GetSecretValue", id.clone());
    assert!(
        refusal.ends_with("because no identity-based policy allows the secretsmanager:GetSecretValue action"),
        "{refusal}"
    );
    account.become_learner();
    let put = |account: &mut Account, effect: &str| {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": effect, "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:role/reader")},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*",
        }]});
        let input = json!({"SecretId": "shop/db", "ResourcePolicy": policy.to_string()});
        account.ok("secretsmanager", "PutResourcePolicy", input);
    };
    put(&mut account, "Allow");
    account.caller = reader.clone();
    get(&mut account, json!({}));
    account.become_learner();
    put(&mut account, "Deny");
    account.caller = reader;
    let refusal = account.refused("secretsmanager", "GetSecretValue", id.clone());
    assert!(refusal.ends_with("with an explicit deny in a resource-based policy"), "{refusal}");
    account.become_learner();
    assert!(account.ok("secretsmanager", "GetResourcePolicy", id.clone())["ResourcePolicy"].is_string());
    account.ok("secretsmanager", "DeleteResourcePolicy", id.clone());
    assert_eq!(account.ok("secretsmanager", "GetResourcePolicy", id).get("ResourcePolicy"), None);
    let bad = json!({"SecretId": "shop/db", "ResourcePolicy": "{}"});
    assert!(
        account.refused("secretsmanager", "PutResourcePolicy", bad).starts_with("MalformedPolicyDocumentException")
    );
}

#[test]
fn a_name_that_is_not_there_is_judged_by_what_it_would_be() {
    let mut account = Account::new();
    let statement = json!([{"Effect": "Allow", "Action": "secretsmanager:*",
        "Resource": format!("arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:shop/*")}]);
    account.become_role("shop-exec", &statement);
    let mut refused = |id: &str| account.refused("secretsmanager", "GetSecretValue", json!({"SecretId": id}));
    assert!(refused("shop/none").starts_with("ResourceNotFoundException"));
    assert!(refused("admin/none").starts_with("AccessDeniedException"));
}

#[test]
fn secrets_are_listed_tagged_and_made_up() {
    let mut account = Account::new();
    create(&mut account, json!({"Tags": [{"Key": "team", "Value": "shop"}], "Description": "login"}));
    account.ok("secretsmanager", "CreateSecret", json!({"Name": "admin/db", "SecretBinary": "AAEC"}));
    let list = |account: &mut Account, filters: Value| {
        let answer = account.ok("secretsmanager", "ListSecrets", json!({"Filters": filters}));
        answer["SecretList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["Name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(&mut account, json!([])).len(), 2);
    assert_eq!(list(&mut account, json!([{"Key": "name", "Values": ["shop"]}])), ["shop/db"]);
    assert_eq!(list(&mut account, json!([{"Key": "tag-key", "Values": ["!team"]}])), ["admin/db"]);
    account.ok("secretsmanager", "TagResource", json!({"SecretId": "shop/db", "Tags": [{"Key": "a", "Value": "b"}]}));
    account.ok("secretsmanager", "UntagResource", json!({"SecretId": "shop/db", "TagKeys": ["team"]}));
    let view = account.ok("secretsmanager", "DescribeSecret", json!({"SecretId": "shop/db"}));
    assert_eq!(view["Tags"], json!([{"Key": "a", "Value": "b"}]));
    let made =
        account.ok("secretsmanager", "GetRandomPassword", json!({"PasswordLength": 20, "ExcludePunctuation": true}));
    let password = made["RandomPassword"].as_str().unwrap();
    assert!(password.len() == 20 && password.chars().all(|it| it.is_ascii_alphanumeric()), "{password}");
}
