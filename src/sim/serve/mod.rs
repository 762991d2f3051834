//! A simulator behind a door: the parts that are the same whatever it simulates.
//!
//! [`host::Host`] holds a [`world::World`] and lets inputs in, one at a time, each written down first ([`record`]); a panic inside is one
//! request's affair ([`safely`]). [`process`] is the detached process of a session, [`pipe`] a connection inside this one. What an
//! input is, and what is answered, is the simulator's own `serve/`.

pub mod host;
pub mod pipe;
pub mod process;
pub mod record;
pub mod safely;
pub mod world;

#[cfg(test)]
mod tests;
