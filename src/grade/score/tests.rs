//! The formula, case by case.

use breakfix_lab::lab::{Safeguard, Severity};
use serde_json::json;

use super::{Score, cost, score};
use crate::{
    Evidence, Verdict,
    report::{ObjectiveResult, SafeguardResult},
};

fn met() -> Verdict {
    Verdict::met(Evidence::default())
}

fn not_met() -> Verdict {
    Verdict::not_met("no", Evidence::default())
}

fn unknown() -> Verdict {
    Verdict::unknown("who knows")
}

fn objective(points: u32, verdict: Verdict) -> ObjectiveResult {
    ObjectiveResult { name: String::new(), title: String::new(), points, pending: false, verdict }
}

fn safeguard(severity: &str, cost: u32, sticky: bool, verdict: Verdict) -> SafeguardResult {
    let cost = if sticky || verdict.is_not_met() { cost } else { 0 };
    SafeguardResult {
        name: String::new(),
        title: String::new(),
        severity: severity.to_owned(),
        cost,
        sticky,
        seen: None,
        verdict,
    }
}

fn recoverable(sticky: bool, verdict: Verdict) -> SafeguardResult {
    safeguard("recoverable", 20, sticky, verdict)
}

fn catastrophic(sticky: bool, verdict: Verdict) -> SafeguardResult {
    safeguard("catastrophic", 100, sticky, verdict)
}

fn all_met() -> [ObjectiveResult; 2] {
    [objective(60, met()), objective(40, met())]
}

const SOLVED: Score = Score { points: 100, solved: true };

fn open(points: u32) -> Score {
    Score { points, solved: false }
}

#[test]
fn everything_met_is_full_score() {
    assert_eq!(score(&all_met(), &[], 0), SOLVED);
}

#[test]
fn nothing_met_is_nothing() {
    assert_eq!(score(&[objective(60, not_met()), objective(40, not_met())], &[], 0), open(0));
}

#[test]
fn each_objective_gives_its_points() {
    assert_eq!(score(&[objective(60, met()), objective(40, not_met())], &[], 0), open(60));
    assert_eq!(score(&[objective(60, not_met()), objective(40, met())], &[], 0), open(40));
}

#[test]
fn unknown_counts_as_not_yet() {
    assert_eq!(score(&[objective(60, met()), objective(40, unknown())], &[], 0), open(60));
}

#[test]
fn no_objective_is_never_solved() {
    assert_eq!(score(&[], &[], 0), open(0));
}

#[test]
fn hints_cost_and_do_not_unsolve() {
    assert_eq!(score(&all_met(), &[], 15), Score { points: 85, solved: true });
}

#[test]
fn hints_never_bring_it_below_nothing() {
    assert_eq!(score(&[objective(10, met()), objective(90, not_met())], &[], 30), open(0));
}

#[test]
fn a_kept_safeguard_costs_nothing() {
    assert_eq!(score(&all_met(), &[recoverable(false, met()), catastrophic(false, met())], 0), SOLVED);
}

#[test]
fn a_recoverable_violation_costs_and_unsolves() {
    assert_eq!(score(&all_met(), &[recoverable(false, not_met())], 0), open(80));
}

#[test]
fn a_recoverable_violation_that_stuck_costs_though_it_is_met_again() {
    assert_eq!(score(&all_met(), &[recoverable(true, met())], 0), Score { points: 80, solved: true });
}

#[test]
fn a_violation_costs_once_now_and_earlier() {
    assert_eq!(score(&all_met(), &[recoverable(true, not_met())], 0), open(80));
}

#[test]
fn violations_add_up() {
    assert_eq!(score(&all_met(), &[recoverable(false, not_met()), recoverable(true, met())], 10), open(50));
}

#[test]
fn violations_never_bring_it_below_nothing() {
    let many = [(); 9].map(|()| recoverable(false, not_met()));
    assert_eq!(score(&all_met(), &many, 0), open(0));
}

#[test]
fn a_catastrophe_is_nothing() {
    assert_eq!(score(&all_met(), &[catastrophic(false, not_met())], 0), open(0));
}

#[test]
fn a_catastrophe_that_stuck_is_nothing_for_good() {
    assert_eq!(score(&all_met(), &[catastrophic(true, met())], 0), open(0));
}

#[test]
fn an_unknown_safeguard_costs_nothing_but_unsolves() {
    assert_eq!(score(&all_met(), &[recoverable(false, unknown())], 0), open(100));
    assert_eq!(score(&all_met(), &[catastrophic(false, unknown())], 0), open(100));
}

#[test]
fn an_unknown_safeguard_that_stuck_costs() {
    assert_eq!(score(&all_met(), &[recoverable(true, unknown())], 0), open(80));
}

#[test]
fn points_beyond_the_full_score_do_not_count() {
    assert_eq!(score(&[objective(90, met()), objective(90, met())], &[], 0), SOLVED);
}

#[test]
fn absurd_costs_do_not_overflow() {
    let absurd = safeguard("recoverable", u32::MAX, false, not_met());
    assert_eq!(score(&all_met(), &[absurd.clone(), absurd], u32::MAX), open(0));
    assert_eq!(score(&[objective(u32::MAX, met()), objective(u32::MAX, met())], &[], 0), SOLVED);
}

#[test]
fn a_safeguard_costs_what_the_lab_says_or_twenty() {
    let safeguard = |cost: Option<u32>, severity: Severity| Safeguard {
        name: String::new(),
        title: String::new(),
        severity,
        cost,
        always: false,
        check: serde_json::from_value(json!({"all": []})).unwrap(),
    };
    assert_eq!(cost(&safeguard(None, Severity::Recoverable)), 20);
    assert_eq!(cost(&safeguard(Some(5), Severity::Recoverable)), 5);
    assert_eq!(cost(&safeguard(Some(5), Severity::Catastrophic)), 100);
}
