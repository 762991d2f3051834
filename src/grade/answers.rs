//! Asking a [`View`] for answers: what is missing or failed becomes `unknown`, in one place.

use std::collections::BTreeSet;

use breakfix_lab::{Platform, check::Owner};
use serde_json::Value;

use crate::{
    Exchange, Fetched, Query, Verdict, View, aws, object,
    pods::{self, Chains},
    query::Scope,
};

/// The query for every object of a kind, in the namespace a check means.
pub(crate) fn objects_query(platform: Platform, scope: &Scope, kind: &str, namespace: Option<&str>) -> Query {
    let namespace = match platform {
        Platform::Kubernetes => Some(scope.namespace(namespace).to_owned()),
        Platform::Docker | Platform::Ecs => None,
    };
    Query::Objects { kind: kind.to_owned(), namespace }
}

/// The queries that [`View::owned_pods`] needs.
pub(crate) fn owner_queries(platform: Platform, scope: &Scope, owner: &Owner) -> Vec<Query> {
    if platform == Platform::Ecs {
        return ["Task", owner.kind.as_str()].map(|kind| objects_query(platform, scope, kind, None)).into();
    }
    let namespace = Some(scope.owner_namespace(owner));
    ["Pod", owner.kind.as_str()]
        .iter()
        .chain(pods::between(&owner.kind))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|kind| objects_query(platform, scope, kind, namespace))
        .collect()
}

impl<'a> View<'a> {
    /// The answer to a query; an absent or failed one is the verdict `unknown`.
    pub(crate) fn answer(&self, query: &Query) -> Result<&'a Fetched, Verdict> {
        match self.observation.answers.get(query) {
            Some(Ok(fetched)) => Ok(fetched),
            Some(Err(failure)) => Err(Verdict::unknown(match &failure.hint {
                Some(hint) => format!("{failure} ({hint})"),
                None => failure.to_string(),
            })),
            None => Err(Verdict::unknown(format!("nothing was fetched for {query}"))),
        }
    }

    /// Every object of a kind, as the API returned it.
    pub(crate) fn objects(&self, kind: &str, namespace: Option<&str>) -> Result<&'a [Value], Verdict> {
        let query = objects_query(self.platform, self.scope, kind, namespace);
        match self.answer(&query)? {
            Fetched::Objects(objects) => Ok(objects),
            _ => Err(mismatch(&query)),
        }
    }

    pub(crate) fn exchanges(&self, query: &Query) -> Result<&'a [Exchange], Verdict> {
        match self.answer(query)? {
            Fetched::Exchanges(exchanges) => Ok(exchanges),
            _ => Err(mismatch(query)),
        }
    }

    /// The object of this name, if there is one.
    pub(crate) fn object(&self, kind: &str, name: &str, namespace: Option<&str>) -> Result<Option<&'a Value>, Verdict> {
        Ok(self.objects(kind, namespace)?.iter().find(|object| object::is_named(object, name)))
    }

    /// The objects of a kind in the baseline, in the lab's namespace where the kind has namespaces.
    /// A kind that the baseline was not asked for cannot be compared.
    pub(crate) fn baseline(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<&'a Value>, Verdict> {
        let Some(objects) = self.baseline.objects.get(kind) else {
            return Err(self.not_in_baseline(kind));
        };
        let wanted = self.scope.namespace(namespace);
        Ok(objects.iter().filter(|object| object::namespace(object).is_none_or(|it| it == wanted)).collect())
    }

    /// A kind that the baseline was not taken for.
    pub(crate) fn not_in_baseline(&self, kind: &str) -> Verdict {
        Verdict::unknown(format!("the baseline was not taken for kind {kind}; reset the lab to take it anew"))
    }

    /// The pods of a workload, by controller references and uid, those of our probes left out; a service's running tasks (ECS).
    /// `None` where the workload itself does not exist.
    pub(crate) fn owned_pods(&self, owner: &Owner) -> Result<Option<Vec<&'a Value>>, Verdict> {
        if self.platform == Platform::Ecs {
            let Some(service) = self.object(&owner.kind, &owner.name, None)? else { return Ok(None) };
            let tasks = self.objects("Task", None)?.iter();
            return Ok(Some(tasks.filter(|task| aws::is_of(task, service) && aws::runs(task)).collect()));
        }
        let namespace = owner.namespace.as_deref();
        let all = self.objects("Pod", namespace)?;
        let mut links = Vec::new();
        for kind in pods::between(&owner.kind) {
            links.extend(self.objects(kind, namespace)?);
        }
        let Some(workload) = self.object(&owner.kind, &owner.name, namespace)? else { return Ok(None) };
        let Some(uid) = object::uid(workload) else { return Ok(None) };
        let chains = Chains::of(links);
        Ok(Some(all.iter().filter(|pod| !pods::is_our_probe(pod) && chains.leads_to(pod, uid)).collect()))
    }

    /// One object: `kubectl -n shop get deployment web -o yaml`, `docker inspect web`; where it is gone, its kind.
    pub(crate) fn look_at(&self, kind: &str, name: &str, namespace: Option<&str>, there: bool) -> Option<String> {
        let word = kind.to_lowercase();
        Some(match (self.platform, kind, there) {
            (Platform::Kubernetes, ..) if there => {
                format!("kubectl -n {} get {word} {name} -o yaml", self.scope.namespace(namespace))
            }
            (Platform::Kubernetes, ..) => format!("kubectl -n {} get {word}", self.scope.namespace(namespace)),
            (Platform::Docker, "Container", false) => "docker ps --all".to_owned(),
            (Platform::Docker, "Container", true) => format!("docker inspect {name}"),
            (Platform::Docker, _, false) => format!("docker {word} ls"),
            (Platform::Docker, _, true) => format!("docker {word} inspect {name}"),
            (Platform::Ecs, ..) => return aws::look(kind, name, self.cluster()),
        })
    }

    /// What the baseline knows of a kind; nothing where it was not asked.
    fn known(&self, kind: &str) -> &'a [Value] {
        self.baseline.objects.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The cluster of the lab's services, by name (ECS).
    fn cluster(&self) -> Option<&'a str> {
        self.known("Service").iter().find_map(|service| object::text(service, &["clusterArn"])).map(aws::id)
    }

    /// Everything that a request may pass on its way.
    pub(crate) fn look_on_the_way(&self) -> Option<String> {
        match self.platform {
            Platform::Ecs => Some(aws::look_at_targets(self.known("TargetGroup"))),
            _ => self.look("services,endpointslices,pods", None),
        }
    }

    /// `kubectl -n shop get pods`, or what shows as much on Docker.
    pub(crate) fn look(&self, what: &str, namespace: Option<&str>) -> Option<String> {
        Some(match self.platform {
            Platform::Kubernetes => format!("kubectl -n {} get {what}", self.scope.namespace(namespace)),
            Platform::Docker => "docker ps --all".to_owned(),
            Platform::Ecs => return aws::look("Task", "", self.cluster()),
        })
    }
}

/// An answer of another sort than its query asks for: our own broken promise.
pub(crate) fn mismatch(query: &Query) -> Verdict {
    Verdict::unknown(format!("the answer for {query} is of another sort"))
}
