//! `endpoints`: which pods a Service really sends its traffic to.
//!
//! Rules: all slices of a Service together are its endpoints, an absent `ready` condition counts as ready, and a slice without ports
//! routes nothing, however many endpoints it lists (the EndpointSlice API, discovery.k8s.io/v1; seen with a named targetPort that no
//! container has). A pod that is being deleted is not counted; our own probes are left out.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_lab::{
    Platform,
    check::{Endpoints, Owner},
};
use serde_json::Value;

use crate::{
    Evidence, Judge, Query, Verdict, View,
    answers::{objects_query, owner_queries},
    object, pods,
    query::Scope,
};

/// The label by which a slice belongs to a Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

impl Judge for Endpoints {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        let namespace = self.namespace.as_deref();
        let own = ["EndpointSlice", "Pod"].map(|kind| objects_query(platform, scope, kind, namespace));
        let owners =
            [&self.owned_by, &self.never].into_iter().flatten().flat_map(|owner| owner_queries(platform, scope, owner));
        own.into_iter().chain(owners).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        match (self.ready, self.at_least) {
            (Some(_), Some(_)) => vec!["give `ready` or `at_least`, not both".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// One ready endpoint: what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Endpoint<'a> {
    /// The pod's uid; none where nobody is named.
    uid: Option<&'a str>,
    address: &'a str,
    name: &'a str,
}

fn judge(check: &Endpoints, view: &View<'_>) -> Result<Verdict, Verdict> {
    let namespace = check.namespace.as_deref();
    let pods = view.objects("Pod", namespace)?;
    let (endpoints, without_port) = ready(check, view)?;
    let probes: BTreeSet<&str> = pods.iter().filter(|pod| pods::is_our_probe(pod)).filter_map(object::uid).collect();
    let endpoints: BTreeSet<Endpoint<'_>> =
        endpoints.into_iter().filter(|it| it.uid.is_none_or(|uid| !probes.contains(uid))).collect();
    let found = found(check, &endpoints, without_port);
    let evidence = || {
        let what = format!("endpointslices -l {SERVICE_LABEL}={}", check.service);
        Evidence::new(wanted(check), found.clone()).look(view.look(&what, namespace))
    };
    let only_never =
        check.owned_by.is_none() && check.ready.is_none() && check.at_least.is_none() && check.never.is_some();
    if let Some(owner) = &check.never
        && let Some(name) = intruder(view, owner, &endpoints)?
    {
        let reason =
            format!("pod {name} of {} {} gets the traffic of Service {}", owner.kind, owner.name, check.service);
        return Ok(Verdict::not_met(reason, evidence()));
    }
    if without_port > 0 && !only_never {
        let reason = format!("Service {} lists pods but no port on which to reach them", check.service);
        return Ok(Verdict::not_met(reason, evidence()));
    }
    if endpoints.is_empty() && !only_never && check.ready != Some(0) {
        return Ok(Verdict::not_met(format!("Service {} has no ready endpoint", check.service), evidence()));
    }
    if let Some(owner) = &check.owned_by
        && let Some(reason) = difference(check, view, owner, &endpoints)?
    {
        return Ok(Verdict::not_met(reason, evidence()));
    }
    let count = count(&endpoints);
    let short = check.ready.is_some_and(|ready| count != ready as usize)
        || check.at_least.is_some_and(|least| count < least as usize);
    if short {
        return Ok(Verdict::not_met(format!("Service {} has {count} ready endpoints", check.service), evidence()));
    }
    Ok(Verdict::met(evidence()))
}

/// The ready endpoints of all slices that have ports, and how many ready ones stand in slices without.
fn ready<'a>(check: &Endpoints, view: &View<'a>) -> Result<(Vec<Endpoint<'a>>, usize), Verdict> {
    let mut endpoints = Vec::new();
    let mut without_port = 0;
    let slices = view.objects("EndpointSlice", check.namespace.as_deref())?;
    for slice in slices.iter().filter(|slice| object::label(slice, SERVICE_LABEL) == Some(&check.service)) {
        let portless = object::list(slice, &["ports"]).is_empty();
        for endpoint in object::list(slice, &["endpoints"]) {
            if object::at(endpoint, &["conditions", "ready"]) == Some(&Value::Bool(false)) {
                continue;
            }
            if portless {
                without_port += 1;
                continue;
            }
            let target = object::at(endpoint, &["targetRef"]).filter(|it| object::text(it, &["kind"]) == Some("Pod"));
            let name = target.and_then(|it| object::text(it, &["name"]));
            let uid = target.and_then(|it| object::text(it, &["uid"]));
            for address in object::list(endpoint, &["addresses"]).iter().filter_map(Value::as_str) {
                endpoints.push(Endpoint { uid, address, name: name.unwrap_or(address) });
            }
        }
    }
    Ok((endpoints, without_port))
}

/// The first endpoint that belongs to a workload that must not be there.
fn intruder<'a>(
    view: &View<'a>,
    owner: &Owner,
    endpoints: &BTreeSet<Endpoint<'a>>,
) -> Result<Option<&'a str>, Verdict> {
    let theirs = view.owned_pods(owner)?.unwrap_or_default();
    Ok(theirs.into_iter().find_map(|pod| {
        let (uid, addresses) = (object::uid(pod), pods::addresses(pod));
        // By uid or by address: a hand-written slice may name anybody, or nobody.
        let listed = |it: &Endpoint<'_>| (it.uid.is_some() && it.uid == uid) || addresses.contains(&it.address);
        endpoints.iter().any(listed).then(|| object::name(pod))
    }))
}

