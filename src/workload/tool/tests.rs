use super::*;
use crate::{CallError, MemoryMachine, Process, Response};

/// Run a command line; its code, output and complaints.
fn run_line(line: &str, machine: &mut MemoryMachine) -> (i32, String, String) {
    run_with_input(line, "", machine)
}

fn run_with_input(line: &str, input: &str, machine: &mut MemoryMachine) -> (i32, String, String) {
    let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(&argv, &mut input.as_bytes(), &mut out, &mut err, machine);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn files() -> MemoryMachine {
    let mut machine = MemoryMachine::new();
    machine.epoch_millis = 1_763_730_245_000;
    machine.files.put("/etc/shop/shop.yaml", "currency: EUR\nname: shop\n");
    machine.files.put("/etc/shop/.hidden", "x");
    machine
}

#[test]
fn tools_are_sorted_and_found_under_every_name() {
    assert!(names().is_sorted());
    let mut machine = files();
    for line in ["cat /etc/shop/.hidden", "/bin/cat /etc/shop/.hidden", "/workload cat /etc/shop/.hidden"] {
        assert_eq!(run_line(line, &mut machine), (0, "x".into(), String::new()), "{line}");
    }
    assert_eq!(run_line("vi x", &mut machine), (127, String::new(), "vi: not found\n".into()));
    assert_eq!(run_line("/workload serve", &mut machine).0, 127);
}

#[test]
fn files_are_listed() {
    let mut machine = files();
    assert_eq!(run_line("ls /etc/shop", &mut machine).1, "shop.yaml\n");
    assert_eq!(run_line("ls -A /etc/shop", &mut machine).1, ".hidden\nshop.yaml\n");
    assert_eq!(run_line("ls -a /etc/shop", &mut machine).1, ".\n..\n.hidden\nshop.yaml\n");
    let long = run_line("ls -l /etc/shop/shop.yaml", &mut machine).1;
    assert_eq!(long, "-rw-r--r--    1 root     root            25 Jan  1 00:00 /etc/shop/shop.yaml\n");
    assert_eq!(run_line("ls -ld /etc", &mut machine).1.get(..10), Some("drwxr-xr-x"));
    let (code, _, err) = run_line("ls /nosuch", &mut machine);
    assert_eq!((code, err.as_str()), (1, "ls: /nosuch: No such file or directory\n"));
    assert_eq!(run_line("ls -Z", &mut machine).2, "ls: unrecognized option: Z\n");
}

#[test]
fn files_are_made_and_removed() {
    let mut machine = files();
    assert_eq!(run_line("mkdir -p /a/b", &mut machine).0, 0);
    assert_eq!(run_line("touch /a/b/c", &mut machine).0, 0);
    assert_eq!(run_line("rm /a", &mut machine).2, "rm: can't remove '/a': Is a directory\n");
    assert_eq!(run_line("rm -rf /a /nosuch", &mut machine).0, 0);
    assert_eq!(run_line("ls /a", &mut machine).0, 1);
    machine.files.read_only = true;
    assert_eq!(run_line("touch /x", &mut machine).2, "touch: /x: Read-only file system\n");
}

#[test]
fn text_is_cut_and_searched() {
    let mut machine = files();
    let text = "one\ntwo\nthree\n";
    assert_eq!(run_with_input("head -n 1", text, &mut machine).1, "one\n");
    assert_eq!(run_with_input("tail -2", text, &mut machine).1, "two\nthree\n");
    assert_eq!(run_with_input("grep -n t", text, &mut machine).1, "2:two\n3:three\n");
    assert_eq!(run_with_input("grep ^t.o$", text, &mut machine).1, "two\n");
    assert_eq!(run_with_input("grep -ivc ONE", text, &mut machine).1, "2\n");
    assert_eq!(run_with_input("grep four", text, &mut machine).0, 1);
    assert_eq!(run_with_input("grep a*", text, &mut machine).0, 2, "half a pattern is not searched for");
    assert_eq!(run_with_input("wc -l", text, &mut machine).1, "3\n");
    assert_eq!(run_line("wc /etc/shop/shop.yaml", &mut machine).1, "2 4 25 /etc/shop/shop.yaml\n");
    assert_eq!(run_line("cat /nosuch", &mut machine).2, "cat: can't open '/nosuch': No such file or directory\n");
}

#[test]
fn the_process_tells_about_itself() {
    let mut machine = files().with_env(&[("APP", "web")]);
    assert_eq!(run_line("env", &mut machine).1, "APP=web\n");
    assert_eq!(run_line("env A=1 printenv A APP", &mut machine).1, "1\nweb\n");
    assert_eq!(run_line("printenv NOSUCH", &mut machine).0, 1);
    assert_eq!(run_line("id", &mut machine).1, "uid=0(root) gid=0(root) groups=0(root)\n");
    machine.user.uid = 10001;
    assert_eq!(run_line("id -u", &mut machine).1, "10001\n");
    assert_eq!(run_line("whoami", &mut machine).2, "whoami: unknown uid 10001\n");
    assert_eq!(run_line("hostname", &mut machine).1, "here\n");
    assert_eq!(run_line("date", &mut machine).1, "Fri Nov 21 13:04:05 UTC 2025\n");
    machine.processes.push(Process { pid: 12, uid: 10001, state: 'R', argv: vec!["ps".into()] });
    let table = "PID   USER     STAT COMMAND\n    1 root     S    /workload serve\n   12 10001    R    ps\n";
    assert_eq!(run_line("ps aux", &mut machine).1, table);
    machine.pid = 12;
    let line = "{\"pid\":1,\"uid\":0,\"state\":\"S\",\"command\":\"/workload serve\"}\n";
    assert!(run_line("ps --json", &mut machine).1 == line);
    assert_eq!(run_line("sleep 2 500ms", &mut machine).0, 0);
    assert_eq!(machine.now.as_millis(), 2_500);
}

#[test]
fn signals_are_sent() {
    let mut machine = files();
    for line in ["kill 1", "kill -9 1", "kill -s HUP 1", "kill -SIGINT 1"] {
        assert_eq!(run_line(line, &mut machine).0, 0, "{line}");
    }
    assert_eq!(machine.signals, [(1, 15), (1, 9), (1, 1), (1, 2)]);
    assert_eq!(run_line("kill 99", &mut machine).2, "kill: can't kill pid 99: No such process\n");
    assert_eq!(run_line("kill -WHAT 1", &mut machine).2, "kill: bad signal name 'WHAT'\n");
}

#[test]
fn comparisons_are_made() {
    let mut machine = files();
    for (line, code) in [
        ("test -f /etc/shop/shop.yaml", 0),
        ("test -d /etc/shop/shop.yaml", 1),
        ("test ! -e /nosuch", 0),
        ("[ a = a ]", 0),
        ("[ 2 -gt 10 ]", 1),
        ("[ a = a", 2),
        ("test a -o b", 2),
        ("true", 0),
        ("false", 1),
    ] {
        assert_eq!(run_line(line, &mut machine).0, code, "{line}");
    }
}

#[test]
fn wget_speaks_like_wget() {
    let mut machine = files();
    machine.name("shop", [10, 0, 0, 2]);
    machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "shop 1.4\n")));
    assert_eq!(run_line("wget -qO- http://shop/", &mut machine), (0, "shop 1.4\n".into(), String::new()));
    assert_eq!(run_line("wget -q -O /page shop", &mut machine).0, 0);
    assert_eq!(run_line("cat /page", &mut machine).1, "shop 1.4\n");
    assert_eq!(run_line("wget -qO- nosuch", &mut machine).2, "wget: bad address 'nosuch'\n");
    assert_eq!(run_line("wget https://shop", &mut machine).2, "wget: not an http:// URL: https://shop\n");
    let refused = run_line("wget -qO- -T 2 shop:81", &mut machine).2;
    assert_eq!(refused, "wget: can't connect to remote host (shop): Connection refused\n");
    machine.answer([10, 0, 0, 2], 80, Ok(Response::text(503, "no")));
    assert_eq!(run_line("wget -qO- shop", &mut machine).2, "wget: server returned error: HTTP/1.1 503\n");
    machine.answer([10, 0, 0, 2], 80, Err(CallError::TimedOut));
    assert_eq!(run_line("wget -qO- -T 2 shop", &mut machine), (1, String::new(), "wget: download timed out\n".into()));
}

