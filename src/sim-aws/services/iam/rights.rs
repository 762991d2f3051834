//! Which resource each operation of IAM is a right on (service authorization reference, "AWS Identity and Access Management").

use serde_json::Value;

use super::Need;
use crate::{Cloud, input};

/// What a request needs before it is looked at.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let text = |member: &str| input::text(request, member);
    let action = match operation {
        "SimulatePrincipalPolicy" | "SimulateCustomPolicy" => return vec![Need::anywhere("iam", operation)],
        other => format!("iam:{other}"),
    };
    let account = &cloud.config.account;
    let path = text("Path").unwrap_or("/");
    let listing = operation.starts_with("List") && ["ListRoles", "ListUsers", "ListPolicies"].contains(&operation);
    let resource = if listing {
        "*".to_owned()
    } else if let Some(name) = text("InstanceProfileName") {
        let known = cloud.iam.instance_profiles.get(name).map(|it| it.arn.clone());
        known.unwrap_or_else(|| format!("arn:aws:iam::{account}:instance-profile{path}{name}"))
    } else if let Some(name) = text("RoleName") {
        let known = cloud.iam.roles.get(name).map(|it| it.arn.clone());
        known.unwrap_or_else(|| format!("arn:aws:iam::{account}:role{path}{name}"))
    } else if let Some(name) = text("UserName") {
        let known = cloud.iam.users.get(name).map(|it| it.arn.clone());
        known.unwrap_or_else(|| format!("arn:aws:iam::{account}:user{path}{name}"))
    } else if let Some(arn) = text("PolicyArn") {
        arn.to_owned()
    } else if let Some(name) = text("PolicyName") {
        format!("arn:aws:iam::{account}:policy{path}{name}")
    } else {
        "*".to_owned()
    };
    let mut need = Need::new(action, resource.clone());
    if let Some(arn) = text("PolicyArn") {
        need = need.with("iam:PolicyARN", arn);
    }
    if let Some(arn) = text("PermissionsBoundary") {
        need = need.with("iam:PermissionsBoundary", arn);
    }
    let mut needs = vec![need];
    // Whoever puts a role into a profile hands it to EC2 (IAM user guide, "Granting a user permissions to pass a role").
    if operation == "AddRoleToInstanceProfile"
        && let Some(role) = text("RoleName").and_then(|name| cloud.iam.roles.get(name))
    {
        needs.push(Need::pass_role(&role.arn, "ec2.amazonaws.com"));
    }
    needs
}
