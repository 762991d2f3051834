//! `check --watch` beside a learner who works, and the steps of a guided lab.

mod learner;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use learner::{Learner, have};

const LAB: &str = "shop-answers-nobody";
const SOON: Duration = Duration::from_secs(60);
const FIX: [&str; 6] =
    ["kubectl", "patch", "service", "shop", "--type=merge", "-p={\"spec\":{\"selector\":{\"component\":\"web\"}}}"];

/// A `check --watch` without a terminal.
struct Watching {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Watching {
    fn begin(learner: &Learner, arguments: &[&str]) -> Self {
        let mut command = learner.command(env!("CARGO_BIN_EXE_breakfix"));
        command.args(["check", "--watch"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (to, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: String::new() }
    }

    /// Waits until a line says this.
    #[track_caller]
    fn until(&mut self, wanted: &str) {
        let end = Instant::now() + SOON;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push_str(&format!("{line}\n"));
                    if line.contains(wanted) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("it never said `{wanted}`\n{}", self.seen)
                }
            }
        }
    }

    /// Waits for its end, and yields its code.
    #[track_caller]
    fn code(mut self) -> i32 {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        panic!("it does not end\n{}", self.seen)
    }
}

#[test]
fn watching_sees_a_repair_and_ends_with_it() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", LAB]).code(0);
    let mut watching = Watching::begin(&learner, &[]);
    watching.until("Not solved yet.");
    // The other terminal is the learner's: the session is nobody's between two looks.
    learner.run(&["hint"]).code(0);
    learner.tool(&FIX).code(0);
    let before = Instant::now();
    watching.until("Solved.");
    assert!(before.elapsed() < Duration::from_secs(9), "told by the API, not by the clock: {:?}", before.elapsed());
    assert_eq!(watching.code(), 0);
    let progress = learner.run(&["progress", "--json"]).code(0).json();
    assert_eq!(progress["labs"][LAB]["best"], 95, "{progress}");
}

#[test]
fn watching_ends_when_the_lab_is_closed_elsewhere() {
    let learner = Learner::new();
    learner.run(&["start", LAB]).code(0);
    let mut watching = Watching::begin(&learner, &[]);
    watching.until("Not solved yet.");
    learner.run(&["stop"]).code(0);
    assert_eq!(watching.code(), 1);
    assert_eq!(learner.sessions().len(), 0, "watching brings nothing back");
}

#[test]
fn watching_outlives_a_reset_and_the_death_of_the_simulator() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", LAB]).code(0);
    let mut watching = Watching::begin(&learner, &[]);
    watching.until("Not solved yet.");
    learner.run(&["reset"]).code(0);
    let folder = learner.sessions().into_iter().next().unwrap();
    let ready: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("sim/ready.json")).unwrap()).unwrap();
    let pid = ready["pid"].as_u64().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    // Whoever watches brings it back, which takes a moment.
    let begun = std::time::Instant::now();
    while learner.tool(&FIX).code != 0 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "nobody brought the simulator back");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    watching.until("Solved.");
    assert_eq!(watching.code(), 0);
}

#[cfg(unix)]
#[test]
fn watching_ends_with_ctrl_c_and_says_how_it_stood() {
    let learner = Learner::new();
    learner.run(&["start", LAB]).code(0);
    let mut watching = Watching::begin(&learner, &["--json"]);
    watching.until("\"guide\"");
    std::process::Command::new("kill").args(["-INT", &watching.child.id().to_string()]).status().unwrap();
    assert_eq!(watching.code(), 1);
}

/// A `check --watch` in a terminal of its own, by `script` of util-linux.
#[cfg(target_os = "linux")]
struct Terminal {
    child: Child,
    shown: Receiver<Vec<u8>>,
    text: String,
}

#[cfg(target_os = "linux")]
impl Terminal {
    fn open(learner: &Learner, extra: &str) -> Self {
        let breakfix = env!("CARGO_BIN_EXE_breakfix");
        // Ctrl-C is for the whole foreground; the shell must outlive it to tell the code.
        let watch = format!(
            "trap : INT; stty rows 40 cols 100; stty -g; {extra} {breakfix} check --watch; echo code $?; stty -g"
        );
        let mut command = learner.command("script");
        command.args(["-qfec", &watch, "/dev/null"]).env("TERM", "xterm").env_remove("COLUMNS");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (to, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if to.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, shown, text: String::new() }
    }

