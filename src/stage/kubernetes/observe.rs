//! Fetching the answers to a check's queries: each list once, everything at the same time.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_grade::{Failure, Fetched, Observation, Query};
use breakfix_lab::check::Caller;
use futures::future::join_all;
use jiff::Timestamp;

use super::{probe, target::KubeTarget, trouble::Trouble};

type Answer = Result<Fetched, Failure>;

impl KubeTarget {
    pub(super) async fn fetch(&self, queries: &BTreeSet<Query>) -> Observation {
        if let Err(error) = self.api().await {
            let failure = probe::failure(&error);
            let answers = queries.iter().map(|query| (query.clone(), Err(failure.clone()))).collect();
            return Observation { at: Timestamp::now(), answers };
        }
        let lists = lists(queries);
        let listed = join_all(lists.keys().map(|(kind, namespace)| self.list(kind, namespace.as_deref())));
        let asked = self.ask(queries);
        let (listed, asked) = futures::future::join(listed, asked).await;
        let mut at = None;
        let mut answers: BTreeMap<Query, Answer> = asked;
        for ((_, same), (when, answer)) in lists.into_iter().zip(listed) {
            at = at.or(when);
            answers.extend(same.into_iter().map(|query| (query.clone(), answer.clone())));
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

    /// Everything that a probe must answer.
    async fn ask(&self, queries: &BTreeSet<Query>) -> BTreeMap<Query, Answer> {
        // Probes are started before the first request, so that requests of several callers begin at the same time.
        for caller in callers(queries) {
            if let Err(failure) = self.probe(caller).await {
                // The queries of this caller meet the same trouble below; with one probe that hangs, nobody waits for it twice.
                return self.ask_without(queries, caller, &failure).await;
            }
        }
        self.ask_all(queries.iter()).await
    }

    /// The queries of a caller whose probe cannot be had are failures; the others are asked.
    async fn ask_without(
        &self,
        queries: &BTreeSet<Query>,
        caller: &Caller,
        failure: &Failure,
    ) -> BTreeMap<Query, Answer> {
        let (lost, rest): (BTreeSet<Query>, BTreeSet<Query>) =
            queries.iter().cloned().partition(|query| callers_of(query).contains(&caller));
        let mut answers = Box::pin(self.ask(&rest)).await;
        answers.extend(lost.into_iter().map(|query| (query, Err(failure.clone()))));
        answers
    }

    async fn ask_all(&self, queries: impl Iterator<Item = &Query>) -> BTreeMap<Query, Answer> {
        let asked = queries.filter(|query| !matches!(query, Query::Objects { .. })).map(|query| async {
            let answer = match query {
                Query::Requests { .. } => self.send_requests(query).await,
                Query::RoundTrip { write, read } => self.send_round_trip(write, read, &query.to_string()).await,
                Query::Events { .. } | Query::Objects { .. } => {
                    Err(probe::bare(&query.to_string(), "the events of a container are a matter of Docker labs"))
                }
            };
            (query.clone(), answer)
        });
        join_all(asked).await.into_iter().collect()
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

fn callers(queries: &BTreeSet<Query>) -> BTreeSet<&Caller> {
    queries.iter().flat_map(callers_of).collect()
}

fn callers_of(query: &Query) -> Vec<&Caller> {
    match query {
        Query::Requests { from, .. } => vec![from],
        Query::RoundTrip { write, read } => vec![&write.from, &read.from],
        Query::Objects { .. } | Query::Events { .. } => Vec::new(),
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
