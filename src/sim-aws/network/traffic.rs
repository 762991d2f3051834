//! What goes through the NAT gateways, in bytes: what they cost.

use super::{Destination, InterfaceId, Path, path};
use crate::Cloud;

/// Counts bytes, both ways together, of a connection from this interface, where they go through a NAT gateway.
pub fn carry(cloud: &mut Cloud, from: &InterfaceId, to: &Destination, bytes: u64) {
    if let Ok(Path::Nat(id)) = path(cloud, from, to)
        && let Some(gateway) = cloud.ec2.nat_gateways.get_mut(&id)
    {
        gateway.bytes = gateway.bytes.saturating_add(bytes);
    }
}
