//! Fixtures: rights that were there, and rights that were not.

use serde_json::{Value, json};

use super::kinds;
use crate::{Verdict, fixture::*};

fn rule() -> breakfix_lab::Check {
    check(json!({"no_new_power": {}}))
}

/// The healthy shop, whose baseline holds itself.
fn kept() -> World {
    let mut world = shop();
    for kind in kinds(world.platform) {
        world = world.from(kind, []);
    }
    world.from("Deployment", [deployment("shop", 3)]).from("ReplicaSet", [replica_set("shop")]).from("Pod", shop_pods())
}

fn spec(patch: Value) -> Value {
    but(deployment("shop", 3), json!({"spec": {"template": {"spec": patch}}}))
}

fn with_template(patch: Value) -> Verdict {
    kept().with("Deployment", [spec(patch)]).judge(&rule())
}

#[test]
fn nothing_new_is_met() {
    assert_met(&kept().judge(&rule()));
}

#[test]
fn each_right_of_a_template_is_seen() {
    let container = |context: Value| json!({"containers": [{"name": "web", "securityContext": context}]});
    for (patch, says) in [
        (container(json!({"privileged": true})), "Deployment shop: container web is privileged"),
        (container(json!({"capabilities": {"add": ["SYS_ADMIN"]}})), "the added capability SYS_ADMIN"),
        (json!({"hostNetwork": true}), "has hostNetwork"),
        (json!({"hostPID": true}), "has hostPID"),
        (json!({"hostIPC": true}), "has hostIPC"),
        (json!({"volumes": [{"name": "x", "hostPath": {"path": "/etc"}}]}), "has the node's path /etc"),
        (
            json!({"containers": [{"name": "web", "ports": [{"containerPort": 80, "hostPort": 80}]}]}),
            "takes the node's port 80",
        ),
        (
            json!({"initContainers": [{"name": "init", "securityContext": {"privileged": true}}]}),
            "container init is privileged",
        ),
    ] {
        assert_not_met(&with_template(patch), says);
    }
}

#[test]
fn harmless_settings_are_none() {
    for patch in [
        json!({"hostNetwork": false, "volumes": [{"name": "x", "emptyDir": {}}]}),
        json!({"containers": [{"name": "web", "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}}]}),
        json!({"containers": [{"name": "web", "ports": [{"containerPort": 80, "hostPort": 0}]}]}),
        json!({"ephemeralContainers": [{"name": "debugger", "securityContext": {"privileged": true}}]}),
    ] {
        assert_met(&with_template(patch));
    }
}

#[test]
fn what_was_there_already_is_not_new_nor_are_its_new_pods() {
    let privileged = json!({"hostNetwork": true});
    let with_power = |pod: Value| but(pod, json!({"spec": {"hostNetwork": true}}));
    let world = kept()
        .from("Deployment", [spec(privileged.clone())])
        .with("Deployment", [spec(privileged)])
        .with("Pod", [with_power(pod("shop-a-99", "10.0.0.99", "ReplicaSet", "shop-a"))]);
    assert_met(&world.judge(&rule()));
}

#[test]
fn a_bare_pod_an_adopted_one_and_one_with_a_false_owner_are_seen() {
    let with_power = |pod: Value| but(pod, json!({"spec": {"hostPID": true}}));
    let bare = but(pod("sly", "10.0.0.9", "x", "x"), json!({"metadata": {"ownerReferences": null}}));
    assert_not_met(&kept().with("Pod", [with_power(bare)]).judge(&rule()), "Pod sly: has hostPID");
    let adopted = pod("sly", "10.0.0.9", "ReplicaSet", "shop-a");
    assert_not_met(&kept().with("Pod", [with_power(adopted)]).judge(&rule()), "Deployment shop: has hostPID");
    let forged = pod("sly", "10.0.0.9", "Namespace", "shop");
    assert_not_met(&kept().with("Pod", [with_power(forged)]).judge(&rule()), "has hostPID");
    // The probe's marks do not hide anybody here.
    assert_not_met(&kept().with("Pod", [with_power(probe("10.0.0.9"))]).judge(&rule()), "Pod probe-x: has hostPID");
}

#[test]
fn pods_that_end_or_have_ended_hold_nothing() {
    let bare = |patch: Value| but(but(probe("10.0.0.9"), json!({"spec": {"hostPID": true}})), patch);
    assert_met(&kept().with("Pod", [bare(json!({"metadata": {"deletionTimestamp": NOW}}))]).judge(&rule()));
    assert_met(&kept().with("Pod", [bare(json!({"status": {"phase": "Succeeded"}}))]).judge(&rule()));
}

#[test]
fn an_old_replica_set_holds_nothing_but_a_bare_one_does() {
    let power = json!({"spec": {"template": {"spec": {"hostPID": true}}}});
    assert_met(&kept().with("ReplicaSet", [but(replica_set("shop"), power.clone())]).judge(&rule()));
    let bare = but(but(replica_set("shop"), power), json!({"metadata": {"ownerReferences": null}}));
    assert_not_met(&kept().with("ReplicaSet", [bare]).judge(&rule()), "ReplicaSet shop-a: has hostPID");
}

#[test]
fn a_cron_job_has_its_template_deeper() {
    let job = json!({
        "metadata": {"name": "report", "namespace": "shop", "uid": "uid-report"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"hostPID": true}}}}},
    });
    assert_not_met(&kept().with("CronJob", [job]).judge(&rule()), "CronJob report: has hostPID");
}

