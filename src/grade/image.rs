//! `image`: what is in an image, layer by layer.
//!
//! Rules: a file that a later layer deletes is still shipped, so every layer counts. Two images are alike when what a container sees is: merged
//! files (path, mode, content) and configuration. Times and digests of layers are not compared: the same folder built twice differs in them.

use std::collections::BTreeMap;

use breakfix_lab::{
    Platform,
    check::{Image, ImageOf},
};
use serde_json::Value;

use crate::{
    Evidence, Fetched, Judge, Query, Verdict, View,
    answers::mismatch,
    observation::{ImageContent, ImageSeen, LayerEntry, Traces},
    quantity,
    query::{Scope, said},
};

/// What of a configuration decides how a container behaves.
const CONFIG: [&str; 10] =
    ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Healthcheck", "StopSignal", "Shell"];

/// A shorter text may stand in any program by chance.
const LACKS_MIN: usize = 6;

impl Judge for Image {
    fn queries(&self, _: Platform, _: &Scope) -> Vec<Query> {
        let images = [Some(&self.of), self.like.as_ref()].into_iter().flatten();
        let searched = (!self.lacks.is_empty()).then(|| traces(self));
        images.map(|of| Query::Image { of: of.clone() }).chain(searched).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|other| other)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for of in [Some(&self.of), self.like.as_ref()].into_iter().flatten() {
            if [&of.container, &of.name, &of.rebuilt].into_iter().flatten().count() != 1 {
                problems.push("an image is named by `container`, `name` or `rebuilt`, exactly one of them".to_owned());
            }
        }
        let lists = [&self.absent, &self.present, &self.lacks];
        if self.size_max.is_none() && lists.iter().all(|list| list.is_empty()) && self.like.is_none() {
            problems.push("image needs `size_max`, `absent`, `present`, `lacks` or `like`".to_owned());
        }
        if self.like.is_none() && !self.below.is_empty() {
            problems.push("`below` says what of `like` is compared; there is no `like`".to_owned());
        }
        if self.lacks.iter().any(|text| text.len() < LACKS_MIN) {
            problems
                .push(format!("a text under `lacks` has {LACKS_MIN} characters at least; shorter ones are everywhere"));
        }
        if let Some(text) = self.size_max.as_ref().filter(|text| quantity::parse(text).is_none()) {
            problems.push(format!("`{text}` is no size; write it as `12M`"));
        }
        problems
    }
}

fn traces(check: &Image) -> Query {
    Query::Traces { of: check.of.clone(), texts: check.lacks.clone() }
}

/// The image's content; not met where there is none.
fn content<'a>(of: &ImageOf, view: &View<'a>) -> Result<&'a ImageContent, Verdict> {
    let query = Query::Image { of: of.clone() };
    match view.answer(&query)? {
        Fetched::Image(ImageSeen::Content(content)) => Ok(content),
        Fetched::Image(ImageSeen::Missing(why)) => {
            Err(Verdict::not_met(why.clone(), Evidence::new(said(of), why.clone())))
        }
        _ => Err(mismatch(&query)),
    }
}

