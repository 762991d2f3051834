//! The JSON that is promised, and what outcome and opening make of results.

use serde_json::{Value, json};

use super::*;

fn verdicts() -> [Verdict; 3] {
    let evidence = || Evidence::new("3 ready", "2 ready").look(Some("kubectl -n shop get pods".into()));
    [Verdict::met(evidence()), Verdict::not_met("2 of 3 ready", evidence()), Verdict::unknown("list pods: 500")]
}

fn objective(verdict: Verdict, pending: bool) -> ObjectiveResult {
    ObjectiveResult { name: "shop-answers".into(), title: "The shop answers".into(), points: 100, pending, verdict }
}

fn safeguard(verdict: Verdict, severity: &str, sticky: bool) -> SafeguardResult {
    SafeguardResult {
        name: "same".into(),
        title: "Still the same".into(),
        severity: severity.into(),
        cost: 0,
        sticky,
        seen: None,
        verdict,
    }
}

fn report(objectives: Vec<ObjectiveResult>, safeguards: Vec<SafeguardResult>) -> Report {
    Report::new("shop".into(), "sim".into(), "shop-abcd".into(), objectives, safeguards, 5)
}

#[test]
fn verdict_reason_and_evidence_are_always_there() {
    let [met, not_met, unknown] = verdicts();
    let evidence = json!({"wanted": "3 ready", "found": "2 ready", "look": "kubectl -n shop get pods"});
    for (verdict, word, reason, evidence) in [
        (met, "met", Value::Null, evidence.clone()),
        (not_met, "not_met", json!("2 of 3 ready"), evidence),
        (unknown, "unknown", json!("list pods: 500"), Value::Null),
    ] {
        let written = serde_json::to_value(objective(verdict.clone(), false)).unwrap();
        let wanted = json!({
            "name": "shop-answers", "title": "The shop answers", "points": 100, "pending": false,
            "verdict": word, "reason": reason, "evidence": evidence,
        });
        assert_eq!(written, wanted);
        let written = serde_json::to_value(safeguard(verdict, "recoverable", false)).unwrap();
        assert_eq!(
            (&written["verdict"], &written["reason"], &written["evidence"]),
            (&wanted["verdict"], &reason, &evidence)
        );
    }
}

#[test]
fn a_report_reads_back_as_it_was_written() {
    let objectives = verdicts().map(|it| objective(it, false)).to_vec();
    let safeguards = verdicts().map(|it| safeguard(it, "catastrophic", true)).to_vec();
    let report = report(objectives, safeguards);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn a_report_names_its_formula() {
    let written = serde_json::to_value(report(vec![objective(verdicts()[0].clone(), false)], vec![])).unwrap();
    assert_eq!((&written["formula"], &written["score"], &written["solved"]), (&json!("1"), &json!(95), &json!(true)));
}

#[test]
fn the_outcome_weighs_wrong_over_unknown() {
    let [met, not_met, unknown] = verdicts();
    let run = |objectives: &[(&Verdict, bool)], safeguards: &[(&Verdict, &str, bool)]| {
        let objectives = objectives.iter().map(|(it, pending)| objective((*it).clone(), *pending)).collect();
        let safeguards =
            safeguards.iter().map(|(it, severity, sticky)| safeguard((*it).clone(), severity, *sticky)).collect();
        report(objectives, safeguards).outcome()
    };
    assert_eq!(run(&[(&met, false)], &[]), Outcome::Solved);
    assert_eq!(run(&[(&not_met, false)], &[]), Outcome::NotYet);
    assert_eq!(run(&[(&unknown, false)], &[]), Outcome::CouldNotCheck);
    assert_eq!(run(&[(&met, false), (&unknown, false)], &[]), Outcome::CouldNotCheck);
    assert_eq!(run(&[(&not_met, false), (&unknown, false)], &[]), Outcome::NotYet);
    // Not tried because something else is unknown: nothing was seen to be wrong.
    assert_eq!(run(&[(&not_met, true), (&unknown, false)], &[]), Outcome::CouldNotCheck);
    assert_eq!(run(&[(&not_met, true), (&met, false)], &[]), Outcome::NotYet);
    assert_eq!(run(&[(&met, false)], &[(&unknown, "recoverable", false)]), Outcome::CouldNotCheck);
    assert_eq!(run(&[(&met, false)], &[(&not_met, "recoverable", false)]), Outcome::NotYet);
    assert_eq!(run(&[(&met, false)], &[(&met, "recoverable", true)]), Outcome::Solved);
    assert_eq!(run(&[(&unknown, false)], &[(&met, "catastrophic", true)]), Outcome::NotYet);
    assert_eq!(run(&[], &[]), Outcome::NotYet);
}

#[test]
fn a_lab_opens_only_where_all_fail_and_nothing_is_harmed() {
    let [met, not_met, unknown] = verdicts();
    let faults = |objective: ObjectiveResult, safeguard: SafeguardResult| {
        report(vec![objective], vec![safeguard]).opening_faults()
    };
    let kept = || safeguard(met.clone(), "recoverable", false);
    assert_eq!(faults(objective(not_met.clone(), false), kept()), []);
    let name = || "shop-answers".to_owned();
    assert_eq!(faults(objective(met.clone(), false), kept()), [OpeningFault::ObjectiveMet { name: name() }]);
    assert_eq!(faults(objective(not_met.clone(), true), kept()), [OpeningFault::ObjectiveMet { name: name() }]);
    let reason = "list pods: 500".to_owned();
    assert_eq!(
        faults(objective(unknown.clone(), false), kept()),
        [OpeningFault::ObjectiveUnknown { name: name(), reason: reason.clone() }]
    );
    let broken = safeguard(not_met.clone(), "recoverable", false);
    let violated = OpeningFault::SafeguardViolated { name: "same".into(), reason: "2 of 3 ready".into() };
    assert_eq!(faults(objective(not_met.clone(), false), broken), [violated]);
    let unseen = safeguard(unknown, "recoverable", false);
    assert_eq!(
        faults(objective(not_met, false), unseen),
        [OpeningFault::SafeguardUnknown { name: "same".into(), reason }]
    );
}
