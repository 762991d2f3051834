//! Amazon ECS: clusters, task definitions, services, tasks, capacity.
//!
//! The API's operations are in the files named after what they are about; `scheduler/` keeps services at what they should be; what a
//! task does once it is created is `crate::tasks`' affair.

mod capacity;
mod clusters;
mod connect;
pub mod control;
mod definitions;
mod deployments;
mod drain;
mod expression;
mod find;
mod instances;
mod machines;
mod needs;
mod network_check;
mod page;
mod placement;
mod registries;
mod scheduler;
mod service_calls;
mod service_view;
mod settings;
mod state;
mod tags;
mod task_calls;
mod task_view;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use deployments::alarm_changed;
pub use instances::{Joining, caller as instance_caller, connect, hears, interface as instance_interface, join, leave};
pub(crate) use machines::instance_changed;
pub use needs::needs;
pub(crate) use registries::leave as leave_registries;
pub use state::State;

use crate::{AwsError, Call, Cloud};

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreateCluster" => clusters::create(cloud, call),
        "DescribeClusters" => clusters::describe(cloud, call),
        "ListClusters" => clusters::list_all(cloud, call),
        "DeleteCluster" => clusters::delete(cloud, call),
        "UpdateCluster" | "UpdateClusterSettings" => clusters::update(cloud, call),
        "PutClusterCapacityProviders" => clusters::put_providers(cloud, call),
        "CreateCapacityProvider" => capacity::create_provider(cloud, call),
        "DescribeCapacityProviders" => capacity::describe_providers(cloud, call),
        "UpdateCapacityProvider" => capacity::update_provider(cloud, call),
        "DeleteCapacityProvider" => capacity::delete_provider(cloud, call),
        "RegisterTaskDefinition" => definitions::register(cloud, call),
        "DescribeTaskDefinition" => definitions::describe(cloud, call),
        "ListTaskDefinitions" => definitions::list_all(cloud, call),
        "ListTaskDefinitionFamilies" => definitions::list_families(cloud, call),
        "DeregisterTaskDefinition" => definitions::deregister(cloud, call),
        "DeleteTaskDefinitions" => definitions::delete(cloud, call),
        "CreateService" => service_calls::create(cloud, call),
        "UpdateService" => service_calls::update(cloud, call),
        "DeleteService" => service_calls::delete(cloud, call),
        "DescribeServices" => service_calls::describe(cloud, call),
        "ListServices" => service_calls::list_all(cloud, call),
        "DescribeServiceDeployments" => deployments::describe(cloud, call),
        "ListServiceDeployments" => deployments::list_all(cloud, call),
        "DescribeServiceRevisions" => deployments::describe_revisions(cloud, call),
        "StopServiceDeployment" => deployments::stop(cloud, call),
        "RunTask" => task_calls::run(cloud, call),
        "StartTask" => task_calls::start(cloud, call),
        "StopTask" => task_calls::stop(cloud, call),
        "DescribeTasks" => task_calls::describe(cloud, call),
        "ListTasks" => task_calls::list_all(cloud, call),
        "ExecuteCommand" => task_calls::execute(cloud, call),
        "UpdateTaskProtection" => task_calls::protect(cloud, call),
        "GetTaskProtection" => task_calls::protection(cloud, call),
        "RegisterContainerInstance" => instances::register(cloud, call),
        "DeregisterContainerInstance" => instances::deregister(cloud, call),
        "DescribeContainerInstances" => instances::describe(cloud, call),
        "ListContainerInstances" => instances::list_all(cloud, call),
        "UpdateContainerInstancesState" => instances::update_state(cloud, call),
        "PutAttributes" => instances::put_attributes(cloud, call),
        "DeleteAttributes" => instances::delete_attributes(cloud, call),
        "ListAttributes" => instances::list_attributes(cloud, call),
        "TagResource" => tags::tag(cloud, call),
        "UntagResource" => tags::untag(cloud, call),
        "ListTagsForResource" => tags::list_of(cloud, call),
        "PutAccountSetting" | "PutAccountSettingDefault" => settings::put(cloud, call),
        "DeleteAccountSetting" => settings::delete(cloud, call),
        "ListAccountSettings" => settings::list_all(cloud, call),
        other => Err(AwsError::not_simulated("ecs", other)),
    }
}

/// Something of a service is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EcsEvent {
    /// A service is compared with what it should be.
    Look { service: String },
    /// The agent of an EC2 instance has started.
    Join { instance: String },
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: EcsEvent) {
    match event {
        EcsEvent::Look { service } => scheduler::reconcile(cloud, &service),
        EcsEvent::Join { instance } => machines::agent_started(cloud, &instance),
    }
}

/// The balancer has seen a target's state change: its service looks at its tasks again. `id` is the target's address or instance.
pub fn target_changed(cloud: &mut Cloud, group_arn: &str, id: &str, port: u16) {
    let is_it = |target: &crate::tasks::Target| target.group == group_arn && target.id == id && target.port == port;
    let found = cloud.tasks.tasks.values().filter(|task| task.targets.iter().any(is_it));
    let found: Vec<(String, Option<String>)> =
        found.map(|task| (task.id.clone(), task.membership.as_ref().map(|it| it.service.clone()))).collect();
    for (task, service) in found {
        crate::tasks::drained(cloud, &task);
        if let Some(service) = service {
            scheduler::look(cloud, &service);
        }
    }
}

/// A task has another state.
pub(crate) fn task_changed(cloud: &mut Cloud, id: &str) {
    scheduler::task_changed(cloud, id);
}

/// A container's image has been found: its deployment keeps to the digest from here on (version consistency).
pub(crate) fn image_resolved(cloud: &mut Cloud, id: &str, container: usize) {
    let Some(task) = cloud.tasks.get(id) else { return };
    let (Some(membership), Some(held)) = (&task.membership, task.containers.get(container)) else { return };
    let Some(plan) = task.plan.container(&held.name).filter(|plan| plan.pins_digest) else { return };
    let (name, digest) = (plan.name.clone(), held.digest.clone());
    let (service, deployment) = (membership.service.clone(), membership.deployment.clone());
    let service = cloud.ecs.services.get_mut(&service);
    let found = service.and_then(|it| it.deployments.iter_mut().find(|it| it.id == deployment));
    if let (Some(found), Some(digest)) = (found, digest) {
        found.digests.entry(name).or_insert(digest);
    }
}

#[cfg(test)]
mod tests;
