//! What every verb needs: breakfix's own files, the labs, the sessions, the targets.

use std::{path::PathBuf, sync::Arc, time::Duration};

use breakfix_grade::Baseline;
use breakfix_lab::{Catalogue, LabSource, LoadedLab};
use breakfix_stage::{
    Home, Journal, Session, Target,
    home::{Guard, HomeError},
    life::{self, Recovered, Talk},
    session::Phase,
    venue,
};

use crate::{
    args::Cli,
    failure::Failure,
    out::{Out, Working},
};

/// How long a verb waits for another breakfix that is at work on the same session.
const PATIENCE: Duration = Duration::from_secs(5);

/// One run of the program.
pub struct App {
    pub home: Home,
    pub catalogue: Catalogue,
    pub out: Out,
    session: Option<String>,
}

/// A session with everything that a verb does things with.
pub struct Open {
    pub session: Session,
    pub lab: LoadedLab,
    pub target: Arc<dyn Target>,
    pub journal: Journal,
    /// Held as long as the verb works on the session.
    guard: Option<Guard>,
}

impl Open {
    /// Lets others work on the session.
    pub fn release(&mut self) {
        self.guard = None;
    }
}

impl App {
    /// From the command line and the environment.
    ///
    /// # Errors
    /// No place for breakfix's files; a `--labs` folder that is none.
    pub fn new(cli: &Cli) -> Result<Self, Failure> {
        let home = Home::find(|name| std::env::var(name).ok())?;
        let mut catalogue = Catalogue::embedded();
        for folder in &cli.labs {
            catalogue.add_folder(folder)?;
        }
        Ok(Self { home, catalogue, out: Out::new(cli.json), session: cli.session.clone() })
    }

    /// Every session on disk that can be read, oldest first. Damaged ones are told of on stderr.
    ///
    /// # Errors
    /// The folder of sessions cannot be read.
    pub fn sessions(&self) -> Result<Vec<Session>, Failure> {
        let mut sessions = Vec::new();
        for id in self.home.sessions()? {
            match Session::load(&self.home, &id) {
                Ok(Some(session)) => sessions.push(session),
                // A `start` that was cut short before it made anything.
                Ok(None) => {}
                Err(error) => self.out.say(&format!("warning: {error}")),
            }
        }
        sessions.sort_by_key(|session| session.opened);
        Ok(sessions)
    }

