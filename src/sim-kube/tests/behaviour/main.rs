//! What a simulated cluster does with objects, from the outside: objects in, states and events out.
//!
//! `world` is the cluster under test with its invariants, `golden` compares with a real cluster's records where they are present; the other
//! files are scenarios. Each says where its expectation comes from.

mod collecting;
mod deployments;
mod golden;
mod invariants;
mod programs;
mod repeatable;
mod scheduling;
mod services;
mod volumes;
mod world;
