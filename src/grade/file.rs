//! `file`: what stands at a path in a container.

use breakfix_lab::{Platform, check::File};

use crate::{Evidence, Fetched, Judge, Query, Verdict, View, answers::mismatch, observation::FileSeen, query::Scope};

impl Judge for File {
    fn queries(&self, _: Platform, _: &Scope) -> Vec<Query> {
        vec![query(self)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.path.starts_with('/') {
            problems.push(format!("`{}` is no path from the root", self.path));
        }
        if bits(&self.mode_lacks).is_none() {
            problems.push(format!("`{}` is no set of permission bits; write them as `\"0002\"`", self.mode_lacks));
        }
        problems
    }
}

fn query(check: &File) -> Query {
    Query::File { container: check.container.clone(), path: check.path.clone() }
}

fn bits(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|bits| (1..=0o7777).contains(bits))
}

fn judge(check: &File, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::File(seen) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let (name, path) = (&check.container, &check.path);
    let lacks = bits(&check.mode_lacks).ok_or_else(|| Verdict::unknown("the lab's permission bits cannot be read"))?;
    let wanted = format!("{path} of container {name} has none of the permission bits {lacks:04o}");
    let mode = match seen {
        FileSeen::NoContainer => {
            let reason = format!("container {name} does not exist");
            return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no such container").look(view.look("", None))));
        }
        FileSeen::Missing => {
            let reason = format!("there is no {path} in container {name}");
            return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no such file")));
        }
        FileSeen::There { mode } => *mode,
    };
    let found = format!("its mode is {mode:04o}");
    if mode & lacks == 0 {
        return Ok(Verdict::met(Evidence::new(wanted, found)));
    }
    let reason = format!("{path} of container {name}: {found}");
    Ok(Verdict::not_met(reason, Evidence::new(wanted, found).look(Some(format!("docker exec {name} ls -ld {path}")))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Fetched, Judge, Query, fixture::*, observation::FileSeen};

    fn query() -> Query {
        Query::File { container: "db".into(), path: "/data".into() }
    }

    fn closed() -> breakfix_lab::Check {
        check(json!({"file": {"container": "db", "path": "/data", "mode_lacks": "0002"}}))
    }

    fn verdict(seen: FileSeen) -> crate::Verdict {
        World::docker().answering(query(), Fetched::File(seen)).judge(&closed())
    }

    #[test]
    fn bits_that_are_not_there_are_met_and_others_do_not_count() {
        assert_met(&verdict(FileSeen::There { mode: 0o755 }));
        assert_met(&verdict(FileSeen::There { mode: 0o1775 }));
    }

    #[test]
    fn a_folder_for_everybody_is_not() {
        assert_not_met(&verdict(FileSeen::There { mode: 0o777 }), "0777");
    }

    #[test]
    fn what_is_not_there_proves_nothing() {
        assert_not_met(&verdict(FileSeen::Missing), "there is no /data");
        assert_not_met(&verdict(FileSeen::NoContainer), "does not exist");
    }

    #[test]
    fn what_is_written_badly_is_said() {
        let bad = check(json!({"file": {"container": "db", "path": "data", "mode_lacks": "9"}}));
        assert_eq!(bad.problems().len(), 2);
    }
}
