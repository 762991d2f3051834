//! What may happen to an input: bytes that turn, ranges that go, come twice or a hundred times, words of the language, tails of others.

use breakfix_sim::Chance;

/// Larger ones find nothing that these do not, and take long.
const BYTES_MAX: usize = 64 << 10;

/// What stands at the edges of every format.
const WORDS: &[&str] = &[
    "",
    "0",
    "-1",
    "1",
    "65536",
    "2147483648",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.0000000001",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "\u{0}",
    "\u{7f}",
    "é",
    "𝄞",
    "\u{202e}",
    "~",
    "/",
    "..",
    "%",
    "$",
    "\\",
    "'",
    "\"",
    "`",
    ",",
    ":",
    "\n",
    "\t",
    "- ",
    "  ",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "---\n",
    "#",
];
const PAIRS: &[(&str, &str)] =
    &[("(", ")"), ("[", "]"), ("{", "}"), ("{\"a\":", "}"), ("\"", "\""), ("!", ""), ("-", ""), ("a.", "")];

fn below(chance: &mut Chance, limit: usize) -> usize {
    usize::try_from(chance.below(limit as u64)).unwrap_or(0)
}

/// A place, and one after it.
fn range(chance: &mut Chance, length: usize) -> (usize, usize) {
    let from = below(chance, length + 1);
    (from, from + below(chance, (length - from).min(64) + 1))
}

/// One input made of another.
pub fn mutate(chance: &mut Chance, inputs: &[Vec<u8>], which: usize, words: &[&str]) -> Vec<u8> {
    let mut input = inputs[which].clone();
    for _ in 0..=below(chance, 4) {
        step(chance, &mut input, inputs, words);
        input.truncate(BYTES_MAX);
    }
    input
}

fn step(chance: &mut Chance, input: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[&str]) {
    let (from, to) = range(chance, input.len());
    match chance.below(10) {
        0 => {
            if let Some(byte) = input.get_mut(from) {
                *byte ^= 1 << chance.below(8);
            }
        }
        1 => drop(input.drain(from..to)),
        2 => drop(input.splice(from..to, WORDS[below(chance, WORDS.len())].bytes())),
        3 | 4 => {
            let at = if chance.below(2) == 0 { from..to } else { from..from };
            let word = words.get(below(chance, words.len())).copied().unwrap_or("");
            drop(input.splice(at, word.bytes()));
        }
        5 => {
            let times = [2, 3, 20, 150][below(chance, 4)];
            let again = input[from..to].repeat(times);
            drop(input.splice(from..to, again));
        }
        6 => {
            let other = &inputs[below(chance, inputs.len())];
            let (begin, _) = range(chance, other.len());
            input.truncate(from);
            input.extend(&other[begin..]);
        }
        7 => {
            let other = &inputs[below(chance, inputs.len())];
            let (begin, end) = range(chance, other.len());
            drop(input.splice(from..to, other[begin..end].iter().copied()));
        }
        8 => {
            let (open, close) = PAIRS[below(chance, PAIRS.len())];
            let depth = [1, 2, 10, 130, 2_000][below(chance, 5)];
            let inside =
                format!("{}{}{}", open.repeat(depth), String::from_utf8_lossy(&input[from..to]), close.repeat(depth));
            drop(input.splice(from..to, inside.into_bytes()));
        }
        _ => number(chance, input, from),
    }
}

/// Another number in the place of the next one.
fn number(chance: &mut Chance, input: &mut Vec<u8>, from: usize) {
    let Some(begin) = input[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let end = input[begin..].iter().position(|byte| !byte.is_ascii_digit()).map_or(input.len(), |at| begin + at);
    let other = match chance.below(4) {
        0 => chance.below(10).to_string(),
        1 => chance.bits().to_string(),
        2 => format!("-{}", chance.below(100)),
        _ => format!("{}.{}", chance.below(1000), chance.below(1000)),
    };
    drop(input.splice(begin..end, other.into_bytes()));
}
