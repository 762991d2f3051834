//! Texts with a form of their own: quantities, times, durations.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::quantity::Quantity;

/// A quantity's canonical text.
///
/// # Errors
/// The API's own words.
pub fn quantity_text(text: &str) -> Result<String, String> {
    Quantity::parse(text.trim()).map(|quantity| quantity.to_string()).map_err(|error| error.to_string())
}

/// A time in the API's form: UTC, with seconds or microseconds.
///
/// # Errors
/// Go's own words.
pub fn timestamp(text: &str, micros: bool) -> Result<String, String> {
    let layout = if micros { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let date: Timestamp = text.parse().map_err(|_| {
        format!("parsing time {:?} as {layout:?}: cannot parse {text:?} as \"2006\"", format!("{text:?}"))
    })?;
    Ok(if micros { micros_text(date) } else { seconds_text(date) })
}

/// `2026-11-21T11:07:31Z`.
pub fn seconds_text(date: Timestamp) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-21T11:07:31.000000Z`.
pub fn micros_text(date: Timestamp) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Go's `time.ParseDuration` for positive durations: `1h2m3.5s`, `300ms`.
pub fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match rest.get(..end)? {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number * unit;
        rest = rest.get(end..)?;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(total).ok() }
}
