//! One service as a container's create body.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Reader,
    project::{self, DEFAULT, Project},
    text,
};
use crate::{
    Document,
    yaml::{Data, Entry, Node},
};

/// The label that says what a service waits for, as version 2 of Compose writes it: `db:service_healthy:false,…`.
const DEPENDS_ON: &str = "com.docker.compose.depends_on";
const SERVICE: &str = "com.docker.compose.service";

/// What a service has to be before another one is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Started,
    Healthy,
    CompletedSuccessfully,
}

impl Condition {
    const ALL: [(&'static str, Self); 3] = [
        ("service_started", Self::Started),
        ("service_healthy", Self::Healthy),
        ("service_completed_successfully", Self::CompletedSuccessfully),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(word, _)| word)
    }
}

/// The service that a document is the container of.
pub fn service_of(document: &Document) -> Option<&str> {
    document.body.get("Labels")?.get(SERVICE)?.as_str()
}

/// What a document of a Compose file waits for: services and what they have to be.
pub fn conditions(document: &Document) -> Vec<(String, Condition)> {
    let label = document.body.get("Labels").and_then(|it| it.get(DEPENDS_ON)).and_then(Value::as_str);
    let condition = |part: &str| {
        let mut words = part.split(':');
        let (service, word) = (words.next()?, words.next()?);
        let (_, condition) = Condition::ALL.iter().find(|(known, _)| *known == word)?;
        Some((service.to_owned(), *condition))
    };
    label.into_iter().flat_map(|label| label.split(',')).filter_map(condition).collect()
}

/// Whether a service is on the project's own network for want of another.
pub(super) fn is_on_default(service: &Node) -> bool {
    let on = |node: &Node| match &node.data {
        Data::List(items) => items.iter().any(|it| it.as_text() == Some(DEFAULT)),
        _ => node.get(DEFAULT).is_some(),
    };
    service.get("network_mode").is_none() && service.get("networks").is_none_or(on)
}

/// Sets a value deep inside a body, making what is missing on the way.
fn set(body: &mut Value, path: &[&str], value: Value) {
    let mut at = body;
    for key in path {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[*key];
    }
    *at = value;
}

fn push(body: &mut Value, path: &str, value: Value) {
    let Some((first, second)) = path.split_once('.') else { return };
    match body[first][second].as_array_mut() {
        Some(list) => list.push(value),
        None => set(body, &[first, second], json!([value])),
    }
}

pub(super) fn document(
    reader: &mut Reader<'_>,
    project: &Project,
    entry: &Entry,
) -> (Document, BTreeMap<String, Condition>) {
    let mut made =
        Made { project, service: &entry.key, body: json!({"Labels": {}, "HostConfig": {}}), needs: BTreeMap::new() };
    for setting in entry.value.entries() {
        made.take(reader, setting);
    }
    if made.body.get("Image").is_none() {
        reader.error(
            entry.place,
            format!("`{}` has no `image`", entry.key),
            "breakfix builds nothing for a Compose file: name an image",
        );
    }
    if is_on_default(&entry.value) && entry.value.get("networks").is_none() {
        made.join(DEFAULT, Vec::new());
    }
    let depends: Vec<String> = made.needs.iter().map(|(name, it)| format!("{name}:{}:false", it.word())).collect();
    let own = [
        ("com.docker.compose.project", project.name.as_str()),
        (SERVICE, &entry.key),
        ("com.docker.compose.container-number", "1"),
        ("com.docker.compose.oneoff", "False"),
        // Version 1 compares it with its own.
        ("com.docker.compose.version", "2.0.0"),
        // Neither tool's own: either makes the containers again at its first `up`.
        ("com.docker.compose.config-hash", "breakfix"),
        (DEPENDS_ON, &depends.join(",")),
    ];
    for (key, value) in own {
        made.body["Labels"][key] = json!(value);
    }
    let name = project.containers.get(&entry.key).cloned().unwrap_or_default();
    (project::document(reader, "Container", name, made.body, entry.place.line), made.needs)
}

struct Made<'a> {
    project: &'a Project,
    service: &'a str,
    body: Value,
    needs: BTreeMap<String, Condition>,
}

