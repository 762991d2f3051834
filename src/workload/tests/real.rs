//! The program as it runs in a container: started, called and stopped on this machine.
#![cfg(target_os = "linux")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use breakfix_workload::{DnsReply, NoReply, PROGRAM, PROGRAM_MISSING};

#[path = "../host/names.rs"]
#[expect(dead_code, reason = "these tests ask for addresses, not for records of other kinds")]
mod names;

/// The embedded program as a file, written once.
fn program() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let bytes = PROGRAM.unwrap_or_else(|| panic!("{PROGRAM_MISSING}"));
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("workload-{}", std::process::id()));
        std::fs::write(&file, bytes).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        file
    })
}

/// A new, empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A server on a free port; killed when it goes out of scope.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        // The port is free again before the program takes it; nothing else on this machine asks for this one meanwhile.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = command(arguments);
        command.env("BIND", "127.0.0.1").env("PORT", port.to_string());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut running = Self { child, port };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(running.address()).is_err() {
            assert!(Instant::now() < deadline, "it does not listen");
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("ended: {status} {}", running.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        running
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address())
    }

    fn get(&self, target: &str) -> String {
        run(&["wget", "-qO-", &self.url(target)]).1
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert_eq!(run(&["kill", "-s", name, &pid]).0, 0);
    }

    /// Its end, which must come soon; and its log.
    fn ended(mut self) -> (Option<i32>, Option<i32>, String) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = self.log();
                return (status.code(), status.signal(), log);
            }
            assert!(Instant::now() < deadline, "it goes on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&mut self) -> String {
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_is_small_and_static() {
    let bytes = PROGRAM.unwrap_or_else(|| panic!("{PROGRAM_MISSING}"));
    // What users get is the small one of a release build.
    let limit = if cfg!(debug_assertions) { 3_000_000 } else { 1_650_000 };
    assert!(bytes.len() < limit, "{} bytes", bytes.len());
    let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    assert!(!has(b"/lib64/ld-linux"), "it asks for a dynamic loader");
}

#[test]
fn it_serves_and_stops_in_good_order() {
    let server = Running::start(&["serve", "--title=shop", "--version=1.4", "--app=web"]);
    assert_eq!(server.get("/"), "shop 1.4\ncurrency: USD\n");
    let (code, out, _) = run(&["get", "--json", &server.url("/ready")]);
    assert!(
        code == 0
            && out.contains("\"outcome\":\"answered\",\"status\":200")
            && out.contains("\"x-workload-app\":\"web\""),
        "{out}"
    );
    server.signal("TERM");
    let stopped = Instant::now();
    let (code, _, log) = server.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(stopped.elapsed() < Duration::from_millis(500), "{:?}", stopped.elapsed());
    assert!(log.contains("GET / 200") && log.contains("asked to stop"), "{log}");
}

#[test]
fn the_handler_is_a_choice() {
    let server = Running::start(&["serve", "--stop=none"]);
    server.signal("TERM");
    assert_eq!(server.ended().1, Some(15), "not being PID 1, it is ended by the kernel");
    let server = Running::start(&["serve", "--stop=ignore"]);
    server.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    assert!(server.get("/healthz").contains("ok"));
}

#[test]
fn it_does_not_listen_before_its_time() {
    let began = Instant::now();
    let server = Running::start(&["serve", "--start-delay=400ms"]);
    assert!(began.elapsed() >= Duration::from_millis(390));
    assert_eq!(server.get("/ready"), "ready\n");
}

#[test]
fn orders_travel_and_outlive_the_store() {
    let data = folder("orders");
    let argument = format!("--data={}", data.display());
    let store = Running::start(&["store", &argument, "--password=s3", "--seed-records=o-1"]);
    let orders = format!("--orders={}", store.url("/records"));
    let upstream = format!("--upstreams=db={}", store.url("/"));
    let web = Running::start(&["serve", &orders, &upstream, "--orders-password=s3"]);
    assert_eq!(web.get("/"), "workload 0\ncurrency: USD\ndb: workload 0\n");
    let (code, out, _) = run(&["get", "--json", "--body", "o-2", &web.url("/order")]);
    assert!(code == 0 && out.contains("\"status\":200") && out.contains("\"body\":\"o-2\\n\""), "{out}");
    let list = web.get("/orders");
    assert_eq!(list.lines().count(), 2, "{list}");

    let second = command(&["store", &argument, "--port=1"]).output().unwrap();
    assert_eq!(second.status.code(), Some(75), "two stores in one folder");

    drop(store);
    assert_eq!(run(&["get", "--json", "--body", "o-3", &web.url("/order")]).1.matches("\"status\":502").count(), 1);
    let store = Running::start(&["store", &argument]);
    assert_eq!(store.get("/records"), list, "killed without warning, it lost nothing and the lock is free");
}

#[test]
fn memory_is_really_held_and_given_back() {
    let server = Running::start(&["serve"]);
    let before = server.resident_kib();
    assert_eq!(run(&["get", "--method", "POST", &server.url("/load?mb=96&seconds=3")]).0, 0);
    assert!(server.resident_kib() > before + 96 * 1_000, "{} KiB", server.resident_kib());
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.resident_kib() > before + 4_000 {
        assert!(Instant::now() < deadline, "{} KiB", server.resident_kib());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hung_server_accepts_and_says_nothing() {
    let server = Running::start(&["serve"]);
    assert_eq!(run(&["get", "--method", "POST", &server.url("/hang")]).0, 0);
    let (code, out, _) = run(&["get", "--json", "--timeout", "300ms", &server.url("/healthz")]);
    assert!(code == 1 && out.contains("\"outcome\":\"timed_out\""), "{out}");
    let port = server.port.to_string();
    assert_eq!(run(&["nc", "-z", "127.0.0.1", &port]).0, 0);
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0), "it still stops");
}

#[test]
fn it_ends_with_the_code_that_is_asked_for() {
    let server = Running::start(&["serve"]);
    let (code, out, _) = run(&["get", "--json", "--method", "POST", &server.url("/exit?code=3")]);
    assert!(code == 0 && out.contains("\"status\":200"), "{out}");
    assert_eq!(server.ended().0, Some(3));
    assert_eq!(run(&["job", "--exit=75", "--say=x"]), (75, "x\n".into(), String::new()));
    assert_eq!(command(&["job", "--segfault"]).status().unwrap().signal(), Some(11));
}

#[test]
fn early_ends_have_their_codes_and_one_line() {
    let missing = run(&["serve", "--config=/nosuch/shop.yml"]);
    assert_eq!(missing, (78, String::new(), "configuration file /nosuch/shop.yml not found\n".into()));
    assert_eq!(run(&["serve", "--needs-env=FEED_URL"]), (78, String::new(), "FEED_URL is not set\n".into()));
    assert_eq!(run(&["serve", "--prot=1"]).0, 64);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--port={}", taken.local_addr().unwrap().port());
    let (code, _, err) = run(&["serve", "--bind=127.0.0.1", &port]);
    assert!(code == 1 && err.contains("Address already in use"), "{err}");
}

#[test]
fn outcomes_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resetting = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", resetting.local_addr().unwrap());
    let closing = thread::spawn(move || drop(resetting.accept()));
    assert!(run(&["get", "--json", &url]).1.contains("\"outcome\":\"reset\""));
    closing.join().unwrap();
    assert!(run(&["get", "--json", &format!("http://{closed}/")]).1.contains("\"outcome\":\"refused\""));
    let garbled = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", garbled.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut stream, _) = garbled.accept().unwrap();
        drop(stream.read(&mut [0; 1024]));
        stream.write_all(b"SSH-2.0-x\r\n\r\n").unwrap();
    });
    assert!(run(&["get", "--json", &url]).1.contains("\"outcome\":\"error\""));
    answering.join().unwrap();
}

