//! A container's log: lines with their time, cut at the size at which kubelet rotates.

use breakfix_sim::SimTime;
use breakfix_workload::Stream;
use serde::{Deserialize, Serialize};

/// kubelet's `containerLogMaxSize` is 10 MiB; a simulated container keeps less, so that its state stays small.
const BYTES_MAX: usize = 256 << 10;

/// A log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    lines: Vec<Line>,
    bytes: usize,
}

/// One line, without its line break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: SimTime,
    pub stream: Stream,
    pub text: String,
}

impl Log {
    /// Writes a line. Old ones go when there are too many.
    pub fn print(&mut self, at: SimTime, stream: Stream, text: &str) {
        // A program that is ahead of the cluster's clock has written its later lines already.
        let place = self.lines.iter().rposition(|line| line.at <= at).map_or(0, |place| place + 1);
        self.lines.insert(place, Line { at, stream, text: text.to_owned() });
        self.bytes += text.len() + 1;
        while self.bytes > BYTES_MAX && self.lines.len() > 1 {
            let oldest = self.lines.remove(0);
            self.bytes -= oldest.text.len() + 1;
        }
    }

    /// Bytes that it takes.
    pub fn size(&self) -> u64 {
        self.bytes as u64
    }

    /// The lines up to a moment.
    pub fn until(&self, now: SimTime) -> impl Iterator<Item = &Line> + Clone {
        self.lines.iter().take_while(move |line| line.at <= now)
    }

    /// Forgets what would have been written after a moment.
    pub fn cut(&mut self, now: SimTime) {
        self.lines.retain(|line| line.at <= now);
        self.bytes = self.lines.iter().map(|line| line.text.len() + 1).sum();
    }

    /// The last lines, at most so many and so many bytes: what `FallbackToLogsOnError` takes as a termination message.
    pub fn tail(&self, now: SimTime, lines_max: usize, bytes_max: usize) -> String {
        let lines: Vec<&Line> = self.until(now).collect();
        let text: String =
            lines.iter().skip(lines.len().saturating_sub(lines_max)).map(|line| format!("{}\n", line.text)).collect();
        let mut start = text.len().saturating_sub(bytes_max);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.get(start..).unwrap_or("").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_in_order_and_the_oldest_go() {
        let mut log = Log::default();
        log.print(SimTime(5), Stream::Out, "late");
        log.print(SimTime(1), Stream::Out, "early");
        let seen: Vec<&str> = log.until(SimTime(4)).map(|line| line.text.as_str()).collect();
        assert_eq!(seen, ["early"]);
        for n in 0..4000_u64 {
            log.print(SimTime(10 + n), Stream::Out, &"x".repeat(100));
        }
        assert!(log.until(SimTime(u64::MAX)).all(|line| line.text.len() == 100));
        assert!(log.bytes <= BYTES_MAX);
    }

    #[test]
    fn the_tail_is_short() {
        let mut log = Log::default();
        for n in 0..5_u64 {
            log.print(SimTime(n), Stream::Err, &format!("line {n}"));
        }
        assert_eq!(log.tail(SimTime(9), 2, 100), "line 3\nline 4\n");
        assert_eq!(log.tail(SimTime(9), 2, 7), "line 4\n");
    }
}
