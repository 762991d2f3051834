//! A simulator inside this process, on time that moves only when it is told to: `lab test` proves every lab on one.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use breakfix_sim_kube::serve::local::{LocalServer, local};
use jiff::Timestamp;

use super::{clock, machines, new_cluster, on_machine, provide_images};
use crate::{
    kubernetes::{
        api::{Api, SystemClock},
        host::Host,
    },
    target::{NodeOutput, Place, Reach, TargetError, WayBack},
};

/// The date on which the simulation begins: always the same, so that the same seed gives the same bytes.
const BEGIN: &str = "2026-01-05T09:00:00Z";

/// A simulated cluster and its server.
pub(crate) struct LocalSimHost {
    server: LocalServer,
    namespace: String,
    seed: u64,
    /// Nonces handed out.
    nonces: AtomicU64,
}

impl LocalSimHost {
    pub(crate) fn new(place: &Place, seed: u64) -> Result<Self, TargetError> {
        let date = BEGIN.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let cluster = new_cluster(seed, date, place)?;
        let server = local(Arc::new(Mutex::new(cluster)));
        Ok(Self { server, namespace: place.namespace.clone(), seed, nonces: AtomicU64::new(0) })
    }
}

#[async_trait]
impl Host for LocalSimHost {
    async fn connect(&self) -> Result<kube::Client, TargetError> {
        Ok(kube::Client::new(self.server.here(), self.namespace.clone()))
    }

    async fn without_credentials(&self, _folder: &Path) -> Result<kube::Client, TargetError> {
        Ok(kube::Client::new(self.server.here_as_nobody(), self.namespace.clone()))
    }

    async fn provide_images(&self, api: &Api, images: &[String]) -> Result<(), TargetError> {
        provide_images(api, images).await
    }

    async fn machines(&self, api: &Api) -> Result<Option<Vec<String>>, TargetError> {
        machines(api).await.map(Some)
    }

    async fn on_machine(&self, api: &Api, machine: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
        on_machine(api, machine, command).await
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        self.server.host().skip(time);
        Ok(())
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        Ok(Reach {
            notes: vec!["The simulator is inside this process; no tool reaches it.".to_owned()],
            ..Reach::default()
        })
    }

    fn clock(&self) -> Option<SystemClock> {
        Some(clock(&self.server))
    }

    fn skips_time(&self) -> bool {
        true
    }

    fn way_back(&self) -> Option<WayBack> {
        let host = Arc::clone(self.server.host());
        let kept = Mutex::new(host.look(|cluster| cluster.clone()).ok()?);
        Some(Box::new(move || {
            host.put_back(&kept.lock().unwrap_or_else(PoisonError::into_inner));
        }))
    }

    fn when_unreachable(&self) -> String {
        "The simulator inside this process has failed; that is a defect of breakfix.".to_owned()
    }

    /// New to every check and the same in every run.
    fn nonce(&self) -> String {
        let count = self.nonces.fetch_add(1, Ordering::Relaxed) + 1;
        // splitmix64's step over the seed: words that look like no counter.
        let mixed = self.seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        format!("{:016x}", mixed ^ (mixed >> 27))
    }
}
