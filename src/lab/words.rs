//! Words inside texts, and the spelling of names.

/// Longer names break the columns of `list` and the limits of object names made from them.
pub(crate) const NAME_LENGTH_MAX: usize = 48;

/// Whether the term stands in the text as a word of its own, upper and lower case alike.
pub(crate) fn has_word(text: &str, term: &str) -> bool {
    let (text, term) = (text.to_lowercase(), term.to_lowercase());
    if term.is_empty() {
        return false;
    }
    let part_of_word = |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '_');
    text.match_indices(&term).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        // A term that begins or ends with a sign (`/readyz`) has its boundary there.
        let opens = !term.starts_with(char::is_alphanumeric) || !part_of_word(before);
        let closes = !term.ends_with(char::is_alphanumeric) || !part_of_word(after);
        opens && closes
    })
}

/// The words of a text or of a name, in lower case: `web-broken_v2` has three.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether a name is lower-case letters and digits in parts joined by single dashes.
pub(crate) fn is_kebab(name: &str) -> bool {
    !name.is_empty()
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_boundaries() {
        for (text, term, wanted) in [
            ("the selector is empty", "selector", true),
            ("the Selector: x", "selector", true),
            ("selectors", "selector", false),
            ("GET /readyz says 404", "/readyz", true),
            ("GET /readyz2", "/readyz", false),
            ("web:1.4.0", "1.4", true),
            ("web:11.4", "1.4", false),
            ("x", "", false),
        ] {
            assert_eq!(has_word(text, term), wanted, "{text} / {term}");
        }
    }

    #[test]
    fn kebab_case_is_plain() {
        for (name, wanted) in
            [("a-lab", true), ("lab2", true), ("A-lab", false), ("a--b", false), ("-a", false), ("", false)]
        {
            assert_eq!(is_kebab(name), wanted, "{name}");
        }
    }
}
