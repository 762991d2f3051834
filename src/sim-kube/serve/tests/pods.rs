//! Pods through the client that breakfix itself uses: exec, logs, port-forward, in this process and on time that moves by hand.

use std::time::Duration;

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{AttachParams, AttachedProcess, LogParams},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt};

use super::*;
use crate::serve::local::{LocalServer, local};

fn pods() -> (LocalServer, Api<Pod>) {
    let server = local(shared(lived_in("2026-11-21T12:00:00Z".parse().unwrap())));
    let client = Client::new(server.requests(), "shop");
    (server, Api::default_namespaced(client))
}

struct Ended {
    stdout: String,
    stderr: String,
    code: Option<String>,
    message: Option<String>,
}

async fn ended(mut process: AttachedProcess) -> Ended {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    if let Some(mut stream) = process.stdout() {
        stream.read_to_string(&mut stdout).await.unwrap();
    }
    if let Some(mut stream) = process.stderr() {
        stream.read_to_string(&mut stderr).await.unwrap();
    }
    let status = process.take_status().unwrap().await;
    process.join().await.unwrap();
    let causes = status.as_ref().and_then(|status| status.details.clone()).and_then(|details| details.causes);
    let code = causes.and_then(|causes| causes.into_iter().find_map(|cause| cause.message));
    Ended { stdout, stderr, code, message: status.and_then(|status| status.message) }
}

#[tokio::test]
async fn a_command_prints_and_tells_its_exit_code() {
    let (_server, pods) = pods();
    let plain = AttachParams::default();
    let run = |command: &'static [&'static str]| pods.exec("web", command.iter().copied(), &plain);
    let well = ended(run(&["echo", "hi"]).await.unwrap()).await;
    assert_eq!((well.stdout.as_str(), well.code), ("hi\n", None));
    let badly = ended(run(&["sh", "-c", "cat /nothing; exit 3"]).await.unwrap()).await;
    assert_eq!(badly.stderr, "cat: can't open '/nothing': No such file or directory\n");
    assert_eq!(badly.code.as_deref(), Some("3"));
    let missing = ended(run(&["bash"]).await.unwrap()).await;
    assert!(missing.message.unwrap().contains("executable file not found in $PATH"));
}

