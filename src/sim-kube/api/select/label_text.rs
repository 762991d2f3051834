//! The language of label selectors (apimachinery's `labels.Parse`), with its error texts.

use super::label::{Operator, Requirement};
use crate::api::check::label::{label_value, qualified_name};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    End,
    Open,
    Close,
    Comma,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    In,
    NotIn,
    Word,
    Bad,
}

/// Reads a selector.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let tokens = scan(text);
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let mut requirements = Vec::new();
    loop {
        let (token, literal) = reader.peek();
        match token {
            Token::Word | Token::Not => {}
            Token::End => return Ok(requirements),
            _ => return Err(format!("found '{literal}', expected: !, identifier, or 'end of string'")),
        }
        let requirement = reader.requirement().map_err(|error| format!("unable to parse requirement: {error}"))?;
        requirements.push(requirement);
        match reader.next() {
            (Token::End, _) => return Ok(requirements),
            (Token::Comma, _) => {
                let (token, literal) = reader.peek();
                if token != Token::Word && token != Token::Not {
                    return Err(format!("found '{literal}', expected: identifier after ','"));
                }
            }
            (_, literal) => return Err(format!("found '{literal}', expected: ',' or 'end of string'")),
        }
    }
}

fn scan(text: &str) -> Vec<(Token, String)> {
    const SPECIAL: &str = "=!(),><";
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = rest.chars().next() else { break };
        let special = SPECIAL.contains(first);
        let end = if special {
            let two = rest.get(..2).unwrap_or("");
            if two == "==" || two == "!=" { 2 } else { 1 }
        } else {
            rest.find(|c: char| SPECIAL.contains(c) || " \t\r\n".contains(c)).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        let token = match word {
            "(" => Token::Open,
            ")" => Token::Close,
            "," => Token::Comma,
            "!" => Token::Not,
            "=" => Token::Equals,
            "==" => Token::DoubleEquals,
            "!=" => Token::NotEquals,
            ">" => Token::Greater,
            "<" => Token::Less,
            "in" => Token::In,
            "notin" => Token::NotIn,
            _ if special => Token::Bad,
            _ => Token::Word,
        };
        tokens.push((token, word.to_owned()));
        rest = after;
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [(Token, String)],
    at: usize,
}

impl<'a> Reader<'a> {
    fn raw(&self) -> (Token, &'a str) {
        self.tokens.get(self.at).map_or((Token::End, ""), |(token, literal)| (*token, literal.as_str()))
    }

    /// The next token where a value may stand: `in` and `notin` are words there.
    fn peek(&self) -> (Token, &'a str) {
        let (token, literal) = self.raw();
        (if matches!(token, Token::In | Token::NotIn) { Token::Word } else { token }, literal)
    }

    fn next(&mut self) -> (Token, &'a str) {
        let found = self.peek();
        self.at += 1;
        found
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut key) = self.next();
        let not = token == Token::Not;
        if not {
            (token, key) = self.next();
        }
        if token != Token::Word {
            return Err(format!("found '{key}', expected: identifier"));
        }
        if let Some(problem) = qualified_name(key).first() {
            return Err(format!("<nil>: Invalid value: {key:?}: {problem}"));
        }
        let made = |operator, values| Requirement { key: key.to_owned(), operator, values };
        if not {
            return Ok(made(Operator::DoesNotExist, Vec::new()));
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(made(Operator::Exists, Vec::new()));
        }
        let (token, literal) = self.raw();
        self.at += 1;
        let operator = match token {
            Token::In | Token::Equals | Token::DoubleEquals => Operator::In,
            Token::NotIn | Token::NotEquals => Operator::NotIn,
            Token::Greater => Operator::Greater,
            Token::Less => Operator::Less,
            _ => return Err(format!("found '{literal}', expected: in, notin, =, ==, !=, gt, lt")),
        };
        let values = if matches!(token, Token::In | Token::NotIn) { self.list()? } else { vec![self.exact()?] };
        check(key, operator, &values)?;
        Ok(made(operator, values))
    }

    fn exact(&mut self) -> Result<String, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(String::new());
        }
        match self.next() {
            (Token::Word, literal) => Ok(literal.to_owned()),
            (_, literal) => Err(format!("found '{literal}', expected: identifier")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        let (token, literal) = self.next();
        if token != Token::Open {
            return Err(format!("found '{literal}' expected: '('"));
        }
        match self.peek() {
            (Token::Word | Token::Comma, _) => {
                let values = self.words()?;
                match self.next() {
                    (Token::Close, _) => Ok(values),
                    (_, literal) => Err(format!("found '{literal}', expected: ')'")),
                }
            }
            (Token::Close, _) => {
                self.at += 1;
                Ok(vec![String::new()])
            }
            (_, literal) => Err(format!("found '{literal}', expected: ',', ')' or identifier")),
        }
    }

    fn words(&mut self) -> Result<Vec<String>, String> {
        let mut values = Vec::new();
        loop {
            match self.next() {
                (Token::Word, literal) => {
                    values.push(literal.to_owned());
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(values),
                        (_, literal) => return Err(format!("found '{literal}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match self.peek().0 {
                        Token::Close => {
                            values.push(String::new());
                            return Ok(values);
                        }
                        Token::Comma => {
                            self.at += 1;
                            values.push(String::new());
                        }
                        _ => {}
                    }
                }
                (_, literal) => return Err(format!("found '{literal}', expected: ',', or identifier")),
            }
        }
    }
}

fn check(key: &str, operator: Operator, values: &[String]) -> Result<(), String> {
    if matches!(operator, Operator::Greater | Operator::Less) {
        for (index, value) in values.iter().enumerate() {
            if value.parse::<i64>().is_err() {
                return Err(format!(
                    "values[{index}]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"
                ));
            }
        }
    }
    for (index, value) in values.iter().enumerate() {
        if let Some(problem) = label_value(value).first() {
            return Err(format!("values[{index}][{key}]: Invalid value: {value:?}: {problem}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::label::Selector;

    #[test]
    fn selectors_find_what_they_name() {
        let labels = json!({"app": "web", "tier": "front", "n": "5"});
        for (selector, fits) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app!=web", false),
            ("other!=x", true),
            ("app in (web, api)", true),
            ("app notin (web)", false),
            ("other notin (web)", true),
            ("tier", true),
            ("!tier", false),
            ("!other", true),
            ("n>4", true),
            ("n<4", false),
            ("app=", false),
            ("app in ()", false),
        ] {
            assert_eq!(Selector::parse(selector).unwrap().matches(Some(&labels)), fits, "{selector}");
        }
    }

    #[test]
    fn bad_selectors_are_refused_in_the_apis_words() {
        for (selector, error) in [
            ("a in", "unable to parse requirement: found '' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("=a", "found '=', expected: !, identifier, or 'end of string'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ] {
            assert_eq!(Selector::parse(selector).unwrap_err(), error, "{selector}");
        }
    }
}