#[test]
fn names_are_looked_up() {
    let mut machine = files();
    machine.files.put("/etc/resolv.conf", "nameserver 10.96.0.10\nsearch shop.svc.cluster.local\noptions ndots:5\n");
    machine.name("web.shop.svc.cluster.local", [10, 96, 1, 1]);
    let (code, out, _) = run_line("nslookup web", &mut machine);
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tweb.shop.svc.cluster.local\nAddress: 10.96.1.1\n"
    );
    let (code, out, _) = run_line("nslookup nosuch 10.0.0.53", &mut machine);
    assert!(code == 1 && out.contains("10.0.0.53:53") && out.contains("can't find nosuch: NXDOMAIN"), "{out}");
    machine.name_servers_silent = true;
    assert_eq!(run_line("nslookup web", &mut machine).2, ";; connection timed out; no servers could be reached\n");
}

#[test]
fn ports_are_tried() {
    let mut machine = files();
    machine.answer([10, 0, 0, 2], 80, Ok(Response::default()));
    assert_eq!(run_line("nc -zv 10.0.0.2 80", &mut machine).2, "10.0.0.2 (10.0.0.2:80) open\n");
    assert_eq!(run_line("nc -zv -w 1 10.0.0.2 81", &mut machine).2, "nc: 10.0.0.2:81: connection refused\n");
    assert_eq!(run_line("nc -z 10.0.0.2 81", &mut machine), (1, String::new(), String::new()));
    assert_eq!(run_line("nc 10.0.0.2 80", &mut machine).0, 1);
}

