//! Runs over scripted observations: no system, no clock, only the order of steps.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_lab::{
    Platform, Span,
    lab::{Objective, Safeguard},
};
use serde_json::{Value, json};

use super::{Answer, Case, Doing, Plan, Step};
use crate::{
    Baseline, Failure, Fetched, Observation, Query, Report,
    fixture::{NOW, at},
    query::Scope,
    report::{OpeningFault, Outcome},
};

/// A check of the switch of this name: on is met, off is not met, absent is unknown.
fn switch(name: &str) -> Value {
    json!({"field": {"kind": name, "cel": "object.on", "wanted": format!("{name} is on")}})
}

fn objective(name: &str, extra: Value) -> Objective {
    let mut body = json!({"name": name, "title": name, "points": 50, "check": switch(name)});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(body).unwrap()
}

/// An objective with a trigger that waits for two seconds; its guard is the switch `guard-NAME`.
fn tried(name: &str, extra: Value) -> Objective {
    let mut body = json!({"guard": switch(&format!("guard-{name}")), "trigger": [{"wait": "2s"}]});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    objective(name, body)
}

fn safeguard(name: &str, severity: &str, always: bool) -> Safeguard {
    let body = json!({"name": name, "title": name, "severity": severity, "always": always, "check": switch(name)});
    serde_json::from_value(body).unwrap()
}

fn case(objectives: Vec<Objective>, safeguards: Vec<Safeguard>) -> Case {
    Case {
        lab: "switches".into(),
        platform: Platform::Docker,
        objectives,
        safeguards,
        scope: Scope::default(),
        baseline: Arc::new(Baseline::empty(at(NOW))),
        target: "sim".into(),
        session: "switches-abcd".into(),
        sticky: Default::default(),
        hints_cost: 0,
        moved: crate::Moved::default(),
    }
}

/// What a run did: every step in a word or two, with the second at which it was given.
struct Run {
    log: Vec<String>,
    doing: Vec<Doing>,
    report: Report,
    seconds: f64,
}

/// Whether a switch is on at a time, and so long after the last trigger; `None` out of reach.
type State<'a> = dyn Fn(&str, f64, Option<f64>) -> Option<bool> + 'a;

/// A system of switches.
struct System<'a> {
    state: &'a State<'a>,
    pull: &'a dyn Fn(&str) -> Result<(), Failure>,
}

fn steady(on: &[&str]) -> impl Fn(&str, f64, Option<f64>) -> Option<bool> {
    let on: Vec<String> = on.iter().map(|it| (*it).to_owned()).collect();
    move |name, _, _| Some(on.iter().any(|it| it == name))
}

fn run(mut plan: Plan, state: &State<'_>) -> Run {
    drive(&mut plan, &System { state, pull: &|_| Ok(()) })
}

fn drive(plan: &mut Plan, system: &System<'_>) -> Run {
    let (mut now, mut pulled) = (Duration::ZERO, None);
    let (mut log, mut doing) = (Vec::new(), Vec::new());
    let mut answer = Answer::Begin;
    for _ in 0..10_000 {
        let step = plan.next(now, answer);
        doing.push(plan.doing());
        let seconds = now.as_secs_f64();
        answer = match step {
            Step::Observe { queries, since } => {
                let names = queries.iter().map(kind).collect::<Vec<_>>().join(" ");
                log.push(format!("{seconds:.1} see {names}"));
                assert_eq!(
                    since.is_some(),
                    matches!(plan.doing(), Doing::Converging { .. }) || holding_a_trial(plan, pulled)
                );
                Answer::Observed(observation(&queries, &|name| {
                    (system.state)(name, seconds, pulled.map(|at| seconds - at))
                }))
            }
            Step::Pull { objective, changes } => {
                log.push(format!("{seconds:.1} pull {objective} ({})", changes.len()));
                now += Duration::from_secs(2);
                pulled = Some(now.as_secs_f64());
                Answer::Pulled((system.pull)(&objective).map(|()| at(NOW)).map_err(crate::Unpulled::Failed))
            }
            Step::Pass(time) => {
                assert!(time > Duration::ZERO, "a pause of nothing at {seconds}");
                now += time;
                Answer::Passed
            }
            Step::Done(report) => return Run { log, doing, report: *report, seconds },
        };
    }
    panic!("no end: {log:?}");
}

