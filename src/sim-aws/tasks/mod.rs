//! Tasks: what becomes of one from its first state to its last, with the workload inside its containers.
//!
//! `life` moves a task from state to state; `resources` and `pull` are what its agent fetches before the start, as any client of the
//! account's services; `run` and `machine` hold the programs; `account` is what these ask of AWS themselves; `deliver` brings them
//! requests. Who wants tasks, and how many, is `services/ecs`' affair.

mod account;
mod connect;
mod deliver;
mod exec;
mod files;
mod health;
mod launch;
mod life;
mod logs;
mod machine;
mod plan;
mod pull;
mod resources;
mod run;
mod task;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

pub use connect::{Connect, Endpoint, Served};
pub use deliver::exchange;
pub use exec::{ExecResult, exec};
pub use life::{Order, agent_is_back, create, drained, kill, stop};
pub use plan::{Condition, ContainerPlan, NetworkMode, Plan, PortPlan};
pub use task::{
    Binding, Container, Health, Host, LastStatus, Link, Membership, Network, State as ContainerState, StopCode, Target,
    Task,
};

use crate::{Cloud, event::Event};

/// All tasks, living and lately stopped.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By id.
    pub tasks: BTreeMap<String, Task>,
    /// Files that outlive tasks, by file system and path.
    shared: BTreeMap<String, files::Disk>,
    /// Locked files and who holds them.
    locks: BTreeMap<String, String>,
    /// How far the program that is being asked something right now is ahead of the cloud's clock; zero between events.
    ahead: Duration,
    /// A program has asked somebody outside its task since this was last put back.
    went_out: bool,
}

impl State {
    pub fn get(&self, id: &str) -> Option<&Task> {
        self.tasks.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Task> {
        self.tasks.get_mut(id)
    }
}

/// Something of a task is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TaskEvent {
    /// Its agent goes on, unless a later step has been decided.
    Step { task: String, number: u64, step: Step },
    /// A program's own moment.
    Program { task: String, container: String },
    /// A container's health is asked.
    Check { task: String, container: String },
    /// The answer is there.
    Checked { task: String, container: String, is_well: bool, stays_inside: bool },
    /// The time to stop is over.
    Kill { task: String, container: String },
    /// A container's restart policy.
    Restart { task: String, container: String },
    /// The log driver sends.
    Flush { task: String, container: String },
    /// Its capacity is gone, whatever it still does.
    Lose { task: String },
    /// A stopped task is shown no longer.
    Forget { task: String },
}

/// What a task's agent does next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    Attach,
    Prepare,
    Fail { reason: String },
    Pull { container: usize, attempt: u32 },
    Launch,
    Run,
    Deactivated,
    Deprovision,
    End,
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: TaskEvent) {
    match event {
        TaskEvent::Step { task, number, step } => life::step(cloud, &task, number, step),
        TaskEvent::Program { task, container } => {
            run::wake(cloud, &task, &container);
            health::stir(cloud, &task);
        }
        TaskEvent::Check { task, container } => health::check(cloud, &task, &container),
        TaskEvent::Checked { task, container, is_well, stays_inside } => {
            health::checked(cloud, &task, &container, is_well, stays_inside);
        }
        TaskEvent::Kill { task, container } => {
            run::interrupt(cloud, &task, &container, breakfix_workload::SIGKILL, Duration::ZERO);
        }
        TaskEvent::Restart { task, container } => launch::restart(cloud, &task, &container),
        TaskEvent::Flush { task, container } => logs::flush(cloud, &task, &container),
        TaskEvent::Lose { task } => life::kill(cloud, &task),
        TaskEvent::Forget { task } => {
            cloud.tasks.tasks.remove(&task);
        }
    }
}

/// Queues the next step of a task's agent; it replaces one that is queued already.
fn after(cloud: &mut Cloud, task: &str, time: Duration, step: Step) {
    let Some(found) = cloud.tasks.get_mut(task) else { return };
    found.step += 1;
    let event = TaskEvent::Step { task: task.to_owned(), number: found.step, step };
    cloud.after(time, Event::Task(event));
}

/// A time between two bounds, by chance.
fn between(cloud: &mut Cloud, least: u64, most: u64) -> Duration {
    Duration::from_millis(least + cloud.chance.below(most.saturating_sub(least) + 1))
}
