//! The HTTP side of the API: routes, media types, bodies, lists, answers.

pub mod body;
pub mod collection;
mod discovery;
mod go_json;
mod log;
pub mod media;
pub mod pages;
mod patching;
pub(super) mod proxy;
mod questions;
mod readings;
pub mod reply;
pub mod resource;
pub mod route;
mod subresource;
mod token;