#[test]
fn get_tells_every_outcome() {
    let mut machine = files();
    machine.name("shop", [10, 0, 0, 2]);
    machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "hi\n")));
    machine.answer([10, 0, 0, 2], 81, Err(CallError::Reset));
    machine.answer([10, 0, 0, 2], 82, Err(CallError::TimedOut));
    let (code, out, _) = run_line("get --json --times 2 http://shop/", &mut machine);
    assert_eq!(code, 0);
    let line = r#"{"url":"http://shop/","outcome":"answered","status":200,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"hi\n","truncated":false,"millis":2,"address":"10.0.0.2:80","error":null,"control":false}"#;
    assert_eq!(out, format!("{line}\n{line}\n"));
    let (code, out, _) = run_line(
        "get --json --control http://shop/ http://shop:81/ http://shop:82/ http://shop:83/ http://no/",
        &mut machine,
    );
    assert_eq!(code, 1);
    let outcomes = ["reset", "timed_out", "refused", "name_unknown", "answered"];
    for (line, outcome) in out.lines().zip(outcomes) {
        assert!(line.contains(&format!("\"outcome\":\"{outcome}\"")), "{line}");
        assert!(line.ends_with(&format!("\"control\":{}}}", outcome == "answered")), "{line}");
    }
    assert_eq!(out.lines().count(), outcomes.len());
}

#[test]
fn get_sends_what_it_is_told() {
    let mut machine = files();
    machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "x".repeat(70_000))));
    let (_, out, _) =
        run_line("get --json --header x-a:1 --body o-1 --timeout 300ms http://10.0.0.2/order?x=1", &mut machine);
    let (_, sent) = machine.calls.last().unwrap();
    assert_eq!((sent.method.as_str(), sent.target.as_str(), sent.body.as_slice()), ("POST", "/order?x=1", &b"o-1"[..]));
    assert_eq!(sent.header("x-a"), Some("1"));
    assert!(out.contains("\"truncated\":true") && out.len() < 66_000);
    for wrong in
        ["get", "get --times 0 http://x/", "get --timeout 0 http://x/", "get https://x/", "get --header x http://x/"]
    {
        assert_eq!(run_line(wrong, &mut machine).0, 64, "{wrong}");
    }
}
