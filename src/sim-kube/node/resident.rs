//! Images that belong to the cluster itself. Their programs are not the workload; what others see of them is modelled: where they
//! listen, and that they answer.

use serde::{Deserialize, Serialize};

/// A program of the cluster itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// Ports that answer HTTP with 200.
    pub ports: Vec<u16>,
    /// Whether it answers DNS on port 53.
    pub is_name_server: bool,
    /// Whether it answers for Ingress objects on port 80.
    #[serde(default)]
    pub is_ingress: bool,
    /// What it prints when it starts.
    pub greeting: Vec<String>,
}

/// The program of an image, if it is one of these.
pub fn of(reference: &str) -> Option<Resident> {
    let name = reference.strip_prefix("registry.k8s.io/").or_else(|| reference.strip_prefix("docker.io/kindest/"))?;
    let name = name.split([':', '@']).next().unwrap_or(name);
    let program = |ports: &[u16], is_name_server: bool, greeting: &[&str]| Resident {
        ports: ports.to_vec(),
        is_name_server,
        is_ingress: name == "ingress-nginx/controller",
        greeting: greeting.iter().map(|line| (*line).to_owned()).collect(),
    };
    match name {
        "coredns/coredns" => Some(program(&[8080, 8181, 9153], true, &[".:53", "CoreDNS-1.14.2", "linux/amd64"])),
        "etcd" => Some(program(&[2379, 2380, 2381], false, &[])),
        "kube-apiserver" => Some(program(&[6443], false, &[])),
        "kube-controller-manager" => Some(program(&[10257], false, &[])),
        "kube-scheduler" => Some(program(&[10259], false, &[])),
        "kube-proxy" => Some(program(&[10249, 10256], false, &[])),
        "ingress-nginx/controller" => Some(program(&[80, 443, 10254], false, &["NGINX Ingress controller"])),
        "local-path-provisioner" => Some(program(&[], false, &[])),
        "kindnetd" => Some(program(&[], false, &[])),
        _ => None,
    }
}

/// Whether an image is an ingress controller's.
pub fn is_ingress_controller(image: &str) -> bool {
    of(image).is_some_and(|program| program.is_ingress)
}
