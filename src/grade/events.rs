//! `events`: what the engine said happened to a container.
//!
//! Rules: the engine's events are the only honest account of a kill (`State.OOMKilled` survives a restart on old engines). No events
//! of a container that does not exist prove nothing. An action may carry more after a colon (`exec_create: …`, `health_status: healthy`).

use breakfix_lab::{Platform, check::Events};

use crate::{
    Evidence, Fetched, Judge, Query, Verdict, View,
    answers::{mismatch, objects_query},
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
        if self.none.is_empty() { vec!["events needs at least one action under `none`".to_owned()] } else { Vec::new() }
    }
}

fn query(check: &Events) -> Query {
    Query::Events { container: check.container.clone() }
}

fn judge(check: &Events, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::Events(events) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let wanted = format!("no {} of container {}", check.none.join(" or "), check.container);
    let since = |at| view.triggered.is_none_or(|triggered| at >= triggered);
    let happened: Vec<&str> = events
        .iter()
        .filter(|event| since(event.at))
        .filter_map(|event| check.none.iter().find(|action| is_action(&event.action, action)))
        .map(String::as_str)
        .collect();
    if let Some(first) = happened.first() {
        let reason = format!("the engine reports `{first}` of container {}", check.container);
        return Ok(Verdict::not_met(
            reason,
            Evidence::new(wanted, happened.join(", "))
                .look(Some(format!("docker events --since 10m --filter container={}", check.container))),
        ));
    }
    if view.object("Container", &check.container, None)?.is_none() {
        let reason = format!("container {} does not exist", check.container);
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no such container").look(view.look("", None))));
    }
    Ok(Verdict::met(Evidence::new(wanted, "none")))
}

fn is_action(said: &str, wanted: &str) -> bool {
    said.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests;
