//! What a server was told, read once at its start; and the refusals when something is missing.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::{
    FileError, Machine, SettingError, Settings, StopRule, Url, boot::NotStarted, timer::stop_rule, url::host_and_port,
};

/// One MiB.
pub(super) const MIB: u64 = 1 << 20;

/// A server's settings.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Config {
    pub(super) app: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) bind: IpAddr,
    pub(super) port: u16,
    pub(super) start_delay: Duration,
    pub(super) ready_delay: Duration,
    pub(super) stop: StopRule,
    pub(super) stop_delay: Duration,
    /// What the page shows after its first line.
    pub(super) facts: BTreeMap<String, String>,
    /// Dependencies that `/ready` asks for.
    pub(super) wait_for: Vec<(String, u16)>,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) upstream_timeout: Duration,
    /// Parameters whose values stand on the page: what it calls them, and their names.
    pub(super) parameters: Vec<(String, String)>,
    /// Where orders go; `None`: they are kept here, or not taken.
    pub(super) orders: Option<Url>,
    pub(super) orders_password: Password,
    /// A file with the key that orders are signed with, read for each of them.
    pub(super) sign_key_file: Option<String>,
    /// Where pages are kept between requests.
    pub(super) cache: Option<Url>,
    /// This is such a place.
    pub(super) is_cache: bool,
    /// The store whose records a store holds too.
    pub(super) leader: Option<Url>,
    pub(super) cache_bytes: u64,
    pub(super) load_bytes: u64,
    pub(super) cpu: Duration,
    pub(super) latency: Duration,
    pub(super) reap: bool,
}

/// Another program whose answer stands on the page.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Upstream {
    pub(super) name: String,
    pub(super) url: Url,
}

/// A password: none, a text, or a file that is read whenever it is needed.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Password {
    None,
    Text(String),
    File(String),
}

impl Password {
    pub(crate) fn read(settings: &Settings, text: &str, file: &str) -> Self {
        match (settings.text(file), settings.text(text)) {
            (Some(path), _) => Self::File(path.to_owned()),
            (None, Some(password)) => Self::Text(password.to_owned()),
            (None, None) => Self::None,
        }
    }

    /// The password of this moment, without blanks around it.
    pub(crate) fn now(&self, machine: &mut dyn Machine) -> Result<Option<String>, String> {
        match self {
            Self::None => Ok(None),
            Self::Text(text) => Ok(Some(text.clone())),
            Self::File(path) => match machine.read(path) {
                Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
                Err(error) => Err(format!("cannot read the password file {path}: {error}")),
            },
        }
    }
}

impl Config {
    pub(super) fn read(settings: &Settings, machine: &mut dyn Machine) -> Result<Self, NotStarted> {
        needs(settings, machine)?;
        let app = settings.text("APP").unwrap_or("workload").to_owned();
        let cache_bytes = settings.number("CACHE_MB", 0)?.saturating_mul(MIB);
        let default_load = if cache_bytes == 0 { 64 } else { cache_bytes / MIB };
        Ok(Self {
            title: settings.text("TITLE").unwrap_or(&app).to_owned(),
            version: settings.text("VERSION").unwrap_or("0").to_owned(),
            bind: bind(settings)?,
            port: settings.port()?,
            start_delay: settings.span("START_DELAY", Duration::ZERO)?,
            ready_delay: settings.span("READY_DELAY", Duration::ZERO)?,
            stop: stop_rule(settings)?,
            stop_delay: settings.span("STOP_DELAY", Duration::ZERO)?,
            facts: facts(settings, machine)?,
            wait_for: addresses(settings)?,
            upstreams: upstreams(settings)?,
            upstream_timeout: settings.span("UPSTREAM_TIMEOUT", Duration::from_secs(2))?,
            parameters: parameters(settings)?,
            orders: settings.parsed("ORDERS", "a URL such as http://db:5432/records", |url| Url::parse(url).ok())?,
            orders_password: Password::read(settings, "ORDERS_PASSWORD", "ORDERS_PASSWORD_FILE"),
            sign_key_file: settings.text("SIGN_KEY_FILE").map(str::to_owned),
            cache: settings.parsed("CACHE", "a URL such as http://cache:6379/cache", |url| Url::parse(url).ok())?,
            is_cache: false,
            leader: settings.parsed("LEADER", "a URL such as http://db-0.db:5432", |url| Url::parse(url).ok())?,
            cache_bytes,
            load_bytes: settings.number("LOAD_MB", default_load)?.saturating_mul(MIB),
            cpu: settings.span("CPU", Duration::from_millis(1))?,
            latency: settings.span("LATENCY", Duration::ZERO)?,
            reap: matches!(settings.text("REAP"), Some("yes" | "true" | "1")),
            app,
        })
    }
}

