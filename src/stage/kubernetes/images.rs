//! The workload's image on real clusters: which names a cluster has, and the archive for those it lacks.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use breakfix_workload::tool;
use serde_json::Value;

use super::object;
use crate::{
    home::{make_private, write_whole},
    image::{self, Archive, Reference},
    target::{Cause, TargetError},
};

/// The registry that all references of the labs begin with: a reserved name (RFC 2606), so that no node ever asks a real one.
pub(crate) const REGISTRY: &str = "registry.example/";

/// An archive of these references.
///
/// # Errors
/// This breakfix was built without the program, or a reference is none.
pub(crate) fn archive(references: &BTreeSet<String>) -> Result<Archive, TargetError> {
    let references: BTreeSet<Reference> = references
        .iter()
        .map(|text| {
            text.parse().map_err(|error: image::ReferenceError| TargetError::new(Cause::Local, error.to_string()))
        })
        .collect::<Result<_, _>>()?;
    let Some(program) = breakfix_workload::PROGRAM else {
        let why = breakfix_workload::PROGRAM_MISSING;
        return Err(TargetError::new(Cause::Missing, format!("make the image for containers: {why}"))
            .hint("`breakfix doctor` says what a build needs; `--target sim` needs no image."));
    };
    image::archive(&references, program, &tool::names(), image::architecture())
        .map_err(|error| TargetError::new(Cause::Local, "make the image for containers").because(error))
}

/// Writes an archive into a folder, named after its content.
///
/// # Errors
/// The disk's.
pub(crate) fn keep(archive: &Archive, folder: &Path) -> Result<PathBuf, TargetError> {
    let path = folder.join(format!("breakfix-{}.tar", archive.workload));
    let local = |error: crate::home::HomeError| {
        TargetError::new(Cause::Local, format!("write {}", path.display())).because(error)
    };
    make_private(folder).map_err(local)?;
    write_whole(&path, &archive.bytes).map_err(local)?;
    Ok(path)
}

/// The references that some node that runs ordinary pods does not list. A node lists the fifty largest images at most
/// (kubelet's `nodeStatusMaxImages`), so a reference may be there all the same.
pub(crate) fn missing(nodes: &[Value], references: &BTreeSet<String>) -> BTreeSet<String> {
    let workers: Vec<&Value> = nodes.iter().filter(|node| object::list(node, "/spec/taints").is_empty()).collect();
    let on_all = |reference: &String| {
        !workers.is_empty() && workers.iter().all(|node| names(node).any(|name| name == reference.as_str()))
    };
    references.iter().filter(|reference| !on_all(reference)).cloned().collect()
}

/// Every image name that a node lists.
fn names(node: &Value) -> impl Iterator<Item = &str> {
    object::list(node, "/status/images")
        .iter()
        .flat_map(|image| object::list(image, "/names"))
        .filter_map(Value::as_str)
}

/// Refuses nodes for which the program was not built.
///
/// # Errors
/// No node that runs ordinary pods has this architecture.
pub(crate) fn check_architecture(nodes: &[Value]) -> Result<(), TargetError> {
    let ours = image::architecture();
    let found: BTreeSet<&str> =
        nodes.iter().filter_map(|node| object::text(node, "/status/nodeInfo/architecture")).collect();
    if found.is_empty() || found.contains(ours) {
        return Ok(());
    }
    let found: Vec<&str> = found.into_iter().collect();
    let what = format!(
        "run the labs' containers: the nodes are {}, this breakfix brings programs for {ours}",
        found.join(", ")
    );
    Err(TargetError::new(Cause::Missing, what)
        .hint("Run a breakfix that was built on such a machine, or use `--target sim`."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(taints: Value, images: &[&str]) -> Value {
        json!({"spec": {"taints": taints}, "status": {"images": [{"names": images}], "nodeInfo": {"architecture": "riscv64"}}})
    }

    #[test]
    fn an_image_is_there_when_every_worker_lists_it() {
        let wanted = BTreeSet::from(["registry.example/shop/web:1.4".to_owned()]);
        let web = "registry.example/shop/web:1.4";
        let master = node(json!([{"effect": "NoSchedule"}]), &[]);
        assert!(missing(&[master.clone(), node(json!([]), &["x", web])], &wanted).is_empty());
        assert_eq!(
            missing(&[node(json!([]), &[web]), node(json!([]), &["registry.example/shop/web:1.5"])], &wanted),
            wanted
        );
        assert_eq!(missing(&[master], &wanted), wanted, "no worker, no image");
    }

    #[test]
    fn another_architecture_is_refused() {
        let error = check_architecture(&[node(json!([]), &[])]).unwrap_err();
        assert!(error.what.contains("riscv64"), "{}", error.what);
        assert!(check_architecture(&[json!({})]).is_ok(), "an account that may not look gets no answer either");
    }
}
