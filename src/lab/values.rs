//! The values of a lab's parameters: chosen by a seed, the same for the same seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::lab::Parameter;

/// The name of a value that is new in every request or round trip; no parameter may have it and nothing here replaces it.
pub const NONCE: &str = "nonce";
/// The name of a value that is new in every check run and the same all through it: what a trigger writes and its check reads.
pub const RUN: &str = "run";
/// The names that are filled in while checking, not while reading.
pub const LATER: [&str; 2] = [NONCE, RUN];

/// One chosen value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chosen {
    Number(i64),
    Text(String),
}

impl Chosen {
    /// As it stands inside a text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// The number, when it is one.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(Number::from(*number)),
            Self::Text(_) => None,
        }
    }
}

/// The values that `${name}` stands for in one session of one lab; kept with the session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(pub BTreeMap<String, Chosen>);

/// A parameter for which no value can be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// The machine has no free port where the parameter asks for one.
    #[error("no TCP port at or above {from} is free for the parameter `{parameter}`; stop what listens there")]
    NoFreePort { parameter: String, from: u16 },
    /// `choose: []`, or a range whose end lies before its start.
    #[error("the parameter `{parameter}` has no value to choose from")]
    Nothing { parameter: String },
}

impl Values {
    /// Chooses a value for each parameter. Without a seed: the first choice, the start of the range, the first free port.
    ///
    /// Each parameter is drawn by its own name, so that a new one changes no other. `free_port` answers with a free TCP
    /// port at or above the one it is given.
    ///
    /// # Errors
    /// No free port, or a parameter without any possible value.
    pub fn resolve(
        parameters: &BTreeMap<String, Parameter>,
        seed: Option<u64>,
        free_port: &mut dyn FnMut(u16) -> Option<u16>,
    ) -> Result<Self, ValuesError> {
        let mut values = BTreeMap::new();
        for (name, parameter) in parameters {
            let nothing = || ValuesError::Nothing { parameter: name.clone() };
            let mut draw = Draw::new(seed, name);
            let chosen = match parameter {
                Parameter::Choose(choices) => {
                    let index = usize::try_from(draw.below(choices.len() as u64)).unwrap_or(0);
                    Chosen::Text(choices.get(index).ok_or_else(nothing)?.clone())
                }
                Parameter::Range(first, last) => {
                    if last < first {
                        return Err(nothing());
                    }
                    Chosen::Number(first.wrapping_add_unsigned(draw.below(last.abs_diff(*first).saturating_add(1))))
                }
                Parameter::Token(length) => Chosen::Text(draw.token(*length)),
                Parameter::FreePort(from) => {
                    let spread = u16::try_from(draw.below(PORT_SPREAD)).unwrap_or(0);
                    let start = from.saturating_add(spread);
                    let port = free_port(start).or_else(|| free_port(*from));
                    let no_port = ValuesError::NoFreePort { parameter: name.clone(), from: *from };
                    Chosen::Number(port.ok_or(no_port)?.into())
                }
            };
            values.insert(name.clone(), chosen);
        }
        Ok(Self(values))
    }
}

/// With a seed, free ports are looked for in as many steps from the parameter's own number.
const PORT_SPREAD: u64 = 200;

/// Numbers for one parameter.
struct Draw {
    state: u64,
    /// Without a seed every draw is the first possibility, except in tokens.
    seeded: bool,
}

impl Draw {
    fn new(seed: Option<u64>, name: &str) -> Self {
        // FNV-1a, 64 bits (draft-eastlake-fnv): spreads the names over the seeds.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self { state: seed.unwrap_or(0) ^ hash, seeded: seed.is_some() }
    }

    /// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 without a seed.
    fn below(&mut self, bound: u64) -> u64 {
        if self.seeded && bound > 0 { self.next() % bound } else { 0 }
    }

    /// A word that begins with a letter, so that it may name an object.
    fn token(&mut self, length: u32) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        (0..length)
            .map(|index| {
                // The last eight are digits.
                let choices = if index == 0 { 24 } else { 32 };
                let drawn = usize::try_from(self.next() % choices).unwrap_or(0);
                LETTERS.get(drawn).map_or('a', |letter| char::from(*letter))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> BTreeMap<String, Parameter> {
        BTreeMap::from([
            ("app".to_owned(), Parameter::Choose(vec!["web".to_owned(), "front".to_owned(), "page".to_owned()])),
            ("port".to_owned(), Parameter::Range(8000, 8999)),
            ("token".to_owned(), Parameter::Token(12)),
            ("host_port".to_owned(), Parameter::FreePort(18080)),
        ])
    }

    fn resolve(seed: Option<u64>) -> Values {
        Values::resolve(&parameters(), seed, &mut Some).unwrap()
    }

    #[test]
    fn the_first_of_everything_without_a_seed() {
        let values = resolve(None);
        assert_eq!(values.0["app"], Chosen::Text("web".to_owned()));
        assert_eq!(values.0["port"], Chosen::Number(8000));
        assert_eq!(values.0["host_port"], Chosen::Number(18080));
        assert_eq!(values, resolve(None));
    }

    #[test]
    fn the_same_seed_the_same_values_and_another_seed_others() {
        assert_eq!(resolve(Some(7)), resolve(Some(7)));
        assert_ne!(resolve(Some(7)), resolve(Some(8)));
        let ports: std::collections::BTreeSet<String> =
            (0..200).map(|seed| resolve(Some(seed)).0["port"].text()).collect();
        assert!(ports.len() > 150, "{}", ports.len());
        for seed in 0..200 {
            let values = resolve(Some(seed));
            let port: i64 = values.0["port"].text().parse().unwrap();
            assert!((8000..=8999).contains(&port));
            let token = values.0["token"].text();
            assert_eq!(token.len(), 12);
            assert!(token.starts_with(|first: char| first.is_ascii_lowercase()), "{token}");
        }
    }

    #[test]
    fn a_new_parameter_changes_no_other() {
        let mut more = parameters();
        more.insert("aaa".to_owned(), Parameter::Token(4));
        let more = Values::resolve(&more, Some(3), &mut Some).unwrap();
        assert_eq!(more.0["port"], resolve(Some(3)).0["port"]);
    }

    #[test]
    fn survives_the_edges() {
        let edges = BTreeMap::from([
            ("all".to_owned(), Parameter::Range(i64::MIN, i64::MAX)),
            ("port".to_owned(), Parameter::FreePort(u16::MAX)),
        ]);
        assert!(Values::resolve(&edges, Some(5), &mut Some).is_ok());
        let none = BTreeMap::from([("x".to_owned(), Parameter::Choose(Vec::new()))]);
        assert!(Values::resolve(&none, None, &mut Some).unwrap_err().to_string().contains("`x`"));
        let full = Values::resolve(&parameters(), None, &mut |_| None).unwrap_err().to_string();
        assert_eq!(
            full,
            "no TCP port at or above 18080 is free for the parameter `host_port`; stop what listens there"
        );
    }

    #[test]
    fn is_kept_as_plain_json() {
        let json = serde_json::to_string(&resolve(None)).unwrap();
        assert!(json.contains("\"port\":8000") && json.contains("\"app\":\"web\""), "{json}");
        assert_eq!(serde_json::from_str::<Values>(&json).unwrap(), resolve(None));
    }
}
