//! `check --watch`: stays open beside the learner's terminal, grades again when something changes, and takes keys.
//!
//! Between two looks the session is nobody's, so that `hint`, `reset` and `stop` work in the other terminal. Passive looks follow every
//! change; what disturbs the system (triggers) is run once when all else is met, and again only after somebody has edited something.

mod events;
mod frame;
mod panel;
mod screen;

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use breakfix_grade::{Baseline, Report, report::Outcome};
use breakfix_stage::{
    Session,
    home::HomeError,
    life::{self, Extent, Graded, Talk},
    target::{Changes, Happened, coalesced, drained},
};

use crate::{
    app::{App, Open},
    exit::{self, Exit},
    failure::Failure,
    out::{Out, Working},
    show,
    verbs::check::{self, Asked},
};
use events::{Event, Events};
use frame::Frame;
use panel::{Panel, Pressed};
use screen::Screen;

/// Changes closer together than this are one.
const QUIET: Duration = Duration::from_millis(300);
const QUIET_AT_MOST: Duration = Duration::from_secs(2);
/// How long the echo of the grader's own triggers is waited for.
const ECHO: Duration = Duration::from_millis(700);
const ECHO_AT_MOST: Duration = Duration::from_secs(5);
/// What no API tells of (a file written inside a container) shows after this at the latest.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// The same while something could not be checked, and the pause between two attempts to reach the target again.
const TRY_AGAIN: Duration = Duration::from_secs(3);

/// Watches the chosen session until it is solved (without a terminal), or until told to end.
///
/// # Errors
/// There is no such session, its target cannot be reached at the beginning, or breakfix's own files are in trouble.
pub async fn run(app: &App) -> Result<Exit, Failure> {
    let mut open = app.take_up(app.chosen()?).await?;
    let screen = if app.out.json { None } else { Screen::take() };
    if screen.is_none() {
        app.out.say("Watching; Ctrl-C ends it.");
    }
    let events = Events::listen(screen.is_some());
    let mut watch = Watch {
        app,
        screen,
        events,
        panel: Panel::default(),
        report: None,
        doing: String::new(),
        gone: false,
        said: None,
    };
    loop {
        let next = watch.session(open).await?;
        open = match next {
            Next::End(open) => return watch.end(open),
            Next::Again(session) => match watch.reach_again(&session).await? {
                Some(open) => open,
                None => return watch.end(None),
            },
            Next::Other(session) => {
                watch.report = None;
                app.take_up(*session).await?
            }
        };
    }
}

struct Watch<'a> {
    app: &'a App,
    /// None where there is no terminal: then every change is a few lines more.
    screen: Option<Screen>,
    events: Events,
    panel: Panel,
    report: Option<Report>,
    doing: String,
    /// The session was closed elsewhere.
    gone: bool,
    /// What was printed last, without a terminal.
    said: Option<String>,
}

/// How it goes on after one connection to a session.
enum Next {
    /// All is over; the session, for a last word on it.
    End(Option<Box<Open>>),
    /// With the same session, connected to anew.
    Again(String),
    /// With another lab.
    Other(Box<Session>),
}

/// What a look came to.
enum Looked {
    At(Report),
    /// Told to end in the middle of it.
    Quit,
}

