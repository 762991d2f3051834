//! Fetching the answers to a check's queries: each list once, everything at the same time.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_grade::{Failure, Fetched, Observation, Query};
use breakfix_lab::check::Caller;
use futures::future::join_all;
use jiff::Timestamp;

use super::{
    probe::{self, Probe},
    target::KubeTarget,
    trouble::Trouble,
};

type Answer = Result<Fetched, Failure>;

impl KubeTarget {
    pub(super) async fn fetch(&self, queries: &BTreeSet<Query>) -> Observation {
        if let Err(error) = self.api().await {
            let failure = probe::failure(&error);
            let answers = queries.iter().map(|query| (query.clone(), Err(failure.clone()))).collect();
            return Observation { at: Timestamp::now(), answers };
        }
        // Before anything is looked at: a simulator's clock moves on while a probe starts.
        let probes = self.probes_for(queries).await;
        let lists = lists(queries);
        let listed = join_all(lists.keys().map(|(kind, namespace)| self.list(kind, namespace.as_deref())));
        let asked = self.ask(queries, &probes);
        let (listed, asked) = futures::future::join(listed, asked).await;
        let mut at = None;
        let mut answers: BTreeMap<Query, Answer> = asked;
        for ((_, same), (when, answer)) in lists.into_iter().zip(listed) {
            at = at.or(when);
            let Some((last, others)) = same.split_last() else { continue };
            answers.extend(others.iter().map(|query| ((*query).clone(), answer.clone())));
            answers.insert((*last).clone(), answer);
        }
        let at = match at {
            Some(at) => at,
            None => self.now().await,
        };
        Observation { at, answers }
    }

    /// One list, whatever the number of queries for it.
    async fn list(&self, kind: &str, namespace: Option<&str>) -> (Option<Timestamp>, Answer) {
        let what = match namespace {
            Some(namespace) => format!("list {kind} in {namespace}"),
            None => format!("list {kind}"),
        };
        let listed = async {
            let Some(resource) = self.resource(None, kind).await? else { return Ok((None, Vec::new())) };
            match self.api().await?.list(&resource, namespace, "").await {
                // Nobody serves the kind: there can be none.
                Err(Trouble::NotServed { .. }) => Ok((None, Vec::new())),
                Err(trouble) => Err(self.cannot(&what, trouble)),
                Ok(found) => Ok(found),
            }
        };
        match listed.await {
            Ok((at, objects)) => (at, Ok(Fetched::Objects(objects))),
            Err(error) => (None, Err(Failure { what, ..probe::failure(&error) })),
        }
    }

