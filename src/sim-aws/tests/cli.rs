//! The aws CLI as a learner has it, against the simulator.

mod endpoint;

use endpoint::{Endpoint, has_aws};

#[test]
fn who_am_i_in_three_forms() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    let who = endpoint.json("sts get-caller-identity");
    assert_eq!(who["Arn"], "arn:aws:iam::123456789012:user/learner");
    assert_eq!(endpoint.aws("sts get-caller-identity --query Account --output text").trim(), "123456789012");
    let table = endpoint.aws("sts get-caller-identity --output table");
    assert!(table.contains("|                  GetCallerIdentity"), "{table}");
}

#[test]
fn wrong_keys_regions_and_operations_are_told_as_aws_tells_them() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    let with = |name: &str, value: &str, line: &str| {
        let output = endpoint.command().env(name, value).args(line.split_whitespace()).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = with("AWS_ACCESS_KEY_ID", "AKIANOBODY", "ecs list-clusters");
    let words = "An error occurred (UnrecognizedClientException) when calling the ListClusters operation: The security token \
                 included in the request is invalid.";
    assert!(said.contains(words), "{said}");
    let said = with("AWS_SECRET_ACCESS_KEY", "guessed", "sts get-caller-identity");
    assert!(said.contains("(SignatureDoesNotMatch)"), "{said}");
    let said = with("AWS_SECRET_ACCESS_KEY", "guessed", "ec2 describe-vpcs");
    assert!(said.contains("(AuthFailure)"), "{said}");
    let said = with("AWS_DEFAULT_REGION", "nowhere", "ecs list-clusters");
    assert!(said.contains("valid region"), "{said}");
    let said = with("AWS_MAX_ATTEMPTS", "1", "lambda list-functions");
    assert!(said.contains("the breakfix simulator does not know lambda"), "{said}");
    endpoint.service.throttle.set(Some("ecs"), 1);
    let said = endpoint.refused("ecs list-clusters");
    assert!(said.contains("(ThrottlingException)") && said.contains("Rate exceeded"), "{said}");
}

#[test]
fn a_throttled_client_tries_again() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    endpoint.service.throttle.set(Some("sts"), 1);
    let output = endpoint.command().env("AWS_MAX_ATTEMPTS", "3").args(["sts", "get-caller-identity"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn roles_are_made_listed_taken_and_deleted() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;
    for number in 0..5 {
        let made = endpoint.json(&format!(
            "iam create-role --role-name role-{number} --assume-role-policy-document {trust} --tags Key=a,Value=b"
        ));
        assert_eq!(made["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Effect"], "Allow", "{made}");
        assert!(made["Role"]["CreateDate"].as_str().is_some_and(|date| date.starts_with("20")), "{made}");
    }
    let names = endpoint.aws("iam list-roles --query Roles[].RoleName --output text");
    assert_eq!(names.split_whitespace().filter(|name| name.starts_with("role-")).count(), 5, "{names}");
    let page = endpoint.json("iam list-roles --max-items 2");
    assert_eq!(page["Roles"].as_array().unwrap().len(), 2);
    assert!(page["NextToken"].is_string(), "{page}");
    let small = endpoint.json("iam list-roles --page-size 2");
    assert!(small["Roles"].as_array().unwrap().len() >= 5, "{small}");
    let taken =
        endpoint.json("sts assume-role --role-arn arn:aws:iam::123456789012:role/role-1 --role-session-name me");
    let credential = |name: &str| taken["Credentials"][name].as_str().unwrap().to_owned();
    let who = endpoint
        .command()
        .env("AWS_ACCESS_KEY_ID", credential("AccessKeyId"))
        .env("AWS_SECRET_ACCESS_KEY", credential("SecretAccessKey"))
        .env("AWS_SESSION_TOKEN", credential("SessionToken"))
        .args(["sts", "get-caller-identity", "--query", "Arn", "--output", "text"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&who.stdout).trim(), "arn:aws:sts::123456789012:assumed-role/role-1/me");
    endpoint.aws("iam delete-role --role-name role-1");
    let said = endpoint.refused("iam get-role --role-name role-1");
    assert!(said.contains("(NoSuchEntity)"), "{said}");
}

#[test]
fn logs_are_written_and_read() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    endpoint.aws("logs create-log-group --log-group-name /ecs/shop");
    endpoint.aws("logs create-log-stream --log-group-name /ecs/shop --log-stream-name shop/web/1");
    let groups = endpoint.json("logs describe-log-groups --log-group-name-prefix /ecs");
    assert_eq!(groups["logGroups"][0]["logGroupName"], "/ecs/shop");
    let now = jiff::Timestamp::now().as_millisecond();
    endpoint.aws(&format!(
        "logs put-log-events --log-group-name /ecs/shop --log-stream-name shop/web/1 --log-events timestamp={now},message=ready"
    ));
    let events = endpoint.json("logs get-log-events --log-group-name /ecs/shop --log-stream-name shop/web/1");
    assert_eq!(events["events"][0]["message"], "ready", "{events}");
    let said = endpoint.refused("logs create-log-group --log-group-name /ecs/shop");
    assert!(said.contains("(ResourceAlreadyExistsException)"), "{said}");
}

#[test]
fn secrets_parameters_and_keys_answer() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    endpoint.aws("secretsmanager create-secret --name shop/db --secret-string hunter2");
    assert_eq!(endpoint.json("secretsmanager get-secret-value --secret-id shop/db")["SecretString"], "hunter2");
    let said = endpoint.refused("secretsmanager get-secret-value --secret-id nobody");
    assert!(said.contains("(ResourceNotFoundException)"), "{said}");
    endpoint.aws("ssm put-parameter --name /shop/colour --value red --type String");
    assert_eq!(endpoint.json("ssm get-parameter --name /shop/colour")["Parameter"]["Value"], "red");
    let key = endpoint.json("kms create-key --description shop");
    assert!(
        key["KeyMetadata"]["CreationDate"].is_number(),
        "the CLI's version 1 shows JSON's dates as they come: {key}"
    );
}
