//! `doctor`: what works on this machine, and what to do about the rest.

use std::process::Stdio;

use breakfix_stage::venue;
use serde::Serialize;
use tokio::{process::Command, time};

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
    out::Tone,
};

/// How long a tool may take to say its version.
const PATIENCE: time::Duration = time::Duration::from_secs(5);

/// One thing looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    fine: bool,
    /// Whether labs can run without it.
    needed: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

pub async fn run(app: &App) -> Result<Exit, Failure> {
    let mut findings = vec![home(app)];
    findings.push(
        tool(
            "kubectl",
            &["version", "--client"],
            "the Kubernetes labs are worked on with it: https://kubernetes.io/docs/tasks/tools/",
        )
        .await,
    );
    findings.push(tool("kind", &["version"], "only needed for `--target kind`: https://kind.sigs.k8s.io/").await);
    findings.push(
        tool(
            "docker",
            &["--version"],
            "the Docker labs are worked on with it: https://docs.docker.com/engine/install/",
        )
        .await,
    );
    let engine = match venue::engine_version().await {
        Ok(version) => Finding { what: "Docker engine", fine: true, needed: false, found: version, remedy: None },
        Err(error) => Finding {
            what: "Docker engine",
            fine: false,
            needed: false,
            found: error.chain(),
            remedy: error.hints.first().cloned().or_else(|| Some("start Docker, or set DOCKER_HOST".to_owned())),
        },
    };
    findings.push(engine);
    let program = match venue::program() {
        Ok(bytes) => format!("{} KiB inside breakfix", bytes / 1024),
        Err(why) => why,
    };
    let fine = venue::program().is_ok();
    findings.push(Finding {
        what: "the labs' own program",
        fine,
        needed: false,
        found: program,
        remedy: (!fine).then(|| "labs on `sim` work; for others build breakfix on Linux".to_owned()),
    });
    let broken = findings.iter().any(|it| it.needed && !it.fine);
    if app.out.json {
        app.out.json(&findings)?;
    } else {
        for finding in &findings {
            let mark = match (finding.fine, finding.needed) {
                (true, _) => app.out.paint(Tone::Good, "fine   "),
                (false, true) => app.out.paint(Tone::Bad, "broken "),
                (false, false) => app.out.paint(Tone::Warn, "missing"),
            };
            app.out.line(&format!("  {mark}  {:<22}  {}", finding.what, finding.found))?;
            if let Some(remedy) = &finding.remedy {
                app.out.line(&format!("           {remedy}"))?;
            }
        }
    }
    Ok(if broken { exit::TROUBLE } else { exit::DONE })
}

fn home(app: &App) -> Finding {
    let folder = app.home.root().display().to_string();
    let probe = app.home.root().join("doctor.probe");
    match breakfix_stage::home::write_whole(&probe, b"ok") {
        Ok(()) => {
            // It was only written to see whether it can be.
            let _ = std::fs::remove_file(&probe);
            Finding { what: "breakfix's own folder", fine: true, needed: true, found: folder, remedy: None }
        }
        Err(error) => Finding {
            what: "breakfix's own folder",
            fine: false,
            needed: true,
            found: error.to_string(),
            remedy: error.hint(),
        },
    }
}

async fn tool(name: &'static str, arguments: &[&str], remedy: &str) -> Finding {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let missing =
        |found: String| Finding { what: name, fine: false, needed: false, found, remedy: Some(remedy.to_owned()) };
    match time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let version = text.lines().next().unwrap_or("").trim().to_owned();
            Finding { what: name, fine: true, needed: false, found: version, remedy: None }
        }
        Ok(Ok(output)) => missing(format!("it ended with {}", output.status)),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => missing("not on PATH".to_owned()),
        Ok(Err(error)) => missing(error.to_string()),
        Err(_) => missing(format!("it said nothing for {} s", PATIENCE.as_secs())),
    }
}
