//! Amounts of resources: `250m`, `64Mi`, `1e3`. Reading, the canonical text, comparing (apimachinery's `resource.Quantity`).

use std::cmp::Ordering;

/// An amount in billionths, and how it likes to be written.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// Why a text is no quantity, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuantity {
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Form,
    #[error("unable to parse quantity's suffix")]
    Suffix,
    #[error("unable to parse numeric part of quantity")]
    Number,
}

const NANO: i128 = 1_000_000_000;
/// The largest amount, 2^63 - 1 units; larger ones are cut.
const MAX: i128 = 9_223_372_036_854_775_807 * NANO;
const DECIMAL: [(&str, u32); 10] =
    [("E", 27), ("P", 24), ("T", 21), ("G", 18), ("M", 15), ("k", 12), ("", 9), ("m", 6), ("u", 3), ("n", 0)];
const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// [`BadQuantity`] in the API's words.
    pub fn parse(text: &str) -> Result<Self, BadQuantity> {
        let (sign, rest) = match text.as_bytes().first() {
            Some(b'-') => (-1, text.get(1..).unwrap_or("")),
            Some(b'+') => (1, text.get(1..).unwrap_or("")),
            Some(_) => (1, text),
            None => return Err(BadQuantity::Form),
        };
        let whole_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, rest) = rest.split_at(whole_end);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())),
            None => ("", rest),
        };
        let letters = suffix.find(|c: char| !"eEinumkKMGTP".contains(c)).unwrap_or(suffix.len());
        let after = suffix.get(letters..).unwrap_or("");
        let after = after.strip_prefix(['-', '+']).unwrap_or(after);
        if !after.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadQuantity::Form);
        }
        let (base_two, exponent, format) = suffix_of(suffix).ok_or(BadQuantity::Suffix)?;
        if whole.is_empty() && fraction.is_empty() {
            return if suffix.is_empty() { Err(BadQuantity::Form) } else { Ok(Self { nano: 0, format }) };
        }
        let nano = amount(whole, fraction, base_two, exponent)?;
        let small = format == Format::Binary && nano > 0 && nano < NANO;
        let nano = if base_two { nano.min(MAX) } else { nano };
        Ok(Self { nano: sign * nano, format: if small { Format::Decimal } else { format } })
    }

    /// The amount in thousandths, rounded up.
    pub fn milli(&self) -> i64 {
        i64::try_from(ceiling(self.nano, 1_000_000)).unwrap_or(i64::MAX)
    }

    /// The amount in whole units, rounded up.
    pub fn units(&self) -> i64 {
        i64::try_from(ceiling(self.nano, NANO)).unwrap_or(i64::MAX)
    }

    pub fn is_zero(&self) -> bool {
        self.nano == 0
    }

    pub fn is_negative(&self) -> bool {
        self.nano < 0
    }

    /// Whether it is a whole number of units.
    pub fn is_whole(&self) -> bool {
        self.nano % NANO == 0
    }

    /// A number of units.
    pub fn of_units(units: i64) -> Self {
        Self { nano: i128::from(units) * NANO, format: Format::Decimal }
    }

    /// The difference, written as this one is.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self { nano: self.nano.saturating_sub(other.nano), format: self.format }
    }

    /// How many times the other one this is; nothing of nothing is none.
    pub fn over(&self, other: &Self) -> f64 {
        if other.nano == 0 { 0.0 } else { self.nano as f64 / other.nano as f64 }
    }

    /// The sum, written as this one is.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let format = if self.nano == 0 { other.format } else { self.format };
        Self { nano: self.nano.saturating_add(other.nano), format }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.nano.partial_cmp(&other.nano)
    }
}

