//! `logs`: what a workload's containers have said.

use breakfix_lab::{Platform, check::Logs};

use crate::{Evidence, Fetched, Judge, Query, Verdict, View, answers::mismatch, query::Scope};

/// How much of a line evidence shows, in characters.
const LINE_SHOWN_MAX: usize = 120;

impl Judge for Logs {
    fn queries(&self, _platform: Platform, _scope: &Scope) -> Vec<Query> {
        vec![query(self)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

fn query(check: &Logs) -> Query {
    Query::Logs { of: check.of.clone(), container: check.container.clone() }
}

fn judge(check: &Logs, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::Logs(logs) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let what = format!("{} {}", check.of.kind, check.of.name);
    let mut parts = Vec::new();
    parts.extend(check.contains.iter().map(|part| format!("\"{part}\"")));
    parts.extend(check.lacks.iter().map(|part| format!("no \"{part}\"")));
    let wanted = format!("in the logs of {what}: {}", parts.join(" and "));
    if logs.is_empty() {
        return Ok(Verdict::not_met(
            format!("no {} of {what} runs", if view.platform == Platform::Ecs { "task" } else { "pod" }),
            Evidence::new(wanted, "no log"),
        ));
    }
    let lines = || logs.iter().flat_map(|log| log.text.lines().map(move |line| (log.pod.as_str(), line)));
    if let Some(part) = &check.lacks
        && let Some((pod, line)) = lines().find(|(_, line)| line.contains(part.as_str()))
    {
        let found = format!("{pod}: {}", shown(line));
        return Ok(Verdict::not_met(format!("the log of {pod} says \"{part}\""), Evidence::new(wanted, found)));
    }
    let Some(part) = &check.contains else {
        return Ok(Verdict::met(Evidence::new(wanted, format!("not in {} lines", lines().count()))));
    };
    Ok(match lines().find(|(_, line)| line.contains(part.as_str())) {
        Some((pod, line)) => Verdict::met(Evidence::new(wanted, format!("{pod}: {}", shown(line)))),
        None => {
            let found = format!("not in {} lines of {} logs", lines().count(), logs.len());
            Verdict::not_met(format!("the logs of {what} do not say \"{part}\""), Evidence::new(wanted, found))
        }
    })
}

fn shown(line: &str) -> String {
    match line.char_indices().nth(LINE_SHOWN_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests;