impl Made<'_> {
    fn host(&mut self, key: &str, value: Value) {
        set(&mut self.body, &["HostConfig", key], value);
    }

    fn join(&mut self, network: &str, mut aliases: Vec<String>) {
        let known = self.project.networks.get(network).cloned().unwrap_or_else(|| network.to_owned());
        aliases.push(self.service.to_owned());
        set(&mut self.body, &["NetworkingConfig", "EndpointsConfig", &known, "Aliases"], json!(aliases));
    }

    fn take(&mut self, reader: &mut Reader<'_>, setting: &Entry) {
        let (key, value) = (setting.key.as_str(), &setting.value);
        let plain = |word: &'static str| -> Option<&'static str> { Some(word) };
        let simple = match key {
            "image" => plain("Image"),
            "hostname" => plain("Hostname"),
            "user" => plain("User"),
            "working_dir" => plain("WorkingDir"),
            "stop_signal" => plain("StopSignal"),
            _ => None,
        };
        if let Some(member) = simple {
            self.body[member] = json!(reader.text(value, key));
            return;
        }
        match key {
            "container_name" => {}
            "command" => self.body["Cmd"] = command(reader, value, key),
            "entrypoint" => self.body["Entrypoint"] = command(reader, value, key),
            "environment" => self.environment(reader, value),
            "env_file" => self.env_file(reader, value),
            "labels" => {
                for (key, value) in reader.pairs(value, key) {
                    self.body["Labels"][key] = json!(value.unwrap_or_default());
                }
            }
            "ports" => value.items().iter().for_each(|port| self.port(reader, port)),
            "expose" => {
                for port in reader.list(value, key) {
                    set(&mut self.body, &["ExposedPorts", &with_protocol(&port)], json!({}));
                }
            }
            "volumes" => value.items().iter().for_each(|volume| self.volume(reader, volume)),
            "tmpfs" => {
                for path in reader.list(value, key) {
                    let (path, options) = path.split_once(':').unwrap_or((&path, ""));
                    set(&mut self.body, &["HostConfig", "Tmpfs", path], json!(options));
                }
            }
            "networks" => self.networks(reader, value),
            "network_mode" => {
                if let Some(mode) = reader.text(value, key) {
                    let of_service = mode.strip_prefix("service:").and_then(|it| self.project.containers.get(it));
                    let mode = of_service.map_or(mode.clone(), |name| format!("container:{name}"));
                    self.host("NetworkMode", json!(mode));
                }
            }
            "depends_on" => self.depends_on(reader, value),
            "restart" => self.restart(reader, value),
            "healthcheck" => self.healthcheck(reader, value),
            "stop_grace_period" => {
                if let Some(time) = self.time(reader, value, key) {
                    self.body["StopTimeout"] = json!(time / 1_000_000_000);
                }
            }
            "init" => self.host("Init", value.to_value()),
            "read_only" => self.host("ReadonlyRootfs", value.to_value()),
            "privileged" => self.host("Privileged", value.to_value()),
            "tty" => self.body["Tty"] = value.to_value(),
            "stdin_open" => self.body["OpenStdin"] = value.to_value(),
            "mem_limit" => self.size(reader, value, key, "Memory"),
            "memswap_limit" => self.size(reader, value, key, "MemorySwap"),
            "mem_reservation" => self.size(reader, value, key, "MemoryReservation"),
            "shm_size" => self.size(reader, value, key, "ShmSize"),
            "pids_limit" => self.host("PidsLimit", value.to_value()),
            "cpus" => self.cpus(reader, value),
            "deploy" => self.deploy(reader, value),
            "cap_add" => self.list(reader, value, key, "CapAdd"),
            "cap_drop" => self.list(reader, value, key, "CapDrop"),
            "security_opt" => self.list(reader, value, key, "SecurityOpt"),
            "extra_hosts" => {
                let hosts = reader.list(value, key).into_iter().map(|it| it.replacen('=', ":", 1)).collect::<Vec<_>>();
                self.host("ExtraHosts", json!(hosts));
            }
            "dns" => self.list(reader, value, key, "Dns"),
            "group_add" => self.list(reader, value, key, "GroupAdd"),
            "pid" => self.host("PidMode", json!(reader.text(value, key))),
            "ipc" => self.host("IpcMode", json!(reader.text(value, key))),
            "logging" => self.logging(reader, value),
            // What only the tool does at its own `up`.
            "pull_policy" => {}
            _ if key.starts_with("x-") => {}
            _ => reader.unknown(setting.place, key, "a service"),
        }
    }

    fn list(&mut self, reader: &mut Reader<'_>, value: &Node, key: &str, member: &str) {
        let list = reader.list(value, key);
        self.host(member, json!(list));
    }

    fn time(&self, reader: &mut Reader<'_>, value: &Node, key: &str) -> Option<i64> {
        let given = reader.text(value, key)?;
        let time = text::nanoseconds(&given);
        if time.is_none() {
            reader.error(value.place, format!("`{given}` is no time"), "write it as `10s` or `1m30s`");
        }
        time
    }

    fn size(&mut self, reader: &mut Reader<'_>, value: &Node, key: &str, member: &str) {
        let Some(given) = reader.text(value, key) else { return };
        match text::bytes(&given) {
            Some(bytes) => self.host(member, json!(bytes)),
            None => reader.error(value.place, format!("`{given}` is no size"), "write it as `64m`"),
        }
    }

    fn cpus(&mut self, reader: &mut Reader<'_>, value: &Node) {
        match reader.text(value, "cpus").and_then(|it| it.parse::<f64>().ok()) {
            Some(cpus) => self.host("NanoCpus", json!((cpus * 1e9) as i64)),
            None => reader.error(value.place, "`cpus` wants a number", ""),
        }
    }

    fn environment(&mut self, reader: &mut Reader<'_>, value: &Node) {
        // A name without a value is taken from the tool's own environment, where it is not set.
        let pairs = reader.pairs(value, "environment").into_iter();
        let pairs = pairs.filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in pairs.collect::<Vec<_>>() {
            self.put_env(&name, &value);
        }
    }

    fn put_env(&mut self, name: &str, value: &str) {
        let line = json!(format!("{name}={value}"));
        let list = self.body["Env"].as_array().cloned().unwrap_or_default();
        let own = format!("{name}=");
        let mut list: Vec<Value> =
            list.into_iter().filter(|it| !it.as_str().is_some_and(|it| it.starts_with(&own))).collect();
        list.push(line);
        self.body["Env"] = Value::Array(list);
    }

    /// What `environment` says too counts there; so the files are taken as defaults.
    fn env_file(&mut self, reader: &mut Reader<'_>, value: &Node) {
        for path in reader.list(value, "env_file") {
            let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
            let Some(text) = reader.texts.get(&path) else {
                reader.error(value.place, format!("there is no file {path} beside the Compose file"), "");
                continue;
            };
            for (name, value) in text::variables(text) {
                let own = format!("{name}=");
                let known = self.body["Env"].as_array().into_iter().flatten().filter_map(Value::as_str);
                if !known.into_iter().any(|it| it.starts_with(&own)) {
                    self.put_env(&name, &value);
                }
            }
        }
    }

    fn port(&mut self, reader: &mut Reader<'_>, port: &Node) {
        let (host, published, target) = match &port.data {
            Data::Map(entries) => {
                let get = |key: &str| port.get(key).and_then(text::of);
                for entry in entries {
                    if !matches!(entry.key.as_str(), "target" | "published" | "host_ip" | "protocol" | "mode" | "name")
                    {
                        reader.unknown(entry.place, &entry.key, "a port");
                    }
                }
                let protocol = get("protocol").unwrap_or_else(|| "tcp".to_owned());
                let target = get("target").map(|it| format!("{it}/{protocol}")).unwrap_or_default();
                (get("host_ip"), get("published"), target)
            }
            _ => {
                let Some(given) = reader.text(port, "ports") else { return };
                let (rest, target) = given.rsplit_once(':').map_or((None, given.as_str()), |(a, b)| (Some(a), b));
                let (host, published) = match rest.and_then(|rest| rest.rsplit_once(':')) {
                    Some((host, published)) => {
                        (Some(host.trim_matches(['[', ']']).to_owned()), Some(published.to_owned()))
                    }
                    None => (None, rest.map(str::to_owned)),
                };
                (host, published, with_protocol(target))
            }
        };
        let is_port = |text: &str| text.parse::<u16>().is_ok();
        let target_port = target.split('/').next().unwrap_or_default();
        if !is_port(target_port) || published.as_deref().is_some_and(|it| !it.is_empty() && !is_port(it)) {
            reader.error(port.place, "this port is not understood here", "write `127.0.0.1:8080:80`, without ranges");
            return;
        }
        set(&mut self.body, &["ExposedPorts", &target], json!({}));
        let binding = json!({"HostIp": host.unwrap_or_default(), "HostPort": published.unwrap_or_default()});
        let bindings = self.body["HostConfig"]["PortBindings"][&target].as_array().cloned().unwrap_or_default();
        let bindings: Vec<Value> = bindings.into_iter().chain([binding]).collect();
        set(&mut self.body, &["HostConfig", "PortBindings", &target], json!(bindings));
    }

    fn volume(&mut self, reader: &mut Reader<'_>, volume: &Node) {
        const NO_BINDS: &str = "a Compose file that breakfix reads may mount volumes, not folders of the machine";
        let (source, target, is_read_only) = match &volume.data {
            Data::Map(_) => {
                let get = |key: &str| volume.get(key).and_then(text::of);
                let target = get("target").unwrap_or_default();
                match get("type").as_deref() {
                    Some("volume") => (get("source"), target, get("read_only").as_deref() == Some("true")),
                    Some("tmpfs") => {
                        set(&mut self.body, &["HostConfig", "Tmpfs", &target], json!(""));
                        return;
                    }
                    _ => {
                        reader.error(volume.place, "this mount is not understood here", NO_BINDS);
                        return;
                    }
                }
            }
            _ => {
                let Some(given) = reader.text(volume, "volumes") else { return };
                let parts: Vec<&str> = given.split(':').collect();
                match parts[..] {
                    [target] => (None, target.to_owned(), false),
                    [source, target] => (Some(source.to_owned()), target.to_owned(), false),
                    [source, target, mode] => (Some(source.to_owned()), target.to_owned(), mode == "ro"),
                    _ => {
                        reader.error(volume.place, "this volume is not understood here", "write `name:/path`");
                        return;
                    }
                }
            }
        };
        let Some(source) = source else {
            set(&mut self.body, &["Volumes", &target], json!({}));
            return;
        };
        if source.starts_with(['.', '/', '~']) {
            reader.error(volume.place, format!("the folder {source} is not mounted"), NO_BINDS);
            return;
        }
        let Some(name) = self.project.volumes.get(&source) else {
            reader.error(volume.place, format!("there is no volume `{source}` under `volumes`"), "");
            return;
        };
        let mode = if is_read_only { "ro" } else { "rw" };
        push(&mut self.body, "HostConfig.Binds", json!(format!("{name}:{target}:{mode}")));
    }

    fn networks(&mut self, reader: &mut Reader<'_>, value: &Node) {
        let on: Vec<(String, Vec<String>)> = match &value.data {
            Data::Map(entries) => {
                let mut on = Vec::new();
                for entry in entries {
                    for setting in entry.value.entries().iter().filter(|it| it.key != "aliases") {
                        reader.unknown(setting.place, &setting.key, "a service's network");
                    }
                    let aliases = entry.value.get("aliases").map(|it| reader.list(it, "aliases")).unwrap_or_default();
                    on.push((entry.key.clone(), aliases));
                }
                on
            }
            _ => reader.list(value, "networks").into_iter().map(|name| (name, Vec::new())).collect(),
        };
        for (name, aliases) in on {
            if !self.project.networks.contains_key(&name) {
                reader.error(value.place, format!("there is no network `{name}` under `networks`"), "");
            }
            self.join(&name, aliases);
        }
    }

    fn depends_on(&mut self, reader: &mut Reader<'_>, value: &Node) {
        if let Data::Map(entries) = &value.data {
            for entry in entries {
                let word = entry.value.get("condition").and_then(Node::as_text).unwrap_or("service_started");
                match Condition::ALL.iter().find(|(known, _)| *known == word) {
                    Some((_, condition)) => drop(self.needs.insert(entry.key.clone(), *condition)),
                    None => reader.error(
                        entry.place,
                        format!("`{word}` is no condition"),
                        "service_started, service_healthy or service_completed_successfully",
                    ),
                }
            }
            return;
        }
        for name in reader.list(value, "depends_on") {
            self.needs.insert(name, Condition::Started);
        }
    }

    fn restart(&mut self, reader: &mut Reader<'_>, value: &Node) {
        let Some(given) = reader.text(value, "restart") else { return };
        let (name, count) = given.split_once(':').unwrap_or((&given, ""));
        if !["no", "false", "always", "unless-stopped", "on-failure"].contains(&name) {
            reader.error(
                value.place,
                format!("`{given}` is no restart policy"),
                "no, always, on-failure or unless-stopped",
            );
        }
        let name = if name == "false" { "no" } else { name };
        let count: u64 = count.parse().unwrap_or(0);
        self.host("RestartPolicy", json!({"Name": name, "MaximumRetryCount": count}));
    }

    fn healthcheck(&mut self, reader: &mut Reader<'_>, value: &Node) {
        let mut health = Map::new();
        for setting in value.entries() {
            let key = setting.key.as_str();
            let member = match key {
                "interval" => "Interval",
                "timeout" => "Timeout",
                "start_period" => "StartPeriod",
                "start_interval" => "StartInterval",
                "retries" => {
                    health.insert("Retries".to_owned(), setting.value.to_value());
                    continue;
                }
                "disable" => {
                    if matches!(setting.value.data, Data::Bool(true)) {
                        health.insert("Test".to_owned(), json!(["NONE"]));
                    }
                    continue;
                }
                "test" => {
                    let test = match &setting.value.data {
                        Data::List(_) => json!(reader.list(&setting.value, key)),
                        _ => json!(["CMD-SHELL", reader.text(&setting.value, key)]),
                    };
                    health.insert("Test".to_owned(), test);
                    continue;
                }
                _ => {
                    reader.unknown(setting.place, key, "a health check");
                    continue;
                }
            };
            if let Some(time) = self.time(reader, &setting.value, key) {
                health.insert(member.to_owned(), json!(time));
            }
        }
        self.body["Healthcheck"] = Value::Object(health);
    }

    fn deploy(&mut self, reader: &mut Reader<'_>, value: &Node) {
        for setting in value.entries().iter().filter(|it| it.key != "resources") {
            reader.unknown(setting.place, &setting.key, "`deploy`");
        }
        let limits = value.get("resources").and_then(|it| it.get("limits"));
        for limit in limits.map(Node::entries).unwrap_or_default() {
            match limit.key.as_str() {
                "memory" => self.size(reader, &limit.value, "memory", "Memory"),
                "cpus" => self.cpus(reader, &limit.value),
                "pids" => self.host("PidsLimit", limit.value.to_value()),
                other => reader.unknown(limit.place, other, "`limits`"),
            }
        }
    }

    fn logging(&mut self, reader: &mut Reader<'_>, value: &Node) {
        let driver = value.get("driver").and_then(text::of).unwrap_or_else(|| "json-file".to_owned());
        let options = value.get("options").map(|it| reader.pairs(it, "options")).unwrap_or_default().into_iter();
        let options: Map<String, Value> = options.map(|(key, value)| (key, json!(value.unwrap_or_default()))).collect();
        self.host("LogConfig", json!({"Type": driver, "Config": options}));
    }
}

fn command(reader: &mut Reader<'_>, value: &Node, key: &str) -> Value {
    match &value.data {
        Data::List(_) => json!(reader.list(value, key)),
        Data::Null => Value::Null,
        _ => {
            let given = reader.text(value, key).unwrap_or_default();
            let words = text::words(&given);
            if words.is_none() {
                reader.error(value.place, format!("a quote of `{key}` is left open"), "");
            }
            json!(words)
        }
    }
}

fn with_protocol(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}