#[test]
fn an_exception_frees_a_workload_or_a_field_of_it() {
    let world = kept().with("Deployment", [spec(json!({"hostNetwork": true}))]);
    let free = |except: Value| check(json!({"no_new_power": {"except": [except]}}));
    assert_met(&world.judge(&free(json!({"kind": "Deployment", "name": "shop"}))));
    assert_met(
        &world
            .judge(&free(json!({"kind": "Deployment", "name": "shop", "fields": ["spec.template.spec.hostNetwork"]}))),
    );
    assert_not_met(&world.judge(&free(json!({"kind": "Deployment", "name": "other"}))), "hostNetwork");
}

fn binding(kind: &str, role: &str, subject: Value) -> Value {
    json!({
        "metadata": {"name": "sly", "uid": "uid-sly"},
        "roleRef": {"kind": if role == "local" { "Role" } else { "ClusterRole" }, "name": role},
        "subjects": [subject],
        "kind": kind,
    })
}

fn account() -> Value {
    json!({"kind": "ServiceAccount", "name": "pipeline", "namespace": "shop"})
}

#[test]
fn cluster_admin_for_an_account_of_the_lab_is_seen() {
    let world = |subject: Value| kept().with("ClusterRoleBinding", [binding("", "cluster-admin", subject)]);
    assert_not_met(
        &world(account()).judge(&rule()),
        "gives ServiceAccount shop/pipeline the ClusterRole cluster-admin",
    );
    for group in ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"] {
        assert_not_met(&world(json!({"kind": "Group", "name": group})).judge(&rule()), group);
    }
    assert_not_met(
        &world(json!({"kind": "User", "name": "system:serviceaccount:shop:pipeline"})).judge(&rule()),
        "pipeline",
    );
    // People, too: a repair makes nobody the cluster's master.
    assert_not_met(&world(json!({"kind": "User", "name": "ada"})).judge(&rule()), "gives User ada");
    assert_not_met(&world(json!({"kind": "Group", "name": "developers"})).judge(&rule()), "gives Group developers");
    // The system's own.
    for other in [
        json!({"kind": "ServiceAccount", "name": "x", "namespace": "kube-system"}),
        json!({"kind": "Group", "name": "system:masters"}),
        json!({"kind": "Group", "name": "system:serviceaccounts:other"}),
        json!({"kind": "User", "name": "system:kube-controller-manager"}),
    ] {
        assert_met(&world(other).judge(&rule()));
    }
}

