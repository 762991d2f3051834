//! `http`: somebody answered as wanted, or nobody did where nobody may.
//!
//! Rule: the system's silence is the system's (`not met`); a probe that could not ask is ours (`unknown`). A closed path usually
//! answers with silence, so a negative twin counts silence only where the same probe reached its control target in the same run.

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::{
    Platform,
    check::{self, Http, Owner},
};
use serde_json::Value;

use crate::{
    Evidence, Exchange, Judge, Outcome, Query, Verdict, View,
    answerer::Places,
    answers::{objects_query, owner_queries},
    aws, object,
    query::Scope,
};

/// How long one answer may take where the check does not say.
pub const WITHIN_DEFAULT: Duration = Duration::from_secs(5);
/// The header in which the workload names its instance: the pod's name, the container's host name.
pub const INSTANCE_HEADER: &str = "x-workload-instance";
/// How much of a body evidence shows, in characters.
const BODY_SHOWN_MAX: usize = 80;

impl Judge for Http {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        let mut queries = vec![query(self)];
        if let Some(owner) = &self.answered_by {
            match platform {
                Platform::Kubernetes => queries.extend(owner_queries(platform, scope, owner)),
                Platform::Ecs => queries.extend(owner_queries(platform, scope, owner)),
                Platform::Docker => queries.push(objects_query(platform, scope, "Container", None)),
            }
        }
        queries
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

fn query(check: &Http) -> Query {
    Query::Requests {
        from: check.from.clone(),
        request: check.request.clone(),
        times: times(check).saturating_add(check.warm_up.unwrap_or(0)),
        timeout: within(check),
        control: check.refused.as_ref().map(|refused| refused.control.clone()),
    }
}

fn times(check: &Http) -> u32 {
    check.times.unwrap_or(1).max(1)
}

fn within(check: &Http) -> Duration {
    check.within.map_or(WITHIN_DEFAULT, |span| span.0)
}

fn judge(check: &Http, view: &View<'_>) -> Result<Verdict, Verdict> {
    let all = view.exchanges(&query(check))?;
    if check.refused.is_some() {
        return Ok(nobody_answers(check, all, view));
    }
    let answerers = check.answered_by.as_ref().map(|owner| Answerers::of(owner, view)).transpose()?;
    let remembered = match check.body.as_ref().and_then(|body| body.remembered.as_ref()) {
        Some(name) => Some(view.baseline.remembered.get(name).ok_or_else(|| {
            Verdict::unknown(format!("nothing was remembered as `{name}`; reset the lab to take it anew"))
        })?),
        None => None,
    };
    let wanted = wanted(check);
    if all.is_empty() {
        return Ok(match &check.request.each {
            Some(owner) => {
                let reason = format!("no instance of {} {} runs, so nobody could be asked", owner.kind, owner.name);
                let look = view.look("pods", None);
                Verdict::not_met(reason, Evidence::new(wanted, "no running instance").look(look))
            }
            None => Verdict::unknown(format!("the probe sent no request to {}", check.request.url)),
        });
    }
    let exchanges: Vec<&Exchange> = judged(check, all);
    let unsaid = |it: &&Exchange| matches!(it.outcome, Outcome::Answered { .. }) && it.address.is_none();
    if answerers.as_ref().is_some_and(|it| it.places.is_some()) && exchanges.iter().copied().any(|it| unsaid(&it)) {
        return Err(Verdict::unknown("the probe does not say from which address it was answered"));
    }
    let faults: Vec<(usize, &Exchange, String)> = exchanges
        .iter()
        .enumerate()
        .filter_map(|(index, exchange)| {
            let fault = fault(check, exchange, answerers.as_ref());
            let fault = fault.or_else(|| forgotten(remembered?, exchange));
            fault.map(|fault| (index, *exchange, fault))
        })
        .collect();
    let total = exchanges.len();
    let fine = total - faults.len();
    Ok(match faults.first() {
        Some((index, exchange, fault)) => {
            let which = if total == 1 { String::new() } else { format!("request {} of {total}: ", index + 1) };
            let reason = format!("{} to {}: {fault}", check.request.method.as_str(), exchange.url);
            let found = format!("{fine} of {total} answered so; {which}{fault}");
            Verdict::not_met(reason, Evidence::new(wanted, found).look(view.look_on_the_way()))
        }
        None if check.request.each.is_none() && total < times(check) as usize => {
            Verdict::unknown(format!("the probe sent {total} of {} requests to {}", times(check), check.request.url))
        }
        None if let Some(fault) = together(check, &exchanges) => {
            let reason = format!("{} to {}: {fault}", check.request.method.as_str(), check.request.url);
            Verdict::not_met(
                reason,
                Evidence::new(wanted, format!("{total} answered; {fault}")).look(view.look_on_the_way()),
            )
        }
        None => Verdict::met(Evidence::new(wanted, format!("{fine} of {total} answered so"))),
    })
}

/// The negative twin.
fn nobody_answers(check: &Http, exchanges: &[Exchange], view: &View<'_>) -> Verdict {
    let wanted = format!("no answer from {}", check.request.url);
    if exchanges.is_empty() {
        return Verdict::unknown(format!("the probe sent no request to {}", check.request.url));
    }
    if let Some(exchange) = exchanges.iter().find(|it| matches!(it.outcome, Outcome::Answered { .. })) {
        let found = in_words(exchange);
        return Verdict::not_met(
            format!("{} answers, and it must not: {found}", exchange.url),
            Evidence::new(wanted, found).look(view.look_on_the_way()),
        );
    }
    // Whoever took the caller away has closed nothing.
    if let Some(exchange) = exchanges.iter().find(|it| matches!(it.outcome, Outcome::CallerGone(_))) {
        let found = in_words(exchange);
        return Verdict::not_met(format!("{}: {found}", exchange.url), Evidence::new(wanted, found));
    }
    for exchange in exchanges {
        let silent = matches!(exchange.outcome, Outcome::TimedOut | Outcome::NameUnanswered);
        // Told off at once is an answer of the network's; silence may as well be a probe without a network.
        let known = exchange.control_reached == Some(true) || (!silent && exchange.control_reached.is_none());
        if !known {
            return Verdict::unknown(format!(
                "{} did not answer, but neither did the probe's own control target{}, so nothing is proved",
                exchange.url,
                check.refused.as_ref().map_or_else(String::new, |refused| format!(" {}", refused.control)),
            ));
        }
    }
    let found = exchanges.first().map_or_else(String::new, in_words);
    Verdict::met(Evidence::new(wanted, format!("{found}, while the probe reached its control target")))
}

/// The exchanges that count: of each prober and each address the warm-up comes first.
fn judged<'a>(check: &Http, all: &'a [Exchange]) -> Vec<&'a Exchange> {
    let warm_up = check.warm_up.unwrap_or(0) as usize;
    let series = warm_up + times(check) as usize;
    all.iter().enumerate().filter(|(index, _)| index % series >= warm_up).map(|(_, exchange)| exchange).collect()
}

