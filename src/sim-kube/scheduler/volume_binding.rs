//! Claims must be there before a pod that mounts them is placed (`volumebinding`). Claims are not served yet, so none ever is.

use serde_json::Value;

use super::{Plugin, View};
use crate::object::{entries, namespace, text};

pub struct VolumeBinding;

impl Plugin for VolumeBinding {
    fn refuse_everywhere(&self, view: &View, pod: &Value) -> Option<String> {
        entries(pod, "/spec/volumes")
            .iter()
            .map(|volume| text(volume, "/persistentVolumeClaim/claimName"))
            .find(|claim| !claim.is_empty() && !view.has_claim(namespace(pod), claim))
            .map(|claim| format!("persistentvolumeclaim \"{claim}\" not found"))
    }
}
