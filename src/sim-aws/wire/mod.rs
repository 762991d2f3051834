//! From bytes to a [`crate::Call`] and back: the protocols of the services, signatures, errors. Pure: an HTTP request in, an HTTP answer out.
//!
//! The way of a request: `protocol` (what does it speak), `sign` (who says so), `asked` (service, operation, members: `form`, `typed`,
//! `rest` and `cbor` read them by the `model`), `gate` (does the signature hold), then the call, then `answer` (`json`, `xml`, `cbor`).
//! `refusal` has what is refused before a service is asked. A request that breaks none of this may still be refused by its service.
//!
//! A service more: a line in `tests/botocore/mod.rs`, a name in `model/mod.rs`, and `UPDATE_MODELS=1 cargo test --test model_tables`. An
//! operation more of a service whose table holds some only (EC2, Logs, SSM, CodeDeploy): a name in `tests/botocore/mod.rs`.

pub mod answer;
pub mod asked;
pub mod cbor;
pub mod departures;
pub mod form;
pub mod gate;
pub mod json;
pub mod malformed;
pub mod message;
pub mod model;
pub mod protocol;
pub mod refusal;
pub mod rest;
pub mod sign;
pub mod typed;
pub mod xml;

pub use asked::{Asked, Unreadable};
pub use departures::departures;
pub use message::{Request, Response};
pub use protocol::Protocol;
