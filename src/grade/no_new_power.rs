//! `no_new_power`: nobody was given rights that they did not have.
//!
//! Rule: the rights that the lab's objects hold now, less those that they held in the baseline, are none. A right belongs to the
//! workload at the upper end of an owner chain, so that a new pod of an old Deployment has no new ones. What counts as one is listed in
//! [`kubernetes`], [`docker`] and [`aws`].

mod aws;
mod docker;
mod kubernetes;

use std::collections::BTreeSet;

use breakfix_lab::{Platform, check::NoNewPower};

use crate::{Evidence, Judge, Query, Verdict, View, answers::objects_query, query::Scope, unchanged::paths};

/// One right, in words: `container web is privileged`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Power {
    kind: String,
    name: String,
    what: String,
}

impl Judge for NoNewPower {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        kinds(platform).iter().map(|kind| objects_query(platform, scope, kind, None)).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        self.except.iter().filter_map(|free| paths(&free.fields).err()).collect()
    }
}

fn kinds(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::Kubernetes => &kubernetes::KINDS,
        Platform::Docker => &docker::KINDS,
        Platform::Ecs => &aws::KINDS,
    }
}

fn judge(check: &NoNewPower, view: &View<'_>) -> Result<Verdict, Verdict> {
    let mut now = Vec::new();
    let mut before = Vec::new();
    for kind in kinds(view.platform) {
        now.extend(view.objects(kind, None)?.iter().map(|object| (*kind, object)));
        // The whole baseline, other namespaces of the lab too: what was there already is not new.
        before.extend(view.baseline.objects.get(*kind).into_iter().flatten().map(|object| (*kind, object)));
    }
    let scan = |objects: &[(&'static str, &serde_json::Value)]| -> BTreeSet<Power> {
        match view.platform {
            Platform::Kubernetes => kubernetes::scan(objects, &kubernetes::namespaces(view), &check.except),
            Platform::Docker => docker::scan(objects, &check.except),
            Platform::Ecs => aws::scan(objects, &check.except),
        }
    };
    if !view.baseline.objects.contains_key("ClusterRole") {
        // Without the roles of then, those of now say what the bindings of then gave.
        before.extend(now.iter().filter(|(kind, _)| *kind == "ClusterRole").copied());
    }
    let (held, mut holds) = (scan(&before), scan(&now));
    // On such an engine every container is born with it, the most harmless too.
    if held.iter().any(|power| power.what == docker::HOST_CGROUPS) {
        holds.retain(|power| power.what != docker::HOST_CGROUPS);
    }
    let wanted = "no right that was not there when the lab was handed over";
    // What is new for certain is told before what cannot be compared.
    let (fresh, uncertain): (Vec<&Power>, Vec<&Power>) =
        holds.difference(&held).partition(|power| is_comparable(view, power));
    match (fresh.first(), uncertain.first()) {
        (Some(first), _) => {
            let found =
                fresh.iter().map(|it| format!("{} {}: {}", it.kind, it.name, it.what)).collect::<Vec<_>>().join("; ");
            let look = view.look_at(&first.kind, &first.name, None, true);
            let reason = format!("{} {}: {}", first.kind, first.name, first.what);
            Ok(Verdict::not_met(reason, Evidence::new(wanted, found).look(look)))
        }
        (None, Some(power)) => Err(view.not_in_baseline(&power.kind)),
        (None, None) => Ok(Verdict::met(Evidence::new(wanted, "none"))),
    }
}

/// Whether a right that the baseline does not show is new. Pods and ReplicaSets come and go and have their rights from others, so a
/// baseline without them is whole.
fn is_comparable(view: &View<'_>, power: &Power) -> bool {
    let kind = power.kind.as_str();
    let scanned = kinds(view.platform).contains(&kind);
    !scanned || matches!(kind, "Pod" | "ReplicaSet") || view.baseline.objects.contains_key(kind)
}

#[cfg(test)]
mod aws_tests;
#[cfg(test)]
mod tests;
