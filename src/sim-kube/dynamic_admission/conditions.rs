//! Match conditions: expressions that say once more whether a webhook or a policy is asked (`…/webhook/matchconditions`).

use serde_json::Value;

use super::review::Review;
use crate::{
    Cluster,
    cel::Expression,
    object::{entries, text},
};

/// What expressions of conditions may name.
pub const VARIABLES: [&str; 5] = ["object", "oldObject", "request", "namespaceObject", "params"];

/// Whether all conditions hold. One that does not hold outweighs any that cannot be worked out.
///
/// # Errors
/// Why a condition cannot be worked out.
pub(super) fn hold(cluster: &Cluster, holder: &Value, review: &Review<'_>) -> Result<bool, String> {
    let conditions = entries(holder, "/matchConditions");
    if conditions.is_empty() {
        return Ok(true);
    }
    let (request, namespace) = (review.request(), review.namespace_object(cluster));
    let variables =
        [("object", review.object), ("oldObject", review.old), ("request", &request), ("namespaceObject", &namespace)];
    let mut trouble = Vec::new();
    for condition in conditions {
        let held = Expression::compile(text(condition, "/expression"), &VARIABLES)
            .and_then(|expression| expression.holds(&variables));
        match held {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(why) => trouble.push(why),
        }
    }
    if trouble.is_empty() { Ok(true) } else { Err(trouble.join(", ")) }
}
