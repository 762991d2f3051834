//! How many: replicas, surge and unavailability (`deploymentutil`).

use std::sync::Arc;

use serde_json::Value;

use crate::{
    controllers::amounts::scaled,
    object::{number, text},
};

/// Wanted replicas; 1 where nothing is said.
pub(super) fn replicas(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

/// A number of the object's status.
pub(super) fn status(object: &Value, field: &str) -> i64 {
    object["status"][field].as_i64().unwrap_or(0)
}

/// Wanted replicas of several sets together.
pub(super) fn wanted(sets: &[Arc<Value>]) -> i64 {
    sets.iter().map(|set| replicas(set)).sum()
}

/// A number of several sets' statuses together.
pub(super) fn total(sets: &[Arc<Value>], field: &str) -> i64 {
    sets.iter().map(|set| status(set, field)).sum()
}

pub(super) fn is_rolling(deployment: &Value) -> bool {
    text(deployment, "/spec/strategy/type") != "Recreate"
}

/// Pods above the wanted number that a roll-out may make.
pub(super) fn surge_max(deployment: &Value) -> i64 {
    if is_rolling(deployment) { fenceposts(deployment).0 } else { 0 }
}

/// Pods that may be missing during a roll-out.
pub(super) fn unavailable_max(deployment: &Value) -> i64 {
    let wanted = replicas(deployment);
    if !is_rolling(deployment) || wanted == 0 {
        return 0;
    }
    fenceposts(deployment).1.min(wanted)
}

/// `ResolveFenceposts`: surge rounds up, unavailability down; both zero would never move, so one may then be missing.
fn fenceposts(deployment: &Value) -> (i64, i64) {
    let wanted = replicas(deployment);
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let surge = scaled(rolling.get("maxSurge"), wanted, true);
    let unavailable = scaled(rolling.get("maxUnavailable"), wanted, false);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// How many replicas the new set should have now (`NewRSNewReplicas`); `all` includes the new set.
pub(super) fn new_set_replicas(deployment: &Value, all: &[Arc<Value>], new_set_has: i64) -> i64 {
    let wanted = replicas(deployment);
    if !is_rolling(deployment) {
        return wanted;
    }
    let room = wanted + surge_max(deployment) - self::wanted(all);
    if room <= 0 { new_set_has } else { new_set_has + room.min(wanted - new_set_has) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(replicas: i64, surge: Value, unavailable: Value) -> Value {
        json!({"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}})
    }

    #[test]
    fn surge_rounds_up_and_unavailability_down() {
        let three = deployment(3, json!("25%"), json!("25%"));
        assert_eq!((surge_max(&three), unavailable_max(&three)), (1, 0));
        let ten = deployment(10, json!("25%"), json!("25%"));
        assert_eq!((surge_max(&ten), unavailable_max(&ten)), (3, 2));
    }

    #[test]
    fn a_roll_out_that_could_not_move_may_lose_one() {
        let stuck = deployment(3, json!(0), json!("10%"));
        assert_eq!((surge_max(&stuck), unavailable_max(&stuck)), (0, 1));
    }

    #[test]
    fn the_new_set_fills_the_room_there_is() {
        let old = Arc::new(json!({"spec": {"replicas": 3}}));
        let new = Arc::new(json!({"spec": {"replicas": 0}}));
        let three = deployment(3, json!(1), json!(0));
        assert_eq!(new_set_replicas(&three, &[Arc::clone(&old), Arc::clone(&new)], 0), 1);
        assert_eq!(new_set_replicas(&three, &[new], 0), 3);
        let full = Arc::new(json!({"spec": {"replicas": 1}}));
        assert_eq!(new_set_replicas(&three, &[old, full], 1), 1);
    }
}
