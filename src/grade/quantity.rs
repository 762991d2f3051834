//! Kubernetes quantities (`250m`, `128Mi`, `1e3`) as numbers of base units.
//!
//! Source: apimachinery `resource.Quantity`: a decimal number with a binary suffix (Ki … Ei), a decimal one (n, u, m, k … E) or an exponent.

/// The number of base units (cores, bytes); `None` for what is no quantity.
///
/// Precision is that of a double, which is exact for every whole number of bytes up to 8 PiB.
pub fn parse(text: &str) -> Option<f64> {
    let end = text.find(|it: char| !(it.is_ascii_digit() || matches!(it, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let well_formed = number.chars().any(|it| it.is_ascii_digit()) && !number.get(1..)?.contains(['+', '-']);
    let number: f64 = number.parse().ok().filter(|_| well_formed)?;
    let scale = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "Pi" => 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "Ei" => 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => exponent(suffix)?,
    };
    // Divided rather than multiplied by a fraction: 100m is then 0.1 to the last bit.
    let value = if scale < 1.0 { number / (1.0 / scale).round() } else { number * scale };
    value.is_finite().then_some(value)
}

fn exponent(suffix: &str) -> Option<f64> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-30..=30).contains(&power).then(|| 10f64.powi(power))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_every_suffix() {
        for (text, value) in [
            ("0", 0.0),
            ("500", 500.0),
            ("500m", 0.5),
            ("100m", 0.1),
            ("250u", 0.00025),
            ("1k", 1e3),
            ("1.5G", 1.5e9),
            ("128Mi", 134_217_728.0),
            ("1Gi", 1_073_741_824.0),
            ("1e3", 1e3),
            ("12E", 12e18),
            ("1E2", 100.0),
            ("-1Ki", -1024.0),
            ("+.5", 0.5),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_quantity() {
        for text in ["", "Mi", "1mi", "1 Gi", "1KiB", "ten", "1-2", "--1", "1e", "1e99", ".", "1.2.3", "ä"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
