//! What comes from whoever watches: keys, a window of another size, and the wish to end.

use std::collections::VecDeque;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::interrupt;

/// One of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Key(Key),
    /// The window has another size, or is in front again.
    Redraw,
    /// Ctrl-Z.
    Suspend,
    /// q, Ctrl-C, or the terminal is gone.
    Quit,
}

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Check,
    Debrief,
    Hint,
    Next,
    Story,
    /// Any other: leaves what was asked for.
    Other,
}

/// What a byte from the terminal means.
fn meaning(byte: u8) -> Event {
    match byte.to_ascii_lowercase() {
        b'c' => Event::Key(Key::Check),
        b'd' => Event::Key(Key::Debrief),
        b'h' => Event::Key(Key::Hint),
        b'n' => Event::Key(Key::Next),
        b's' => Event::Key(Key::Story),
        // Ctrl-C and Ctrl-D, where the terminal does not make signals of them.
        b'q' | 0x03 | 0x04 => Event::Quit,
        _ => Event::Key(Key::Other),
    }
}

/// Everything that has come and was not taken yet, in its order.
pub struct Events {
    from: UnboundedReceiver<Event>,
    waiting: VecDeque<Event>,
}

impl Events {
    /// Listens to signals, and with `keys` to the terminal.
    pub fn listen(keys: bool) -> Self {
        let (to, from) = unbounded_channel();
        if keys {
            read_keys(to.clone());
            listen_to_window(&to);
        }
        tokio::spawn(async move {
            loop {
                interrupt::interrupted().await;
                // Nobody there to be told: the program is ending anyway.
                if to.send(Event::Quit).is_err() {
                    return;
                }
            }
        });
        Self { from, waiting: VecDeque::new() }
    }

    /// The next one. Dropped before it returns, nothing is lost.
    pub async fn next(&mut self) -> Event {
        match self.waiting.pop_front() {
            Some(event) => event,
            None => self.from.recv().await.unwrap_or(Event::Quit),
        }
    }

    /// Ends when the watcher wants to end, also when that was said before; everything else waits its turn.
    pub async fn quit(&mut self) {
        while !self.waiting.contains(&Event::Quit) {
            let event = self.from.recv().await.unwrap_or(Event::Quit);
            self.waiting.push_back(event);
        }
    }

    /// Ends when the watcher wants to end once more, though something is still being put right.
    pub async fn quit_again(&mut self) {
        self.waiting.retain(|event| *event != Event::Quit);
        self.quit().await;
    }
}

/// A thread of its own: a read of a terminal cannot be called off.
fn read_keys(to: UnboundedSender<Event>) {
    std::thread::spawn(move || {
        use std::io::Read;
        let mut buffer = [0; 64];
        let mut terminal = std::io::stdin();
        while let Ok(length) = terminal.read(&mut buffer)
            && length > 0
        {
            let bytes = buffer.get(..length).unwrap_or_default();
            // An arrow or another special key comes as several bytes and means one thing.
            let events = if bytes.first() == Some(&0x1b) {
                vec![Event::Key(Key::Other)]
            } else {
                bytes.iter().map(|it| meaning(*it)).collect()
            };
            if events.into_iter().any(|event| to.send(event).is_err()) {
                return;
            }
        }
        let _ = to.send(Event::Quit);
    });
}

#[cfg(unix)]
fn listen_to_window(to: &UnboundedSender<Event>) {
    use tokio::signal::unix::{SignalKind, signal};
    let stops = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
    for (kind, event) in [(SignalKind::window_change(), Event::Redraw), (stops, Event::Suspend)] {
        // Without the signal the next change draws anew.
        let Ok(mut signals) = signal(kind) else { continue };
        let to = to.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if to.send(event).is_err() {
                    return;
                }
            }
        });
    }
}

#[cfg(not(unix))]
fn listen_to_window(_to: &UnboundedSender<Event>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_the_same_in_capitals() {
        for (byte, event) in [
            (b'h', Event::Key(Key::Hint)),
            (b'H', Event::Key(Key::Hint)),
            (b's', Event::Key(Key::Story)),
            (b'n', Event::Key(Key::Next)),
            (b'q', Event::Quit),
            (0x03, Event::Quit),
            (b'x', Event::Key(Key::Other)),
        ] {
            assert_eq!(meaning(byte), event, "{byte}");
        }
    }

    #[test]
    fn who_waits_for_the_end_loses_no_key() {
        let (to, from) = unbounded_channel();
        let mut events = Events { from, waiting: VecDeque::new() };
        for event in [Event::Key(Key::Hint), Event::Redraw, Event::Quit] {
            to.send(event).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(events.quit());
        assert_eq!(runtime.block_on(events.next()), Event::Key(Key::Hint));
        assert_eq!(runtime.block_on(events.next()), Event::Redraw);
        runtime.block_on(events.quit());
        assert_eq!(runtime.block_on(events.next()), Event::Quit);
    }
}
