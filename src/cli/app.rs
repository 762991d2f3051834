//! What every verb needs: breakfix's own files, the labs, the sessions, the targets.

use std::path::PathBuf;

use breakfix_lab::{Catalogue, LabSource, LoadedLab};
use breakfix_stage::{
    Home, Journal, Session, Target,
    home::Guard,
    life::{self, Recovered, Talk},
    session::Phase,
    venue,
};

use crate::{
    args::Cli,
    failure::Failure,
    out::{Out, Working},
};

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
    pub target: Box<dyn Target>,
    pub journal: Journal,
    /// Held as long as the verb works on the session.
    _guard: Guard,
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
        let guard = self.home.lock(&session.id, &format!("the session {}", session.id))?;
        // What is on disk may have changed while we waited for the lock.
        let Some(mut session) = Session::load(&self.home, &session.id)? else {
            return Err(Failure::usage(format!("the session {} has just been stopped", session.id)));
        };
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
        let target = venue::connect(&self.home, &session, &lab).await?;
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
        Ok(Open { session, lab, target, journal, _guard: guard })
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
