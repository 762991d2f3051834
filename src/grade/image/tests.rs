//! Fixtures: images as they are unpacked.

use serde_json::json;

use crate::{
    Failure, Fetched, Query,
    fixture::*,
    observation::{ImageContent, ImageSeen, LayerContent, LayerEntry, Traces},
};
use breakfix_lab::check::ImageOf;

fn file(size: u64, digest: &str) -> LayerEntry {
    LayerEntry::File { mode: 0o644, size, digest: digest.to_owned() }
}

fn layer(entries: &[(&str, LayerEntry)]) -> LayerContent {
    let size = entries.iter().map(|(_, entry)| if let LayerEntry::File { size, .. } = entry { *size } else { 0 }).sum();
    LayerContent { size, entries: entries.iter().map(|(path, entry)| ((*path).to_owned(), entry.clone())).collect() }
}

fn image(layers: Vec<LayerContent>) -> ImageContent {
    ImageContent { config: json!({"Cmd": ["/workload"], "Env": null, "Image": "sha256:1"}), layers }
}

fn rebuilt() -> ImageOf {
    ImageOf { rebuilt: Some("page".into()), ..ImageOf::default() }
}

fn web() -> ImageOf {
    ImageOf { container: Some("web".into()), ..ImageOf::default() }
}

fn world(of: ImageOf, content: ImageContent) -> World {
    World::docker().answering(Query::Image { of }, Fetched::Image(ImageSeen::Content(content)))
}

fn small() -> breakfix_lab::Check {
    check(json!({"image": {"of": {"rebuilt": "page"}, "size_max": "12M", "absent": ["/toolchain", "/src/"]}}))
}

#[test]
fn a_small_image_without_the_paths_is_met() {
    let content = image(vec![layer(&[("workload", file(1_600_000, "a")), ("srcs", file(1, "b"))])]);
    assert_met(&world(rebuilt(), content).judge(&small()));
}

#[test]
fn what_a_later_layer_deletes_is_still_shipped() {
    let content = image(vec![
        layer(&[("toolchain/cc", file(80_000_000, "a"))]),
        layer(&[("toolchain", LayerEntry::Whiteout), ("workload", file(1, "b"))]),
    ]);
    assert_not_met(&world(rebuilt(), content).judge(&small()), "80.0 MB");
    let content = image(vec![layer(&[("src/page.txt", file(10, "a"))]), layer(&[("src", LayerEntry::Whiteout)])]);
    assert_not_met(&world(rebuilt(), content).judge(&small()), "/src/page.txt");
}

#[test]
fn a_folder_that_does_not_build_is_not_met_and_an_engine_that_does_not_answer_is_unknown() {
    let missing = Fetched::Image(ImageSeen::Missing("the work folder does not build: no such file".into()));
    let world = World::docker().answering(Query::Image { of: rebuilt() }, missing);
    assert_not_met(&world.judge(&small()), "does not build");
    let mut world = World::docker();
    let failure = Failure { what: "look".into(), why: "no answer".into(), hint: None };
    world.answers.insert(Query::Image { of: rebuilt() }, Err(failure));
    assert_unknown(&world.judge(&small()), "no answer");
}

fn alike(one: ImageContent, other: ImageContent) -> crate::Verdict {
    let check = check(json!({"image": {"of": {"container": "web"}, "like": {"rebuilt": "page"}}}));
    let world = world(web(), one).answering(Query::Image { of: rebuilt() }, Fetched::Image(ImageSeen::Content(other)));
    world.judge(&check)
}

