//! The network: addresses, names, and who reaches whom.

use serde::{Deserialize, Serialize};

/// Addresses handed out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Network {}
