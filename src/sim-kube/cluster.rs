//! The cluster: all state of the simulator in one value, and the loop that moves it on.

use std::{collections::BTreeSet, time::Duration};

use breakfix_sim::{Chance, Clock, Key, Queue, SimTime, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{controllers, event::Event, node, scheduler};

/// How a cluster begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Decides every name suffix, address and jitter.
    pub seed: u64,
    /// The date on which it begins.
    pub date: Timestamp,
    /// Worker nodes beside the tainted control-plane node.
    pub workers: u32,
    /// Image references that can be run on every node; all are the workload under another name.
    pub images: BTreeSet<String>,
}

/// A simulated cluster. `serde` saves and restores all of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    pub config: Config,
    pub clock: Clock,
    pub chance: Chance,
    pub store: Store,
    pub queue: Queue<Event>,
    /// What the nodes know of the pods they run; never in the API.
    pub nodes: node::Nodes,
    /// Addresses handed out.
    pub network: crate::network::Network,
    /// Keys, and roles and bindings as they were read last.
    pub access: crate::access::Access,
    /// What the controllers remember between steps; never in the API.
    pub controllers: controllers::Memory,
    /// What the scheduler remembers; never in the API.
    pub scheduler: scheduler::Memory,
    /// Which metrics APIs there are, and what is known to them.
    #[serde(default)]
    pub metrics: crate::metrics::Metrics,
    /// The last write that the controllers have been told of.
    pub told: u64,
}

/// Writes that are remembered for watchers, in a small cluster.
const PAST_MAX: usize = 1000;

impl Cluster {
    /// A cluster without any object; `bootstrap` fills it.
    pub fn empty(config: Config) -> Self {
        let mut store = Store::new(PAST_MAX);
        store.keep_after(store.revision());
        let access = crate::access::Access::from_seed(config.seed, config.date);
        Self {
            clock: Clock::starting_at(config.date),
            chance: Chance::from_seed(config.seed),
            queue: Queue::default(),
            nodes: node::Nodes::default(),
            network: crate::network::Network::default(),
            controllers: controllers::Memory::publishing(&access.trust.authority.certificate),
            access,
            scheduler: scheduler::Memory::default(),
            metrics: crate::metrics::Metrics::default(),
            told: store.revision(),
            store,
            config,
        }
    }

    /// The present moment.
    pub fn now(&self) -> SimTime {
        self.clock.now()
    }

    /// Queues an event.
    pub fn after(&mut self, time: Duration, event: Event) {
        self.queue.push(self.now() + time, event);
    }

    /// Moves on to `time`: everything that is due until then happens, in order, each at its own moment.
    pub fn advance(&mut self, time: SimTime) {
        self.tell_controllers();
        while let Some((due, event)) = self.queue.pop(time) {
            self.clock.move_to(due);
            self.happen(event);
            self.tell_controllers();
        }
        self.clock.move_to(time);
    }

    /// When something will happen next by itself.
    pub fn next_due(&self) -> Option<SimTime> {
        self.queue.next_due()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Reconcile { controller, key } => controllers::reconcile(self, &controller, &key),
            Event::Schedule => scheduler::run(self),
            Event::Pod { key, uid, step } => node::step(self, &key, &uid, step),
            Event::CollectGarbage => controllers::garbage::collect(self),
            Event::ExpireEvents => controllers::events::expire(self),
        }
    }

    /// Tells controllers, scheduler and nodes of every write since the last time, so that each queues what it will do.
    pub fn tell_controllers(&mut self) {
        while self.told < self.store.revision() {
            let Ok(events) = self.store.since(self.told) else {
                self.told = self.store.revision();
                return;
            };
            let events: Vec<_> = events.cloned().collect();
            self.told = self.store.revision();
            // One step may write more than a watcher's past holds; whoever decides by writes must not miss any.
            self.store.keep_after(self.told);
            for event in &events {
                controllers::told(self, event);
                scheduler::told(self, event);
                node::told(self, event);
            }
        }
    }

    /// The key of the object an owner reference or target names, if that kind is served.
    pub fn key_of(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Key> {
        crate::custom::by_kind(self, api_version, kind).map(|kind| kind.key(namespace, name))
    }
}
