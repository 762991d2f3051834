//! What the simulator leaves out, said in one place: each row is a difference that a person could meet, and what happens instead.
//!
//! `docs/simulator.md` is written from these rows and from the tables of kinds, controllers and commands.

/// Kinds that a stock 1.36 server serves and this one does not: requests for them are answered with 404. API group and version, kinds, why.
pub static NOT_SERVED: &[(&str, &str, &str)] = &[
    ("v1", "ComponentStatus", "deprecated, and answers nothing that helps"),
    ("apiregistration.k8s.io/v1", "APIService", "no further API servers can be added"),
    ("certificates.k8s.io/v1beta1", "ClusterTrustBundle", "off by default"),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema, PriorityLevelConfiguration", "requests do not queue"),
    ("networking.k8s.io/v1", "IPAddress, ServiceCIDR", "addresses are given out, and not shown as objects"),
    ("resource.k8s.io/v1", "DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice", "nodes have no devices"),
    (
        "storage.k8s.io/v1",
        "CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment, VolumeAttributesClass",
        "volumes lie on the nodes",
    ),
];

/// Behaviour that differs. What, and what happens instead.
pub static DIFFERENT: &[(&str, &str)] = &[
    (
        "programs",
        "every image of a lab is the workload (`src/workload`), with a small shell beside it; other images cannot be pulled",
    ),
    (
        "dates",
        "when time was skipped, or ran at another speed, the dates in objects are moved so that ages are right; one that a \
         client sends back as it read it earlier is taken as the stored one",
    ),
    (
        "heartbeats",
        "nodes' leases are renewed, but the renewals are worked out when a lease is read: a watch of leases is silent",
    ),
    (
        "commands on a node",
        "`systemctl start, stop, restart, status, is-active` of kubelet; all else is refused with 501",
    ),
    (
        "eviction by a node",
        "a node that has less than 100Mi of memory left evicts pods, as a stock kubelet does (kind's own settings leave that out), and one \
         that fills more of the disk than its limits allow goes; a node's disk as a whole never fills up",
    ),
    ("certificates", "a CertificateSigningRequest is kept; nobody signs it"),
    ("names", "the cluster's DNS has A, SRV and PTR records, no others; addresses of nodes have no names"),
    ("external names", "hosts outside the cluster do not exist"),
];
