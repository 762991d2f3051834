//! A simulated account as a process of its own: brought back by whichever command finds it dead, ended with the session.
//!
//! While a lab is being opened there is no such process yet: nobody else has to reach the account, and building it inside the command
//! needs no requests over a socket, no log and no second process. [`Host::hand_over`] then saves it and starts the process that goes on with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use breakfix_grade::Outcome;
use breakfix_sim::detached::Found;
use breakfix_sim_aws::{
    Config,
    serve::{control, error::ServeError, input::Fail, probe::Told, process, settings::Settings},
    services::outage::Outage,
};
use breakfix_workload::Request;
use jiff::Timestamp;

use super::{Able, Host, Inside, LocalHost, able_of_simulator, call, probe, told};
use crate::{
    aws::{
        api::Api,
        sim,
        wire::{Http, Way},
    },
    target::{Cause, Place, Reach, TargetError, epoch_of},
};

/// The simulator's folder inside the session's. Not that of the Kubernetes simulator: each knows its own by it.
pub(in crate::aws) const FOLDER: &str = "sim-aws";
/// Where it listens.
const ADDRESS: &str = "127.0.0.1";
/// How long a process that somebody else is just starting may take.
const START: Duration = Duration::from_secs(20);
/// How often is looked whether it listens.
const LOOK: Duration = Duration::from_millis(5);
/// How long one skip of time may take to be computed.
const SKIP: Duration = Duration::from_secs(60);
/// The file with how the account began: whose keys are whose, what account it is.
const CONFIG: &str = "config.json";

/// A way to the session's simulator.
pub(in crate::aws) struct SimHost {
    place: Place,
    program: PathBuf,
    seed: u64,
    speed: u32,
    /// The account while a lab is being built in it.
    building: Mutex<Option<Arc<LocalHost>>>,
}

impl SimHost {
    pub(in crate::aws) fn new(place: Place, program: PathBuf, seed: u64, speed: u32) -> Self {
        Self { place, program, seed, speed, building: Mutex::default() }
    }

    fn building(&self) -> MutexGuard<'_, Option<Arc<LocalHost>>> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn built(&self) -> Option<Arc<LocalHost>> {
        self.building().clone()
    }

    fn folder(&self) -> PathBuf {
        self.place.folder.join(FOLDER)
    }

    /// Sees to it that the process listens; its port.
    async fn bring_up(&self) -> Result<u16, TargetError> {
        let folder = self.folder();
        let began = Instant::now();
        loop {
            match process::find(&folder).map_err(|error| failed("find the simulator", error))? {
                Found::Running(ready) => return Ok(ready.port),
                Found::Starting if began.elapsed() < START => tokio::time::sleep(LOOK).await,
                Found::Starting => {
                    return Err(TargetError::new(Cause::Slow, "reach the simulator: it does not get to listen").hint(
                        format!("{} may say why; `breakfix stop` ends it.", folder.join("serve.log").display()),
                    ));
                }
                Found::Never | Found::Dead => self.start(folder.clone(), None).await?,
            }
        }
    }

    /// Starts the process; with an account, on this one. One that was begun is taken up again as it was, whoever ended its process.
    async fn start(&self, folder: PathBuf, account: Option<Arc<LocalHost>>) -> Result<(), TargetError> {
        let settings = Settings { speed: f64::from(self.speed.max(1)), ..Settings::default() };
        let program = self.program.clone();
        let start = move || {
            if let Some(account) = account {
                process::begin(&folder, &account.cloud(), &settings)
                    .map_err(|error| failed("begin the simulator", error))?;
                let text = serde_json::to_vec_pretty(account.config()).unwrap_or_default();
                fs::write(folder.join(CONFIG), text).map_err(|error| local("keep how the simulator began", error))?;
            }
            process::spawn_detached(&program, &folder).map(drop).map_err(|error| failed("start the simulator", error))
        };
        let done = tokio::task::spawn_blocking(start).await;
        done.map_err(|error| TargetError::new(Cause::Local, "start the simulator").because(error))?
    }

    /// Tells the simulator what no cloud can be told; its answer.
    async fn order(&self, mut request: Request, what: &str) -> Result<String, TargetError> {
        let port = self.bring_up().await?;
        request.headers.insert(control::HEADER.to_owned(), self.config()?.operator.secret_access_key);
        match call::ask((ADDRESS, port), ADDRESS, &request, SKIP).await {
            (Outcome::Answered { status: 200..=299, body, .. }, _) => Ok(body),
            (other, _) => {
                Err(TargetError::new(Cause::Answered, format!("{what}: {other:?}")).hint(self.when_unreachable()))
            }
        }
    }

    fn config(&self) -> Result<Config, TargetError> {
        if let Some(account) = self.built() {
            return Ok(account.config().clone());
        }
        let path = self.folder().join(CONFIG);
        let text = fs::read(&path).map_err(|error| local(&format!("read {}", path.display()), error))?;
        serde_json::from_slice(&text)
            .map_err(|error| TargetError::new(Cause::Local, format!("read {}", path.display())).because(error))
    }

    fn balancer_port(&self) -> Result<u16, TargetError> {
        let settings = Settings::load(&self.folder());
        settings.map(|it| it.balancer_port).map_err(|error| {
            TargetError::new(Cause::Local, "find the port of the simulator's load balancers").because(error)
        })
    }
}

