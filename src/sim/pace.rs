//! How a simulator's time follows the wall's: at a speed, or by hand only.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::SimTime;

/// What moves a simulator's time on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// The wall clock, times this speed; 1.0 is real time.
    Wall { speed: f64 },
    /// Nothing but being told to: tests, which then take no time at all.
    ByHand,
}

/// Virtual time as the wall's: it stood at `from` when the wall stood at `since`.
#[derive(Clone, Debug)]
pub struct Pacer {
    pace: Pace,
    since: Instant,
    from: SimTime,
}

impl Pacer {
    /// Begins at a simulator's present.
    pub fn starting_at(pace: Pace, from: SimTime) -> Self {
        Self { pace, since: Instant::now(), from }
    }

    /// The virtual present.
    pub fn now(&self) -> SimTime {
        match self.pace {
            Pace::Wall { speed } => self.from + scaled(self.since.elapsed(), speed),
            Pace::ByHand => self.from,
        }
    }

    /// Skips time.
    pub fn skip(&mut self, time: Duration) {
        self.from = self.from + time;
    }

    /// When the wall will have reached a virtual moment; `None` if it never does by itself.
    pub fn when(&self, due: SimTime) -> Option<Instant> {
        let Pace::Wall { speed } = self.pace else { return None };
        if speed <= 0.0 {
            return None;
        }
        // A millisecond more than needed: being woken too early would cost another round.
        let ahead = scaled(due - self.from, speed.recip()).saturating_add(Duration::from_millis(1));
        self.since.checked_add(ahead)
    }

    /// Whether the simulator's date is meant to be the wall's.
    pub fn follows_the_wall(&self) -> bool {
        matches!(self.pace, Pace::Wall { .. })
    }
}

/// A time multiplied; what is not a time then (a negative or boundless one) is none.
fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or_default()
}

/// Moves a date, in the API's spelling (RFC 3339, UTC, with or without a fraction), by whole seconds; `None` if it is no such date.
/// Whole seconds, because dates are written with the fraction cut off: moving by less would round some of them otherwise than others.
pub fn shift_date(text: &str, seconds: i64) -> Option<String> {
    let date: Timestamp = text.parse().ok()?;
    let rest = text.get(19..)?;
    if !rest.ends_with('Z') {
        return None;
    }
    let moved = date.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    Some(format!("{}{rest}", moved.strftime("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wall_moves_virtual_time_at_its_speed() {
        let mut pacer = Pacer::starting_at(Pace::Wall { speed: 10.0 }, SimTime(500));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(pacer.now(), SimTime(20_500));
        pacer.skip(Duration::from_secs(1));
        assert_eq!(pacer.now(), SimTime(21_500));
        let due = SimTime(31_500);
        tokio::time::sleep_until(pacer.when(due).unwrap()).await;
        assert!(pacer.now() >= due);
        assert!(pacer.now() < SimTime(31_600));
    }

    #[tokio::test(start_paused = true)]
    async fn by_hand_nothing_moves_but_by_hand() {
        let mut pacer = Pacer::starting_at(Pace::ByHand, SimTime(0));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(pacer.now(), SimTime(0));
        assert_eq!(pacer.when(SimTime(5)), None);
        pacer.skip(Duration::from_millis(5));
        assert_eq!(pacer.now(), SimTime(5));
    }

    #[test]
    fn a_date_keeps_its_spelling() {
        assert_eq!(shift_date("2026-11-21T11:59:59Z", 1).unwrap(), "2026-11-21T12:00:00Z");
        assert_eq!(shift_date("2026-11-21T00:00:00.120000Z", -1).unwrap(), "2026-11-20T23:59:59.120000Z");
        assert_eq!(shift_date("2026-11-21", 1), None);
        assert_eq!(shift_date("shop", 1), None);
    }
}
