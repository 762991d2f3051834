//! What of a container's log a client is shown, and how far it has read.

use breakfix_sim::{Clock, SimTime};
use breakfix_workload::Stream;
use jiff::Timestamp;

use super::inside::{self, LogView};
use crate::{Cluster, Status, api::stream::LogSpec};

/// A reader of one run's log. It begins where the request says and never goes back.
#[derive(Clone, Debug)]
pub struct LogTail {
    spec: LogSpec,
    /// The run that is read, by the runtime's id; a log that is followed ends with it.
    run: Option<String>,
    /// The moment of the last line read, and how many lines of that moment were.
    at: SimTime,
    read_at: usize,
    /// Bytes that may still be sent.
    left: Option<u64>,
}

/// What there is to read now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub lines: Vec<(Stream, Vec<u8>)>,
    /// Nothing will follow.
    pub over: bool,
    /// When a line that is written already will be seen: its program is ahead of the clock.
    pub next: Option<SimTime>,
}

impl Piece {
    /// Both outputs together, as a log shows them.
    pub fn bytes(self) -> Vec<u8> {
        self.lines.into_iter().flat_map(|(_, line)| line).collect()
    }
}

impl LogTail {
    pub fn new(spec: LogSpec) -> Self {
        let left = spec.limit_bytes;
        Self { spec, run: None, at: SimTime(0), read_at: 0, left }
    }

    /// What has been written since the last time.
    ///
    /// # Errors
    /// There is no such log.
    pub fn read(&mut self, cluster: &Cluster) -> Result<Piece, Status> {
        let over = Piece { over: true, ..Piece::default() };
        let view = match (inside::log(cluster, &self.spec), &self.run) {
            (Ok(Some(view)), None) => view,
            (Ok(Some(view)), Some(run)) if view.run == run => view,
            // The run that was followed, or its pod, is gone.
            (_, Some(_)) | (Ok(None), None) => return Ok(over),
            (Err(status), None) => return Err(status),
        };
        if self.run.is_none() {
            self.run = Some(view.run.to_owned());
            self.begin(&view, &cluster.clock);
        }
        Ok(self.take(&view, cluster.now(), &cluster.clock))
    }

    /// Passes over what was not asked for.
    fn begin(&mut self, view: &LogView<'_>, clock: &Clock) {
        let now = clock.now();
        let seconds_ago =
            |seconds: u64| clock.today().as_millisecond() - i64::try_from(seconds * 1_000).unwrap_or(i64::MAX);
        let since = [
            self.spec.since_seconds.map(seconds_ago),
            self.spec
                .since_time
                .as_deref()
                .and_then(|text| text.parse::<Timestamp>().ok())
                .map(|date| date.as_millisecond()),
        ];
        let since = since.into_iter().flatten().max();
        let is_early = |at: SimTime| since.is_some_and(|since| clock.date(at).as_millisecond() < since);
        let total = view.log.until(now).count();
        let early = view.log.until(now).take_while(|line| is_early(line.at)).count();
        let tail = self.spec.tail.map_or(0, |tail| total.saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX)));
        for line in view.log.until(now).take(early.max(tail)) {
            self.pass(line.at);
        }
    }

    fn take(&mut self, view: &LogView<'_>, now: SimTime, clock: &Clock) -> Piece {
        let mut piece = Piece::default();
        let (at, read_at) = (self.at, self.read_at);
        let fresh = view.log.until(SimTime(u64::MAX)).skip_while(|line| line.at < at).collect::<Vec<_>>();
        let same_moment = fresh.iter().take_while(|line| line.at == at).count();
        for line in fresh.into_iter().skip(read_at.min(same_moment)) {
            if line.at > now {
                piece.next = Some(line.at);
                break;
            }
            self.pass(line.at);
            let mut text = Vec::with_capacity(line.text.len() + 1);
            if self.spec.timestamps {
                text.extend_from_slice(clock.date(line.at).strftime("%Y-%m-%dT%H:%M:%S%.9fZ ").to_string().as_bytes());
            }
            text.extend_from_slice(line.text.as_bytes());
            text.push(b'\n');
            if let Some(left) = &mut self.left {
                text.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= text.len() as u64;
            }
            piece.lines.push((line.stream, text));
        }
        piece.over = self.left == Some(0) || (!view.is_running && piece.next.is_none());
        piece
    }

    fn pass(&mut self, at: SimTime) {
        self.read_at = if at == self.at { self.read_at + 1 } else { 1 };
        self.at = at;
    }
}
