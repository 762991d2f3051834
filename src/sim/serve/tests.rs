//! A host with the smallest world there is: a list of words, and a clock that adds one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    host::{Host, lock},
    record::{Record, RecordError},
    safely,
    world::{Act, Dated, World},
};
use crate::{Clock, Queue, SimTime, pace::Pace};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Diary {
    words: Vec<String>,
    clock: Clock,
    queue: Queue<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Input {
    Word(Word),
    Shift(Shift),
}

/// Writes a word now, and another one a minute later.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Word(String);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shift(i64);

impl World for Diary {
    type Input = Input;

    fn now(&self) -> SimTime {
        self.clock.now()
    }

    fn next_due(&self) -> Option<SimTime> {
        self.queue.next_due()
    }

    fn advance(&mut self, time: SimTime) {
        while let Some((due, word)) = self.queue.pop(time) {
            self.clock.move_to(due);
            assert_ne!(word, "bug, later", "a bug");
            self.words.push(word);
        }
        self.clock.move_to(time);
    }

    fn today(&self) -> Timestamp {
        self.clock.today()
    }

    fn replay(&mut self, input: &Input) {
        let _ = match input {
            Input::Word(word) => safely::run(self, |diary| word.act(diary)),
            Input::Shift(shift) => safely::run(self, |diary| shift.act(diary)),
        };
    }
}

impl Dated for Diary {
    type Shift = Shift;

    fn shift(seconds: i64) -> Shift {
        Shift(seconds)
    }
}

impl Act<Diary> for Word {
    type Outcome = ();

    fn act(&self, diary: &mut Diary) {
        assert_ne!(self.0, "panic", "a bug");
        diary.words.push(self.0.clone());
        diary.queue.push(diary.now() + Duration::from_secs(60), format!("{}, later", self.0));
    }
}

impl Act<Diary> for Shift {
    type Outcome = ();

    fn act(&self, diary: &mut Diary) {
        diary.clock.shift_date(self.0 * 1_000);
    }
}

impl From<Word> for Input {
    fn from(word: Word) -> Self {
        Self::Word(word)
    }
}

impl From<Shift> for Input {
    fn from(shift: Shift) -> Self {
        Self::Shift(shift)
    }
}

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn diary() -> Diary {
    Diary { words: Vec::new(), clock: Clock::starting_at(noon()), queue: Queue::default() }
}

fn host(diary: Diary, pace: Pace, record: Option<Record>) -> Host<Diary> {
    Host::new(Arc::new(Mutex::new(diary)), pace, record, noon)
}

fn word(text: &str) -> Word {
    Word(text.to_owned())
}

fn words(host: &Host<Diary>) -> Vec<String> {
    host.look(|diary| diary.words.clone()).unwrap()
}

#[test]
fn what_was_told_outlives_a_death_at_any_point() {
    let folder = tempfile::tempdir().unwrap();
    let lived = host(diary(), Pace::ByHand, Some(Record::begin(folder.path(), &diary()).unwrap()));
    lived.act(word("a")).unwrap();
    assert!(lived.act(word("panic")).is_err(), "a panic is one request's");
    lived.skip(Duration::from_secs(90));
    lived.save().unwrap();
    lived.act(word("bug")).unwrap();
    lived.skip(Duration::from_secs(90));
    let before = lived.look(|diary| serde_json::to_string(diary).unwrap()).unwrap();
    drop(lived);
    let (record, again) = Record::open::<Diary>(folder.path()).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), before);
    assert_eq!(words(&host(again, Pace::ByHand, Some(record))), ["a", "a, later", "bug"]);
}

#[test]
fn a_folder_without_a_world_and_a_damaged_one_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Record::open::<Diary>(folder.path()).map(drop).unwrap_err();
    assert!(matches!(open(), RecordError::Nothing { .. }));
    drop(Record::begin(folder.path(), &diary()).unwrap());
    std::fs::write(folder.path().join("snapshot.json"), "{\"version\":1}").unwrap();
    assert!(matches!(open(), RecordError::Version { found: 1, .. }));
    std::fs::write(folder.path().join("snapshot.json"), "{").unwrap();
    assert!(matches!(open(), RecordError::Damaged { .. }));
}

#[test]
fn time_that_is_skipped_on_the_wall_s_time_lies_in_the_past() {
    let host = host(diary(), Pace::Wall { speed: 1.0 }, None);
    host.skip(Duration::from_secs(3_600));
    let (now, today) = host.look(|diary| (diary.now(), diary.today())).unwrap();
    assert!(now >= SimTime(3_600_000));
    assert!(today.duration_since(noon()).abs().as_secs() < 2, "{today}");
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_kept_for_those_who_look_on() {
    let world = Arc::new(Mutex::new(diary()));
    let host = Arc::new(Host::new(Arc::clone(&world), Pace::Wall { speed: 1.0 }, None, noon));
    host.act(word("a")).unwrap();
    let keeper = tokio::spawn({
        let host = Arc::clone(&host);
        async move { host.keep_time().await }
    });
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(lock(&world).words, ["a"], "nobody looks on: nothing happens");
    let mut news = host.news();
    tokio::time::timeout(Duration::from_secs(1), news.changed()).await.expect("what was due is made up for").unwrap();
    assert_eq!(lock(&world).words, ["a", "a, later"]);
    keeper.abort();
}
