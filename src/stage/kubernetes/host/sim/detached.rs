//! A simulator as a process of its own: brought back by whichever command finds it dead, ended with the session.
//!
//! While a lab is being opened there is no such process yet: nobody else has to reach the system, and building it inside the command
//! needs no handshakes, no log and no second process. [`Host::hand_over`] then saves the cluster and starts the process that goes on with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{self, Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use breakfix_sim::detached::Found;
use breakfix_sim_kube::{
    access::trust,
    serve::{
        error::ServeError,
        local::{LocalServer, local},
        process,
        settings::Settings,
    },
};
use http::Method;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{clock, machines, millis, new_cluster, on_machine, provide_images};
use crate::{
    kubernetes::{
        Options,
        api::{Api, SystemClock},
        host::{Host, kubeconfig_env},
        kubeconfig,
    },
    target::{Cause, NodeOutput, Place, Reach, TargetError, epoch_of},
};

/// The simulator's folder inside the session's.
const FOLDER: &str = "sim";
/// How long a process that somebody else is just starting may take.
const START: Duration = Duration::from_secs(20);
/// How often is looked whether it listens.
const LOOK: Duration = Duration::from_millis(5);
/// How long one skip of time may take to be computed.
const SKIP: Duration = Duration::from_secs(60);

/// A way to the session's simulator.
pub(crate) struct SimHost {
    place: Place,
    program: PathBuf,
    seed: u64,
    speed: u32,
    /// The system while it is being built: in this process, and reached by nobody else.
    building: sync::Mutex<Option<LocalServer>>,
    /// For the requests that no cluster knows.
    control: Mutex<Option<Arc<Api>>>,
}

impl SimHost {
    pub(crate) fn new(place: Place, options: &Options) -> Self {
        let (program, seed, speed) = (options.program.clone(), options.seed, options.speed);
        Self { place, program, seed, speed, building: sync::Mutex::default(), control: Mutex::default() }
    }

    fn folder(&self) -> PathBuf {
        self.place.folder.join(FOLDER)
    }

    fn building(&self) -> MutexGuard<'_, Option<LocalServer>> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a cluster in this process, with the keys that it will be served with.
    async fn begin(&self) -> Result<LocalServer, TargetError> {
        let (seed, place, folder) = (self.seed, self.place.clone(), self.folder());
        let begin = move || {
            let today = Timestamp::now();
            let keys = process::keys(&folder, today).map_err(|error| failed("begin the simulator", error))?;
            let mut cluster = new_cluster(seed, today, &place)?;
            trust(&mut cluster, &keys.trust());
            Ok(local(Arc::new(sync::Mutex::new(cluster))))
        };
        on_a_thread("begin the simulator", begin).await
    }

    /// Sees to it that the process listens.
    async fn bring_up(&self) -> Result<(), TargetError> {
        let folder = self.folder();
        let began = Instant::now();
        loop {
            match process::find(&folder).map_err(|error| failed("find the simulator", error))? {
                Found::Running(_) => return Ok(()),
                Found::Starting if began.elapsed() < START => tokio::time::sleep(LOOK).await,
                Found::Starting => {
                    return Err(TargetError::new(Cause::Slow, "reach the simulator: it does not get to listen").hint(
                        format!("{} may say why; `breakfix stop` ends it.", folder.join("serve.log").display()),
                    ));
                }
                // A cluster that was begun is taken up again as it was, whoever ended its process.
                Found::Never | Found::Dead => return self.start(folder, None).await,
            }
        }
    }

    /// Starts the process; with a cluster, on this one.
    async fn start(&self, folder: PathBuf, cluster: Option<LocalServer>) -> Result<(), TargetError> {
        let settings = Settings {
            namespace: if self.place.namespace.is_empty() { "default" } else { &self.place.namespace }.to_owned(),
            speed: f64::from(self.speed.max(1)),
            kubeconfig: Some(kubeconfig::path(&self.place.folder)),
            ..Settings::default()
        };
        let program = self.program.clone();
        let start = move || {
            if let Some(server) = cluster {
                let begun = server.host().look(|cluster| {
                    // Nobody has watched it yet: what came before the lab was open is not carried along.
                    cluster.store.compact();
                    process::begin(&folder, cluster, &settings)
                });
                let begun = begun.map_err(|error| {
                    TargetError::new(Cause::Local, "hand the simulator over: it has failed").because(error)
                })?;
                begun.map_err(|error| failed("begin the simulator", error))?;
            }
            process::spawn_detached(&program, &folder).map(drop).map_err(|error| failed("start the simulator", error))
        };
        on_a_thread("start the simulator", start).await
    }

