//! What admission adds to new pods: service account, tolerations, priority.

use serde_json::{Value, json};

use super::defaults::each;
use crate::{
    Cluster, Status,
    kind::{POD, PRIORITY_CLASS, SERVICE_ACCOUNT},
    object::{entries, name, number, set, text, truth},
};

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How long a pod stays on a node that is not ready or out of reach.
const TOLERATION_SECONDS: i64 = 300;
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Runs the mutating admission plugins that every cluster has on.
pub(super) fn admit(cluster: &mut Cluster, pod: &mut Value) -> Result<(), Status> {
    service_account(cluster, pod)?;
    priority(cluster, pod)?;
    tolerations(pod);
    Ok(())
}

/// Plugin `ServiceAccount`.
fn service_account(cluster: &mut Cluster, pod: &mut Value) -> Result<(), Status> {
    let mirror = pod.pointer("/metadata/annotations").and_then(|map| map.get("kubernetes.io/config.mirror")).is_some();
    if mirror {
        return Ok(());
    }
    if text(pod, "/spec/serviceAccountName").is_empty() {
        set(pod, "/spec/serviceAccountName", json!("default"));
    }
    let account = text(pod, "/spec/serviceAccountName").to_owned();
    set(pod, "/spec/serviceAccount", json!(account));
    let namespace = text(pod, "/metadata/namespace").to_owned();
    let Some(found) = cluster.store.get(&SERVICE_ACCOUNT.key(&namespace, &account)).cloned() else {
        return Err(Status::forbidden(
            &POD,
            text(pod, "/metadata/name"),
            &format!("error looking up service account {namespace}/{account}: serviceaccount {account:?} not found"),
        ));
    };
    if entries(pod, "/spec/imagePullSecrets").is_empty()
        && let Some(secrets) = found.get("imagePullSecrets").filter(|secrets| secrets.is_array())
    {
        set(pod, "/spec/imagePullSecrets", secrets.clone());
    }
    let wanted =
        pod.pointer("/spec/automountServiceAccountToken").or_else(|| found.get("automountServiceAccountToken"));
    if wanted.and_then(Value::as_bool) != Some(false) {
        mount_token(cluster, pod);
    }
    Ok(())
}

fn mount_token(cluster: &mut Cluster, pod: &mut Value) {
    let volumes = entries(pod, "/spec/volumes");
    let present = volumes.iter().map(|volume| text(volume, "/name")).find(|name| name.starts_with("kube-api-access-"));
    let (name, new) = match present {
        Some(name) => (name.to_owned(), false),
        None => (format!("kube-api-access-{}", cluster.chance.text(SUFFIX, 5)), true),
    };
    let mut mounted = false;
    for list in ["/spec/initContainers", "/spec/containers"] {
        for container in each(pod, list) {
            if entries(container, "/volumeMounts").iter().any(|mount| text(mount, "/mountPath") == TOKEN_PATH) {
                continue;
            }
            let mut mounts = entries(container, "/volumeMounts").to_vec();
            mounts.push(json!({"name": name, "mountPath": TOKEN_PATH, "readOnly": true}));
            set(container, "/volumeMounts", Value::Array(mounts));
            mounted = true;
        }
    }
    if new && mounted {
        let mut volumes = entries(pod, "/spec/volumes").to_vec();
        volumes.push(token_volume(&name));
        set(pod, "/spec/volumes", Value::Array(volumes));
    }
}

fn token_volume(name: &str) -> Value {
    json!({
        "name": name,
        "projected": {
            "defaultMode": 0o644,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
                ]}},
            ],
        },
    })
}

/// Plugin `Priority`: the class decides; without one the default class, or 0.
fn priority(cluster: &Cluster, pod: &mut Value) -> Result<(), Status> {
    let wanted = text(pod, "/spec/priorityClassName").to_owned();
    let found = if wanted.is_empty() {
        // Of several defaults, which only a race could leave behind, the lowest counts.
        let defaults = cluster.list(&PRIORITY_CLASS, None).filter(|class| truth(class, "/globalDefault"));
        defaults.min_by_key(|class| number(class, "/value").unwrap_or(0)).cloned()
    } else {
        let class = cluster.get(&PRIORITY_CLASS, "", &wanted).ok();
        if class.is_none() {
            let why = format!("no PriorityClass with name {wanted} was found");
            return Err(Status::forbidden(&POD, text(pod, "/metadata/name"), &why));
        }
        class
    };
    let value = found.as_ref().and_then(|class| number(class, "/value")).unwrap_or(0);
    if let Some(given) = number(pod, "/spec/priority").filter(|given| *given != value) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} \
             from the given PriorityClass name"
        );
        return Err(Status::forbidden(&POD, text(pod, "/metadata/name"), &why));
    }
    set(pod, "/spec/priority", json!(value));
    let policy = found.as_ref().map_or("", |class| text(class, "/preemptionPolicy")).to_owned();
    let policy = if policy.is_empty() { "PreemptLowerPriority" } else { policy.as_str() };
    let given = text(pod, "/spec/preemptionPolicy");
    if !given.is_empty() && given != policy {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed \
             {policy} from the given PriorityClass name"
        );
        return Err(Status::forbidden(&POD, text(pod, "/metadata/name"), &why));
    }
    if let Some(class) = found.filter(|_| wanted.is_empty()) {
        set(pod, "/spec/priorityClassName", json!(name(&class)));
    }
    set(pod, "/spec/preemptionPolicy", json!(policy));
    Ok(())
}

/// Plugin `DefaultTolerationSeconds`.
fn tolerations(pod: &mut Value) {
    let mut list = entries(pod, "/spec/tolerations").to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = list.iter().any(|toleration| {
            (text(toleration, "/key") == key || text(toleration, "/key").is_empty())
                && matches!(text(toleration, "/effect"), "NoExecute" | "")
        });
        if !tolerated {
            list.push(json!({
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": TOLERATION_SECONDS,
            }));
        }
    }
    if !list.is_empty() {
        set(pod, "/spec/tolerations", Value::Array(list));
    }
}
