//! How deeply an expression is nested, told from its signs before anybody parses it: whoever parses, evaluates or drops a tree goes down into it
//! on the stack, and a stack that is used up ends the whole process.

/// Levels of an expression that is read at all (`maxRecursionDepth` of the parser of `cel-go`).
pub(crate) const NESTING_MAX: usize = 250;
/// What a level takes of the stack at most, in bytes, in a build without optimization.
const LEVEL: usize = 128 << 10;
/// Room for [`NESTING_MAX`] levels in a build without optimization.
const ROOM: usize = 128 << 20;

/// One pair of brackets, or the whole.
#[derive(Clone, Copy, Default)]
struct Level {
    /// The deepest part so far.
    deepest: usize,
    /// The deepest pair of brackets of the part at hand.
    inner: usize,
    /// Operators, selections and calls of the part at hand: each may stand upon the one before.
    signs: usize,
    /// Choices: each stands upon the one before, whatever lies between.
    choices: usize,
}

impl Level {
    /// A part ends: what comes does not stand upon it.
    fn part(&mut self) {
        self.deepest = self.deepest.max(self.inner + self.signs);
        (self.inner, self.signs) = (0, 0);
    }

    fn depth(mut self) -> usize {
        self.part();
        self.deepest + self.choices
    }
}

/// An upper bound of the levels of an expression's tree. Texts and comments are left out.
pub(crate) fn nesting(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut open = vec![Level::default()];
    let mut at = 0;
    // Whether a value has just ended: a bracket after one is a call or an index.
    let mut after_value = false;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(level) = open.last_mut() else { break };
        let mut length = 1;
        match byte {
            b'\'' | b'"' => {
                let raw =
                    at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|it| matches!(it, b'r' | b'R'));
                length = quoted(rest, byte, raw);
                after_value = true;
            }
            b'/' if rest.starts_with(b"//") => length = rest.iter().take_while(|it| **it != b'\n').count(),
            b'(' | b'[' | b'{' => {
                level.signs += usize::from(after_value);
                open.push(Level::default());
                after_value = false;
            }
            b')' | b']' | b'}' => {
                // One too many is the parser's to complain of.
                if open.len() > 1 {
                    let depth = open.pop().map_or(0, |level| level.depth() + 1);
                    if let Some(level) = open.last_mut() {
                        level.inner = level.inner.max(depth);
                    }
                }
                after_value = true;
            }
            b',' => {
                let depth = level.depth();
                *level = Level { deepest: depth, ..Level::default() };
                after_value = false;
            }
            // These are balanced, however many there are.
            b'&' | b'|' => {
                level.part();
                after_value = false;
            }
            b'?' => {
                level.choices += 1;
                after_value = false;
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'!' | b'.' => {
                level.signs += 1;
                after_value = false;
            }
            _ if byte.is_ascii_alphanumeric() || byte == b'_' => {
                length = rest.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
                level.signs += usize::from(rest.starts_with(b"in") && length == 2);
                after_value = true;
            }
            _ => {}
        }
        at += length.max(1);
    }
    // Brackets that nobody closes are the parser's to complain of, too; it goes into them first.
    open.into_iter().rev().fold(0, |inner, mut level| {
        level.inner = level.inner.max(inner);
        level.depth() + 1
    })
}

/// How long the text is that begins here, its quotes included.
fn quoted(rest: &[u8], quote: u8, raw: bool) -> usize {
    let three = [quote; 3];
    let end: &[u8] = if rest.starts_with(&three) { &three } else { &three[..1] };
    let mut at = end.len();
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        if left.starts_with(end) {
            return at + end.len();
        }
        at += if left.starts_with(b"\\") && !raw { 2 } else { 1 };
    }
    rest.len()
}

/// Does what goes down so many levels, where there is room for it.
pub(crate) fn with_room<T>(nesting: usize, work: impl FnOnce() -> T) -> T {
    // What people write fits on the stack that is there: another one is made for the rest alone.
    stacker::maybe_grow(nesting * LEVEL, ROOM, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_not_deep() {
        for text in [
            "object.spec.replicas <= 5",
            "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example/') && !c.image.endsWith(':latest'))",
            "'(((((((((((((((((((((((((((((' + \"[[[[[[[[[[[[[[[[[\" == r'\\' + '''a'b''' // (((((((((((((((((((((((((",
        ] {
            assert!(nesting(text) < 25, "{text}: {}", nesting(text));
        }
        let clauses = vec!["has(object.a.b) && object.a.b['x'] == 'y'"; 200].join(" || ");
        assert!(nesting(&clauses) < 15, "{}", nesting(&clauses));
        let listed = format!("[{}]", vec!["a ? b.c : d + 1"; 50].join(", "));
        assert!(nesting(&listed) < 150, "{}", nesting(&listed));
    }

    #[test]
    fn whatever_nests_is_counted() {
        let many = 1000;
        for text in [
            format!("{}1{}", "(".repeat(many), ")".repeat(many)),
            format!("{}{}", "[".repeat(many), "]".repeat(many)),
            "(".repeat(many),
            format!("a{}", ".b".repeat(many)),
            format!("a{}", "[0]".repeat(many)),
            format!("a{}", ".b()".repeat(many)),
            format!("1{}", "+1".repeat(many)),
            format!("{}true", "!".repeat(many)),
            format!("{}1", "a && b ? c || d : ".repeat(many)),
            format!("1{}", " in a".repeat(many)),
            format!("{}1{}", "f(a, b.g(".repeat(many), "))".repeat(many)),
            format!("a{}", ".map(a, a + a)".repeat(many)),
        ] {
            assert!(nesting(&text) >= many, "{}…: {}", &text[..20], nesting(&text));
        }
    }
}
