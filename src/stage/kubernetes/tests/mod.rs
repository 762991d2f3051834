//! The target against an API server of a few lines, that can be slow, broken, forbidding or empty.

mod changes;
mod changes_seen;
mod context;
mod failures;
mod fake;
mod life;
mod sim;
