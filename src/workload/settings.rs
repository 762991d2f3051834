//! Settings: every variable and flag the roles understand, in one table.
//!
//! A setting called `START_DELAY` is an environment variable of that name and a flag `--start-delay`; the flag wins. An
//! empty value counts as missing. Kubernetes puts variables like `DB_PORT=tcp://10.0.0.7:5432` into every container; no
//! setting has such a name, and a `PORT` from the environment that is no number is left aside.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::span::parse_span;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The variable's name; the flag is the same in lower case with dashes.
    pub name: &'static str,
    /// What holds where it is not given, for people.
    pub default: &'static str,
}

/// Every setting of every role.
pub const SETTINGS: &[Setting] = &[
    row("ROLE", "serve"),
    row("APP", "workload"),
    row("TITLE", "the value of APP"),
    row("VERSION", "0"),
    row("STOP", "term"),
    row("STOP_DELAY", "0s"),
    row("PORT", "8080"),
    row("BIND", "0.0.0.0"),
    row("START_DELAY", "0s"),
    row("READY_DELAY", "0s"),
    row("CONFIG", "none"),
    row("NEEDS_ENV", "none"),
    row("NEEDS_FILE", "none"),
    row("WAIT_FOR", "none"),
    row("UPSTREAMS", "none"),
    row("UPSTREAM_TIMEOUT", "2s"),
    row("PARAMETERS", "none"),
    row("ORDERS", "none"),
    row("ORDERS_PASSWORD", "none"),
    row("ORDERS_PASSWORD_FILE", "none"),
    row("SIGN_KEY_FILE", "none"),
    row("CACHE", "none"),
    row("CACHE_MB", "0"),
    row("LOAD_MB", "CACHE_MB, or 64"),
    row("CPU", "1ms"),
    row("LATENCY", "0s"),
    row("REAP", "no"),
    row("DATA", "/data"),
    row("SEED_RECORDS", "none"),
    row("PASSWORD", "none"),
    row("PASSWORD_FILE", "none"),
    row("LEADER", "none"),
    row("URL", "none"),
    row("INTERVAL", "1s"),
    row("TIMEOUT", "2s"),
    row("JOBS", "none"),
    row("WORK", "2s"),
    row("DRAIN", "20s"),
    row("LOG_FILE", "none"),
    row("DONE_FILE", "none"),
    row("AFTER", "0s"),
    row("EXIT", "0"),
    row("SAY", "none"),
    row("SEGFAULT", "no"),
    row("REPORT", "none"),
];

const fn row(name: &'static str, default: &'static str) -> Setting {
    Setting { name, default }
}

/// What one process was told by its command line and its environment.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    flags: BTreeMap<&'static str, String>,
    env: BTreeMap<String, String>,
    /// Arguments that are no flags.
    pub positional: Vec<String>,
}

/// A setting cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    UnknownFlag {
        flag: String,
    },
    NoValue {
        flag: String,
    },
    /// The value is none of what the setting takes.
    Value {
        name: &'static str,
        value: String,
        wanted: &'static str,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFlag { flag } => write!(f, "unknown flag {flag}"),
            Self::NoValue { flag } => write!(f, "{flag} needs a value: {flag}=VALUE"),
            Self::Value { name, value, wanted } => write!(f, "{name} is \"{value}\": {wanted} is wanted"),
        }
    }
}

impl std::error::Error for SettingError {}

