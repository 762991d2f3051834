//! Opening a lab: the healthy system, the fault, the proof that it shows, the baseline.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use breakfix_grade::{Baseline, Case, Fetched, Query, question, report::OpeningFault};
use breakfix_lab::{Document, LoadedLab, Platform, lab::History};
use jiff::Timestamp;

use super::{Extent, LifeError, Talk, break_system, grade, grading::Known, making};
use crate::{
    Home, Journal, Session, Target, TargetError,
    journal::{Entry, Step},
    session::Phase,
    target::Cause,
};

/// How long a healthy system may take to be healthy on a real target.
const HEALTHY_WITHIN: Duration = Duration::from_secs(180);
/// How long one answer that is to be remembered may take, and the pause between two tries.
const REMEMBERED_WITHIN: Duration = Duration::from_secs(5);
const REMEMBER_PAUSE: Duration = Duration::from_secs(1);
/// How long a fault may take to show.
const BROKEN_WITHIN: Duration = Duration::from_secs(120);
/// Kinds of Kubernetes that hold what the healthy time left for later. With an erased history everything else is made anew together with
/// what the fault touches: nothing of the healthy time is left running, and nobody's age tells which object the fault has changed.
const KEPT_KINDS: [&str; 4] = ["CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim"];

/// Kinds whose objects come and go by themselves: nothing is compared with them.
const PASSING_KINDS: [&str; 6] = ["EndpointSlice", "Endpoints", "Event", "Lease", "Pod", "ReplicaSet"];

/// An open lab.
#[derive(Clone, Debug)]
pub struct Opened {
    pub baseline: Arc<Baseline>,
}

/// Opens a lab on a target, from nothing (or, in a reset, from nothing again). The session is `Open` and on disk when this returns; in
/// any other case the caller clears what was made.
///
/// # Errors
/// The target's and the disk's; the lab is unsupported here, something is in the way, or the proof failed.
pub async fn open(
    home: &Home,
    session: &mut Session,
    lab: &LoadedLab,
    target: &dyn Target,
    journal: &Journal,
    talk: &dyn Talk,
) -> Result<Opened, LifeError> {
    let opened = open_here(home, session, lab, target, journal, talk).await;
    opened.map_err(|error| if session.target.may_lack_operations() { unshown(session, lab, error) } else { error })
}

/// What an emulator cannot do may show only here: an operation that is not served, a fault without an effect. That the lab does not open is then
/// no failure of anybody's.
fn unshown(session: &Session, lab: &LoadedLab, error: LifeError) -> LifeError {
    let what = match &error {
        LifeError::Target(trouble) if trouble.cause == Cause::Missing => format!("could not {}", trouble.chain()),
        LifeError::NotBroken { open, .. } => format!("the fault has no effect: {}", open.join("; ")),
        LifeError::NeverHealthy { open, .. } => format!("the system does not come up: {}", open.join("; ")),
        _ => return error,
    };
    LifeError::Unshown { lab: lab.id().to_owned(), target: session.target.to_string(), what }
}

