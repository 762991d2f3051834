//! The rows of the table of kinds. Names, scopes, categories and subresources are those of a real server's discovery.

use super::Kind;

const fn core(kind: &'static str, plural: &'static str, singular: &'static str, schema: &'static str) -> Kind {
    Kind {
        group: "",
        version: "v1",
        kind,
        plural,
        singular,
        short: &[],
        categories: &[],
        namespaced: true,
        subresources: &[],
        collection: plural,
        generation: false,
        schema,
        custom: None,
    }
}

const fn named(
    group: &'static str,
    version: &'static str,
    collection: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    schema: &'static str,
) -> Kind {
    Kind { group, version, collection, ..core(kind, plural, singular, schema) }
}

pub static CONFIG_MAP: Kind =
    Kind { short: &["cm"], ..core("ConfigMap", "configmaps", "configmap", "io.k8s.api.core.v1.ConfigMap") };
pub static ENDPOINTS: Kind =
    Kind { short: &["ep"], ..core("Endpoints", "endpoints", "endpoints", "io.k8s.api.core.v1.Endpoints") };
pub static EVENT: Kind = Kind { short: &["ev"], ..core("Event", "events", "event", "io.k8s.api.core.v1.Event") };
pub static LIMIT_RANGE: Kind =
    Kind { short: &["limits"], ..core("LimitRange", "limitranges", "limitrange", "io.k8s.api.core.v1.LimitRange") };
