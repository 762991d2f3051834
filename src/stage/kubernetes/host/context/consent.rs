//! What a learner is shown before anything is made on a cluster of theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    kubernetes::{belongings, images, kubeconfig, probe, resource::Resource},
    target::{Place, TargetError},
};

/// Reads the learner's kubeconfig and says what a lab would do there.
///
/// # Errors
/// There is no such context, or the images' archive cannot be written.
pub(crate) fn consent(
    context: &str,
    place: &Place,
    registry: Option<&str>,
    allow_cluster_scoped: bool,
    home: &Path,
) -> Result<String, TargetError> {
    let own = kubeconfig::only(&super::ambient()?, context, &place.namespace)?;
    let settings = own.contexts.first().and_then(|entry| entry.context.as_ref());
    let server =
        own.clusters.first().and_then(|entry| entry.cluster.as_ref()).and_then(|cluster| cluster.server.as_deref());
    let mut lines = vec![
        format!("context  {context}"),
        format!("cluster  {}", settings.map_or("?", |settings| settings.cluster.as_str())),
        format!("server   {}", server.unwrap_or("?")),
        format!("user     {}", settings.and_then(|settings| settings.user.as_deref()).unwrap_or("none")),
    ];
    lines.extend(made(place, allow_cluster_scoped));
    lines.push("`breakfix stop` removes all of it, by the label breakfix.dev/session, and nothing else.".to_owned());
    if registry.is_some_and(|prefix| super::with_slash(prefix) != images::REGISTRY) {
        lines.push("Its nodes get the images from the registry once these commands have pushed them:".to_owned());
        lines.extend(ways_to_images(place, registry, home)?.into_iter().map(|command| format!("  {command}")));
    }
    Ok(lines.join("\n"))
}

/// What would be created, in lines.
fn made(place: &Place, allow_cluster_scoped: bool) -> Vec<String> {
    let mut namespaces: BTreeSet<String> = belongings::namespaces(place).into_iter().map(str::to_owned).collect();
    namespaces.insert(belongings::probe_namespace(place));
    let (mut inside, mut outside) = (BTreeMap::<&str, u32>::new(), BTreeSet::new());
    for document in place.documents.iter().chain(place.files.values().flatten()) {
        let Some(resource) = Resource::built_in(document.api_version.as_deref(), &document.kind) else {
            outside.insert(format!("{} {}", document.kind, document.name));
            continue;
        };
        let namespace = belongings::namespace_of(place, &resource, document.namespace.as_deref());
        if document.kind == "Namespace" {
        } else if belongings::needs_label(place, &resource, namespace) {
            outside.insert(format!("{} {}", document.kind, document.name));
        } else if place.documents.contains(document) {
            *inside.entry(document.kind.as_str()).or_default() += 1;
        }
    }
    let namespaces: Vec<String> = namespaces.into_iter().collect();
    let inside: Vec<String> = inside.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let mut lines = vec![
        format!("creates  the namespaces {}", namespaces.join(", ")),
        format!("         in them {}, and for a moment at each check a probe pod", inside.join(", ")),
    ];
    if !outside.is_empty() {
        let outside: Vec<String> = outside.into_iter().collect();
        let allowed =
            if allow_cluster_scoped { "" } else { " (not allowed: the lab will be refused; --allow-cluster-scoped)" };
        lines.push(format!("         outside of them {}{allowed}", outside.join(", ")));
    }
    lines
}

/// How the images get to the nodes: commands for a registry, or the choice there is. Writes the archive that they name.
pub(super) fn ways_to_images(place: &Place, registry: Option<&str>, home: &Path) -> Result<Vec<String>, TargetError> {
    let own = place.images.iter().cloned().chain([probe::IMAGE.to_owned()]);
    let renamed: BTreeSet<String> = own
        .map(|reference| match (registry, reference.strip_prefix(images::REGISTRY)) {
            (Some(prefix), Some(rest)) => format!("{}{rest}", super::with_slash(prefix)),
            _ => reference,
        })
        .collect();
    let archive = images::keep(&images::archive(&renamed)?, &home.join("images"))?;
    let load = format!("docker load --input {}", archive.display());
    if registry.is_some() {
        return Ok([load]
            .into_iter()
            .chain(renamed.iter().map(|reference| format!("docker push {reference}")))
            .collect());
    }
    Ok(vec![
        format!(
            "Every image of a lab is one small program under many names; the archive {} holds them. Put it on each node \
             (`minikube image load`, `kind load image-archive`, `k3s ctr images import`, `ctr -n k8s.io images import`); \
             a node tells of new images within a minute.",
            archive.display()
        ),
        "Or push it to a registry of yours and name that with `--registry PREFIX`; breakfix then says which commands push it.".to_owned(),
        format!(
            "If the nodes have the images and do not list them: `--registry {}`.",
            images::REGISTRY.trim_end_matches('/')
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::belongings::tests::{document, place};

    #[test]
    fn everything_that_would_be_made_is_named() {
        let place = place(vec![
            document("Namespace", "shop", None),
            document("Deployment", "web", None),
            document("Deployment", "api", None),
            document("ClusterRole", "reader", None),
            document("ConfigMap", "coredns", Some("kube-system")),
        ]);
        let lines = made(&place, false).join("\n");
        assert!(lines.contains("namespaces breakfix-probe-s1, shop"), "{lines}");
        assert!(lines.contains("2 Deployment"), "{lines}");
        assert!(lines.contains("ClusterRole reader, ConfigMap coredns (not allowed"), "{lines}");
        assert!(!made(&place, true).join("\n").contains("not allowed"));
    }

    #[test]
    fn images_for_a_registry_bear_its_name() {
        let home = tempfile::tempdir().unwrap();
        let commands = ways_to_images(&place(Vec::new()), Some("reg.example.com/team"), home.path()).unwrap();
        assert!(commands[0].starts_with("docker load --input "), "{commands:?}");
        assert!(commands.contains(&"docker push reg.example.com/team/shop/web:1.4".to_owned()), "{commands:?}");
        assert!(commands.contains(&"docker push reg.example.com/team/breakfix/probe:1".to_owned()), "{commands:?}");
        let ways = ways_to_images(&place(Vec::new()), None, home.path()).unwrap().join("\n");
        assert!(ways.contains("--registry"), "{ways}");
    }
}
