//! `pod-template-hash`: what a pod template is called, and whether two are the same.
//!
//! As `pkg/controller/controller_utils.go` `ComputeHash`: FNV-1a over the template, safe-encoded. The real one hashes Go's dump of the
//! struct, this one the template's JSON, so the value differs from a real cluster's, its shape does not.

use serde_json::Value;

/// The label that tells the pods of one template from those of another.
pub const LABEL: &str = "pod-template-hash";

/// The characters of generated names (apimachinery `util/rand`): no vowels, nothing that looks like another.
pub const SAFE_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a template, after `collisions` earlier ones met another template's.
pub fn of(template: &Value, collisions: i64) -> String {
    let mut text = stripped(template).to_string();
    if collisions > 0 {
        text.push_str(&collisions.to_string());
    }
    of_text(&text)
}

/// FNV-1a of a text in characters that are safe in names.
pub fn of_text(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    safe_encode(&hash.to_string())
}

/// Whether two templates are equal apart from the hash label.
pub fn same(left: &Value, right: &Value) -> bool {
    stripped(left) == stripped(right)
}

fn safe_encode(text: &str) -> String {
    let letter = |byte: u8| SAFE_ALPHABET.get(usize::from(byte) % SAFE_ALPHABET.len()).copied().unwrap_or(b'b');
    text.bytes().map(|byte| char::from(letter(byte))).collect()
}

/// The template without its hash label and without nulls, which mean the same as nothing.
fn stripped(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(LABEL);
    }
    drop_nulls(&mut template);
    template
}

/// Takes out nulls, which mean the same as nothing.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_ignores_its_own_label() {
        let bare = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"a": 1}});
        let labelled =
            json!({"metadata": {"labels": {"app": "web", LABEL: "x"}, "creationTimestamp": null}, "spec": {"a": 1}});
        assert!(same(&bare, &labelled));
        assert_eq!(of(&bare, 0), of(&labelled, 0));
        assert_ne!(of(&bare, 0), of(&bare, 1));
    }

    #[test]
    fn a_hash_reads_like_a_real_one() {
        let hash = of(&json!({"spec": {}}), 0);
        assert!((7..=10).contains(&hash.len()), "{hash}");
        assert!(hash.bytes().all(|byte| SAFE_ALPHABET.contains(&byte)));
    }
}
