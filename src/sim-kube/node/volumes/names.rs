//! `/etc/hosts` and `/etc/resolv.conf` of a pod (`pkg/kubelet/network/dns`).

use serde_json::Value;

use crate::{
    Cluster, kind,
    network::GATEWAY,
    object::{entries, namespace, text, truth},
};

/// The cluster's domain.
const DOMAIN: &str = "cluster.local";

/// The text of `/etc/hosts`, as the record of a 1.36 cluster has it.
pub(in crate::node) fn hosts(pod: &Value, ip: &str, hostname: &str) -> String {
    let mut text = String::from(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n\
         fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n",
    );
    let subdomain = crate::object::text(pod, "/spec/subdomain");
    let full = if subdomain.is_empty() {
        String::new()
    } else {
        format!("{hostname}.{subdomain}.{}.svc.{DOMAIN}\t", namespace(pod))
    };
    text.push_str(&format!("{ip}\t{full}{hostname}\n"));
    let aliases = entries(pod, "/spec/hostAliases");
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
    }
    for alias in aliases {
        let names: Vec<&str> = entries(alias, "/hostnames").iter().filter_map(Value::as_str).collect();
        text.push_str(&format!("{}\t{}\n", crate::object::text(alias, "/ip"), names.join("\t")));
    }
    text
}

/// The text of `/etc/resolv.conf`: by the pod's policy, with what its `dnsConfig` adds.
pub(in crate::node) fn resolv_conf(cluster: &Cluster, pod: &Value) -> String {
    let host_network = truth(pod, "/spec/hostNetwork");
    let policy = match text(pod, "/spec/dnsPolicy") {
        // On the node's own network the cluster's names are only there where they are asked for.
        "ClusterFirst" if host_network => "Default",
        "ClusterFirstWithHostNet" => "ClusterFirst",
        policy => policy,
    };
    let (mut servers, mut search, mut options) = match policy {
        "None" => (Vec::new(), Vec::new(), Vec::new()),
        "Default" => (vec![GATEWAY.to_string()], Vec::new(), vec!["ndots:0".to_owned()]),
        _ => {
            let server = cluster.store.get(&kind::SERVICE.key("kube-system", "kube-dns"));
            let server = server.map(|service| text(service, "/spec/clusterIP").to_owned()).unwrap_or_default();
            let space = namespace(pod);
            let search = vec![format!("{space}.svc.{DOMAIN}"), format!("svc.{DOMAIN}"), DOMAIN.to_owned()];
            (vec![server], search, vec!["ndots:5".to_owned()])
        }
    };
    let config = pod.pointer("/spec/dnsConfig").unwrap_or(&Value::Null);
    let append = |list: &mut Vec<String>, field: &str| {
        for entry in entries(config, field).iter().filter_map(Value::as_str) {
            if !list.iter().any(|known| known == entry) {
                list.push(entry.to_owned());
            }
        }
    };
    append(&mut servers, "/nameservers");
    append(&mut search, "/searches");
    for option in entries(config, "/options") {
        let key = text(option, "/name");
        options.retain(|known| known.split(':').next() != Some(key));
        options.push(match text(option, "/value") {
            "" => key.to_owned(),
            value => format!("{key}:{value}"),
        });
    }
    let mut out = String::new();
    if !search.is_empty() {
        out.push_str(&format!("search {}\n", search.join(" ")));
    }
    for server in servers.iter().filter(|server| !server.is_empty()).take(3) {
        out.push_str(&format!("nameserver {server}\n"));
    }
    if !options.is_empty() {
        out.push_str(&format!("options {}\n", options.join(" ")));
    }
    out
}
