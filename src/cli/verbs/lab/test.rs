//! `lab test`: labs prove themselves on a target. The matrix is a lab's licence to ship.

use std::sync::Arc;

use breakfix_lab::LabSource;
use breakfix_stage::{
    life::{Expected, Proof, Scenario},
    target::TargetName,
};
use serde::Serialize;

use crate::{
    app::App,
    args::TestArgs,
    exit::{self, Exit},
    failure::Failure,
    out::{Tone, Working},
    verbs::{lab::side_by_side, start},
};

/// The result, as `lab test --json` prints it. Fields may be added; these stay.
#[derive(Serialize)]
struct Summary {
    /// Scenarios.
    passed: usize,
    failed: usize,
    unknown: usize,
    seconds: f64,
    labs: Vec<Proof>,
}

pub async fn run(app: &App, args: TestArgs) -> Result<Exit, Failure> {
    let clock = std::time::Instant::now();
    let mut due = Vec::new();
    for source in chosen(app, &args)? {
        let (session, lab) = start::new_session(&source, &args.target, args.seed)?;
        for name in &args.controls {
            if !lab.lab.controls.contains_key(name) && !name.starts_with("generic-") {
                let names: Vec<&str> = lab.lab.controls.keys().map(String::as_str).collect();
                return Err(Failure::usage(format!("`{}` has no control `{name}`", lab.id()))
                    .hint(format!("it has: {}", names.join(", "))));
            }
        }
        start::consent(app, &session, &lab, args.yes).await?;
        due.push((session, lab));
    }
    let mut proofs = Vec::new();
    let working = Arc::new(Working::start(&app.out));
    side_by_side::prove(&app.home, due, &args.controls, &working, |proof| {
        if !app.out.json {
            working.aside(|| print(app, &proof))?;
        }
        proofs.push(proof);
        Ok(())
    })
    .await?;
    drop(working);
    let scenarios: Vec<&Scenario> = proofs.iter().flat_map(|proof| &proof.scenarios).collect();
    let unknown = scenarios.iter().filter(|it| it.unknown).count();
    let passed = scenarios.iter().filter(|it| it.passed).count();
    let failed = scenarios.len() - passed - unknown;
    let seconds = clock.elapsed().as_secs_f64();
    let unsupported = proofs.iter().filter(|it| it.unsupported.is_some()).count();
    if app.out.json {
        app.out.json(&Summary { passed, failed, unknown, seconds, labs: proofs })?;
    } else {
        app.out.line(&format!(
            "{passed} passed, {failed} failed, {unknown} unknown; {} labs, {unsupported} unsupported here, {seconds:.1} s",
            proofs.len()
        ))?;
    }
    Ok(if failed > 0 {
        exit::NOT_YET
    } else if unknown > 0 {
        exit::TROUBLE
    } else {
        exit::DONE
    })
}

/// The labs named, or all that can run on the target.
fn chosen(app: &App, args: &TestArgs) -> Result<Vec<LabSource>, Failure> {
    if !args.names.is_empty() {
        return args.names.iter().map(|name| Ok(app.catalogue.find(name)?.clone())).collect();
    }
    let mut labs = Vec::new();
    for source in app.catalogue.list() {
        let lab = source.load()?;
        let platform = lab.platform();
        let target = args.target.target.clone().unwrap_or_else(|| TargetName::default_for(platform));
        if target.serves(platform) && args.platform.is_none_or(|it| it == platform) {
            labs.push(source.clone());
        }
    }
    Ok(labs)
}

fn print(app: &App, proof: &Proof) -> Result<(), Failure> {
    let out = &app.out;
    out.line(&out.paint(Tone::Strong, &format!("{} on {}", proof.id, proof.target)))?;
    if let Some(why) = &proof.unsupported {
        out.line(&format!("  {}", out.paint(Tone::Warn, why)))?;
    }
    for scenario in &proof.scenarios {
        let (word, tone) = match (scenario.passed, scenario.unknown) {
            (true, _) => ("passed ", Tone::Good),
            (false, true) => ("unknown", Tone::Warn),
            (false, false) => ("FAILED ", Tone::Bad),
        };
        let expected = match scenario.expected {
            Expected::Broken => "broken",
            Expected::Solved => "solved",
            Expected::NotSolved => "not solved",
            Expected::Clean => "clean",
        };
        let name = &scenario.control;
        out.line(&format!("  {}  {name:<36} {expected:<11} {:>6.2} s", out.paint(tone, word), scenario.seconds))?;
        if !scenario.passed && !scenario.note.is_empty() {
            out.line(&format!("           {}", scenario.note))?;
        }
    }
    Ok(())
}