fn holding_a_trial(plan: &Plan, pulled: Option<f64>) -> bool {
    matches!(plan.doing(), Doing::Holding { .. }) && pulled.is_some()
}

fn kind(query: &Query) -> &str {
    match query {
        Query::Objects { kind, .. } => kind,
        other => panic!("{other}"),
    }
}

fn observation(queries: &std::collections::BTreeSet<Query>, state: &dyn Fn(&str) -> Option<bool>) -> Observation {
    let answers: BTreeMap<_, _> = queries
        .iter()
        .map(|query| {
            let failure = || Failure { what: format!("list {}", kind(query)), why: "timeout".into(), hint: None };
            let fetched = state(kind(query)).map(|on| Fetched::Objects(vec![json!({"Name": "it", "on": on})]));
            (query.clone(), fetched.ok_or_else(failure))
        })
        .collect();
    Observation { at: at(NOW), answers }
}

fn verdicts(run: &Run) -> Vec<String> {
    run.report
        .objectives
        .iter()
        .map(|it| format!("{} {}{}", it.name, it.verdict.word(), if it.pending { "?" } else { "" }))
        .collect()
}

fn reason<'a>(run: &'a Run, name: &str) -> &'a str {
    run.report.objectives.iter().find(|it| it.name == name).unwrap().verdict.reason().unwrap_or("")
}

#[test]
fn one_look_is_enough_for_what_is_passive() {
    let case =
        case(vec![objective("a", json!({})), objective("b", json!({}))], vec![safeguard("s", "recoverable", false)]);
    let run = run(Plan::full(case), &steady(&["a", "b", "s"]));
    assert_eq!(run.log, ["0.0 see a b s"]);
    assert_eq!(verdicts(&run), ["a met", "b met"]);
    assert!(run.report.solved && run.report.score == 100);
}

#[test]
fn what_is_not_met_ends_it_and_triggers_are_left_alone() {
    let case = case(vec![objective("a", json!({})), tried("b", json!({}))], vec![]);
    let run = run(Plan::full(case), &steady(&["guard-b", "b"]));
    assert_eq!(run.log, ["0.0 see a guard-b"]);
    assert_eq!(verdicts(&run), ["a not_met", "b not_met?"]);
    assert!(reason(&run, "b").contains("not tried yet"));
    assert_eq!(run.report.outcome(), Outcome::NotYet);
}

#[test]
fn the_check_of_a_trigger_is_not_looked_at_before_it() {
    // `b` reads on all the time; only its guard counts beforehand.
    let run = run(Plan::full(case(vec![tried("b", json!({}))], vec![])), &steady(&["b"]));
    assert_eq!(run.log, ["0.0 see guard-b"]);
    assert_eq!(verdicts(&run), ["b not_met"]);
    assert_eq!(reason(&run, "b"), "guard-b is on: not so of guard-b it");
}

#[test]
fn a_guard_out_of_reach_is_unknown_and_the_trigger_is_left_alone() {
    let state = |name: &str, _: f64, _: Option<f64>| (name != "guard-b").then_some(true);
    let run = run(Plan::full(case(vec![objective("a", json!({})), tried("b", json!({}))], vec![])), &state);
    assert_eq!(run.log.len(), 1);
    assert_eq!(verdicts(&run), ["a met", "b unknown"]);
    assert_eq!(run.report.outcome(), Outcome::CouldNotCheck);
}

#[test]
fn a_passive_objective_out_of_reach_keeps_triggers_back_and_is_not_the_learners_fault() {
    let state = |name: &str, _: f64, _: Option<f64>| (name != "a").then_some(true);
    let run = run(Plan::full(case(vec![objective("a", json!({})), tried("b", json!({}))], vec![])), &state);
    assert_eq!(verdicts(&run), ["a unknown", "b not_met?"]);
    assert_eq!(run.report.outcome(), Outcome::CouldNotCheck);
}

