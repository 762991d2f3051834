//! `.dockerignore`: what of a folder is not sent to a builder.
//!
//! Docker's rules (reference of `docker build`, "dockerignore file"): a pattern a line, `#` begins a comment; a leading slash means nothing; `*` and `?`
//! stop at a slash, `**` does not; `!` takes back; the last line that fits decides; what is below an ignored folder is ignored.

/// The patterns of a file, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ignore(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    parts: Vec<String>,
    takes_back: bool,
}

impl Ignore {
    pub(crate) fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(Pattern::read).collect())
    }

    /// Whether a file is left out.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        // A pattern fits a file, or a folder that it is in.
        let fits = |pattern: &Pattern| {
            (1..=parts.len()).any(|length| matches(&pattern.parts, parts.get(..length).unwrap_or_default()))
        };
        self.0.iter().rev().find(|pattern| fits(pattern)).is_some_and(|pattern| !pattern.takes_back)
    }
}

impl Pattern {
    fn read(line: &str) -> Self {
        let (takes_back, rest) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let parts = rest.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
        Self { parts, takes_back }
    }
}

fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            matches(rest, path) || path.split_first().is_some_and(|(_, after)| matches(pattern, after))
        }
        (Some((first, rest)), Some((part, after))) => {
            let (first, part): (Vec<char>, Vec<char>) = (first.chars().collect(), part.chars().collect());
            fits(&first, &part) && matches(rest, after)
        }
        _ => false,
    }
}

/// One part: `*`, `?`, or the letter itself.
fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => fits(rest, text) || text.split_first().is_some_and(|(_, after)| fits(pattern, after)),
        (Some(('?', rest)), Some((_, after))) => fits(rest, after),
        (Some((letter, rest)), Some((found, after))) => letter == found && fits(rest, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_dockers_reference_says() {
        let ignore = Ignore::read("# comment\n*/temp*\n*/*/deep\ntemp?\n/logs\n**/*.tmp\n*.md\n!README.md\n");
        for path in [
            "somedir/temporary.txt",
            "somedir/temp/a",
            "a/b/deep",
            "tempa",
            "logs/x/y",
            "a/b/c.tmp",
            "c.tmp",
            "NOTES.md",
        ] {
            assert!(ignore.holds(path), "{path}");
        }
        for path in ["temp", "tempab", "README.md", "a/NOTES.md", "a/logs", "src/page.txt"] {
            assert!(!ignore.holds(path), "{path}");
        }
        assert!(!Ignore::default().holds("a"));
    }

    #[test]
    fn the_last_line_that_fits_decides() {
        assert!(Ignore::read("!a\na").holds("a"));
        assert!(!Ignore::read("a\n!a").holds("a"));
        assert!(!Ignore::read("src\n!src/page.txt").holds("src/page.txt"));
    }
}