impl Settings {
    /// Read flags (`--port=80`, `--port 80`) and keep the rest as positional arguments; after `--` all are positional.
    ///
    /// # Errors
    /// A flag that no setting has, or one without its value.
    pub fn read(arguments: &[String], env: BTreeMap<String, String>) -> Result<Self, SettingError> {
        let mut settings = Self { env, ..Self::default() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                settings.positional.extend(rest.cloned());
                break;
            }
            let Some(flag) = argument.strip_prefix("--") else {
                settings.positional.push(argument.clone());
                continue;
            };
            let (flag, value) = match flag.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (flag, None),
            };
            let name = setting_of(flag).ok_or_else(|| SettingError::UnknownFlag { flag: format!("--{flag}") })?;
            let value = match value {
                Some(value) => value,
                None if matches!(name, "SEGFAULT" | "REAP") => "yes".to_owned(),
                None => rest.next().cloned().ok_or_else(|| SettingError::NoValue { flag: format!("--{flag}") })?,
            };
            settings.flags.insert(name, value);
        }
        Ok(settings)
    }

    /// The value, where there is one and it is not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.flags.get(name).or_else(|| self.env.get(name))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// A comma-separated list; empty where nothing is given.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).unwrap_or_default().split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// A span of time.
    ///
    /// # Errors
    /// The value is none.
    pub fn span(&self, name: &'static str, default: Duration) -> Result<Duration, SettingError> {
        let wanted = "a time such as 500ms, 40s or 2m";
        self.parsed(name, wanted, parse_span).map(|span| span.unwrap_or(default))
    }

    /// A whole number.
    ///
    /// # Errors
    /// The value is none.
    pub fn number(&self, name: &'static str, default: u64) -> Result<u64, SettingError> {
        self.parsed(name, "a whole number", |text| text.parse().ok()).map(|number| number.unwrap_or(default))
    }

    /// The port. From the environment only a port counts, everything else is as if it were not there.
    ///
    /// # Errors
    /// The flag's value is no port.
    pub fn port(&self) -> Result<u16, SettingError> {
        let port = |text: &str| text.parse().ok().filter(|port: &u16| *port != 0);
        match self.flags.get("PORT") {
            Some(value) => port(value).ok_or_else(|| SettingError::Value {
                name: "PORT",
                value: value.clone(),
                wanted: "a number from 1 to 65535",
            }),
            None => Ok(self.text("PORT").and_then(port).unwrap_or(8080)),
        }
    }

    /// A variable of the environment, setting or not; an empty one counts as missing.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A value read by `parse`.
    ///
    /// # Errors
    /// There is a value and `parse` makes nothing of it.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        wanted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, SettingError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match parse(value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(SettingError::Value { name, value: value.to_owned(), wanted }),
        }
    }
}

/// `start-delay` → `START_DELAY`.
fn setting_of(flag: &str) -> Option<&'static str> {
    let name = flag.to_ascii_uppercase().replace('-', "_");
    SETTINGS.iter().map(|setting| setting.name).find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str], env: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(&arguments, env)
    }

    #[test]
    fn flags_win_over_the_environment() {
        let read = settings(
            &["--port=81", "--start-delay", "40s", "x"],
            &[("PORT", "82"), ("APP", "web"), ("START_DELAY", "1s")],
        )
        .unwrap();
        assert_eq!(read.port(), Ok(81));
        assert_eq!(read.span("START_DELAY", Duration::ZERO), Ok(Duration::from_secs(40)));
        assert_eq!(read.text("APP"), Some("web"));
        assert_eq!(read.positional, ["x"]);
    }

    #[test]
    fn a_service_link_is_no_port() {
        assert_eq!(settings(&[], &[("PORT", "tcp://10.0.0.7:5432")]).unwrap().port(), Ok(8080));
        assert!(settings(&["--port=http"], &[]).unwrap().port().is_err());
    }

    #[test]
    fn unknown_and_unfinished_flags_are_errors() {
        assert_eq!(settings(&["--prot=1"], &[]).unwrap_err(), SettingError::UnknownFlag { flag: "--prot".into() });
        assert_eq!(settings(&["--port"], &[]).unwrap_err(), SettingError::NoValue { flag: "--port".into() });
    }

    #[test]
    fn an_empty_value_is_missing_and_a_wrong_one_is_an_error() {
        let read = settings(&[], &[("TITLE", ""), ("CACHE_MB", "many"), ("NEEDS_ENV", "A, B,,")]).unwrap();
        assert_eq!(read.text("TITLE"), None);
        assert_eq!(read.list("NEEDS_ENV"), ["A", "B"]);
        let error = read.number("CACHE_MB", 0).unwrap_err();
        assert_eq!(error.to_string(), "CACHE_MB is \"many\": a whole number is wanted");
    }
}
