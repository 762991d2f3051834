//! Images: declared, and under the name that no registry answers for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Lint, Rule};
use crate::{Change, LoadedLab, ecs, problem::Place, suggest, visit};

pub(super) const RULE: Rule = Rule {
    name: "images",
    why: "an image that is not declared cannot be pulled anywhere, and a public name might be pulled from somebody else",
    whole: true,
    check,
};

/// Reserved: no registry on the internet can answer for it (RFC 2606).
const REGISTRY: &str = "registry.example/";

/// Where an image is named: the file, and the place in it.
type Where = (String, Place);

fn check(lint: &mut Lint<'_>) {
    let declared = &lint.lab.lab.images;
    for (index, image) in declared.iter().enumerate() {
        let steps = ["images", &index.to_string()];
        if !image.starts_with(REGISTRY) {
            let help = format!("write `{REGISTRY}{image}`");
            lint.error(&steps, format!("`{image}` could be pulled from a public registry"), help);
        }
        if declared.iter().take(index).any(|before| before == image) {
            lint.error(&steps, format!("`{image}` is declared twice"), "keep one");
        }
    }
    let given = names_given(lint.lab);
    let names: Vec<&str> = declared.iter().map(String::as_str).collect();
    for (image, (path, place)) in meant_to_exist(lint.lab) {
        // A digest names no tag that could be declared.
        if !declared.contains(&image) && !given.contains(&image) && !image.contains('@') {
            let help = suggest::nearest(&image, names.iter().copied()).map_or_else(
                || "add it to `images`".to_owned(),
                |near| format!("did you mean `{near}`? Else add it to `images`"),
            );
            lint.error_in(&path, place, format!("the image `{image}` is not declared"), help);
        }
    }
    let named = all_images(lint.lab);
    for (index, image) in declared.iter().enumerate() {
        if image.starts_with(REGISTRY) && !named.contains(image) {
            let help = "take it out, unless the learner is to find it";
            lint.warn(&["images", &index.to_string()], format!("nothing uses the image `{image}`"), help);
        }
    }
}

/// Images of the healthy system and of the honest fixes, with the first place of each. Fault and wrong fixes may name
/// images that do not exist.
fn meant_to_exist(lab: &LoadedLab) -> BTreeMap<String, Where> {
    let mut found = BTreeMap::new();
    for document in &lab.documents {
        let place = Place { line: document.line, column: 1 };
        for image in images_of(&document.body) {
            found.entry(image).or_insert_with(|| (document.file.clone(), place));
        }
    }
    for (steps, change) in visit::changes(&lab.lab) {
        let honest = matches!(steps.as_slice(), [section, name, ..]
            if section == "objectives" || section == "controls" && !name.starts_with("wrong-"));
        if honest {
            for image in images_of_change(lab, change) {
                found.entry(image).or_insert_with(|| ("lab.yaml".to_owned(), lab.place_of(&steps)));
            }
        }
    }
    found
}

/// Every image that any file names.
fn all_images(lab: &LoadedLab) -> Vec<String> {
    let documents = lab.documents.iter().chain(lab.files.values().flatten());
    let written = documents.flat_map(|document| images_of(&document.body));
    let from = lab
        .texts
        .values()
        .chain(lab.documents.iter().filter_map(|it| dockerfile(&it.body)))
        .flat_map(|text| images_from(text));
    written
        .chain(from)
        .chain(visit::changes(&lab.lab).into_iter().flat_map(|(_, change)| images_of_change(lab, change)))
        .collect()
}

fn images_of_change(lab: &LoadedLab, change: &Change) -> Vec<String> {
    match change {
        Change::Apply(path) => {
            lab.applied(path).unwrap_or_default().iter().flat_map(|document| images_of(&document.body)).collect()
        }
        Change::Patch(patch) => {
            let operations = patch.json.iter().flatten().filter(|operation| {
                operation.get("path").and_then(Value::as_str).is_some_and(|path| path.ends_with("/image"))
            });
            let set = operations.filter_map(|operation| operation.get("value")?.as_str().map(str::to_owned));
            patch.merge.iter().chain(&patch.strategic).flat_map(images_of).chain(set).collect()
        }
        Change::Tag(tag) => vec![tag.image.clone()],
        Change::Recreate(recreate) => recreate.merge.iter().flat_map(images_of).collect(),
        _ => Vec::new(),
    }
}

/// Names that images get while the lab is open: by its documents, by a tag, by a build.
fn names_given(lab: &LoadedLab) -> Vec<String> {
    let documents = lab.documents.iter().chain(lab.files.values().flatten());
    let made = documents.filter(|document| document.kind == "Image").map(|document| document.name.clone());
    let tags = visit::changes(&lab.lab).into_iter().filter_map(|(_, change)| match change {
        Change::Tag(tag) => Some(tag.name.clone()),
        Change::Build(build) => Some(build.image.clone()),
        _ => None,
    });
    made.chain(tags).collect()
}

fn dockerfile(body: &Value) -> Option<&String> {
    match body.get("Dockerfile") {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Images that a Dockerfile builds upon.
fn images_from(dockerfile: &str) -> Vec<String> {
    dockerfile
        .split_whitespace()
        .filter(|word| word.contains(REGISTRY))
        .map(|word| word.trim_start_matches("--from=").to_owned())
        .collect()
}

/// An ECS lab names its images by their repository: `${Repository/shop/web.uri}:2.1` is `registry.example/shop/web:2.1`.
fn in_registry(image: &str) -> String {
    let repository = image.strip_prefix("${").and_then(|rest| rest.split_once('}'));
    let reference = repository.and_then(|(inside, tag)| Some((ecs::Reference::read(inside)?, tag)));
    match reference {
        Some((reference, tag)) if reference.kind == "Repository" => format!("{REGISTRY}{}{tag}", reference.name),
        _ => image.to_owned(),
    }
}

/// The values of `image` (Kubernetes, ECS) and `Image` (Docker) at any depth.
fn images_of(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match value.as_str() {
                Some(image) if key == "image" || key == "Image" => vec![in_registry(image)],
                _ => images_of(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(images_of).collect(),
        _ => Vec::new(),
    }
}
