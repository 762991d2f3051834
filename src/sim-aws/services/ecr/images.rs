//! Images: pushing manifests, moving tags, describing and pulling.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    manifest,
    state::{Image, Repository},
    words::{self, repository, repository_mut},
};
use crate::{AwsError, Call, Cloud, input, moment, services::page::Paging};

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let found = repository(cloud, call)?;
    let text = input::required(call, "imageManifest")?;
    let said = manifest::read(text)
        .ok_or_else(|| words::invalid("ImageManifest", "Invalid JSON syntax or unsupported media type"))?;
    let digest = manifest::digest(text);
    if input::text(&call.input, "imageDigest").is_some_and(|wish| wish != digest) {
        let wish = input::text(&call.input, "imageDigest").unwrap_or("");
        let sentence = format!("The calculated image digest {digest} does not match the provided digest {wish}");
        return Err(AwsError::new("ImageDigestDoesNotMatchException", sentence));
    }
    let media_type = input::text(&call.input, "imageManifestMediaType").unwrap_or(&said.media_type).to_owned();
    let tag = input::text(&call.input, "imageTag");
    let (name, account) = (found.name.clone(), cloud.config.account.clone());
    if let Some(holder) = found.find(Some(&digest), None)
        && tag.is_none_or(|tag| holder.tags.iter().any(|other| other == tag))
    {
        let tagged = tag.map(|tag| format!(" and tag '{tag}'")).unwrap_or_default();
        let sentence = format!(
            "Image with digest '{digest}'{tagged} already exists in the repository with name '{name}' in registry with id '{account}'"
        );
        return Err(AwsError::new("ImageAlreadyExistsException", sentence));
    }
    if let Some(tag) = tag
        && found.mutability.fixes(tag)
        && found.find(None, Some(tag)).is_some()
    {
        let sentence = format!(
            "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."
        );
        return Err(AwsError::new("ImageTagAlreadyExistsException", sentence));
    }
    let now = cloud.now();
    let target = repository_mut(cloud, call)?;
    if let Some(tag) = tag {
        for image in &mut target.images {
            image.tags.retain(|other| other != tag);
        }
    }
    let scanned = target.scans_on_push.then_some(now);
    let index = match target.images.iter().position(|image| image.digest == digest) {
        Some(index) => index,
        None => {
            target.images.push(Image {
                digest: digest.clone(),
                manifest: text.to_owned(),
                media_type,
                tags: Vec::new(),
                pushed: now,
                size_bytes: said.size_bytes,
                scanned,
            });
            target.images.len() - 1
        }
    };
    let Some(image) = target.images.get_mut(index) else { return Ok(json!({})) };
    image.tags.extend(tag.map(str::to_owned));
    let image = image.clone();
    Ok(json!({"image": view(&account, &name, &image, tag)}))
}

fn view(registry: &str, repository: &str, image: &Image, tag: Option<&str>) -> Value {
    json!({
        "registryId": registry, "repositoryName": repository, "imageId": image_id(image, tag),
        "imageManifest": image.manifest, "imageManifestMediaType": image.media_type,
    })
}

fn image_id(image: &Image, tag: Option<&str>) -> Value {
    let mut id = json!({"imageDigest": image.digest});
    if let Some(tag) = tag {
        id["imageTag"] = json!(tag);
    }
    id
}

/// Digest and tag of an `ImageIdentifier`.
fn wanted(id: &Value) -> (Option<&str>, Option<&str>) {
    (input::text(id, "imageDigest"), input::text(id, "imageTag"))
}

fn failure(id: &Value) -> Value {
    let (digest, tag) = wanted(id);
    let (code, reason) = match (digest, tag) {
        (None, None) => ("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"),
        (Some(_), Some(_)) => ("ImageTagDoesNotMatchDigest", "Requested image tag does not match the digest"),
        _ => ("ImageNotFound", "Requested image not found"),
    };
    json!({"imageId": id, "failureCode": code, "failureReason": reason})
}

