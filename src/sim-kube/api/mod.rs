//! What an API server does with a request.
//!
//! `verbs` is the one door to the store: requests over the wire, controllers and nodes all change objects through it (`write/`), so
//! defaults, validation, generations, finalizers and managedFields hold for everybody. `handle` answers HTTP requests with it (`http/`);
//! what goes on for longer it describes (`watch`, `stream`) and `serve/` carries out.
//!
//! Facts about types stand in one table (`data/types.txt`, read by `schema/`). Decoding, protobuf, both merges (`patch/strategic`,
//! `managed/`) and the published schemas (`openapi/`) all follow it. What a kind *means* stands in `kinds/`.
//!
//! When you add a kind: a row in `kind/rows.rs`; its types in `data/types.txt`; its type in `openapi/schemas.rs`, for the descriptions; a layout
//! in `table/`; a file in `kinds/` if it has defaults or rules; its fields in `select/field.rs` if it can be selected by any. When you add a
//! subresource: its name in the row, an arm in `http/subresource.rs`, what it takes and gives in `http/discovery.rs` and `openapi/paths.rs`.

pub mod check;
pub mod conversion;
#[cfg(test)]
mod golden;
pub mod handle;
pub mod http;
pub mod kinds;
#[cfg(test)]
mod laws;
pub mod managed;
pub mod openapi;
pub mod patch;
pub mod protobuf;
pub mod quantity;
pub mod schema;
pub mod select;
pub mod stream;
pub mod table;
pub mod verbs;
pub mod watch;
pub mod write;

pub use handle::{ApiRequest, ApiResponse, Content, Reply, User, handle};
pub(crate) use http::proxy::is_handed_on;
