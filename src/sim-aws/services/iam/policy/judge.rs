//! The judgement: what all policies together say of one question. Pure: documents in, decision out.
//!
//! The order is that of the IAM user guide's "Policy evaluation logic" for a request within one account: an explicit deny anywhere ends
//! it; then a resource's policy that names the very user or session; then the identity's policies (a resource's policy that names the
//! role counts as one); then the boundary.

use super::{
    document::{Document, Effect},
    question::Question,
    statement::Named,
};
use crate::services::iam::{Decision, PolicyKind};

/// What a resource's own policy means for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceRule {
    /// It may allow what the identity's policies do not.
    MayAllow,
    /// Nothing goes without it (KMS key policies, trust policies): identity policies count only where it names the account.
    MustAllow(PolicyKind),
}

/// Everything that has a say.
#[derive(Clone, Debug, Default)]
pub struct Policies<'a> {
    pub identity: Vec<&'a Document>,
    pub boundary: Option<&'a Document>,
    pub resource: Option<(ResourceRule, &'a Document)>,
    /// A grant on the resource names the principal (KMS).
    pub granted: bool,
}

/// A statement that spoke of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoke {
    pub kind: PolicyKind,
    /// Index into `Policies::identity`; 0 for boundary and resource.
    pub policy: usize,
    /// Index of the statement.
    pub statement: usize,
    pub effect: Effect,
}

/// A decision and what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub decision: Decision,
    pub spoke: Vec<Spoke>,
    /// What the boundary says by itself; none without one.
    pub boundary_allows: Option<bool>,
}

/// Judges one question.
pub fn judge(question: &Question<'_>, policies: &Policies<'_>) -> Judgement {
    let mut spoke = Vec::new();
    for (index, document) in policies.identity.iter().enumerate() {
        listen(PolicyKind::Identity, index, document, question, &mut spoke);
    }
    let identity_allows = says(&spoke, PolicyKind::Identity, Effect::Allow);
    if let Some(document) = policies.boundary {
        listen(PolicyKind::Boundary, 0, document, question, &mut spoke);
    }
    let boundary_allows = policies.boundary.map(|_| {
        says(&spoke, PolicyKind::Boundary, Effect::Allow) && !says(&spoke, PolicyKind::Boundary, Effect::Deny)
    });
    let (resource_kind, named) = match policies.resource {
        Some((rule, document)) => {
            let kind = rule.kind();
            (kind, listen_to_resource(kind, document, question, &mut spoke))
        }
        None => (PolicyKind::Resource, None),
    };
    let denied = [PolicyKind::Identity, PolicyKind::Boundary, resource_kind]
        .into_iter()
        .find(|kind| says(&spoke, *kind, Effect::Deny));
    let decision = match denied {
        Some(kind) => Decision::ExplicitDeny(kind),
        None => allowed(policies, identity_allows, boundary_allows, named),
    };
    Judgement { decision, spoke, boundary_allows }
}

impl ResourceRule {
    fn kind(self) -> PolicyKind {
        match self {
            Self::MayAllow => PolicyKind::Resource,
            Self::MustAllow(kind) => kind,
        }
    }
}

fn allowed(policies: &Policies<'_>, identity: bool, boundary: Option<bool>, named: Option<Named>) -> Decision {
    if named == Some(Named::Directly) || policies.granted {
        return Decision::Allowed;
    }
    if let Some((ResourceRule::MustAllow(kind), _)) = policies.resource
        && named.is_none()
    {
        return Decision::ImplicitDeny(kind);
    }
    if !identity && named != Some(Named::ByRole) {
        return Decision::ImplicitDeny(PolicyKind::Identity);
    }
    if boundary == Some(false) {
        return Decision::ImplicitDeny(PolicyKind::Boundary);
    }
    Decision::Allowed
}

fn says(spoke: &[Spoke], kind: PolicyKind, effect: Effect) -> bool {
    spoke.iter().any(|it| it.kind == kind && it.effect == effect)
}

fn listen(kind: PolicyKind, policy: usize, document: &Document, question: &Question<'_>, spoke: &mut Vec<Spoke>) {
    for (index, statement) in document.statements.iter().enumerate() {
        if statement.fits(document, question) {
            spoke.push(Spoke { kind, policy, statement: index, effect: statement.effect });
        }
    }
}

/// The most direct way in which an allowing statement names the principal.
fn listen_to_resource(
    kind: PolicyKind,
    document: &Document,
    question: &Question<'_>,
    spoke: &mut Vec<Spoke>,
) -> Option<Named> {
    let principal = question.principal?;
    let mut best = None;
    for (index, statement) in document.statements.iter().enumerate() {
        let Some(named) = statement.names(principal) else { continue };
        if !statement.fits(document, question) {
            continue;
        }
        spoke.push(Spoke { kind, policy: 0, statement: index, effect: statement.effect });
        if statement.effect == Effect::Allow {
            best = best.max(Some(named));
        }
    }
    best
}
