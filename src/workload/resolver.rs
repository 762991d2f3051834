//! From names to addresses, by the rules of resolv.conf(5) and hosts(5).
//!
//! The order of what is asked and when the search goes on is the C library's (`res_search`): a name with at least
//! `ndots` dots is first asked as it is, any other first with each search domain. An answer "no such name" or a server
//! that fails leads to the next candidate; silence ends the search.

use std::{fmt, net::IpAddr, time::Duration};

use crate::{DnsReply, Machine, RecordKind, Records};

/// An alias may lead to another one so many times.
const ALIASES_MAX: usize = 8;
/// glibc reads no more name servers than this.
const SERVERS_MAX: usize = 3;

/// What `/etc/resolv.conf` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub servers: Vec<IpAddr>,
    pub search: Vec<String>,
    pub ndots: usize,
    /// For each question to each server.
    pub timeout: Duration,
    pub attempts: u32,
}

/// A name with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The full name that was found, at the end of its aliases.
    pub name: String,
    pub addresses: Vec<IpAddr>,
    /// The server that answered; `None`: `/etc/hosts`, or the name is an address.
    pub server: Option<IpAddr>,
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    NoSuchName,
    /// The name exists and has no IPv4 address.
    NoAddress,
    /// No server answered.
    NoAnswer,
    /// The servers answered that they cannot tell.
    Failed,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchName => "no such name",
            Self::NoAddress => "the name has no address",
            Self::NoAnswer => "no name server answered",
            Self::Failed => "the name server failed",
        })
    }
}

impl std::error::Error for ResolveError {}

impl Config {
    /// Read the text of a resolv.conf; what is not understood is left aside, as the C library does it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut config =
            Self { servers: Vec::new(), search: Vec::new(), ndots: 1, timeout: Duration::from_secs(5), attempts: 2 };
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => config.servers.extend(words.next().and_then(|ip| ip.parse::<IpAddr>().ok())),
                Some("search" | "domain") => config.search = words.map(|domain| trim_dot(domain).to_owned()).collect(),
                Some("options") => words.for_each(|option| config.option(option)),
                _ => {}
            }
        }
        config.servers.truncate(SERVERS_MAX);
        if config.servers.is_empty() {
            config.servers.push(IpAddr::from([127, 0, 0, 1]));
        }
        config
    }

    fn option(&mut self, option: &str) {
        let Some((name, value)) = option.split_once(':') else { return };
        let Ok(value) = value.parse::<u32>() else { return };
        match name {
            "ndots" => self.ndots = value.min(15) as usize,
            "timeout" => self.timeout = Duration::from_secs(u64::from(value.clamp(1, 30))),
            "attempts" => self.attempts = value.clamp(1, 5),
            _ => {}
        }
    }

    /// The full names that are asked for `name`, in order.
    #[must_use]
    pub fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let as_it_is = std::iter::once(name.to_owned());
        let searched = self.search.iter().filter(|domain| !domain.is_empty()).map(|domain| format!("{name}.{domain}"));
        if name.matches('.').count() >= self.ndots {
            as_it_is.chain(searched).collect()
        } else {
            searched.chain(as_it_is).collect()
        }
    }
}

/// The addresses that the text of a hosts file gives a name.
#[must_use]
pub fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let entries = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(trim_dot(name))).then_some(address)
    });
    entries.filter(IpAddr::is_ipv4).collect()
}

/// Look a name up as the machine is configured. `limit` bounds the whole search below what resolv.conf allows.
///
/// # Errors
/// The name has no address, or nobody could tell.
pub fn resolve(name: &str, limit: Option<Duration>, machine: &mut dyn Machine) -> Result<Resolved, ResolveError> {
    let found = |addresses| Resolved { name: name.to_owned(), addresses, server: None };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(found(vec![address]));
    }
    let hosts = in_hosts(&text_of("/etc/hosts", machine), name);
    if !hosts.is_empty() {
        return Ok(found(hosts));
    }
    if trim_dot(name).eq_ignore_ascii_case("localhost") {
        return Ok(found(vec![IpAddr::from([127, 0, 0, 1])]));
    }
    let config = Config::parse(&text_of("/etc/resolv.conf", machine));
    resolve_by(&config, name, limit, machine)
}

