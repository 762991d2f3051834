//! The server through the real `kubectl`, over TLS.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use breakfix_sim::pace::Pace;
use jiff::Timestamp;

use super::*;
use crate::serve::{
    keys::Keys,
    kubeconfig::{kubeconfig, super_kubeconfig},
    server::Server,
    service::Service,
};

/// A served cluster and a kubeconfig for it. The server's thread ends with the test's process.
pub struct Served {
    folder: tempfile::TempDir,
}

impl Served {
    /// `None`, with a word, where there is no kubectl.
    pub fn new(cluster: Cluster) -> Option<Self> {
        if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
            println!("skipped: no kubectl");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::generate(jiff::civil::date(2026, 11, 21)).unwrap();
        // Where there are no roles, only the masters may do anything.
        let has_roles = cluster.list(&crate::kind::CLUSTER_ROLE, None).next().is_some();
        let (send, ports) = std::sync::mpsc::channel();
        let thread_keys = keys.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let pace = Pace::Wall { speed: 1.0 };
                let host = Arc::new(Host::new(shared(cluster), pace, None, Timestamp::now));
                let server = Server::listen(Service::new(Arc::clone(&host)), &thread_keys, 0).await.unwrap();
                send.send(server.port()).unwrap();
                tokio::join!(server.run(), host.keep_time());
            });
        });
        let port = ports.recv().unwrap();
        let config = if has_roles { kubeconfig } else { super_kubeconfig };
        fs::write(folder.path().join("config"), config(&keys, port, "shop")).unwrap();
        let admin = kubeconfig(&keys, port, "shop");
        let nobody: String =
            admin.lines().filter(|line| !line.contains("client-")).map(|line| format!("{line}\n")).collect();
        fs::write(folder.path().join("nobody"), nobody.replace("  user:\n", "  user: {}\n")).unwrap();
        fs::write(folder.path().join("admin"), admin).unwrap();
        Some(Self { folder })
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", self.folder.path().join("config")).env("HOME", self.folder.path());
        command
    }

    /// With the kubeconfig of another: `admin`, whom a learner is, or `nobody`, who has no certificate.
    pub fn as_user(&self, config: &str, arguments: &[&str]) -> Output {
        self.command().env("KUBECONFIG", self.folder.path().join(config)).args(arguments).output().unwrap()
    }

    /// As kubectl before 1.31 would: SPDY, and no WebSocket.
    fn older(&self) -> Command {
        let mut command = self.command();
        command.env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false").env("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false");
        command
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs kubectl, which must succeed, and gives what it prints.
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A scratch folder that ends with the server.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str, object: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, object.to_string()).unwrap();
        path
    }
}

#[test]
fn kubectl_talks_to_it_like_to_any_cluster() {
    let Some(served) = Served::new(cluster()) else { return };
    assert!(served.prints(&["version"]).contains("breakfix"), "it says what it is");
    assert!(served.prints(&["api-resources"]).contains("deployments"));
    assert!(served.prints(&["create", "namespace", "shop"]).contains("namespace/shop created"));
    let file = served.file("map.json", &config_map("settings", "1"));
    let file = file.to_str().unwrap();
    assert_eq!(served.prints(&["apply", "-f", file]), "configmap/settings created\n");
    assert_eq!(served.prints(&["apply", "-f", file]), "configmap/settings unchanged\n");
    assert!(served.prints(&["get", "configmaps"]).contains("settings"));
    let missing = served.kubectl(&["get", "configmap", "nothing"]);
    assert_eq!(
        String::from_utf8_lossy(&missing.stderr),
        "Error from server (NotFound): configmaps \"nothing\" not found\n"
    );
}

