//! A writer for the one kind of JSON the program prints: flat objects, one a line.

use std::collections::BTreeMap;

/// An object under construction.
#[derive(Clone, Debug, Default)]
pub struct Object {
    text: String,
}

impl Object {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn text(self, key: &str, value: &str) -> Self {
        let value = quoted(value);
        self.raw(key, &value)
    }

    #[must_use]
    pub fn number(self, key: &str, value: u64) -> Self {
        self.raw(key, &value.to_string())
    }

    #[must_use]
    pub fn flag(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// `null` where there is no value.
    #[must_use]
    pub fn maybe_text(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    #[must_use]
    pub fn map(self, key: &str, values: &BTreeMap<String, String>) -> Self {
        let inner = values.iter().fold(Self::new(), |inner, (key, value)| inner.text(key, value)).finish();
        self.raw(key, &inner)
    }

    /// A value that is JSON already.
    #[must_use]
    pub fn raw(mut self, key: &str, value: &str) -> Self {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&quoted(key));
        self.text.push(':');
        self.text.push_str(value);
        self
    }

    #[must_use]
    pub fn finish(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

/// A JSON string (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written() {
        let headers = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let text = Object::new().text("b", "x\"\\\n\u{1}é").number("n", 7).flag("f", true).maybe_text("m", None);
        let text = text.map("h", &headers).finish();
        assert_eq!(text, r#"{"b":"x\"\\\n\u0001é","n":7,"f":true,"m":null,"h":{"a":"1"}}"#);
        assert_eq!(Object::new().finish(), "{}");
    }
}