    /// The probes that the queries need, each looked at once. One that cannot be had is a failure of its queries alone.
    async fn probes_for<'a>(&self, queries: &'a BTreeSet<Query>) -> BTreeMap<&'a Caller, Result<Vec<Probe>, Failure>> {
        let mut probes = BTreeMap::new();
        for caller in queries.iter().flat_map(callers_of).collect::<BTreeSet<_>>() {
            probes.insert(caller, self.probes(caller).await);
        }
        probes
    }

    /// Everything that a probe must answer.
    async fn ask(
        &self,
        queries: &BTreeSet<Query>,
        probes: &BTreeMap<&Caller, Result<Vec<Probe>, Failure>>,
    ) -> BTreeMap<Query, Answer> {
        let asked = queries
            .iter()
            .filter(|query| !matches!(query, Query::Objects { .. }))
            .map(|query| async { (query.clone(), self.answer(query, probes).await) });
        join_all(asked).await.into_iter().collect()
    }

    async fn answer(&self, query: &Query, probes: &BTreeMap<&Caller, Result<Vec<Probe>, Failure>>) -> Answer {
        let what = query.to_string();
        let all = |caller: &Caller| match probes.get(caller) {
            Some(Ok(probes)) => Ok(probes.clone()),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(probe::bare(&what, "no probe was started for it")),
        };
        let probe = |caller: &Caller| {
            all(caller)?.into_iter().next().ok_or_else(|| probe::bare(&what, "there is no node for a probe"))
        };
        match query {
            Query::Requests { from, .. } => {
                let mut exchanges = Vec::new();
                for probe in all(from)? {
                    exchanges.extend(self.send_requests(query, &probe).await?);
                }
                Ok(Fetched::Exchanges(exchanges))
            }
            Query::Declared { kind, namespace } => {
                let declared = self.declared(kind, namespace).map(Fetched::Objects);
                declared.map_err(|error| Failure { what, ..probe::failure(&error) })
            }
            Query::Access { account, actions } => self.permits(account, actions, &what).await,
            Query::DryCreate { file, account } => self.dry_create(file, account.as_ref(), &what).await,
            Query::DryEvict { of, account } => self.dry_evict(of, account.as_ref(), &what).await,
            Query::Logs { of, container } => self.logs(of, container.as_deref(), &what).await,
            Query::RoundTrip { write, read } => {
                self.send_round_trip((write, &probe(&write.from)?), (read, &probe(&read.from)?), &what).await
            }
            Query::Events { .. }
            | Query::Image { .. }
            | Query::Traces { .. }
            | Query::Processes { .. }
            | Query::File { .. }
            | Query::Decisions { .. }
            | Query::Objects { .. } => Err(probe::bare(&what, "this is no matter of Kubernetes labs")),
        }
    }

    /// The system's own time, when no list told it.
    pub(super) async fn now(&self) -> Timestamp {
        let Ok(api) = self.api().await else { return Timestamp::now() };
        let answer = api.send(http::Method::GET, "/version", None).await;
        answer.ok().and_then(|answer| answer.at).unwrap_or_else(Timestamp::now)
    }
}

/// The lists to fetch, each with the queries that it answers.
fn lists(queries: &BTreeSet<Query>) -> BTreeMap<(String, Option<String>), Vec<&Query>> {
    let mut lists: BTreeMap<_, Vec<&Query>> = BTreeMap::new();
    for query in queries {
        if let Query::Objects { kind, namespace } = query {
            // Every namespace asks for the same nodes.
            let namespaced = super::resource::Resource::built_in(None, kind).is_none_or(|resource| resource.namespaced);
            let namespace = namespace.clone().filter(|namespace| namespaced && !namespace.is_empty());
            lists.entry((kind.clone(), namespace)).or_default().push(query);
        }
    }
    lists
}

fn callers_of(query: &Query) -> Vec<&Caller> {
    match query {
        Query::Requests { from, .. } => vec![from],
        Query::RoundTrip { write, read } => vec![&write.from, &read.from],
        Query::Objects { .. }
        | Query::Declared { .. }
        | Query::Events { .. }
        | Query::Access { .. }
        | Query::Decisions { .. }
        | Query::DryCreate { .. }
        | Query::DryEvict { .. }
        | Query::Image { .. }
        | Query::Traces { .. }
        | Query::Processes { .. }
        | Query::File { .. }
        | Query::Logs { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(kind: &str, namespace: Option<&str>) -> Query {
        Query::Objects { kind: kind.to_owned(), namespace: namespace.map(str::to_owned) }
    }

    #[test]
    fn each_list_is_fetched_once() {
        let queries = BTreeSet::from([
            objects("Pod", Some("shop")),
            objects("Pod", Some("billing")),
            objects("Node", Some("shop")),
            objects("Node", Some("billing")),
            objects("Node", None),
        ]);
        let lists = lists(&queries);
        let keys: Vec<_> = lists.keys().map(|(kind, namespace)| (kind.as_str(), namespace.as_deref())).collect();
        assert_eq!(keys, [("Node", None), ("Pod", Some("billing")), ("Pod", Some("shop"))]);
        assert_eq!(lists.values().map(Vec::len).sum::<usize>(), 5, "every query gets its answer");
    }
}
