//! The desired count of a service of ECS: read and set through ECS' own API.

use serde_json::{Value, json};

use super::state::Activity;
use crate::{AwsError, Call, Cloud, input, services::iam};

/// Activities that are kept.
const MOST: usize = 200;

/// `service/CLUSTER/SERVICE`.
fn parts(resource: &str) -> Option<(&str, &str)> {
    resource.strip_prefix("service/")?.split_once('/')
}

/// Application Auto Scaling comes with a role of its own that may do just this; nobody of the account can take it away.
fn ask(cloud: &mut Cloud, operation: &str, input: Value) -> Result<Value, AwsError> {
    let caller = iam::operator(&cloud.config);
    cloud.call(&Call { service: "ecs".to_owned(), operation: operation.to_owned(), input, caller })
}

/// None: there is no such service.
pub fn read(cloud: &mut Cloud, resource: &str) -> Option<u64> {
    let (cluster, service) = parts(resource)?;
    let answer = ask(cloud, "DescribeServices", json!({"cluster": cluster, "services": [service]})).ok()?;
    let found = input::list(&answer, "services").first()?;
    if input::text(found, "status") == Some("INACTIVE") {
        return None;
    }
    input::integer(found, "desiredCount").and_then(|it| u64::try_from(it).ok())
}

/// Sets it and notes why.
pub fn set(cloud: &mut Cloud, resource: &str, count: u64, cause: &str) {
    let Some((cluster, service)) = parts(resource) else { return };
    let change = json!({"cluster": cluster, "service": service, "desiredCount": count});
    if ask(cloud, "UpdateService", change).is_err() {
        return;
    }
    let activity = Activity {
        id: cloud.chance.uuid(),
        resource: resource.to_owned(),
        description: format!("Setting desired count to {count}."),
        cause: cause.to_owned(),
        at: cloud.now(),
    };
    let activities = &mut cloud.application_autoscaling.activities;
    activities.push(activity);
    let surplus = activities.len().saturating_sub(MOST);
    activities.drain(..surplus);
}
