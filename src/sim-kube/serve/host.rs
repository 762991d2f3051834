//! The cluster behind its door: one lock, its time, its record on disk, and a bell for whoever waits for news.
//!
//! Everything that goes in passes here. Order: the clock is brought to the present, the input is written down, then it happens. So the
//! record knows of every change before anybody is told of it, and what cannot be written down does not happen.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use breakfix_sim::{
    SimTime,
    pace::{Pace, Pacer},
};
use jiff::Timestamp;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    input::{Act, Input, ShiftDates},
    record::Record,
    safely::{self, Failed},
};
use crate::{Cluster, Status};

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

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {refused}"))
    }
}

/// A cluster and what drives it.
pub struct Host {
    cluster: Arc<Mutex<Cluster>>,
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

impl Host {
    /// A cluster that goes on from where it stands; `record` where it is kept on disk.
    pub fn new(cluster: Arc<Mutex<Cluster>>, pace: Pace, record: Option<Record>, wall: fn() -> Timestamp) -> Self {
        let now = lock(&cluster).now();
        let pacer = Pacer::starting_at(pace, now);
        let moment = Instant::now();
        let desk = Mutex::new(Desk { pacer, record, last_input: moment, last_request: moment });
        Self { cluster, desk, news: watch::Sender::new(0), bell: Notify::new(), wall }
    }

    /// Hands something in.
    ///
    /// # Errors
    /// It could not be written down, and then nothing has changed; or the simulator failed.
    pub fn act<A: Act>(&self, act: A) -> Result<A::Outcome, Refused> {
        let (mut cluster, mut desk) = self.enter();
        self.catch_up(&mut cluster, &mut desk);
        let outcome = self.apply(&mut cluster, &mut desk, act)?;
        desk.last_input = Instant::now();
        if let Some(record) = desk.record.as_mut().filter(|record| record.log_bytes() > LOG_BYTES_MAX) {
            // The log says the same; the next input tries again.
            let _ = record.save(&cluster);
        }
        self.tell();
        Ok(outcome)
    }

    /// Looks at the present cluster. `look` must not change it: nothing is written down.
    ///
    /// # Errors
    /// The simulator failed.
    pub fn look<T>(&self, look: impl FnOnce(&mut Cluster) -> T) -> Result<T, Failed> {
        let (mut cluster, mut desk) = self.enter();
        self.catch_up(&mut cluster, &mut desk);
        safely::run(&mut cluster, look)
    }

    /// Tries something on a copy of the present cluster.
    ///
    /// # Errors
    /// The simulator failed.
    pub fn try_out<A: Act>(&self, act: &A) -> Result<A::Outcome, Failed> {
        let mut copy = {
            let (mut cluster, mut desk) = self.enter();
            self.catch_up(&mut cluster, &mut desk);
            cluster.clone()
        };
        safely::run(&mut copy, |copy| act.act(copy))
    }