#[tokio::test]
async fn input_goes_to_the_command_that_reads_it() {
    let (_server, pods) = pods();
    let with_input = AttachParams::default().stdin(true);
    let mut process = pods.exec("web", ["cat"], &with_input).await.unwrap();
    let mut stdin = process.stdin().unwrap();
    stdin.write_all(b"one\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    stdin.write_all(b"two\n").await.unwrap();
    stdin.shutdown().await.unwrap();
    drop(stdin);
    assert_eq!(ended(process).await.stdout, "one\ntwo\n");
    let process = pods.exec("web", ["echo", "at once"], &with_input).await.unwrap();
    assert_eq!(ended(process).await.stdout, "at once\n", "a command that reads nothing does not wait");
}

#[tokio::test]
async fn a_shell_takes_lines_and_remembers() {
    let (server, pods) = pods();
    let mut process = pods.exec("web", ["sh"], &AttachParams::default().stdin(true)).await.unwrap();
    let mut stdin = process.stdin().unwrap();
    stdin.write_all(b"cd /tmp\nA=1\npwd; echo $A\ncat > note\nline\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stdin.shutdown().await.unwrap();
    drop(stdin);
    let done = ended(process).await;
    assert_eq!(done.stdout, "/tmp\n1\n", "{}", done.stderr);
    let read = pods.exec("web", ["cat", "/tmp/note"], &AttachParams::default()).await.unwrap();
    assert_eq!(ended(read).await.stdout, "line\n");
    drop(server);
}

#[tokio::test]
async fn a_terminal_shows_prompt_and_echo() {
    let (_server, pods) = pods();
    let mut process = pods.exec("web", ["sh"], &AttachParams::interactive_tty()).await.unwrap();
    let (mut stdin, mut stdout) = (process.stdin().unwrap(), process.stdout().unwrap());
    let mut screen = Vec::new();
    let mut show = async |until: &str| {
        let reading = async {
            while !String::from_utf8_lossy(&screen).ends_with(until) {
                let mut buffer = [0; 256];
                let count = stdout.read(&mut buffer).await.unwrap();
                assert!(count > 0, "{}", String::from_utf8_lossy(&screen));
                screen.extend_from_slice(&buffer[..count]);
            }
        };
        tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap_or_else(|_| panic!("never {until:?}"));
        String::from_utf8(std::mem::take(&mut screen)).unwrap()
    };
    assert_eq!(show("# ").await, "/ # ");
    stdin.write_all(b"echo hi\r").await.unwrap();
    assert_eq!(show("# ").await, "echo hi\r\nhi\r\n/ # ");
    stdin.write_all(b"nonsense\x03").await.unwrap();
    assert_eq!(show("# ").await, "nonsense^C\r\n/ # ");
    stdin.write_all(b"cat\rtyped\r\x04").await.unwrap();
    assert_eq!(show("# ").await, "cat\r\ntyped\r\ntyped\r\n/ # ");
    stdin.write_all(b"exit 4\r").await.unwrap();
    let status = process.take_status().unwrap().await.unwrap();
    assert_eq!(status.reason.as_deref(), Some("NonZeroExitCode"));
}

#[tokio::test]
async fn a_log_is_shown_and_followed() {
    let (server, pods) = pods();
    let log = pods.logs("web", &LogParams::default()).await.unwrap();
    assert!(log.lines().count() > 0, "{log}");
    let one = LogParams { tail_lines: Some(1), timestamps: true, ..LogParams::default() };
    let line = pods.logs("web", &one).await.unwrap();
    assert!(line.starts_with("2026-11-21T"), "{line}");
    let follow = LogParams { follow: true, tail_lines: Some(0), ..LogParams::default() };
    let mut followed = pods.log_stream("web", &follow).await.unwrap();
    let get = ["get", "http://localhost:8080/hello"];
    ended(pods.exec("web", get, &AttachParams::default()).await.unwrap()).await;
    server.host().skip(Duration::from_secs(1));
    let mut buffer = [0; 256];
    let count = tokio::time::timeout(Duration::from_secs(10), followed.read(&mut buffer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&buffer[..count]).contains("GET /hello"), "{:?}", &buffer[..count]);
}

#[tokio::test]
async fn a_port_is_forwarded() {
    let (_server, pods) = pods();
    let mut forwarder = pods.portforward("web", &[8080]).await.unwrap();
    let mut stream = forwarder.take_stream(8080).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("shop 1.4"), "{answer}");
    let mut closed = pods.portforward("web", &[81]).await.unwrap();
    let error = closed.take_error(81).unwrap().await.unwrap();
    assert!(error.contains("connection refused"), "{error}");
}

#[tokio::test]
async fn a_container_that_does_not_run_is_told_before_the_handshake() {
    let (server, pods) = pods();
    let mut waiting = web();
    waiting["metadata"]["name"] = json!("waiting");
    waiting["spec"]["containers"][0]["image"] = json!("registry.example/none:1");
    pods.create(&kube::api::PostParams::default(), &serde_json::from_value(waiting).unwrap()).await.unwrap();
    server.host().skip(Duration::from_secs(5));
    let refused = pods.exec("waiting", ["ls"], &AttachParams::default()).await.err().unwrap();
    assert!(format!("{refused:?}").contains("500"), "{refused:?}");
}

#[tokio::test]
async fn attach_shows_what_the_process_prints_from_now_on() {
    let (server, pods) = pods();
    let mut process = pods.attach("web", &AttachParams::default()).await.unwrap();
    let mut stdout = process.stdout().unwrap();
    ended(pods.exec("web", ["get", "http://localhost:8080/attached"], &AttachParams::default()).await.unwrap()).await;
    server.host().skip(Duration::from_secs(1));
    let mut buffer = [0; 256];
    let count = tokio::time::timeout(Duration::from_secs(10), stdout.read(&mut buffer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&buffer[..count]).contains("GET /attached"));
}

#[tokio::test]
async fn commands_end_with_their_container() {
    let (server, pods) = pods();
    let mut process = pods.exec("web", ["sh"], &AttachParams::interactive_tty()).await.unwrap();
    let status = process.take_status().unwrap();
    pods.delete("web", &kube::api::DeleteParams::default().grace_period(0)).await.unwrap();
    server.host().skip(Duration::from_secs(40));
    let status = tokio::time::timeout(Duration::from_secs(10), status).await.unwrap().unwrap();
    assert_eq!(status.details.unwrap().causes.unwrap()[0].message.as_deref(), Some("137"));
}
