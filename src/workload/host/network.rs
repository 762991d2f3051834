//! Calls over TCP.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use breakfix_workload::{
    CallError, Request, Response,
    http1::{Malformed, read_response, write_request},
};

pub fn connect(to: SocketAddr, timeout: Duration) -> Result<TcpStream, CallError> {
    if timeout.is_zero() {
        return Err(CallError::TimedOut);
    }
    TcpStream::connect_timeout(&to, timeout).map_err(|error| reason(&error))
}

pub fn exchange(to: SocketAddr, request: &Request, timeout: Duration) -> Result<Response, CallError> {
    let deadline = Instant::now() + timeout;
    let mut stream = connect(to, timeout)?;
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(CallError::TimedOut) } else { Ok(left) }
    };
    stream.set_write_timeout(Some(left()?)).map_err(|error| reason(&error))?;
    stream.write_all(&write_request(request)).map_err(|error| reason(&error))?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        stream.set_read_timeout(Some(left()?)).map_err(|error| reason(&error))?;
        let length = stream.read(&mut buffer).map_err(|error| reason(&error))?;
        bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
        match read_response(&bytes, &request.method, length == 0) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) => {}
            Err(Malformed::Cut) => return Err(CallError::Reset),
            Err(other) => return Err(CallError::Garbled(other.to_string())),
        }
    }
}

fn reason(error: &io::Error) -> CallError {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => CallError::Refused,
        Kind::TimedOut | Kind::WouldBlock => CallError::TimedOut,
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => CallError::Reset,
        // EPERM and EACCES: a packet filter of this machine refused.
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::PermissionDenied => CallError::Unreachable,
        _ => CallError::Garbled(error.to_string()),
    }
}