    /// Skips time. On the wall's time, the time skipped then lies in the past: the date stays today's.
    pub fn skip(&self, time: Duration) {
        let (mut cluster, mut desk) = self.enter();
        self.catch_up(&mut cluster, &mut desk);
        desk.pacer.skip(time);
        self.catch_up(&mut cluster, &mut desk);
        let now = cluster.now();
        if let Some(record) = &mut desk.record {
            let _ = record.append(now, None);
        }
        self.tell();
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
    /// simulator that nobody uses costs nothing, whatever its pods are busy with. Returns never; to be dropped.
    pub async fn keep_time(&self) {
        loop {
            let (due, save) = {
                let (mut cluster, mut desk) = self.enter();
                self.catch_up(&mut cluster, &mut desk);
                let mut due = cluster.next_due().and_then(|due| desk.pacer.when(due));
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
        let (mut cluster, mut desk) = self.enter();
        self.catch_up(&mut cluster, &mut desk);
        desk.record.as_mut().map_or(Ok(()), |record| record.save(&cluster))
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
    fn enter(&self) -> (MutexGuard<'_, Cluster>, MutexGuard<'_, Desk>) {
        let cluster = lock(&self.cluster);
        (cluster, self.desk())
    }

    /// Brings the cluster to the present.
    fn catch_up(&self, cluster: &mut Cluster, desk: &mut Desk) {
        let now = desk.pacer.now().max(cluster.now());
        let eventful = cluster.next_due().is_some_and(|due| due <= now) || cluster.told < cluster.store.revision();
        safely::advance(cluster, now);
        if eventful {
            if let Some(record) = &mut desk.record {
                // Not needed to make the same cluster again, only for how far it had come.
                let _ = record.append(now, None);
            }
            self.tell();
        }
        if desk.pacer.follows_the_wall() {
            self.follow_the_date(cluster, desk);
        }
    }

    /// Sets the date to the wall's where they have come apart: time was skipped, went at another speed, or stood still while no process ran.
    fn follow_the_date(&self, cluster: &mut Cluster, desk: &mut Desk) {
        let apart = cluster.clock.today().as_millisecond() - (self.wall)().as_millisecond();
        if apart.unsigned_abs() < DATE_SLACK_MS {
            return;
        }
        // A full disk leaves the date as it is; the next try comes with the next request.
        let _ = self.apply(cluster, desk, ShiftDates { seconds: -(apart / 1_000) });
    }

    fn apply<A: Act>(&self, cluster: &mut Cluster, desk: &mut Desk, act: A) -> Result<A::Outcome, Refused> {
        let now: SimTime = cluster.now();
        if let Some(record) = &mut desk.record {
            let input: Input = act.clone().into();
            record.append(now, Some(input)).map_err(Refused::Disk)?;
        }
        Ok(safely::run(cluster, |cluster| act.act(cluster))?)
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

/// The cluster, even after a panic that held it: `safely` has dealt with that.
pub(super) fn lock(cluster: &Mutex<Cluster>) -> MutexGuard<'_, Cluster> {
    cluster.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use breakfix_sim::Key;
    use serde_json::{Value, json};

    use super::*;
    use crate::Config;

    /// Where the wall's date stands in these tests.
    fn noon() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn host(date: &str, pace: Pace) -> Host {
        let config = Config { seed: 1, date: date.parse().unwrap(), workers: 1, images: BTreeSet::new() };
        let mut cluster = Cluster::empty(config);
        let key = Key::new("configmaps", "shop", "a");
        cluster.store.put(key, json!({"metadata": {"creationTimestamp": date}}));
        Host::new(Arc::new(Mutex::new(cluster)), pace, None, noon)
    }

    fn created(host: &Host) -> Value {
        let key = Key::new("configmaps", "shop", "a");
        host.look(|cluster| cluster.store.get(&key).unwrap()["metadata"]["creationTimestamp"].clone()).unwrap()
    }

    fn today(host: &Host) -> Timestamp {
        host.look(|cluster| cluster.clock.today()).unwrap()
    }

    #[test]
    fn time_that_is_skipped_on_the_wall_s_time_lies_in_the_past() {
        let host = host("2026-11-21T12:00:00Z", Pace::Wall { speed: 1.0 });
        let before = host.look(|cluster| cluster.now()).unwrap();
        host.skip(Duration::from_secs(3_600));
        assert!(host.look(|cluster| cluster.now()).unwrap() >= before + Duration::from_secs(3_600));
        assert!(today(&host).duration_since(noon()).abs().as_secs() < 2);
        assert_eq!(created(&host), "2026-11-21T11:00:00Z");
    }

    #[test]
    fn time_that_no_process_lived_through_did_not_pass() {
        let host = host("2026-11-21T09:00:00Z", Pace::Wall { speed: 1.0 });
        assert_eq!(created(&host), "2026-11-21T12:00:00Z", "as old as it was");
        assert!(today(&host).duration_since(noon()).abs().as_secs() < 2);
    }

    #[test]
    fn time_that_moves_by_hand_has_dates_of_its_own() {
        let host = host("2026-11-21T09:00:00Z", Pace::ByHand);
        host.skip(Duration::from_secs(3_600));
        assert_eq!(created(&host), "2026-11-21T09:00:00Z");
        assert_eq!(today(&host).to_string(), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn a_panic_in_the_simulation_is_one_request_s() {
        let host = host("2026-11-21T12:00:00Z", Pace::ByHand);
        assert!(host.look(|_| panic!("a bug")).is_err());
        assert_eq!(created(&host), "2026-11-21T12:00:00Z");
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_kept_for_those_who_look_on() {
        let host = Arc::new(host("2026-11-21T12:00:00Z", Pace::Wall { speed: 1.0 }));
        lock(&host.cluster).after(Duration::from_secs(5), crate::event::Event::ExpireEvents);
        let keeper = tokio::spawn({
            let host = Arc::clone(&host);
            async move { host.keep_time().await }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(lock(&host.cluster).next_due().is_some(), "nobody looks on: nothing happens");
        let mut news = host.news();
        tokio::time::timeout(Duration::from_secs(1), news.changed())
            .await
            .expect("what was due is made up for")
            .unwrap();
        assert_eq!(lock(&host.cluster).now(), SimTime(60_000));
        keeper.abort();
    }
}
