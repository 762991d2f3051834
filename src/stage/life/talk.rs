//! What a long step tells whoever waits for it.

/// Takes short lines about what is going on; a terminal shows the latest, a log keeps them all.
pub trait Talk: Send + Sync {
    /// "waiting until the system is healthy": present, lower case, no full stop.
    fn now(&self, line: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Talk for Silent {
    fn now(&self, _line: &str) {}
}
