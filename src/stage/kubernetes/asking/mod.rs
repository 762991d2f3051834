//! Questions to the API beyond lists: rights, dry runs, logs.

mod access;
mod dry_run;
mod logs;

pub(super) use dry_run::evict;
