//! Three-valued logic, all of it.

use breakfix_lab::Check;
use serde_json::json;

use crate::{Judge, Verdict, fixture::*};

/// A check that is met (`m`), not met (`n`) or unknown (`u`).
fn leaf(letter: char) -> Check {
    let cel = match letter {
        'm' => "true",
        'n' => "false",
        _ => "object.spec",
    };
    check(json!({"field": {"kind": "Deployment", "name": "shop", "cel": cel, "wanted": letter.to_string()}}))
}

fn word(check: &Check) -> char {
    match shop().judge(check) {
        Verdict::Met { .. } => 'm',
        Verdict::NotMet { .. } => 'n',
        Verdict::Unknown { .. } => 'u',
    }
}

#[test]
fn tables() {
    for (letters, all, any, none) in [
        ("", 'u', 'u', 'u'),
        ("m", 'm', 'm', 'n'),
        ("n", 'n', 'n', 'm'),
        ("u", 'u', 'u', 'u'),
        ("mm", 'm', 'm', 'n'),
        ("mn", 'n', 'm', 'n'),
        ("mu", 'u', 'm', 'n'),
        ("nn", 'n', 'n', 'm'),
        ("nu", 'n', 'u', 'u'),
        ("uu", 'u', 'u', 'u'),
        ("mnu", 'n', 'm', 'n'),
    ] {
        let mut turned: Vec<char> = letters.chars().collect();
        // The order must not matter.
        for _ in 0..=turned.len() {
            let checks = || turned.iter().map(|letter| leaf(*letter)).collect::<Vec<_>>();
            assert_eq!(word(&Check::All(checks())), all, "all of {turned:?}");
            assert_eq!(word(&Check::Any(checks())), any, "any of {turned:?}");
            assert_eq!(word(&Check::None(checks())), none, "none of {turned:?}");
            if !turned.is_empty() {
                turned.rotate_left(1);
            }
        }
    }
}

#[test]
fn reasons_are_told_once_each() {
    let verdict = shop().judge(&Check::All(vec![leaf('n'), leaf('m'), leaf('n')]));
    assert_eq!(verdict.reason(), Some("n: not so of Deployment shop"));
    let three = Check::Any(vec![leaf('n'), check(json!({"field": {"kind": "Pod", "cel": "false", "wanted": "p"}}))]);
    assert_eq!(shop().judge(&three).reason(), Some("n: not so of Deployment shop; p: not so of Pod shop-a-1"));
}

#[test]
fn they_nest_and_ask_for_everything_below() {
    let nested = Check::All(vec![Check::Any(vec![leaf('n'), leaf('m')]), Check::None(vec![leaf('n')])]);
    assert_eq!(word(&nested), 'm');
    assert_eq!(nested.queries(breakfix_lab::Platform::Kubernetes, &shop().scope()).len(), 3);
}

#[test]
fn problems_come_up_from_below() {
    let nested = Check::All(vec![
        Check::Any(vec![]),
        Check::None(vec![leaf('m'), check(json!({"field": {"kind": "Pod", "cel": "(", "wanted": ""}}))]),
    ]);
    assert_eq!(nested.problems().len(), 2, "{:?}", nested.problems());
}
