//! A request at its end: the program answers it, and its answer takes the time it takes.

use std::time::Duration;

use breakfix_workload::{CallError, End, Machine as _, Outcome, Request, Response, SIGKILL, Stream};

use super::{Caller, ROUND_TRIP};
use crate::{
    Cluster,
    node::{Ending, Inside, crash, is_over_memory, rearm, spec},
};

/// The run that listens.
pub(super) struct To {
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) run: u32,
}

/// Longer than any caller waits.
const FOR_EVER: Duration = Duration::from_secs(1 << 32);

pub(super) fn deliver(
    cluster: &mut Cluster,
    caller: &Caller,
    to: To,
    request: &Request,
) -> (Result<Response, CallError>, Duration) {
    let To { pod, container, run } = to;
    let found = cluster.nodes.pods.get(&pod).and_then(|pod| pod.run(&container, run)).and_then(|run| run.program());
    let Some(program) = found else { return (Err(CallError::Refused), ROUND_TRIP) };
    let limit = cluster.nodes.pods.get(&pod).and_then(|pod| spec::cpu_limit(&pod.pod, &container));
    let mut inside = Inside::main(cluster, &pod, &container, run, caller.lead + ROUND_TRIP, caller.depth + 1);
    let outcome = program.handle(request, &mut inside);
    let spent = inside.lead - caller.lead;
    let at = inside.now();
    if is_over_memory(cluster, &pod, &container, at) {
        crash(cluster, &pod, &container, run, Ending { at, end: End::Signal(SIGKILL), is_oom: true });
        return (Err(CallError::Reset), spent);
    }
    rearm(cluster, &pod, &container, run);
    match outcome {
        Outcome::Answer { response, cpu, delay, entry } => {
            crate::node::spend(cluster, &pod, &container, cpu);
            let own = cluster.nodes.pods.get_mut(&pod).and_then(|pod| pod.run_mut(&container, run));
            let computing = own.map_or(cpu, |run| run.throttle.work(at, cpu, limit));
            let took = spent + computing + delay;
            if let Some(entry) = entry {
                let mut inside = Inside::main(cluster, &pod, &container, run, caller.lead + took, caller.depth + 1);
                let line = entry.line(inside.uptime());
                inside.print(Stream::Out, &line);
            }
            (Ok(response), took)
        }
        Outcome::Hang => (Err(CallError::TimedOut), FOR_EVER),
    }
}