/// NEEDS_ENV and NEEDS_FILE.
fn needs(settings: &Settings, machine: &mut dyn Machine) -> Result<(), NotStarted> {
    if let Some(name) = settings.list("NEEDS_ENV").iter().find(|name| settings.variable(name).is_none()) {
        return Err(NotStarted::misconfigured(format!("{name} is not set")));
    }
    for path in settings.list("NEEDS_FILE") {
        if let Err(error) = machine.read(&path) {
            return Err(NotStarted::misconfigured(format!("cannot read {path}: {error}")));
        }
    }
    Ok(())
}

fn bind(settings: &Settings) -> Result<IpAddr, SettingError> {
    let bind = settings.parsed("BIND", "an address such as 0.0.0.0 or 127.0.0.1", |text| text.parse().ok())?;
    Ok(bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// What the page shows: the built-in values, over them those of the CONFIG file.
fn facts(settings: &Settings, machine: &mut dyn Machine) -> Result<BTreeMap<String, String>, NotStarted> {
    let mut facts = BTreeMap::from([("currency".to_owned(), "USD".to_owned())]);
    let Some(path) = settings.text("CONFIG") else { return Ok(facts) };
    let bytes = machine.read(path).map_err(|error| match error {
        FileError::NotFound => NotStarted::misconfigured(format!("configuration file {path} not found")),
        other => NotStarted::misconfigured(format!("cannot read configuration file {path}: {other}")),
    })?;
    let text = String::from_utf8_lossy(&bytes);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line == "---" {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            let place = number + 1;
            return Err(NotStarted::misconfigured(format!(
                "{path} line {place}: \"key: value\" is wanted, not \"{line}\""
            )));
        };
        facts.insert(key.trim().to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(facts)
}

/// A value without the quotes that YAML allows around it.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn addresses(settings: &Settings) -> Result<Vec<(String, u16)>, NotStarted> {
    let mut addresses = Vec::new();
    for text in settings.list("WAIT_FOR") {
        match host_and_port(&text) {
            Some((host, Some(port))) if !host.is_empty() => addresses.push((host, port)),
            _ => return Err(NotStarted::misconfigured(format!("WAIT_FOR is \"{text}\": HOST:PORT is wanted"))),
        }
    }
    Ok(addresses)
}

fn upstreams(settings: &Settings) -> Result<Vec<Upstream>, NotStarted> {
    let mut upstreams = Vec::new();
    for text in settings.list("UPSTREAMS") {
        let parts = text.split_once('=').map(|(name, url)| (name.trim(), Url::parse(url.trim())));
        match parts {
            Some((name, Ok(url))) if !name.is_empty() => upstreams.push(Upstream { name: name.to_owned(), url }),
            Some((_, Err(error))) => return Err(NotStarted::misconfigured(format!("UPSTREAMS: {error}"))),
            _ => return Err(NotStarted::misconfigured(format!("UPSTREAMS is \"{text}\": NAME=URL is wanted"))),
        }
    }
    Ok(upstreams)
}

fn parameters(settings: &Settings) -> Result<Vec<(String, String)>, NotStarted> {
    let pair = |text: String| match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), path.to_owned())),
        _ => Err(NotStarted::misconfigured(format!("PARAMETERS is \"{text}\": NAME=PARAMETER is wanted"))),
    };
    settings.list("PARAMETERS").into_iter().map(pair).collect()
}