#[test]
fn what_is_no_request_is_refused() {
    let server = Running::start(&["serve"]);
    for (sent, status) in [("what?\r\n\r\n", "400"), (&"x".repeat(17_000), "431")] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    assert_eq!(server.get("/healthz"), "ok\n");
}

#[test]
fn the_shell_works_on_real_files() {
    let folder = folder("shell");
    let path = folder.display();
    let script = format!(
        "cd {path}; mkdir -p a/b; echo $NAME > a/b/c; cat a/b/c | wc -c; ls -l a; rm -r a; ls; id -u; false || echo $?"
    );
    let output = command(&["sh", "-c", &script]).env("NAME", "web").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert!(output.status.success() && output.stderr.is_empty(), "{out}");
    assert_eq!((lines[0], lines[3], lines.len()), ("4", "1", 4), "{out}");
    assert!(lines[1].starts_with("drwx") && lines[1].ends_with(" b"), "{out}");
    assert_eq!(run(&["sh", "-c", "nosuch"]).0, 127);
    assert!(run(&["ps"]).1.contains("ps"));
}

#[test]
fn the_shell_reads_lines() {
    let mut child = command(&["sh"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"echo a\ncat\nb\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a\nb\n");
}

/// A name server that answers each question with the bytes that `answer` makes of it.
fn name_server(answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            for message in answer(&buffer[..length]) {
                socket.send_to(&message, from).unwrap();
            }
        }
    });
    address
}

