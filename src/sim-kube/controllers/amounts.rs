//! Amounts that may be given in numbers or in percent (`intstr`).

use serde_json::Value;

/// A number or a percentage of `of`.
pub fn scaled(value: Option<&Value>, of: i64, round_up: bool) -> i64 {
    match value {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            let hundredths = percent.saturating_mul(of);
            if round_up { (hundredths + 99).div_euclid(100) } else { hundredths.div_euclid(100) }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn percentages_are_rounded_as_asked() {
        assert_eq!(scaled(Some(&json!(2)), 10, true), 2);
        assert_eq!(scaled(Some(&json!("25%")), 5, true), 2);
        assert_eq!(scaled(Some(&json!("25%")), 5, false), 1);
        assert_eq!(scaled(None, 5, true), 0);
    }
}
