//! One request, as every protocol means it: who asks which operation of which service for what.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request. `input` has the members of the operation's input shape under the API's own names (`taskDefinition`, `TargetGroupArn`),
/// lists as arrays and maps as objects, whichever protocol brought it; so has the answer. Query protocols bring every scalar as a string.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The service's signing name: `ecs`, `elasticloadbalancing`, `iam`, `ec2`, `logs` …
    pub service: String,
    /// `CreateService`.
    pub operation: String,
    pub input: Value,
    pub caller: Caller,
}

/// Who asks, known by the signature's access key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Caller {
    /// `arn:aws:iam::ACCOUNT:user/NAME`, or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub arn: String,
}
