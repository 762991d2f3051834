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
fn every_resource_of_a_kind_is_every_resource() {
    for resource in [
        "arn:aws:secretsmanager:eu-central-1:1:secret:*",
        "arn:aws:secretsmanager:*:*:secret:**",
        "arn:aws:secretsmanager:eu-central-1:1:*",
        "arn:*",
        "arn:aws:secretsmanager:*",
    ] {
        refused("Role", role(allow("secretsmanager:GetSecretValue", resource)), "on every resource");
    }
    refused("Role", role(allow("ssm:GetParameter", "arn:aws:ssm:eu-central-1:1:parameter/*")), "on every resource");
    refused("Role", role(allow("iam:PassRole", "arn:aws:iam::1:role/*")), "on every resource");
    accepted("Role", role(allow("ssm:GetParameter", "arn:aws:ssm:eu-central-1:1:parameter/shop/*")));
    accepted("Role", role(allow("logs:PutLogEvents", "arn:aws:logs:eu-central-1:1:log-group:/shop/*")));
}

#[test]
fn who_else_may_take_a_role_is_new() {
    let trusting = |principal: Value| {
        let both = json!([
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}},
            {"Effect": "Allow", "Principal": principal},
        ]);
        but(role(json!([])), json!({"AssumeRolePolicyDocument": {"Statement": both}}))
    };
    refused("Role", trusting(json!({"AWS": "arn:aws:iam::1:root"})), "assumed by arn:aws:iam::1:root");
    refused("Role", trusting(json!({"Service": ["ec2.amazonaws.com"]})), "assumed by ec2.amazonaws.com");
    accepted("Role", trusting(json!({"Service": "ecs-tasks.amazonaws.com"})));
    let but_one = json!({"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::1:user/x"}}]}});
    refused("Role", but(role(json!([])), but_one), "everybody but a few");
}

#[test]
fn the_internet_is_let_in_by_no_range_and_who_is_inside_may_be_named_widely() {
    for range in ["128.0.0.0/1", "8.0.0.0/8", "203.0.113.0/24", "9.0.0.0/7", "172.0.0.0/11", "100.64.0.0/9"] {
        refused("SecurityGroup", group(range, 8080), range);
    }
    for range in ["10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10", "203.0.113.7/32", "pl-1", "1/2/3"] {
        accepted("SecurityGroup", group(range, 8080));
    }
    let six =
        |range: &str| but(group("10.0.0.0/8", 8080), json!({"IpPermissions": [{"Ipv6Ranges": [{"CidrIpv6": range}]}]}));
    refused("SecurityGroup", six("::/0"), "::/0");
    refused("SecurityGroup", six("2000::/3"), "2000::/3");
    accepted("SecurityGroup", six("fd00:1::/64"));
}

#[test]
fn a_capability_is_a_power() {
    let container = json!({"name": "web", "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}});
    refused("Service", service(json!({"containerDefinitions": [container]})), "web the capability SYS_PTRACE");
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
    let on = |condition: Value| {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition});
        json!({"Name": "shop", "KeyId": "1", "Policy": {"Statement": [statement]}})
    };
    accepted("Key", on(json!({"StringEquals": {"kms:CallerAccount": "1"}})));
    refused("Key", on(json!({"StringNotEquals": {"kms:CallerAccount": "2"}})), "used by everybody");
    refused("Key", on(json!({"Bool": {"aws:SecureTransport": "true"}})), "used by everybody");
}
