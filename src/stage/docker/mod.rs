//! The target `docker`: any engine, through its API.
