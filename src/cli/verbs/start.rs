//! `start`: opens a lab, tells its story, and returns.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, IsTerminal, Write},
    net::TcpListener,
    time::Instant,
};

use breakfix_lab::{LabSource, LoadedLab, Platform};
use breakfix_stage::{
    Home, Journal, Session,
    life::{self, Talk},
    session::{self, Phase},
    target::TargetName,
    venue,
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    app::App,
    args::{StartArgs, TargetArgs},
    exit::{self, Exit},
    failure::Failure,
    guide, interrupt,
    keep::Progress,
    out::Working,
    show,
};

pub async fn run(app: &App, args: &StartArgs) -> Result<Exit, Failure> {
    let clock = Instant::now();
    let source = match &args.lab {
        Some(name) => app.catalogue.find(name)?.clone(),
        None => offered(app)?,
    };
    let Begun { session, lab } = begin(app, &source, args, None).await?;
    if app.out.json {
        app.out.json(&json!({
            "session": session.id,
            "lab": session.lab,
            "target": session.target.to_string(),
            "env": session.reach.env,
            "guide": guide::json(&session, &lab),
            "seconds": clock.elapsed().as_secs_f64(),
        }))?;
    } else {
        show::story(&app.out, &session, &lab)?;
        if let Some((tool, where_from)) = missing_tool(lab.platform()) {
            app.out.say(&format!("\nnote: `{tool}` is not on your PATH, and you will need it: {where_from}"));
        }
    }
    Ok(exit::DONE)
}

/// A lab that was just opened.
pub struct Begun {
    pub session: Session,
    pub lab: LoadedLab,
}

/// Opens a lab. What a start that does not get to its end has made is removed again. Without a `talk` a line on stderr tells what goes on.
///
/// # Errors
/// The lab is open already or has errors, its target is in trouble, or it was interrupted.
pub async fn begin(app: &App, source: &LabSource, args: &StartArgs, talk: Option<&dyn Talk>) -> Result<Begun, Failure> {
    let _starting = app.home.lock("start", "starting a lab")?;
    app.tidy().await?;
    let (mut session, lab) = new_session(source, &args.target, args.seed)?;
    for other in app.sessions()? {
        if other.lab == session.lab && other.target == session.target {
            return Err(Failure::usage(format!("`{}` is already open on {}", other.lab, other.target))
                .hint("`breakfix status` shows it, `breakfix reset` breaks it again, `breakfix stop` closes it"));
        }
    }
    consent(app, &session, &lab, args.yes).await?;
    let _guard = app.home.lock(&session.id, &format!("the session {}", session.id))?;
    let opened = match session.save(&app.home) {
        Err(error) => Some(Err(error.into())),
        Ok(()) => {
            let working = talk.is_none().then(|| Working::start(&app.out));
            let talk = talk.or(working.as_ref().map(|it| it as &dyn Talk)).unwrap_or(&life::Silent);
            interrupt::unless_interrupted(open(&app.home, &mut session, &lab, talk)).await
        }
    };
    let failure = match opened {
        Some(Ok(())) => {
            let mut progress = Progress::load(&app.home)?;
            progress.of(&session).started += 1;
            progress.save(&app.home)?;
            return Ok(Begun { session, lab });
        }
        Some(Err(failure)) => failure,
        None => Failure::trouble("interrupted; what had been made is removed"),
    };
    interrupt::cleaning_up(undo(app, session, &lab)).await?;
    Err(failure)
}

/// Whether a lab can be opened without asking anybody.
///
/// # Errors
/// As [`new_session`].
pub fn needs_nobody(source: &LabSource, args: &StartArgs) -> Result<bool, Failure> {
    let (session, _) = new_session(source, &args.target, args.seed)?;
    Ok(!venue::asks_first(&session))
}

