//! What nodes and pods use, as the metrics API lays it out.

use serde_json::{Value, json};

use super::{Layout, NAME, column, name};
use crate::{
    api::quantity::Quantity,
    object::{entries, text},
};

pub static NODE: Layout = Layout {
    columns: &[
        NAME,
        column("cpu", "The processor time in use."),
        column("memory", "The memory in use."),
        column("Window", "The time over which it was measured."),
    ],
    cells: |object, _| {
        vec![
            name(object),
            json!(text(object, "/usage/cpu")),
            json!(text(object, "/usage/memory")),
            json!(text(object, "/window")),
        ]
    },
};

pub static POD: Layout = Layout {
    columns: NODE.columns,
    cells: |object, _| {
        vec![name(object), sum(object, "/usage/cpu"), sum(object, "/usage/memory"), json!(text(object, "/window"))]
    },
};

/// What the containers of a pod use together.
fn sum(object: &Value, pointer: &str) -> Value {
    let mut amounts =
        entries(object, "/containers").iter().filter_map(|container| Quantity::parse(text(container, pointer)).ok());
    let first = amounts.next();
    json!(first.map_or("0".to_owned(), |first| amounts.fold(first, |sum, next| sum.plus(&next)).to_string()))
}