/// What is wrong with all the answers together, where each alone is fine.
fn together(check: &Http, exchanges: &[&Exchange]) -> Option<String> {
    let bodies = || {
        exchanges.iter().filter_map(|it| match &it.outcome {
            Outcome::Answered { body, .. } => Some(body.trim()),
            _ => None,
        })
    };
    if check.alike {
        let kinds: BTreeSet<&str> = bodies().collect();
        if kinds.len() > 1 {
            let some: Vec<String> = kinds.iter().take(2).map(|body| shown(body)).collect();
            return Some(format!("{} different answers: {}", kinds.len(), some.join(" and ")));
        }
    }
    if let Some(share) = &check.share {
        let total = exchanges.len();
        let count = bodies().filter(|body| body.contains(share.contains.as_str())).count();
        let least = share.at_least.map_or(1, |percent| (total * percent as usize).div_ceil(100).max(1));
        let most = total * share.at_most.unwrap_or(100) as usize / 100;
        if count < least || count > most {
            return Some(format!("{count} of {total} answers say \"{}\"", share.contains));
        }
    }
    if let Some(limit) = check.p95 {
        let mut times: Vec<Duration> = exchanges.iter().map(|it| it.took).collect();
        times.sort();
        // The nearest rank: the smallest time that 95 of 100 answers do not exceed.
        let rank = (times.len() * 95).div_ceil(100).saturating_sub(1);
        let p95 = times.get(rank).copied().unwrap_or_default();
        if p95 > limit.0 {
            return Some(format!("95 of 100 answers take up to {} ms", p95.as_millis()));
        }
    }
    None
}

