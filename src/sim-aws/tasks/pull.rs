//! Images: where a reference leads, and what a pull comes to.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Host, Plan, Step, after, between, launch, resources};
use crate::{
    AwsError, Call, Cloud,
    input::{list, text},
    network::{self, AwsService, Destination},
    services::ecs,
};

/// A pull is tried so often (texts of stopped tasks on Fargate: "has been retried 7 time(s)").
const ATTEMPTS: u32 = 7;
/// The waits between the attempts double up to this.
const WAIT_MAX: Duration = Duration::from_secs(40);

/// An image of a small program.
const USUAL_BYTES: u64 = 24 << 20;

/// A reference to a repository of Amazon ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InEcr {
    pub(super) account: String,
    pub(super) repository: String,
    /// `Ok` a tag, `Err` a digest.
    pub(super) version: Result<String, String>,
}

/// Where in ECR a reference leads; `None`: to another registry.
pub(super) fn in_ecr(cloud: &Cloud, image: &str) -> Option<InEcr> {
    let (host, path) = image.split_once('/')?;
    let account = host.strip_suffix(&format!(".dkr.ecr.{}.amazonaws.com", cloud.config.region))?;
    let (repository, version) = split(path);
    Some(InEcr { account: account.to_owned(), repository: repository.to_owned(), version })
}

/// Name and tag (`latest` without one) or digest.
fn split(path: &str) -> (&str, Result<String, String>) {
    if let Some((name, digest)) = path.split_once('@') {
        let bare = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(bare, _)| bare);
        return (bare, Err(digest.to_owned()));
    }
    match path.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Ok(tag.to_owned())),
        _ => (path, Ok("latest".to_owned())),
    }
}

/// What a pull came to.
enum Pulled {
    /// Digest, and the program's name and version.
    Image { digest: String, program: (String, String) },
    /// Another try would come to the same, but the agent does not know that.
    Failed(String),
    /// The registry says no: it is tried once more.
    Refused(String),
}

/// Tries to pull one container's image.
pub(super) fn pull(cloud: &mut Cloud, id: &str, at: usize, attempt: u32) {
    let found = cloud.tasks.get(id).and_then(|task| {
        let container = task.containers.get(at)?;
        Some((container.image.clone(), container.digest.clone()))
    });
    let Some((image, pinned)) = found else {
        launch::pulled(cloud, id);
        return;
    };
    match try_once(cloud, id, &image, pinned.as_deref()) {
        Pulled::Image { digest, program } => {
            if let Some(container) = cloud.tasks.get_mut(id).and_then(|task| task.containers.get_mut(at)) {
                container.digest = Some(digest);
                container.program = Some(program);
            }
            ecs::image_resolved(cloud, id, at);
            let time = between(cloud, 1_500, 4_000);
            after(cloud, id, time, Step::Pull { container: at + 1, attempt: 1 });
        }
        Pulled::Failed(_) if attempt < ATTEMPTS => {
            let wait = Duration::from_secs(5 << attempt.min(8)).min(WAIT_MAX);
            after(cloud, id, wait, Step::Pull { container: at, attempt: attempt + 1 });
        }
        Pulled::Failed(why) => fail(cloud, id, at, &why, ATTEMPTS),
        Pulled::Refused(why) => fail(cloud, id, at, &why, 1),
    }
}

fn fail(cloud: &mut Cloud, id: &str, at: usize, why: &str, attempts: u32) {
    let is_fargate = cloud.tasks.get(id).is_some_and(|task| task.host == Host::Fargate);
    let retried = format!("pull image manifest has been retried {attempts} time(s): {why}");
    // The agent on instances begins with an advice of its own (amazon-ecs-agent, 2024).
    let reason = match is_fargate {
        true => format!("CannotPullContainerError: {retried}"),
        false => format!(
            "CannotPullContainerError: The task can’t pull the image. Check whether the image exists. Error response from daemon: {why}"
        ),
    };
    if let Some(container) = cloud.tasks.get_mut(id).and_then(|task| task.containers.get_mut(at)) {
        container.reason = Some(reason.clone());
    }
    after(cloud, id, Duration::from_millis(800), Step::Fail { reason });
}

fn try_once(cloud: &mut Cloud, id: &str, image: &str, pinned: Option<&str>) -> Pulled {
    match in_ecr(cloud, image) {
        Some(place) => from_ecr(cloud, id, image, &place, pinned),
        None => from_elsewhere(cloud, id, image),
    }
}

