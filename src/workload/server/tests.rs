use std::net::SocketAddr;

use super::*;
use crate::{Boot, CallError, MemoryMachine, Program, Reaction, SIGTERM, boot};

const MIB: u64 = 1 << 20;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Start what the command line says; it must run.
fn start(line: &str, machine: &mut MemoryMachine) -> Program {
    match boot(&words(line), machine) {
        Boot::Running(program) => program,
        Boot::Ended(end) => panic!("ended with {end:?}: {}", machine.log()),
    }
}

/// Start what the command line says; it must end at once.
fn refusal(line: &str, machine: &mut MemoryMachine) -> (i32, String) {
    match boot(&words(line), machine) {
        Boot::Running(_) => panic!("it runs"),
        Boot::Ended(end) => (end.code(), machine.log()),
    }
}

fn ask(program: &Program, request: &Request, machine: &mut MemoryMachine) -> (u16, String) {
    let response = whole(program, request, machine);
    (response.status, response.body_text())
}

fn get(program: &Program, target: &str, machine: &mut MemoryMachine) -> (u16, String) {
    ask(program, &Request::get(target), machine)
}

fn post(program: &Program, target: &str, machine: &mut MemoryMachine) -> (u16, String) {
    ask(program, &Request::new("POST", target), machine)
}

#[test]
fn the_page_says_who_it_is() {
    let mut machine = MemoryMachine::new().with_env(&[("APP", "web"), ("TITLE", "shop"), ("VERSION", "1.4")]);
    let program = start("/workload", &mut machine);
    assert_eq!(get(&program, "/", &mut machine), (200, "shop 1.4\ncurrency: USD\n".into()));
    let response = whole(&program, &Request::get("/").with_header("x-request-id", "r-1"), &mut machine);
    let header = |name| response.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("x-workload-app"), "web");
    assert_eq!(header("x-workload-version"), "1.4");
    assert_eq!(header("x-workload-instance"), "here");
    assert_eq!(header("x-workload-run").len(), 16);
    assert_eq!(header("x-request-id"), "r-1");
    assert!(machine.log().ends_with("GET / 200 1ms id=r-1\n"), "{}", machine.log());
}

#[test]
fn two_starts_have_two_run_values() {
    let mut machine = MemoryMachine::new();
    let run = |machine: &mut MemoryMachine| match start("/workload serve", machine) {
        Program::Server(server) => server.run().to_owned(),
        _ => panic!("no server"),
    };
    assert_ne!(run(&mut machine), run(&mut machine));
}

#[test]
fn a_configuration_file_is_read_or_missed() {
    let mut machine = MemoryMachine::new();
    machine.files.put("/etc/shop/shop.yaml", "# the shop\ncurrency: \"EUR\"\n\ngreeting: hello: you\n");
    let program = start("/workload serve --config=/etc/shop/shop.yaml", &mut machine);
    assert_eq!(get(&program, "/", &mut machine).1, "workload 0\ncurrency: EUR\ngreeting: hello: you\n");

    let (code, log) = refusal("/workload serve --config=/etc/shop/shop.yml", &mut MemoryMachine::new());
    assert_eq!((code, log.as_str()), (78, "configuration file /etc/shop/shop.yml not found\n"));

    machine = MemoryMachine::new();
    machine.files.put("/x", "currency EUR");
    let (code, log) = refusal("/workload serve --config /x", &mut machine);
    assert_eq!((code, log.as_str()), (78, "/x line 1: \"key: value\" is wanted, not \"currency EUR\"\n"));
}

#[test]
fn what_is_needed_must_be_there() {
    let mut machine = MemoryMachine::new().with_env(&[("NEEDS_ENV", "APP,FEED_URL"), ("APP", "x"), ("FEED_URL", "")]);
    assert_eq!(refusal("/workload", &mut machine), (78, "FEED_URL is not set\n".into()));
    let mut machine = MemoryMachine::new();
    machine.files.put("/key", "x");
    machine.files.deny("/key");
    assert_eq!(
        refusal("/workload --needs-file=/key", &mut machine),
        (78, "cannot read /key: Permission denied\n".into())
    );
}

