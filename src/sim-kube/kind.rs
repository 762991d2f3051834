//! The table of kinds: what the API serves, as rows. A kind without behaviour of its own is a row and nothing else.

use breakfix_sim::Key;

/// One kind that the API serves.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    /// The resource's plural, as in paths: `pods`.
    pub plural: &'static str,
    pub singular: &'static str,
    pub short: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    /// `status`, `scale`, `log`, `exec` …
    pub subresources: &'static [&'static str],
    /// The store's collection; two versions or groups of the same objects share one (events).
    pub collection: &'static str,
    /// Whether `metadata.generation` counts changes of `spec`.
    pub generation: bool,
    /// The schema's name: `io.k8s.api.core.v1.Pod`.
    pub schema: &'static str,
}

impl Kind {
    /// Where an object of this kind lies in the store.
    pub fn key(&self, namespace: &str, name: &str) -> Key {
        Key::new(self.collection, if self.namespaced { namespace } else { "" }, name)
    }

    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods`, `deployments.apps`: as error messages name it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

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
    }
}

pub static POD: Kind = Kind {
    short: &["po"],
    categories: &["all"],
    subresources: &["attach", "binding", "eviction", "exec", "log", "portforward", "status"],
    generation: true,
    ..core("Pod", "pods", "pod", "io.k8s.api.core.v1.Pod")
};
pub static SERVICE: Kind = Kind {
    short: &["svc"],
    categories: &["all"],
    subresources: &["status"],
    ..core("Service", "services", "service", "io.k8s.api.core.v1.Service")
};
pub static CONFIG_MAP: Kind =
    Kind { short: &["cm"], ..core("ConfigMap", "configmaps", "configmap", "io.k8s.api.core.v1.ConfigMap") };
pub static SECRET: Kind = core("Secret", "secrets", "secret", "io.k8s.api.core.v1.Secret");
pub static SERVICE_ACCOUNT: Kind = Kind {
    short: &["sa"],
    ..core("ServiceAccount", "serviceaccounts", "serviceaccount", "io.k8s.api.core.v1.ServiceAccount")
};
pub static NAMESPACE: Kind = Kind {
    short: &["ns"],
    namespaced: false,
    subresources: &["finalize", "status"],
    ..core("Namespace", "namespaces", "namespace", "io.k8s.api.core.v1.Namespace")
};
pub static NODE: Kind = Kind {
    short: &["no"],
    namespaced: false,
    subresources: &["status"],
    ..core("Node", "nodes", "node", "io.k8s.api.core.v1.Node")
};
pub static EVENT: Kind = Kind { short: &["ev"], ..core("Event", "events", "event", "io.k8s.api.core.v1.Event") };
pub static ENDPOINTS: Kind =
    Kind { short: &["ep"], ..core("Endpoints", "endpoints", "endpoints", "io.k8s.api.core.v1.Endpoints") };
pub static DEPLOYMENT: Kind = Kind {
    group: "apps",
    collection: "deployments.apps",
    short: &["deploy"],
    categories: &["all"],
    subresources: &["scale", "status"],
    generation: true,
    ..core("Deployment", "deployments", "deployment", "io.k8s.api.apps.v1.Deployment")
};
pub static REPLICA_SET: Kind = Kind {
    group: "apps",
    collection: "replicasets.apps",
    short: &["rs"],
    categories: &["all"],
    subresources: &["scale", "status"],
    generation: true,
    ..core("ReplicaSet", "replicasets", "replicaset", "io.k8s.api.apps.v1.ReplicaSet")
};
pub static ENDPOINT_SLICE: Kind = Kind {
    group: "discovery.k8s.io",
    collection: "endpointslices.discovery.k8s.io",
    generation: true,
    ..core("EndpointSlice", "endpointslices", "endpointslice", "io.k8s.api.discovery.v1.EndpointSlice")
};
pub static EVENTS_EVENT: Kind = Kind {
    group: "events.k8s.io",
    collection: "events",
    short: &["ev"],
    ..core("Event", "events", "event", "io.k8s.api.events.v1.Event")
};

/// Every kind, in the order in which discovery lists it. The next kind is a row here.
pub static KINDS: &[&Kind] = &[
    &CONFIG_MAP,
    &ENDPOINTS,
    &EVENT,
    &NAMESPACE,
    &NODE,
    &POD,
    &SECRET,
    &SERVICE_ACCOUNT,
    &SERVICE,
    &DEPLOYMENT,
    &REPLICA_SET,
    &EVENTS_EVENT,
    &ENDPOINT_SLICE,
];

/// A kind whose objects are answered and forgotten: nothing is stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub namespaced: bool,
    /// The schema's name.
    pub schema: &'static str,
}

/// Every question, in the order in which discovery lists it.
pub static QUESTIONS: &[Question] = &[
    Question {
        group: "authentication.k8s.io",
        version: "v1",
        kind: "SelfSubjectReview",
        plural: "selfsubjectreviews",
        singular: "selfsubjectreview",
        namespaced: false,
        schema: "io.k8s.api.authentication.v1.SelfSubjectReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "LocalSubjectAccessReview",
        plural: "localsubjectaccessreviews",
        singular: "localsubjectaccessreview",
        namespaced: true,
        schema: "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "SelfSubjectAccessReview",
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        namespaced: false,
        schema: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "SelfSubjectRulesReview",
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        namespaced: false,
        schema: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    },
    Question {
        group: "authorization.k8s.io",
        version: "v1",
        kind: "SubjectAccessReview",
        plural: "subjectaccessreviews",
        singular: "subjectaccessreview",
        namespaced: false,
        schema: "io.k8s.api.authorization.v1.SubjectAccessReview",
    },
];

/// The question served at this group, version and plural.
pub fn question(group: &str, version: &str, plural: &str) -> Option<&'static Question> {
    QUESTIONS
        .iter()
        .find(|question| question.group == group && question.version == version && question.plural == plural)
}

/// Every group with its version, the core group first, then in the order of discovery.
pub fn groups() -> Vec<(&'static str, &'static str)> {
    let stored = KINDS.iter().map(|kind| (kind.group, kind.version));
    let mut groups: Vec<_> =
        stored.chain(QUESTIONS.iter().map(|question| (question.group, question.version))).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Whether a named group is served.
pub fn has_group(group: &str) -> bool {
    !group.is_empty() && groups().iter().any(|(served, _)| *served == group)
}

/// Whether a group is served at this version.
pub fn has_version(group: &str, version: &str) -> bool {
    groups().contains(&(group, version))
}

/// The kind served at this group, version and plural.
pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind that an `apiVersion` and `kind` name.
pub fn by_kind(api_version: &str, name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.kind == name && kind.api_version() == api_version)
}

/// The kind stored in this collection.
pub fn by_collection(collection: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.collection == collection)
}
