use serde_json::{Value, json};

use crate::services::testing::{ACCOUNT, Account};

fn key(account: &mut Account) -> String {
    account.ok("kms", "CreateKey", json!({"Description": "shop"}))["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

/// `aGVsbG8=` is `hello`.
fn encrypted(account: &mut Account, key: &str) -> Value {
    let input = json!({"KeyId": key, "Plaintext": "aGVsbG8=", "EncryptionContext": {"what": "greeting"}});
    account.ok("kms", "Encrypt", input)["CiphertextBlob"].clone()
}

#[test]
fn what_was_encrypted_is_decrypted_with_its_context_and_key() {
    let mut account = Account::new();
    let arn = key(&mut account);
    let blob = encrypted(&mut account, &arn);
    let open = |context: Value| json!({"CiphertextBlob": blob, "EncryptionContext": context});
    let opened = account.ok("kms", "Decrypt", open(json!({"what": "greeting"})));
    assert_eq!((&opened["Plaintext"], opened["KeyId"].as_str().unwrap()), (&json!("aGVsbG8="), arn.as_str()));
    assert!(account.refused("kms", "Decrypt", open(json!({}))).starts_with("InvalidCiphertextException"));
    assert!(account.refused("kms", "Decrypt", json!({"CiphertextBlob": "bm8="})).starts_with("InvalidCiphertext"));
    let other = key(&mut account);
    let mut wrong = open(json!({"what": "greeting"}));
    wrong["KeyId"] = json!(other);
    assert!(account.refused("kms", "Decrypt", wrong).starts_with("IncorrectKeyException"));
    let data = account.ok("kms", "GenerateDataKey", json!({"KeyId": arn, "KeySpec": "AES_256"}));
    let opened = account.ok("kms", "Decrypt", json!({"CiphertextBlob": data["CiphertextBlob"]}));
    assert_eq!(opened["Plaintext"], data["Plaintext"]);
    let only = account.ok("kms", "GenerateDataKeyWithoutPlaintext", json!({"KeyId": arn, "NumberOfBytes": 16}));
    assert_eq!(only.get("Plaintext"), None);
}

#[test]
fn a_disabled_or_dying_key_is_of_no_use() {
    let mut account = Account::new();
    let arn = key(&mut account);
    let encrypt = json!({"KeyId": arn, "Plaintext": "aGVsbG8="});
    account.ok("kms", "DisableKey", json!({"KeyId": arn}));
    assert_eq!(account.refused("kms", "Encrypt", encrypt.clone()), format!("DisabledException: {arn} is disabled."));
    account.ok("kms", "EnableKey", json!({"KeyId": arn}));
    account.ok("kms", "Encrypt", encrypt.clone());
    account.ok("kms", "ScheduleKeyDeletion", json!({"KeyId": arn, "PendingWindowInDays": 7}));
    let refusal = account.refused("kms", "Encrypt", encrypt.clone());
    assert_eq!(refusal, format!("KMSInvalidStateException: {arn} is pending deletion."));
    account.ok("kms", "CancelKeyDeletion", json!({"KeyId": arn}));
    assert_eq!(account.ok("kms", "DescribeKey", json!({"KeyId": arn}))["KeyMetadata"]["KeyState"], "Disabled");
    account.ok("kms", "ScheduleKeyDeletion", json!({"KeyId": arn, "PendingWindowInDays": 7}));
    account.pass(7 * 86_400);
    assert_eq!(
        account.refused("kms", "DescribeKey", json!({"KeyId": arn})),
        format!("NotFoundException: Key '{arn}' does not exist")
    );
    assert_eq!(account.ok("kms", "ListKeys", json!({}))["Keys"], json!([]));
}

#[test]
fn an_alias_points_where_it_is_told_to() {
    let mut account = Account::new();
    let (first, second) = (key(&mut account), key(&mut account));
    let to = |key: &str| json!({"AliasName": "alias/shop", "TargetKeyId": key});
    account.ok("kms", "CreateAlias", to(&first));
    let refusal = account.refused("kms", "CreateAlias", to(&second));
    let alias = format!("arn:aws:kms:eu-central-1:{ACCOUNT}:alias/shop");
    assert_eq!(refusal, format!("AlreadyExistsException: An alias with the name {alias} already exists"));
    let points =
        |account: &mut Account| account.ok("kms", "DescribeKey", json!({"KeyId": alias}))["KeyMetadata"]["Arn"].clone();
    assert_eq!(points(&mut account), json!(first));
    account.ok("kms", "UpdateAlias", to(&second));
    assert_eq!(points(&mut account), json!(second));
    assert_eq!(account.ok("kms", "ListAliases", json!({"KeyId": second}))["Aliases"][0]["AliasName"], "alias/shop");
    account.ok("kms", "DeleteAlias", json!({"AliasName": "alias/shop"}));
    let refusal = account.refused("kms", "DescribeKey", json!({"KeyId": "alias/shop"}));
    assert_eq!(refusal, format!("NotFoundException: Alias {alias} is not found."));
}

#[test]
fn a_role_needs_the_key_policy_and_its_own_or_a_grant() {
    let mut account = Account::new();
    let arn = key(&mut account);
    let blob = encrypted(&mut account, &arn);
    account.become_role("shop-exec", &json!([{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]));
    let exec = account.caller.clone();
    let open = json!({"CiphertextBlob": blob, "EncryptionContext": {"what": "greeting"}});
    let refusal = account.refused("kms", "Decrypt", open.clone());
    let sentence = format!(
        "AccessDeniedException: User: {} is not authorized to perform: kms:Decrypt on resource: {arn} because no identity-based \
         policy allows the kms:Decrypt action",
        exec.arn
    );
    assert_eq!(refusal, sentence);
    account.become_learner();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/shop-exec");
    let grant = json!({"KeyId": arn, "GranteePrincipal": role, "Operations": ["Decrypt"],
                       "Constraints": {"EncryptionContextSubset": {"what": "greeting"}}});
    let grant = account.ok("kms", "CreateGrant", grant)["GrantId"].clone();
    assert_eq!(account.ok("kms", "ListGrants", json!({"KeyId": arn}))["Grants"][0]["GranteePrincipal"], json!(role));
    account.caller = exec.clone();
    account.ok("kms", "Decrypt", open.clone());
    account.become_learner();
    account.ok("kms", "RevokeGrant", json!({"KeyId": arn, "GrantId": grant}));
    account.caller = exec.clone();
    account.refused("kms", "Decrypt", open.clone());
    account.become_learner();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"},
    ]});
    account.ok("kms", "PutKeyPolicy", json!({"KeyId": arn, "PolicyName": "default", "Policy": policy.to_string()}));
    account.caller = exec;
    account.ok("kms", "Decrypt", open);
}

