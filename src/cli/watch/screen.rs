//! The terminal while `check --watch` has it: a screen of its own, keys as they are pressed, and everything as it was at the end, however
//! that comes.
//!
//! Ctrl-C stays a signal and line ends stay line ends: only echo and waiting for Enter are switched off.

use std::io::{self, IsTerminal, Write};

/// Another screen, no cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// The terminal, taken over; given back when this is dropped.
pub struct Screen {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl Screen {
    /// Takes the terminal over where there is one that can be: stdin and stdout are a terminal that knows its escapes.
    pub fn take() -> Option<Self> {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        if dumb || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        Self::enter()
    }

    #[cfg(unix)]
    fn enter() -> Option<Self> {
        let before = rustix::termios::tcgetattr(io::stdin()).ok()?;
        let screen = Self { before };
        screen.resume().ok()?;
        give_back_on_panic(screen.before.clone());
        Some(screen)
    }

    #[cfg(not(unix))]
    fn enter() -> Option<Self> {
        None
    }

    /// The terminal's columns and rows.
    pub fn size(&self) -> (usize, usize) {
        match terminal_size::terminal_size() {
            Some((terminal_size::Width(columns), terminal_size::Height(rows))) if columns > 0 && rows > 0 => {
                (usize::from(columns), usize::from(rows))
            }
            _ => (80, 24),
        }
    }

    /// Shows these lines and nothing else.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&self, lines: &[String]) -> io::Result<()> {
        let mut text = String::from("\x1b[H");
        for (number, line) in lines.iter().enumerate() {
            text.push_str(if number == 0 { "" } else { "\r\n" });
            text.push_str(line);
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J");
        put(&text)
    }

    /// Gives the terminal back for a while: the process is about to be stopped by Ctrl-Z.
    #[cfg(unix)]
    pub fn suspend(&self) {
        give_back(&self.before);
    }

    /// Takes the terminal (again).
    ///
    /// # Errors
    /// The terminal is gone.
    #[cfg(unix)]
    pub fn resume(&self) -> io::Result<()> {
        use rustix::termios::{LocalModes, OptionalActions};
        let mut raw = self.before.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        put(ENTER)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        #[cfg(unix)]
        give_back(&self.before);
    }
}

/// A terminal that is gone needs nothing back.
#[cfg(unix)]
fn give_back(before: &rustix::termios::Termios) {
    let _ = put(LEAVE);
    let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
}

/// A panic's message must be on the screen that stays.
#[cfg(unix)]
fn give_back_on_panic(before: rustix::termios::Termios) {
    // The settings of a terminal are a plain value, but hold a cell that the compiler cannot see through.
    let before = std::sync::Mutex::new(before);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(before) = before.lock() {
            give_back(&before);
        }
        usual(panic);
    }));
}

fn put(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
