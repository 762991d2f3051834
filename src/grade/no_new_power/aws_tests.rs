//! The scan of an account: healthy, broken, bypassed, empty, stale, API error.

use serde_json::{Value, json};

use crate::fixture::{World, assert_met, assert_not_met, assert_unknown, but, check};

fn role(statements: Value) -> Value {
    json!({
        "Name": "shop-exec", "RoleId": "AROA1", "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]},
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}],
    })
}

fn allow(action: &str, resource: &str) -> Value {
    json!([{"Effect": "Allow", "Action": action, "Resource": resource}])
}

fn key(principal: Value, action: &str) -> Value {
    let statement = json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"});
    json!({"Name": "shop", "KeyId": "1", "Policy": {"Statement": [statement]}})
}

fn group(range: &str, port: u16) -> Value {
    let rule = json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": range}]});
    json!({"Name": "web-tasks", "GroupId": "sg-1", "IpPermissions": [rule]})
}

fn service(definition: Value) -> Value {
    json!({
        "Name": "web", "TaskDefinition": definition,
        "networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "DISABLED"}},
    })
}

/// A world in which the baseline held the harmless form of each.
fn world() -> World {
    let nothing: [Value; 0] = [];
    World::ecs()
        .from("Role", [role(allow("ecr:GetAuthorizationToken", "*"))])
        .from("Key", [key(json!({"AWS": "arn:aws:iam::1:root"}), "kms:*")])
        .from("Policy", nothing)
        .from("SecurityGroup", [group("10.0.0.0/8", 8080)])
        .from(
            "Service",
            [service(
                json!({"taskRoleArn": "arn:aws:iam::1:role/shop-web", "containerDefinitions": [{"name": "web"}]}),
            )],
        )
}

#[track_caller]
fn refused(kind: &str, object: Value, part: &str) {
    assert_not_met(&world().with(kind, [object]).judge(&check(json!({"no_new_power": {}}))), part);
}

#[track_caller]
fn accepted(kind: &str, object: Value) {
    assert_met(&world().with(kind, [object]).judge(&check(json!({"no_new_power": {}}))));
}

#[test]
fn healthy() {
    accepted("Role", role(allow("ecr:GetAuthorizationToken", "*")));
    accepted(
        "Role",
        role(allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:1:secret:shop/db-x")),
    );
    accepted("Role", role(json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}])));
    let managed = json!([{"PolicyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}]);
    accepted("Role", but(role(json!([])), json!({"AttachedManagedPolicies": managed})));
    accepted("SecurityGroup", group("10.20.0.0/16", 8080));
    accepted("SecurityGroup", group("172.16.0.0/12", 8080));
}

#[test]
fn broken() {
    refused("Role", role(allow("*", "*")), "may do *");
    refused("Role", role(allow("ecr:*", "arn:x")), "may do ecr:*");
    refused("Role", role(allow("iam:PassRole", "*")), "iam:PassRole on every resource");
    refused("Role", role(allow("secretsmanager:Get*", "*")), "on every resource");
    refused(
        "Policy",
        json!({"Name": "mine", "PolicyDocument": {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}}),
        "everything but",
    );
    refused("SecurityGroup", group("0.0.0.0/0", 8080), "lets 0.0.0.0/0 in at tcp 8080");
    let public = json!({"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}}});
    refused("Service", but(service(json!({})), public), "public addresses");
}

#[test]
fn bypassed() {
    // The same power by another road.
    let attached = json!({"AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]});
    refused("Role", but(role(json!([])), attached), "AdministratorAccess");
    let anybody =
        json!({"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["*"]}}]}});
    refused("Role", but(role(json!([])), anybody), "assumed by anybody");
    refused("SecurityGroup", group("0.0.0.0/1", 8080), "0.0.0.0/1");
    let keys = json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "AWS_ACCESS_KEY_ID", "value": "AKIA"}]}]});
    refused("Service", service(keys), "static key");
    let same =
        json!({"taskRoleArn": "arn:aws:iam::1:role/shop-exec", "executionRoleArn": "arn:aws:iam::1:role/shop-exec"});
    refused("Service", service(same), "rights of shop-exec");
}

#[test]
fn empty() {
    assert_met(&world().judge(&check(json!({"no_new_power": {}}))));
}

#[test]
fn stale() {
    // What was there when the lab was handed over is not new.
    let world = world().from("SecurityGroup", [group("0.0.0.0/0", 80)]).with("SecurityGroup", [group("0.0.0.0/0", 80)]);
    assert_met(&world.judge(&check(json!({"no_new_power": {}}))));
}

#[test]
fn api_error() {
    assert_unknown(&world().failing("Role").judge(&check(json!({"no_new_power": {}}))), "list Role");
}

#[test]
fn services_are_kept_as_large_and_as_they_were() {
    let service = |desired: u32, created: f64| json!({"Name": "web", "status": "ACTIVE", "desiredCount": desired, "createdAt": created});
    let world = |now: Value| World::ecs().from("Service", [service(2, 1.0)]).with("Service", [now]);
    let kept = check(json!({"scale_kept": {"kinds": ["Service"]}}));
    assert_met(&world(service(3, 1.0)).judge(&kept));
    assert_not_met(&world(service(0, 1.0)).judge(&kept), "wants 0 tasks");
    assert_not_met(&world(but(service(2, 1.0), json!({"status": "DRAINING"}))).judge(&kept), "being deleted");
    let same = check(json!({"identity": {"kinds": ["Service"]}}));
    assert_met(&world(service(2, 1.0)).judge(&same));
    assert_not_met(&world(service(2, 9.0)).judge(&same), "made anew");
}

#[test]
fn programs_of_a_service_are_compared_container_by_container() {
    let service = |image: &str| json!({"Name": "web", "TaskDefinition": {"containerDefinitions": [{"name": "web", "image": image}]}});
    let same =
        check(json!({"unchanged": {"kinds": ["Service"], "fields": ["TaskDefinition.containerDefinitions[*].image"]}}));
    let world = |now: Value| World::ecs().from("Service", [service("shop/web:2.1")]).with("Service", [now]);
    assert_met(&world(service("shop/web:2.1")).judge(&same));
    assert_not_met(&world(service("shop/web:2.0")).judge(&same), "containerDefinitions[web].image");
}

#[test]
fn a_key_for_one_role_and_one_action_is_no_new_power() {
    let role = json!({"AWS": "arn:aws:iam::1:role/shop-exec"});
    assert_met(&world().with("Key", [key(role.clone(), "kms:Decrypt")]).judge(&check(json!({"no_new_power": {}}))));
    refused("Key", key(role, "kms:*"), "role/shop-exec do kms:*");
    refused("Key", key(json!("*"), "kms:Decrypt"), "used by everybody");
    refused("Key", key(json!({"AWS": ["*"]}), "kms:Decrypt"), "used by everybody");
}
