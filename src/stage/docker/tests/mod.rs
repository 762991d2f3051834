//! The target on a real engine. Skipped, and said so, where there is none; a failure where BREAKFIX_REQUIRE names `docker`.

mod change;
mod changes_seen;
mod life;
mod observe;
mod scene;
