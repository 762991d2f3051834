//! The evaluation over the account as it stands: which policies have a say, and what conditions may look at.

use std::collections::BTreeMap;

use super::{
    Context, Decision, Grants, PolicyKind, managed,
    policy::{Document, Judgement, Keys, Policies, Principal, Question, ResourceRule, judge},
    principals,
};
use crate::{Caller, Cloud, services};

/// The one judgement of what a principal may do: its own policies and boundary, and the policy of the resource where it has one.
/// `action` and `resource` as in a policy; `context` is what the service adds to the global condition keys.
pub fn evaluate(cloud: &Cloud, caller: &Caller, action: &str, resource: &str, context: &Context) -> Decision {
    // Root is bound by no policy of its own account's identities, and nothing here is an organization.
    if *caller == principals::operator(&cloud.config) {
        return Decision::Allowed;
    }
    let Some(who) = Who::of(cloud, caller) else { return Decision::ImplicitDeny(PolicyKind::Identity) };
    let mut keys = who.keys(cloud);
    keys.set("aws:ResourceAccount", account_of(resource).unwrap_or(&cloud.config.account));
    for (key, values) in context {
        keys.set_all(key, values.clone());
    }
    let question = Question { principal: Some(&who.principal), action, resource, keys: &keys };
    let own = who.grants.map(|grants| Own::of(cloud, grants)).unwrap_or_default();
    let resource_policy = resource_policy(cloud, action, resource);
    let policies = Policies {
        identity: own.identity.iter().map(|policy| &policy.document).collect(),
        boundary: own.boundary.as_ref().map(|policy| &policy.document),
        resource: resource_policy.as_ref().map(|(rule, document)| (*rule, document)),
        granted: services::kms::is_granted(cloud, &who.principal, action, resource, context),
    };
    let Judgement { decision, .. } = judge(&question, &policies);
    decision
}

/// A caller, looked up.
pub struct Who<'a> {
    pub principal: Principal,
    pub grants: Option<&'a Grants>,
    tags: Option<&'a BTreeMap<String, String>>,
    user_name: Option<&'a str>,
    /// `AIDA…`, or `AROA…:SESSION`.
    user_id: String,
}

impl<'a> Who<'a> {
    /// Who stands behind an ARN; none for one that is neither a user nor a session. A user or role that is no more has no rights.
    pub fn of(cloud: &'a Cloud, caller: &Caller) -> Option<Self> {
        let parts = caller.arn.splitn(6, ':').collect::<Vec<_>>();
        let &[_, _, service, _, account, name] = parts.as_slice() else { return None };
        let (account, arn) = (account.to_owned(), caller.arn.clone());
        match (service, name.split_once('/')?) {
            ("iam", ("user", path)) => {
                let user = cloud.iam.users.get(path.rsplit('/').next()?).filter(|user| user.arn == arn);
                Some(Self {
                    principal: Principal::User { account, arn },
                    grants: user.map(|user| &user.grants),
                    tags: user.map(|user| &user.tags),
                    user_name: user.map(|user| user.name.as_str()),
                    user_id: user.map(|user| user.id.clone()).unwrap_or_default(),
                })
            }
            ("sts", ("assumed-role", session)) => {
                let (name, session) = session.split_once('/')?;
                let role = cloud.iam.roles.get(name);
                let role_arn = role.map_or_else(|| format!("arn:aws:iam::{account}:role/{name}"), |it| it.arn.clone());
                Some(Self {
                    principal: Principal::Session { account, arn, role: role_arn },
                    grants: role.map(|role| &role.grants),
                    tags: role.map(|role| &role.tags),
                    user_name: None,
                    user_id: role.map(|role| format!("{}:{session}", role.id)).unwrap_or_default(),
                })
            }
            _ => None,
        }
    }

    /// The global condition keys that every request has (IAM user guide, "AWS global condition context keys").
    pub fn keys(&self, cloud: &Cloud) -> Keys {
        let now = cloud.clock.today();
        let mut keys = Keys::from_iter([
            ("aws:SecureTransport", "true"),
            ("aws:ViaAWSService", "false"),
            ("aws:PrincipalIsAWSService", "false"),
            ("aws:RequestedRegion", cloud.config.region.as_str()),
            ("aws:userid", self.user_id.as_str()),
        ]);
        keys.set("aws:CurrentTime", now.to_string());
        keys.set("aws:EpochTime", now.as_second().to_string());
        let (arn, kind) = match &self.principal {
            Principal::Session { role, .. } => (role.as_str(), "AssumedRole"),
            Principal::User { arn, .. } => (arn.as_str(), "User"),
            Principal::Service(name) | Principal::Federated(name) => (name.as_str(), "Service"),
        };
        keys.set("aws:PrincipalArn", arn);
        keys.set("aws:PrincipalType", kind);
        if let Some(account) = self.principal.account() {
            keys.set("aws:PrincipalAccount", account);
        }
        if let Some(name) = self.user_name {
            keys.set("aws:username", name);
        }
        for (tag, value) in self.tags.into_iter().flatten() {
            keys.set(&format!("aws:PrincipalTag/{tag}"), value.as_str());
        }
        keys
    }
}

/// A policy of an identity.
pub struct Held {
    pub name: String,
    pub text: String,
    pub document: Document,
}

impl Held {
    fn read(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), document: Document::read(text) }
    }
}

/// The policies of one identity, read.
#[derive(Default)]
pub struct Own {
    pub identity: Vec<Held>,
    /// A boundary that is no more allows nothing.
    pub boundary: Option<Held>,
}

impl Own {
    pub fn of(cloud: &Cloud, grants: &Grants) -> Self {
        let inline = grants.inline.iter().map(|(name, text)| Held::read(name, text));
        let attached = grants.attached.iter().filter_map(|arn| managed_policy(cloud, arn));
        let bound = |arn: &String| managed_policy(cloud, arn).unwrap_or_else(|| Held::read(arn, ""));
        let boundary = grants.boundary.as_ref().map(bound);
        Self { identity: inline.chain(attached).collect(), boundary }
    }
}

/// A managed policy in force, of the account or of AWS.
pub fn managed_policy(cloud: &Cloud, arn: &str) -> Option<Held> {
    if let Some(policy) = managed::find(arn) {
        let (name, text, document) = (policy.name.clone(), policy.text.clone(), policy.document.clone());
        return Some(Held { name, text, document });
    }
    let policy = cloud.iam.policies.get(arn)?;
    Some(Held::read(&policy.name, policy.document()?))
}

/// The policy that a resource itself has, and what it means for a request.
fn resource_policy(cloud: &Cloud, action: &str, resource: &str) -> Option<(ResourceRule, Document)> {
    if action.to_ascii_lowercase().starts_with("sts:assumerole") {
        let trust = cloud.iam.role_by_arn(resource).map(|role| Document::read(&role.trust)).unwrap_or_default();
        return Some((ResourceRule::MustAllow(PolicyKind::Trust), trust));
    }
    let text = match resource.split(':').nth(2)? {
        "secretsmanager" => services::secretsmanager::resource_policy(cloud, resource)?,
        "ecr" => services::ecr::resource_policy(cloud, resource)?,
        "kms" => {
            let text = services::kms::key_policy(cloud, resource)?;
            return Some((ResourceRule::MustAllow(PolicyKind::Resource), Document::read(text)));
        }
        _ => return None,
    };
    Some((ResourceRule::MayAllow, Document::read(text)))
}

fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}
