//! Scenarios: the API from outside, time by hand.

mod api;
mod around;
mod breaker;
mod connect;
mod fargate;
mod service;
mod shop;
mod task;
mod world;
mod zones;