async fn open_here(
    home: &Home,
    session: &mut Session,
    lab: &LoadedLab,
    target: &dyn Target,
    journal: &Journal,
    talk: &dyn Talk,
) -> Result<Opened, LifeError> {
    if session.target.may_lack_operations() {
        // What it can do is found out by making things there.
        journal.write(&Entry::Begin { step: Step::Create })?;
    }
    supported(session, lab, target, talk).await?;
    let clashes = target.clashes(&lab.documents).await?;
    if !clashes.is_empty() {
        return Err(LifeError::Clash { lab: lab.id().to_owned(), clashes });
    }
    let broken = break_system(lab)?;
    let healthy_first = session.target.proves_health_first(lab.platform())
        || lab.lab.history == History::Kept
        || !lab.lab.remember.is_empty();
    let mut remembered = BTreeMap::new();
    if healthy_first {
        journal.write(&Entry::Begin { step: Step::Create })?;
        talk.now("building the system");
        target.create(&lab.documents).await?;
        remembered = remember(lab, target, talk).await?;
        prove_healthy(lab, target, journal, &remembered, talk).await?;
        journal.write(&Entry::Done { step: Step::Create })?;
    }
    journal.write(&Entry::Begin { step: Step::Fault })?;
    talk.now("breaking it");
    if lab.lab.history == History::Erased {
        let old = if healthy_first { replaced(lab.platform(), &lab.documents, &broken.documents) } else { Vec::new() };
        target.delete(&old).await?;
        let new: Vec<Document> = if healthy_first {
            let is_new = |document: &&Document| {
                old.iter().any(|gone| same_object(gone, document))
                    || !lab.documents.iter().any(|known| same_object(known, document))
            };
            broken.documents.iter().filter(is_new).cloned().collect()
        } else {
            broken.documents.clone()
        };
        target.create(&new).await?;
    }
    let nothing = Case::new(lab, Arc::new(Baseline::empty(Timestamp::now())));
    making::make(target, journal, &nothing, &broken.live).await?;
    if let Some(settle) = lab.lab.settle {
        talk.now("letting it show");
        target.pass(settle.0).await?;
    }
    let epoch = target.epoch().await;
    let baseline = with_what_is_asked_for(lab, target, target.baseline().await?).await;
    let baseline = Arc::new(Baseline { remembered, epoch, ..baseline });
    prove_broken(session, lab, target, journal, &baseline, talk).await?;
    session.expected = answers(lab, target, &baseline).await?;
    session.save_baseline(home, &baseline)?;
    target.hand_over().await?;
    session.reach = target.reach().await?;
    session.phase = Phase::Open;
    session.save(home)?;
    journal.write(&Entry::Done { step: Step::Fault })?;
    Ok(Opened { baseline })
}

/// The answers to the questions that ask for what the system says now.
async fn answers(
    lab: &LoadedLab,
    target: &dyn Target,
    baseline: &Arc<Baseline>,
) -> Result<BTreeMap<usize, String>, LifeError> {
    let case = Case::new(lab, Arc::clone(baseline));
    let mut answers = BTreeMap::new();
    for (index, asked) in lab.lab.questions.iter().enumerate() {
        let Some(from) = &asked.answer_from else { continue };
        let observation = target.observe(&question::queries(&case, from), Timestamp::now()).await;
        let wrong = |why: String| LifeError::Lab {
            lab: lab.id().to_owned(),
            what: format!("the answer to question {} is not to be had: {why}", index + 1),
        };
        let answer = question::answer(&case, from, &observation).map_err(wrong)?;
        let same = |choice: &String| choice.trim().eq_ignore_ascii_case(answer.trim());
        if !asked.choose.is_empty() && !asked.choose.iter().any(same) {
            return Err(wrong(format!("`{answer}` is none of the choices")));
        }
        answers.insert(index, answer);
    }
    Ok(answers)
}

/// The baseline with what the lab's own checks compare besides: objects of other namespaces than the lab's, and kinds that no rule looks at.
async fn with_what_is_asked_for(lab: &LoadedLab, target: &dyn Target, mut baseline: Baseline) -> Baseline {
    if lab.platform() != Platform::Kubernetes {
        return baseline;
    }
    let scope = Case::new(lab, Arc::new(Baseline::empty(baseline.taken))).scope;
    let is_own = |name: &str| {
        name == scope.namespace || lab.documents.iter().any(|it| it.kind == "Namespace" && it.name == name)
    };
    let queries: BTreeSet<Query> = Baseline::queries(lab, &scope)
        .into_iter()
        .filter(|query| match query {
            Query::Objects { kind, namespace } => {
                let is_known = namespace.as_deref().is_none_or(is_own) && baseline.objects.contains_key(kind);
                !is_known && !PASSING_KINDS.contains(&kind.as_str())
            }
            _ => false,
        })
        .collect();
    if queries.is_empty() {
        return baseline;
    }
    let id = |object: &serde_json::Value| object.pointer("/metadata/uid").cloned();
    // What may not be looked at has no baseline: a check that compares with it says so.
    for (query, answer) in target.observe(&queries, baseline.taken).await.answers {
        let (Query::Objects { kind, .. }, Ok(Fetched::Objects(found))) = (query, answer) else { continue };
        let known = baseline.objects.entry(kind).or_default();
        for object in found {
            if !known.iter().any(|other| id(other) == id(&object)) {
                known.push(object);
            }
        }
    }
    baseline
}