fn from_elsewhere(cloud: &Cloud, id: &str, image: &str) -> Pulled {
    let reference = full(image);
    let host = reference.split('/').next().unwrap_or_default();
    let path = reference.split_once('/').map_or("", |(_, path)| path);
    let (name, version) = split(path);
    let tag = version.clone().unwrap_or_else(|digest| digest);
    if !resources::reaches(cloud, id, &Destination::Internet) {
        return Pulled::Failed(format!(
            "failed to resolve ref {reference}: failed to do request: Head \"https://{host}/v2/{name}/manifests/{tag}\": dial tcp \
             203.0.113.80:443: i/o timeout"
        ));
    }
    let wanted = |known: &&String| full(known) == reference || version.as_ref().err() == Some(&digest_of(&full(known)));
    match cloud.config.images.iter().find(wanted) {
        None => Pulled::Failed(format!("failed to resolve ref {reference}: {reference}: not found")),
        Some(known) => Pulled::Image { digest: digest_of(&full(known)), program: program_of(known) },
    }
}

/// The reference with its registry and its tag.
fn full(image: &str) -> String {
    let has_tag = image.contains('@') || image.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let tagged = if has_tag { image.to_owned() } else { format!("{image}:latest") };
    match tagged.split_once('/') {
        Some((host, _)) if host.contains('.') || host.contains(':') => tagged,
        Some(_) => format!("docker.io/{tagged}"),
        None => format!("docker.io/library/{tagged}"),
    }
}

/// `registry.example/shop/web:1.4` is the program `web`, version `1.4`.
fn program_of(image: &str) -> (String, String) {
    let last = image.rsplit('/').next().unwrap_or(image);
    let (name, tag) = last.split_once(':').unwrap_or((last, "latest"));
    (name.to_owned(), tag.to_owned())
}

/// The digest of an image outside the account: the same for a reference for ever.
fn digest_of(reference: &str) -> String {
    // FNV-1a, then splitmix: enough to tell images apart.
    let seed = reference
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("sha256:{}", breakfix_sim::Chance::from_seed(seed).text(b"0123456789abcdef", 64))
}

fn from_ecr(cloud: &mut Cloud, id: &str, image: &str, place: &InEcr, pinned: Option<&str>) -> Pulled {
    let (host, _) = image.split_once('/').unwrap_or((image, ""));
    let repository = &place.repository;
    let tag = place.version.clone().unwrap_or_else(|digest| digest);
    let manifest = format!("https://{host}/v2/{repository}/manifests/{tag}");
    let reference = match (pinned, &place.version) {
        (Some(digest), Ok(_)) => format!("{image}@{digest}"),
        _ => image.to_owned(),
    };
    if !resources::reaches(cloud, id, &Destination::Service(AwsService::EcrDkr)) {
        return Pulled::Failed(format!(
            "failed to resolve ref {reference}: failed to do request: Head \"{manifest}\": dial tcp 52.94.133.140:443: i/o timeout"
        ));
    }
    let wanted = match (pinned, &place.version) {
        (Some(digest), _) => json!({"imageDigest": digest}),
        (None, Err(digest)) => json!({"imageDigest": digest}),
        (None, Ok(tag)) => json!({"imageTag": tag}),
    };
    let input = json!({"registryId": place.account, "repositoryName": repository, "imageIds": [wanted]});
    let answer = match ask(cloud, id, "BatchGetImage", input) {
        Ok(answer) => answer,
        Err(error) if error.code == "RepositoryNotFoundException" => {
            return Pulled::Failed(format!("failed to resolve ref {reference}: {reference}: not found"));
        }
        Err(_) => {
            return Pulled::Refused(format!(
                "failed to resolve ref {reference}: unexpected status from HEAD request to {manifest}: 403 Forbidden"
            ));
        }
    };
    let Some(found) = list(&answer, "images").first() else {
        return match (pinned, &place.version) {
            // The words of aws/containers-roadmap issue 2687.
            (Some(_), _) | (None, Err(_)) => Pulled::Refused(format!("failed to resolve ref {reference}: not found")),
            (None, Ok(_)) => Pulled::Failed(format!("failed to resolve ref {reference}: {reference}: not found")),
        };
    };
    let digest = found.get("imageId").and_then(|id| text(id, "imageDigest")).unwrap_or_default().to_owned();
    let body: Value = text(found, "imageManifest").and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let platform = cloud.tasks.get(id).map(|task| platform(&task.plan)).unwrap_or_default();
    if !runs_on(&body, &platform) {
        return Pulled::Failed(format!("image Manifest does not contain descriptor matching platform '{platform}'"));
    }
    let layer = json!({"registryId": place.account, "repositoryName": repository, "layerDigest": digest});
    if let Err(error) = ask(cloud, id, "GetDownloadUrlForLayer", layer)
        && error.code.starts_with("AccessDenied")
    {
        return Pulled::Refused(format!(
            "failed to copy: httpReadSeeker: failed open: unexpected status code https://{host}/v2/{repository}/blobs/{digest}: 403 \
             Forbidden"
        ));
    }
    if !resources::reaches(cloud, id, &Destination::Service(AwsService::S3)) {
        let bucket = format!("prod-{}-starport-layer-bucket.s3.{0}.amazonaws.com", cloud.config.region);
        return Pulled::Failed(format!(
            "failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://{bucket}/\": dial tcp 52.219.47.10:443: \
             i/o timeout"
        ));
    }
    if let Some(interface) = resources::interface(cloud, id) {
        network::carry(cloud, &interface, &Destination::Service(AwsService::S3), size(&body));
    }
    let program = ecr_program(found, repository, &place.version);
    Pulled::Image { digest, program }
}