#[test]
fn wrong_command_lines_are_refused() {
    for (line, code) in [
        ("/workload serve --prot=1", 64),
        ("/workload serve extra", 64),
        ("/workload nosuch", 64),
        ("/workload serve --start-delay=soon", 78),
        ("/workload serve --bind=here", 78),
        ("/workload serve --upstreams=api", 78),
        ("/workload serve --orders=https://x/", 78),
        ("/workload serve --wait-for=db", 78),
        ("/workload serve --stop=maybe", 78),
        ("/workload client", 78),
        ("/workload wait-for db", 64),
        ("/workload job --exit=256", 78),
    ] {
        let (ended, log) = refusal(line, &mut MemoryMachine::new());
        assert_eq!(ended, code, "{line}: {log}");
        assert_eq!(log.lines().count(), 1, "{line}: {log}");
    }
}

#[test]
fn it_does_not_listen_before_its_time() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload serve --start-delay=40s --port=80 --ready-delay=5s", &mut machine);
    let listen = program.listens()[0];
    let to = SocketAddr::from(([10, 0, 0, 1], 80));
    assert!(!listen.accepts(to, Duration::from_secs(39)));
    assert!(listen.accepts(to, Duration::from_secs(40)));
    assert!(!listen.accepts(SocketAddr::from(([10, 0, 0, 1], 81)), Duration::from_secs(40)));
    assert_eq!(program.wakes_at(), Some(Duration::from_secs(40)));
    program.tick(&mut machine);
    assert!(!machine.log().contains("listens"), "{}", machine.log());
    machine.now = Duration::from_secs(40);
    assert_eq!(program.tick(&mut machine), None);
    assert!(machine.log().contains("listens on 0.0.0.0:80"));
    assert_eq!(program.wakes_at(), None, "an idle server plans nothing");
    assert_eq!(get(&program, "/ready", &mut machine).0, 503);
    machine.now = Duration::from_secs(45);
    assert_eq!(get(&program, "/ready", &mut machine).0, 200);
}

#[test]
fn bound_to_loopback_it_accepts_nobody_else() {
    let program = start("/workload serve --bind=127.0.0.1", &mut MemoryMachine::new());
    let listen = program.listens()[0];
    assert!(listen.accepts(SocketAddr::from(([127, 0, 0, 1], 8080)), Duration::ZERO));
    assert!(!listen.accepts(SocketAddr::from(([10, 0, 0, 1], 8080)), Duration::ZERO));
}

#[test]
fn upstreams_stand_on_the_page() {
    let mut machine = MemoryMachine::new();
    machine.name("api", [10, 0, 0, 2]);
    machine.name("old", [10, 0, 0, 3]);
    machine.answer([10, 0, 0, 2], 8080, Ok(Response::text(200, "api 1.4\nmore\n")));
    let program = start("/workload serve --upstreams=api=http://api:8080/", &mut machine);
    assert_eq!(get(&program, "/", &mut machine), (200, "workload 0\ncurrency: USD\napi: api 1.4\n".into()));
    let (_, sent) = &machine.calls[0];
    assert_eq!(sent.header("host"), Some("api:8080"));
    assert!(sent.header("x-request-id").is_some(), "the id travels on");
    assert!(machine.log().contains(" api=2ms "), "{}", machine.log());

    let program = start("/workload serve --upstreams=old=http://old/,api=http://nosuch/", &mut machine);
    let (status, page) = get(&program, "/", &mut machine);
    assert_eq!(status, 502);
    assert!(page.contains("old: connection refused\n") && page.contains("api: name unknown: nosuch\n"), "{page}");
    machine.answer([10, 0, 0, 3], 80, Err(CallError::TimedOut));
    assert_eq!(get(&program, "/", &mut machine).0, 504);
}

#[test]
fn circles_end() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload", &mut machine);
    let request = Request::get("/").with_header(HOPS_HEADER, "8");
    assert_eq!(ask(&program, &request, &mut machine).0, 508);
}

#[test]
fn orders_are_handed_on() {
    let mut machine = MemoryMachine::new();
    machine.name("api", [10, 0, 0, 2]);
    machine.answer([10, 0, 0, 2], 8080, Ok(Response::text(200, "o-1\n")));
    let program = start("/workload serve --orders=http://api:8080/order --orders-password=s3", &mut machine);
    assert_eq!(ask(&program, &Request::post("/order", "o-1\n"), &mut machine), (200, "o-1\n".into()));
    assert_eq!(machine.calls[0].1.target, "/order");
    assert_eq!(machine.calls[0].1.body, b"o-1");
    assert_eq!(machine.calls[0].1.header("x-password"), Some("s3"));
    get(&program, "/orders", &mut machine);
    assert_eq!(machine.calls[1].1.target, "/orders");
    machine.answer([10, 0, 0, 2], 8080, Ok(Response::text(401, "wrong password\n")));
    let (status, why) = post(&program, "/order?id=o-2", &mut machine);
    assert_eq!((status, why.as_str()), (502, "api:8080: status 401: wrong password\n"));
    assert_eq!(post(&program, "/order?id=a%20b", &mut machine).0, 400);
    assert_eq!(post(&program, "/order", &mut machine).0, 400);
    let plain = start("/workload serve", &mut machine);
    assert_eq!(post(&plain, "/order?id=o-1", &mut machine).0, 404);
}

