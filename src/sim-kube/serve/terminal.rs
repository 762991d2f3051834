//! What a terminal's driver does between a person's keys and a program that reads lines: echo, corrections, `^C` and `^D`.
//!
//! After Linux' line discipline with its default settings (termios(3): ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ICRNL, ONLCR).

/// What the keys amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// To be shown.
    Echo(Vec<u8>),
    /// A line is complete; with its line break.
    Line(Vec<u8>),
    /// `^D` on an empty line: the end of input.
    End,
    /// `^C`.
    Interrupt,
}

/// A terminal's driver: the line that is being typed.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    line: Vec<u8>,
}

/// A typed line holds no more (N_TTY_BUF_SIZE).
const LINE_BYTES_MAX: usize = 4096;

impl Terminal {
    /// Takes keys.
    pub fn typed(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut echo = Vec::new();
        for byte in bytes {
            let key = match byte {
                b'\r' | b'\n' => {
                    echo.extend_from_slice(b"\r\n");
                    self.line.push(b'\n');
                    Some(Key::Line(std::mem::take(&mut self.line)))
                }
                0x03 => {
                    echo.extend_from_slice(b"^C\r\n");
                    self.line.clear();
                    Some(Key::Interrupt)
                }
                // In the middle of a line it hands on what there is.
                0x04 if self.line.is_empty() => Some(Key::End),
                0x04 => Some(Key::Line(std::mem::take(&mut self.line))),
                0x08 | 0x7f => {
                    self.erase(&mut echo);
                    None
                }
                0x15 => {
                    while !self.line.is_empty() {
                        self.erase(&mut echo);
                    }
                    None
                }
                0x17 => {
                    self.erase_word(&mut echo);
                    None
                }
                byte => {
                    if self.line.len() < LINE_BYTES_MAX {
                        self.line.push(*byte);
                        echo.extend_from_slice(&shown(*byte));
                    }
                    None
                }
            };
            if let Some(key) = key {
                if !echo.is_empty() {
                    keys.push(Key::Echo(std::mem::take(&mut echo)));
                }
                keys.push(key);
            }
        }
        if !echo.is_empty() {
            keys.push(Key::Echo(echo));
        }
        keys
    }

    fn erase(&mut self, echo: &mut Vec<u8>) {
        // A letter of several bytes goes as one.
        while self.line.last().is_some_and(|byte| byte & 0xc0 == 0x80) {
            self.line.pop();
        }
        if let Some(byte) = self.line.pop() {
            let columns = if byte < 0x20 && byte != b'\t' { 2 } else { 1 };
            echo.extend(b"\x08 \x08".repeat(columns));
        }
    }

    fn erase_word(&mut self, echo: &mut Vec<u8>) {
        while self.line.last() == Some(&b' ') {
            self.erase(echo);
        }
        while self.line.last().is_some_and(|byte| *byte != b' ') {
            self.erase(echo);
        }
    }
}

/// Control characters are shown as `^A`.
fn shown(byte: u8) -> Vec<u8> {
    if byte < 0x20 && byte != b'\t' { vec![b'^', byte + 0x40] } else { vec![byte] }
}

/// What a program prints, as it reaches the screen: every line break with a return before it.
pub fn printed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Vec<Key> {
        Terminal::default().typed(bytes)
    }

    #[test]
    fn a_line_is_echoed_and_handed_on() {
        assert_eq!(typed(b"ls\r"), [Key::Echo(b"ls\r\n".to_vec()), Key::Line(b"ls\n".to_vec())]);
    }

    #[test]
    fn corrections_change_the_line_and_the_screen() {
        assert_eq!(typed(b"lx\x7fs\r"), [Key::Echo(b"lx\x08 \x08s\r\n".to_vec()), Key::Line(b"ls\n".to_vec())]);
        assert_eq!(typed("ä\x7f\r".as_bytes()).last(), Some(&Key::Line(b"\n".to_vec())));
        assert_eq!(typed(b"cat a b\x17c\r").last(), Some(&Key::Line(b"cat a c\n".to_vec())));
        assert_eq!(typed(b"nonsense\x15ls\r").last(), Some(&Key::Line(b"ls\n".to_vec())));
        assert_eq!(typed(b"\x7f"), [], "nothing to erase");
    }

    #[test]
    fn control_characters_are_seen_or_act() {
        assert_eq!(typed(b"\x1b[A"), [Key::Echo(b"^[[A".to_vec())]);
        assert_eq!(typed(b"x\x03"), [Key::Echo(b"x^C\r\n".to_vec()), Key::Interrupt]);
        assert_eq!(typed(b"\x04"), [Key::End]);
        assert_eq!(typed(b"x\x04").last(), Some(&Key::Line(b"x".to_vec())));
    }

    #[test]
    fn lines_go_on_across_messages() {
        let mut terminal = Terminal::default();
        terminal.typed(b"l");
        assert_eq!(terminal.typed(b"s\r").last(), Some(&Key::Line(b"ls\n".to_vec())));
    }

    #[test]
    fn line_breaks_return_the_carriage() {
        assert_eq!(printed(b"a\nb\n"), b"a\r\nb\r\n");
    }
}