fn judge(check: &Image, view: &View<'_>) -> Result<Verdict, Verdict> {
    let image = content(&check.of, view)?;
    let name = said(&check.of);
    let mut wanted = Vec::new();
    if let Some(text) = &check.size_max {
        let size: u64 = image.layers.iter().map(|layer| layer.size).sum();
        wanted.push(format!("{text} at most"));
        #[expect(clippy::cast_precision_loss, reason = "sizes of images are far below 2^52")]
        if quantity::parse(text).is_none_or(|most| size as f64 > most) {
            let found = format!("{:.1} MB", size as f64 / 1e6);
            let evidence = Evidence::new(format!("{text} at most"), found.clone()).look(history(check));
            return Ok(Verdict::not_met(format!("{name} holds {found}"), evidence));
        }
    }
    for path in &check.absent {
        wanted.push(format!("no {path}"));
        if let Some(found) = holding(image, path) {
            let evidence = Evidence::new(format!("no {path} in any layer"), format!("/{found}")).look(history(check));
            return Ok(Verdict::not_met(format!("a layer of {name} holds /{found}"), evidence));
        }
    }
    let shown = merged(image);
    for path in &check.present {
        wanted.push(format!("with {path}"));
        if !shown.contains_key(path.trim_matches('/')) {
            let evidence = Evidence::new(format!("with {path}"), "it is missing");
            return Ok(Verdict::not_met(format!("{name} has no {path}"), evidence));
        }
    }
    if !check.lacks.is_empty() {
        wanted.push("without what must not be in it".to_owned());
        let query = traces(check);
        let found = match view.answer(&query)? {
            Fetched::Traces(Traces::Found(places)) => places.first(),
            Fetched::Traces(Traces::Missing(why)) => Some(why),
            _ => return Err(mismatch(&query)),
        };
        if let Some(place) = found {
            let evidence = Evidence::new("nowhere", place.clone()).look(history(check));
            return Ok(Verdict::not_met(format!("what must not be in {name} is there: {place}"), evidence));
        }
    }
    if let Some(like) = &check.like {
        wanted.push(format!("like {}", said(like)));
        if let Some(difference) = difference(image, content(like, view)?, &check.below) {
            let evidence = Evidence::new(format!("{name} like {}", said(like)), difference.clone());
            return Ok(Verdict::not_met(format!("{name} is not like {}: {difference}", said(like)), evidence));
        }
    }
    Ok(Verdict::met(Evidence::new(wanted.join(", "), "so it is")))
}

fn history(check: &Image) -> Option<String> {
    check.of.name.as_ref().map(|name| format!("docker history {name}"))
}

/// The first thing at a path or below it, in any layer.
fn holding<'a>(image: &'a ImageContent, path: &str) -> Option<&'a str> {
    let there = |(at, entry): &(&String, &LayerEntry)| {
        let hides = matches!(entry, LayerEntry::Whiteout | LayerEntry::Opaque);
        !hides && is_at(at, path)
    };
    image.layers.iter().flat_map(|layer| &layer.entries).find(there).map(|(at, _)| at.as_str())
}

/// Whether a path is this one or below it.
fn is_at(path: &str, top: &str) -> bool {
    let top = top.trim_matches('/');
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a container sees.
fn merged(image: &ImageContent) -> BTreeMap<&str, &LayerEntry> {
    let mut files: BTreeMap<&str, &LayerEntry> = BTreeMap::new();
    for layer in &image.layers {
        for (path, entry) in &layer.entries {
            let inside = format!("{path}/");
            match entry {
                LayerEntry::Whiteout => files.retain(|at, _| *at != path && !at.starts_with(&inside)),
                LayerEntry::Opaque => files.retain(|at, _| !at.starts_with(&inside)),
                _ => {}
            }
        }
        let shown = layer.entries.iter().filter(|(_, it)| !matches!(it, LayerEntry::Whiteout | LayerEntry::Opaque));
        files.extend(shown.map(|(path, entry)| (path.as_str(), entry)));
    }
    files
}

/// The first difference, in words; `below`: of these paths alone, where there are any.
fn difference(one: &ImageContent, other: &ImageContent, below: &[String]) -> Option<String> {
    let (mut one_files, mut other_files) = (merged(one), merged(other));
    if !below.is_empty() {
        let chosen = |path: &str| below.iter().any(|top| is_at(path, top));
        one_files.retain(|path, _| chosen(path));
        other_files.retain(|path, _| chosen(path));
        if one_files.is_empty() && other_files.is_empty() {
            // Two images that both lack it are not alike in it.
            return Some(format!("{} is missing", below.join(", ")));
        }
    }
    for (path, entry) in &one_files {
        match other_files.get(path) {
            None => return Some(format!("/{path} is too much")),
            Some(there) if there != entry => return Some(format!("/{path} is another")),
            Some(_) => {}
        }
    }
    if let Some((path, _)) = other_files.iter().find(|(path, _)| !one_files.contains_key(*path)) {
        return Some(format!("/{path} is missing"));
    }
    if !below.is_empty() {
        return None;
    }
    let of = |image: &ImageContent, key: &str| image.config.get(key).cloned().filter(|it| !is_empty(it));
    CONFIG.iter().find(|key| of(one, key) != of(other, key)).map(|key| format!("its {key} is another"))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