impl Watch<'_> {
    /// One session, as long as its target answers and it is there.
    async fn session(&mut self, mut open: Open) -> Result<Next, Failure> {
        let target = Arc::clone(&open.target);
        let mut changes = target.changes();
        // Whether everything was put to the test since anything was edited; and whether it is to be in any case.
        let (mut tried, mut wanted) = (false, false);
        loop {
            let baseline = Arc::new(self.app.baseline_of(&open.session)?);
            let report =
                match self.look(&mut open, &baseline, &mut *changes, &mut tried, std::mem::take(&mut wanted)).await? {
                    Looked::At(report) => report,
                    Looked::Quit => {
                        tokio::select! {
                            left = check::leave(self.app, &mut open) => left?,
                            () = self.events.quit_again() => {}
                        }
                        return Ok(Next::End(Some(Box::new(open))));
                    }
                };
            open.release();
            let (solved, unknown) = (report.solved, report.outcome() == Outcome::CouldNotCheck);
            self.report = Some(report);
            "watching".clone_into(&mut self.doing);
            self.show(&open)?;
            if solved && self.screen.is_none() {
                return Ok(Next::End(None));
            }
            let pause = if unknown { TRY_AGAIN } else { LOOK_AGAIN };
            match self.wait(&mut open, &mut *changes, pause).await? {
                Woken::Happened(happened) => tried &= happened < Happened::Edited,
                Woken::Time => {}
                Woken::Check => wanted = true,
                Woken::Next(next) => return Ok(next),
                Woken::End => return Ok(Next::End(Some(Box::new(open)))),
            }
            if unknown || self.retake(&mut open).await?.is_none() {
                return Ok(Next::Again(open.session.id));
            }
        }
    }

    /// Looks at what can be seen at once; puts the lab to the test when that is met, or when it is wanted.
    async fn look(
        &mut self,
        open: &mut Open,
        baseline: &Arc<Baseline>,
        changes: &mut dyn Changes,
        tried: &mut bool,
        wanted: bool,
    ) -> Result<Looked, Failure> {
        if open.session.solved.is_some() && self.report.as_ref().is_some_and(|it| it.solved) && !wanted {
            // A look without its triggers would say less than is known.
            return Ok(self.report.clone().map_or(Looked::Quit, Looked::At));
        }
        let Some(passive) = self.grade(open, baseline, Extent::Passive).await? else { return Ok(Looked::Quit) };
        let ready = passive.report.objectives.iter().all(|it| it.verdict.is_met() || it.pending);
        let graded = if ready && !passive.report.solved && (wanted || !*tried) {
            let Some(full) = self.grade(open, baseline, Extent::Full).await? else { return Ok(Looked::Quit) };
            *tried = true;
            let _ = drained(changes, ECHO, ECHO_AT_MOST).await;
            full
        } else if ready && !passive.report.solved && self.report.is_some() {
            // Nothing was edited since the test; what it said still stands.
            let known = self.report.clone().unwrap_or_else(|| passive.report.clone());
            Graded { report: known, sticky: passive.sticky }
        } else {
            passive
        };
        let asked = if wanted { Asked::ByHand } else { Asked::Again };
        check::settle(self.app, open, &graded, asked)?;
        check::go_on(self.app, open, baseline).await?;
        Ok(Looked::At(graded.report))
    }

    /// Grades; `None` when told to end meanwhile.
    async fn grade(
        &mut self,
        open: &Open,
        baseline: &Arc<Baseline>,
        extent: Extent,
    ) -> Result<Option<Graded>, Failure> {
        let frame = self.frame(open, "looking");
        let talk: Box<dyn Talk + '_> = match &self.screen {
            Some(screen) => Box::new(OnScreen { screen, out: self.out(), frame: Mutex::new(frame) }),
            None if extent == Extent::Full => Box::new(Working::start(&self.app.out)),
            None => Box::new(life::Silent),
        };
        tokio::select! {
            graded = check::grade(open, baseline, extent, &*talk) => graded.map(Some),
            () = self.events.quit() => Ok(None),
        }
    }

    /// Waits for a change, a key that needs a look, or the end of the pause.
    async fn wait(&mut self, open: &mut Open, changes: &mut dyn Changes, pause: Duration) -> Result<Woken, Failure> {
        // A solved lab stays solved; only keys matter then.
        let solved = self.report.as_ref().is_some_and(|it| it.solved);
        let mut seen = None;
        let woken = {
            let mut happened = pin!(coalesced(changes, &mut seen, QUIET, QUIET_AT_MOST));
            let mut time = pin!(tokio::time::sleep(pause));
            loop {
                tokio::select! {
                    event = self.events.next() => match self.event(event, open).await? {
                        Pressed::Nothing => self.show(open)?,
                        Pressed::Woken(woken) => break woken,
                    },
                    () = &mut happened, if !solved => break Woken::Time,
                    () = &mut time, if !solved => break Woken::Time,
                }
            }
        };
        // An edit that was under way when the time was over is an edit all the same.
        Ok(match (woken, seen) {
            (Woken::Time, Some(happened)) => Woken::Happened(happened),
            (woken, _) => woken,
        })
    }

    async fn event(&mut self, event: Event, open: &mut Open) -> Result<Pressed, Failure> {
        match event {
            Event::Key(key) => self.key(key, open).await,
            Event::Redraw => Ok(Pressed::Nothing),
            Event::Quit => Ok(Pressed::Woken(Woken::End)),
            Event::Suspend => {
                #[cfg(unix)]
                if let Some(screen) = &self.screen {
                    screen.suspend();
                    // The handler has taken the place of what Ctrl-Z does to a program; this does it.
                    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
                    screen.resume()?;
                }
                Ok(Pressed::Nothing)
            }
        }
    }

    /// Takes the session up for another look, waiting for whoever is at work on it. `None`: it is not simply open any more.
    async fn retake(&mut self, open: &mut Open) -> Result<Option<()>, Failure> {
        loop {
            match self.app.retake(open) {
                Ok(there) => return Ok(there),
                Err(HomeError::Busy { .. }) => {
                    "another breakfix is at work on this lab".clone_into(&mut self.doing);
                    self.show(open)?;
                    tokio::select! {
                        () = tokio::time::sleep(QUIET) => {}
                        () = self.events.quit() => return Ok(None),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Connects again to a session whose target was in trouble, as often as it takes. `None`: told to end, or the session is gone.
    async fn reach_again(&mut self, id: &str) -> Result<Option<Open>, Failure> {
        loop {
            let Some(session) = Session::load(&self.app.home, id)? else {
                self.gone = true;
                return Ok(None);
            };
            let failure = tokio::select! {
                taken = self.app.take_up(session) => match taken {
                    Ok(open) => return Ok(Some(open)),
                    Err(failure) if failure.exit() == exit::TROUBLE => failure,
                    Err(failure) => return Err(failure),
                },
                () = self.events.quit() => return Ok(None),
            };
            self.doing = format!("{}; trying again", failure.message());
            match &self.screen {
                Some(_) => self.redraw(&Frame { doing: self.doing.clone(), ..Frame::default() })?,
                None => self.say_once(&self.doing.clone()),
            }
            tokio::select! {
                () = tokio::time::sleep(TRY_AGAIN) => {}
                () = self.events.quit() => return Ok(None),
            }
        }
    }

    fn say_once(&mut self, text: &str) {
        if self.said.as_deref() != Some(text) {
            self.app.out.say(text);
            self.said = Some(text.to_owned());
        }
    }

    /// How wide text may be on the screen of this moment.
    fn out(&self) -> Out {
        let columns = self.screen.as_ref().map_or(self.app.out.width, |screen| screen.size().0);
        Out { width: columns.clamp(20, 110), ..self.app.out }
    }

    /// Shows what is known: the whole screen, or, without one, the report if it is another.
    fn show(&mut self, open: &Open) -> Result<(), Failure> {
        if self.screen.is_some() {
            return self.redraw(&self.frame(open, &self.doing));
        }
        let Some(report) = &self.report else { return Ok(()) };
        let text = format!("{}{}", show::report_text(&self.app.out, report, &open.lab), open.session.step);
        if self.said.as_ref() != Some(&text) {
            self.said = Some(text);
            check::print(self.app, report, open)?;
            if !self.app.out.json {
                self.app.out.line("")?;
            }
        }
        Ok(())
    }

    fn redraw(&self, frame: &Frame) -> Result<(), Failure> {
        match &self.screen {
            Some(screen) => Ok(draw(screen, &self.out(), frame)?),
            None => Ok(()),
        }
    }

    fn frame(&self, open: &Open, doing: &str) -> Frame {
        let out = self.out();
        let solved = self.report.as_ref().is_some_and(|it| it.solved);
        Frame {
            title: format!("{} ({}, on {})", open.session.title, open.session.lab, open.session.target),
            panel: self.panel.text(&out, open, solved),
            report: self.report.as_ref().map_or_else(String::new, |it| show::report_text(&out, it, &open.lab)),
            doing: doing.to_owned(),
            keys: panel::keys(open, solved),
        }
    }

    /// Gives the terminal back and leaves the last word on it.
    fn end(mut self, open: Option<Box<Open>>) -> Result<Exit, Failure> {
        let had_screen = self.screen.take().is_some();
        if self.gone {
            self.app.out.say("The lab was closed elsewhere.");
        }
        let Some(report) = self.report.take() else {
            return Err(Failure::trouble("ended before anything was graded"));
        };
        if let Some(open) = open.filter(|_| had_screen) {
            check::print(self.app, &report, &open)?;
        }
        Ok(check::code(&report))
    }
}

/// What ended a wait.
enum Woken {
    Happened(Happened),
    Time,
    /// The learner wants to know now.
    Check,
    Next(Next),
    End,
}

/// Says on the screen what is being done.
struct OnScreen<'a> {
    screen: &'a Screen,
    out: Out,
    frame: Mutex<Frame>,
}

impl Talk for OnScreen<'_> {
    fn now(&self, line: &str) {
        let Ok(mut frame) = self.frame.lock() else { return };
        if frame.doing != line {
            line.clone_into(&mut frame.doing);
            // A terminal that is gone is noticed when the look is over.
            let _ = draw(self.screen, &self.out, &frame);
        }
    }
}

fn draw(screen: &Screen, out: &Out, frame: &Frame) -> std::io::Result<()> {
    let (columns, rows) = screen.size();
    screen.draw(&frame.lines(out, columns, rows))
}
