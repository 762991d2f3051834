//! Command lines in the old style: letters in a bunch, values attached or following.

use std::collections::BTreeMap;

/// A command line taken apart.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    given: BTreeMap<String, Vec<String>>,
    pub(super) rest: Vec<String>,
}

impl Arguments {
    /// `flags` names what may be given, by words: `q` (a letter), `O=` (a letter with a value), `spider`, `timeout=`.
    /// A letter's value may follow at once (`-O-`), a word's behind `=`; both may be the next argument.
    pub(super) fn read(arguments: &[String], flags: &str) -> Result<Self, String> {
        let mut read = Self::default();
        let mut left = arguments.iter();
        while let Some(argument) = left.next() {
            if argument == "--" {
                read.rest.extend(left.cloned());
                break;
            } else if let Some(word) = argument.strip_prefix("--") {
                let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                let takes = takes_value(name, flags).ok_or_else(|| format!("unrecognized option '--{name}'"))?;
                let value = match (takes, value) {
                    (false, _) => String::new(),
                    (true, Some(value)) => value.to_owned(),
                    (true, None) => next(&mut left, &format!("--{name}"))?,
                };
                read.add(name, value);
            } else if argument.len() > 1 && argument.starts_with('-') {
                read.letters(argument.trim_start_matches('-'), flags, &mut left)?;
            } else {
                read.rest.push(argument.clone());
            }
        }
        Ok(read)
    }

    fn letters<'a>(
        &mut self,
        bunch: &str,
        flags: &str,
        left: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        for (at, letter) in bunch.char_indices() {
            let name = letter.to_string();
            if takes_value(&name, flags).ok_or_else(|| format!("unrecognized option: {letter}"))? {
                let attached = bunch.get(at + letter.len_utf8()..).unwrap_or_default();
                let value = if attached.is_empty() { next(left, &format!("-{letter}"))? } else { attached.to_owned() };
                self.add(&name, value);
                return Ok(());
            }
            self.add(&name, String::new());
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: String) {
        self.given.entry(name.to_owned()).or_default().push(value);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The value given last.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.given.get(name)?.last().map(String::as_str)
    }

    /// All values, in order.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.given.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Whether a flag takes a value; `None`: there is no such flag.
fn takes_value(name: &str, flags: &str) -> Option<bool> {
    flags.split(' ').find_map(|flag| match flag.strip_suffix('=') {
        Some(valued) => (valued == name).then_some(true),
        None => (flag == name).then_some(false),
    })
}

fn next<'a>(left: &mut impl Iterator<Item = &'a String>, flag: &str) -> Result<String, String> {
    left.next().cloned().ok_or_else(|| format!("option requires an argument: {flag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Arguments::read(&words, "q O= T= spider header=")
    }

    #[test]
    fn letters_and_words_are_read() {
        let arguments = read("-qO- --header a:1 --header=b:2 -T 5 http://x -- -y").unwrap();
        assert!(arguments.has("q") && !arguments.has("spider"));
        assert_eq!((arguments.value("O"), arguments.value("T")), (Some("-"), Some("5")));
        assert_eq!(arguments.values("header"), ["a:1", "b:2"]);
        assert_eq!(arguments.rest, ["http://x", "-y"]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(read("-x").unwrap_err(), "unrecognized option: x");
        assert_eq!(read("--x=1").unwrap_err(), "unrecognized option '--x'");
        assert_eq!(read("-T").unwrap_err(), "option requires an argument: -T");
    }
}