#[test]
fn a_rule_with_a_star_is_seen_where_it_is_bound() {
    let role = |name: &str, verbs: Value| json!({"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]});
    let starred = kept().with("Role", [role("local", json!(["*"]))]);
    assert_not_met(&starred.judge(&rule()), "Role local: allows * on pods");
    assert_met(&kept().with("Role", [role("local", json!(["get"]))]).judge(&rule()));
    // A cluster's own roles may say what they like until somebody of the lab gets one.
    let wide = kept().with("ClusterRole", [role("wide", json!(["*"]))]);
    assert_met(&wide.judge(&rule()));
    assert_not_met(&wide.with("RoleBinding", [binding("", "wide", account())]).judge(&rule()), "the ClusterRole wide");
}

#[test]
fn a_way_to_more_rights_is_seen() {
    let role = |verbs: Value| json!({"metadata": {"name": "ladder"}, "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": verbs}]});
    let bound = |verbs: Value, kind: &'static str| {
        kept().with("ClusterRole", [role(verbs)]).with(kind, [binding("", "ladder", account())])
    };
    for verb in ["escalate", "bind", "impersonate"] {
        assert_not_met(&bound(json!(["get", verb]), "RoleBinding").judge(&rule()), "the ClusterRole ladder");
    }
    assert_met(&bound(json!(["get", "update"]), "ClusterRoleBinding").judge(&rule()));
    // In one namespace these are an ordinary right, in all of them they are not.
    for wide in ["admin", "edit"] {
        assert_met(&kept().with("RoleBinding", [binding("", wide, account())]).judge(&rule()));
        assert_not_met(&kept().with("ClusterRoleBinding", [binding("", wide, account())]).judge(&rule()), wide);
    }
    assert_met(&kept().with("ClusterRoleBinding", [binding("", "view", account())]).judge(&rule()));
}

#[test]
fn a_volume_on_the_nodes_disk_is_seen_unless_a_provisioner_made_it() {
    let volume = |patch: Value| {
        let volume = json!({
            "metadata": {"name": "pv", "uid": "uid-pv"},
            "spec": {"hostPath": {"path": "/data"}, "claimRef": {"namespace": "shop", "name": "ledger"}},
        });
        kept().with("PersistentVolume", [but(volume, patch)]).judge(&rule())
    };
    assert_not_met(&volume(json!({})), "PersistentVolume pv: gives a claim the node's path /data");
    assert_met(&volume(
        json!({"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "kubernetes.io/host-path"}}}),
    ));
    assert_met(&volume(json!({"spec": {"claimRef": {"namespace": "other"}}})));
}

#[test]
fn a_baseline_without_what_comes_and_goes_is_whole() {
    let mut world = kept().with("Pod", [but(probe("10.0.0.9"), json!({"spec": {"hostPID": true}}))]);
    for kind in ["Pod", "ReplicaSet", "PersistentVolume"] {
        world.baseline.objects.remove(kind);
    }
    assert_not_met(&world.judge(&rule()), "Pod probe-x: has hostPID");
    // What cannot be compared does not hide what is certain.
    let volume = json!({
        "metadata": {"name": "a", "uid": "uid-a"},
        "spec": {"hostPath": {"path": "/data"}, "claimRef": {"namespace": "shop", "name": "ledger"}},
    });
    let world = world.with("PersistentVolume", [volume]);
    assert_not_met(&world.judge(&rule()), "Pod probe-x: has hostPID");
    assert_unknown(&world.with("Pod", []).judge(&rule()), "kind PersistentVolume");
}

#[test]
fn a_binding_to_a_wide_role_that_was_there_is_not_new_though_the_roles_were_not_kept() {
    let role =
        json!({"metadata": {"name": "wide"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}]});
    let bound = || binding("", "wide", account());
    let mut world = kept().with("ClusterRole", [role]).with("RoleBinding", [bound()]).from("RoleBinding", [bound()]);
    world.baseline.objects.remove("ClusterRole");
    assert_met(&world.judge(&rule()));
}

#[test]
fn a_role_that_was_widened_under_an_old_binding_is_seen() {
    let role = |verb: &str| json!({"metadata": {"name": "wide"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]});
    let bound = || binding("", "wide", account());
    let world = kept().with("RoleBinding", [bound()]).from("RoleBinding", [bound()]);
    let world = world.with("ClusterRole", [role("*")]).from("ClusterRole", [role("get")]);
    assert_not_met(&world.judge(&rule()), "the ClusterRole wide");
}

#[test]
fn an_api_error_is_unknown_and_so_is_a_baseline_with_a_hole() {
    assert_unknown(&kept().failing("ClusterRoleBinding").judge(&rule()), "etcd");
    let mut holed = kept().with("Deployment", [spec(json!({"hostPID": true}))]);
    holed.baseline.objects.remove("Deployment");
    assert_unknown(&holed.judge(&rule()), "the baseline was not taken for kind Deployment");
}

fn docker(patch: Value) -> Verdict {
    engine([container("web")]).with("Container", [but(container("web"), patch)]).judge(&rule())
}

/// An engine with these containers from the beginning, and no volume.
fn engine(containers: impl IntoIterator<Item = Value>) -> World {
    World::docker().from("Container", containers).from("Volume", [])
}

#[test]
fn a_volume_that_is_a_path_of_the_host_is_seen() {
    let volume = |options: Value| json!({"Name": "data", "Driver": "local", "Options": options});
    let now = |volume: Value| engine([container("web")]).with("Container", [container("web")]).with("Volume", [volume]);
    assert_met(&now(volume(Value::Null)).judge(&rule()));
    assert_met(&now(volume(json!({"type": "tmpfs", "device": "tmpfs", "o": "size=8m"}))).judge(&rule()));
    let bound = volume(json!({"type": "none", "o": "ro,bind", "device": "/etc"}));
    assert_not_met(&now(bound).judge(&rule()), "Volume data: is the host's path /etc");
}

#[test]
fn each_right_of_a_container_is_seen() {
    for (config, says) in [
        (json!({"Privileged": true}), "Container web: is privileged"),
        (json!({"CapAdd": ["CAP_SYS_ADMIN"]}), "the added capability SYS_ADMIN"),
        (json!({"NetworkMode": "host"}), "NetworkMode is host"),
        (json!({"NetworkMode": "container:db"}), "NetworkMode is container:db"),
        (json!({"PidMode": "container:db"}), "PidMode"),
        (json!({"IpcMode": "host"}), "IpcMode"),
        (json!({"SecurityOpt": ["seccomp=unconfined"]}), "seccomp=unconfined"),
        (json!({"SecurityOpt": ["seccomp={\"defaultAction\": \"SCMP_ACT_ALLOW\"}"]}), "a seccomp profile of its own"),
        (json!({"MaskedPaths": []}), "no MaskedPaths"),
        (json!({"ReadonlyPaths": []}), "no ReadonlyPaths"),
        (json!({"DeviceCgroupRules": ["c 1:3 mr"]}), "may use devices: c 1:3 mr"),
        (json!({"DeviceRequests": [{"Count": -1}]}), "devices on request"),
        (json!({"Devices": [{"PathOnHost": "/dev/sda"}]}), "/dev/sda"),
        (json!({"Binds": ["/var/run/docker.sock:/sock"]}), "holds the engine's socket"),
        (json!({"Binds": ["/etc:/host:ro"]}), "has the host's path /etc"),
        (json!({"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x"}]}), "/etc"),
    ] {
        assert_not_met(&docker(json!({"HostConfig": config})), says);
    }
    assert_not_met(&docker(json!({"Mounts": [{"Type": "bind", "Source": "/run/docker.sock"}]})), "engine's socket");
}

