//! What the keys of the watch screen do, and what they show.

use breakfix_lab::lab::Objective;
use breakfix_stage::life;

use super::{Next, Watch, Woken, events::Key};
use crate::{
    app::Open,
    args::StartArgs,
    failure::Failure,
    guide,
    out::{Out, Tone},
    prose, show,
    verbs::{hint, start, stop},
};

/// What stands above the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Panel {
    /// The present step of a guided lab, or nothing.
    #[default]
    Step,
    Story,
    /// The hints taken so far, and what the next one costs.
    Hints,
    Debrief,
    /// Which lab would come next; another `n` opens it.
    Leave(String),
    Message(String),
}

/// What came of a key.
pub enum Pressed {
    Nothing,
    Woken(Woken),
}

/// The keys that mean something now.
pub fn keys(open: &Open, solved: bool) -> Vec<(char, &'static str)> {
    let guided = guide::present(&open.session, &open.lab).is_some();
    let next = if solved { Some(('n', "next lab")) } else { guided.then_some(('n', "next step")) };
    let rest: &[(char, &str)] = if solved {
        &[('d', "debrief"), ('s', "story"), ('q', "quit")]
    } else {
        &[('h', "hint"), ('s', "story"), ('c', "check now"), ('q', "quit")]
    };
    next.into_iter().chain(rest.iter().copied()).collect()
}

impl Panel {
    pub fn text(&self, out: &Out, open: &Open, solved: bool) -> String {
        match self {
            Self::Step if solved => String::new(),
            Self::Step => guide::lay_out(out, &open.session, &open.lab, "n").unwrap_or_default(),
            Self::Story => show::story_text(out, &open.session, &open.lab),
            Self::Hints => hints(out, open),
            Self::Debrief => prose::lay_out(out, &open.lab.debrief, 0),
            Self::Leave(lab) => prose::lay_out(
                out,
                &format!("n again closes this lab and opens the next one, {lab}; any other key stays."),
                0,
            ),
            Self::Message(text) => prose::lay_out(out, text, 0),
        }
    }
}

fn hints(out: &Out, open: &Open) -> String {
    let (session, lab) = (&open.session, &open.lab);
    let taken = |it: &Objective| session.hints.get(&it.name).copied().unwrap_or(0);
    let mut lines = vec![out.paint(Tone::Strong, "Hints")];
    for objective in &lab.lab.objectives {
        let shown = objective.hints.iter().take(taken(objective));
        lines.extend(shown.map(|hint| prose::lay_out(out, &format!("- {}", hint.text.trim()), 2)));
    }
    let offer = match hint::next(session, lab, None) {
        Some(next) => format!("h again: the next hint, which costs {} points; any other key: none.", next.hint.cost),
        None => "There is no further hint. `breakfix debrief --give-up` tells the whole story.".to_owned(),
    };
    lines.push(out.paint(Tone::Faint, &prose::lay_out(out, &offer, 2)));
    lines.join("\n")
}

impl Watch<'_> {
    pub(super) async fn key(&mut self, key: Key, open: &mut Open) -> Result<Pressed, Failure> {
        let solved = self.report.as_ref().is_some_and(|it| it.solved);
        let before = std::mem::take(&mut self.panel);
        let toggled = |to: Panel| if before == to { Panel::Step } else { to };
        match key {
            Key::Story => self.panel = toggled(Panel::Story),
            Key::Debrief if solved => self.panel = toggled(Panel::Debrief),
            Key::Hint if !solved => return self.hint(open, before == Panel::Hints).await,
            Key::Check if !solved => return Ok(Pressed::Woken(Woken::Check)),
            Key::Next if solved => return self.next_lab(open, &before).await,
            Key::Next => return self.next_step(open).await,
            Key::Debrief | Key::Hint | Key::Check | Key::Other => {}
        }
        Ok(Pressed::Nothing)
    }

    /// The first press says what a hint costs, the next one takes it. A hint that costs nothing comes at once.
    async fn hint(&mut self, open: &mut Open, offered: bool) -> Result<Pressed, Failure> {
        self.panel = Panel::Hints;
        let free = hint::next(&open.session, &open.lab, None).is_some_and(|next| next.hint.cost == 0);
        if !offered && !free {
            return Ok(Pressed::Nothing);
        }
        if self.retake(open).await?.is_none() {
            return Ok(Pressed::Woken(Woken::Check));
        }
        if let Some(next) = hint::next(&open.session, &open.lab, None) {
            next.take(self.app, &mut open.session)?;
        }
        open.release();
        Ok(Pressed::Nothing)
    }

    async fn next_step(&mut self, open: &mut Open) -> Result<Pressed, Failure> {
        if guide::present(&open.session, &open.lab).is_none() {
            self.panel = Panel::Message("n goes on to the next lab once this one is solved.".to_owned());
            return Ok(Pressed::Nothing);
        }
        if self.retake(open).await?.is_some() {
            open.session.step += 1;
            open.session.save(&self.app.home)?;
            open.release();
        }
        // The one after it may be done already.
        Ok(Pressed::Woken(Woken::Time))
    }

    async fn next_lab(&mut self, open: &mut Open, before: &Panel) -> Result<Pressed, Failure> {
        let Some(next) = start::next_unsolved(self.app, Some(open.lab.platform()))? else {
            self.panel = Panel::Message("Every lab is solved. `breakfix start LAB --seed N` varies one.".to_owned());
            return Ok(Pressed::Nothing);
        };
        let leave = Panel::Leave(next.id.clone());
        if *before != leave {
            self.panel = leave;
            return Ok(Pressed::Nothing);
        }
        let arguments = StartArgs { lab: Some(next.id.clone()), ..StartArgs::default() };
        if !start::needs_nobody(&next.source, &arguments)? {
            let how = format!("`breakfix start {}` opens it; this target wants your consent first.", next.id);
            self.panel = Panel::Message(how);
            return Ok(Pressed::Nothing);
        }
        self.doing = format!("closing {}, opening {}", open.session.lab, next.id);
        self.show(open)?;
        stop::close(self.app, open.session.clone(), &life::Silent).await?;
        let begun = start::begin(self.app, &next.source, &arguments, Some(&life::Silent)).await?;
        self.panel = Panel::Story;
        Ok(Pressed::Woken(Woken::Next(Next::Other(Box::new(begun.session)))))
    }
}