/// Whether the target can show what the lab is about.
async fn supported(session: &Session, lab: &LoadedLab, target: &dyn Target, talk: &dyn Talk) -> Result<(), LifeError> {
    let needs = lab.needs();
    if needs.is_empty() {
        return Ok(());
    }
    talk.now("finding out what the target can do");
    let able = target.capabilities().await?;
    let missing: Vec<String> = needs.iter().filter(|it| !able.contains(it)).map(|it| it.as_str().to_owned()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(LifeError::Unsupported { lab: lab.id().to_owned(), target: session.target.to_string(), missing })
}

/// The documents that have to go before the broken ones are made: those the fault changes or removes, and on Kubernetes all that can be
/// made anew without loss.
fn replaced(platform: Platform, healthy: &[Document], broken: &[Document]) -> Vec<Document> {
    let stays = |document: &Document| {
        let same = broken.iter().any(|new| same_object(new, document) && new.body == document.body);
        same && (platform != Platform::Kubernetes || KEPT_KINDS.contains(&document.kind.as_str()))
    };
    healthy.iter().filter(|document| !stays(document)).cloned().collect()
}

fn same_object(a: &Document, b: &Document) -> bool {
    (&a.kind, &a.name, &a.namespace) == (&b.kind, &b.name, &b.namespace)
}

/// What the healthy system answers to the lab's questions, once it answers them all.
async fn remember(
    lab: &LoadedLab,
    target: &dyn Target,
    talk: &dyn Talk,
) -> Result<BTreeMap<String, String>, LifeError> {
    let questions: BTreeMap<&String, Query> = lab
        .lab
        .remember
        .iter()
        .map(|(name, it)| {
            let (from, request) = (it.from.clone(), it.request.clone());
            (name, Query::Requests { from, request, times: 1, timeout: REMEMBERED_WITHIN, control: None })
        })
        .collect();
    let queries: BTreeSet<Query> = questions.values().cloned().collect();
    let began = Instant::now();
    let mut passed = Duration::ZERO;
    while !queries.is_empty() {
        talk.now("asking what must be there later");
        let answers = target.observe(&queries, Timestamp::now()).await.answers;
        let body = |query: &Query| match answers.get(query) {
            Some(Ok(Fetched::Exchanges(exchanges))) => match exchanges.first().map(|it| &it.outcome) {
                Some(breakfix_grade::Outcome::Answered { status: 200..=299, body, .. }) => Some(body.clone()),
                _ => None,
            },
            _ => None,
        };
        let got: BTreeMap<String, String> =
            questions.iter().filter_map(|(name, query)| Some(((*name).clone(), body(query)?))).collect();
        if got.len() == questions.len() {
            return Ok(got);
        }
        let spent = if target.skips_time() { passed } else { began.elapsed() };
        if spent >= HEALTHY_WITHIN {
            let silent = questions.keys().filter(|name| !got.contains_key(**name));
            let open = silent.map(|name| format!("nothing to remember as `{name}`")).collect();
            return Err(LifeError::NeverHealthy { lab: lab.id().to_owned(), seconds: HEALTHY_WITHIN.as_secs(), open });
        }
        target.pass(REMEMBER_PAUSE).await?;
        passed += REMEMBER_PAUSE;
    }
    Ok(BTreeMap::new())
}

/// The healthy system meets every objective that can be seen without a trigger. If it does not, the trouble is the target's.
async fn prove_healthy(
    lab: &LoadedLab,
    target: &dyn Target,
    journal: &Journal,
    remembered: &BTreeMap<String, String>,
    talk: &dyn Talk,
) -> Result<(), LifeError> {
    talk.now("waiting until it is healthy");
    let mut passive = lab.clone();
    for objective in &mut passive.lab.objectives {
        objective.trigger.clear();
        objective.hold = None;
        objective.converge = Some(breakfix_lab::Span(HEALTHY_WITHIN));
        if let Some(guard) = objective.guard.take() {
            objective.check = guard;
        }
    }
    let nothing = Arc::new(Baseline { remembered: remembered.clone(), ..Baseline::empty(Timestamp::now()) });
    // On a cluster the seconds that are spent on the safeguards let controllers come to rest; nothing on an engine has to.
    let extent = match lab.platform() {
        Platform::Docker => Extent::Healthy(HEALTHY_WITHIN),
        Platform::Kubernetes | Platform::Ecs => Extent::AfterControl(Some(HEALTHY_WITHIN)),
    };
    let graded = grade(&passive, target, journal, nothing, Known::default(), extent, talk).await?;
    let open: Vec<String> = graded
        .report
        .objectives
        .iter()
        .filter(|it| !it.verdict.is_met())
        .map(|it| format!("{} is {}", it.name, reason(&it.verdict)))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(LifeError::NeverHealthy { lab: lab.id().to_owned(), seconds: HEALTHY_WITHIN.as_secs(), open })
}

/// The opening proof: every objective fails and every safeguard holds.
async fn prove_broken(
    session: &Session,
    lab: &LoadedLab,
    target: &dyn Target,
    journal: &Journal,
    baseline: &Arc<Baseline>,
    talk: &dyn Talk,
) -> Result<(), LifeError> {
    talk.now("making sure that it is broken");
    let known = Known { sticky: Default::default(), ..Known::of(session, lab) };
    let extent = Extent::Opening(BROKEN_WITHIN);
    let graded = grade(lab, target, journal, Arc::clone(baseline), known, extent, talk).await?;
    let faults = graded.report.opening_faults();
    if faults.is_empty() {
        return Ok(());
    }
    let unknown = faults.iter().find_map(|fault| match fault {
        OpeningFault::ObjectiveUnknown { name, reason } | OpeningFault::SafeguardUnknown { name, reason } => {
            Some(format!("{name}: {reason}"))
        }
        OpeningFault::ObjectiveMet { .. } | OpeningFault::SafeguardViolated { .. } => None,
    });
    if let Some(unknown) = unknown {
        return Err(TargetError::new(
            Cause::Answered,
            format!("see whether the lab is broken as it should be ({unknown})"),
        )
        .hint("This is trouble of the target's. `breakfix doctor` looks at it.")
        .into());
    }
    let open = faults.iter().map(describe).collect();
    Err(LifeError::NotBroken { lab: lab.id().to_owned(), open })
}

fn describe(fault: &OpeningFault) -> String {
    match fault {
        OpeningFault::ObjectiveMet { name } => format!("the objective `{name}` is met before anybody did anything"),
        OpeningFault::ObjectiveUnknown { name, reason } => {
            format!("the objective `{name}` cannot be checked: {reason}")
        }
        OpeningFault::SafeguardViolated { name, reason } => format!("the safeguard `{name}` is violated: {reason}"),
        OpeningFault::SafeguardUnknown { name, reason } => {
            format!("the safeguard `{name}` cannot be checked: {reason}")
        }
    }
}

fn reason(verdict: &breakfix_grade::Verdict) -> &str {
    match verdict {
        breakfix_grade::Verdict::Met { .. } => "met",
        breakfix_grade::Verdict::NotMet { reason, .. } | breakfix_grade::Verdict::Unknown { reason } => reason,
    }
}
