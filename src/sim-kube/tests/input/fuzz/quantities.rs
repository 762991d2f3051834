//! Quantities: what is read is printed so that it reads the same, and sums are as large as their parts.

use breakfix_sim_kube::api::quantity::Quantity;

use super::{lines, run};

const WORDS: &[&str] = &[
    "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e", "E", "e3", "E-2", ".", "+",
    "-", "00",
];

#[test]
fn quantities_keep_their_amount() {
    run("quantities", &lines("quantities.txt"), WORDS, |_, input| {
        let text = String::from_utf8_lossy(input);
        let Ok(read) = Quantity::parse(&text) else { return };
        let printed = read.to_string();
        let again = Quantity::parse(&printed).unwrap_or_else(|error| panic!("{text:?} prints as {printed:?}: {error}"));
        assert!(again == read, "{text:?} prints as {printed:?}, which is another amount");
        assert_eq!(again.to_string(), printed, "{text:?}: printing has an end");
        let one = Quantity::parse("1").unwrap();
        assert!(read.plus(&one).partial_cmp(&read) != Some(std::cmp::Ordering::Less), "{text:?}: a sum is no smaller");
        assert!(read.minus(&read).is_zero(), "{text:?}");
        let _ = (read.milli(), read.units(), read.over(&one), one.over(&read));
    });
}