#[test]
fn a_store_keeps_orders_and_asks_for_its_password() {
    let mut machine = MemoryMachine::new();
    machine.files.put("/run/password", "s3cret\n");
    let program = start("/workload store --password-file=/run/password --seed-records=o-1", &mut machine);
    assert_eq!(post(&program, "/records?id=o-2", &mut machine).0, 401);
    let with = |request: Request| request.with_header("x-password", "s3cret");
    assert_eq!(ask(&program, &with(Request::post("/records", "o-2")), &mut machine).0, 200);
    let (_, list) = ask(&program, &with(Request::get("/records")), &mut machine);
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["o-1", "o-2"]);
    machine.files.put("/run/password", "new");
    assert_eq!(ask(&program, &with(Request::get("/records")), &mut machine).0, 401, "the file is read anew");
}

#[test]
fn an_order_that_is_not_on_the_disk_is_not_accepted() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload store", &mut machine);
    machine.files.read_only = true;
    let (status, why) = post(&program, "/order?id=o-1", &mut machine);
    assert_eq!((status, why.as_str()), (500, "order not stored: Read-only file system\n"));
    assert_eq!(get(&program, "/orders", &mut machine), (200, String::new()));
}

#[test]
fn a_store_without_its_folder_says_so() {
    let mut machine = MemoryMachine::new();
    machine.files.read_only = true;
    assert_eq!(
        refusal("/workload store", &mut machine),
        (1, "cannot use the data folder /data: Read-only file system\n".into())
    );
}

#[test]
fn switches_break_and_mend() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload", &mut machine);
    assert_eq!((get(&program, "/healthz", &mut machine).0, get(&program, "/ready", &mut machine).0), (200, 200));
    post(&program, "/break", &mut machine);
    post(&program, "/unready", &mut machine);
    assert_eq!((get(&program, "/healthz", &mut machine).0, get(&program, "/ready", &mut machine).0), (500, 503));
    post(&program, "/mend", &mut machine);
    assert_eq!((get(&program, "/healthz", &mut machine).0, get(&program, "/ready", &mut machine).0), (200, 200));
    assert_eq!(get(&program, "/hang", &mut machine).0, 405, "a look breaks nothing");
    assert_eq!(get(&program, "/readyz", &mut machine).0, 404);
    assert_eq!(post(&program, "/hang", &mut machine).0, 200);
    assert_eq!(program.handle(&Request::get("/healthz"), &mut machine), Outcome::Hang);
}

#[test]
fn probes_are_logged_when_their_answer_changes() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload", &mut machine);
    for _ in 0..3 {
        get(&program, "/healthz", &mut machine);
    }
    assert_eq!(machine.log().matches("GET /healthz 200").count(), 1);
    post(&program, "/break", &mut machine);
    get(&program, "/healthz", &mut machine);
    assert_eq!(machine.log().matches("GET /healthz 500").count(), 1);
}

#[test]
fn readiness_waits_for_others() {
    let mut machine = MemoryMachine::new();
    machine.name("db", [10, 0, 0, 2]);
    let program = start("/workload serve --wait-for=db:5432", &mut machine);
    assert_eq!(get(&program, "/ready", &mut machine), (503, "waits for db:5432: connection refused\n".into()));
    machine.answer([10, 0, 0, 2], 5432, Ok(Response::text(200, "")));
    assert_eq!(get(&program, "/ready", &mut machine).0, 200);
    assert_eq!(get(&program, "/healthz", &mut machine).0, 200);
}

#[test]
fn pages_fill_the_cache_and_load_does_not_come_on_top() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload serve --cache-mb=96", &mut machine);
    program.tick(&mut machine);
    assert_eq!(program.held_bytes(machine.now), 0);
    for _ in 0..20 {
        get(&program, "/", &mut machine);
    }
    assert_eq!(program.held_bytes(machine.now), 96 * MIB);
    post(&program, "/load?seconds=30", &mut machine);
    assert_eq!(program.held_bytes(machine.now), 96 * MIB);
    assert_eq!(program.wakes_at(), Some(Duration::from_secs(30)));
    machine.now = Duration::from_secs(60);
    program.tick(&mut machine);
    assert_eq!(program.held_bytes(machine.now), 0);
    assert_eq!(program.wakes_at(), None);
}

