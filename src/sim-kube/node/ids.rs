//! Ids as a container runtime gives them.

use breakfix_sim::Chance;
use sha2::{Digest, Sha256};

/// A container's id: 64 hex digits.
pub fn container_id(chance: &mut Chance) -> String {
    (0..4).map(|_| format!("{:016x}", chance.bits())).collect()
}

/// The image's id: stable for each reference.
pub fn image_id(reference: &str) -> String {
    format!("sha256:{}", hex(reference.as_bytes()))
}

/// SHA-256 in hex.
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