/// Ask the servers of `config`, leaving `/etc/hosts` aside.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_by(
    config: &Config,
    name: &str,
    limit: Option<Duration>,
    machine: &mut dyn Machine,
) -> Result<Resolved, ResolveError> {
    let deadline = limit.map(|limit| machine.uptime().saturating_add(limit));
    let mut worst = ResolveError::NoSuchName;
    for candidate in config.candidates(name) {
        match ask_all(config, &candidate, deadline, machine) {
            Err(ResolveError::NoSuchName) => {}
            Err(error @ (ResolveError::NoAddress | ResolveError::Failed)) => {
                // What a server failed to tell outweighs a name without an address: the answer may be there later.
                if worst != ResolveError::Failed {
                    worst = error;
                }
            }
            other => return other,
        }
    }
    Err(worst)
}

/// Ask the servers of `config` for records of another kind: the name that had them, they themselves, and who said so.
///
/// # Errors
/// There is none, or nobody could tell.
pub fn records_by(
    config: &Config,
    name: &str,
    kind: RecordKind,
    machine: &mut dyn Machine,
) -> Result<(String, Vec<String>, IpAddr), ResolveError> {
    let mut worst = ResolveError::NoSuchName;
    for candidate in config.candidates(name) {
        let asked = once(config, None, machine, |machine, server, timeout| {
            let reply = machine.ask_records(server, &candidate, kind, timeout).ok()?;
            Some(if reply == Records::Failed { Err(()) } else { Ok(reply) })
        });
        match asked {
            Ok((Records::Found(found), server)) => return Ok((candidate, found, server)),
            Ok((Records::NoSuchName, _)) => {}
            Ok((Records::None, _)) if worst != ResolveError::Failed => worst = ResolveError::NoAddress,
            Ok((Records::None | Records::Failed, _)) => {}
            Err(ResolveError::Failed) => worst = ResolveError::Failed,
            Err(error) => return Err(error),
        }
    }
    Err(worst)
}

/// One full name, aliases followed.
fn ask_all(
    config: &Config,
    name: &str,
    deadline: Option<Duration>,
    machine: &mut dyn Machine,
) -> Result<Resolved, ResolveError> {
    let mut name = name.to_owned();
    for _ in 0..ALIASES_MAX {
        match ask_once(config, &name, deadline, machine)? {
            (DnsReply::Addresses { canonical, addresses }, server) => {
                return Ok(Resolved { name: canonical, addresses, server: Some(server) });
            }
            (DnsReply::Alias(other), _) => trim_dot(&other).clone_into(&mut name),
            (DnsReply::NoAddress, _) => return Err(ResolveError::NoAddress),
            (DnsReply::NoSuchName, _) => return Err(ResolveError::NoSuchName),
            (DnsReply::Failed, _) => return Err(ResolveError::Failed),
        }
    }
    Err(ResolveError::Failed)
}

/// One question: every server in turn, as often as `attempts` says, until one of them answers.
fn ask_once(
    config: &Config,
    name: &str,
    deadline: Option<Duration>,
    machine: &mut dyn Machine,
) -> Result<(DnsReply, IpAddr), ResolveError> {
    once(config, deadline, machine, |machine, server, timeout| {
        let reply = machine.ask(server, name, timeout).ok()?;
        Some(if reply == DnsReply::Failed { Err(()) } else { Ok(reply) })
    })
}

/// The same for any question. `ask` gives `None` where nothing came back, and an error where the server failed.
fn once<T>(
    config: &Config,
    deadline: Option<Duration>,
    machine: &mut dyn Machine,
    ask: impl Fn(&mut dyn Machine, IpAddr, Duration) -> Option<Result<T, ()>>,
) -> Result<(T, IpAddr), ResolveError> {
    let mut last = ResolveError::NoAnswer;
    for _ in 0..config.attempts {
        for server in &config.servers {
            let left = deadline.map_or(config.timeout, |deadline| deadline.saturating_sub(machine.uptime()));
            if left.is_zero() {
                return Err(ResolveError::NoAnswer);
            }
            match ask(machine, *server, config.timeout.min(left)) {
                Some(Ok(reply)) => return Ok((reply, *server)),
                Some(Err(())) => last = ResolveError::Failed,
                None => {}
            }
        }
        // A failing server has answered: asking the same servers again at once brings nothing.
        if last == ResolveError::Failed {
            break;
        }
    }
    Err(last)
}

