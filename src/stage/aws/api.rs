//! The account as a lab sees it: calls, whole lists, and what is the lab's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    trouble::Trouble,
    wire::{Credentials, Service, Wire},
};

/// How many times a call is made again that was throttled or broke down, and the first pause; each is twice as long as the one before.
const AGAIN: u32 = 5;
/// The same where an emulator breaks down, as some do over every operation that they do not know.
const EMULATOR_AGAIN: u32 = 1;
const PAUSE: Duration = Duration::from_millis(250);
/// No list of a lab is longer; what goes on is an answer that is none.
const PAGES_MAX: usize = 100;

/// An account in a region.
pub(super) struct Api {
    wire: Arc<dyn Wire>,
    pub account: String,
    pub region: String,
    /// On everything that is made: owner, session, lab, expiry.
    pub tags: BTreeMap<String, String>,
    /// Whether the whole account belongs to the session, so that all that is in it is the lab's.
    pub own_account: bool,
    /// Whether nothing real runs behind it.
    pub simulated: bool,
    /// Whether it is somebody else's make of the API, so that operations may be missing.
    pub emulated: bool,
    /// The first pause before a call is made again.
    pause: Duration,
    /// Whose things are looked at.
    whose: Whose,
    /// The families of the lab's task definitions.
    families: BTreeSet<String>,
    at: Mutex<Option<Timestamp>>,
    /// How many calls nobody answered.
    silences: AtomicU32,
}

impl Api {
    pub(super) fn new(wire: Arc<dyn Wire>, account: String, region: String) -> Self {
        Self {
            wire,
            account,
            region,
            tags: BTreeMap::new(),
            own_account: true,
            simulated: false,
            emulated: false,
            pause: PAUSE,
            whose: Whose::Session,
            families: BTreeSet::new(),
            at: Mutex::default(),
            silences: AtomicU32::new(0),
        }
    }

    pub(super) fn of_account(self, account: String) -> Self {
        Self { account, ..self }
    }

    /// Nothing real runs behind it.
    pub(super) fn simulated(self) -> Self {
        Self { simulated: true, ..self }
    }

    /// Somebody else's make of the API.
    pub(super) fn emulated(self, emulated: bool) -> Self {
        Self { emulated, ..self }
    }

    /// Nothing but what breakfix made and nobody came back for, whatever session it was of.
    pub(super) fn forgotten(self, expired: Expired) -> Self {
        Self { whose: Whose::Nobody(expired), own_account: false, ..self }
    }

    /// In tests nobody waits.
    #[cfg(test)]
    pub(super) fn impatient(self) -> Self {
        Self { pause: Duration::from_millis(1), ..self }
    }

    /// The same account as somebody else sees it. What they make bears no tag of ours: that would take rights that they need not have.
    pub(super) fn seen_by(&self, credentials: Credentials) -> Self {
        let seen = Self::new(self.wire.of(credentials), self.account.clone(), self.region.clone());
        Self { simulated: self.simulated, emulated: self.emulated, ..seen }
    }

    /// With these tags on everything that is made; `own_account`: all that is in the account is the lab's.
    pub(super) fn owning(self, tags: BTreeMap<String, String>, own_account: bool) -> Self {
        Self { tags, own_account, ..self }
    }

    /// With the families whose revisions are the lab's, whoever registered them.
    pub(super) fn with_families(self, families: BTreeSet<String>) -> Self {
        Self { families, ..self }
    }

    /// The same account, with everything in it, whosesoever it is.
    pub(super) fn seeing_everything(&self) -> Self {
        let Self { account, region, tags, .. } = self;
        let seen = Self::new(Arc::clone(&self.wire), account.clone(), region.clone()).owning(tags.clone(), true);
        Self { simulated: self.simulated, emulated: self.emulated, pause: self.pause, ..seen }
    }

    pub(super) fn owns_family(&self, family: &str) -> bool {
        self.families.contains(family)
    }

    /// One call; a throttled one is made again.
    pub(super) async fn call(&self, service: Service, operation: &str, input: Value) -> Result<Value, Trouble> {
        let mut tries = 0;
        loop {
            match self.wire.send(service, operation, &input).await {
                Ok(answer) => {
                    if answer.at.is_some() {
                        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = answer.at;
                    }
                    return Ok(answer.value);
                }
                Err(trouble) if trouble.is_passing() && tries < self.patience(&trouble) => {
                    tokio::time::sleep(self.pause * (1 << tries)).await;
                    tries += 1;
                }
                Err(Trouble::Broken { status, body }) if self.emulated => {
                    let why = format!("status {status}, {}", body.lines().next().unwrap_or(""));
                    return Err(Trouble::Unserved { operation: operation.to_owned(), why });
                }
                Err(trouble) => {
                    if matches!(trouble, Trouble::Slow(_) | Trouble::Unreachable(_)) {
                        self.silences.fetch_add(1, Ordering::Relaxed);
                    }
                    return Err(trouble);
                }
            }
        }
    }

    /// How many calls nobody has answered so far.
    pub(super) fn silences(&self) -> u32 {
        self.silences.load(Ordering::Relaxed)
    }

    fn patience(&self, trouble: &Trouble) -> u32 {
        match trouble {
            Trouble::Broken { .. } if self.emulated => EMULATOR_AGAIN,
            _ => AGAIN,
        }
    }

