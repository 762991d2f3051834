//! Tools for the network: `wget`, `nslookup`, `nc`.

use std::{net::IpAddr, time::Duration};

use crate::{
    CallError, Machine, RecordKind, Request, ResolveError, Url, WriteMode, fetch::fetch, parse_span, reach, resolver,
};

use super::{Io, arguments::Arguments};

/// What `wget` waits where it is told nothing; the original waits 15 minutes, which is no help in an incident.
const WGET_TIME: Duration = Duration::from_secs(30);
/// What `nc` waits where it is told nothing.
const NC_TIME: Duration = Duration::from_secs(10);

/// `wget [-q] [-S] [-O FILE] [-T SECONDS] [--spider] [--post-data=TEXT] [--header=H] URL…`.
pub(super) fn wget(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let flags = "q S O= T= t= spider timeout= tries= post-data= header= quiet output-document=";
    let arguments = match Arguments::read(arguments, flags) {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("wget: {error}")),
    };
    if arguments.rest.is_empty() {
        return io.complain("wget: a URL is wanted");
    }
    let mut code = 0;
    for text in &arguments.rest {
        if let Err(error) = wget_one(text, &arguments, io, machine) {
            code = io.complain(&format!("wget: {error}"));
        }
    }
    code
}

fn wget_one(text: &str, arguments: &Arguments, io: &mut Io, machine: &mut dyn Machine) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let timeout = match arguments.value("T").or_else(|| arguments.value("timeout")) {
        Some(text) => parse_span(text).ok_or_else(|| format!("invalid number '{text}'"))?,
        None => WGET_TIME,
    };
    let mut request = match arguments.value("post-data") {
        Some(data) => Request::post(&url.target, data),
        None => Request::get(&url.target),
    };
    for header in arguments.values("header") {
        let (name, value) = header.split_once(':').ok_or_else(|| format!("invalid header '{header}'"))?;
        request = request.with_header(name.trim(), value.trim());
    }
    let quiet = arguments.has("q") || arguments.has("quiet");
    let fetched = fetch(&url, &request.with_header("user-agent", "Wget"), timeout, machine);
    let fetched = fetched.map_err(|error| wget_words(&error, &url))?;
    if !quiet {
        io.complain(&format!("Connecting to {} ({})", url.authority(), fetched.address));
    }
    if arguments.has("S") {
        io.complain(&format!("  HTTP/1.1 {}", fetched.response.status));
        for (name, value) in &fetched.response.headers {
            io.complain(&format!("  {name}: {value}"));
        }
    }
    if !fetched.response.is_success() {
        return Err(format!("server returned error: HTTP/1.1 {}", fetched.response.status));
    }
    if arguments.has("spider") {
        return Ok(());
    }
    let from_url =
        || url.target.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
    let file = arguments.value("O").or_else(|| arguments.value("output-document")).map_or_else(from_url, str::to_owned);
    match file.as_str() {
        "-" => io.bytes(&fetched.response.body),
        name => {
            let name = if name.is_empty() { "index.html" } else { name };
            let path = io.path(name);
            let written = machine.write(&path, &fetched.response.body, WriteMode::Replace);
            written.map_err(|error| format!("can't open '{name}': {error}"))?;
        }
    }
    Ok(())
}

/// An error in busybox's words.
fn wget_words(error: &CallError, url: &Url) -> String {
    let host = &url.host;
    match error {
        CallError::NameUnknown(_) | CallError::NamesSilent(_) => format!("bad address '{host}'"),
        CallError::TimedOut => "download timed out".to_owned(),
        CallError::Refused => format!("can't connect to remote host ({host}): Connection refused"),
        CallError::Unreachable => format!("can't connect to remote host ({host}): No route to host"),
        CallError::Reset => "error getting response: Connection reset by peer".to_owned(),
        CallError::Garbled(what) => what.clone(),
    }
}

