//! `events`: what the engine said happened to a container.
//!
//! Rules: the engine's events are the only honest account of a kill (`State.OOMKilled` survives a restart on old engines). No events
//! of a container that does not exist prove nothing. An action may carry more after a colon (`exec_create: …`, `health_status: healthy`).

use breakfix_lab::{
    Platform,
    check::{Ended, Events},
};

use crate::{
    Evidence, Fetched, Judge, Query, Verdict, View,
    answers::{mismatch, objects_query},
    observation::EngineEvent,
    query::Scope,
};

impl Judge for Events {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        vec![query(self), objects_query(platform, scope, "Container", None)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        match (&self.ended, self.none.is_empty()) {
            (None, true) => vec!["events needs at least one action under `none`, or `ended`".to_owned()],
            (Some(ended), _) if ended.codes.is_empty() => vec!["`ended` needs at least one exit code".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn query(check: &Events) -> Query {
    Query::Events { container: check.container.clone() }
}

fn judge(check: &Events, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::Events(events) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let since = |at| view.triggered.is_none_or(|triggered| at >= triggered);
    let events: Vec<&EngineEvent> = events.iter().filter(|event| since(event.at)).collect();
    let look = || Some(format!("docker events --since 10m --filter container={}", check.container));
    let nothing = format!("no {} of container {}", check.none.join(" or "), check.container);
    let wanted = match (&check.ended, check.none.is_empty()) {
        (None, _) => nothing,
        (Some(ended), true) => good_end(ended),
        (Some(ended), false) => format!("{nothing}; {}", good_end(ended)),
    };
    let happened: Vec<&str> = events
        .iter()
        .filter_map(|event| check.none.iter().find(|action| is_action(&event.action, action)))
        .map(String::as_str)
        .collect();
    if let Some(first) = happened.first() {
        let reason = format!("the engine reports `{first}` of container {}", check.container);
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, happened.join(", ")).look(look())));
    }
    if let Some(found) = check.ended.as_ref().and_then(|ended| bad_end(ended, &events)) {
        let reason = format!("container {} {found}", check.container);
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, found).look(look())));
    }
    if view.object("Container", &check.container, None)?.is_none() {
        let reason = format!("container {} does not exist", check.container);
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no such container").look(view.look("", None))));
    }
    Ok(Verdict::met(Evidence::new(wanted, "none")))
}

fn good_end(ended: &Ended) -> String {
    let codes = ended.codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let within = ended.within.map_or_else(String::new, |span| format!(" within {:.1} s", span.0.as_secs_f64()));
    format!("it ends with code {codes}{within}")
}

/// What was not well about how the program ended, in words.
fn bad_end(wanted: &Ended, events: &[&EngineEvent]) -> Option<String> {
    let mut told = None;
    let mut ends = 0;
    for event in events {
        if is_action(&event.action, "kill") {
            told = told.or(Some(event.at));
        } else if is_action(&event.action, "die") {
            ends += 1;
            match event.exit_code {
                Some(code) if wanted.codes.contains(&code) => {}
                Some(code) => return Some(format!("ended with code {code}")),
                None => return Some("ended with no code that the engine knows".to_owned()),
            }
            let took = told.take().map(|at| event.at.duration_since(at).as_secs_f64());
            let limit = wanted.within.map(|span| span.0.as_secs_f64());
            if let Some((took, _)) = took.zip(limit).filter(|(took, limit)| took > limit) {
                return Some(format!("ended {took:.1} s after it was told to"));
            }
        }
    }
    (ends == 0).then(|| "did not end".to_owned())
}

fn is_action(said: &str, wanted: &str) -> bool {
    said.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests;
