//! A lab's system in a simulated account: built, changed, looked at, taken away.

mod faults;
mod shared;
mod sweep;
mod written;

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use breakfix_grade::{Fetched, Query};
use breakfix_lab::{Change, LabSource, LoadedLab, Platform, check::Grant, embedded, template::template};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{open_local, resolve};
use crate::{Place, Target, journal::Undo, target::TargetError};

/// Nothing of these changes has to be undone.
struct Nothing;

impl Undo for Nothing {
    fn note(&self, _note: Value) -> std::io::Result<()> {
        Ok(())
    }

    fn settled(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lab that `lab new --platform ecs` writes: the whole of the shared system's part `web`.
fn lab() -> LoadedLab {
    let files = template("my-lab", Platform::Ecs).unwrap();
    let files = files.into_iter().map(|(path, text)| (path, Cow::Owned(text.into_bytes()))).collect();
    LabSource::from_files("labs/my-lab", files, Arc::new(embedded::houses())).load().unwrap()
}

fn place(lab: &LoadedLab) -> Place {
    Place {
        session: "s-1".to_owned(),
        platform: Platform::Ecs,
        lab: lab.id().to_owned(),
        folder: std::env::temp_dir(),
        namespace: String::new(),
        documents: lab.documents.clone(),
        files: lab.files.clone(),
        texts: lab.texts.clone(),
        images: lab.lab.images.clone(),
        zones: Vec::new(),
        contexts: Vec::new(),
        requires: Vec::new(),
        opened: Timestamp::UNIX_EPOCH,
    }
}

/// The place of no session.
pub(super) fn nowhere() -> Place {
    Place::of_nobody(Platform::Ecs, std::env::temp_dir())
}

/// The account with everything of the lab in it that does not run.
async fn built() -> (Box<dyn Target>, LoadedLab) {
    let mut lab = lab();
    lab.documents.retain(|it| !["Cluster", "TaskDefinition", "Service"].contains(&it.kind.as_str()));
    let target = open_local(place(&lab), 1);
    target.create(&lab.documents).await.unwrap();
    (target, lab)
}

async fn objects(target: &dyn Target, kind: &str) -> Vec<Value> {
    let query = Query::Objects { kind: kind.to_owned(), namespace: None };
    let seen = target.observe(&BTreeSet::from([query.clone()]), Timestamp::UNIX_EPOCH).await;
    match seen.answers.into_iter().find(|(it, _)| *it == query).unwrap().1.unwrap() {
        Fetched::Objects(objects) => objects,
        other => panic!("{other:?}"),
    }
}

async fn object(target: &dyn Target, kind: &str, name: &str) -> Value {
    objects(target, kind).await.into_iter().find(|it| it["Name"] == name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

async fn change(target: &dyn Target, change: Value) -> Result<(), TargetError> {
    target.change(&serde_json::from_value::<Change>(change).unwrap(), &Nothing).await
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn every_document_becomes_a_resource_that_names_the_others() {
    run(async {
        let (target, lab) = built().await;
        for document in &lab.documents {
            object(&*target, &document.kind, &document.name).await;
        }
        let (vpc, group) = (object(&*target, "Vpc", "shop").await, object(&*target, "TargetGroup", "web").await);
        assert_eq!(group["VpcId"], vpc["VpcId"]);
        assert_eq!(group["HealthCheckPath"], "/healthz");
        let listener = object(&*target, "Listener", "http").await;
        assert_eq!(listener["DefaultActions"][0]["TargetGroupArn"], group["TargetGroupArn"]);
        let tasks = object(&*target, "SecurityGroup", "web-tasks").await;
        let balancer = object(&*target, "SecurityGroup", "alb").await;
        assert_eq!(tasks["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"], balancer["GroupId"]);
        let table = object(&*target, "RouteTable", "app-a").await;
        let gateway = object(&*target, "NatGateway", "nat-a").await;
        assert!(table["Routes"].as_array().unwrap().iter().any(|it| it["NatGatewayId"] == gateway["NatGatewayId"]));
        assert_eq!(object(&*target, "Image", "shop/web:2.1").await["repositoryName"], "shop/web");
        assert_eq!(object(&*target, "LogGroup", "/shop/web").await["retentionInDays"], 7);
    });
}

#[test]
fn changes_reach_what_they_name_and_nothing_else() {
    run(async {
        let (target, _) = built().await;
        let before = object(&*target, "RouteTable", "app-b").await;
        change(
            &*target,
            json!({"patch": {"kind": "TargetGroup", "name": "web", "merge": {"HealthCheckPath": "/health"}}}),
        )
        .await
        .unwrap();
        assert_eq!(object(&*target, "TargetGroup", "web").await["HealthCheckPath"], "/health");

        change(&*target, json!({"patch": {"kind": "RouteTable", "name": "app-a", "merge": {"Routes": []}}}))
            .await
            .unwrap();
        let table = object(&*target, "RouteTable", "app-a").await;
        assert!(table["Routes"].as_array().unwrap().iter().all(|it| it["GatewayId"] == "local"), "{table}");
        assert_eq!(object(&*target, "RouteTable", "app-b").await["Routes"], before["Routes"]);

        let rule = json!({"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9000, "UserIdGroupPairs": [{"GroupId": "${SecurityGroup/alb.id}"}]});
        change(
            &*target,
            json!({"patch": {"kind": "SecurityGroup", "name": "web-tasks", "merge": {"IpPermissions": [rule]}}}),
        )
        .await
        .unwrap();
        let rules = object(&*target, "SecurityGroup", "web-tasks").await["IpPermissions"].clone();
        assert_eq!((rules.as_array().unwrap().len(), &rules[0]["FromPort"]), (1, &json!(9000)), "{rules}");

        let gone = change(&*target, json!({"patch": {"kind": "TargetGroup", "name": "wep", "merge": {}}})).await;
        assert!(gone.unwrap_err().to_string().contains("there is none"));
        let unknown = json!({"patch": {"kind": "TargetGroup", "name": "web", "merge": {"Targets": [{"Id": "${Vpc/nowhere.id}"}]}}});
        assert!(change(&*target, unknown).await.unwrap_err().chain().contains("Vpc/nowhere.id"));
    });
}

#[test]
fn policies_are_decided_by_the_account() {
    run(async {
        let (target, _) = built().await;
        let grant = |action: &str, resource: Option<&str>| Grant {
            action: action.to_owned(),
            resource: resource.map(str::to_owned),
            context: Default::default(),
        };
        let grants = vec![
            grant("ecr:GetAuthorizationToken", None),
            grant("ecr:BatchGetImage", Some("${Repository/shop/web.arn}")),
            grant("ecr:DeleteRepository", Some("${Repository/shop/web.arn}")),
        ];
        let ask = async |role: &str| {
            let query = Query::Decisions { role: role.to_owned(), grants: grants.clone() };
            let seen = target.observe(&BTreeSet::from([query]), Timestamp::UNIX_EPOCH).await;
            match seen.answers.into_values().next().unwrap().unwrap() {
                Fetched::Decisions(decisions) => {
                    decisions.map(|all| all.iter().map(|it| it.allowed).collect::<Vec<_>>())
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(ask("shop-exec").await, Some(vec![true, true, false]));
        assert_eq!(ask("nobody").await, None);
        let all = json!({"PolicyName": "everything", "PolicyDocument": {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}});
        change(
            &*target,
            json!({"patch": {"kind": "Role", "name": "shop-exec", "strategic": {"RolePolicyList": [all]}}}),
        )
        .await
        .unwrap();
        assert_eq!(ask("shop-exec").await, Some(vec![true, true, true]));
        assert_eq!(object(&*target, "Role", "shop-exec").await["RolePolicyList"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn what_was_made_can_be_taken_away_piece_by_piece_and_as_a_whole() {
    run(async {
        let (target, lab) = built().await;
        target.delete(&lab.documents).await.unwrap();
        let left: Vec<String> = target.inventory().await.unwrap();
        assert!(left.is_empty(), "{left:?}");
        target.create(&lab.documents).await.unwrap();
        assert!(!target.inventory().await.unwrap().is_empty());
        target.clear().await.unwrap();
        assert!(target.inventory().await.unwrap().is_empty());
    });
}

#[test]
fn the_shared_system_can_be_ordered() {
    let lab = lab();
    let order: Vec<&str> = resolve::in_order(&lab.documents).iter().map(|it| it.kind.as_str()).collect();
    let at = |kind: &str| order.iter().position(|it| *it == kind).unwrap();
    assert!(at("Vpc") < at("Subnet") && at("Listener") < at("Service") && at("Role") < at("TaskDefinition"));
    assert_eq!(order.len(), lab.documents.len());
}

#[test]
fn names_and_keys_are_made_changed_and_taken_away() {
    run(async {
        let (target, _) = built().await;
        let document = |kind: &str, name: &str, body: Value| breakfix_lab::Document {
            api_version: None,
            kind: kind.into(),
            name: name.into(),
            namespace: None,
            body,
            file: "x".into(),
            line: 1,
        };
        let dns = json!({"DnsRecords": [{"Type": "A", "TTL": 10}]});
        let documents = [
            document("DiscoveryService", "api", json!({"NamespaceId": "${Namespace/shop.local.id}", "DnsConfig": dns})),
            document("Namespace", "shop.local", json!({"Vpc": "${Vpc/shop.id}"})),
            document("Key", "shop", json!({"Description": "of the shop"})),
            document("Secret", "shop/db", json!({"SecretString": {"password": "x"}, "KmsKeyId": "${Key/shop.arn}"})),
        ];
        target.create(&documents).await.unwrap();
        let (space, name) =
            (object(&*target, "Namespace", "shop.local").await, object(&*target, "DiscoveryService", "api").await);
        assert_eq!((&name["NamespaceId"], &name["Instances"]), (&space["Id"], &json!([])));
        let instance = json!({"Id": "by-hand", "Attributes": {"AWS_INSTANCE_IPV4": "10.20.10.7"}});
        let register =
            json!({"patch": {"kind": "DiscoveryService", "name": "api", "merge": {"Instances": [instance.clone()]}}});
        change(&*target, register).await.unwrap();
        assert_eq!(object(&*target, "DiscoveryService", "api").await["Instances"], json!([instance]));

        let key = object(&*target, "Key", "shop").await;
        assert_eq!(key["Aliases"][0]["AliasName"], "alias/shop");
        assert_eq!(object(&*target, "Secret", "shop/db").await["KmsKeyId"], key["Arn"]);
        let grant =
            json!({"Name": "g", "GranteePrincipal": "arn:aws:iam::123456789012:role/x", "Operations": ["Decrypt"]});
        change(&*target, json!({"patch": {"kind": "Key", "name": "shop", "merge": {"Grants": [grant]}}}))
            .await
            .unwrap();
        assert_eq!(object(&*target, "Key", "shop").await["Grants"][0]["Operations"], json!(["Decrypt"]));

        target.delete(&documents).await.unwrap();
        for kind in ["DiscoveryService", "Namespace", "Key", "Secret"] {
            assert!(objects(&*target, kind).await.is_empty(), "{kind}");
        }
    });
}
