//! The object store: JSON objects under (collection, namespace, name), a revision for each write, and the recent past for watchers.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where an object lies. Cluster-wide objects have an empty namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The API's own name of the collection: `pods`, `deployments.apps`.
    pub collection: Arc<str>,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl Key {
    pub fn new(collection: &str, namespace: &str, name: &str) -> Self {
        Self { collection: collection.into(), namespace: namespace.into(), name: name.into() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreEventKind {
    Added,
    Modified,
    Deleted,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreEvent {
    pub revision: u64,
    pub kind: StoreEventKind,
    pub key: Key,
    /// The object after the write; after a deletion, as it was last, with the deletion's revision.
    pub object: Arc<Value>,
    /// The object before the write: a watcher with a selector needs it to see objects leave its view.
    pub before: Option<Arc<Value>>,
}

/// The store. Writing an object stamps `metadata.resourceVersion` with the new revision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Store {
    revision: u64,
    #[serde(with = "as_list")]
    objects: BTreeMap<Key, Arc<Value>>,
    past: VecDeque<StoreEvent>,
    past_max: usize,
    /// Writes after this one are kept, however many they are.
    #[serde(default)]
    kept_after: Option<u64>,
}

/// A busy store remembers so many writes for each object: whoever is told of one step's writes has not missed any.
const PAST_OF_AN_OBJECT: usize = 4;

/// The past a watcher asked for is no longer known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct TooOld {
    pub asked: u64,
    pub oldest: u64,
}

impl Store {
    /// An empty store that remembers `past_max` writes, more of them when it is large.
    pub fn new(past_max: usize) -> Self {
        Self { revision: 1, objects: BTreeMap::new(), past: VecDeque::new(), past_max, kept_after: None }
    }

    /// Keeps every write after this one until this is called again: somebody has yet to be told of them.
    pub fn keep_after(&mut self, revision: u64) {
        self.kept_after = Some(revision);
    }

    /// The revision of the latest write.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The objects of a collection in (namespace, name) order; all namespaces without one.
    pub fn list<'a>(
        &'a self,
        collection: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> + 'a {
        let first = Key::new(collection, namespace.unwrap_or(""), "");
        self.objects.range(first..).take_while(move |(key, _)| {
            &*key.collection == collection && namespace.is_none_or(|namespace| &*key.namespace == namespace)
        })
    }

    /// Every object, in key order.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    /// Writes an object, new or old, and returns it with its new `resourceVersion`.
    pub fn put(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        stamp(&mut object, self.revision);
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&object));
        let kind = if before.is_some() { StoreEventKind::Modified } else { StoreEventKind::Added };
        self.remember(StoreEvent { revision: self.revision, kind, key, object: Arc::clone(&object), before });
        object
    }

    /// Removes an object; `None` if there is none.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.revision += 1;
        let mut last = Value::clone(&before);
        stamp(&mut last, self.revision);
        let object = Arc::new(last);
        self.remember(StoreEvent {
            revision: self.revision,
            kind: StoreEventKind::Deleted,
            key: key.clone(),
            object: Arc::clone(&object),
            before: Some(before),
        });
        Some(object)
    }

    /// The writes after `revision`, oldest first.
    ///
    /// # Errors
    /// [`TooOld`] if some of them have been forgotten.
    pub fn since(&self, revision: u64) -> Result<impl Iterator<Item = &StoreEvent>, TooOld> {
        let oldest = self.past.front().map_or(self.revision + 1, |event| event.revision);
        if revision + 1 < oldest {
            return Err(TooOld { asked: revision, oldest });
        }
        let start = self.past.partition_point(|event| event.revision <= revision);
        Ok(self.past.range(start..))
    }

    /// Forgets the past that everybody was told of. To watch from it is answered by [`TooOld`], as by an API server whose etcd was compacted.
    pub fn compact(&mut self) {
        let kept = self.kept_after.unwrap_or(self.revision);
        self.past.retain(|event| event.revision > kept);
        self.past.shrink_to_fit();
    }

    /// Edits every object in place, those of the remembered past too, without a new revision and without a word to watchers. Only for
    /// what is not a change of the system itself: moving the dates in all objects when skipped time becomes the past.
    pub fn rewrite(&mut self, mut edit: impl FnMut(&Key, &mut Value)) {
        // The present and the past share their objects, and go on sharing them: each is edited once. Holding on to the old ones keeps
        // their addresses apart.
        let mut done: BTreeMap<*const Value, (Arc<Value>, Arc<Value>)> = BTreeMap::new();
        let mut edited = |key: &Key, object: &mut Arc<Value>| {
            let (_, new) = done.entry(Arc::as_ptr(object)).or_insert_with(|| {
                let mut new = Value::clone(object);
                edit(key, &mut new);
                (Arc::clone(object), Arc::new(new))
            });
            *object = Arc::clone(new);
        };
        for (key, object) in &mut self.objects {
            edited(key, object);
        }
        for event in &mut self.past {
            edited(&event.key, &mut event.object);
            if let Some(before) = &mut event.before {
                edited(&event.key, before);
            }
        }
    }

    /// Lets the present and the past share their objects again, as they did before the store was saved.
    pub fn share(&mut self) {
        let mut latest: BTreeMap<Key, Arc<Value>> = BTreeMap::new();
        for event in &mut self.past {
            if let (Some(before), Some(known)) = (&mut event.before, latest.get(&event.key))
                && *before == *known
            {
                *before = Arc::clone(known);
            }
            latest.insert(event.key.clone(), Arc::clone(&event.object));
        }
        for (key, object) in &mut self.objects {
            if let Some(known) = latest.get(key).filter(|known| *known == object) {
                *object = Arc::clone(known);
            }
        }
    }

    fn remember(&mut self, event: StoreEvent) {
        let max = self.past_max.max(self.objects.len() * PAST_OF_AN_OBJECT);
        while self.past.len() >= max
            && let Some(first) = self.past.front()
            && self.kept_after.is_none_or(|kept| first.revision <= kept)
        {
            self.past.pop_front();
        }
        self.past.push_back(event);
    }
}