/// How the endpoints differ from the Ready pods of the workload, in words.
fn difference<'a>(
    check: &Endpoints,
    view: &View<'a>,
    owner: &Owner,
    endpoints: &BTreeSet<Endpoint<'a>>,
) -> Result<Option<String>, Verdict> {
    let Some(theirs) = view.owned_pods(owner)? else {
        return Ok(Some(format!("{} {} does not exist", owner.kind, owner.name)));
    };
    let ready: BTreeMap<&str, &Value> =
        theirs.into_iter().filter(|pod| pods::is_ready(pod)).filter_map(|pod| Some((object::uid(pod)?, pod))).collect();
    for endpoint in endpoints {
        let Some(pod) = endpoint.uid.and_then(|uid| ready.get(uid)) else {
            return Ok(Some(format!(
                "endpoint {} of Service {} is not a Ready pod of {} {}",
                endpoint.name, check.service, owner.kind, owner.name
            )));
        };
        if !pods::addresses(pod).contains(&endpoint.address) {
            return Ok(Some(format!(
                "endpoint {} stands for pod {}, which has another address",
                endpoint.address, endpoint.name
            )));
        }
    }
    let listed: BTreeSet<&str> = endpoints.iter().filter_map(|it| it.uid).collect();
    let missing = ready.iter().find(|(uid, _)| !listed.contains(*uid));
    Ok(missing
        .map(|(_, pod)| format!("Ready pod {} is not an endpoint of Service {}", object::name(pod), check.service)))
}

/// Pods behind the endpoints: one with two addresses counts once.
fn count(endpoints: &BTreeSet<Endpoint<'_>>) -> usize {
    endpoints.iter().map(|it| it.uid.unwrap_or(it.address)).collect::<BTreeSet<_>>().len()
}

fn wanted(check: &Endpoints) -> String {
    let mut parts = Vec::new();
    match (check.ready, check.at_least) {
        (Some(count), _) => parts.push(format!("exactly {count} ready endpoints")),
        (None, Some(count)) => parts.push(format!("at least {count} ready endpoints")),
        (None, None) => {}
    }
    if let Some(owner) = &check.owned_by {
        parts.push(format!("the Ready pods of {} {} and nobody else", owner.kind, owner.name));
    }
    if let Some(owner) = &check.never {
        parts.push(format!("no pod of {} {}", owner.kind, owner.name));
    }
    if parts.is_empty() {
        parts.push("a ready endpoint".to_owned());
    }
    format!("behind Service {}: {}", check.service, parts.join(", "))
}

fn found(check: &Endpoints, endpoints: &BTreeSet<Endpoint<'_>>, without_port: usize) -> String {
    let names: BTreeSet<&str> = endpoints.iter().map(|it| it.name).collect();
    let mut found = match count(endpoints) {
        0 => format!("no ready endpoint behind Service {}", check.service),
        1 => format!("1 ready endpoint: {}", names.into_iter().collect::<Vec<_>>().join(", ")),
        count => format!("{count} ready endpoints: {}", names.into_iter().collect::<Vec<_>>().join(", ")),
    };
    if without_port > 0 {
        found.push_str(&format!("; {without_port} listed without a port"));
    }
    found
}

#[cfg(test)]
mod tests;
