//! Trust policies: who may take on a role.

use super::{
    Decision, PolicyKind, Role,
    policy::{Document, Keys, Policies, Principal, Question, ResourceRule, judge},
};
use crate::Cloud;

/// Whether the role's trust policy lets an AWS service take it on.
pub fn trusts_service(cloud: &Cloud, role: &Role, service: &str) -> bool {
    let mut keys = Keys::from_iter([("aws:PrincipalIsAWSService", "true"), ("aws:SecureTransport", "true")]);
    // What ECS sends with it, against the confused deputy (ECS developer guide, "Amazon ECS task IAM role").
    keys.set("aws:SourceAccount", cloud.config.account.as_str());
    keys.set("aws:SourceArn", format!("arn:aws:ecs:{}:{}:*", cloud.config.region, cloud.config.account));
    keys.set("aws:PrincipalServiceName", service);
    keys.set("aws:CurrentTime", cloud.clock.today().to_string());
    let principal = Principal::Service(service.to_owned());
    trusts(role, &principal, "sts:AssumeRole", &keys).is_allowed()
}

/// Whether the role's trust policy lets in whoever has a token of this identity provider; `keys` are the token's claims as condition
/// keys: `token.actions.githubusercontent.com:sub`.
pub fn trusts_token(role: &Role, provider_arn: &str, keys: &Keys) -> Decision {
    trusts(role, &Principal::Federated(provider_arn.to_owned()), "sts:AssumeRoleWithWebIdentity", keys)
}

fn trusts(role: &Role, principal: &Principal, action: &str, keys: &Keys) -> Decision {
    let document = Document::read(&role.trust);
    let question = Question { principal: Some(principal), action, resource: &role.arn, keys };
    let rule = ResourceRule::MustAllow(PolicyKind::Trust);
    judge(&question, &Policies { resource: Some((rule, &document)), ..Policies::default() }).decision
}