/// Up to a hundred; those that are not there are failures of their own.
pub fn batch_get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let found = repository(cloud, call)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in input::required_list(call, "imageIds")? {
        let (digest, tag) = wanted(id);
        match found.find(digest, tag) {
            Some(image) => images.push(view(&cloud.config.account, &found.name, image, tag)),
            None => failures.push(failure(id)),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

/// A tag takes only itself away, unless it was the last; a digest takes the image.
pub fn batch_delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let ids = input::required_list(call, "imageIds")?;
    let target = repository_mut(cloud, call)?;
    let (mut gone, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        let (digest, tag) = wanted(id);
        let Some(index) = target.find(digest, tag).and_then(|it| target.images.iter().position(|other| other == it))
        else {
            failures.push(failure(id));
            continue;
        };
        let Some(image) = target.images.get_mut(index) else { continue };
        gone.push(image_id(image, tag));
        if let (None, Some(tag)) = (digest, tag) {
            image.tags.retain(|other| other != tag);
            if !image.tags.is_empty() {
                continue;
            }
        }
        target.images.remove(index);
    }
    Ok(json!({"imageIds": gone, "failures": failures}))
}

fn passes(image: &Image, request: &Value) -> bool {
    match request.get("filter").and_then(|filter| input::text(filter, "tagStatus")) {
        Some("TAGGED") => !image.tags.is_empty(),
        Some("UNTAGGED") => image.tags.is_empty(),
        _ => true,
    }
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let images = repository(cloud, call)?.images.iter().filter(|image| passes(image, &call.input));
    let ids = images.flat_map(|image| match image.tags.is_empty() {
        true => vec![image_id(image, None)],
        false => image.tags.iter().map(|tag| image_id(image, Some(tag))).collect(),
    });
    Ok(Paging::lower(100).answer(&call.input, "imageIds", ids.collect()))
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let found = repository(cloud, call)?;
    let ids = input::list(&call.input, "imageIds");
    let images = match ids.is_empty() {
        true => found.images.iter().filter(|image| passes(image, &call.input)).collect(),
        false => {
            let find = |id: &Value| {
                let (digest, tag) = wanted(id);
                found.find(digest, tag).ok_or_else(|| words::no_image(cloud, &found.name, digest, tag))
            };
            ids.iter().map(find).collect::<Result<Vec<_>, _>>()?
        }
    };
    let details = images.into_iter().map(|image| detail(cloud, found, image)).collect();
    Ok(Paging::lower(100).answer(&call.input, "imageDetails", details))
}

fn detail(cloud: &Cloud, repository: &Repository, image: &Image) -> Value {
    let mut detail = json!({
        "registryId": cloud.config.account, "repositoryName": repository.name, "imageDigest": image.digest,
        "imageSizeInBytes": image.size_bytes, "imagePushedAt": moment::of(cloud, image.pushed),
        "imageManifestMediaType": image.media_type,
    });
    if !image.tags.is_empty() {
        detail["imageTags"] = json!(image.tags);
    }
    if let Some(artifact) = manifest::read(&image.manifest).and_then(|said| said.artifact) {
        detail["artifactMediaType"] = json!(artifact);
    }
    if let Some(at) = image.scanned {
        detail["imageScanStatus"] =
            json!({"status": "COMPLETE", "description": "The scan was completed successfully."});
        detail["imageScanFindingsSummary"] = summary(cloud, at);
    }
    detail
}

/// The workload has no packages, and so no findings.
fn summary(cloud: &Cloud, at: breakfix_sim::SimTime) -> Value {
    let at = moment::of(cloud, at);
    json!({"imageScanCompletedAt": at, "vulnerabilitySourceUpdatedAt": at, "findingSeverityCounts": {}})
}

/// StartImageScan and DescribeImageScanFindings.
pub fn scan(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let empty = Value::Object(Map::new());
    let (digest, tag) = wanted(call.input.get("imageId").unwrap_or(&empty));
    let found = repository(cloud, call)?;
    let image = found.find(digest, tag).ok_or_else(|| words::no_image(cloud, &found.name, digest, tag))?.clone();
    let name = found.name.clone();
    let registry = cloud.config.account.clone();
    let id = image_id(&image, tag);
    let mut answer = json!({"registryId": registry, "repositoryName": name, "imageId": id});
    if call.operation == "StartImageScan" {
        let now = cloud.now();
        let target = repository_mut(cloud, call)?;
        for other in target.images.iter_mut().filter(|other| other.digest == image.digest) {
            other.scanned = Some(now);
        }
        answer["imageScanStatus"] = json!({"status": "IN_PROGRESS"});
        return Ok(answer);
    }
    let at = image.scanned.ok_or_else(|| {
        let sentence = format!(
            "Image scan does not exist for the image with '{{imageDigest:'{}', imageTag:'{}'}}' in the repository with name '{name}' in \
             the registry with id '{registry}'",
            image.digest,
            tag.unwrap_or("null")
        );
        AwsError::new("ScanNotFoundException", sentence)
    })?;
    answer["imageScanStatus"] = json!({"status": "COMPLETE", "description": "The scan was completed successfully."});
    answer["imageScanFindings"] = summary(cloud, at);
    answer["imageScanFindings"]["findings"] = json!([]);
    Ok(answer)
}

/// Good for twelve hours.
pub fn token(cloud: &mut Cloud) -> Value {
    let password = cloud.chance.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 64);
    let (account, region) = (&cloud.config.account, &cloud.config.region);
    json!({"authorizationData": [{
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        "expiresAt": moment::of(cloud, cloud.now() + Duration::from_secs(12 * 3_600)),
        "proxyEndpoint": format!("https://{account}.dkr.ecr.{region}.amazonaws.com"),
    }]})
}

/// Where a layer is: in a bucket of ECR's own, which is why a task in a private subnet needs a way to S3 too.
pub fn download_url(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    repository(cloud, call)?;
    let digest = input::required(call, "layerDigest")?;
    let bucket = format!("prod-{}-starport-layer-bucket.s3.{0}.amazonaws.com", cloud.config.region);
    Ok(json!({"downloadUrl": format!("https://{bucket}/{}", digest.replace(':', "-")), "layerDigest": digest}))
}

pub fn check_layers(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let found = repository(cloud, call)?;
    let known = |digest: &str| found.images.iter().any(|image| image.manifest.contains(digest));
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in input::texts(&call.input, "layerDigests") {
        if known(digest) {
            layers.push(json!({"layerDigest": digest, "layerAvailability": "AVAILABLE"}));
        } else {
            layers.push(json!({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}));
        }
        if !digest.starts_with("sha256:") {
            layers.pop();
            failures.push(json!({
                "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": "Invalid layer digest",
            }));
        }
    }
    Ok(json!({"layers": layers, "failures": failures}))
}
