//! One question to one name server, over UDP.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use breakfix_workload::{DnsReply, NoReply, RecordKind, Records, dns};

/// Larger than any answer to a question without EDNS (RFC 1035: 512), in case a server does not care.
const MESSAGE_BYTES_MAX: usize = 4096;

/// Ask `server` for the addresses of `name`; messages that are no answer to this question are left aside.
///
/// # Errors
/// Nothing came back in time, or nobody listens there.
pub fn ask(server: SocketAddr, name: &str, id: u16, timeout: Duration) -> Result<DnsReply, NoReply> {
    // A name that DNS cannot write cannot exist there.
    let Some(question) = dns::question(id, name) else { return Ok(DnsReply::NoSuchName) };
    send(server, &question, timeout, |message| dns::reply(message, id, name))
}

/// Ask `server` for records of another kind.
///
/// # Errors
/// As [`ask`].
pub fn ask_records(
    server: SocketAddr,
    name: &str,
    kind: RecordKind,
    id: u16,
    timeout: Duration,
) -> Result<Records, NoReply> {
    let Some(question) = dns::record_question(id, name, kind) else { return Ok(Records::NoSuchName) };
    send(server, &question, timeout, |message| dns::record_reply(message, id, name, kind))
}

/// Sends a question and takes the first message that is its answer.
fn send<T>(
    server: SocketAddr,
    question: &[u8],
    timeout: Duration,
    reply: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, NoReply> {
    let deadline = Instant::now() + timeout;
    let own: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(own, 0)).map_err(reason)?;
    socket.connect(server).map_err(reason)?;
    socket.send(question).map_err(reason)?;
    let mut buffer = [0; MESSAGE_BYTES_MAX];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoReply::TimedOut);
        }
        socket.set_read_timeout(Some(left)).map_err(reason)?;
        let length = socket.recv(&mut buffer).map_err(reason)?;
        if let Some(reply) = reply(buffer.get(..length).unwrap_or_default()) {
            return Ok(reply);
        }
    }
}

fn reason(error: io::Error) -> NoReply {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => NoReply::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::PermissionDenied => {
            NoReply::Unreachable
        }
        _ => NoReply::TimedOut,
    }
}
