//! Bytes → trees: sizes, encodings, syntax, duplicate keys, aliases.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};

use super::{Data, Entry, Node, scalar};
use crate::problem::{Place, Problem};

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// How deep lists and mappings may be nested.
pub const DEPTH_MAX: usize = 64;
/// How many values a file may hold once its aliases are written out.
pub const NODES_MAX: usize = 100_000;

const RULE: &str = "yaml";

/// One file: its documents in order, and its comments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub documents: Vec<Node>,
    pub comments: Vec<Comment>,
}

/// A comment, without its `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub place: Place,
    pub text: String,
}

/// Reads a file. What could be read is returned beside all problems that were found; a syntax error ends the reading.
/// Documents with nothing in them are left out.
pub fn read(file: &str, bytes: &[u8]) -> (Page, Vec<Problem>) {
    let text = match text_of(file, bytes) {
        Ok(text) => text,
        Err(problem) => return (Page::default(), vec![*problem]),
    };
    let options = granit_parser::options! {
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
        // The size of the file bounds them; a long comment is no reason to refuse it.
        max_buffered_comment_events: FILE_BYTES_MAX,
        strict_indentation: false,
    };
    let mut reader = Reader {
        file,
        parser: Parser::new_from_str_with_options(text, options),
        anchors: BTreeMap::new(),
        nodes: 0,
        page: Page::default(),
        problems: Vec::new(),
    };
    if let Err(stop) = reader.stream() {
        reader.problems.push(match stop {
            Stop::Syntax(error) => syntax_problem(file, text, &error),
            Stop::Refused(problem) => *problem,
        });
    }
    (reader.page, reader.problems)
}