#[async_trait]
impl Host for SimHost {
    async fn connect(&self) -> Result<Api, TargetError> {
        if !self.folder().join(CONFIG).exists() {
            let account = self.built().unwrap_or_else(|| Arc::new(LocalHost::begun(self.seed, Timestamp::now())));
            *self.building() = Some(Arc::clone(&account));
            return account.connect().await;
        }
        let port = self.bring_up().await?;
        let config = self.config()?;
        // Not the learner's: whatever becomes of their rights, the lab can be graded and stopped.
        let credentials = sim::credentials(&config.operator);
        let way = Way {
            connector: SharedHttpConnector::new(Connector::builder().build_http()),
            credentials: SharedCredentialsProvider::new(credentials),
            region: config.region.clone(),
            endpoint: Some(format!("http://{ADDRESS}:{port}")),
        };
        Ok(Api::new(Arc::new(Http::new(way)), config.account.clone(), config.region.clone()).simulated())
    }

    fn able(&self) -> Able {
        able_of_simulator()
    }

    fn learner(&self) -> Result<Option<Credentials>, TargetError> {
        Ok(Some(sim::credentials(&self.config()?.learner)))
    }

    async fn ask_balancer(
        &self,
        dns_name: &str,
        port: u16,
        request: &Request,
        timeout: Duration,
    ) -> (Outcome, Duration) {
        if let Some(account) = self.built() {
            return account.ask_balancer(dns_name, port, request, timeout).await;
        }
        let Ok(balancers) = self.balancer_port() else { return (Outcome::Refused, Duration::ZERO) };
        let host = if port == 80 { dns_name.to_owned() } else { format!("{dns_name}:{port}") };
        call::ask((ADDRESS, balancers), &host, request, timeout).await
    }

    async fn ask_inside(
        &self,
        from: &Inside,
        to: (&str, u16),
        request: &Request,
        timeout: Duration,
    ) -> Result<(Outcome, Duration), TargetError> {
        if let Some(account) = self.built() {
            return account.ask_inside(from, to, request, timeout).await;
        }
        let what = "ask from inside the network";
        let mut order = Request::new("POST", "/breakfix/ask");
        order.body = serde_json::to_vec(&probe(from, to, request, timeout)).unwrap_or_default();
        let answer = self.order(order, what).await?;
        let answer: Told =
            serde_json::from_str(&answer).map_err(|error| TargetError::new(Cause::Answered, what).because(error))?;
        Ok(told(answer))
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        if let Some(account) = self.built() {
            return account.pass(time).await;
        }
        let millis = time.as_nanos().div_ceil(1_000_000);
        let request = Request::new("POST", &format!("/breakfix/advance?ms={millis}"));
        self.order(request, "move the simulator's clock on").await.map(drop)
    }

