//! What is refused before a service is asked, and in whose words.

use serde_json::json;

use super::{LEARNER, Signer, served, text, value};
use crate::wire::Request;

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const CLUSTERS: &str = "AmazonEC2ContainerServiceV20141113.ListClusters";

#[test]
fn the_learner_is_known_by_the_signature() {
    let answer = served().answer(&LEARNER.form("sts", WHO));
    assert_eq!(answer.status, 200);
    let text = text(&answer);
    assert!(text.contains("<Arn>arn:aws:iam::123456789012:user/learner</Arn>"), "{text}");
    assert!(
        text.starts_with("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
        "{text}"
    );
    assert!(text.contains("<ResponseMetadata><RequestId>"), "{text}");
}

#[test]
fn strangers_are_refused_in_the_words_of_each_protocol() {
    let server = served();
    let stranger = Signer { key: "AKIASTRANGER", ..LEARNER };
    let liar = Signer { secret: "guessed", ..LEARNER };
    let with_token = Signer { token: Some("a token"), ..LEARNER };
    for (signer, json_code, query_code) in [
        (&stranger, "UnrecognizedClientException", "InvalidClientTokenId"),
        (&liar, "InvalidSignatureException", "SignatureDoesNotMatch"),
        (&with_token, "UnrecognizedClientException", "InvalidClientTokenId"),
    ] {
        let answer = server.answer(&signer.json("ecs", CLUSTERS, "{}"));
        assert_eq!((answer.status, &value(&answer)["__type"]), (400, &json!(json_code)));
        let answer = server.answer(&signer.form("sts", WHO));
        assert_eq!(answer.status, 403);
        assert!(text(&answer).contains(&format!("<Code>{query_code}</Code>")), "{}", text(&answer));
        let answer = server.answer(&signer.form("ec2", "Action=DescribeVpcs&Version=2016-11-15"));
        assert_eq!(answer.status, 401);
        assert!(text(&answer).contains("<Response><Errors><Error><Code>AuthFailure</Code>"), "{}", text(&answer));
    }
}

#[test]
fn a_request_without_a_signature_is_told_so() {
    let server = served();
    let mut request = LEARNER.json("ecs", CLUSTERS, "{}");
    request.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(value(&server.answer(&request))["__type"], "MissingAuthenticationTokenException");
    let mut request = LEARNER.form("sts", WHO);
    request.headers.retain(|(name, _)| name != "authorization");
    assert!(text(&server.answer(&request)).contains("<Code>MissingAuthenticationToken</Code>"));
    let front = Request { method: "GET".to_owned(), path: "/".to_owned(), ..Request::default() };
    assert!(text(&server.answer(&front)).contains("simulator"));
}

#[test]
fn malformed_requests_are_the_services_own_errors() {
    let server = served();
    let code = |body: &str| {
        let answer = server.answer(&LEARNER.json("ecs", "AmazonEC2ContainerServiceV20141113.CreateService", body));
        assert_eq!(answer.status, 400);
        value(&answer)["__type"].as_str().unwrap().to_owned()
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["{", "[]", "\u{0}", r#"{"desiredCount": "two"}"#, r#"{"cluster": {}}"#, deep.as_str()] {
        assert_eq!(code(body), "SerializationException", "{}", &body[..body.len().min(40)]);
    }
    let answer = server.answer(&LEARNER.json("ecs", "AmazonEC2ContainerServiceV20141113.Invent", "{}"));
    assert_eq!(value(&answer)["__type"], "UnknownOperationException");
    let answer = server.answer(&LEARNER.form("iam", "Action=Invent&Version=2010-05-08"));
    assert!(text(&answer).contains("<Code>InvalidAction</Code>"));
    let answer = server.answer(&LEARNER.form("ec2", "Action=DescribeVpcs&Version=2016-11-15&Colour=red"));
    assert!(text(&answer).contains("The parameter Colour is not recognized"), "{}", text(&answer));
    let answer = server.answer(&LEARNER.json("lambda", "Lambda.Invoke", "{}"));
    assert_eq!((answer.status, &value(&answer)["__type"]), (501, &json!("NotImplemented")));
}

#[test]
fn another_region_is_another_and_what_is_no_region_is_none() {
    let server = served();
    let ask = |region: &str, operation: &str| {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        server.answer(&Signer { region, ..LEARNER }.json("ecs", &target, r#"{"clusterName": "a"}"#))
    };
    assert_eq!(value(&ask("nowhere", "ListClusters"))["__type"], "InvalidSignatureException");
    assert_eq!(value(&ask("us-east-1", "CreateCluster"))["__type"], "NotImplemented");
    let answer = server.answer(&Signer { region: "us-east-1", ..LEARNER }.form("sts", WHO));
    assert_eq!(answer.status, 200);
}

#[test]
fn temporary_credentials_are_good_for_their_time() {
    let server = served();
    let answer = server.answer(&LEARNER.form("sts", "Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900"));
    let answer = text(&answer);
    let part = |name: &str| {
        let rest = answer.split_once(&format!("<{name}>")).unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    let (key, secret, token) = (part("AccessKeyId"), part("SecretAccessKey"), part("SessionToken"));
    let with = |token: Option<&str>| {
        let signer = Signer { key: &key, secret: &secret, token, region: "eu-central-1" };
        text(&server.answer(&signer.form("sts", WHO)))
    };
    assert!(with(Some(&token)).contains("user/learner"));
    assert!(with(None).contains("InvalidClientTokenId"));
    server.host().skip(std::time::Duration::from_secs(901));
    assert!(with(Some(&token)).contains("<Code>ExpiredToken</Code>"));
}

#[test]
fn only_the_operator_gives_orders() {
    let server = served();
    let order = |method: &str, verb: &str, query: &str, secret: &str, body: &str| {
        let request = Request {
            method: method.to_owned(),
            path: format!("/breakfix/{verb}"),
            query: query.to_owned(),
            headers: vec![("x-breakfix-operator".to_owned(), secret.to_owned())],
            body: body.as_bytes().to_vec(),
        };
        server.answer(&request)
    };
    assert_eq!(order("GET", "info", "", "secret-of-LEARNER", "").status, 403);
    let secret = "secret-of-OPERATOR";
    assert_eq!(value(&order("GET", "info", "", secret, ""))["simulator"], true);
    let later = value(&order("POST", "advance", "ms=60000", secret, ""));
    assert_eq!((&later["elapsedMs"], &later["now"]), (&json!(60_000), &json!("2026-11-21T12:01:00Z")));
    assert_eq!(order("POST", "advance", "ms=never", secret, "").status, 400);
    assert_eq!(order("POST", "dance", "", secret, "").status, 404);
    let who = r#"{"service": "sts", "operation": "GetCallerIdentity"}"#;
    assert_eq!(value(&order("POST", "call", "", secret, who))["Arn"], "arn:aws:iam::123456789012:root");
    assert_eq!(order("POST", "throttle", "requests=1&service=sts", secret, "").status, 200);
    let throttled = server.answer(&LEARNER.form("sts", WHO));
    assert!(text(&throttled).contains("<Code>Throttling</Code>"), "{}", text(&throttled));
    assert_eq!(server.answer(&LEARNER.form("sts", WHO)).status, 200);
}
