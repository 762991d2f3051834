//! Who can reach whom: one judgement over routes, gateways, endpoints, security groups and network ACLs, asked by everything that connects.

mod exchange;
mod names;
mod probe;
#[cfg(test)]
pub(crate) mod testbed;
mod traffic;
mod way;
#[cfg(test)]
mod way_tests;

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

pub use exchange::{Exchange, exchange, exchange_timed};
pub use names::resolve;
pub use probe::ask_from;
pub use traffic::carry;
pub use way::{Lost, Path, path, way, way_in};

/// Somewhere on the internet (a range for documentation, RFC 5737): whom `Destination::Internet` stands for, and who asks public balancers.
pub const INTERNET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

/// A network interface: where every connection inside the VPC begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InterfaceId(pub String);

/// What becomes of a connection on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// It arrives; whether anybody listens there is another question.
    Open,
    /// Nothing comes back: no route, a security group or an ACL in between, in either direction.
    Silent,
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Destination {
    /// An AWS API in this region.
    Service(AwsService),
    /// Anywhere on the internet, by HTTPS.
    Internet,
    /// An address of the VPC, or a public one.
    Address(Ipv4Addr, u16),
}

/// The AWS APIs that a task calls on its way up, and the last part of their VPC endpoint's name (`com.amazonaws.REGION.ecr.api`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AwsService {
    EcrApi,
    EcrDkr,
    S3,
    Logs,
    SecretsManager,
    Ssm,
    Kms,
    SsmMessages,
}

impl AwsService {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EcrApi,
        Self::EcrDkr,
        Self::S3,
        Self::Logs,
        Self::SecretsManager,
        Self::Ssm,
        Self::Kms,
        Self::SsmMessages,
    ];

    /// The last part of its endpoint's name: `ecr.api`.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::EcrApi => "ecr.api",
            Self::EcrDkr => "ecr.dkr",
            Self::S3 => "s3",
            Self::Logs => "logs",
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "ssm",
            Self::Kms => "kms",
            Self::SsmMessages => "ssmmessages",
        }
    }

    /// One public address of it, for those that do not reach it by an endpoint.
    pub fn public_address(self) -> Ipv4Addr {
        match self {
            Self::S3 => Ipv4Addr::new(52, 219, 168, 17),
            Self::EcrApi => Ipv4Addr::new(52, 94, 140, 11),
            Self::EcrDkr => Ipv4Addr::new(52, 94, 140, 12),
            Self::Logs => Ipv4Addr::new(52, 94, 140, 13),
            Self::SecretsManager => Ipv4Addr::new(52, 94, 140, 14),
            Self::Ssm => Ipv4Addr::new(52, 94, 140, 15),
            Self::Kms => Ipv4Addr::new(52, 94, 140, 16),
            Self::SsmMessages => Ipv4Addr::new(52, 94, 140, 17),
        }
    }

    /// The service of an endpoint's name: `com.amazonaws.eu-central-1.ecr.api`.
    pub fn of_endpoint(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("com.amazonaws.")?;
        let (_, last) = rest.split_once('.')?;
        Self::ALL.into_iter().find(|service| service.endpoint() == last)
    }
}
