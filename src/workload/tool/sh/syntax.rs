//! What a command line means: words with quotes and variables, pipes, redirections, `;`, `&&` and `||`.

/// A command line, or several.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
}

/// One pipeline and when it runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) when: When,
    pub(super) pipeline: Vec<Command>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// `&&`: the step before went well.
    Well,
    /// `||`: it did not.
    Badly,
}

/// One command of a pipeline.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// `< file`.
    In(Word),
    /// `> file`, `>> file`, and the same for standard error.
    Out { error: bool, append: bool, file: Word },
    /// `2>&1`.
    ErrorToOut,
    /// `>&2`.
    OutToError,
}

/// A word in pieces; what is quoted is never split and never counts as nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
    pub(super) quoted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// `$NAME`; inside quotes its value is not split at blanks.
    Variable {
        name: String,
        quoted: bool,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(Word),
    /// `;`, newline.
    End,
    And,
    Or,
    Pipe,
    Redirect(&'static str),
}

/// Words that begin what this shell cannot do.
const RESERVED: [&str; 13] =
    ["if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "{"];

impl Script {
    /// Read a script; an error says what is not understood.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let (mut when, mut pipeline, mut command) = (When::Always, Vec::new(), Command::default());
        let mut tokens = tokens(text)?.into_iter();
        while let Some(token) = tokens.next() {
            match token {
                Token::Word(word) => {
                    if command.words.is_empty() && reserved(&word) {
                        return Err(format!("syntax not supported: {}", plain(&word)));
                    }
                    command.words.push(word);
                }
                Token::Redirect("2>&1") => command.redirects.push(Redirect::ErrorToOut),
                Token::Redirect(">&2" | "1>&2") => command.redirects.push(Redirect::OutToError),
                Token::Redirect(sign) => match tokens.next() {
                    Some(Token::Word(file)) => command.redirects.push(redirect(sign, file)),
                    _ => return Err(format!("syntax error: a file is wanted after {sign}")),
                },
                Token::Pipe => {
                    finish(&mut pipeline, &mut command, "|")?;
                }
                Token::End => {
                    if command != Command::default() || !pipeline.is_empty() {
                        finish(&mut pipeline, &mut command, ";")?;
                        steps.push(Step { when, pipeline: std::mem::take(&mut pipeline) });
                    } else if when != When::Always {
                        return Err("syntax error: a command is wanted after && or ||".into());
                    }
                    when = When::Always;
                }
                sign @ (Token::And | Token::Or) => {
                    finish(&mut pipeline, &mut command, if sign == Token::And { "&&" } else { "||" })?;
                    steps.push(Step { when, pipeline: std::mem::take(&mut pipeline) });
                    when = if sign == Token::And { When::Well } else { When::Badly };
                }
            }
        }
        Ok(Self { steps })
    }
}

/// A command is complete: it joins its pipeline.
fn finish(pipeline: &mut Vec<Command>, command: &mut Command, before: &str) -> Result<(), String> {
    if *command == Command::default() {
        return Err(format!("syntax error: unexpected \"{before}\""));
    }
    pipeline.push(std::mem::take(command));
    Ok(())
}

fn redirect(sign: &str, file: Word) -> Redirect {
    match sign {
        "<" => Redirect::In(file),
        sign => Redirect::Out { error: sign.starts_with('2'), append: sign.ends_with(">>"), file },
    }
}

fn reserved(word: &Word) -> bool {
    !word.quoted && RESERVED.contains(&plain(word).as_str())
}

/// The word as it was typed, more or less, for messages.
fn plain(word: &Word) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Variable { name, .. } => format!("${name}"),
    };
    word.pieces.iter().map(piece).collect()
}

/// The signs that end a word, longest first.
const SIGNS: [&str; 12] = ["2>&1", "1>&2", ">&2", "2>>", "2>", ">>", ">", "<", "&&", "||", "|", ";"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        let Some(first) = rest.chars().next() else { break };
        if first == '#' {
            rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
            continue;
        }
        if let Some(after) = rest.strip_prefix('\n') {
            tokens.push(Token::End);
            rest = after;
            continue;
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(match *sign {
                ";" => Token::End,
                "&&" => Token::And,
                "||" => Token::Or,
                "|" => Token::Pipe,
                redirect => Token::Redirect(redirect),
            });
            rest = rest.get(sign.len()..).unwrap_or_default();
            continue;
        }
        if matches!(first, '&' | '(' | ')' | '`') {
            return Err(format!("syntax not supported: {first}"));
        }
        let (word, after) = word(rest)?;
        tokens.push(Token::Word(word));
        rest = after;
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// One word and what comes after it.
fn word(text: &str) -> Result<(Word, &str), String> {
    let mut word = Word::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | '<' | '>' | '(' | ')' => break,
            '\'' => {
                let (inside, after) = after.split_once('\'').ok_or("syntax error: unterminated quoted string")?;
                word.text(inside);
                word.quoted = true;
                rest = after;
            }
            '"' => {
                rest = double_quoted(after, &mut word)?;
                word.quoted = true;
            }
            '\\' => {
                let escaped = after.chars().next().ok_or("syntax error: nothing after \\")?;
                word.text(&escaped.to_string());
                word.quoted = true;
                rest = after.get(escaped.len_utf8()..).unwrap_or_default();
            }
            '$' => rest = variable(after, false, &mut word)?,
            '`' => return Err("syntax not supported: `".into()),
            other => {
                word.text(other.encode_utf8(&mut [0; 4]));
                rest = after;
            }
        }
    }
    Ok((word, rest))
}

/// The rest of a "…" string; its pieces go to `word`.
fn double_quoted<'a>(text: &'a str, word: &mut Word) -> Result<&'a str, String> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '"' => return Ok(after),
            '$' => rest = variable(after, true, word)?,
            '`' => return Err("syntax not supported: `".into()),
            '\\' => {
                let next = after.chars().next().filter(|next| "\"\\$`".contains(*next));
                word.text(&next.unwrap_or('\\').to_string());
                rest = if next.is_some() { after.get(1..).unwrap_or_default() } else { after };
            }
            other => {
                word.text(other.encode_utf8(&mut [0; 4]));
                rest = after;
            }
        }
    }
    Err("syntax error: unterminated quoted string".into())
}

/// What follows a `$`.
fn variable<'a>(after: &'a str, quoted: bool, word: &mut Word) -> Result<&'a str, String> {
    if after.starts_with('(') {
        return Err("syntax not supported: $(".into());
    }
    if let Some(inside) = after.strip_prefix('{') {
        let (name, rest) = inside.split_once('}').ok_or("syntax error: } is missing")?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("syntax not supported: ${{{name}}}"));
        }
        word.pieces.push(Piece::Variable { name: name.to_owned(), quoted });
        return Ok(rest);
    }
    if let Some(rest) = after.strip_prefix('?') {
        word.pieces.push(Piece::Variable { name: "?".into(), quoted });
        return Ok(rest);
    }
    let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let (name, rest) = after.split_at(length);
    if name.is_empty() {
        word.text("$");
    } else {
        word.pieces.push(Piece::Variable { name: name.to_owned(), quoted });
    }
    Ok(rest)
}

impl Word {
    fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }
}