fn stamp(object: &mut Value, revision: u64) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".to_owned(), Value::String(revision.to_string()));
    }
}

/// JSON has no maps keyed by structs.
mod as_list {
    use std::{collections::BTreeMap, sync::Arc};

    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    use super::Key;

    pub fn serialize<S: Serializer>(objects: &BTreeMap<Key, Arc<Value>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(objects.iter())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Arc<Value>>, D::Error> {
        Ok(Vec::<(Key, Arc<Value>)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str) -> (Key, Value) {
        (Key::new("pods", "shop", name), json!({"metadata": {"name": name}}))
    }

    #[test]
    fn every_write_has_a_revision_and_stamps_it() {
        let mut store = Store::new(10);
        let (key, object) = pod("a");
        let first = store.put(key.clone(), object.clone());
        let second = store.put(key.clone(), object);
        assert_ne!(first["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"]);
        let gone = store.remove(&key).unwrap();
        assert_eq!(gone["metadata"]["resourceVersion"], store.revision().to_string());
        assert!(store.remove(&key).is_none());
    }

    #[test]
    fn a_list_keeps_to_its_collection_and_namespace() {
        let mut store = Store::new(10);
        for (collection, namespace, name) in
            [("pods", "a", "x"), ("pods", "b", "y"), ("podtemplates", "a", "z"), ("nodes", "", "n")]
        {
            store.put(Key::new(collection, namespace, name), json!({"metadata": {}}));
        }
        let names = |namespace| store.list("pods", namespace).map(|(key, _)| key.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(None), ["x", "y"]);
        assert_eq!(names(Some("b")), ["y"]);
        assert_eq!(names(Some("c")), Vec::<String>::new());
    }

    #[test]
    fn a_watcher_from_the_past_gets_all_or_is_told() {
        let mut store = Store::new(2);
        let from_the_start = store.revision();
        let names: Vec<_> = ["a", "b", "c"].into_iter().cycle().take(3 * PAST_OF_AN_OBJECT + 1).collect();
        for name in &names {
            let (key, object) = pod(name);
            store.put(key, object);
        }
        assert!(store.since(from_the_start).is_err());
        let seen: Vec<_> = store.since(from_the_start + 1).unwrap().map(|event| event.key.name.to_string()).collect();
        assert_eq!(seen, names[1..]);
        assert_eq!(store.since(store.revision()).unwrap().count(), 0);
    }

    #[test]
    fn what_somebody_has_yet_to_be_told_is_kept() {
        let mut store = Store::new(2);
        let told = store.revision();
        store.keep_after(told);
        let (key, object) = pod("a");
        for _ in 0..100 {
            store.put(key.clone(), object.clone());
        }
        assert_eq!(store.since(told).unwrap().count(), 100);
        store.keep_after(store.revision());
        store.put(key, object);
        assert!(store.since(told).is_err(), "and then forgotten");
    }

    #[test]
    fn a_compacted_past_is_gone_but_for_what_is_yet_to_be_told() {
        let mut store = Store::new(10);
        let key = |name: &str| Key::new("pods", "shop", name);
        for name in ["a", "b", "c"] {
            store.put(key(name), json!({"metadata": {"name": name}}));
        }
        store.keep_after(3);
        store.compact();
        assert_eq!(store.since(2).err(), Some(TooOld { asked: 2, oldest: 4 }));
        let told: Vec<_> = store.since(3).unwrap().map(|event| event.revision).collect();
        assert_eq!(told, [4]);
        store.keep_after(4);
        store.compact();
        assert_eq!(store.since(4).unwrap().count(), 0);
        assert_eq!(store.since(3).err(), Some(TooOld { asked: 3, oldest: 5 }));
        assert_eq!(store.list("pods", None).count(), 3);
    }

    #[test]
    fn a_rewrite_reaches_the_past_and_every_object_once() {
        let mut store = Store::new(10);
        let from_the_start = store.revision();
        let (key, object) = pod("a");
        store.put(key.clone(), object.clone());
        store.put(key.clone(), object);
        let revision = store.revision();
        store.rewrite(|_, object| {
            let times = object["times"].as_i64().unwrap_or(0);
            object["times"] = (times + 1).into();
        });
        assert_eq!(store.revision(), revision);
        assert_eq!(store.get(&key).unwrap()["times"], 1);
        let events: Vec<_> = store.since(from_the_start).unwrap().collect();
        assert!(events.iter().all(|event| event.object["times"] == 1));
        assert!(Arc::ptr_eq(&events[1].object, store.get(&key).unwrap()), "still shared");
        assert!(Arc::ptr_eq(events[1].before.as_ref().unwrap(), &events[0].object), "still shared");
    }

    #[test]
    fn a_store_survives_being_saved() {
        let mut store = Store::new(5);
        let (key, object) = pod("a");
        store.put(key.clone(), object);
        let saved = serde_json::to_string(&store).unwrap();
        let back: Store = serde_json::from_str(&saved).unwrap();
        assert_eq!(back.get(&key), store.get(&key));
        let mut shared = back.clone();
        shared.share();
        assert!(Arc::ptr_eq(shared.get(&key).unwrap(), &shared.past[0].object));
        assert_eq!(serde_json::to_string(&shared).unwrap(), saved);
        assert_eq!(serde_json::to_string(&back).unwrap(), saved);
    }
}