pub static NAMESPACE: Kind = Kind {
    short: &["ns"],
    namespaced: false,
    subresources: &["finalize", "status"],
    ..core("Namespace", "namespaces", "namespace", "io.k8s.api.core.v1.Namespace")
};
pub static NODE: Kind = Kind {
    short: &["no"],
    namespaced: false,
    subresources: &["proxy", "status"],
    ..core("Node", "nodes", "node", "io.k8s.api.core.v1.Node")
};
pub static PERSISTENT_VOLUME_CLAIM: Kind = Kind {
    short: &["pvc"],
    subresources: &["status"],
    ..core(
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        "persistentvolumeclaim",
        "io.k8s.api.core.v1.PersistentVolumeClaim",
    )
};
pub static PERSISTENT_VOLUME: Kind = Kind {
    short: &["pv"],
    namespaced: false,
    subresources: &["status"],
    ..core("PersistentVolume", "persistentvolumes", "persistentvolume", "io.k8s.api.core.v1.PersistentVolume")
};
pub static POD: Kind = Kind {
    short: &["po"],
    categories: &["all"],
    subresources: &[
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
        "status",
    ],
    generation: true,
    ..core("Pod", "pods", "pod", "io.k8s.api.core.v1.Pod")
};
pub static POD_TEMPLATE: Kind = core("PodTemplate", "podtemplates", "podtemplate", "io.k8s.api.core.v1.PodTemplate");
pub static REPLICATION_CONTROLLER: Kind = Kind {
    short: &["rc"],
    categories: &["all"],
    subresources: &["scale", "status"],
    generation: true,
    ..core(
        "ReplicationController",
        "replicationcontrollers",
        "replicationcontroller",
        "io.k8s.api.core.v1.ReplicationController",
    )
};
pub static RESOURCE_QUOTA: Kind = Kind {
    short: &["quota"],
    subresources: &["status"],
    ..core("ResourceQuota", "resourcequotas", "resourcequota", "io.k8s.api.core.v1.ResourceQuota")
};
pub static SECRET: Kind = core("Secret", "secrets", "secret", "io.k8s.api.core.v1.Secret");
pub static SERVICE_ACCOUNT: Kind = Kind {
    short: &["sa"],
    subresources: &["token"],
    ..core("ServiceAccount", "serviceaccounts", "serviceaccount", "io.k8s.api.core.v1.ServiceAccount")
};
pub static SERVICE: Kind = Kind {
    short: &["svc"],
    categories: &["all"],
    subresources: &["proxy", "status"],
    ..core("Service", "services", "service", "io.k8s.api.core.v1.Service")
};
pub static CONTROLLER_REVISION: Kind = named(
    "apps",
    "v1",
    "controllerrevisions.apps",
    "ControllerRevision",
    "controllerrevisions",
    "controllerrevision",
    "io.k8s.api.apps.v1.ControllerRevision",
);
pub static DAEMON_SET: Kind = Kind {
    short: &["ds"],
    categories: &["all"],
    subresources: &["status"],
    generation: true,
    ..named("apps", "v1", "daemonsets.apps", "DaemonSet", "daemonsets", "daemonset", "io.k8s.api.apps.v1.DaemonSet")
};
pub static DEPLOYMENT: Kind = Kind {
    short: &["deploy"],
    categories: &["all"],
    subresources: &["scale", "status"],
    generation: true,
    ..named(
        "apps",
        "v1",
        "deployments.apps",
        "Deployment",
        "deployments",
        "deployment",
        "io.k8s.api.apps.v1.Deployment",
    )
};
pub static REPLICA_SET: Kind = Kind {
    short: &["rs"],
    categories: &["all"],
    subresources: &["scale", "status"],
    generation: true,
    ..named(
        "apps",
        "v1",
        "replicasets.apps",
        "ReplicaSet",
        "replicasets",
        "replicaset",
        "io.k8s.api.apps.v1.ReplicaSet",
    )
};
pub static STATEFUL_SET: Kind = Kind {
    short: &["sts"],
    categories: &["all"],
    subresources: &["scale", "status"],
    generation: true,
    ..named(
        "apps",
        "v1",
        "statefulsets.apps",
        "StatefulSet",
        "statefulsets",
        "statefulset",
        "io.k8s.api.apps.v1.StatefulSet",
    )
};
pub static EVENTS_EVENT: Kind = Kind {
    short: &["ev"],
    collection: "events",
    ..named("events.k8s.io", "v1", "events.events.k8s.io", "Event", "events", "event", "io.k8s.api.events.v1.Event")
};
pub static HORIZONTAL_POD_AUTOSCALER: Kind = Kind {
    short: &["hpa"],
    categories: &["all"],
    subresources: &["status"],
    ..named(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers.autoscaling",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    )
};
pub static HORIZONTAL_POD_AUTOSCALER_V1: Kind = Kind {
    short: &["hpa"],
    categories: &["all"],
    subresources: &["status"],
    ..named(
        "autoscaling",
        "v1",
        "horizontalpodautoscalers.autoscaling",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
    )
};
pub static CRON_JOB: Kind = Kind {
    short: &["cj"],
    categories: &["all"],
    subresources: &["status"],
    generation: true,
    ..named("batch", "v1", "cronjobs.batch", "CronJob", "cronjobs", "cronjob", "io.k8s.api.batch.v1.CronJob")
};
pub static JOB: Kind = Kind {
    categories: &["all"],
    subresources: &["status"],
    generation: true,
    ..named("batch", "v1", "jobs.batch", "Job", "jobs", "job", "io.k8s.api.batch.v1.Job")
};
pub static CERTIFICATE_SIGNING_REQUEST: Kind = Kind {
    short: &["csr"],
    namespaced: false,
    subresources: &["approval", "status"],
    ..named(
        "certificates.k8s.io",
        "v1",
        "certificatesigningrequests.certificates.k8s.io",
        "CertificateSigningRequest",
        "certificatesigningrequests",
        "certificatesigningrequest",
        "io.k8s.api.certificates.v1.CertificateSigningRequest",
    )
};
pub static INGRESS_CLASS: Kind = Kind {
    namespaced: false,
    generation: true,
    ..named(
        "networking.k8s.io",
        "v1",
        "ingressclasses.networking.k8s.io",
        "IngressClass",
        "ingressclasses",
        "ingressclass",
        "io.k8s.api.networking.v1.IngressClass",
    )
};
pub static INGRESS: Kind = Kind {
    short: &["ing"],
    subresources: &["status"],
    generation: true,
    ..named(
        "networking.k8s.io",
        "v1",
        "ingresses.networking.k8s.io",
        "Ingress",
        "ingresses",
        "ingress",
        "io.k8s.api.networking.v1.Ingress",
    )
};
pub static NETWORK_POLICY: Kind = Kind {
    short: &["netpol"],
    generation: true,
    ..named(
        "networking.k8s.io",
        "v1",
        "networkpolicies.networking.k8s.io",
        "NetworkPolicy",
        "networkpolicies",
        "networkpolicy",
        "io.k8s.api.networking.v1.NetworkPolicy",
    )
};
pub static POD_DISRUPTION_BUDGET: Kind = Kind {
    short: &["pdb"],
    subresources: &["status"],
    generation: true,
    ..named(
        "policy",
        "v1",
        "poddisruptionbudgets.policy",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "poddisruptionbudget",
        "io.k8s.api.policy.v1.PodDisruptionBudget",
    )
};
pub static CLUSTER_ROLE_BINDING: Kind = Kind {
    namespaced: false,
    ..named(
        "rbac.authorization.k8s.io",
        "v1",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        "clusterrolebindings",
        "clusterrolebinding",
        "io.k8s.api.rbac.v1.ClusterRoleBinding",
    )
};
pub static CLUSTER_ROLE: Kind = Kind {
    namespaced: false,
    ..named(
        "rbac.authorization.k8s.io",
        "v1",
        "clusterroles.rbac.authorization.k8s.io",
        "ClusterRole",
        "clusterroles",
        "clusterrole",
        "io.k8s.api.rbac.v1.ClusterRole",
    )
};
pub static ROLE_BINDING: Kind = named(
    "rbac.authorization.k8s.io",
    "v1",
    "rolebindings.rbac.authorization.k8s.io",
    "RoleBinding",
    "rolebindings",
    "rolebinding",
    "io.k8s.api.rbac.v1.RoleBinding",
);
pub static ROLE: Kind = named(
    "rbac.authorization.k8s.io",
    "v1",
    "roles.rbac.authorization.k8s.io",
    "Role",
    "roles",
    "role",
    "io.k8s.api.rbac.v1.Role",
);
pub static STORAGE_CLASS: Kind = Kind {
    short: &["sc"],
    namespaced: false,
    ..named(
        "storage.k8s.io",
        "v1",
        "storageclasses.storage.k8s.io",
        "StorageClass",
        "storageclasses",
        "storageclass",
        "io.k8s.api.storage.v1.StorageClass",
    )
};
pub static MUTATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    categories: &["api-extensions"],
    namespaced: false,
    generation: true,
    ..named(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        "mutatingwebhookconfiguration",
        "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
    )
};
pub static VALIDATING_ADMISSION_POLICY: Kind = Kind {
    categories: &["api-extensions"],
    namespaced: false,
    subresources: &["status"],
    generation: true,
    ..named(
        "admissionregistration.k8s.io",
        "v1",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        "validatingadmissionpolicy",
        "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    )
};
pub static VALIDATING_ADMISSION_POLICY_BINDING: Kind = Kind {
    categories: &["api-extensions"],
    namespaced: false,
    generation: true,
    ..named(
        "admissionregistration.k8s.io",
        "v1",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        "validatingadmissionpolicybinding",
        "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
    )
};
pub static VALIDATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    categories: &["api-extensions"],
    namespaced: false,
    generation: true,
    ..named(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        "validatingwebhookconfiguration",
        "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    )
};
pub static CUSTOM_RESOURCE_DEFINITION: Kind = Kind {
    short: &["crd", "crds"],
    categories: &["api-extensions"],
    namespaced: false,
    subresources: &["status"],
    generation: true,
    ..named(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions.apiextensions.k8s.io",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        "customresourcedefinition",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    )
};
pub static PRIORITY_CLASS: Kind = Kind {
    short: &["pc"],
    namespaced: false,
    generation: true,
    ..named(
        "scheduling.k8s.io",
        "v1",
        "priorityclasses.scheduling.k8s.io",
        "PriorityClass",
        "priorityclasses",
        "priorityclass",
        "io.k8s.api.scheduling.v1.PriorityClass",
    )
};
pub static LEASE: Kind = named(
    "coordination.k8s.io",
    "v1",
    "leases.coordination.k8s.io",
    "Lease",
    "leases",
    "lease",
    "io.k8s.api.coordination.v1.Lease",
);
pub static RUNTIME_CLASS: Kind = Kind {
    namespaced: false,
    ..named(
        "node.k8s.io",
        "v1",
        "runtimeclasses.node.k8s.io",
        "RuntimeClass",
        "runtimeclasses",
        "runtimeclass",
        "io.k8s.api.node.v1.RuntimeClass",
    )
};
pub static ENDPOINT_SLICE: Kind = Kind {
    generation: true,
    ..named(
        "discovery.k8s.io",
        "v1",
        "endpointslices.discovery.k8s.io",
        "EndpointSlice",
        "endpointslices",
        "endpointslice",
        "io.k8s.api.discovery.v1.EndpointSlice",
    )
};

/// Every kind, in the order in which discovery lists it. The next kind is a row here. Of several versions of the same objects the one that is
/// stored stands first.
pub static KINDS: &[&Kind] = &[
    &CONFIG_MAP,
    &ENDPOINTS,
    &EVENT,
    &LIMIT_RANGE,
    &NAMESPACE,
    &NODE,
    &PERSISTENT_VOLUME_CLAIM,
    &PERSISTENT_VOLUME,
    &POD,
    &POD_TEMPLATE,
    &REPLICATION_CONTROLLER,
    &RESOURCE_QUOTA,
    &SECRET,
    &SERVICE_ACCOUNT,
    &SERVICE,
    &CONTROLLER_REVISION,
    &DAEMON_SET,
    &DEPLOYMENT,
    &REPLICA_SET,
    &STATEFUL_SET,
    &EVENTS_EVENT,
    &HORIZONTAL_POD_AUTOSCALER,
    &HORIZONTAL_POD_AUTOSCALER_V1,
    &CRON_JOB,
    &JOB,
    &CERTIFICATE_SIGNING_REQUEST,
    &INGRESS_CLASS,
    &INGRESS,
    &NETWORK_POLICY,
    &POD_DISRUPTION_BUDGET,
    &CLUSTER_ROLE_BINDING,
    &CLUSTER_ROLE,
    &ROLE_BINDING,
    &ROLE,
    &STORAGE_CLASS,
    &MUTATING_WEBHOOK_CONFIGURATION,
    &VALIDATING_ADMISSION_POLICY,
    &VALIDATING_ADMISSION_POLICY_BINDING,
    &VALIDATING_WEBHOOK_CONFIGURATION,
    &CUSTOM_RESOURCE_DEFINITION,
    &PRIORITY_CLASS,
    &LEASE,
    &RUNTIME_CLASS,
    &ENDPOINT_SLICE,
];

/// What a node uses: worked out when it is asked for, never stored.
pub static NODE_METRICS: Kind = Kind {
    namespaced: false,
    ..named(
        "metrics.k8s.io",
        "v1beta1",
        "nodes.metrics.k8s.io",
        "NodeMetrics",
        "nodes",
        "",
        "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics",
    )
};
/// What the containers of a pod use.
pub static POD_METRICS: Kind = named(
    "metrics.k8s.io",
    "v1beta1",
    "pods.metrics.k8s.io",
    "PodMetrics",
    "pods",
    "",
    "io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics",
);

/// Every kind whose objects are worked out when they are asked for (`crate::metrics`).
pub static READINGS: &[&Kind] = &[&NODE_METRICS, &POD_METRICS];