/// An answer to this question: a code, and one address where that is 0.
fn answered(question: &[u8], code: u8, address: [u8; 4]) -> Vec<u8> {
    let mut message = question.to_vec();
    message[2..4].copy_from_slice(&[0x81, 0x80 | code]);
    if code == 0 {
        message[7] = 1;
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4]);
        message.extend(address);
    }
    message
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_name_server_is_asked() {
    let server = name_server(|question| {
        let mut forged = answered(question, 0, [6, 6, 6, 6]);
        forged[0] ^= 1;
        vec![forged, b"x".to_vec(), answered(question, 0, [10, 0, 0, 7])]
    });
    let reply = names::ask(server, "db.shop", 7, SECOND).unwrap();
    let addresses = vec![[10, 0, 0, 7].into()];
    assert_eq!(reply, DnsReply::Addresses { canonical: "db.shop".into(), addresses }, "forged answers are left aside");
    let unknown = name_server(|question| vec![answered(question, 3, [0; 4])]);
    assert_eq!(names::ask(unknown, "db", 7, SECOND), Ok(DnsReply::NoSuchName));
    let failing = name_server(|question| vec![answered(question, 2, [0; 4])]);
    assert_eq!(names::ask(failing, "db", 7, SECOND), Ok(DnsReply::Failed));
}

#[test]
fn a_silent_name_server_is_not_waited_for_longer_than_said() {
    let silent = name_server(|_| Vec::new());
    let began = Instant::now();
    assert_eq!(names::ask(silent, "db", 7, Duration::from_millis(200)), Err(NoReply::TimedOut));
    assert!(began.elapsed() >= Duration::from_millis(190) && began.elapsed() < SECOND * 3);
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(names::ask(nobody, "db", 7, SECOND), Err(NoReply::Refused));
}

#[test]
fn helpers_run_and_the_program_waits_for_each() {
    for flags in [&["serve"][..], &["serve", "--reap"]] {
        let running = Running::start(flags);
        assert_eq!(run(&["wget", "-qO-", "--post-data=", &running.url("/helper?times=5")]).1, "5 helpers done\n");
        // What a helper leaves behind goes to process number 1, which the program is not here; of its own children none is left.
        let own = running.child.id().to_string();
        let stats = std::fs::read_dir("/proc").unwrap().flatten();
        let stats: Vec<String> =
            stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok()).collect();
        let is_own =
            |stat: &&String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(&own));
        assert!(stats.len() > 1 && stats.iter().find(is_own).is_none(), "{stats:?}");
    }
}

#[test]
fn owners_and_modes_are_the_kernels() {
    let folder = folder("owners");
    let file = folder.join("records");
    std::fs::write(&file, "a").unwrap();
    let path = file.display().to_string();
    assert_eq!(run(&["chmod", "0640", &path]).0, 0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    let copy = folder.join("copy").display().to_string();
    assert_eq!(run(&["cp", "-p", &path, &copy]).0, 0);
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(run(&["ps"]).1.starts_with("PID   USER     STAT COMMAND\n"));
}
