//! A simulator writes programs down and reads them back.
#![cfg(feature = "serde")]

use std::time::Duration;

use breakfix_workload::{Boot, MemoryMachine, Outcome, Program, Request, SIGTERM, boot};

fn start(line: &str, machine: &mut MemoryMachine) -> Program {
    let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
    match boot(&argv, machine) {
        Boot::Running(program) => program,
        Boot::Ended(end) => panic!("ended with {end:?}: {}", machine.log()),
    }
}

fn again(program: &Program) -> Program {
    serde_json::from_str(&serde_json::to_string(program).unwrap()).unwrap()
}

fn status(program: &Program, request: &Request, machine: &mut MemoryMachine) -> u16 {
    match program.handle(request, machine) {
        Outcome::Answer { response, .. } => response.status,
        Outcome::Hang => 0,
    }
}

#[test]
fn a_server_goes_on_where_it_was() {
    let mut machine = MemoryMachine::new();
    let server = start("/workload store --cache-mb=96 --stop-delay=5s --wait-for=db:1", &mut machine);
    server.tick(&mut machine);
    for target in ["/break", "/load?mb=10", "/order?id=o-1"] {
        assert_eq!(status(&server, &Request::new("POST", target), &mut machine), 200);
    }
    server.signal(SIGTERM, &mut machine);
    let copy = again(&server);
    assert_eq!(copy.held_bytes(machine.now), 10 << 20);
    assert_eq!(copy.wakes_at(), Some(Duration::from_secs(5)));
    assert_eq!(status(&copy, &Request::get("/healthz"), &mut machine), 500);
    assert_eq!(
        format!("{copy:?}"),
        format!("{server:?}")
            .replace("requests: 3", "requests: 4")
            .replace("{200: 3}", "{200: 3, 500: 1}")
            .replace("probes: {}", "probes: {\"/healthz\": 500}")
    );
}

#[test]
fn every_role_can_be_written_down() {
    for line in
        ["/workload client http://x/", "/workload wait-for x:1", "/workload job --say=x --after=2s", "sleep infinity"]
    {
        let program = start(line, &mut MemoryMachine::new());
        assert_eq!(format!("{:?}", again(&program)), format!("{program:?}"), "{line}");
    }
}