    /// The entries of every page of a list. `next`: what the token is called, in the question and in the answer.
    pub(super) async fn all(
        &self,
        service: Service,
        operation: &str,
        input: Value,
        member: &str,
        next: (&str, &str),
    ) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        let mut input = input;
        for _ in 0..PAGES_MAX {
            let mut page = self.call(service, operation, input.clone()).await?;
            if let Some(Value::Array(entries)) = page.get_mut(member).map(Value::take) {
                found.extend(entries);
            }
            match page.get(next.1).and_then(Value::as_str).filter(|token| !token.is_empty()) {
                Some(token) => input[next.0] = json!(token),
                None => return Ok(found),
            }
        }
        Err(Trouble::Odd(format!("{operation} has more than {PAGES_MAX} pages")))
    }

    /// When the system last answered, by its own clock.
    pub(super) fn at(&self) -> Option<Timestamp> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tags as a list of pairs under these two words (`key` and `value`, `Key` and `Value` …).
    pub(super) fn tag_list(&self, key: &str, value: &str) -> Value {
        self.tags.iter().map(|(k, v)| json!({key: k, value: v})).collect()
    }

    /// The tags and the name, for EC2's `TagSpecifications`.
    pub(super) fn tag_specification(&self, resource: &str, name: &str) -> Value {
        let mut tags = self.tag_list("Key", "Value");
        if let Some(list) = tags.as_array_mut() {
            list.push(json!({"Key": "Name", "Value": name}));
        }
        json!([{"ResourceType": resource, "Tags": tags}])
    }

    /// Whether an object bears the session's tag (or is one that nobody came back for), in any of the ways in which services write tags.
    pub(super) fn is_tagged(&self, object: &Value) -> bool {
        match &self.whose {
            Whose::Session => {
                let wanted = self.tags.get(SESSION_TAG);
                wanted.is_some_and(|wanted| tag(object, SESSION_TAG) == Some(wanted.as_str()))
            }
            Whose::Nobody(expired) => expired.holds(object),
        }
    }
}

/// Whose things an account is asked about.
#[derive(Clone, Debug)]
enum Whose {
    /// The session's own.
    Session,
    /// Those of sessions whose time is over.
    Nobody(Expired),
}

/// What breakfix made, and whose expiry has passed.
#[derive(Clone, Debug)]
pub(super) struct Expired {
    pub now: Timestamp,
    /// Sessions that are open on this machine: theirs to stop, whatever their tags say.
    pub but: BTreeSet<String>,
}

impl Expired {
    /// A tag that is missing, or cannot be read, is no expiry: the thing stays.
    fn holds(&self, object: &Value) -> bool {
        let is_ours = tag(object, OWNER_TAG) == Some(OWNER);
        let session = tag(object, SESSION_TAG).unwrap_or_default();
        let expires = tag(object, EXPIRES_TAG).and_then(|text| text.parse::<Timestamp>().ok());
        is_ours && !session.is_empty() && !self.but.contains(session) && expires.is_some_and(|at| at <= self.now)
    }
}

/// The tag of everything that any breakfix made, and what it says.
pub(super) const OWNER_TAG: &str = "breakfix.dev/owner";
pub(super) const OWNER: &str = "breakfix";
/// The tag with the lab's name.
pub(super) const LAB_TAG: &str = "breakfix.dev/lab";
/// The tag with the time after which a sweep takes a thing for forgotten.
pub(super) const EXPIRES_TAG: &str = "breakfix.dev/expires";
/// The tag that says whose a resource is.
pub(super) const SESSION_TAG: &str = "breakfix.dev/session";
/// The tag with the name that the lab's documents give, where the API has none.
pub(super) const NAME_TAG: &str = "Name";

/// A tag of an object: a list of pairs or a map, under any of the API's names.
pub(super) fn tag<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    let tags = ["Tags", "tags", "TagList"].iter().find_map(|member| object.get(member))?;
    match tags {
        Value::Object(map) => map.get(key).and_then(Value::as_str),
        Value::Array(list) => list.iter().find_map(|pair| {
            let part = |words: [&str; 3]| words.iter().find_map(|word| pair.get(word)).and_then(Value::as_str);
            (part(["Key", "key", "TagKey"]) == Some(key)).then(|| part(["Value", "value", "TagValue"])).flatten()
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_in_every_spelling() {
        for object in [
            json!({"Tags": [{"Key": "Name", "Value": "web"}]}),
            json!({"tags": [{"key": "Name", "value": "web"}]}),
            json!({"tags": {"Name": "web"}}),
            json!({"Tags": [{"TagKey": "Name", "TagValue": "web"}]}),
        ] {
            assert_eq!(tag(&object, NAME_TAG), Some("web"), "{object}");
        }
        assert_eq!(tag(&json!({"Tags": []}), NAME_TAG), None);
    }

    #[test]
    fn only_what_is_ours_and_has_expired_is_forgotten() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let expired = Expired { now: at("2026-11-22T12:00:00Z"), but: BTreeSet::from(["open".to_owned()]) };
        let object = |owner: &str, session: &str, expires: &str| json!({"tags": {OWNER_TAG: owner, SESSION_TAG: session, EXPIRES_TAG: expires}});
        assert!(expired.holds(&object("breakfix", "s", "2026-11-22T11:59:59Z")));
        for (owner, session, expires) in [
            ("breakfix", "s", "2026-11-22T12:00:01Z"),
            ("breakfix", "open", "2026-11-21T00:00:00Z"),
            ("somebody", "s", "2026-11-21T00:00:00Z"),
            ("breakfix", "s", "soon"),
            ("breakfix", "", "2026-11-21T00:00:00Z"),
        ] {
            assert!(!expired.holds(&object(owner, session, expires)), "{owner} {session} {expires}");
        }
        assert!(!expired.holds(&json!({"tags": {"Name": "web"}})) && !expired.holds(&json!({})));
    }
}
