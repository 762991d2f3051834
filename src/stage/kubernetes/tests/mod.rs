//! The target against an API server of a few lines, that can be slow, broken, forbidding or empty.

mod changes;
mod context;
mod failures;
mod fake;
mod life;
mod sim;
