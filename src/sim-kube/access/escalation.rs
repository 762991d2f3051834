//! Nobody hands out rights that they do not have (`pkg/registry/rbac/*/policybased`, `rbac/validation/rule.go`
//! `ConfirmNoEscalation`).

use serde_json::Value;

use super::{
    Attributes, User,
    authorize::{authorize, rules_of, together},
    compact::{compact, go_list, shown},
    covers::missing,
    forbidden::refusal,
    policies::role_rules,
    rules::Rule,
};
use crate::{
    Cluster, Kind, Status,
    object::{text, unset},
};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether a user may write a role or binding as it is to be; `old` as it is. Other kinds pass.
///
/// # Errors
/// 403 that lists what is missing; 404 for a role that is not there.
pub fn may_grant(
    cluster: &mut Cluster,
    user: &User,
    kind: &Kind,
    new: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if kind.group != GROUP || user.is_master() {
        return Ok(());
    }
    let (namespace, name) = (text(new, "/metadata/namespace").to_owned(), text(new, "/metadata/name"));
    if old.is_some_and(|old| only_lifetime_differs(new, old)) {
        return Ok(());
    }
    let granted = match kind.plural {
        "roles" | "clusterroles" => {
            let same = |member: &str| old.is_some_and(|old| old.get(member) == new.get(member));
            let named = if old.is_some() { name } else { "" };
            let asked = Attributes::resource("escalate", GROUP, kind.plural, &namespace, named);
            if same("rules") && same("aggregationRule") || authorize(cluster, user, &asked).is_allowed {
                return Ok(());
            }
            Rule::read_all(new)
        }
        "rolebindings" | "clusterrolebindings" => {
            let (role, named) = (text(new, "/roleRef/kind"), text(new, "/roleRef/name"));
            // Nobody but the master gets past a kind that there is not, and the error bears no code of its own.
            if !matches!(role, "ClusterRole" | "Role") {
                return Err(Status::new(500, "", format!("unsupported role reference kind: {role:?}")));
            }
            let resource = if role == "ClusterRole" { "clusterroles" } else { "roles" };
            let asked = Attributes::resource("bind", GROUP, resource, &namespace, named);
            if authorize(cluster, user, &asked).is_allowed {
                return Ok(());
            }
            match role_rules(&cluster.store, role, named, &namespace) {
                Ok(rules) => rules.to_vec(),
                Err(why) => return Err(no_role(resource, named, why)),
            }
        }
        _ => return Ok(()),
    };
    held(cluster, user, &namespace, &granted).map_err(|why| refusal(GROUP, kind.plural, name, &why))?;
    let aggregates = new.get("aggregationRule").is_some_and(|rule| !rule.is_null());
    if aggregates && held(cluster, user, "", &[Rule::all_resources(), Rule::all_paths()]).is_err() {
        let why = "must have cluster-admin privileges to use the aggregationRule";
        return Err(refusal(GROUP, kind.plural, name, why));
    }
    Ok(())
}

/// Whether a change touches only what the garbage collector needs to let an object go (`IsOnlyMutatingGCFields`).
fn only_lifetime_differs(new: &Value, old: &Value) -> bool {
    let rest = |object: &Value| {
        let mut rest = object.clone();
        for member in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
            unset(&mut rest, &format!("/metadata/{member}"));
        }
        rest
    };
    rest(new) == rest(old)
}

/// Whether a user has all these rights in a namespace (empty: everywhere); the error says which are missing.
fn held(cluster: &mut Cluster, user: &User, namespace: &str, wanted: &[Rule]) -> Result<(), String> {
    let (owned, errors) = rules_of(cluster, user, namespace);
    let missing = missing(&owned, wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<_> = compact(missing).iter().map(shown).collect();
    lines.sort();
    lines.dedup();
    let mut why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        go_list(&user.groups),
        lines.join("\n")
    );
    if !errors.is_empty() {
        why.push_str(&format!("; resolution errors: [{}]", together(&errors)));
    }
    Err(why)
}

/// A binding of a role that is not there: what the lister says, as a 404.
fn no_role(resource: &str, name: &str, why: String) -> Status {
    let singular = resource.trim_end_matches('s');
    Status {
        details: serde_json::json!({"name": name, "group": GROUP, "kind": singular}),
        ..Status::new(404, "NotFound", why)
    }
}