/// The tool that labs of a platform are worked on with, where it is not on PATH, and where to get it.
fn missing_tool(platform: Platform) -> Option<(&'static str, &'static str)> {
    let (tool, where_from) = match platform {
        Platform::Kubernetes => ("kubectl", "https://kubernetes.io/docs/tasks/tools/"),
        Platform::Docker => ("docker", "https://docs.docker.com/engine/install/"),
        Platform::Ecs => ("aws", "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    (!found).then_some((tool, where_from))
}

async fn open(home: &Home, session: &mut Session, lab: &LoadedLab, talk: &dyn Talk) -> Result<(), Failure> {
    let journal = Journal::open(&session.folder(home)).map_err(life::LifeError::from)?;
    talk.now("getting the target ready");
    let target = venue::connect(home, session, lab).await?;
    life::open(home, session, lab, &*target, &journal, talk).await?;
    Ok(())
}

/// Takes back what a failed start had made. What cannot be taken back now is taken back by the next command.
async fn undo(app: &App, mut session: Session, lab: &LoadedLab) {
    let undone = async {
        let journal = Journal::open(&session.folder(&app.home)).map_err(life::LifeError::from)?;
        let closing = session.clone();
        if journal.is_empty().map_err(life::LifeError::from)? {
            // Nothing was done to the target, which may be the very thing that cannot be reached.
            return Ok(venue::close(&app.home, &closing).await?);
        }
        let target = venue::connect(&app.home, &session, lab).await?;
        life::stop(&app.home, &mut session, &*target, &journal, &life::Silent).await?;
        venue::close(&app.home, &closing).await?;
        Ok::<(), Failure>(())
    };
    if undone.await.is_err() {
        app.out.say("note: not everything could be removed; the next breakfix command tries again");
    }
}

/// A session that has done nothing yet, and its lab with values.
pub fn new_session(
    source: &LabSource,
    target: &TargetArgs,
    seed: Option<u64>,
) -> Result<(Session, LoadedLab), Failure> {
    let mut taken = Vec::new();
    let values = source
        .values(seed, &mut |from| {
            let port = free_port(from, &taken)?;
            taken.push(port);
            Some(port)
        })
        .map_err(|error| Failure::usage(error.to_string()))?;
    let lab = source.load_with(&values)?;
    let name = target.target.clone().unwrap_or_else(|| TargetName::default_for(lab.platform()));
    if !name.serves(lab.platform()) {
        return Err(Failure::usage(format!(
            "`{}` is a {} lab and cannot run on `{name}`",
            lab.id(),
            lab.platform().as_str()
        ))
        .hint(format!("leave `--target` out: it then runs on `{}`", TargetName::default_for(lab.platform()))));
    }
    let embedded = breakfix_lab::Catalogue::embedded();
    let is_embedded = embedded.find(source.name()).is_ok_and(|known| known.digest() == source.digest());
    let session = Session {
        version: session::VERSION,
        id: format!("{}-{}", lab.id(), suffix()),
        lab: lab.id().to_owned(),
        title: lab.lab.metadata.title.clone(),
        digest: source.digest(),
        labs: (!is_embedded).then(|| std::path::absolute(source.root()).unwrap_or_else(|_| source.root().into())),
        platform: lab.platform(),
        target: name,
        seed,
        values,
        opened: Timestamp::now(),
        phase: Phase::Opening,
        options: options(target)?,
        reach: Default::default(),
        hints: BTreeMap::new(),
        answers: BTreeMap::new(),
        expected: Default::default(),
        sticky: Default::default(),
        best: 0,
        solved: None,
        checks: 0,
        last: BTreeMap::new(),
        step: 0,
        gave_up: false,
    };
    Ok((session, lab))
}

/// The target's settings, as they are kept with the session.
fn options(target: &TargetArgs) -> Result<BTreeMap<String, String>, Failure> {
    let mut options = BTreeMap::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            options.insert(key.to_owned(), value);
        }
    };
    put("kind-image", target.kind_image.clone());
    if let Some(path) = &target.kind_config {
        let path = std::path::absolute(path).map_err(Failure::from)?;
        put("kind-config", Some(path.display().to_string()));
    }
    put("registry", target.registry.clone());
    put("allow-cluster-scoped", target.allow_cluster_scoped.then(|| "true".to_owned()));
    put("speed", (target.speed != 1).then(|| target.speed.to_string()));
    put("program", Some(App::program().display().to_string()));
    Ok(options)
}