#[test]
fn load_takes_what_it_is_told() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload", &mut machine);
    post(&program, "/load", &mut machine);
    assert_eq!(program.held_bytes(machine.now), 64 * MIB);
    post(&program, "/load?mb=200&seconds=5", &mut machine);
    assert_eq!(program.held_bytes(machine.now), 200 * MIB);
    assert_eq!(program.held_bytes(Duration::from_secs(5)), 0);
    assert_eq!(post(&program, "/load?mb=-1", &mut machine).0, 400);
    assert_eq!(post(&program, "/load?seconds=x", &mut machine).0, 400);
}

#[test]
fn a_server_stops_in_good_order() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload serve --stop-delay=6s", &mut machine);
    program.tick(&mut machine);
    assert_eq!(program.signal(SIGTERM, &mut machine), Reaction::Stopping);
    assert_eq!(get(&program, "/", &mut machine).0, 200);
    assert_eq!(get(&program, "/ready", &mut machine).0, 503);
    machine.now = Duration::from_secs(3);
    program.signal(SIGTERM, &mut machine);
    assert_eq!(program.wakes_at(), Some(Duration::from_secs(6)), "asking twice changes nothing");
    assert_eq!(program.tick(&mut machine), None);
    machine.now = Duration::from_secs(6);
    assert_eq!(program.tick(&mut machine), Some(End::Exit(0)));
}

#[test]
fn without_a_handler_pid_1_goes_on() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload serve --stop=none", &mut machine);
    assert_eq!(program.signal(SIGTERM, &mut machine), Reaction::Ignored);
    machine.pid = 7;
    assert_eq!(program.signal(SIGTERM, &mut machine), Reaction::Ended(End::Signal(SIGTERM)));
    let program = start("/workload serve --stop=ignore", &mut machine);
    assert_eq!(program.signal(SIGTERM, &mut machine), Reaction::Ignored);
}

#[test]
fn exit_is_answered_first() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload", &mut machine);
    program.tick(&mut machine);
    assert_eq!(post(&program, "/exit?code=3", &mut machine).0, 200);
    assert_eq!(program.tick(&mut machine), None);
    machine.now = program.wakes_at().unwrap();
    assert_eq!(program.tick(&mut machine), Some(End::Exit(3)));
    assert_eq!(post(&program, "/exit?code=300", &mut machine).0, 400);
}

#[test]
fn every_endpoint_is_answered() {
    let mut machine = MemoryMachine::new();
    for (method, path) in ENDPOINTS {
        let (line, target, wanted) = match *path {
            "/cache" => ("/workload cache", "/cache?key=k", 200),
            // It has not asked its leader yet.
            "/sync" => ("/workload store --data=/f --leader=http://10.0.0.9:5432", "/sync", 503),
            path => ("/workload store --data=/d", path, 200),
        };
        let program = start(line, &mut machine);
        machine.release_locks();
        let status = ask(&program, &Request::post(target, "o-1"), &mut machine).0;
        let status = if *method == "GET" { get(&program, target, &mut machine).0 } else { status };
        assert_eq!(status, wanted, "{method} {path}");
    }
}

#[test]
fn a_service_link_of_kubernetes_disturbs_nothing() {
    let links = [("PORT", "tcp://10.0.0.7:80"), ("DB_PORT", "tcp://10.0.0.7:5432"), ("STOP_SERVICE_HOST", "10.0.0.8")];
    let program = start("/workload", &mut MemoryMachine::new().with_env(&links));
    assert_eq!(program.listens()[0].address.port(), 8080);
}

/// What the program answers, with its headers.
fn whole(program: &Program, request: &Request, machine: &mut MemoryMachine) -> Response {
    match program.handle(request, machine) {
        Outcome::Answer { response, cpu, delay, entry } => {
            if let Some(entry) = entry {
                machine.print(Stream::Out, &entry.line(machine.uptime() + cpu + delay));
            }
            response
        }
        Outcome::Hang => panic!("it hangs"),
    }
}

