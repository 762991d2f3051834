//! Sessions on real and simulated systems: all I/O of breakfix lives here.
//!
//! A [`target::Target`] carries out changes and fetches observations; it decides nothing. What is asked and what an answer
//! means is `breakfix-grade`'s; the order of a session (`life/`) and its journal are here.
//! Adding a target touches one folder here and one line in `target/mod.rs`.

mod asking;
mod aws;
pub mod docker;
pub mod home;
pub mod image;
pub mod journal;
pub mod kubernetes;
pub mod life;
pub mod session;
pub mod target;
pub mod venue;
mod with;
mod work;

pub use home::Home;
pub use journal::Journal;
pub use session::Session;
pub use target::{Place, Target, TargetError};
