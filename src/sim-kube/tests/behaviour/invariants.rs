//! What must hold after every event of every scenario, one rule a file.

mod endpoints_are_pods;
mod one_node_a_pod;
mod revisions_rise;
mod roll_outs_keep_their_bounds;
mod statuses_add_up;

use breakfix_sim_kube::Cluster;

/// What the rules remember between events.
#[derive(Default)]
pub struct Memory {
    revisions: revisions_rise::Memory,
    nodes: one_node_a_pod::Memory,
}

/// Checks everything; the panic names the rule and the moment.
pub fn check(cluster: &Cluster, memory: &mut Memory) {
    let broken = [
        ("revisions rise", revisions_rise::check(cluster, &mut memory.revisions)),
        ("one node a pod", one_node_a_pod::check(cluster, &mut memory.nodes)),
        ("endpoints are pods", endpoints_are_pods::check(cluster)),
        ("statuses add up", statuses_add_up::check(cluster)),
        ("roll-outs keep their bounds", roll_outs_keep_their_bounds::check(cluster)),
    ];
    for (rule, broken) in broken {
        if let Err(why) = broken {
            panic!("{rule}: {why} (at {} ms)", cluster.now().0);
        }
    }
}