/// What of the remembered answer is missing in this one.
fn forgotten(remembered: &str, exchange: &Exchange) -> Option<String> {
    let Outcome::Answered { body, .. } = &exchange.outcome else { return None };
    let lines: BTreeSet<&str> = body.lines().map(str::trim).collect();
    let before: BTreeSet<&str> = remembered.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // Which ones would be an answer: only how many.
    match before.iter().filter(|line| !lines.contains(*line)).count() {
        0 => None,
        missing => Some(format!("{missing} of the {} entries of before are not there", before.len())),
    }
}

/// What is wrong with one exchange; `None` where nothing is.
fn fault(check: &Http, exchange: &Exchange, answerers: Option<&Answerers<'_>>) -> Option<String> {
    let Outcome::Answered { status, headers, body } = &exchange.outcome else { return Some(in_words(exchange)) };
    if *status != check.status.unwrap_or(200) {
        return Some(in_words(exchange));
    }
    if exchange.took > within(check) {
        return Some(format!("the answer took {:.1}s", exchange.took.as_secs_f64()));
    }
    if let Some(fault) = check.body.as_ref().and_then(|wanted| body_fault(wanted, body)) {
        return Some(fault);
    }
    for (name, part) in &check.headers {
        let value = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        match value {
            Some(value) if value.contains(part.as_str()) => {}
            Some(value) => return Some(format!("the answer's {name} is \"{value}\"")),
            None => return Some(format!("the answer has no {name}")),
        }
    }
    let Answerers { owner, names, places } = answerers?;
    let of = format!("{} {}", owner.kind, owner.name);
    let instance =
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(INSTANCE_HEADER)).map(|(_, value)| value.as_str());
    match instance {
        Some(instance) if names.contains(instance) => places.as_ref()?.fault(exchange.address?, &of),
        Some(instance) => Some(format!("answered by {instance}, which is not part of {of}")),
        None => Some(format!("the answer does not come from {of}")),
    }
}

/// Who may answer.
struct Answerers<'a> {
    owner: &'a Owner,
    /// Under which names.
    names: BTreeSet<String>,
    /// From where; `None` where the name is given by the system, which no learner can change.
    places: Option<Places>,
}

impl<'a> Answerers<'a> {
    fn of(owner: &'a Owner, view: &View<'_>) -> Result<Self, Verdict> {
        if view.platform != Platform::Docker {
            return Ok(Self { owner, names: instances(owner, view)?, places: None });
        }
        let containers = containers(owner, view)?;
        let names = containers.iter().flat_map(|it| container_names(it)).collect();
        Ok(Self { owner, names, places: Some(Places::of(&containers, view)?) })
    }
}

fn body_fault(wanted: &check::Body, body: &str) -> Option<String> {
    if wanted.contains.as_ref().is_some_and(|part| !body.contains(part.as_str())) {
        return Some(format!("the answer reads {}", shown(body)));
    }
    if let Some(part) = wanted.lacks.as_ref().filter(|part| body.contains(part.as_str())) {
        return Some(format!("the answer says \"{part}\""));
    }
    None
}

/// The names under which instances of a workload answer. Empty where there is none.
fn instances(owner: &Owner, view: &View<'_>) -> Result<BTreeSet<String>, Verdict> {
    let own = view.owned_pods(owner)?.unwrap_or_default();
    Ok(match view.platform {
        Platform::Ecs => own.into_iter().flat_map(aws::host_names).collect(),
        Platform::Kubernetes | Platform::Docker => own.into_iter().map(|pod| object::name(pod).to_owned()).collect(),
    })
}