#[test]
fn a_page_comes_out_of_the_cache_where_there_is_one() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload serve --cache=http://10.0.0.2:6379", &mut machine);
    let word = |machine: &mut MemoryMachine| {
        whole(&program, &Request::get("/"), machine).header("x-cache").map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(word(&mut machine), "away");
    machine.answer([10, 0, 0, 2], 6379, Ok(Response::text(404, "no page")));
    assert_eq!(word(&mut machine), "miss", "something answers that is no cache");
    assert_eq!(machine.calls.last().unwrap().1.target, "/cache?key=workload-0");
    machine.answer([10, 0, 0, 2], 6379, Ok(Response::text(200, "kept page")));
    assert_eq!(word(&mut machine), "hit");
    assert_eq!(get(&program, "/", &mut machine).1, "kept page");
}

#[test]
fn what_is_cached_lasts_a_minute() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload cache", &mut machine);
    assert_eq!(ask(&program, &Request::post("/cache?key=a", "1"), &mut machine).0, 200);
    assert_eq!(get(&program, "/cache?key=a", &mut machine), (200, "1".to_owned()));
    machine.now = Duration::from_secs(61);
    assert_eq!(get(&program, "/cache?key=a", &mut machine).0, 404);
    assert_eq!(get(&program, "/cache", &mut machine).0, 400);
}

#[test]
fn an_order_is_signed_with_the_key_of_the_moment() {
    let mut machine = MemoryMachine::new();
    machine.answer([10, 0, 0, 2], 5432, Ok(Response::text(200, "")));
    let program = start("/workload serve --orders=http://10.0.0.2:5432/records --sign-key-file=/key", &mut machine);
    let (status, body) = ask(&program, &Request::post("/order", "o-1"), &mut machine);
    assert_eq!(
        (status, body.as_str()),
        (500, "order not signed: cannot read the key file /key: No such file or directory\n")
    );
    machine.write("/key", b"secret", crate::WriteMode::Replace).unwrap();
    assert_eq!(ask(&program, &Request::post("/order", "o-1"), &mut machine).0, 200);
    assert!(machine.calls.last().unwrap().1.header("x-signature").is_some());
}

#[test]
fn a_follower_holds_what_its_leader_holds() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload store --data=/f --leader=http://10.0.0.2:5432", &mut machine);
    program.tick(&mut machine);
    assert_eq!(get(&program, "/ready", &mut machine).0, 503);
    assert_eq!(get(&program, "/sync", &mut machine).1, "out of sync: 10.0.0.2:5432: connection refused\n");
    let leader = start("/workload store --data=/l --seed-records=o-1,o-2", &mut machine);
    let backup = get(&leader, "/backup", &mut machine).1;
    machine.answer([10, 0, 0, 2], 5432, Ok(Response::text(200, backup)));
    machine.now = program.wakes_at().unwrap();
    program.tick(&mut machine);
    assert_eq!(get(&program, "/sync", &mut machine), (200, "in sync with 10.0.0.2:5432\n".to_owned()));
    assert_eq!(get(&program, "/records", &mut machine), get(&leader, "/records", &mut machine));
    assert_eq!(ask(&program, &Request::post("/records", "o-3"), &mut machine).0, 403);
}

#[test]
fn helpers_run_until_one_cannot() {
    let mut machine = MemoryMachine::new();
    let program = start("/workload --reap", &mut machine);
    assert!(program.reaps());
    assert_eq!(post(&program, "/helper?times=3", &mut machine), (200, "3 helpers done\n".into()));
    assert_eq!(machine.spawned, ["helper"; 3]);
    assert_eq!(post(&program, "/helper", &mut machine).0, 200);
    assert_eq!(post(&program, "/helper?times=many", &mut machine).0, 400);
    machine.spawn_refused = "Resource temporarily unavailable".into();
    let answer = (500, "helper 1 of 100 failed: Resource temporarily unavailable\n".into());
    assert_eq!(post(&program, "/helper?times=100", &mut machine), answer);
    assert!(machine.log().contains("helper 1 of 100 failed"));
}

#[test]
fn a_parameter_that_cannot_be_read_is_told_to_the_log_and_not_to_customers() {
    let mut machine = MemoryMachine::new().with_env(&[("PARAMETERS", "prices=/shop/prices")]);
    let program = start("/workload", &mut machine);
    assert_eq!(get(&program, "/", &mut machine), (502, "workload 0\ncurrency: USD\nprices: not readable\n".to_owned()));
    assert!(machine.log().contains("cannot read parameter /shop/prices: no parameter store"), "{}", machine.log());
    let mut machine = MemoryMachine::new().with_env(&[("PARAMETERS", "/shop/prices")]);
    let (code, log) = refusal("/workload", &mut machine);
    assert!(code == 78 && log.contains("NAME=PARAMETER is wanted"), "{code} {log}");
}