impl std::fmt::Display for Quantity {
    /// The canonical text: no fraction, the largest suffix that needs none.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nano == 0 {
            return write!(out, "0");
        }
        let binary = self.format == Format::Binary && self.is_whole() && self.nano.abs() >= 1024 * NANO;
        if binary {
            let units = self.nano / NANO;
            for (suffix, exponent) in BINARY {
                if units % (1_i128 << exponent) == 0 {
                    return write!(out, "{}{suffix}", units >> exponent);
                }
            }
            return write!(out, "{units}");
        }
        for (suffix, exponent) in DECIMAL {
            let size = 10_i128.pow(exponent);
            if self.nano % size == 0 {
                let number = self.nano / size;
                return match (self.format, i64::from(exponent) - 9) {
                    (Format::Exponent, 0) => write!(out, "{number}"),
                    (Format::Exponent, power) => write!(out, "{number}e{power}"),
                    _ => write!(out, "{number}{suffix}"),
                };
            }
        }
        Ok(())
    }
}

/// Base two or ten, exponent, and form of a suffix.
fn suffix_of(suffix: &str) -> Option<(bool, i32, Format)> {
    if let Some((_, exponent)) = BINARY.iter().find(|(text, _)| *text == suffix) {
        return Some((true, i32::try_from(*exponent).ok()?, Format::Binary));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(text, _)| *text == suffix) {
        return Some((false, i32::try_from(*exponent).ok()? - 9, Format::Decimal));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((false, exponent.parse().ok()?, Format::Exponent))
}

fn amount(whole: &str, fraction: &str, base_two: bool, exponent: i32) -> Result<i128, BadQuantity> {
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    if digits.len() > 37 {
        return Err(BadQuantity::Number);
    }
    let value: i128 = digits.parse().map_err(|_| BadQuantity::Number)?;
    let places = i32::try_from(fraction.len()).map_err(|_| BadQuantity::Number)?;
    let (value, power) = if base_two {
        let shift = u32::try_from(exponent).unwrap_or(0);
        (value.checked_mul(1_i128 << shift).unwrap_or(i128::MAX), 9 - places)
    } else {
        (value, exponent.saturating_add(9).saturating_sub(places))
    };
    let size = 10_i128.checked_pow(power.unsigned_abs());
    Ok(match (power >= 0, size) {
        (true, Some(size)) => value.checked_mul(size).unwrap_or(MAX),
        (true, None) => MAX,
        (false, Some(size)) => ceiling(value, size),
        (false, None) => 1,
    })
}

/// Division that rounds away from zero.
fn ceiling(value: i128, size: i128) -> i128 {
    let whole = value / size;
    if value % size == 0 { whole } else { whole + value.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Quantity::parse(text).map_or_else(|error| error.to_string(), |quantity| quantity.to_string())
    }

    #[test]
    fn the_canonical_text_is_the_api_servers() {
        for (given, wanted) in [
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1000", "1k"),
            ("1024Mi", "1Gi"),
            ("64Mi", "64Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("100m", "100m"),
            ("1e3", "1e3"),
            ("12E", "12E"),
            ("-1", "-1"),
            ("0", "0"),
            ("0.1n", "1n"),
            ("1.1", "1100m"),
            ("3Ei", "3Ei"),
        ] {
            assert_eq!(canonical(given), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_the_apis_words() {
        for text in ["", "64MB!", "abc", "-", "1 "] {
            assert_eq!(Quantity::parse(text), Err(BadQuantity::Form), "{text}");
        }
        assert_eq!(Quantity::parse("64MB"), Err(BadQuantity::Form));
        assert_eq!(Quantity::parse("64mM"), Err(BadQuantity::Suffix));
    }

    #[test]
    fn amounts_compare_by_value() {
        let read = |text| Quantity::parse(text).unwrap();
        assert_eq!(read("1Gi"), read("1024Mi"));
        assert!(read("50m") < read("0.1"));
        assert_eq!(read("1500m").milli(), 1500);
        assert_eq!(read("1Ki").units(), 1024);
        assert_eq!(read("100m").plus(&read("1")).to_string(), "1100m");
    }
}