#[test]
fn triggers_are_pulled_one_at_a_time_each_after_its_guard() {
    let case = case(vec![tried("b", json!({})), objective("a", json!({})), tried("c", json!({}))], vec![]);
    let run = run(Plan::full(case), &steady(&["a", "guard-b", "b", "guard-c", "c"]));
    assert_eq!(
        run.log,
        ["0.0 see a guard-b guard-c", "0.0 pull b (1)", "2.0 see b", "2.0 see guard-c", "2.0 pull c (1)", "4.0 see c"]
    );
    assert_eq!(verdicts(&run), ["b met", "a met", "c met"]);
    assert_eq!(run.doing.last(), Some(&Doing::Finished));
}

#[test]
fn a_guard_that_is_not_met_keeps_back_its_own_trigger_alone() {
    let run = run(
        Plan::full(case(vec![tried("b", json!({})), tried("c", json!({}))], vec![])),
        &steady(&["b", "guard-c", "c"]),
    );
    assert_eq!(run.log, ["0.0 see guard-b guard-c", "0.0 pull c (1)", "2.0 see c"]);
    assert_eq!(verdicts(&run), ["b not_met", "c met"]);
}

#[test]
fn a_guard_shaken_by_the_trigger_before_gets_time_to_recover() {
    let state = |name: &str, now: f64, _: Option<f64>| Some(name != "guard-c" || !(1.0..9.0).contains(&now));
    let run = run(Plan::full(case(vec![tried("b", json!({})), tried("c", json!({}))], vec![])), &state);
    assert_eq!(verdicts(&run), ["b met", "c met"]);
    assert!(run.log.iter().any(|it| it.starts_with("10.1 pull c")), "{:?}", run.log);
}

#[test]
fn a_guard_that_does_not_recover_is_not_met() {
    let state = |name: &str, now: f64, _: Option<f64>| Some(name != "guard-c" || now < 1.0);
    let run =
        run(Plan::full(case(vec![tried("b", json!({})), tried("c", json!({"converge": "10s"}))], vec![])), &state);
    assert_eq!(verdicts(&run), ["b met", "c not_met"]);
    assert_eq!(run.seconds, 12.0);
}

#[test]
fn converging_takes_the_pauses_it_needs_and_ends_at_the_deadline() {
    let never = |name: &str, _: f64, _: Option<f64>| Some(name != "b");
    let run = run(Plan::full(case(vec![tried("b", json!({"converge": "20s"}))], vec![])), &never);
    let times: Vec<&str> = run.log.iter().skip(2).map(|it| it.split(' ').next().unwrap()).collect();
    assert_eq!(times, ["2.0", "3.0", "4.5", "6.8", "10.1", "15.1", "20.1", "22.0"]);
    assert_eq!(reason(&run, "b"), "within 20s of the test: b is on: not so of b it");
}

#[test]
fn converging_is_a_minute_by_default() {
    let never = |name: &str, _: f64, _: Option<f64>| Some(name != "b");
    assert_eq!(run(Plan::full(case(vec![tried("b", json!({}))], vec![])), &never).seconds, 62.0);
}

#[test]
fn converging_ends_as_soon_as_it_is_so() {
    let late = |name: &str, _: f64, since: Option<f64>| Some(name != "b" || since.is_some_and(|since| since > 7.0));
    let run = run(Plan::full(case(vec![tried("b", json!({}))], vec![])), &late);
    assert_eq!((verdicts(&run), run.seconds < 12.0), (vec!["b met".to_owned()], true));
}

#[test]
fn out_of_reach_while_converging_goes_on_looking_and_is_unknown_at_the_deadline() {
    let blind = |name: &str, _: f64, since: Option<f64>| {
        (name != "b" || since.is_some_and(|since| since > 9.0)).then_some(true)
    };
    let recovered = run(Plan::full(case(vec![tried("b", json!({}))], vec![])), &blind);
    assert_eq!(verdicts(&recovered), ["b met"]);
    let ever = |name: &str, _: f64, _: Option<f64>| (name != "b").then_some(true);
    let blind = run(Plan::full(case(vec![tried("b", json!({}))], vec![])), &ever);
    assert_eq!(verdicts(&blind), ["b unknown"]);
    assert_eq!(blind.seconds, 62.0);
    assert_eq!(blind.report.outcome(), Outcome::CouldNotCheck);
}

