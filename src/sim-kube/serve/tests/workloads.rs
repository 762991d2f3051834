//! Workloads as a person handles them with `kubectl`: roll-outs and their history, autoscalers, drained nodes, jobs by hand.

use super::{kubectl::Served, *};

fn a_cluster() -> Cluster {
    lived_in(jiff::Timestamp::now())
}

fn workload(kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [{
                    "name": "main", "image": "registry.example/shop:1", "imagePullPolicy": "Never"}]},
            },
        },
    })
}

fn lines_with(text: &str, word: &str) -> usize {
    text.lines().filter(|line| line.contains(word)).count()
}

/// Each is what kubectl 1.36 does with `apps/v1` objects: history from ControllerRevisions, undo by a patch that replaces the template.
/// Whether `describe` shows the variable A with the value 1; the space between depends on kubectl's release.
fn has_variable(said: &str) -> bool {
    said.lines().any(|line| line.split_whitespace().eq(["A:", "1"]))
}

#[test]
fn roll_outs_of_sets_have_a_history_and_can_be_undone() {
    let Some(served) = Served::new(a_cluster()) else { return };
    for (kind, short) in [("DaemonSet", "ds"), ("StatefulSet", "sts")] {
        let target = format!("{short}/agent-{short}");
        let file = served.file("set.json", &workload(kind, &format!("agent-{short}")));
        served.prints(&["apply", "-f", file.to_str().unwrap()]);
        served.prints(&["rollout", "status", &target, "--timeout=30s"]);
        served.prints(&["set", "env", &target, "A=1"]);
        served.prints(&["rollout", "status", &target, "--timeout=60s"]);
        assert_eq!(lines_with(&served.prints(&["rollout", "history", &target]), "<none>"), 2);
        assert!(has_variable(&served.prints(&["describe", &target])));
        assert!(served.prints(&["rollout", "undo", &target]).contains("rolled back"));
        served.prints(&["rollout", "status", &target, "--timeout=60s"]);
        assert!(!has_variable(&served.prints(&["describe", &target])));
        assert!(served.prints(&["rollout", "history", &target]).contains("\n3 "));
    }
}

#[test]
fn a_node_is_drained_as_far_as_budgets_allow() {
    let Some(served) = Served::new(a_cluster()) else { return };
    for (name, object) in [
        ("web.json", deployment("shop", 2)),
        ("agent.json", workload("DaemonSet", "agent")),
        (
            "budget.json",
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "shop"},
                "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "shop"}}}}),
        ),
    ] {
        let file = served.file(name, &object);
        served.prints(&["apply", "-f", file.to_str().unwrap()]);
    }
    served.prints(&["rollout", "status", "deployment/shop", "--timeout=30s"]);
    let pods = served.prints(&["get", "pods", "-l", "app=shop", "-o", "jsonpath={.items[0].spec.nodeName}"]);
    let refused = served.kubectl(&["drain", &pods, "--timeout=2s"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"), "{words}");
    let refused = served.kubectl(&["drain", &pods, "--ignore-daemonsets", "--force", "--timeout=7s"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("Cannot evict pod as it would violate the pod's disruption budget."), "{words}");
    served.prints(&["delete", "pdb", "shop"]);
    let done = served.prints(&["drain", &pods, "--ignore-daemonsets", "--force", "--timeout=40s"]);
    assert!(done.contains("drained"), "{done}");
}

#[test]
fn jobs_autoscalers_and_readings() {
    let mut cluster = a_cluster();
    cluster.install_metrics_server();
    let Some(served) = Served::new(cluster) else { return };
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main",
        "image": "registry.example/shop:1", "imagePullPolicy": "Never", "command": ["sh", "-c", "echo done"]}]}});
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"}, "spec": {
        "schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": {"template": template}}}});
    let file = served.file("cron.json", &cron);
    served.prints(&["apply", "-f", file.to_str().unwrap()]);
    assert_eq!(served.prints(&["create", "job", "now", "--from=cronjob/tick"]), "job.batch/now created\n");
    served.prints(&["wait", "--for=condition=Complete", "job/now", "--timeout=30s"]);
    assert_eq!(served.prints(&["logs", "job/now"]), "done\n");
    assert!(served.prints(&["describe", "job", "now"]).contains("Controlled By:    CronJob/tick"));
    let file = served.file("web.json", &deployment("shop", 2));
    served.prints(&["apply", "-f", file.to_str().unwrap()]);
    assert!(
        served
            .prints(&["autoscale", "deployment", "shop", "--min=1", "--max=4", "--cpu-percent=70"])
            .contains("autoscaled")
    );
    assert!(served.prints(&["describe", "hpa", "shop"]).contains("(as a percentage of request):  <unknown> / 70%"));
    assert!(served.prints(&["get", "hpa", "shop"]).contains("cpu: <unknown>/70%"));
    // A metrics server that has just come up knows nothing yet.
    let none = served.kubectl(&["top", "pods"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("not available yet"), "{none:?}");
}

/// Tried on a cluster of kind 1.36 (`hpa-no-metrics`).
#[test]
fn without_a_metrics_server_nothing_is_on_top() {
    let Some(served) = Served::new(a_cluster()) else { return };
    let none = served.kubectl(&["top", "nodes"]);
    assert_eq!(String::from_utf8_lossy(&none.stderr), "error: Metrics API not available\n");
}
