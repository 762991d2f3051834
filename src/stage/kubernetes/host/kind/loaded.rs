//! Which image references were put on the cluster's nodes, so that an archive is loaded once.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    home::{read_json, write_json},
    kubernetes::{images, object},
    target::{Cause, TargetError},
};

/// A node lists no more images than this (kubelet's `nodeStatusMaxImages`), the largest first; ours are among the smallest.
const LISTED_MAX: usize = 50;

/// What was loaded, of which program, into which cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Loaded {
    cluster: String,
    workload: String,
    references: BTreeSet<String>,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("images.json")
}

impl Loaded {
    /// The record for this cluster and program; an older one counts for nothing.
    pub(super) fn read(folder: &Path, cluster: &str, workload: &str) -> Result<Self, TargetError> {
        let path = path(folder);
        let kept: Option<Self> = read_json(&path)
            .map_err(|error| TargetError::new(Cause::Local, format!("use {}", path.display())).because(error))?;
        let kept = kept.filter(|kept| kept.cluster == cluster && kept.workload == workload);
        Ok(kept.unwrap_or_else(|| Self {
            cluster: cluster.to_owned(),
            workload: workload.to_owned(),
            ..Self::default()
        }))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), TargetError> {
        let path = path(folder);
        write_json(&path, self)
            .map_err(|error| TargetError::new(Cause::Local, format!("use {}", path.display())).because(error))
    }

    pub(super) fn add(&mut self, references: &BTreeSet<String>) {
        self.references.extend(references.iter().cloned());
    }

    /// What must be loaded: everything that was not, and whatever the nodes have thrown away since. A node whose list is
    /// full, or which has listed none of ours yet (it reports every few seconds), says nothing against the record.
    pub(super) fn missing(&self, wanted: &BTreeSet<String>, nodes: &[Value]) -> BTreeSet<String> {
        let never = wanted.difference(&self.references).cloned();
        let telling: Vec<Value> = nodes
            .iter()
            .filter(|node| object::list(node, "/status/images").len() < LISTED_MAX)
            .filter(|node| images::missing(std::slice::from_ref(node), &self.references).len() < self.references.len())
            .cloned()
            .collect();
        let thrown_away = if telling.is_empty() { BTreeSet::new() } else { images::missing(&telling, wanted) };
        never.chain(thrown_away).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn node(names: &[&str], others: usize) -> Value {
        let ours = names.iter().map(|name| json!({"names": [name]}));
        let images: Vec<Value> = (0..others).map(|index| json!({"names": [index.to_string()]})).chain(ours).collect();
        json!({"status": {"images": images}})
    }

    #[test]
    fn an_archive_is_loaded_once_for_a_cluster_and_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut loaded = Loaded::read(folder.path(), "c1", "d1").unwrap();
        assert_eq!(loaded.missing(&set(&["a"]), &[]), set(&["a"]));
        loaded.add(&set(&["a"]));
        loaded.write(folder.path()).unwrap();
        assert!(Loaded::read(folder.path(), "c1", "d1").unwrap().missing(&set(&["a"]), &[]).is_empty());
        for (cluster, workload) in [("c2", "d1"), ("c1", "d2")] {
            let other = Loaded::read(folder.path(), cluster, workload).unwrap();
            assert_eq!(other.missing(&set(&["a"]), &[]), set(&["a"]), "{cluster} {workload}");
        }
    }

    #[test]
    fn nodes_that_threw_an_image_away_get_it_again() {
        let loaded = Loaded { references: set(&["a", "b"]), ..Loaded::default() };
        assert_eq!(loaded.missing(&set(&["a", "b"]), &[node(&["a"], 3)]), set(&["b"]));
        assert!(loaded.missing(&set(&["a", "b"]), &[node(&["a", "b"], 3)]).is_empty());
        assert!(loaded.missing(&set(&["a", "b"]), &[node(&[], 3)]).is_empty(), "it has not reported since");
        assert!(loaded.missing(&set(&["a", "b"]), &[node(&["a"], 60)]).is_empty(), "its list is full");
    }
}
