//! `processes`: what runs in a container.
//!
//! Rules: seen from inside its PID namespace, as the engine's own list leaves ended processes out. Nothing running proves nothing.

use breakfix_lab::{Platform, check::Processes};

use crate::{Evidence, Fetched, Judge, Query, Verdict, View, answers::mismatch, observation::Process, query::Scope};

impl Judge for Processes {
    fn queries(&self, _: Platform, _: &Scope) -> Vec<Query> {
        vec![query(self)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        if self.zombies_max.is_none() && !self.unprivileged {
            return vec!["processes needs `zombies_max` or `unprivileged`".to_owned()];
        }
        Vec::new()
    }
}

fn query(check: &Processes) -> Query {
    Query::Processes { container: check.container.clone() }
}

fn judge(check: &Processes, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::Processes(seen) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let name = &check.container;
    let mut wanted = Vec::new();
    if let Some(most) = check.zombies_max {
        wanted.push(format!("{most} ended processes at most that nobody has waited for"));
    }
    if check.unprivileged {
        wanted.push("no process of root's".to_owned());
    }
    let wanted = wanted.join(", ");
    let Some(processes) = seen.as_ref().filter(|list| !list.is_empty()) else {
        let reason = format!("container {name} does not run");
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no process").look(view.look("", None))));
    };
    let look = Some(format!("docker run --rm --pid container:{name} IMAGE ps"));
    let zombies: Vec<&Process> = processes.iter().filter(|it| it.state == 'Z').collect();
    if check.zombies_max.is_some_and(|most| zombies.len() > usize::try_from(most).unwrap_or(usize::MAX)) {
        let found =
            format!("{} of {} processes have ended and nobody has waited for them", zombies.len(), processes.len());
        return Ok(Verdict::not_met(format!("container {name}: {found}"), Evidence::new(wanted, found).look(look)));
    }
    if let Some(process) = processes.iter().find(|it| check.unprivileged && it.uid == 0) {
        let found = format!("`{}` runs as root", process.command);
        return Ok(Verdict::not_met(format!("container {name}: {found}"), Evidence::new(wanted, found).look(look)));
    }
    Ok(Verdict::met(Evidence::new(wanted, format!("so it is of {} processes", processes.len()))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Fetched, Query, fixture::*, observation::Process};

    fn process(uid: u32, state: char) -> Process {
        Process { pid: 1, uid, state, command: "/workload".into() }
    }

    fn world(seen: Option<Vec<Process>>) -> World {
        World::docker().answering(Query::Processes { container: "web".into() }, Fetched::Processes(seen))
    }

    fn clean() -> breakfix_lab::Check {
        check(json!({"processes": {"container": "web", "zombies_max": 1, "unprivileged": true}}))
    }

    #[test]
    fn processes_that_end_well_are_met() {
        assert_met(&world(Some(vec![process(10001, 'S'), process(10001, 'Z')])).judge(&clean()));
    }

    #[test]
    fn too_many_that_nobody_waited_for_are_not() {
        let seen = vec![process(10001, 'S'), process(10001, 'Z'), process(10001, 'Z')];
        assert_not_met(&world(Some(seen)).judge(&clean()), "2 of 3");
    }

    #[test]
    fn one_of_roots_is_too_many() {
        assert_not_met(&world(Some(vec![process(10001, 'S'), process(0, 'S')])).judge(&clean()), "runs as root");
        let zombies = check(json!({"processes": {"container": "web", "zombies_max": 0}}));
        assert_met(&world(Some(vec![process(0, 'S')])).judge(&zombies));
    }

    #[test]
    fn a_container_that_does_not_run_proves_nothing() {
        assert_not_met(&world(None).judge(&clean()), "does not run");
        assert_not_met(&world(Some(vec![])).judge(&clean()), "does not run");
    }
}
