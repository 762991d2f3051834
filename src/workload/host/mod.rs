//! The real host: a Linux system, reached through the standard library and a few calls of the C library.

mod children;
mod files;
mod hold;
pub mod names;
mod network;
mod run;
mod serve;
mod system;

pub use run::{hold_signals, run};
pub use system::{Input, Linux};
