//! How a simulated account begins.

use breakfix_sim_aws::{Config, services::iam::principals::Credentials};
use jiff::Timestamp;

/// AWS's own example account.
pub(super) const ACCOUNT: &str = "123456789012";
/// Where labs are simulated.
pub(super) const REGION: &str = "eu-central-1";

/// A new account. The same seed and date make the same account.
pub(super) fn config(seed: u64, date: Timestamp) -> Config {
    let key = |number: u64, prefix: &str| Credentials {
        access_key_id: format!("{prefix}{}", word(seed, number).to_uppercase()),
        secret_access_key: format!("{}{}{}", word(seed, number + 1), word(seed, number + 2), word(seed, number + 3)),
    };
    Config {
        seed,
        date,
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        images: Default::default(),
        learner: key(u64::MAX - 8, "AKIA"),
        operator: key(u64::MAX - 16, "AKIA"),
    }
}

/// The word of this number: sixteen hexadecimal digits that look like no counter (splitmix64's step over the seed).
pub(super) fn word(seed: u64, number: u64) -> String {
    let mixed = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    format!("{:016x}", mixed ^ (mixed >> 27))
}

/// Long-term credentials of the simulator's, as a signer wants them.
pub(super) fn credentials(key: &Credentials) -> aws_credential_types::Credentials {
    aws_credential_types::Credentials::new(&key.access_key_id, &key.secret_access_key, None, None, "breakfix")
}
