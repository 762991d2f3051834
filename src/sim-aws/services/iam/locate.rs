//! Where the statements of a policy stand in its text: lines and columns, as the policy simulator reports them.

/// A place in a text; both numbers begin with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// First and last letter of each statement of a well-formed policy, in order.
pub fn statements(text: &str) -> Vec<(Place, Place)> {
    let mut found = Vec::new();
    let mut place = Place { line: 1, column: 1 };
    // How deep we are in braces and brackets; statements are at depth 2 (`Statement: {`) or 3 (`Statement: [{`).
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let (mut word, mut key) = (String::new(), String::new());
    let mut open: Option<(usize, Place)> = None;
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => {
                in_text = !in_text;
                if in_text {
                    word.clear();
                }
            }
            _ if in_text => word.push(letter),
            ':' if depth == 1 => key.clone_from(&word),
            '{' | '[' => {
                depth += 1;
                if letter == '{' && open.is_none() && key == "Statement" && (depth == 2 || depth == 3) {
                    open = Some((depth, place));
                }
            }
            '}' | ']' => {
                if let Some((_, start)) = open.filter(|(opened, _)| *opened == depth) {
                    found.push((start, place));
                    open = None;
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if letter == '\n' {
            place = Place { line: place.line + 1, column: 1 };
        } else {
            place.column += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_in_lists_and_alone() {
        let text = "{\"Version\":\"2012-10-17\",\n \"Statement\":[\n  {\"Sid\":\"a}\\\"\",\"Condition\":{\"a\":{}}},\n  {\"x\":[{}]}\n ]}";
        let place = |line, column| Place { line, column };
        assert_eq!(statements(text), [(place(3, 3), place(3, 37)), (place(4, 3), place(4, 12))]);
        assert_eq!(statements("{\"Statement\":{\"a\":1}}"), [(place(1, 14), place(1, 20))]);
        assert_eq!(statements("{\"Id\":{},\"Statement\":[]}"), []);
        assert_eq!(statements("}}][\"Statement\":{"), []);
    }
}