fn text_of(path: &str, machine: &mut dyn Machine) -> String {
    machine.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn trim_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryMachine;

    const KUBERNETES: &str =
        "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n";

    #[test]
    fn resolv_conf_is_read() {
        let config = Config::parse(
            "# x\nnameserver 1.1.1.1 ; y\nnameserver bad\ndomain a.\noptions ndots:3 timeout:1 attempts:9 rotate\n",
        );
        assert_eq!(config.servers, [IpAddr::from([1, 1, 1, 1])]);
        assert_eq!(config.search, ["a"]);
        assert_eq!((config.ndots, config.timeout, config.attempts), (3, Duration::from_secs(1), 5));
        assert_eq!(Config::parse("").servers, [IpAddr::from([127, 0, 0, 1])]);
    }

    #[test]
    fn few_dots_search_first() {
        let config = Config::parse(KUBERNETES);
        let short = ["db.shop.svc.cluster.local", "db.svc.cluster.local", "db.cluster.local", "db"];
        assert_eq!(config.candidates("db"), short);
        assert_eq!(config.candidates("db.data.svc.cluster.local.x")[0], "db.data.svc.cluster.local.x");
        assert_eq!(config.candidates("db."), ["db"]);
        let plain = Config::parse("nameserver 10.0.0.1\nsearch lan\n");
        assert_eq!(plain.candidates("db"), ["db.lan", "db"]);
        assert_eq!(plain.candidates("db.x"), ["db.x", "db.x.lan"]);
    }

    #[test]
    fn a_neighbour_is_found_and_a_stranger_is_not() {
        let mut machine = MemoryMachine::new();
        machine.files.put("/etc/resolv.conf", KUBERNETES);
        machine.names.insert(
            "db.data.svc.cluster.local".into(),
            DnsReply::Addresses {
                canonical: "db.data.svc.cluster.local".into(),
                addresses: vec![IpAddr::from([10, 0, 0, 9])],
            },
        );
        let found = resolve("db.data", None, &mut machine).unwrap();
        assert_eq!(found.name, "db.data.svc.cluster.local");
        assert_eq!(found.server, Some(IpAddr::from([10, 96, 0, 10])));
        assert_eq!(resolve("db", None, &mut machine), Err(ResolveError::NoSuchName));
    }

    #[test]
    fn aliases_are_followed_and_circles_end() {
        let mut machine = MemoryMachine::new();
        machine.names.insert("a".into(), DnsReply::Alias("b.".into()));
        machine.names.insert(
            "b".into(),
            DnsReply::Addresses { canonical: "b".into(), addresses: vec![IpAddr::from([10, 0, 0, 1])] },
        );
        machine.names.insert("c".into(), DnsReply::Alias("c".into()));
        assert_eq!(resolve("a", None, &mut machine).unwrap().name, "b");
        assert_eq!(resolve("c", None, &mut machine), Err(ResolveError::Failed));
    }

    #[test]
    fn silence_ends_the_search_and_takes_its_time() {
        let mut machine = MemoryMachine::new();
        machine.files.put("/etc/resolv.conf", KUBERNETES);
        machine.name_servers_silent = true;
        assert_eq!(resolve("db", None, &mut machine), Err(ResolveError::NoAnswer));
        assert_eq!(machine.uptime(), Duration::from_secs(10), "two attempts of five seconds at one name");
        assert_eq!(resolve("db", Some(Duration::from_secs(2)), &mut machine), Err(ResolveError::NoAnswer));
        assert_eq!(machine.uptime(), Duration::from_secs(12));
    }

    #[test]
    fn hosts_come_first() {
        let mut machine = MemoryMachine::new();
        machine.files.put("/etc/hosts", "127.0.0.1 localhost\n10.0.0.4 web-1 web # old\n::1 localhost\n");
        assert_eq!(resolve("WEB", None, &mut machine).unwrap().addresses, [IpAddr::from([10, 0, 0, 4])]);
        assert_eq!(resolve("localhost", None, &mut machine).unwrap().addresses, [IpAddr::from([127, 0, 0, 1])]);
        assert_eq!(resolve("10.1.2.3", None, &mut machine).unwrap().addresses, [IpAddr::from([10, 1, 2, 3])]);
        assert_eq!(resolve("old", None, &mut machine), Err(ResolveError::NoSuchName));
    }
}
