//! Image references: `registry.example/shop/web:1.4` taken apart.

use std::{fmt, str::FromStr};

/// A reference by tag. Digests are not taken: the workload's image has none that an author could know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// As engines print it: without `docker.io/`, always with a tag.
    short: String,
    /// Everything up to the path: `registry.example`; `docker.io` where none is written.
    registry: String,
    /// `shop/web`.
    path: String,
    tag: String,
}

/// A text that is no reference by tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference; write it as `registry.example/shop/web:1.4`")]
pub struct ReferenceError {
    text: String,
}

impl Reference {
    /// The last part of the path: `web`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// With registry and tag, as containerd names images.
    pub fn full(&self) -> String {
        format!("{}/{}:{}", self.registry, self.path, self.tag)
    }

    /// As engines print it in `docker images`.
    pub fn short(&self) -> &str {
        &self.short
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// The rules of the `distribution` project: the first part is a registry if it has a dot or a port, or is `localhost`.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let bad = || ReferenceError { text: text.to_owned() };
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let part = |part: &str| {
            part.starts_with(plain) && part.ends_with(plain) && part.chars().all(|c| plain(c) || "._-".contains(c))
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let tagged = tag.starts_with(word) && tag.len() <= 128 && tag.chars().all(|c| word(c) || ".-".contains(c));
        let host = registry.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
        if !tagged || !host || !path.split('/').all(part) {
            return Err(bad());
        }
        let short = format!("{name}:{tag}");
        let short =
            short.strip_prefix("docker.io/library/").or_else(|| short.strip_prefix("docker.io/")).unwrap_or(&short);
        Ok(Self { short: short.to_owned(), registry: registry.to_owned(), path, tag: tag.to_owned() })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let reference: Reference = "registry.example/shop/web:1.4".parse().unwrap();
        assert_eq!((reference.name(), reference.tag()), ("web", "1.4"));
        assert_eq!(reference.full(), "registry.example/shop/web:1.4");
        assert_eq!(reference.to_string(), "registry.example/shop/web:1.4");
        let reference: Reference = "localhost:5000/web".parse().unwrap();
        assert_eq!(
            (reference.full().as_str(), reference.short()),
            ("localhost:5000/web:latest", "localhost:5000/web:latest")
        );
        let reference: Reference = "web".parse().unwrap();
        assert_eq!((reference.full().as_str(), reference.short()), ("docker.io/library/web:latest", "web:latest"));
        let reference: Reference = "shop/web:2".parse().unwrap();
        assert_eq!((reference.full().as_str(), reference.short()), ("docker.io/shop/web:2", "shop/web:2"));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in ["", "Web:1", "shop//web", "web:", "web@sha256:abc", "registry.example/", "shop/web:a b", "-web"] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
