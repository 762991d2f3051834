//! "Did you mean …?": the nearest of the words that would have been right.

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_lowercase();
            let same_letters = plain.replace(['-', '_'], "") == lower.replace(['-', '_'], "");
            let distance = if same_letters { 0 } else { strsim::damerau_levenshtein(&lower, &plain) };
            (distance, candidate)
        })
        // A third of the letters may be off, one always: `pods` for `pod`, never `url` for `kind`.
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The help that ends an "unknown …" message: the nearest word, or all of them where they are few.
pub fn help(word: &str, candidates: &[&str]) -> Option<String> {
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    (1..=24).contains(&candidates.len()).then(|| format!("known: {}", list(candidates)))
}

/// The words in back quotes, with commas.
pub fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        for (word, wanted) in [
            ("serivce", Some("service")),
            ("Service", Some("service")),
            ("ownedBy", Some("owned_by")),
            ("owned-by", Some("owned_by")),
            ("elephant", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, ["service", "owned_by", "ready"]), wanted, "{word}");
        }
    }

    #[test]
    fn lists_the_words_when_none_is_near() {
        assert_eq!(help("x", &["service", "ready"]).unwrap(), "known: `service`, `ready`");
        assert_eq!(help("x", &[]), None);
    }
}
