//! What a plain (unquoted) word of YAML means.
//!
//! YAML 1.2's core schema (<https://yaml.org/spec/1.2.2/#1032-tag-resolution>). Words that older readers, kubectl's
//! among them, take for something else (`yes`, `0644`) are refused, so that a manifest means the same everywhere.

use serde_json::Number;

use super::Data;

/// The value of a plain scalar, or what to write instead.
pub fn plain(text: &str) -> Result<Data, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Data::Null),
        "true" | "True" | "TRUE" => return Ok(Data::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Data::Bool(false)),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Err(format!("some YAML readers take `{text}` for true; write `true`, or \"{text}\" for the word"));
        }
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Err(format!(
                "some YAML readers take `{text}` for false; write `false`, or \"{text}\" for the word"
            ));
        }
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if lower == ".inf" || text.eq_ignore_ascii_case(".nan") {
        return Err(format!("`{text}` is not a number that JSON knows; write a finite one, or quote the word"));
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Ok(word(text));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return i64::from_str_radix(digits, radix).map_or_else(|_| Err(too_large(text)), |n| Ok(number(n.into())));
        }
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(text, unsigned);
    }
    if is_float(unsigned) {
        let read = text.parse().ok().and_then(Number::from_f64);
        return read.map_or_else(|| Err(too_large(text)), |read| Ok(number(read)));
    }
    Ok(word(text))
}

/// A decimal whole number.
fn integer(text: &str, digits: &str) -> Result<Data, String> {
    if digits.len() > 1 && digits.starts_with('0') {
        let octal = i64::from_str_radix(digits, 8).map(|value| format!("{value}")).unwrap_or_default();
        return Err(if octal.is_empty() {
            format!("a number may not begin with 0; write \"{text}\" for the text")
        } else {
            format!("some YAML readers take `{text}` for an octal number; write {octal}, or \"{text}\" for the text")
        });
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    let read = plain.parse::<i64>().map(Number::from).or_else(|_| plain.parse::<u64>().map(Number::from));
    read.map_or_else(|_| Err(too_large(text)), |read| Ok(number(read)))
}

/// `[0-9]*(\.[0-9]*)?([eE][-+]?[0-9]+)?` with at least one digit before the exponent.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

/// Plain text.
pub fn word(text: &str) -> Data {
    Data::Text { text: text.to_owned(), keep: false, number: None }
}

fn number(number: Number) -> Data {
    Data::Number(number)
}

fn too_large(text: &str) -> String {
    format!("the number {text} is too large; write it in quotes for the text")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(text: &str) -> Value {
        match plain(text).unwrap() {
            Data::Null => Value::Null,
            Data::Bool(value) => json!(value),
            Data::Number(number) => Value::Number(number),
            Data::Text { text, .. } => json!(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_the_core_schema() {
        for (text, wanted) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", json!(true)),
            ("False", json!(false)),
            ("0", json!(0)),
            ("+7", json!(7)),
            ("-12", json!(-12)),
            ("18446744073709551615", json!(u64::MAX)),
            ("0x1f", json!(31)),
            ("0o644", json!(420)),
            ("1.5", json!(1.5)),
            ("-.5e3", json!(-500.0)),
            ("1.", json!(1.0)),
        ] {
            assert_eq!(value(text), wanted, "{text}");
        }
    }

    #[test]
    fn leaves_words_alone() {
        for text in
            ["1.4.0", "256Mi", "1e", ".", "-", "+", "1m30s", "127.0.0.1", "nullable", "0x", "12:30", "e5", "1_000"]
        {
            assert_eq!(value(text), json!(text), "{text}");
        }
    }

    #[test]
    fn refuses_words_that_other_readers_take_otherwise() {
        for text in ["yes", "NO", "on", "Off", "0644", "09", ".inf", "-.INF", ".nan", "99999999999999999999", "1e999"] {
            assert!(plain(text).is_err(), "{text}");
        }
        assert!(plain("0644").unwrap_err().contains("write 420"));
    }
}