#[test]
fn a_trigger_that_cannot_be_pulled_is_unknown_and_the_next_is_tried() {
    let failure = Failure { what: "delete pod".into(), why: "429".into(), hint: None };
    let system =
        System { state: &|_, _, _| Some(true), pull: &|name| if name == "b" { Err(failure.clone()) } else { Ok(()) } };
    let mut plan = Plan::full(case(vec![tried("b", json!({})), tried("c", json!({}))], vec![]));
    let run = drive(&mut plan, &system);
    assert_eq!(verdicts(&run), ["b unknown", "c met"]);
    assert_eq!(reason(&run, "b"), "it could not be put to the test: delete pod: 429");
}

#[test]
fn a_hold_is_sampled_ten_times_and_to_the_end() {
    let run = run(Plan::full(case(vec![objective("a", json!({"hold": "20s"}))], vec![])), &steady(&["a"]));
    let times: Vec<f64> = run.log.iter().map(|it| it.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(times, (0..=10).map(|n| f64::from(n) * 2.0).collect::<Vec<_>>());
    assert_eq!(verdicts(&run), ["a met"]);
    assert!(run.report.objectives[0].verdict.evidence().unwrap().found.ends_with("; and so for 20s"));
}

#[test]
fn a_long_hold_is_sampled_every_five_seconds() {
    let run = run(Plan::full(case(vec![objective("a", json!({"hold": "2m"}))], vec![])), &steady(&["a"]));
    assert_eq!((run.log.len(), run.seconds), (25, 120.0));
}

#[test]
fn a_violation_within_a_hold_is_not_met_with_its_time() {
    let state = |_: &str, now: f64, _: Option<f64>| Some(now < 11.0);
    let run = run(
        Plan::full(case(vec![objective("a", json!({"hold": "60s"})), tried("b", json!({}))], vec![])),
        &|name, now, since| {
            if name == "a" { state(name, now, since) } else { Some(true) }
        },
    );
    assert_eq!(reason(&run, "a"), "it did not stay so for 60s; after 15s: a is on: not so of a it");
    // A hold that failed keeps the triggers back like any other objective.
    assert_eq!(verdicts(&run), ["a not_met", "b not_met?"]);
}

#[test]
fn holds_of_passive_objectives_run_together() {
    let case = case(
        vec![objective("a", json!({"hold": "60s"})), objective("b", json!({"hold": "30s"})), objective("c", json!({}))],
        vec![],
    );
    let run = run(Plan::full(case), &steady(&["a", "b", "c"]));
    assert_eq!(run.seconds, 60.0);
    assert_eq!(verdicts(&run), ["a met", "b met", "c met"]);
    assert!(
        run.doing
            .contains(&Doing::Holding { objectives: vec!["a".into(), "b".into()], until: Duration::from_secs(60) })
    );
    assert_eq!(run.log.last().unwrap(), "60.0 see a");
}

#[test]
fn an_objective_that_is_not_met_keeps_holds_back() {
    let objectives = vec![objective("a", json!({"hold": "60s"})), objective("b", json!({}))];
    let run = run(Plan::full(case(objectives, vec![])), &steady(&["a"]));
    assert_eq!((verdicts(&run), run.log.len()), (vec!["a not_met?".to_owned(), "b not_met".to_owned()], 1));
}

#[test]
fn a_moment_out_of_reach_does_not_break_a_hold_but_the_last_word_must_be_known() {
    let gap = |_: &str, now: f64, _: Option<f64>| (!(10.0..30.0).contains(&now)).then_some(true);
    let fine = run(Plan::full(case(vec![objective("a", json!({"hold": "60s"}))], vec![])), &gap);
    assert_eq!((verdicts(&fine), fine.seconds), (vec!["a met".to_owned()], 60.0));
    let late = |_: &str, now: f64, _: Option<f64>| (!(50.0..70.0).contains(&now)).then_some(true);
    let longer = run(Plan::full(case(vec![objective("a", json!({"hold": "60s"}))], vec![])), &late);
    assert_eq!((verdicts(&longer), longer.seconds), (vec!["a met".to_owned()], 70.0));
    let gone = |_: &str, now: f64, _: Option<f64>| (now < 50.0).then_some(true);
    let never = run(Plan::full(case(vec![objective("a", json!({"hold": "60s"}))], vec![])), &gone);
    assert_eq!((verdicts(&never), never.seconds), (vec!["a unknown".to_owned()], 90.0));
}

#[test]
fn a_hold_after_a_trigger_is_that_objectives_own() {
    let case = case(vec![tried("b", json!({"hold": "10s"})), tried("c", json!({}))], vec![]);
    let run = run(Plan::full(case), &steady(&["guard-b", "b", "guard-c", "c"]));
    assert_eq!(verdicts(&run), ["b met", "c met"]);
    assert_eq!(run.seconds, 14.0);
    let pulls: Vec<&String> = run.log.iter().filter(|it| it.contains("pull")).collect();
    assert_eq!(pulls, ["0.0 pull b (1)", "12.0 pull c (1)"]);
}

#[test]
fn always_is_sampled_with_every_look_and_sticks() {
    let state = |name: &str, now: f64, _: Option<f64>| Some(name != "always" || !(5.0..9.0).contains(&now));
    let guards = vec![safeguard("always", "recoverable", true), safeguard("once", "recoverable", false)];
    let run = run(Plan::full(case(vec![objective("a", json!({"hold": "20s"}))], guards)), &state);
    assert_eq!(run.log.first().unwrap(), "0.0 see a always once");
    assert!(run.log.iter().skip(1).all(|it| it.ends_with("see a always")), "{:?}", run.log);
    let always = &run.report.safeguards[0];
    assert!(always.verdict.is_met() && always.sticky && always.cost == 20);
    assert_eq!(always.seen.as_deref(), Some("always is on: not so of always it"));
    assert_eq!((run.report.score, run.report.solved), (30, true));
}

#[test]
fn what_is_not_always_does_not_stick() {
    let run = run(
        Plan::full(case(vec![objective("a", json!({}))], vec![safeguard("s", "recoverable", false)])),
        &steady(&["a"]),
    );
    assert!(!run.report.safeguards[0].sticky && run.report.safeguards[0].cost == 20);
}

#[test]
fn what_stuck_earlier_in_the_session_still_does() {
    let mut case = case(vec![objective("a", json!({}))], vec![safeguard("s", "catastrophic", true)]);
    case.sticky.insert("s".into());
    let run = run(Plan::full(case), &steady(&["a", "s"]));
    assert_eq!((run.report.score, run.report.solved), (0, false));
}

#[test]
fn a_sample_out_of_reach_does_not_undo_what_others_showed() {
    let state = |name: &str, now: f64, _: Option<f64>| (name != "s" || now < 15.0).then_some(true);
    let run = run(
        Plan::full(case(vec![objective("a", json!({"hold": "20s"}))], vec![safeguard("s", "recoverable", true)])),
        &state,
    );
    assert!(run.report.solved);
}

#[test]
fn a_catastrophe_keeps_triggers_back() {
    let case =
        case(vec![objective("a", json!({})), tried("b", json!({}))], vec![safeguard("s", "catastrophic", false)]);
    let run = run(Plan::full(case), &steady(&["a", "guard-b", "b"]));
    assert_eq!(run.log.len(), 1);
    assert_eq!((verdicts(&run), run.report.score), (vec!["a met".into(), "b not_met?".into()], 0));
}

#[test]
fn watching_disturbs_nothing_and_waits_for_nothing() {
    let case =
        case(vec![objective("a", json!({})), objective("h", json!({"hold": "60s"})), tried("b", json!({}))], vec![]);
    let run = run(Plan::passive(case), &steady(&["a", "h", "guard-b", "b"]));
    assert_eq!(run.log, ["0.0 see a guard-b h"]);
    assert_eq!(verdicts(&run), ["a met", "h not_met?", "b not_met?"]);
    assert!(reason(&run, "h").contains("stays so for 60s"));
    assert_eq!(run.report.outcome(), Outcome::NotYet);
}

#[test]
fn after_a_control_all_that_is_passive_may_take_its_time() {
    let state = |name: &str, now: f64, _: Option<f64>| {
        Some(match name {
            "a" => now > 7.0,
            "guard-b" => now > 12.0,
            _ => true,
        })
    };
    let case = case(vec![objective("a", json!({})), tried("b", json!({}))], vec![]);
    let run = run(Plan::after_control(case, None), &state);
    assert_eq!(verdicts(&run), ["a met", "b met"]);
    assert!(run.log.iter().any(|it| it.contains("13.1 pull b")), "{:?}", run.log);
}

#[test]
fn after_a_control_each_objective_has_its_own_time_and_at_most_so_long() {
    let control = |at_most| Plan::after_control(case(vec![objective("a", json!({"converge": "6m"}))], vec![]), at_most);
    assert_eq!(run(control(None), &steady(&[])).seconds, 360.0);
    assert_eq!(run(control(Some(Duration::from_secs(9))), &steady(&[])).seconds, 9.0);
    // One that has become true needs no more time, however much it has.
    let plan = Plan::after_control(
        case(vec![objective("a", json!({"converge": "6m"})), objective("b", json!({"converge": "5s"}))], vec![]),
        None,
    );
    assert_eq!(run(plan, &steady(&["a"])).seconds, 5.0);
}

#[test]
fn after_a_control_safeguards_get_a_moment_to_settle() {
    let plan =
        || Plan::after_control(case(vec![objective("a", json!({}))], vec![safeguard("s", "recoverable", false)]), None);
    let soon = run(plan(), &|name, now, _| Some(name != "s" || now > 3.0));
    assert!(soon.report.solved && soon.seconds < 6.0);
    let never = run(plan(), &steady(&["a"]));
    assert!(!never.report.solved && never.seconds == 10.0);
}

#[test]
fn a_lab_opens_as_soon_as_everything_fails() {
    let state = |name: &str, now: f64, _: Option<f64>| Some(name == "s" || now < 5.0);
    let case = case(vec![objective("a", json!({})), tried("b", json!({}))], vec![safeguard("s", "recoverable", false)]);
    let run = run(Plan::opening(case, Duration::from_secs(60)), &state);
    assert!(run.log.iter().all(|it| it.ends_with("see a guard-b s")), "{:?}", run.log);
    assert!(run.seconds < 10.0);
    assert_eq!(run.report.opening_faults(), []);
}

#[test]
fn a_lab_whose_fault_breaks_nothing_does_not_open() {
    let plan = |objectives| Plan::opening(case(objectives, vec![]), Duration::from_secs(30));
    let both = run(
        plan(vec![objective("a", json!({})), tried("b", json!({})), objective("c", json!({"hold": "9s"}))]),
        &steady(&["a", "guard-b", "c"]),
    );
    assert_eq!(both.seconds, 30.0);
    let met = |name: &str| OpeningFault::ObjectiveMet { name: name.into() };
    assert_eq!(both.report.opening_faults(), [met("a"), met("b"), met("c")]);
    let blind = run(plan(vec![objective("a", json!({}))]), &|_, _, _| None);
    assert!(matches!(blind.report.opening_faults().as_slice(), [OpeningFault::ObjectiveUnknown { .. }]));
}

#[test]
fn a_system_that_answers_nothing_is_not_asked_for_ever() {
    let plan = || {
        let objectives = vec![objective("a", json!({})), objective("b", json!({}))];
        Plan::opening(case(objectives, vec![safeguard("s", "recoverable", false)]), Duration::from_secs(120))
    };
    let gone = run(plan(), &|_, _, _| None);
    assert!(gone.seconds < 30.0, "{}", gone.seconds);
    // One answer, and a moment of silence, are no reason to end.
    let half = run(plan(), &|name, _, _| (name == "b").then_some(false));
    assert_eq!(half.seconds, 120.0);
    let back = run(plan(), &|name, now, _| (!(1.0..18.0).contains(&now)).then_some(now < 40.0 || name == "s"));
    assert_eq!(back.report.opening_faults(), []);
}

#[test]
fn an_answer_that_does_not_belong_gets_the_step_again() {
    let mut plan = Plan::full(case(vec![tried("b", json!({}))], vec![]));
    let zero = Duration::ZERO;
    let look = plan.next(zero, Answer::Begin);
    assert_eq!(plan.next(zero, Answer::Pulled(Ok(at(NOW)))), look);
    let Step::Observe { queries, .. } = look else { panic!("{look:?}") };
    let pull = plan.next(zero, Answer::Observed(observation(&queries, &|_| Some(true))));
    assert!(matches!(pull, Step::Pull { .. }));
    assert_eq!(plan.next(zero, Answer::Passed), pull);
    let Step::Observe { queries, since } = plan.next(zero, Answer::Pulled(Ok(at(NOW)))) else { panic!() };
    assert_eq!(since, Some(at(NOW)));
    let done = plan.next(zero, Answer::Observed(observation(&queries, &|_| Some(true))));
    assert!(matches!(done, Step::Done(_)));
    assert_eq!(plan.next(zero, Answer::Passed), done);
}

#[test]
fn a_clock_that_jumps_does_not_make_a_wait_endless() {
    for jumps in [[0, 3600, 5, 3605, 6], [7200, 0, 0, 0, 1], [0, 0, 10_000_000, 0, 1]] {
        let mut plan =
            Plan::full(case(vec![tried("b", json!({"hold": "10s"}))], vec![safeguard("s", "recoverable", true)]));
        let mut answer = Answer::Begin;
        let times = jumps.into_iter().chain(1..200);
        let ended = times.into_iter().any(|now| {
            answer = match plan.next(Duration::from_secs(now), std::mem::replace(&mut answer, Answer::Begin)) {
                Step::Observe { queries, .. } => Answer::Observed(observation(&queries, &|_| Some(true))),
                Step::Pull { .. } => Answer::Pulled(Ok(at(NOW))),
                Step::Pass(_) => Answer::Passed,
                Step::Done(_) => return true,
            };
            false
        });
        assert!(ended, "{jumps:?}: {:?}", plan.doing());
    }
}

#[test]
fn a_lab_without_objectives_is_never_solved() {
    let run = run(Plan::full(case(vec![], vec![])), &steady(&[]));
    assert!(!run.report.solved);
}

#[test]
fn a_hold_of_nothing_is_none() {
    let mut zero = objective("a", json!({}));
    zero.hold = Some(Span::default());
    assert_eq!(run(Plan::full(case(vec![zero], vec![])), &steady(&["a"])).seconds, 0.0);
}

#[test]
fn a_trigger_is_remembered_where_the_targets_dates_have_gone() {
    let mut plan = Plan::full(case(vec![tried("a", json!({}))], vec![]));
    let on = |queries: &std::collections::BTreeSet<Query>, off: &[&str]| {
        Answer::Observed(observation(queries, &|name| Some(!off.contains(&name))))
    };
    let mut answer = Answer::Begin;
    let mut sinces = Vec::new();
    for round in 0..20 {
        answer = match plan.next(Duration::from_secs(round), answer) {
            Step::Observe { queries, since } => {
                sinces.extend(since);
                let answer = on(&queries, &["a"]);
                if since.is_some() {
                    plan.dates_moved(crate::Moved { by: jiff::SignedDuration::from_secs(30), ..Default::default() });
                }
                answer
            }
            Step::Pull { .. } => Answer::Pulled(Ok(at(NOW))),
            Step::Pass(_) => Answer::Passed,
            Step::Done(_) => break,
        };
    }
    let seconds: Vec<i64> = sinces.iter().take(3).map(|since| since.duration_since(at(NOW)).as_secs()).collect();
    assert_eq!(seconds, [0, -30, -60]);
}
