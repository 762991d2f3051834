//! Every write has a revision of its own, higher than all before.

use breakfix_sim_kube::Cluster;

#[derive(Default)]
pub struct Memory {
    seen: u64,
}

pub fn check(cluster: &Cluster, memory: &mut Memory) -> Result<(), String> {
    let now = cluster.store.revision();
    if now < memory.seen {
        return Err(format!("revision {now} after {}", memory.seen));
    }
    if memory.seen > 0 {
        let mut last = memory.seen;
        for event in cluster.store.since(memory.seen).map_err(|error| error.to_string())? {
            if event.revision <= last {
                return Err(format!("write {} follows {last}", event.revision));
            }
            last = event.revision;
            if event.object["metadata"]["resourceVersion"].as_str() != Some(event.revision.to_string().as_str()) {
                return Err(format!("{:?} does not carry its revision", event.key));
            }
        }
    }
    memory.seen = now;
    Ok(())
}