/// Four letters that keep two sessions of one lab apart.
fn suffix() -> String {
    let nanos = Timestamp::now().as_nanosecond();
    let mut bits = u64::try_from(nanos.rem_euclid(1 << 62)).unwrap_or(0) ^ (u64::from(std::process::id()) << 20);
    let letters = b"bcdfghjkmnpqrstvwxz";
    (0..4)
        .filter_map(|_| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            letters.get(usize::try_from((bits >> 33) % 19).unwrap_or(0)).map(|byte| char::from(*byte))
        })
        .collect()
}

/// A TCP port of this machine that nobody listens on, at or above the one given.
pub fn free_port(from: u16, taken: &[u16]) -> Option<u16> {
    (from..=u16::MAX).take(500).find(|port| !taken.contains(port) && TcpListener::bind(("0.0.0.0", *port)).is_ok())
}

/// Asks before anything is made on a system that breakfix did not make itself.
pub async fn consent(app: &App, session: &Session, lab: &LoadedLab, yes: bool) -> Result<(), Failure> {
    let Some(question) = venue::consent(&app.home, session, lab).await? else { return Ok(()) };
    app.out.say(&question);
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("this needs your consent").hint("add `--yes` once you have read what will be done"));
    }
    if ask("Go ahead? [y/N] ")? { Ok(()) } else { Err(Failure::usage("nothing was done")) }
}

/// A lab that is not solved yet.
pub struct Unsolved {
    pub id: String,
    title: String,
    minutes: u32,
    pub source: LabSource,
}

/// The easiest lab that is not solved; one of this platform before others.
///
/// # Errors
/// The record of what is solved cannot be read.
pub fn next_unsolved(app: &App, first: Option<Platform>) -> Result<Option<Unsolved>, Failure> {
    let progress = Progress::load(&app.home)?;
    let labs = app.catalogue.list().filter_map(|source| Some((source.load().ok()?, source)));
    let unsolved = labs.filter(|(lab, _)| !progress.is_solved(lab.id()));
    let next = unsolved.min_by_key(|(lab, _)| {
        let about = &lab.lab.metadata;
        let elsewhere = first.is_some_and(|first| first != lab.platform());
        (elsewhere, about.difficulty, lab.platform(), about.minutes, lab.id().to_owned())
    });
    Ok(next.map(|(lab, source)| Unsolved {
        id: lab.id().to_owned(),
        title: lab.lab.metadata.title.clone(),
        minutes: lab.lab.metadata.minutes,
        source: source.clone(),
    }))
}

/// The next lab, offered on a terminal.
fn offered(app: &App) -> Result<LabSource, Failure> {
    let Some(next) = next_unsolved(app, None)? else {
        return Err(Failure::usage("every lab is solved").hint("`breakfix start LAB --seed N` varies one"));
    };
    if !io::stdin().is_terminal() || app.out.json {
        return Err(Failure::usage("which lab?").hint(format!("the next one is `breakfix start {}`", next.id)));
    }
    app.out.say(&format!("Next: {}, \"{}\", about {} minutes.", next.id, next.title, next.minutes));
    if ask("Start it? [Y/n] ")? {
        Ok(next.source)
    } else {
        Err(Failure::usage("nothing was started").hint("`breakfix list` shows every lab"))
    }
}

/// A question with yes and no; the capital letter in brackets is what an empty line means.
pub fn ask(question: &str) -> Result<bool, Failure> {
    eprint!("{question}");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let default = question.contains("[Y/n]");
    Ok(match line.trim().to_lowercase().as_str() {
        "" => default && !line.is_empty(),
        answer => answer.starts_with('y'),
    })
}
