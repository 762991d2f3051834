//! Printing: data on stdout, talk on stderr, colour only where it is wanted and never alone.

use std::{
    io::{self, IsTerminal, Write},
    sync::Mutex,
};

use breakfix_stage::life::Talk;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// Where and how a verb prints.
#[derive(Debug)]
pub struct Out {
    pub colour: bool,
    pub json: bool,
    /// Columns of the terminal; 100 where there is none.
    pub width: usize,
}

/// What a stretch of text means; colour follows meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Warn,
}

impl Out {
    /// As the process's own stdout and environment want it.
    pub fn new(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let width = columns.or_else(|| terminal.then(terminal_width).flatten()).unwrap_or(100);
        Self { colour: terminal && !refused, json, width: width.clamp(40, 110) }
    }

    /// Text in a tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warn => "33",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Prints data, with a line break.
    ///
    /// # Errors
    /// stdout's; a closed pipe ends the command quietly.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
        Ok(())
    }

    /// Prints one JSON document.
    ///
    /// # Errors
    /// stdout's.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::trouble(format!("could not write the result: {error}")))?;
        self.line(&text)
    }

    /// Talk: on stderr, and not with `--json`.
    pub fn say(&self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// A line that changes while something long is going on; whole lines where stderr is no terminal.
pub struct Working {
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Working {
    /// Starts; silent with `--json`.
    pub fn start(out: &Out) -> Self {
        let terminal = io::stderr().is_terminal() && !out.json;
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        Self { bar, last: Mutex::new(String::new()) }
    }

    /// Prints something while the line stands aside.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Talk for Working {
    fn now(&self, line: &str) {
        let Ok(mut last) = self.last.lock() else { return };
        if *last == line {
            return;
        }
        line.clone_into(&mut last);
        if let Some(bar) = &self.bar {
            bar.set_message(line.to_owned());
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