    async fn control(&self) -> Result<Arc<Api>, TargetError> {
        let mut known = self.control.lock().await;
        if let Some(api) = known.as_ref() {
            return Ok(Arc::clone(api));
        }
        let api = Arc::new(Api::new(self.client().await?, SKIP, None));
        *known = Some(Arc::clone(&api));
        Ok(api)
    }

    async fn client(&self) -> Result<kube::Client, TargetError> {
        // Not the learner's: whatever becomes of their rights, the lab can be graded and stopped.
        let path = self.folder().join("kubeconfig");
        let text = fs::read_to_string(&path)
            .map_err(|error| TargetError::new(Cause::Local, format!("read {}", path.display())).because(error))?;
        kubeconfig::client(kubeconfig::parse(&text, "the simulator")?, "the simulator").await
    }
}

#[async_trait]
impl Host for SimHost {
    async fn connect(&self) -> Result<kube::Client, TargetError> {
        if !process::is_begun(&self.folder()) {
            let server = self.begin().await?;
            let client = kube::Client::new(server.here(), self.place.namespace.clone());
            *self.building() = Some(server);
            return Ok(client);
        }
        self.bring_up().await?;
        let client = self.client().await?;
        // One client for both: a second one would shake hands again.
        *self.control.lock().await = Some(Arc::new(Api::new(client.clone(), SKIP, None)));
        Ok(client)
    }

    async fn without_credentials(&self, folder: &Path) -> Result<kube::Client, TargetError> {
        let building = self.building().as_ref().map(LocalServer::here_as_nobody);
        match building {
            Some(requests) => Ok(kube::Client::new(requests, self.place.namespace.clone())),
            None => kubeconfig::without_credentials(folder).await,
        }
    }

    async fn hand_over(&self) -> Result<bool, TargetError> {
        let Some(server) = self.building().take() else { return Ok(false) };
        self.start(self.folder(), Some(server)).await?;
        Ok(true)
    }

    fn is_there(&self) -> bool {
        process::is_begun(&self.folder())
    }

    async fn epoch(&self) -> Option<Timestamp> {
        if self.building().is_some() {
            return None;
        }
        let answer = self.control().await.ok()?.send(Method::GET, "/breakfix/info", None).await.ok()?;
        epoch_of(&answer.body)
    }

    fn clock(&self) -> Option<SystemClock> {
        self.building().as_ref().map(clock)
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
        if let Some(server) = self.building().as_ref() {
            server.host().skip(time);
            return Ok(());
        }
        let path = format!("/breakfix/advance?ms={}", millis(time));
        let done = self.control().await?.send(Method::POST, &path, None).await;
        done.map(drop).map_err(|trouble| trouble.on("move the simulator's clock on").hint(self.when_unreachable()))
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        let notes = vec![format!(
            "The lab is in namespace {} of a cluster that breakfix simulates on this machine; `kubectl get pods` shows it.",
            self.place.namespace
        )];
        Ok(Reach { env: kubeconfig_env(&kubeconfig::path(&self.place.folder)), notes })
    }

    fn skips_time(&self) -> bool {
        true
    }

    async fn wipe(&self) -> Result<bool, TargetError> {
        *self.control.lock().await = None;
        *self.building() = None;
        close_simulator(&self.place.folder).await?;
        Ok(true)
    }

    fn when_unreachable(&self) -> String {
        format!(
            "The simulator's process has ended; any breakfix command brings it back as it was. {} says why it ended.",
            self.folder().join("serve.log").display()
        )
    }
}

/// Ends the simulator of a session's folder and removes what it kept. None there is fine.
pub(crate) async fn close_simulator(session: &Path) -> Result<(), TargetError> {
    let folder = session.join(FOLDER);
    let close = move || {
        if !folder.exists() {
            return Ok(());
        }
        process::stop(&folder).map_err(|error| failed("end the simulator", error))?;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(TargetError::new(Cause::Local, format!("remove {}", folder.display())).because(error))
            }
            _ => Ok(()),
        }
    };
    on_a_thread("end the simulator", close).await
}

/// What waits for the disk or for another process, where it keeps nobody from their work.
async fn on_a_thread<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T, TargetError> + Send + 'static,
) -> Result<T, TargetError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| TargetError::new(Cause::Local, what).because(error))?
}

/// Runs the simulator of this folder in this process.
pub(crate) async fn serve_simulator(folder: &Path) -> Result<(), TargetError> {
    process::run(folder).await.map_err(|error| failed("serve the simulator", error))
}

fn failed(what: &str, error: ServeError) -> TargetError {
    TargetError::new(Cause::Local, what).because(error)
}
