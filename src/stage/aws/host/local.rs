//! A simulated account inside this process, on time that moves only when it is told to: `lab test` proves every lab on one.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use breakfix_grade::Outcome;
use breakfix_sim::serve::world::Act;
use breakfix_sim_aws::{
    Cloud, Config,
    services::{
        elbv2,
        outage::{self, Outage},
    },
};
use breakfix_workload::Request;
use jiff::Timestamp;

use super::{Able, Host, Inside, able_of_simulator, outcome, probe, told};
use crate::{
    aws::{
        api::Api,
        sim,
        wire::{Credentials, InProcess},
    },
    target::{Cause, Reach, TargetError, WayBack},
};

/// The date on which the simulation begins: always the same, so that the same seed gives the same bytes.
const BEGIN: &str = "2026-01-05T09:00:00Z";

/// A simulated account.
pub(in crate::aws) struct LocalHost {
    cloud: Arc<Mutex<Cloud>>,
    config: Config,
    /// Nonces handed out.
    nonces: AtomicU64,
}

impl LocalHost {
    pub(in crate::aws) fn new(seed: u64) -> Self {
        Self::begun(seed, BEGIN.parse().unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The same on a day of one's choice.
    pub(super) fn begun(seed: u64, date: Timestamp) -> Self {
        let config = sim::config(seed, date);
        let cloud = Arc::new(Mutex::new(Cloud::empty(config.clone())));
        Self { cloud, config, nonces: AtomicU64::new(0) }
    }

    /// On an account that others use too.
    #[cfg(test)]
    pub(in crate::aws) fn on(cloud: Arc<Mutex<Cloud>>) -> Self {
        let config = cloud.lock().unwrap_or_else(PoisonError::into_inner).config.clone();
        Self { cloud, config, nonces: AtomicU64::new(0) }
    }

    /// How the account began: whose keys are whose, what account it is.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Host for LocalHost {
    async fn connect(&self) -> Result<Api, TargetError> {
        let wire = Arc::new(InProcess { cloud: Arc::clone(&self.cloud), key: None });
        Ok(Api::new(wire, self.config.account.clone(), self.config.region.clone()).simulated())
    }

    fn able(&self) -> Able {
        able_of_simulator()
    }

    fn learner(&self) -> Result<Option<Credentials>, TargetError> {
        Ok(Some(sim::credentials(&self.config.learner)))
    }

    async fn ask_balancer(
        &self,
        dns_name: &str,
        port: u16,
        request: &Request,
        timeout: Duration,
    ) -> (Outcome, Duration) {
        let answered = elbv2::answer(&mut self.cloud(), dns_name, port, request);
        if answered.took > timeout {
            return (Outcome::TimedOut, timeout);
        }
        (outcome(answered.result), answered.took)
    }

    async fn ask_inside(
        &self,
        from: &Inside,
        to: (&str, u16),
        request: &Request,
        timeout: Duration,
    ) -> Result<(Outcome, Duration), TargetError> {
        let asked = probe(from, to, request, timeout).act(&mut self.cloud());
        asked.map(told).map_err(|error| TargetError::new(Cause::Answered, "ask from inside the network").because(error))
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        let mut cloud = self.cloud();
        let until = cloud.now() + time;
        cloud.advance(until);
        Ok(())
    }

    async fn outage(&self, outage: &Outage, is_over: bool) -> Result<(), TargetError> {
        let mut cloud = self.cloud();
        let done = if is_over { outage::end(&mut cloud, outage) } else { outage::begin(&mut cloud, outage) };
        done.map_err(|error| TargetError::new(Cause::Answered, "let something of the provider's fail").because(error))
    }

    async fn reach(&self, _api: &Api) -> Result<Reach, TargetError> {
        let notes = vec!["The simulator is inside this process; no tool reaches it.".to_owned()];
        Ok(Reach { notes, ..Reach::default() })
    }

    async fn wipe(&self) -> Result<bool, TargetError> {
        *self.cloud() = Cloud::empty(self.config.clone());
        Ok(true)
    }

    fn skips_time(&self) -> bool {
        true
    }

    /// New to every check and the same in every run.
    fn nonce(&self) -> String {
        let count = self.nonces.fetch_add(1, Ordering::Relaxed) + 1;
        sim::word(self.config.seed, count)
    }

    fn way_back(&self) -> Option<WayBack> {
        let (cloud, then) = (Arc::clone(&self.cloud), self.cloud().clone());
        Some(Box::new(move || *cloud.lock().unwrap_or_else(PoisonError::into_inner) = then.clone()))
    }

    fn when_unreachable(&self) -> String {
        "The simulator inside this process has failed; that is a defect of breakfix.".to_owned()
    }
}
