//! What Compose writes as texts: variables, times, sizes, commands.

use std::collections::BTreeMap;

use crate::yaml::{Data, Node};

/// A text, or a number or truth value as one.
pub(super) fn of(node: &Node) -> Option<String> {
    match &node.data {
        Data::Text { text, .. } => Some(text.clone()),
        Data::Number(number) => Some(number.to_string()),
        Data::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The lines `KEY=value` of an environment file; quotes around a value are taken off.
pub(super) fn variables(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let value = value.trim();
        let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        Some((key.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
    };
    lines.filter_map(pair).collect()
}

/// `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`; `$$` is a dollar.
///
/// # Errors
/// The name of a variable that has no value.
pub(super) fn filled(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let (inner, after) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some(found) => found,
            None => rest.split_at(rest.find(|letter| !is_name(letter)).unwrap_or(rest.len())),
        };
        rest = after;
        let end = inner.find(|letter| !is_name(letter)).unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        let value = variables.get(name);
        let value = match operator {
            "" => value.cloned(),
            _ => match (operator.strip_prefix(":-"), operator.strip_prefix('-')) {
                (Some(default), _) => Some(value.filter(|it| !it.is_empty()).map_or(default, |it| it).to_owned()),
                (None, Some(default)) => Some(value.map_or(default, |it| it).to_owned()),
                (None, None) => None,
            },
        };
        out.push_str(&value.ok_or_else(|| inner.to_owned())?);
    }
    out.push_str(rest);
    Ok(out)
}

/// `1m30s`, `500ms`, `10s` in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (mut total, mut rest) = (0i64, text);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?);
        let (unit, after) = after.split_at(after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len()));
        let scale = match unit {
            "us" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total = total.checked_add((number.parse::<f64>().ok()? * scale) as i64)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// `64m`, `1gb`, `1024` in bytes.
pub(super) fn bytes(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let (number, unit) =
        text.split_at(text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len()));
    let scale = match unit {
        "" | "b" => 1f64,
        "k" | "kb" => 1024.0,
        "m" | "mb" => 1024.0 * 1024.0,
        "g" | "gb" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * scale) as i64)
}

/// A command line as a list of words, with quotes and escapes as a shell has them. `None`: a quote is left open.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(letter),
            (_, '\\') => word.get_or_insert_default().push(letters.next()?),
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
