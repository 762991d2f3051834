use serde_json::{Value, json};

use crate::services::testing::Account;

const NAME: &str = "servicediscovery";

/// An account with a VPC, the namespace `shop.internal` in it and the service `api`: VPC, namespace, service.
fn shop() -> (Account, String, String, String) {
    let mut account = Account::new();
    let vpc = account.ok("ec2", "CreateVpc", json!({"CidrBlock": "10.0.0.0/16"}))["Vpc"]["VpcId"]
        .as_str()
        .unwrap()
        .to_owned();
    let operation = account.ok(NAME, "CreatePrivateDnsNamespace", json!({"Name": "shop.internal", "Vpc": vpc}));
    let operation = account.ok(NAME, "GetOperation", json!({"OperationId": operation["OperationId"]}));
    let namespace = operation["Operation"]["Targets"]["NAMESPACE"].as_str().unwrap().to_owned();
    let input = json!({
        "Name": "api", "NamespaceId": namespace, "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 10}]},
        "HealthCheckCustomConfig": {"FailureThreshold": 1},
    });
    let service = account.ok(NAME, "CreateService", input)["Service"]["Id"].as_str().unwrap().to_owned();
    (account, vpc, namespace, service)
}

fn register(account: &mut Account, service: &str, id: &str, address: &str) {
    let input = json!({"ServiceId": service, "InstanceId": id, "Attributes": {"AWS_INSTANCE_IPV4": address}});
    account.ok(NAME, "RegisterInstance", input);
}

fn resolved(account: &Account, vpc: &str, name: &str) -> Option<Vec<String>> {
    let found = super::resolve(&account.cloud, vpc, name)?;
    Some(found.into_iter().map(|it| it.to_string()).collect())
}

#[test]
fn a_name_means_its_instances_in_its_vpc() {
    let (mut account, vpc, _, service) = shop();
    assert_eq!(resolved(&account, &vpc, "api.shop.internal"), None, "no instance: no such name");
    register(&mut account, &service, "a", "10.0.0.4");
    register(&mut account, &service, "b", "10.0.0.5");
    assert_eq!(resolved(&account, &vpc, "api.shop.internal").unwrap(), ["10.0.0.4", "10.0.0.5"]);
    assert_eq!(resolved(&account, "vpc-other", "api.shop.internal"), None);
    assert_eq!(resolved(&account, &vpc, "apishop.internal"), None);
    let health = |account: &mut Account, id: &str, status: &str| {
        account.ok(
            NAME,
            "UpdateInstanceCustomHealthStatus",
            json!({"ServiceId": service, "InstanceId": id, "Status": status}),
        );
    };
    health(&mut account, "a", "UNHEALTHY");
    assert_eq!(resolved(&account, &vpc, "api.shop.internal").unwrap(), ["10.0.0.5"]);
    health(&mut account, "b", "UNHEALTHY");
    assert_eq!(resolved(&account, &vpc, "api.shop.internal").unwrap().len(), 2, "all of them where none is healthy");
    let status = account.ok(NAME, "GetInstancesHealthStatus", json!({"ServiceId": service}))["Status"].clone();
    assert_eq!(status, json!({"a": "UNHEALTHY", "b": "UNHEALTHY"}));
    for number in 0..9 {
        register(&mut account, &service, &format!("c{number}"), &format!("10.0.1.{number}"));
    }
    assert_eq!(resolved(&account, &vpc, "api.shop.internal").unwrap().len(), 8);
}

#[test]
fn instances_are_registered_found_and_taken_out() {
    let (mut account, _, _, service) = shop();
    let none = json!({"ServiceId": service, "InstanceId": "a", "Attributes": {}});
    assert!(account.refused(NAME, "RegisterInstance", none).starts_with("InvalidInput: AWS_INSTANCE_IPV4"));
    register(&mut account, &service, "a", "10.0.0.4");
    let one = json!({"ServiceId": service, "InstanceId": "a"});
    assert_eq!(account.ok(NAME, "GetInstance", one.clone())["Instance"]["Attributes"]["AWS_INSTANCE_IPV4"], "10.0.0.4");
    assert_eq!(
        account.ok(NAME, "ListInstances", json!({"ServiceId": service}))["Instances"].as_array().unwrap().len(),
        1
    );
    let discover = |more: Value| {
        let mut input = json!({"NamespaceName": "shop.internal", "ServiceName": "api"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(account.ok(NAME, "DiscoverInstances", discover(json!({})))["Instances"][0]["HealthStatus"], "HEALTHY");
    let unhealthy = account.ok(NAME, "DiscoverInstances", discover(json!({"HealthStatus": "UNHEALTHY"})));
    assert_eq!(unhealthy["Instances"], json!([]));
    let other = account.ok(NAME, "DiscoverInstances", discover(json!({"QueryParameters": {"version": "2"}})));
    assert_eq!(other["Instances"], json!([]));
    assert!(account.refused(NAME, "DeleteService", json!({"Id": service})).starts_with("ResourceInUse"));
    account.ok(NAME, "DeregisterInstance", one.clone());
    assert_eq!(account.refused(NAME, "DeregisterInstance", one), "InstanceNotFound: Instance not found: a");
    account.ok(NAME, "DeleteService", json!({"Id": service}));
}

#[test]
fn namespaces_and_services_are_listed_changed_and_deleted() {
    let (mut account, vpc, namespace, service) = shop();
    let again = json!({"Name": "shop.internal", "Vpc": vpc});
    assert!(account.refused(NAME, "CreatePrivateDnsNamespace", again).starts_with("NamespaceAlreadyExists"));
    let nowhere = json!({"Name": "x", "Vpc": "vpc-none"});
    assert!(account.refused(NAME, "CreatePrivateDnsNamespace", nowhere).starts_with("InvalidInput"));
    account.ok(NAME, "CreateHttpNamespace", json!({"Name": "shop"}));
    let filter = json!([{"Name": "TYPE", "Values": ["HTTP"]}]);
    let listed = account.ok(NAME, "ListNamespaces", json!({"Filters": filter}))["Namespaces"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["Name"]), (1, &json!("shop")));
    let services = json!({"Filters": [{"Name": "NAMESPACE_ID", "Values": [namespace], "Condition": "EQ"}]});
    assert_eq!(account.ok(NAME, "ListServices", services)["Services"][0]["Name"], "api");
    let view = account.ok(NAME, "GetNamespace", json!({"Id": namespace}))["Namespace"].clone();
    assert_eq!(view["ServiceCount"], 1);
    let change = json!({"Id": service, "Service": {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}]}}});
    account.ok(NAME, "UpdateService", change);
    let got = account.ok(NAME, "GetService", json!({"Id": service}))["Service"].clone();
    assert_eq!(got["DnsConfig"]["DnsRecords"][0]["TTL"], 60);
    let arn = view["Arn"].clone();
    account.ok(NAME, "TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "b"}]}));
    assert_eq!(account.ok(NAME, "ListTagsForResource", json!({"ResourceARN": arn}))["Tags"][0]["Key"], "a");
    account.ok(NAME, "UntagResource", json!({"ResourceARN": arn, "TagKeys": ["a"]}));
    assert!(account.refused(NAME, "DeleteNamespace", json!({"Id": namespace})).starts_with("ResourceInUse"));
    account.ok(NAME, "DeleteService", json!({"Id": service}));
    account.ok(NAME, "DeleteNamespace", json!({"Id": namespace}));
    assert_eq!(
        account.refused(NAME, "GetService", json!({"Id": service})),
        format!("ServiceNotFound: Service not found: {service}")
    );
}
