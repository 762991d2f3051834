//! What Go's `encoding/json` says of a text that is no JSON: the API passes it on.

/// Why a text is no JSON value; nothing for one that is.
pub(super) fn complaint(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text).into_owned();
    let mut scan = Scan { chars: text.chars().collect(), at: 0, depth: 0 };
    scan.space();
    let read = scan.value().and_then(|()| {
        scan.space();
        scan.peek().map_or(Ok(()), |c| Err(bad(c, "after top-level value")))
    });
    read.err()
}

fn bad(c: char, place: &str) -> String {
    format!("invalid character {} {place}", quoted(c))
}

fn quoted(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        '\n' => "'\\n'".to_owned(),
        '\t' => "'\\t'".to_owned(),
        '\r' => "'\\r'".to_owned(),
        c if c.is_control() => format!("'\\x{:02x}'", u32::from(c)),
        c => format!("'{c}'"),
    }
}

const END: &str = "unexpected end of JSON input";

/// Go gives up at 10,000; here nothing is read that is deeper than this (the limit of serde_json), in Go's words.
const DEPTH_MAX: usize = 127;

struct Scan {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Scan {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
    }

    /// The next character that is no space; an error at the end.
    fn next(&mut self) -> Result<char, String> {
        self.space();
        let c = self.peek().ok_or(END)?;
        self.at += 1;
        Ok(c)
    }

    fn value(&mut self) -> Result<(), String> {
        match self.next()? {
            '{' => self.deeper(Self::object),
            '[' => self.deeper(Self::array),
            '"' => self.string(),
            't' => self.literal("true"),
            'f' => self.literal("false"),
            'n' => self.literal("null"),
            '-' | '0'..='9' => {
                self.at -= 1;
                self.number()
            }
            c => Err(bad(c, "looking for beginning of value")),
        }
    }

    /// Goes into an object or a list, unless that is too deep: whoever sends a body must not decide how much stack it takes.
    fn deeper(&mut self, read: fn(&mut Self) -> Result<(), String>) -> Result<(), String> {
        if self.depth >= DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    fn object(&mut self) -> Result<(), String> {
        let mut first = true;
        loop {
            match self.next()? {
                '}' if first => return Ok(()),
                '"' => self.string()?,
                c => return Err(bad(c, "looking for beginning of object key string")),
            }
            first = false;
            match self.next()? {
                ':' => self.value()?,
                c => return Err(bad(c, "after object key")),
            }
            match self.next()? {
                ',' => {}
                '}' => return Ok(()),
                c => return Err(bad(c, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self) -> Result<(), String> {
        self.space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            match self.next()? {
                ',' => {}
                ']' => return Ok(()),
                c => return Err(bad(c, "after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<(), String> {
        loop {
            let c = self.peek().ok_or(END)?;
            self.at += 1;
            match c {
                '"' => return Ok(()),
                '\\' => {
                    let escaped = self.peek().ok_or(END)?;
                    self.at += 1;
                    if !"bfnrt\\/\"u".contains(escaped) {
                        return Err(bad(escaped, "in string escape code"));
                    }
                }
                c if c < ' ' => return Err(bad(c, "in string literal")),
                _ => {}
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for wanted in word.chars().skip(1) {
            let c = self.peek().ok_or(END)?;
            self.at += 1;
            if c != wanted {
                return Err(bad(c, &format!("in literal {word} (expecting {})", quoted(wanted))));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        if self.peek() == Some('-') {
            self.at += 1;
            let c = self.peek().ok_or(END)?;
            if !c.is_ascii_digit() {
                return Err(bad(c, "in numeric literal"));
            }
        }
        if self.peek() == Some('0') {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.peek() == Some('.') {
            self.at += 1;
            let c = self.peek().ok_or(END)?;
            if !c.is_ascii_digit() {
                return Err(bad(c, "after decimal point in numeric literal"));
            }
            self.digits();
        }
        if self.peek().is_some_and(|c| c == 'e' || c == 'E') {
            self.at += 1;
            if self.peek().is_some_and(|c| c == '+' || c == '-') {
                self.at += 1;
            }
            let c = self.peek().ok_or(END)?;
            if !c.is_ascii_digit() {
                return Err(bad(c, "in exponent of numeric literal"));
            }
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn go_says_where_it_lost_its_way() {
        for (text, wanted) in [
            ("{bad", "invalid character 'b' looking for beginning of object key string"),
            ("{", "unexpected end of JSON input"),
            ("", "unexpected end of JSON input"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("trve", "invalid character 'v' in literal true (expecting 'u')"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("-x", "invalid character 'x' in numeric literal"),
        ] {
            assert_eq!(complaint(text.as_bytes()).as_deref(), Some(wanted), "{text}");
        }
        for text in ["{}", "[1, -2.5e+3, \"a\\n\", null]", " true "] {
            assert_eq!(complaint(text.as_bytes()), None, "{text}");
        }
    }

    /// Seen: a body of nothing but brackets took the whole stack, and the simulator with it.
    #[test]
    fn depth_is_bounded() {
        for deep in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            assert_eq!(complaint(deep.as_bytes()).as_deref(), Some("exceeded max depth"));
        }
        assert_eq!(complaint(format!("{}{}", "[".repeat(127), "]".repeat(127)).as_bytes()), None);
    }
}