#[test]
fn nobody_locks_himself_out_by_accident() {
    let mut account = Account::new();
    let arn = key(&mut account);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/learner")}, "Action": "kms:Decrypt", "Resource": "*"},
    ]});
    let mut put = json!({"KeyId": arn, "Policy": policy.to_string()});
    assert_eq!(
        account.refused("kms", "PutKeyPolicy", put.clone()),
        "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."
    );
    assert!(
        account.ok("kms", "GetKeyPolicy", json!({"KeyId": arn}))["Policy"].as_str().unwrap().contains("key-default-1")
    );
    put["BypassPolicyLockoutSafetyCheck"] = json!(true);
    account.ok("kms", "PutKeyPolicy", put);
    assert!(account.refused("kms", "DescribeKey", json!({"KeyId": arn})).contains("no resource-based policy allows"));
}

#[test]
fn keys_have_tags_and_turn() {
    let mut account = Account::new();
    let arn = key(&mut account);
    account.ok("kms", "TagResource", json!({"KeyId": arn, "Tags": [{"TagKey": "team", "TagValue": "shop"}]}));
    let tags = account.ok("kms", "ListResourceTags", json!({"KeyId": arn}));
    assert_eq!(tags["Tags"], json!([{"TagKey": "team", "TagValue": "shop"}]));
    account.ok("kms", "UntagResource", json!({"KeyId": arn, "TagKeys": ["team"]}));
    account.ok("kms", "EnableKeyRotation", json!({"KeyId": arn}));
    assert_eq!(account.ok("kms", "GetKeyRotationStatus", json!({"KeyId": arn}))["KeyRotationEnabled"], true);
    account.ok("kms", "UpdateKeyDescription", json!({"KeyId": arn, "Description": "x"}));
    assert_eq!(account.ok("kms", "ListKeyPolicies", json!({"KeyId": arn}))["PolicyNames"], json!(["default"]));
}
