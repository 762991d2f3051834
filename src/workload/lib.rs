//! The program that runs in every container of every lab, as a library.
//!
//! It has two hosts. On real systems `main.rs` and `host/` give it threads, sockets and signals; the build script compiles
//! that into one static Linux program, which is [`PROGRAM`]. In the simulators the same code is linked in and asked what a
//! container does. So nothing in the library touches the outside: all of it goes through [`Machine`].
//!
//! The way in is [`boot`]; what runs afterwards is a [`Program`]; what `exec` starts is [`tool::run`].
//! `README.md` beside this file lists every role, variable, endpoint, exit code and tool.

#[cfg(not(embedded))]
mod binary;
mod boot;
mod client;
pub mod dns;
mod end;
mod fetch;
pub mod http1;
mod jobs;
mod json;
mod machine;
mod memory_machine;
mod message;
mod program;
pub mod resolver;
mod rounds;
pub mod server;
mod settings;
mod shared;
mod ship;
mod span;
mod stop;
mod store;
mod timer;
pub mod tool;
mod url;
mod wait_for;
mod worker;

#[cfg(not(embedded))]
pub use binary::{PROGRAM, PROGRAM_MISSING};
pub use boot::{Boot, ROLES, boot, tool_of};
pub use client::Client;
pub use end::{DATA_IN_USE, End, FAILED, MISCONFIGURED, USAGE};
pub use fetch::{Fetched, fetch, reach};
pub use json::Object as JsonObject;
pub use machine::{
    CallError, DnsReply, FileError, FileKind, LockError, Machine, NoReply, ParameterError, Process, RecordKind,
    Records, SignalError, Stat, Stream, User, WriteMode,
};
pub use memory_machine::{MemoryFiles, MemoryMachine};
pub use message::{Request, Response};
pub use program::{BASE_BYTES, Entry, Listen, Outcome, Program, Reaction};
pub use resolver::ResolveError;
pub use server::Server;
pub use settings::{SETTINGS, Setting, SettingError, Settings};
pub use ship::Ship;
pub use span::{parse_span, write_span};
pub use stop::{SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, StopRule};
pub use store::Store;
pub use timer::Timer;
pub use url::{Url, UrlError};
pub use wait_for::WaitFor;
pub use worker::Worker;
