//! Dates in requests and answers. In a [`crate::Call`] and its answer a date is epoch seconds as a number, with a fraction where there
//! is one; the wire writes it as each protocol does (ISO 8601 in XML).
//!
//! A service *keeps* moments as [`breakfix_sim::SimTime`] and dates them when it answers (`moment::of(cloud, at)`): when skipped time
//! becomes the past, only the clock's date moves, and everything that was kept is older by itself. A date that is kept as a text or a
//! number would go stale.

use breakfix_sim::SimTime;
use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::Cloud;

/// The date of a moment, as answers say it.
pub fn of(cloud: &Cloud, at: SimTime) -> Value {
    written(cloud.clock.date(at))
}

/// The present date.
pub fn now(cloud: &Cloud) -> Value {
    written(cloud.clock.today())
}

/// A date as epoch seconds: whole ones as an integer, others to the millisecond.
pub fn written(date: Timestamp) -> Value {
    let millis = date.as_millisecond();
    if millis % 1_000 == 0 {
        return Value::from(millis / 1_000);
    }
    Number::from_f64(millis as f64 / 1_000.0).map_or(Value::Null, Value::Number)
}

/// A date out of a request or an answer: epoch seconds as a number or a text, or ISO 8601.
pub fn read(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.parse::<f64>() {
            Ok(seconds) => seconds,
            Err(_) => return text.parse().ok(),
        },
        _ => return None,
    };
    // The cast of a float that is too large saturates, and what comes of it is no date.
    seconds.is_finite().then(|| Timestamp::from_millisecond((seconds * 1_000.0).round() as i64).ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_date_is_read_as_it_is_written() {
        for text in ["2026-11-21T12:00:00Z", "2026-11-21T12:00:00.250Z"] {
            let date: Timestamp = text.parse().unwrap();
            assert_eq!(read(&written(date)), Some(date), "{text}");
            assert_eq!(read(&json!(text)), Some(date), "{text}");
        }
        assert_eq!(read(&json!("1795262400")), read(&json!(1_795_262_400)));
        for wrong in [json!("soon"), json!(null), json!(1e300), json!("nan")] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
