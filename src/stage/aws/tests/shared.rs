//! A simulated account that several sessions and other people use, behind a wire that can be told to fail.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use breakfix_grade::Outcome;
use breakfix_lab::{LoadedLab, Platform};
use breakfix_sim_aws::{Call, Cloud, services::elbv2, services::iam::principals};
use breakfix_workload::Request;
use jiff::Timestamp;
use serde_json::Value;

use super::place;
use crate::{
    aws::{
        api::{Api, Expired},
        host::{Able, Host, able_of_simulator, of_the_place, outcome},
        sim,
        sweep::Sweep,
        target::AwsTarget,
        trouble::Trouble,
        wire::{Answer, Credentials, InProcess, Service, Wire},
    },
    target::{Place, Reach, TargetError},
};

/// What becomes of the call of this number (from 1) to this operation, where it is not simply carried out.
type Script = Box<dyn Fn(usize, &str) -> Option<Trouble> + Send>;

/// What is told of every answer.
type Watcher = Box<dyn Fn(Service, &str, &Value) + Send>;

/// The account.
#[derive(Clone)]
pub(super) struct Account {
    pub cloud: Arc<Mutex<Cloud>>,
    script: Arc<Mutex<Script>>,
    calls: Arc<AtomicUsize>,
    watcher: Arc<Mutex<Option<Watcher>>>,
}

impl Account {
    pub(super) fn new() -> Self {
        let config = sim::config(1, "2026-01-05T09:00:00Z".parse().unwrap());
        let script: Script = Box::new(|_, _| None);
        Self {
            cloud: Arc::new(Mutex::new(Cloud::empty(config))),
            script: Arc::new(Mutex::new(script)),
            calls: Arc::default(),
            watcher: Arc::default(),
        }
    }

    pub(super) fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on calls are counted from 1 and fail as the script says.
    pub(super) fn fail(&self, script: impl Fn(usize, &str) -> Option<Trouble> + Send + 'static) {
        self.calls.store(0, Ordering::Relaxed);
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// From now on this is told of every answer.
    pub(super) fn watch(&self, watcher: impl Fn(Service, &str, &Value) + Send + 'static) {
        *self.watcher.lock().unwrap() = Some(Box::new(watcher));
    }

    pub(super) fn heal(&self) {
        self.fail(|_, _| None);
    }

    /// How many calls were made since the script was written.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Somebody else's call, who knows nothing of breakfix.
    pub(super) fn call(&self, service: &str, operation: &str, input: Value) -> Value {
        let mut cloud = self.cloud();
        let caller = principals::operator(&cloud.config);
        let call = Call { service: service.to_owned(), operation: operation.to_owned(), input, caller };
        cloud.call(&call).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// A session of this lab in the account, begun at this moment.
    pub(super) fn session(&self, lab: &LoadedLab, id: &str, opened: &str) -> AwsTarget {
        let opened: Timestamp = opened.parse().unwrap();
        let place = Place { session: id.to_owned(), opened, ..place(lab) };
        AwsTarget::new(Box::new(SharedHost { account: self.clone(), place: place.clone(), expired: None }), place)
    }

    /// The account as a sweep at this moment sees it.
    pub(super) async fn sweep(&self, now: &str, but: &[&str]) -> Sweep {
        let but = but.iter().map(|&id| id.to_owned()).collect();
        let expired = Some(Expired { now: now.parse().unwrap(), but });
        let place = Place::of_nobody(Platform::Ecs, std::env::temp_dir());
        Sweep::on(Box::new(SharedHost { account: self.clone(), place, expired })).await.unwrap()
    }
}

struct SharedHost {
    account: Account,
    place: Place,
    expired: Option<Expired>,
}

#[async_trait]
impl Host for SharedHost {
    async fn connect(&self) -> Result<Api, TargetError> {
        let inner = InProcess { cloud: Arc::clone(&self.account.cloud), key: None };
        let wire = Arc::new(Faulty { inner: Arc::new(inner), account: self.account.clone() });
        let (account, region) = {
            let cloud = self.account.cloud();
            (cloud.config.account.clone(), cloud.config.region.clone())
        };
        let api = Api::new(wire, account, region).simulated().impatient();
        Ok(of_the_place(api, &self.place, self.expired.as_ref()))
    }

    fn able(&self) -> Able {
        able_of_simulator()
    }

    async fn ask_balancer(&self, dns: &str, port: u16, request: &Request, _: Duration) -> (Outcome, Duration) {
        let answered = elbv2::answer(&mut self.account.cloud(), dns, port, request);
        (outcome(answered.result), answered.took)
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        let mut cloud = self.account.cloud();
        let until = cloud.now() + time;
        cloud.advance(until);
        Ok(())
    }

    async fn reach(&self, _api: &Api) -> Result<Reach, TargetError> {
        Ok(Reach::default())
    }

    fn skips_time(&self) -> bool {
        true
    }

    fn when_unreachable(&self) -> String {
        "Is the network there?".to_owned()
    }
}

struct Faulty {
    inner: Arc<dyn Wire>,
    account: Account,
}

#[async_trait]
impl Wire for Faulty {
    async fn send(&self, service: Service, operation: &str, input: &Value) -> Result<Answer, Trouble> {
        let number = self.account.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let trouble = (self.account.script.lock().unwrap())(number, operation);
        match trouble {
            Some(trouble) => Err(trouble),
            None => {
                let answer = self.inner.send(service, operation, input).await?;
                if let Some(watcher) = &*self.account.watcher.lock().unwrap() {
                    watcher(service, operation, &answer.value);
                }
                Ok(answer)
            }
        }
    }

    fn of(&self, credentials: Credentials) -> Arc<dyn Wire> {
        Arc::new(Self { inner: self.inner.of(credentials), account: self.account.clone() })
    }
}
