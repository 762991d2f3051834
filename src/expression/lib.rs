//! CEL over JSON: what the grader's expressions and those of a simulated API server have in common.
//!
//! Which functions there are, and in which words a refusal comes, each of them says for itself.

mod compiler;
mod metered;
mod names;
mod nesting;

pub use compiler::{Compiled, Compiler, Unread};
pub use metered::{BUDGET, Metered, Trouble};
pub use names::Names;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// JSON as CEL wants it: every whole number an int, so that `object.spec.replicas + 1` means something.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a>(pub &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => match number.as_i64() {
                Some(whole) => serializer.serialize_i64(whole),
                None => number.serialize(serializer),
            },
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, &Plain(value))?;
                }
                out.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}
