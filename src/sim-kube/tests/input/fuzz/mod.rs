//! Seeded mutation of a corpus: thousands of inputs that nobody would think of, the same ones on every machine.
//!
//! A target is a file: it takes one input and panics where a law is broken. `BREAKFIX_FUZZ_ROUNDS=N` tries N inputs a target instead of a
//! few hundred, `BREAKFIX_FUZZ_SEED=N` others. An input that ends the process (a stack that overflows) is the file `fuzz-TARGET` of the folder
//! that the failure's first line names; what is found goes into `corpus/`.

mod expressions;
mod manifests;
mod mutate;
mod patches;
mod quantities;
mod selectors;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use breakfix_sim::Chance;

const ROUNDS: u64 = 300;
/// One input; a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(300);

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/input/corpus").join(name)
}

/// The lines of a file of the corpus: each is an input.
fn lines(name: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(corpus(name)).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.as_bytes().to_vec()).collect()
}

/// The files of a folder of the corpus, with their names, in the order of these.
fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(corpus(name))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Tries every input as it is, then so many made from them. `of` says which inputs may be mixed.
fn run(target: &str, inputs: &[Vec<u8>], words: &[&str], mut law: impl FnMut(usize, &[u8])) {
    assert!(inputs.len() > 2, "the corpus of {target} is there");
    let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}"));
    let mut tried = |which: usize, input: &[u8]| {
        fs::write(&last, input).unwrap();
        let began = Instant::now();
        law(which, input);
        let took = began.elapsed();
        assert!(took < SOON, "{target}: {took:?} for {}", last.display());
    };
    for (which, input) in inputs.iter().enumerate() {
        tried(which, input);
    }
    let mut chance = Chance::from_seed(number("BREAKFIX_FUZZ_SEED", 1));
    for _ in 0..number("BREAKFIX_FUZZ_ROUNDS", ROUNDS) {
        let which = usize::try_from(chance.below(inputs.len() as u64)).unwrap();
        let made = mutate::mutate(&mut chance, inputs, which, words);
        tried(which, &made);
    }
}
