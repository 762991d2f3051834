//! What `*`, `?` and `${variables}` of a policy match.

use super::question::Keys;

/// One part of a pattern. A variable's value becomes letters, so a `*` in it is a star and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `*`: any letters, or none.
    Any,
    /// `?`: one letter.
    One,
    Letter(char),
}

/// A pattern with its variables put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

impl Pattern {
    /// Reads a text with wildcards and, where the policy's version knows them, variables: `${aws:username}`, `${key, 'default'}`,
    /// `${*}`, `${?}`, `${$}`. `None` where the request has no single value for a variable: such a text matches nothing
    /// (IAM user guide, "Policy variables and tags").
    pub fn read(text: &str, variables: Option<&Keys>) -> Option<Self> {
        let mut parts = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            match letter {
                '*' => parts.push(Part::Any),
                '?' => parts.push(Part::One),
                '$' if variables.is_some() && rest.starts_with('{') && rest.contains('}') => {
                    let (name, after) = rest[1..].split_once('}')?;
                    parts.extend(value(name, variables?)?.chars().map(Part::Letter));
                    rest = after;
                }
                letter => parts.push(Part::Letter(letter)),
            }
        }
        Some(Self(parts))
    }

    /// A text in which nothing is special but the variables.
    pub fn literal(text: &str, variables: Option<&Keys>) -> Option<String> {
        let pattern = Self::read(text, variables)?;
        let letter = |part: &Part| match part {
            Part::Any => '*',
            Part::One => '?',
            Part::Letter(letter) => *letter,
        };
        Some(pattern.0.iter().map(letter).collect())
    }

    pub fn matches(&self, text: &str) -> bool {
        matches(&self.0, &text.chars().collect::<Vec<_>>())
    }

    /// Part by part between the colons of an ARN, of which the sixth takes all the rest: a wildcard does not reach over a colon before
    /// it (IAM user guide, "JSON policy elements: Resource", and the Arn condition operators). Of shorter patterns only `*` matches.
    pub fn matches_arn(&self, text: &str) -> bool {
        let (pattern, text) = (split(&self.0), text.splitn(6, ':').collect::<Vec<_>>());
        if pattern.len() < 6 {
            return !self.0.is_empty() && self.0.iter().all(|part| *part == Part::Any);
        }
        let same = |(pattern, text): (&&[Part], &&str)| matches(pattern, &text.chars().collect::<Vec<_>>());
        text.len() == 6 && pattern.iter().zip(&text).all(same)
    }
}

fn value(name: &str, keys: &Keys) -> Option<String> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name.to_owned());
    }
    let (name, default) = match name.split_once(',') {
        Some((name, default)) => (name, Some(default.trim().trim_matches('\''))),
        None => (name, None),
    };
    match keys.get(name.trim()) {
        Some([value]) => Some(value.clone()),
        Some(_) => None,
        None => default.map(str::to_owned),
    }
}

fn split(parts: &[Part]) -> Vec<&[Part]> {
    parts.splitn(6, |part| *part == Part::Letter(':')).collect()
}

/// The last star is the only one that ever has to take more letters, so this ends after `pattern × text` steps.
fn matches(pattern: &[Part], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        let fits = match pattern.get(at) {
            Some(Part::Any) => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some(Part::One) => true,
            Some(Part::Letter(letter)) => text.get(read) == Some(letter),
            None => false,
        };
        if fits {
            (at, read) = (at + 1, read + 1);
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            (at, read) = (place + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern.iter().skip(at).all(|part| *part == Part::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern, None).is_some_and(|pattern| pattern.matches(text))
    }

    fn fits_arn(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern, None).is_some_and(|pattern| pattern.matches_arn(text))
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything"),
            ("a*c", "abbbc"),
            ("a*c", "ac"),
            ("a*b*c", "axxbyybzc"),
            ("a?c", "abc"),
            ("**", "x"),
            ("*a", "aaa"),
            ("", ""),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("a", "ab"), ("", "a"), ("*b", "a"), ("a*c", "abd"), ("A", "a")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_star_does_not_reach_over_a_colon_of_an_arn() {
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf";
        assert!(fits_arn("arn:aws:secretsmanager:*:*:secret:shop/*", secret));
        assert!(fits_arn("arn:aws:secretsmanager:*:*:*", secret));
        assert!(!fits_arn("arn:*:secret:shop/db-??????", secret.replace(":secret:", "/secret:").as_str()));
        assert!(!fits_arn("arn:aws:secretsmanager:*:secret:shop/*:x", secret));
        assert!(fits_arn("*", secret));
        assert!(fits_arn("*", "*"));
        assert!(!fits_arn("arn:aws:ecr:*:*:repository/shop/*", "*"));
    }

    #[test]
    fn a_variable_is_letters_even_if_it_holds_a_star() {
        let keys = Keys::from_iter([("aws:username", "*")]);
        let read = |text| Pattern::read(text, Some(&keys));
        assert!(read("${aws:username}").is_some_and(|it| it.matches("*") && !it.matches("x")));
        assert!(read("a${*}b").is_some_and(|it| it.matches("a*b") && !it.matches("axb")));
        assert_eq!(read("${aws:userid}"), None, "no value: matches nothing");
        assert!(read("${aws:userid, 'nobody'}").is_some_and(|it| it.matches("nobody")));
        assert!(read("${unclosed").is_some_and(|it| it.matches("${unclosed")));
        assert!(fits("${aws:username}", "${aws:username}"), "the old version knows no variables");
    }
}
