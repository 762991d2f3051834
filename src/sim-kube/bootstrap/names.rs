//! What the nodes are called, as kind calls them.

/// The control plane's node first, then the workers.
pub fn node_names(workers: u32) -> Vec<String> {
    let workers = (1..=workers).map(|number| match number {
        1 => "breakfix-worker".to_owned(),
        number => format!("breakfix-worker{number}"),
    });
    std::iter::once("breakfix-control-plane".to_owned()).chain(workers).collect()
}