    /// Waits until something new says this, and forgets what came before.
    #[track_caller]
    fn until(&mut self, wanted: &str) {
        let end = Instant::now() + SOON;
        let from = self.text.len();
        while !self.text[from..].contains(wanted) {
            match self.shown.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("`{wanted}` was never shown ({error})\n{}", self.text),
            }
        }
    }

    fn press(&mut self, key: &[u8]) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(key).unwrap();
        stdin.flush().unwrap();
    }

    /// Presses a key that ends it, and yields everything that was shown.
    #[track_caller]
    fn end(mut self, key: &[u8]) -> String {
        self.press(key);
        self.until("code ");
        self.child.wait().unwrap();
        while let Ok(bytes) = self.shown.recv_timeout(SOON) {
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        self.text
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_given_back_as_it_was() {
    if !have("script") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", LAB]).code(0);
    let mut terminal = Terminal::open(&learner, "");
    terminal.until("watching");
    terminal.press(b"s");
    terminal.until("What must become true");
    terminal.press(b"h");
    terminal.until("h again: the next hint, which costs 5 points");
    let text = terminal.end(b"q");
    let settings: Vec<&str> = text.lines().map(str::trim).filter(|line| line.matches(':').count() > 10).collect();
    assert_eq!(settings.len(), 2, "{text}");
    assert_eq!(settings[0], settings[1], "echo and line mode are back");
    assert!(text.contains("\u{1b}[?1049h") && text.contains("\u{1b}[?1049l"), "{text}");
    assert!(text.contains("code 1"), "{text}");
    // A hint that was offered and not taken costs nothing.
    let status = learner.run(&["status", "--json"]).code(0).json();
    assert_eq!(status[0]["hints"], 0, "{status}");
    let mut terminal = Terminal::open(&learner, "NO_COLOR=1");
    terminal.until("watching");
    let text = terminal.end(b"\x03");
    assert!(text.contains("\u{1b}[?1049l") && text.contains("code 1"), "{text}");
    assert!(!text.contains("\u{1b}[1m"), "no colours: {text}");
}

#[test]
fn steps_go_on_by_hand_and_by_themselves() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    let started = learner.run(&["start", LAB, "--json"]).code(0).json();
    let of = started["guide"]["of"].as_u64().unwrap();
    assert_eq!(started["guide"]["step"], 1);
    assert!(of >= 4, "{started}");
    let first = learner.run(&["step"]).code(0).out;
    assert!(first.contains(&format!("Step 1 of {of}")) && first.contains("kubectl"), "{first}");
    learner.run(&["step"]).code(0);
    let mut step = started["guide"].clone();
    while step["goes_on_by_itself"] == false && step["step"].as_u64().unwrap() < of {
        step = learner.run(&["step", "--next", "--json"]).code(0).json();
    }
    assert_eq!(step["goes_on_by_itself"], true, "the lab has a step that carries a check");
    let number = step["step"].as_u64().unwrap();
    // Kept with the session, shown wherever the lab is.
    let status = learner.run(&["status", "--json"]).code(0).json();
    assert_eq!(status[0]["guide"]["step"], number);
    assert!(learner.run(&["status"]).code(0).out.contains(&format!("Step {number} of {of}")));
    assert_eq!(learner.run(&["check", "--json"]).code(1).json()["guide"]["step"], number, "nothing was done yet");
    learner.tool(&FIX).code(0);
    let next = learner.run(&["step", "--json"]).code(0).json();
    assert_eq!(next["step"], number + 1, "its check is met, so it went by");
    let solved = learner.run(&["check", "--json"]).code(0).json();
    assert_eq!(solved["guide"]["step"], of + 1, "solved is done");
    assert!(learner.run(&["step"]).code(0).out.contains("last step"));
    assert!(learner.run(&["step", "--all"]).code(0).out.contains("Step 1, done"));
    learner.run(&["reset"]).code(0);
    assert_eq!(learner.run(&["step", "--json"]).code(0).json()["step"], 1, "a reset begins anew");
}

#[test]
fn a_lab_without_steps_says_so() {
    let learner = Learner::new();
    learner.run(&["start", "image-never-arrives"]).code(0);
    assert!(learner.run(&["step"]).code(2).err.contains("no steps"));
    assert_eq!(learner.run(&["status", "--json"]).code(0).json()[0]["guide"], serde_json::Value::Null);
}
