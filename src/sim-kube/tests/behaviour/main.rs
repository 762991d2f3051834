//! What a simulated cluster does with objects, from the outside: objects in, states and events out.
//!
//! `world` is the cluster under test with its invariants, `golden` compares with a real cluster's records where they are present; the other
//! files are scenarios. Each says where its expectation comes from.

mod autoscalers;
mod budgets;
mod claims;
mod collecting;
mod daemon_sets;
mod deployments;
mod doors;
mod evictions;
mod golden;
mod ingress;
mod invariants;
mod jobs;
mod machines;
mod node_lifecycle;
mod policies;
mod preemption;
mod programs;
mod repeatable;
mod replication_controllers;
mod scheduling;
mod services;
mod stateful_sets;
mod volumes;
mod world;