#[test]
fn images_are_alike_by_what_a_container_sees() {
    let one =
        image(vec![layer(&[("old", file(1, "a"))]), layer(&[("old", LayerEntry::Whiteout), ("new", file(2, "b"))])]);
    let other = image(vec![layer(&[("new", file(2, "b"))])]);
    assert_met(&alike(one.clone(), other.clone()));
    let changed = image(vec![layer(&[("new", file(2, "c"))])]);
    assert_not_met(&alike(one.clone(), changed), "/new is another");
    assert_not_met(&alike(image(vec![]), other.clone()), "/new is missing");
    let more = image(vec![layer(&[("new", file(2, "b")), ("bin/sh", file(9, "s"))])]);
    assert_not_met(&alike(more, other.clone()), "/bin/sh is too much");
    let mut shell = other.clone();
    shell.config = json!({"Cmd": ["/bin/sh", "-c", "/workload"]});
    assert_not_met(&alike(shell, other), "its Cmd is another");
}

#[test]
fn an_opaque_folder_hides_what_was_in_it() {
    let one = image(vec![layer(&[("d/a", file(1, "a"))]), layer(&[("d", LayerEntry::Opaque), ("d/b", file(2, "b"))])]);
    let other = image(vec![layer(&[("d/b", file(2, "b"))])]);
    assert_met(&alike(one, other));
}

#[test]
fn what_has_to_be_there_must_be_seen_from_the_top() {
    let installed = check(json!({"image": {"of": {"rebuilt": "page"}, "present": ["/deps/stamp", "/app"]}}));
    let app = ("app", LayerEntry::Folder { mode: 0o755 });
    let whole = image(vec![layer(&[("deps/stamp", file(1, "a")), app.clone()])]);
    assert_met(&world(rebuilt(), whole).judge(&installed));
    let hidden = image(vec![layer(&[("deps/stamp", file(1, "a")), app]), layer(&[("deps", LayerEntry::Whiteout)])]);
    assert_not_met(&world(rebuilt(), hidden).judge(&installed), "no /deps/stamp");
    assert_not_met(&world(rebuilt(), image(vec![])).judge(&installed), "no /deps/stamp");
}

#[test]
fn a_part_may_be_compared_alone_and_its_absence_is_no_likeness() {
    let same = check(json!({"image": {"of": {"container": "web"}, "like": {"rebuilt": "page"}, "below": ["/deps/"]}}));
    let made = |digest: &str, page: &str| {
        image(vec![layer(&[("deps/stamp", file(1, digest)), ("depsx", file(1, page)), ("app/page", file(1, page))])])
    };
    let judged = |one: ImageContent, other: ImageContent| {
        let other = Fetched::Image(ImageSeen::Content(other));
        world(web(), one).answering(Query::Image { of: rebuilt() }, other).judge(&same)
    };
    assert_met(&judged(made("a", "old"), ImageContent { config: json!({}), ..made("a", "new") }));
    assert_not_met(&judged(made("a", "old"), made("b", "old")), "/deps/stamp is another");
    assert_not_met(&judged(image(vec![]), image(vec![])), "/deps/ is missing");
}

fn clean() -> breakfix_lab::Check {
    check(json!({"image": {"of": {"rebuilt": "page"}, "lacks": ["s3cret-token"]}}))
}

fn searched(traces: Traces) -> crate::Verdict {
    let query = Query::Traces { of: rebuilt(), texts: vec!["s3cret-token".into()] };
    world(rebuilt(), image(vec![])).answering(query, Fetched::Traces(traces)).judge(&clean())
}

#[test]
fn a_text_that_is_nowhere_is_met_and_one_that_is_somewhere_is_not() {
    assert_met(&searched(Traces::Found(vec![])));
    assert_not_met(&searched(Traces::Found(vec!["a layer, in /app/.env".into()])), "/app/.env");
    assert_not_met(&searched(Traces::Missing("the work folder does not build".into())), "does not build");
}

#[test]
fn an_image_that_was_looked_into_and_not_searched_is_unknown() {
    assert!(world(rebuilt(), image(vec![])).judge(&clean()).is_unknown());
}

#[test]
fn keys_that_say_nothing_are_problems() {
    use crate::Judge;
    let short = check(json!({"image": {"of": {"rebuilt": "page"}, "lacks": ["abc"], "below": ["/x"]}}));
    assert_eq!(short.problems().len(), 2);
}