fn ask(cloud: &mut Cloud, id: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
    let caller =
        resources::agent(cloud, id).ok_or_else(|| AwsError::new("AccessDeniedException", "no execution role"))?;
    cloud.call(&Call { service: "ecr".to_owned(), operation: operation.to_owned(), input, caller })
}

/// What a task's machine runs: `linux/amd64`, `windows/amd64`.
fn platform(plan: &Plan) -> String {
    let system = if plan.system.starts_with("WINDOWS") { "windows" } else { "linux" };
    format!("{system}/{}", plan.architecture)
}

/// Whether a manifest holds an image for this platform. One that is no index says it in its configuration's descriptor, or not at all.
fn runs_on(manifest: &Value, platform: &str) -> bool {
    let of = |it: &Value| {
        let it = it.get("platform")?;
        Some(format!("{}/{}", text(it, "os").unwrap_or("linux"), text(it, "architecture")?))
    };
    let listed = list(manifest, "manifests");
    if listed.is_empty() {
        return manifest.get("config").and_then(of).is_none_or(|own| own == platform);
    }
    listed.iter().any(|it| of(it).as_deref() == Some(platform))
}

/// Bytes of an image's layers. An index has none of its own: an image of usual size.
fn size(manifest: &Value) -> u64 {
    let layers = list(manifest, "layers").iter().filter_map(|it| it.get("size")).filter_map(Value::as_u64).sum();
    if layers == 0 { USUAL_BYTES } else { layers }
}

/// What program an image of the account is: its repository's name, and the version that its manifest is annotated with, or its tag.
fn ecr_program(image: &Value, repository: &str, version: &Result<String, String>) -> (String, String) {
    let body: Value = text(image, "imageManifest").and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let annotated = |name: &str| {
        let notes = body.get("annotations")?;
        text(notes, name).map(str::to_owned)
    };
    let name = annotated("org.opencontainers.image.title")
        .unwrap_or_else(|| repository.rsplit('/').next().unwrap_or(repository).to_owned());
    let tag = image.get("imageId").and_then(|id| text(id, "imageTag")).map(str::to_owned).or(version.clone().ok());
    let version = annotated("org.opencontainers.image.version").or(tag).unwrap_or_else(|| "0".to_owned());
    (name, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_has_what_it_lists() {
        let entry = |os: &str, architecture: &str| json!({"platform": {"os": os, "architecture": architecture}});
        let index = json!({"manifests": [entry("linux", "amd64"), entry("windows", "amd64")]});
        assert!(runs_on(&index, "linux/amd64") && runs_on(&index, "windows/amd64"));
        assert!(!runs_on(&index, "linux/arm64"));
        assert!(!runs_on(&json!({"manifests": [entry("linux", "amd64")]}), "windows/amd64"));
        assert!(runs_on(&json!({"config": {}}), "linux/arm64"));
    }

    #[test]
    fn a_reference_is_taken_apart() {
        assert_eq!(split("shop/web:2.1"), ("shop/web", Ok("2.1".to_owned())));
        assert_eq!(split("shop/web"), ("shop/web", Ok("latest".to_owned())));
        assert_eq!(split("shop/web:2.1@sha256:ab"), ("shop/web", Err("sha256:ab".to_owned())));
        assert_eq!(full("web"), "docker.io/library/web:latest");
        assert_eq!(program_of("registry.example/shop/web:1.4"), ("web".to_owned(), "1.4".to_owned()));
        assert_ne!(digest_of("a"), digest_of("b"));
    }
}
