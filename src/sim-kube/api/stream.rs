//! What a connection that goes on is asked to carry. `serve/` runs these; who made them has checked pod and container.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamSpec {
    /// A request for somebody behind the API server.
    Proxy(ProxySpec),
    Exec(ExecSpec),
    Attach(AttachSpec),
    PortForward {
        namespace: String,
        pod: String,
        ports: Vec<u16>,
    },
    /// A log that is followed; one that is not is answered whole.
    Log(LogSpec),
}

/// Who is behind the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proxied {
    Pod,
    Service,
    Node,
}

/// A request that the API server makes on somebody's behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySpec {
    pub to: Proxied,
    pub namespace: String,
    /// As in the path: `web`, `web:80`, `https:web:api`.
    pub name: String,
    pub method: String,
    /// Path and query, as the one behind gets them.
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// A command in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecSpec {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub command: Vec<String>,
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub tty: bool,
}

/// The streams of a container's own process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachSpec {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub tty: bool,
}

/// What of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSpec {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub follow: bool,
    /// The run before the present one.
    pub previous: bool,
    /// Only the last lines.
    pub tail: Option<u64>,
    /// Only lines of these last seconds.
    pub since_seconds: Option<u64>,
    /// Only lines after this moment, in RFC 3339.
    pub since_time: Option<String>,
    /// Each line begins with its moment.
    pub timestamps: bool,
    /// Only so many bytes.
    pub limit_bytes: Option<u64>,
}