/// `nslookup [-type=a|srv|ptr] NAME [SERVER]`: asks name servers only, as the original does. An address is asked for its name.
pub(super) fn nslookup(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    const USAGE: &str = "usage: nslookup [-type=a|srv|ptr] NAME [SERVER]";
    let (options, rest): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|it| it.starts_with('-'));
    let mut kind = None;
    for option in options {
        let value = ["-type=", "-q=", "-querytype="].iter().find_map(|name| option.strip_prefix(name));
        match value.map(str::to_ascii_lowercase).as_deref() {
            Some("a") => kind = None,
            Some("srv") => kind = Some(RecordKind::Srv),
            Some("ptr") => kind = Some(RecordKind::Ptr),
            Some(other) => return io.complain(&format!("nslookup: invalid query type \"{other}\"")),
            None => return io.complain(USAGE),
        }
    }
    let (name, server) = match rest.as_slice() {
        [name] => (*name, None),
        [name, server] => (*name, Some(*server)),
        _ => return io.complain(USAGE),
    };
    let text = machine.read("/etc/resolv.conf").map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut config = resolver::Config::parse(&text.unwrap_or_default());
    if let Some(server) = server {
        let address = server.parse::<IpAddr>().map(|ip| vec![ip]);
        let address = address.or_else(|_| resolver::resolve(server, None, machine).map(|found| found.addresses));
        match address {
            Ok(addresses) => config.servers = addresses,
            Err(error) => return io.complain(&format!("nslookup: can't resolve '{server}': {error}")),
        }
    }
    if let Some(kind) = kind.or_else(|| reversed(name).map(|_| RecordKind::Ptr)) {
        return nslookup_records(&config, name, kind, io, machine);
    }
    let found = resolver::resolve_by(&config, name, None, machine);
    let asked = found.as_ref().ok().and_then(|found| found.server).or_else(|| config.servers.first().copied());
    if matches!(found, Err(ResolveError::NoAnswer)) {
        return io.complain(";; connection timed out; no servers could be reached");
    }
    if let Some(server) = asked {
        io.line(&format!("Server:\t\t{server}\nAddress:\t{server}:53\n"));
    }
    match found {
        Ok(found) => {
            for address in &found.addresses {
                io.line(&format!("Name:\t{}\nAddress: {address}", found.name));
            }
            0
        }
        Err(error) => not_found(name, error, io),
    }
}

fn not_found(name: &str, error: ResolveError, io: &mut Io) -> i32 {
    io.line(&match error {
        ResolveError::NoSuchName => format!("** server can't find {name}: NXDOMAIN"),
        ResolveError::Failed => format!("** server can't find {name}: SERVFAIL"),
        ResolveError::NoAddress | ResolveError::NoAnswer => format!("*** Can't find {name}: No answer"),
    });
    1
}

/// `1.0.96.10.in-addr.arpa`, the name under which the name of an address stands.
fn reversed(address: &str) -> Option<String> {
    let [a, b, c, d] = address.parse::<std::net::Ipv4Addr>().ok()?.octets();
    Some(format!("{d}.{c}.{b}.{a}.in-addr.arpa"))
}

fn nslookup_records(
    config: &resolver::Config,
    name: &str,
    kind: RecordKind,
    io: &mut Io,
    machine: &mut dyn Machine,
) -> i32 {
    // An address is a name of the world, not one to search for.
    let reversed = reversed(name).filter(|_| kind == RecordKind::Ptr);
    let asked = reversed.as_ref().map_or_else(|| name.to_owned(), |name| format!("{name}."));
    let shown = reversed.as_deref().unwrap_or(name);
    let found = resolver::records_by(config, &asked, kind, machine);
    if matches!(found, Err(ResolveError::NoAnswer)) {
        return io.complain(";; connection timed out; no servers could be reached");
    }
    let server = found.as_ref().ok().map(|(_, _, server)| *server).or_else(|| config.servers.first().copied());
    if let Some(server) = server {
        io.line(&format!("Server:\t\t{server}\nAddress:\t{server}:53\n"));
    }
    let (owner, records) = match found {
        Ok((owner, records, _)) => (owner, records),
        Err(error) => return not_found(shown, error, io),
    };
    let word = match kind {
        RecordKind::Srv => "service",
        RecordKind::Ptr => "name",
    };
    for record in records {
        io.line(&format!("{owner}\t{word} = {record}"));
    }
    0
}

/// `nc -z [-v] [-w SECONDS] HOST PORT`: whether a port accepts connections.
pub(super) fn nc(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "z v n w=") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("nc: {error}")),
    };
    let [host, port] = arguments.rest.as_slice() else {
        return io.complain("usage: nc -z [-v] [-w SECONDS] HOST PORT");
    };
    if !arguments.has("z") {
        return io.complain("nc: only -z is supported here: it tells whether the port is open");
    }
    let Ok(port) = port.parse::<u16>() else {
        return io.complain(&format!("nc: bad port '{port}'"));
    };
    let timeout = arguments.value("w").and_then(parse_span).unwrap_or(NC_TIME);
    match reach(host, port, timeout, machine) {
        Ok(address) => {
            if arguments.has("v") {
                io.complain(&format!("{host} ({address}) open"));
            }
            0
        }
        Err(CallError::NameUnknown(_) | CallError::NamesSilent(_)) => io.complain(&format!("nc: bad address '{host}'")),
        // Without -v the original says nothing about a closed port.
        Err(error) if arguments.has("v") => io.complain(&format!("nc: {host}:{port}: {error}")),
        Err(_) => 1,
    }
}