#[test]
fn ordinary_containers_hold_none() {
    assert_met(&docker(json!({})));
    assert_met(&docker(
        json!({"HostConfig": {"MaskedPaths": ["/proc/acpi"], "SecurityOpt": ["seccomp=builtin"], "NetworkMode": "bridge", "Binds": ["db-data:/data"], "IpcMode": "shareable"}}),
    ));
    assert_met(&docker(json!({"Mounts": [{"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data"}]})));
}

#[test]
fn what_the_engine_gives_everybody_is_no_power() {
    let old = |name: &str| but(container(name), json!({"HostConfig": {"CgroupnsMode": "host"}}));
    let world = engine([old("web")]);
    assert_met(&world.clone().with("Container", [old("web"), old("helper")]).judge(&rule()));
    let world = engine([container("web")]);
    assert_not_met(&world.with("Container", [container("web"), old("helper")]).judge(&rule()), "CgroupnsMode is host");
}

#[test]
fn a_path_that_was_bound_before_may_stay_and_a_new_container_is_looked_at() {
    let bound = |name: &str| but(container(name), json!({"HostConfig": {"Binds": ["/home/me/lab:/work"]}}));
    let world = engine([bound("web")]);
    assert_met(&world.clone().with("Container", [but(bound("web"), json!({"Id": "anew"}))]).judge(&rule()));
    let second = but(container("relay"), json!({"HostConfig": {"NetworkMode": "container:web"}}));
    assert_not_met(&world.with("Container", [bound("web"), second]).judge(&rule()), "Container relay");
}