/// The file as text, if it is one that may be read.
pub fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Problem>> {
    if bytes.len() > FILE_BYTES_MAX {
        let problem = Problem::error(RULE, file, Place::default(), format!("the file has {} bytes", bytes.len()));
        return Err(Box::new(problem.help("1 MiB is the most that is read")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = String::from_utf8_lossy(good);
        let place = end_of(&good);
        Box::new(Problem::error(RULE, file, place, "this is not UTF-8").help("save the file as UTF-8 text"))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The place right after a text.
fn end_of(text: &str) -> Place {
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    place_at(line, column)
}

fn place_at(line: usize, column: usize) -> Place {
    Place { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}

/// Why the reading ended before the end of the file.
enum Stop {
    Syntax(ScanError),
    Refused(Box<Problem>),
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Syntax(error)
    }
}

struct Reader<'a> {
    file: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    page: Page,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// The next event that is not a comment; comments are put aside.
    fn next(&mut self) -> Result<Option<(Event<'a>, Place)>, Stop> {
        loop {
            let Some(next) = self.parser.next_event() else { return Ok(None) };
            let (event, span) = next?;
            let place = start_of(&span);
            match event {
                Event::Comment(text, _) => self.page.comments.push(Comment { place, text: text.into_owned() }),
                event => return Ok(Some((event, place))),
            }
        }
    }

    fn stream(&mut self) -> Result<(), Stop> {
        while let Some((event, place)) = self.next()? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) => {}
                Event::DocumentEnd => self.anchors.clear(),
                event => {
                    let node = self.node(event, place, 0)?;
                    if node.data != Data::Null {
                        self.page.documents.push(node);
                    }
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, place: Place, depth: usize) -> Result<Node, Stop> {
        if depth > DEPTH_MAX {
            return Err(self.stop(place, "lists and mappings are nested too deeply", "64 levels are the most"));
        }
        self.count(1, place)?;
        let (data, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(&text, style, tag.as_deref(), place), anchor),
            Event::SequenceStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", place);
                (Data::List(self.list(depth)?), anchor)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", place);
                (Data::Map(self.map(depth, style)?), anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.stop(place, "this alias stands inside what it refers to", "write the value out"));
                };
                self.count(size(&node), place)?;
                return Ok(Node { place, data: node.data });
            }
            _ => return Err(self.stop(place, "a value is missing here", "write the value")),
        };
        let node = Node { place, data };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Stop> {
        let mut items = Vec::new();
        while let Some((event, place)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            items.push(self.node(event, place, depth + 1)?);
        }
        Ok(items)
    }

    fn map(&mut self, depth: usize, style: StructureStyle) -> Result<Vec<Entry>, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        // Linear search would make a mapping of many keys slow to read.
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        while let Some((event, place)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let key = self.key(event, place, depth, style)?;
            let Some((event, value_place)) = self.next()? else { break };
            let value = self.node(event, value_place, depth + 1)?;
            let Some(key) = key else { continue };
            if let Some(first) = seen.get(&key) {
                let message = format!("the key `{key}` stands here twice");
                let help = format!("line {} has the first; keep one", first.line);
                self.problems.push(Problem::error(RULE, self.file, place, message).help(help));
                continue;
            }
            seen.insert(key.clone(), place);
            entries.push(Entry { key, place, value });
        }
        Ok(entries)
    }

    /// A mapping's key; `None` (and a problem) for one that JSON could not have.
    fn key(
        &mut self,
        event: Event<'a>,
        place: Place,
        depth: usize,
        style: StructureStyle,
    ) -> Result<Option<String>, Stop> {
        let plain = matches!(&event, Event::Scalar(_, ScalarStyle::Plain, ..));
        let spelled = match &event {
            Event::Scalar(text, ..) => text.to_string(),
            _ => String::new(),
        };
        let node = self.node(event, place, depth + 1)?;
        let problem = match node.data {
            Data::Text { text, .. } if plain && text == "<<" => {
                Problem::error(RULE, self.file, place, "`<<` (merge) is not part of YAML 1.2, and readers differ on it")
                    .help("write the keys out")
            }
            Data::Text { text, .. } => return Ok(Some(text)),
            Data::Bool(_) | Data::Number(_) => return Ok(Some(spelled)),
            Data::Null => Problem::error(RULE, self.file, place, "a key is missing before the colon")
                .help("write the key; the text null needs quotes"),
            Data::List(_) | Data::Map(_) => {
                let problem = Problem::error(RULE, self.file, place, "a key must be a word, not a list or a mapping");
                problem.help(match style {
                    StructureStyle::Flow => "put a text with braces in quotes: \"${name}\"",
                    StructureStyle::Block => "put the key in quotes",
                })
            }
        };
        self.problems.push(problem);
        Ok(None)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, place: Place) -> Data {
        let tag = tag.map(|tag| (tag.core_suffix().map(str::to_owned), tag.original()));
        match tag {
            None if style == ScalarStyle::Plain => scalar::plain(text).unwrap_or_else(|message| {
                self.problems.push(Problem::error(RULE, self.file, place, message));
                scalar::word(text)
            }),
            None => scalar::word(text),
            Some((Some(core), _)) if core == "str" => Data::Text { text: text.to_owned(), keep: true, number: None },
            Some((Some(core), original)) if matches!(core.as_str(), "int" | "float" | "bool" | "null") => {
                let data = scalar::plain(text).unwrap_or_else(|_| scalar::word(text));
                let fits = match &data {
                    Data::Null => core == "null",
                    Data::Bool(_) => core == "bool",
                    Data::Number(number) => core == "float" || (core == "int" && !number.is_f64()),
                    // `!!int "${replicas}"`: known once the parameters are.
                    Data::Text { text, .. } => core == "int" && text.starts_with("${") && text.ends_with('}'),
                    Data::List(_) | Data::Map(_) => false,
                };
                if !fits {
                    let message = format!("`{text}` is not what its tag `{original}` says");
                    self.problems.push(Problem::error(RULE, self.file, place, message));
                }
                data
            }
            Some((_, original)) => {
                self.unknown_tag(&original, place);
                scalar::word(text)
            }
        }
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, wanted: &str, place: Place) {
        if let Some(tag) = tag
            && tag.core_suffix() != Some(wanted)
        {
            self.unknown_tag(&tag.original(), place);
        }
    }

    fn unknown_tag(&mut self, tag: &str, place: Place) {
        let problem = Problem::error(RULE, self.file, place, format!("the tag `{tag}` means nothing here"));
        self.problems
            .push(problem.help("leave it out; only `!!str`, `!!int`, `!!float`, `!!bool` and `!!null` are read"));
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODES_MAX {
            return Err(self.stop(place, "the file holds too many values", "100000 are the most, aliases written out"));
        }
        Ok(())
    }

    fn stop(&self, place: Place, message: &str, help: &str) -> Stop {
        Stop::Refused(Box::new(Problem::error(RULE, self.file, place, message).help(help)))
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.data {
        Data::List(items) => items.iter().map(size).sum(),
        Data::Map(entries) => entries.iter().map(|entry| 1 + size(&entry.value)).sum::<usize>(),
        _ => 0,
    }
}

fn start_of(span: &Span) -> Place {
    place_at(span.start.line(), span.start.col() + 1)
}

/// A syntax error in words, with the help that the line at fault suggests.
fn syntax_problem(file: &str, text: &str, error: &ScanError) -> Problem {
    let marker = error.marker();
    let place = place_at(marker.line().max(1), marker.col() + 1);
    let lines: Vec<&str> = text.lines().skip(marker.line().saturating_sub(1)).take(2).collect();
    // The scanner sometimes blames the line before.
    if let Some(below) = lines.iter().position(|line| indent_of(line).contains('\t')) {
        let column = lines.get(below).map_or(0, |line| indent_of(line).find('\t').unwrap_or(0)) + 1;
        let problem = Problem::error(RULE, file, place_at(marker.line() + below, column), "a tab indents this line");
        return problem.help("YAML allows only blanks there");
    }
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        let problem = Problem::error(RULE, file, place, "lists and mappings are nested too deeply");
        return problem.help("64 levels are the most");
    }
    let line = lines.first().copied().unwrap_or_default();
    let problem = Problem::error(RULE, file, place, format!("this is not YAML: {}", error.info()));
    if let Some((line, sign)) = unclosed(text, marker.line()) {
        return problem.help(format!("line {line} opens a `{sign}` that nothing closes"));
    }
    if line.contains(['{', '[']) && line.contains("${") {
        return problem.help("inside `{ }` and `[ ]` a `${name}` must stand in quotes");
    }
    problem
}

/// The blanks that a line begins with.
fn indent_of(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len()).unwrap_or_default()
}

/// The last bracket that is still open where the scanner gave up: its line, and the sign. Quotes are minded, block
/// texts are not: it is a hint for a message.
fn unclosed(text: &str, line_max: usize) -> Option<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()).take_while(|(number, _)| *number <= line_max) {
        let mut quote = None;
        for sign in line.chars() {
            match (quote, sign) {
                (None, '#') => break,
                (None, '"' | '\'') => quote = Some(sign),
                (Some(opened), sign) if opened == sign => quote = None,
                (None, '[' | '{') => open.push((number, sign)),
                (None, ']' | '}') => {
                    open.pop();
                }
                _ => {}
            }
        }
    }
    open.pop().filter(|(line, _)| *line < line_max)
}

#[cfg(test)]
mod tests;
