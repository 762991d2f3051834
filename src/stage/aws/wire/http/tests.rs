//! What goes over the wire, and what is made of what comes back: against answers that were written down.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;

/// A request as it would have gone out.
#[derive(Clone, Debug, Default)]
struct Sent {
    uri: String,
    target: String,
    authorization: String,
    body: String,
}

/// Answers everything alike; nothing where nobody is there.
#[derive(Clone, Debug)]
struct Script {
    answer: Option<(u16, &'static str)>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).unwrap_or("").to_owned();
        self.sent.lock().unwrap().push(Sent {
            uri: request.uri().to_owned(),
            target: header("x-amz-target"),
            authorization: header("authorization"),
            body: String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap(),
        });
        HttpConnectorFuture::ready(match self.answer {
            Some((status, text)) => Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(text))),
            None => Err(ConnectorError::io("connection refused".into())),
        })
    }
}

fn send(
    answer: Option<(u16, &'static str)>,
    endpoint: Option<&str>,
    (service, operation, input): (Service, &str, Value),
) -> (Sent, Result<Answer, Trouble>) {
    let script = Script { answer, sent: Arc::default() };
    let way = Way {
        connector: SharedHttpConnector::new(script.clone()),
        credentials: SharedCredentialsProvider::new(Credentials::new("AKIATEST", "secret", None, None, "test")),
        region: "eu-central-1".to_owned(),
        endpoint: endpoint.map(str::to_owned),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(Http::new(way).send(service, operation, &input));
    let sent = script.sent.lock().unwrap().first().cloned().unwrap_or_default();
    (sent, answer)
}

#[test]
fn an_ecs_document_is_sent_and_signed_as_it_is() {
    // A member that the SDK's types do not know goes through too: the document is the API's, not the SDK's.
    let input = json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "x"}], "newMember": true});
    let answer = r#"{"taskDefinition": {"taskDefinitionArn": "arn", "revision": 1, "newMember": true}}"#;
    let (sent, answer) = send(Some((200, answer)), None, (Service::Ecs, "RegisterTaskDefinition", input.clone()));
    assert_eq!(sent.uri, "https://ecs.eu-central-1.amazonaws.com/");
    assert_eq!(sent.target, "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition");
    assert!(sent.authorization.contains("/eu-central-1/ecs/aws4_request"), "{}", sent.authorization);
    assert_eq!(serde_json::from_str::<Value>(&sent.body).unwrap(), input);
    assert_eq!(answer.unwrap().value["taskDefinition"]["newMember"], true);
}

#[test]
fn ecs_refuses_in_its_own_words() {
    let body = r#"{"__type": "ClusterNotFoundException", "message": "Cluster not found."}"#;
    let (_, answer) = send(Some((400, body)), None, (Service::Ecs, "DescribeServices", json!({"services": ["web"]})));
    let trouble = answer.unwrap_err();
    assert_eq!(trouble.to_string(), "ClusterNotFoundException: Cluster not found.");
    assert!(trouble.is_missing());
    let (_, answer) =
        send(Some((400, r#"{"__type": "ThrottlingException"}"#)), None, (Service::Ecs, "ListTasks", json!({})));
    assert!(answer.unwrap_err().is_throttled());
}

#[test]
fn other_services_are_asked_in_their_own_protocols() {
    let (sent, _) =
        send(Some((200, "{}")), None, (Service::Ecr, "DescribeImages", json!({"repositoryName": "shop/web"})));
    assert_eq!(sent.uri, "https://api.ecr.eu-central-1.amazonaws.com/");
    assert_eq!(sent.target, "AmazonEC2ContainerRegistry_V20150921.DescribeImages");
    assert!(sent.authorization.contains("/eu-central-1/ecr/aws4_request"), "{}", sent.authorization);

    let xml = "<GetRoleResponse><GetRoleResult><Role><Arn>arn</Arn></Role></GetRoleResult></GetRoleResponse>";
    let (sent, answer) = send(Some((200, xml)), None, (Service::Iam, "GetRole", json!({"RoleName": "shop-exec"})));
    assert_eq!(
        (sent.uri.as_str(), sent.body.as_str()),
        ("https://iam.amazonaws.com/", "Action=GetRole&Version=2010-05-08&RoleName=shop-exec")
    );
    assert!(sent.authorization.contains("/us-east-1/iam/aws4_request"), "{}", sent.authorization);
    assert_eq!(answer.unwrap().value, json!({"Role": {"Arn": "arn"}}));

    let xml = "<DescribeVpcsResponse><requestId>r</requestId><vpcSet/></DescribeVpcsResponse>";
    let (sent, answer) =
        send(Some((200, xml)), Some("http://127.0.0.1:4566"), (Service::Ec2, "DescribeVpcs", json!({})));
    assert_eq!(sent.uri, "http://127.0.0.1:4566/");
    assert_eq!(answer.unwrap().value["Vpcs"], json!([]));
}

#[test]
fn nobody_there_is_no_answer() {
    for service in [Service::Ecs, Service::Logs] {
        let operation = if service == Service::Ecs { "ListClusters" } else { "DescribeLogGroups" };
        let (_, answer) = send(None, None, (service, operation, json!({})));
        assert!(matches!(answer, Err(Trouble::Unreachable(_))), "{answer:?}");
        let (_, answer) = send(Some((503, "<html>busy</html>")), None, (service, operation, json!({})));
        assert!(matches!(answer, Err(Trouble::Broken { status: 503, .. })), "{answer:?}");
    }
}
