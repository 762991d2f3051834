//! Spans of time as people write them: `500ms`, `40s`, `2m`, `1h`; a bare number counts seconds.

use std::time::Duration;

/// Read a span; `None` where it is none.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Write a span in the largest unit that loses nothing below a millisecond.
#[must_use]
pub fn write_span(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if !millis.is_multiple_of(1_000) => format!("{millis}ms"),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ => format!("{}s", millis / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for text in ["500ms", "40s", "2m", "1h", "90s"] {
            assert_eq!(write_span(parse_span(text).unwrap()), text);
        }
        assert_eq!(parse_span("7"), Some(Duration::from_secs(7)));
        for wrong in ["", "s", "5x", "-1s", "1.5s", "99999999999999999999h"] {
            assert_eq!(parse_span(wrong), None, "{wrong}");
        }
    }
}