#[test]
fn a_watch_goes_on_until_what_it_waits_for() {
    let Some(served) = Served::new(cluster()) else { return };
    served.prints(&["create", "namespace", "shop"]);
    let file = served.file("map.json", &config_map("settings", "1"));
    served.prints(&["create", "-f", file.to_str().unwrap()]);
    let waiting =
        served.command().args(["wait", "--for=delete", "configmap/settings", "--timeout=20s"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    served.prints(&["delete", "configmap", "settings", "--wait=false"]);
    assert!(waiting.wait_with_output().unwrap().status.success());
}

#[test]
fn nobody_without_the_right_certificate_gives_orders() {
    let Some(served) = Served::new(cluster()) else { return };
    assert!(served.prints(&["get", "--raw", "/breakfix/info"]).contains("\"simulator\":true"));
    let text = fs::read_to_string(served.folder.path().join("config")).unwrap();
    let without: String =
        text.lines().filter(|line| !line.contains("client-")).map(|line| format!("{line}\n")).collect();
    fs::write(served.folder.path().join("config"), without + "    token: nonsense\n").unwrap();
    let refused = served.kubectl(&["get", "--raw", "/breakfix/info"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Unauthorized"), "{refused:?}");
}

#[test]
fn commands_run_in_a_pod() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    assert!(served.prints(&["get", "pods"]).contains("1/1     Running"));
    assert_eq!(served.prints(&["exec", "web", "--", "echo", "hi"]), "hi\n");
    let failed = served.kubectl(&["exec", "web", "--", "sh", "-c", "exit 3"]);
    assert_eq!(failed.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&failed.stderr), "command terminated with exit code 3\n");
    let mut cat = served.command();
    cat.args(["exec", "-i", "web", "--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut cat = cat.spawn().unwrap();
    cat.stdin.take().unwrap().write_all(b"through the wire\n").unwrap();
    assert_eq!(String::from_utf8_lossy(&cat.wait_with_output().unwrap().stdout), "through the wire\n");
    let missing = served.kubectl(&["exec", "web", "--", "bash"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("executable file not found in $PATH"), "{missing:?}");
}

/// Read off a real cluster: what is printed first is there long before the command ends.
#[test]
fn a_command_s_output_comes_when_it_is_printed() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let mut command = served.command();
    command.args(["exec", "web", "--", "sh", "-c", "echo a ; sleep 4 ; echo b"]).stdout(Stdio::piped());
    let mut command = command.spawn().unwrap();
    let mut lines = BufReader::new(command.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "a");
    // Printed all at once, the command would be over by then.
    std::thread::sleep(Duration::from_secs(1));
    assert!(command.try_wait().unwrap().is_none(), "it goes on");
    assert_eq!(lines.next().unwrap().unwrap(), "b");
    assert!(command.wait().unwrap().success());
}

#[test]
fn a_container_that_does_not_run_is_told_in_kubelet_s_words() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let mut waiting = web();
    waiting["metadata"]["name"] = json!("waiting");
    waiting["spec"]["containers"][0]["image"] = json!("registry.example/none:1");
    let file = served.file("waiting.json", &waiting);
    served.prints(&["create", "-f", file.to_str().unwrap()]);
    std::thread::sleep(Duration::from_millis(1_500));
    let refused = served.kubectl(&["exec", "waiting", "--", "ls"]);
    // As recorded on a real cluster (golden wrong-image-tag/logs.txt).
    assert_eq!(
        String::from_utf8_lossy(&refused.stderr),
        "error: unable to upgrade connection: container not found (\"web\")\n"
    );
}

#[test]
fn a_log_is_followed_and_a_port_is_forwarded() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    // From its beginning: how soon kubectl comes to follow is the machine's affair.
    let mut follow = served.command().args(["logs", "-f", "web"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(follow.stdout.take().unwrap()).lines();
    let mut forward =
        served.command().args(["port-forward", "pod/web", ":8080"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut forward_says = BufReader::new(forward.stdout.take().unwrap());
    forward_says.read_line(&mut said).unwrap();
    let port: u16 = said.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    // Two connections, one after the other, in one tunnel.
    for path in ["/", "/again"] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        assert_eq!(path == "/", answer.contains("shop 1.4"), "{answer}");
        let wanted = format!("GET {path} ");
        assert!(log.any(|line| line.unwrap().starts_with(&wanted)), "{path} is in the log that is followed");
    }
    for mut child in [follow, forward] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_port_on_which_nobody_listens_is_refused() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let mut forward = served.command();
    forward.args(["port-forward", "pod/web", ":81"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut forward = forward.spawn().unwrap();
    let mut said = String::new();
    let mut forward_says = BufReader::new(forward.stdout.take().unwrap());
    forward_says.read_line(&mut said).unwrap();
    let port: u16 = said.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(answer, "");
    // It ends by itself: the connection to the pod is lost then.
    let output = forward.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("an error occurred forwarding") && error.contains("connection refused"), "{error}");
}

#[test]
fn an_older_kubectl_speaks_spdy() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let failed = served.older().args(["exec", "web", "--", "sh", "-c", "echo hi; exit 3"]).output().unwrap();
    assert_eq!((failed.status.code(), String::from_utf8_lossy(&failed.stdout)), (Some(3), "hi\n".into()), "{failed:?}");
    let mut cat = served.older();
    cat.args(["exec", "-i", "web", "--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut cat = cat.spawn().unwrap();
    cat.stdin.take().unwrap().write_all(b"through the wire\n").unwrap();
    assert_eq!(String::from_utf8_lossy(&cat.wait_with_output().unwrap().stdout), "through the wire\n");
    let mut forward = served.older().args(["port-forward", "pod/web", ":8080"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut forward_says = BufReader::new(forward.stdout.take().unwrap());
    forward_says.read_line(&mut said).unwrap();
    let port: u16 = said.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("shop 1.4"), "{answer}");
    forward.kill().unwrap();
    forward.wait().unwrap();
}

#[test]
fn the_api_server_calls_on_behalf_of_others() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    served.prints(&["expose", "pod", "web", "--port=80", "--target-port=8080", "--name=front"]);
    std::thread::sleep(Duration::from_millis(1_500));
    let base = "/api/v1/namespaces/shop";
    let raw = |path: &str| served.kubectl(&["get", "--raw", &format!("{base}/{path}")]);
    for path in [
        "pods/web/proxy/",
        "pods/web:8080/proxy/",
        "services/front/proxy/",
        "services/front:80/proxy",
        "services/http:front:/proxy/",
    ] {
        let answer = raw(path);
        assert!(String::from_utf8_lossy(&answer.stdout).contains("shop 1.4"), "{path}: {answer:?}");
    }
    let log = served.prints(&["logs", "web", "--tail=1"]);
    assert!(log.starts_with("GET / "), "the program saw it: {log}");
    // The words of the registries' ResourceLocation and of apimachinery's proxy.
    for (path, words) in [
        ("services/front:81/proxy/", "no service port 81 found for service \"front\""),
        ("services/none/proxy/", "services \"none\" not found"),
        ("pods/web:9/proxy/", "connect: connection refused"),
        ("pods/ftp:web:9/proxy/", "invalid pod request \"ftp:web:9\""),
        ("services/https:front:80/proxy/", "server gave HTTP response to HTTPS client"),
    ] {
        let refused = raw(path);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && error.contains(words), "{path}: {error}");
    }
    served.prints(&["label", "pod", "web", "app-"]);
    std::thread::sleep(Duration::from_millis(1_500));
    let refused = raw("services/front/proxy/");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no endpoints available for service \"front\""));
    assert_eq!(served.prints(&["get", "--raw", "/api/v1/nodes/breakfix-worker/proxy/healthz"]), "ok");
}

#[test]
fn kubectl_proxy_is_a_way_in_without_keys() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let mut proxy = served.command().args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().rsplit(' ').next().unwrap().to_owned();
    let get = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/api/v1/namespaces/shop/pods/web").contains("\"kind\":\"Pod\""));
    assert!(get("/api/v1/namespaces/shop/pods/web:8080/proxy/").contains("shop 1.4"));
    proxy.kill().unwrap();
    proxy.wait().unwrap();
}

/// What `kubectl run -it --rm … -- sh` does: a shell as the main process, fed over `attach`.
#[test]
fn a_main_process_takes_input() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let feed = |arguments: &[&str], text: &str| {
        let mut command = served.command();
        command.args(["run", "-i", "--rm", "--restart=Never", "--image=registry.example/shop:1"]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::sleep(Duration::from_millis(2_500));
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    let shell = feed(&["tmp", "--image-pull-policy=Never", "--", "sh"], "echo one\ncd /etc\npwd\nexit 3\n");
    let said = String::from_utf8_lossy(&shell.stdout).into_owned();
    assert!(said.contains("one\n/etc\n"), "{shell:?}");
    assert_eq!(shell.status.code(), Some(3), "the pod's exit code is kubectl's: {shell:?}");
    assert!(!served.kubectl(&["get", "pod", "tmp"]).status.success(), "--rm");
    // Closing the input of a container with stdinOnce ends what reads it.
    let cat = feed(&["cat", "--image-pull-policy=Never", "--", "cat"], "through\nthe pod\n");
    assert!(String::from_utf8_lossy(&cat.stdout).contains("through\nthe pod\n"), "{cat:?}");
}

/// What a learner does with a container that has no shell worth the name, a node, files, and a program that talks.
#[test]
fn pods_are_debugged_copied_from_and_attached_to() {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let image = "--image=registry.example/shop:1";
    let debug = |arguments: &[&str], text: &str| {
        let mut child = served.command();
        child.args(["debug", "-i", "--profile=general", image, "--image-pull-policy=Never"]).args(arguments);
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::sleep(Duration::from_millis(2_500));
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    let said = debug(&["web", "--target=web", "-c", "look", "--", "sh"], "ps\necho done\nexit\n");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.contains("done"), "{said:?}");
    // It joins its target's processes: number 1 is the program, its own shell comes after it.
    let first = text.lines().find(|line| line.split_whitespace().next() == Some("1")).unwrap_or_default();
    assert!(!first.is_empty() && !first.ends_with(" sh"), "{text}");
    assert!(served.prints(&["logs", "web", "-c", "look"]).contains("done"), "a debug container has a log");
    assert!(served.prints(&["describe", "pod", "web"]).contains("Ephemeral Containers:\n  look:"));
    let node = debug(&["node/breakfix-worker", "--", "sh"], "ls /host/etc/hostname\nhostname\nexit\n");
    assert!(String::from_utf8_lossy(&node.stdout).contains("/host/etc/hostname\nbreakfix-worker\n"), "{node:?}");
    let copied = served.kubectl(&["debug", "web", "--copy-to=copy", image, "--profile=general", "--", "sleep", "60"]);
    assert!(copied.status.success(), "{copied:?}");
    assert_eq!(
        served.prints(&["get", "pod", "copy", "-o", "jsonpath={.spec.containers[*].name}"]).split(' ').count(),
        2
    );

    let file = served.folder().join("note");
    fs::write(&file, "through tar\n").unwrap();
    let here = file.to_str().unwrap();
    served.prints(&["cp", here, "web:/tmp/note", "-c", "web"]);
    assert_eq!(served.prints(&["exec", "web", "-c", "web", "--", "cat", "/tmp/note"]), "through tar\n");
    served.prints(&["cp", "web:/tmp/note", &format!("{here}.back"), "-c", "web"]);
    assert_eq!(fs::read_to_string(file.with_extension("back")).unwrap(), "through tar\n");

    let mut attached = served.command().args(["attach", "web", "-c", "web"]).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    served.prints(&["get", "--raw", "/api/v1/namespaces/shop/pods/web/proxy/"]);
    let mut said = BufReader::new(attached.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("GET / ")), "what the program prints is seen");
    attached.kill().unwrap();
    attached.wait().unwrap();
}
