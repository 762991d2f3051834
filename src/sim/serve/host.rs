//! A world behind its door: one lock, its time, its record on disk, and a bell for whoever waits for news.
//!
//! Everything that goes in passes here. Order: the clock is brought to the present, the input is written down, then it happens. So the
//! record knows of every change before anybody is told of it, and what cannot be written down does not happen.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    record::Record,
    safely::{self, Failed},
    world::{Act, Dated},
};
use crate::{
    SimTime,
    pace::{Pace, Pacer},
};

/// From this many bytes on the log is folded into a snapshot at once; from the smaller one, when nobody has asked for a while.
const LOG_BYTES_MAX: u64 = 1 << 20;
const LOG_BYTES_IDLE: u64 = 64 << 10;
const QUIET: Duration = Duration::from_secs(30);
/// While nobody looks on, the simulation may fall behind by so much: whoever looks next brings it up, and sees no difference.
const UNWATCHED: Duration = Duration::from_secs(600);
/// The simulation's date may differ from the wall's by so little: what people see are whole seconds.
const DATE_SLACK_MS: u64 = 2_000;

/// An input was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the simulator cannot write its log: {0}; nothing was changed")]
    Disk(#[source] io::Error),
    #[error(transparent)]
    Failed(#[from] Failed),
}

/// A world and what drives it.
pub struct Host<W> {
    world: Arc<Mutex<W>>,
    desk: Mutex<Desk>,
    /// Counts up when something may have happened.
    news: watch::Sender<u64>,
    /// Rung when something may be due earlier than the timekeeper thought.
    bell: Notify,
    /// Today's date.
    wall: fn() -> Timestamp,
}

struct Desk {
    pacer: Pacer,
    record: Option<Record>,
    last_input: Instant,
    last_request: Instant,
}

impl<W: Dated> Host<W> {
    /// A world that goes on from where it stands; `record` where it is kept on disk.
    pub fn new(world: Arc<Mutex<W>>, pace: Pace, record: Option<Record>, wall: fn() -> Timestamp) -> Self {
        let now = lock(&world).now();
        let pacer = Pacer::starting_at(pace, now);
        let moment = Instant::now();
        let desk = Mutex::new(Desk { pacer, record, last_input: moment, last_request: moment });
        Self { world, desk, news: watch::Sender::new(0), bell: Notify::new(), wall }
    }

    /// Hands something in.
    ///
    /// # Errors
    /// It could not be written down, and then nothing has changed; or the simulator failed.
    pub fn act<A: Act<W>>(&self, act: A) -> Result<A::Outcome, Refused> {
        let (mut world, mut desk) = self.enter();
        self.catch_up(&mut world, &mut desk);
        let outcome = self.apply(&mut world, &mut desk, act)?;
        desk.last_input = Instant::now();
        if let Some(record) = desk.record.as_mut().filter(|record| record.log_bytes() > LOG_BYTES_MAX) {
            // The log says the same; the next input tries again.
            let _ = record.save(&*world);
        }
        self.tell();
        Ok(outcome)
    }

    /// Looks at the present world. `look` must not change it: nothing is written down.
    ///
    /// # Errors
    /// The simulator failed.
    pub fn look<T>(&self, look: impl FnOnce(&mut W) -> T) -> Result<T, Failed> {
        let (mut world, mut desk) = self.enter();
        self.catch_up(&mut world, &mut desk);
        safely::run(&mut *world, look)
    }

    /// Tries something on a copy of the present world.
    ///
    /// # Errors
    /// The simulator failed.
    pub fn try_out<A: Act<W>>(&self, act: &A) -> Result<A::Outcome, Failed> {
        let mut copy = {
            let (mut world, mut desk) = self.enter();
            self.catch_up(&mut world, &mut desk);
            world.clone()
        };
        safely::run(&mut copy, |copy| act.act(copy))
    }

    /// Skips time. On the wall's time, the time skipped then lies in the past: the date stays today's.
    pub fn skip(&self, time: Duration) {
        let (mut world, mut desk) = self.enter();
        self.catch_up(&mut world, &mut desk);
        desk.pacer.skip(time);
        self.catch_up(&mut world, &mut desk);
        let now = world.now();
        if let Some(record) = &mut desk.record {
            let _ = record.append::<W::Input>(now, None);
        }
        self.tell();
    }

    /// Brings back a world as it was looked at before, its time included. Only where time moves by hand and nothing is kept on disk:
    /// anywhere else the past is the past, and false is answered.
    pub fn put_back(&self, kept: &W) -> bool {
        let (mut world, mut desk) = self.enter();
        if desk.record.is_some() || desk.pacer.follows_the_wall() {
            return false;
        }
        world.clone_from(kept);
        desk.pacer = Pacer::starting_at(Pace::ByHand, world.now());
        self.tell();
        true
    }

    /// A request came in: the simulator is not idle.
    pub fn asked(&self) {
        self.desk().last_request = Instant::now();
    }

    /// How long nobody has asked for anything.
    pub fn idle(&self) -> Duration {
        self.desk().last_request.elapsed()
    }

    /// Tells of everything that may have happened from now on. The value counts up and means nothing else.
    pub fn news(&self) -> watch::Receiver<u64> {
        let news = self.news.subscribe();
        // The timekeeper may have been sleeping for want of anybody looking.
        self.bell.notify_one();
        news
    }

    /// How long a client waits for something that takes this long in the simulation: not at all where time moves by hand.
    pub fn wait_for(&self, virtual_time: Duration) -> Duration {
        if virtual_time.is_zero() {
            return Duration::ZERO;
        }
        let end = self.desk().pacer.now() + virtual_time;
        self.wait_until(end).unwrap_or_default()
    }

    /// How long it is until a virtual moment; `None` where time moves by hand.
    pub fn wait_until(&self, moment: SimTime) -> Option<Duration> {
        self.desk().pacer.when(moment).map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Keeps the simulation up with the wall for those who look on, sleeping until something is due. While nobody does, it sleeps on: a
    /// simulator that nobody uses costs nothing, whatever goes on in it. Returns never; to be dropped.
    pub async fn keep_time(&self) {
        loop {
            let (due, save) = {
                let (mut world, mut desk) = self.enter();
                self.catch_up(&mut world, &mut desk);
                let mut due = world.next_due().and_then(|due| desk.pacer.when(due));
                if self.news.receiver_count() == 0 {
                    due = due.map(|due| due.max(Instant::now() + UNWATCHED));
                }
                (due, desk.save_at())
            };
            tokio::select! {
                () = sleep_until(due) => {}
                () = sleep_until(save) => self.save_quietly(),
                () = self.bell.notified() => {}
            }
        }
    }

    /// Writes a snapshot, where there is a record.
    ///
    /// # Errors
    /// As the file system refuses; the record still says the same.
    pub fn save(&self) -> io::Result<()> {
        let (mut world, mut desk) = self.enter();
        self.catch_up(&mut world, &mut desk);
        desk.record.as_mut().map_or(Ok(()), |record| record.save(&*world))
    }

    /// The same when nobody waits for it: a disk that refuses is asked again after the next input.
    fn save_quietly(&self) {
        let _ = self.save();
        self.desk().last_input = Instant::now();
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both locks, always in this order.
    fn enter(&self) -> (MutexGuard<'_, W>, MutexGuard<'_, Desk>) {
        let world = lock(&self.world);
        (world, self.desk())
    }

    /// Brings the world to the present.
    fn catch_up(&self, world: &mut W, desk: &mut Desk) {
        let now = desk.pacer.now().max(world.now());
        let eventful = world.next_due().is_some_and(|due| due <= now) || world.has_news();
        safely::advance(world, now);
        if eventful {
            if let Some(record) = &mut desk.record {
                // Not needed to make the same world again, only for how far it had come.
                let _ = record.append::<W::Input>(now, None);
            }
            self.tell();
        }
        if desk.pacer.follows_the_wall() {
            self.follow_the_date(world, desk);
        }
    }

    /// Sets the date to the wall's where they have come apart: time was skipped, went at another speed, or stood still while no process ran.
    fn follow_the_date(&self, world: &mut W, desk: &mut Desk) {
        let apart = world.today().as_millisecond() - (self.wall)().as_millisecond();
        if apart.unsigned_abs() < DATE_SLACK_MS {
            return;
        }
        // A full disk leaves the date as it is; the next try comes with the next request.
        let _ = self.apply(world, desk, W::shift(-(apart / 1_000)));
    }

    fn apply<A: Act<W>>(&self, world: &mut W, desk: &mut Desk, act: A) -> Result<A::Outcome, Refused> {
        let now: SimTime = world.now();
        if let Some(record) = &mut desk.record {
            let input: W::Input = act.clone().into();
            record.append(now, Some(input)).map_err(Refused::Disk)?;
        }
        Ok(safely::run(world, |world| act.act(world))?)
    }

    fn tell(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
        self.bell.notify_one();
    }
}

impl Desk {
    /// When a snapshot is due, if nobody asks for anything until then.
    fn save_at(&self) -> Option<Instant> {
        let record = self.record.as_ref()?;
        if record.log_bytes() < LOG_BYTES_IDLE {
            return None;
        }
        self.last_input.checked_add(QUIET)
    }
}

/// The world, even after a panic that held it: `safely` has dealt with that.
pub fn lock<W>(world: &Mutex<W>) -> MutexGuard<'_, W> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
