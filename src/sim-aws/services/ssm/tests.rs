use serde_json::{Value, json};

use crate::services::testing::{ACCOUNT, Account};

fn put(account: &mut Account, name: &str, value: &str, kind: &str) -> Value {
    account.ok("ssm", "PutParameter", json!({"Name": name, "Value": value, "Type": kind}))
}

#[test]
fn a_parameter_has_versions_and_labels() {
    let mut account = Account::new();
    assert_eq!(put(&mut account, "/shop/price-list", "1", "String"), json!({"Version": 1, "Tier": "Standard"}));
    let again = json!({"Name": "/shop/price-list", "Value": "2", "Type": "String"});
    assert_eq!(
        account.refused("ssm", "PutParameter", again.clone()),
        "ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    );
    let over = json!({"Name": "/shop/price-list", "Value": "2", "Overwrite": true});
    assert_eq!(account.ok("ssm", "PutParameter", over)["Version"], 2);
    account.ok(
        "ssm",
        "LabelParameterVersion",
        json!({"Name": "/shop/price-list", "ParameterVersion": 1, "Labels": ["good"]}),
    );
    let mut value = |name: &str| account.ok("ssm", "GetParameter", json!({"Name": name}))["Parameter"].clone();
    assert_eq!(value("/shop/price-list")["Value"], "2");
    assert_eq!(value("/shop/price-list:1")["Value"], "1");
    assert_eq!(value("/shop/price-list:good")["Selector"], ":good");
    let arn = format!("arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/shop/price-list");
    assert_eq!(value(&arn)["ARN"], json!(arn));
    let refusal = account.refused("ssm", "GetParameter", json!({"Name": "/shop/price-list:9"}));
    assert!(refusal.starts_with("ParameterVersionNotFound: Systems Manager could not find version 9"), "{refusal}");
    let history = account.ok("ssm", "GetParameterHistory", json!({"Name": "/shop/price-list"}));
    assert_eq!(history["Parameters"].as_array().unwrap().len(), 2);
    assert_eq!(account.refused("ssm", "GetParameter", json!({"Name": "/shop/none"})), "ParameterNotFound: ");
}

#[test]
fn several_are_asked_for_at_once_and_by_path() {
    let mut account = Account::new();
    for name in ["/shop/a", "/shop/b/c", "plain"] {
        put(&mut account, name, "x", "String");
    }
    let answer = account.ok("ssm", "GetParameters", json!({"Names": ["/shop/a", "/no", "plain"]}));
    assert_eq!((answer["Parameters"].as_array().unwrap().len(), &answer["InvalidParameters"]), (2, &json!(["/no"])));
    let mut under = |recursive: bool| {
        let answer = account.ok("ssm", "GetParametersByPath", json!({"Path": "/shop", "Recursive": recursive}));
        answer["Parameters"].as_array().unwrap().len()
    };
    assert_eq!((under(false), under(true)), (1, 2));
    let filter = json!([{"Key": "Name", "Option": "BeginsWith", "Values": ["/shop"]}]);
    let described = account.ok("ssm", "DescribeParameters", json!({"ParameterFilters": filter}));
    assert_eq!(described["Parameters"].as_array().unwrap().len(), 2);
    let refusal = account.refused("ssm", "DescribeParameters", json!({"ParameterFilters": [{"Key": "Colour"}]}));
    assert!(refusal.starts_with("InvalidFilterKey"), "{refusal}");
    let gone = account.ok("ssm", "DeleteParameters", json!({"Names": ["plain", "none"]}));
    assert_eq!(gone, json!({"DeletedParameters": ["plain"], "InvalidParameters": ["none"]}));
    account.ok("ssm", "DeleteParameter", json!({"Name": "/shop/a"}));
    assert_eq!(account.refused("ssm", "DeleteParameter", json!({"Name": "/shop/a"})), "ParameterNotFound: ");
}

#[test]
fn names_and_values_have_limits() {
    let mut account = Account::new();
    let mut refused = |name: &str, value: &str, kind: Value| {
        account.refused("ssm", "PutParameter", json!({"Name": name, "Value": value, "Type": kind}))
    };
    assert!(refused("/aws/x", "x", json!("String")).contains("can't be prefixed with \"aws\""));
    assert!(refused("shop/x", "x", json!("String")).contains("must be a fully qualified name"));
    assert!(refused("/x", "x", Value::Null).contains("type is required"));
    assert!(refused("/x", "x", json!("Secret")).contains("Member must satisfy enum value set"));
    assert!(refused("/x", &"x".repeat(5_000), json!("String")).contains("upgrade the parameter to use the advanced"));
}

#[test]
fn the_plural_is_a_right_of_its_own() {
    let mut account = Account::new();
    put(&mut account, "/shop/price-list", "1", "String");
    let arn = format!("arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/shop/*");
    account.become_role("shop-web", &json!([{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": arn}]));
    account.ok("ssm", "GetParameter", json!({"Name": "/shop/price-list"}));
    let refusal = account.refused("ssm", "GetParameters", json!({"Names": ["/shop/price-list"]}));
    assert_eq!(
        refusal,
        format!(
            "AccessDeniedException: User: arn:aws:sts::{ACCOUNT}:assumed-role/shop-web/1 is not authorized to perform: \
             ssm:GetParameters on resource: arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/shop/price-list because no identity-based \
             policy allows the ssm:GetParameters action"
        )
    );
    assert!(account.refused("ssm", "GetParameter", json!({"Name": "/admin/key"})).starts_with("AccessDenied"));
}

#[test]
fn a_secure_string_is_ciphertext_until_it_is_decrypted_by_who_may() {
    let mut account = Account::new();
    let key = account.ok("kms", "CreateKey", json!({}))["KeyMetadata"]["Arn"].clone();
    let secure = json!({"Name": "/shop/key", "Value": "s3cret", "Type": "SecureString", "KeyId": key});
    account.ok("ssm", "PutParameter", secure);
    put(&mut account, "/shop/own", "plain key", "SecureString");
    let value = |account: &mut Account, name: &str, decrypt: bool| {
        let answer = account.call("ssm", "GetParameter", json!({"Name": name, "WithDecryption": decrypt}));
        answer.map(|it| it["Parameter"]["Value"].as_str().unwrap().to_owned()).map_err(|error| error.to_string())
    };
    assert_eq!(value(&mut account, "/shop/key", true).unwrap(), "s3cret");
    assert_ne!(value(&mut account, "/shop/key", false).unwrap(), "s3cret");
    account.become_role("shop-web", &json!([{"Effect": "Allow", "Action": "ssm:Get*", "Resource": "*"}]));
    assert_eq!(
        value(&mut account, "/shop/own", true).unwrap(),
        "plain key",
        "AWS's own key lets in who comes through SSM"
    );
    let refusal = value(&mut account, "/shop/key", true).unwrap_err();
    assert!(refusal.contains("is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:"), "{refusal}");
    assert!(refusal.contains("(Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException;"), "{refusal}");
    value(&mut account, "/shop/key", false).unwrap();
    account.become_learner();
    let unknown = json!({"Name": "/x", "Value": "x", "Type": "SecureString", "KeyId": "alias/none"});
    assert!(account.refused("ssm", "PutParameter", unknown).starts_with("InvalidKeyId"));
}

#[test]
fn parameters_have_tags() {
    let mut account = Account::new();
    put(&mut account, "/shop/a", "x", "StringList");
    let of = |more: Value| {
        let mut input = json!({"ResourceType": "Parameter", "ResourceId": "/shop/a"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    account.ok(
        "ssm",
        "AddTagsToResource",
        of(json!({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]})),
    );
    account.ok("ssm", "RemoveTagsFromResource", of(json!({"TagKeys": ["a"]})));
    let tags = account.ok("ssm", "ListTagsForResource", of(json!({})));
    assert_eq!(tags["TagList"], json!([{"Key": "c", "Value": "d"}]));
    let none = json!({"ResourceType": "Parameter", "ResourceId": "/none"});
    assert!(account.refused("ssm", "ListTagsForResource", none).starts_with("InvalidResourceId"));
}
