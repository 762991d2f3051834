//! Users, rights and admission through the real `kubectl`, over TLS. The texts are those of a 1.36 cluster (golden `rbac-forbidden`).

use std::process::Output;

use jiff::Timestamp;

use super::{kubectl::Served, lived_in};

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_learner_is_the_administrator_of_a_kind_cluster() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let whoami = out(&served.as_user("admin", &["auth", "whoami"]));
    assert!(whoami.contains("kubernetes-admin"), "{whoami}");
    assert!(whoami.contains("[kubeadm:cluster-admins system:authenticated]"), "{whoami}");
    assert!(whoami.contains("[X509SHA256="), "{whoami}");
    assert_eq!(out(&served.as_user("admin", &["auth", "can-i", "delete", "nodes"])), "yes\n");
    let list = out(&served.as_user("admin", &["auth", "can-i", "--list"]));
    assert!(list.lines().nth(1).unwrap().starts_with("*.*"), "{list}");
    let orders = served.as_user("admin", &["get", "--raw", "/breakfix/info"]);
    assert!(err(&orders).contains("takes no orders"), "{orders:?}");
}

#[test]
fn an_account_acts_with_its_token() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let admin = |arguments: &[&str]| {
        let output = served.as_user("admin", arguments);
        assert!(output.status.success(), "{arguments:?} {output:?}");
        out(&output)
    };
    admin(&["create", "role", "reader", "--verb=get,list", "--resource=configmaps"]);
    admin(&["create", "rolebinding", "reader", "--role=reader", "--serviceaccount=shop:web"]);
    let token = admin(&["create", "token", "web"]);
    let web = |arguments: &[&str]| {
        let token = format!("--token={}", token.trim());
        served.as_user("nobody", &[&[token.as_str()], arguments].concat())
    };
    assert!(out(&web(&["get", "configmaps"])).contains("kube-root-ca.crt"));
    assert_eq!(
        err(&web(&["get", "pods"])),
        "Error from server (Forbidden): pods is forbidden: User \"system:serviceaccount:shop:web\" cannot list resource \"pods\" in API \
         group \"\" in the namespace \"shop\"\n"
    );
    assert_eq!(
        err(&web(&["create", "configmap", "x", "--from-literal=a=b"])),
        "error: failed to create configmap: configmaps is forbidden: User \"system:serviceaccount:shop:web\" cannot create resource \
         \"configmaps\" in API group \"\" in the namespace \"shop\"\n"
    );
    assert_eq!(out(&web(&["auth", "can-i", "list", "configmaps"])), "yes\n");
    assert_eq!(out(&web(&["auth", "can-i", "get", "pods"])), "no\n");
    let whoami = out(&web(&["auth", "whoami"]));
    let groups = "[system:serviceaccounts system:serviceaccounts:shop system:authenticated]";
    assert!(whoami.contains(groups) && whoami.contains("[JTI="), "{whoami}");
    let list = out(&web(&["auth", "can-i", "--list"]));
    assert!(list.contains("configmaps") && list.contains("[get list]"), "{list}");
    let refused = served.as_user("nobody", &["--token=nonsense", "get", "pods"]);
    assert_eq!(err(&refused), "error: You must be logged in to the server (Unauthorized)\n");
    let account = "--as=system:serviceaccount:shop:web";
    assert_eq!(out(&served.as_user("admin", &["auth", "can-i", "get", "configmaps", account])), "yes\n");
    assert_eq!(out(&served.as_user("admin", &["auth", "can-i", "delete", "configmaps", account])), "no\n");
    assert_eq!(
        err(&served.as_user("admin", &["get", "pods", "--as=jane", "--as-group=devs"])),
        "Error from server (Forbidden): pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \
         \"shop\"\n"
    );
}

#[test]
fn a_careless_deployment_is_warned_of_and_its_pods_are_refused() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let admin = |arguments: &[&str]| served.as_user("admin", arguments);
    let labelled = admin(&["label", "namespace", "shop", "pod-security.kubernetes.io/enforce=restricted"]);
    assert!(
        err(&labelled).starts_with(
            "Warning: existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"restricted:latest\"\nWarning: web: \
             allowPrivilegeEscalation != false"
        ),
        "{labelled:?}"
    );
    let made = admin(&["create", "deployment", "api", "--image=registry.example/shop:1"]);
    assert!(err(&made).starts_with("Warning: would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"shop\""), "{made:?}");
    let run = admin(&["run", "x", "--image=registry.example/shop:1"]);
    assert!(
        err(&run).starts_with(
            "Error from server (Forbidden): pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\":"
        ),
        "{run:?}"
    );
}
