//! Connections: one thread each, from the first byte to the last.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::Sender,
    },
    thread,
    time::Duration,
};

use breakfix_workload::{
    Listen, Machine, Outcome, Program, Response, Stream,
    http1::{Malformed, read_request, write_response},
};

use super::{
    hold::hold,
    run::{Event, burn},
    system::Linux,
};

/// A caller gets this long to send its request.
const READ_TIME: Duration = Duration::from_secs(30);
/// Connections served at once; more of them wait.
const CONNECTIONS_MAX: usize = 256;
/// Connection threads need little.
const STACK_BYTES: usize = 256 << 10;

/// Connections that have not got their answer yet.
static IN_HAND: AtomicUsize = AtomicUsize::new(0);
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// How many requests are being answered.
pub fn in_hand() -> usize {
    IN_HAND.load(Ordering::Relaxed)
}

/// Listen and answer for ever, in threads of its own.
///
/// # Errors
/// The address cannot be listened on.
pub fn listen(at: Listen, program: &Arc<Program>, machine: Linux, events: &Sender<Event>) -> io::Result<()> {
    let listener = TcpListener::bind(at.address)?;
    let (program, events) = (Arc::clone(program), events.clone());
    thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        for stream in listener.incoming() {
            // Out of files, or the caller has gone: the next one may have more luck.
            let Ok(stream) = stream else {
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            while OPEN.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
                thread::sleep(Duration::from_millis(10));
            }
            let (program, events) = (Arc::clone(&program), events.clone());
            OPEN.fetch_add(1, Ordering::Relaxed);
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            let started = thread.spawn(move || {
                connection(stream, &program, machine, &events);
                OPEN.fetch_sub(1, Ordering::Relaxed);
            });
            if started.is_err() {
                OPEN.fetch_sub(1, Ordering::Relaxed);
            }
        }
    })?;
    Ok(())
}

fn connection(mut stream: TcpStream, program: &Program, mut machine: Linux, events: &Sender<Event>) {
    drop(stream.set_read_timeout(Some(READ_TIME)));
    drop(stream.set_write_timeout(Some(READ_TIME)));
    let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
    let request = loop {
        match read_request(&bytes) {
            Ok(Some(request)) => break request,
            Ok(None) => {}
            Err(malformed) => return refuse(stream, malformed),
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    };
    IN_HAND.fetch_add(1, Ordering::Relaxed);
    let outcome = program.handle(&request, &mut machine);
    if !hold(program.held_bytes(machine.uptime())) {
        machine.print(Stream::Err, "the system gives no more memory");
    }
    match outcome {
        Outcome::Answer { response, cpu, delay, entry } => {
            burn(cpu);
            thread::sleep(delay);
            if let Some(entry) = entry {
                machine.print(Stream::Out, &entry.line(machine.uptime()));
            }
            drop(stream.write_all(&write_response(&response, &request.method)));
            drop(stream.shutdown(Shutdown::Write));
            IN_HAND.fetch_sub(1, Ordering::Relaxed);
        }
        Outcome::Hang => {
            IN_HAND.fetch_sub(1, Ordering::Relaxed);
            drop(stream.set_read_timeout(None));
            // Until the caller gives up.
            while stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
        }
    }
    drop(events.send(Event::Look));
}

fn refuse(mut stream: TcpStream, malformed: Malformed) {
    let response = Response::text(malformed.status(), format!("{malformed}\n"));
    drop(stream.write_all(&write_response(&response, "GET")));
    drop(stream.shutdown(Shutdown::Write));
}