    /// The session a verb means: the one named, or the only one.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn chosen(&self) -> Result<Session, Failure> {
        let mut sessions = self.sessions()?;
        if let Some(id) = &self.session {
            let ids: Vec<String> = sessions.iter().map(|it| it.id.clone()).collect();
            let named = sessions.into_iter().find(|it| it.id == *id || it.lab == *id);
            return named.ok_or_else(|| {
                let failure = Failure::usage(format!("no open session is called `{id}`"));
                if ids.is_empty() { failure } else { failure.hint(format!("open are: {}", ids.join(", "))) }
            });
        }
        match sessions.len() {
            0 => {
                Err(Failure::usage("no lab is open")
                    .hint("`breakfix list` shows the labs, `breakfix start LAB` opens one"))
            }
            1 => Ok(sessions.remove(0)),
            _ => {
                let ids: Vec<&str> = sessions.iter().map(|it| it.id.as_str()).collect();
                Err(Failure::usage(format!("several labs are open: {}", ids.join(", ")))
                    .hint("say which one is meant: `--session ID`"))
            }
        }
    }

    /// The chosen session, as it is on disk now, with nobody else at work on it.
    ///
    /// # Errors
    /// As [`App::chosen`]; another breakfix works on it, or has just stopped it.
    pub fn chosen_alone(&self) -> Result<(Session, Guard), Failure> {
        let chosen = self.chosen()?;
        let what = format!("the session {}", chosen.id);
        let guard = self.home.lock_within(&chosen.id, &what, PATIENCE)?;
        Ok((self.still_there(&chosen.id)?, guard))
    }

    /// A session as it is on disk now: it may have changed while we waited for its lock.
    fn still_there(&self, id: &str) -> Result<Session, Failure> {
        Session::load(&self.home, id)?.ok_or_else(|| Failure::usage(format!("the session {id} has just been stopped")))
    }

    /// Takes a released session up again. `None`: there is no such session any more, or it is not simply open.
    ///
    /// # Errors
    /// Another breakfix works on it; the disk's.
    pub fn retake(&self, open: &mut Open) -> Result<Option<()>, HomeError> {
        let id = &open.session.id;
        let guard = self.home.lock(id, &format!("the session {id}"))?;
        match Session::load(&self.home, id)? {
            Some(session) if session.phase == Phase::Open && session.opened == open.session.opened => {
                open.session = session;
                open.guard = Some(guard);
                Ok(Some(()))
            }
            _ => Ok(None),
        }
    }

    /// What the system was when the session's lab was handed over.
    ///
    /// # Errors
    /// It is gone or damaged.
    pub fn baseline_of(&self, session: &Session) -> Result<Baseline, Failure> {
        session.baseline(&self.home)?.ok_or_else(|| {
            Failure::trouble(format!("the baseline of {} is gone", session.id))
                .hint("`breakfix reset` opens the lab again")
        })
    }

    /// A session's lab, with the session's values.
    ///
    /// # Errors
    /// The lab is not known any more, or has errors now.
    pub fn lab_of(&self, session: &Session) -> Result<LoadedLab, Failure> {
        let source = self.source_of(session)?;
        if source.digest() != session.digest {
            self.out.say(&format!(
                "warning: `{}` has changed since this session began; `breakfix reset` opens it as it is now",
                session.lab
            ));
        }
        Ok(source.load_with(&session.values)?)
    }

    fn source_of(&self, session: &Session) -> Result<LabSource, Failure> {
        if let Some(folder) = &session.labs {
            let mut catalogue = Catalogue::embedded();
            catalogue.add_folder(folder)?;
            return Ok(catalogue.find(&session.lab)?.clone());
        }
        Ok(self.catalogue.find(&session.lab)?.clone())
    }

    /// The chosen session, locked, with what was cut short put right, its lab and its target.
    ///
    /// # Errors
    /// As [`App::chosen`]; another breakfix works on it; its target is in trouble.
    pub async fn open_session(&self) -> Result<Open, Failure> {
        let session = self.chosen()?;
        self.take_up(session).await
    }

    /// A session, locked and put right.
    ///
    /// # Errors
    /// Another breakfix works on it; its target is in trouble; it was undone, being half started.
    pub async fn take_up(&self, session: Session) -> Result<Open, Failure> {
        let open = self.take_up_whatever_is_left(session).await?;
        if open.target.is_there() {
            return Ok(open);
        }
        // Judging an empty system in its place would blame the learner for what the machine lost.
        let what = format!("the simulated system of {} is gone: its files were removed", open.session.id);
        Err(Failure::trouble(what).hint("`breakfix reset` opens the lab anew; `breakfix stop` ends it"))
    }

    /// The same for who is about to make the system anew: it need not be there any more.
    ///
    /// # Errors
    /// As [`App::take_up`].
    pub async fn take_up_whatever_is_left(&self, session: Session) -> Result<Open, Failure> {
        let guard = self.home.lock(&session.id, &format!("the session {}", session.id))?;
        let mut session = self.still_there(&session.id)?;
        let journal = Journal::open(&session.folder(&self.home)).map_err(life::LifeError::from)?;
        if session.phase == Phase::Opening && journal.is_empty().map_err(life::LifeError::from)? {
            venue::close(&self.home, &session).await?;
            return Err(Failure::usage(format!(
                "the start of {} was cut short before it had made anything",
                session.id
            ))
            .hint(format!("`breakfix start {}` opens the lab", session.lab)));
        }
        let lab = self.lab_of(&session)?;
        let target: Arc<dyn Target> = venue::connect(&self.home, &session, &lab).await?.into();
        let working = Working::start(&self.out);
        let recovered =
            life::recover(&self.home, &mut session, Some(&lab), &*target, &journal, &working as &dyn Talk).await?;
        drop(working);
        match recovered {
            Recovered::Nothing => {}
            Recovered::Repaired => {
                self.out.say("note: the last check was cut short; what it had under way was put right")
            }
            Recovered::Reset => self.out.say("note: the last reset was cut short and has now been finished"),
            Recovered::Gone => {
                venue::close(&self.home, &session).await?;
                return Err(Failure::usage(format!(
                    "the session {} had been cut short; what was left of it is now removed",
                    session.id
                ))
                .hint(format!("`breakfix start {}` opens the lab", session.lab)));
            }
        }
        Ok(Open { session, lab, target, journal, guard: Some(guard) })
    }

    /// Undoes starts and finishes stops that were cut short, as long as nobody else works on them.
    pub async fn tidy(&self) -> Result<(), Failure> {
        for session in self.sessions()? {
            if matches!(session.phase, Phase::Opening | Phase::Stopping)
                && self.home.lock(&session.id, "it").is_ok()
                && let Err(failure) = self.take_up(session).await
            {
                self.out.say(&format!("note: {}", failure.message()));
            }
        }
        Ok(())
    }

    /// This program's own file, for the processes it starts.
    pub fn program() -> PathBuf {
        std::env::current_exe().unwrap_or_else(|_| PathBuf::from("breakfix"))
    }
}
