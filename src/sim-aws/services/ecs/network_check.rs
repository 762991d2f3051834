//! Whether the subnets and security groups that a network configuration names are there.

use serde_json::json;

use super::find::invalid;
use crate::{AwsError, Call, Cloud, services::iam};

/// Asks EC2 for them, as ECS does.
///
/// # Errors
/// `InvalidParameterException`, with EC2's sentence and code in it.
pub(super) fn exists(cloud: &mut Cloud, subnets: &[String], groups: &[String]) -> Result<(), AwsError> {
    let asked = [
        ("DescribeSubnets", "SubnetIds", subnets, "subnet"),
        ("DescribeSecurityGroups", "GroupIds", groups, "security group"),
    ];
    for (operation, member, ids, word) in asked {
        if ids.is_empty() {
            continue;
        }
        let call = Call {
            service: "ec2".to_owned(),
            operation: operation.to_owned(),
            input: json!({member: ids}),
            caller: iam::operator(&cloud.config),
        };
        if let Err(error) = cloud.call(&call)
            && error.code.starts_with("Invalid")
        {
            return Err(invalid(format!(
                "Error retrieving {word} information for [{}]: {} (ErrorCode: {})",
                ids.join(", "),
                error.message,
                error.code
            )));
        }
    }
    Ok(())
}