/// The container of that name, or those that run from an image.
fn containers<'a>(owner: &Owner, view: &View<'a>) -> Result<Vec<&'a Value>, Verdict> {
    let all = view.objects("Container", None)?.iter();
    match owner.kind.as_str() {
        "Container" => Ok(all.filter(|it| object::is_named(it, &owner.name)).collect()),
        "Image" => Ok(all.filter(|it| object::text(it, &["Config", "Image"]) == Some(&owner.name)).collect()),
        kind => Err(Verdict::unknown(format!(
            "the lab asks for the instances of a {kind}; Docker has those of a Container or an Image"
        ))),
    }
}

/// The names under which a container may answer.
fn container_names(container: &Value) -> impl Iterator<Item = String> + use<> {
    let id = object::text(container, &["Id"]).unwrap_or("");
    let host = object::text(container, &["Config", "Hostname"]).unwrap_or("");
    // The engine's own default for a host name is the first twelve characters of the id.
    let short = id.get(..12).unwrap_or(id);
    let names = [id, short, host, object::name(container)].map(str::to_owned);
    names.into_iter().filter(|it| !it.is_empty())
}

fn wanted(check: &Http) -> String {
    let mut wanted =
        format!("{} {} answers {}", check.request.method.as_str(), check.request.url, check.status.unwrap_or(200));
    if let Some(body) = &check.body {
        if let Some(part) = &body.contains {
            wanted.push_str(&format!(" with \"{part}\""));
        }
        if let Some(part) = &body.lacks {
            wanted.push_str(&format!(" without \"{part}\""));
        }
        if body.remembered.is_some() {
            wanted.push_str(" with everything that was there before");
        }
    }
    for (name, value) in &check.headers {
        wanted.push_str(&format!(" with {name}: {value}"));
    }
    if let Some(share) = &check.share {
        let (least, most) = (share.at_least.unwrap_or(0), share.at_most.unwrap_or(100));
        wanted.push_str(&format!(" with \"{}\" in {least} to {most} of 100 answers", share.contains));
    }
    if check.alike {
        wanted.push_str(", always the same");
    }
    if let Some(limit) = check.p95 {
        wanted.push_str(&format!(", 95 of 100 within {limit}"));
    }
    if let Some(owner) = &check.answered_by {
        wanted.push_str(&format!(" from {} {}", owner.kind, owner.name));
    }
    if check.within.is_some() {
        wanted.push_str(&format!(" within {:.1}s", within(check).as_secs_f64()));
    }
    match times(check) {
        1 => wanted,
        times => format!("{wanted}, {times} times"),
    }
}

/// What became of a request, as a learner would say it.
pub(crate) fn in_words(exchange: &Exchange) -> String {
    match &exchange.outcome {
        Outcome::Answered { status, body, .. } if body.trim().is_empty() => format!("answered {status} with nothing"),
        Outcome::Answered { status, body, .. } => format!("answered {status}: {}", shown(body)),
        Outcome::Refused => "connection refused".to_owned(),
        Outcome::Reset => "connected, then the connection was closed without an answer".to_owned(),
        Outcome::TimedOut => format!("no answer within {:.1}s", exchange.took.as_secs_f64()),
        Outcome::NameUnknown => "the name does not exist".to_owned(),
        Outcome::NameUnanswered => "the name could not be looked up".to_owned(),
        Outcome::CallerGone(what) => format!("nobody is left to ask: {what} is gone"),
    }
}

/// The start of a body, on one line and in quotes.
fn shown(body: &str) -> String {
    let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(BODY_SHOWN_MAX) {
        Some((end, _)) => format!("\"{}…\"", line.get(..end).unwrap_or_default()),
        None => format!("\"{line}\""),
    }
}

#[cfg(test)]
mod tests;