    async fn epoch(&self) -> Option<Timestamp> {
        if let Some(account) = self.built() {
            let cloud = account.cloud();
            return cloud.clock.today().checked_sub(Duration::from_millis(cloud.now().0)).ok();
        }
        let info = self.order(Request::new("GET", "/breakfix/info"), "ask for the simulator's clock").await.ok()?;
        epoch_of(&serde_json::from_str(&info).ok()?)
    }

    async fn outage(&self, outage: &Outage, is_over: bool) -> Result<(), TargetError> {
        if let Some(account) = self.built() {
            return account.outage(outage, is_over).await;
        }
        let mut request = Request::new("POST", "/breakfix/outage");
        request.body = serde_json::to_vec(&Fail { outage: outage.clone(), is_over }).unwrap_or_default();
        self.order(request, "let something of the provider's fail").await.map(drop)
    }

    async fn reach(&self, _api: &Api) -> Result<Reach, TargetError> {
        let port = self.bring_up().await?;
        let config = self.config()?;
        let (key, folder) = (&config.learner, &self.place.folder);
        let endpoint = format!("http://{ADDRESS}:{port}");
        let mut env = super::env(&endpoint, &config.region, &key.access_key_id, &key.secret_access_key, folder)?;
        let page = format!("http://{ADDRESS}:{}/", self.balancer_port()?);
        let notes = vec![
            format!(
                "The lab is in account {} in {} of an AWS that breakfix simulates on this machine; `aws ecs list-services --cluster shop` shows it.",
                config.account, config.region
            ),
            format!("The load balancer answers at {page}."),
        ];
        env.insert("BREAKFIX_URL".to_owned(), page);
        Ok(Reach { env, notes })
    }

    async fn hand_over(&self) -> Result<bool, TargetError> {
        let Some(account) = self.building().take() else { return Ok(false) };
        self.start(self.folder(), Some(account)).await?;
        Ok(true)
    }

    fn is_there(&self) -> bool {
        self.folder().join(CONFIG).exists()
    }

    async fn wipe(&self) -> Result<bool, TargetError> {
        *self.building() = None;
        close_simulator(&self.place.folder).await?;
        Ok(true)
    }

    fn skips_time(&self) -> bool {
        true
    }

    fn when_unreachable(&self) -> String {
        format!(
            "The simulator's process has ended; any breakfix command brings it back as it was. {} says why it ended.",
            self.folder().join("serve.log").display()
        )
    }
}

/// Ends the simulator of a session's folder and removes what it kept. None there is fine.
pub(in crate::aws) async fn close_simulator(session: &Path) -> Result<(), TargetError> {
    let folder = session.join(FOLDER);
    let close = move || {
        if !folder.exists() {
            return Ok(());
        }
        process::stop(&folder).map_err(|error| failed("end the simulator", error))?;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(local(&format!("remove {}", folder.display()), error))
            }
            _ => Ok(()),
        }
    };
    let done = tokio::task::spawn_blocking(close).await;
    done.map_err(|error| TargetError::new(Cause::Local, "end the simulator").because(error))?
}

/// Runs the simulator of this folder in this process.
pub(in crate::aws) async fn serve_simulator(folder: &Path) -> Result<(), TargetError> {
    process::run(folder).await.map_err(|error| failed("serve the simulator", error))
}

fn failed(what: &str, error: ServeError) -> TargetError {
    TargetError::new(Cause::Local, what).because(error)
}

fn local(what: &str, error: io::Error) -> TargetError {
    TargetError::new(Cause::Local, what).because(error)
}
