//! Patches of a Deployment, of all four kinds: an answer of the API's own, and what was said once is not said more by saying it twice.

use serde_json::Value;

use super::{files, run};
use crate::asking::{APPLY, DEPLOYMENTS, JSON_PATCH, MERGE, STRATEGIC, cluster, get, is_an_answer, pass, send};

const WORDS: &[&str] = &[
    "\"$patch\":\"delete\"",
    "\"$patch\":\"replace\"",
    "\"$retainKeys\":[\"type\"]",
    "\"$setElementOrder/containers\":[{\"name\":\"web\"}]",
    "\"$deleteFromPrimitiveList/finalizers\":[\"a\"]",
    "\"op\":\"copy\"",
    "\"op\":\"move\"",
    "\"from\":\"/spec\"",
    "\"path\":\"\"",
    "/spec/template/spec/containers/0",
    "/-",
    "~1",
    "~0",
    "\"spec\":",
    "\"metadata\":",
    "\"status\":",
    "\"containers\":[",
    "\"name\":\"web\"",
    "\"ports\":[{\"containerPort\":80}]",
    "\"labels\":null",
    "\"replicas\":0",
    "\"finalizers\":[\"a/b\"]",
    "\"resourceVersion\":\"1\"",
    "\"managedFields\":[]",
    "\"managedFields\":[{}]",
    "\"ownerReferences\":[{}]",
    "\"uid\":\"x\"",
];

fn media(name: &str) -> &'static str {
    match name.split('-').next() {
        Some("merge") => MERGE,
        Some("strategic") => STRATEGIC,
        Some("json") => JSON_PATCH,
        Some("apply") => APPLY,
        _ => panic!("{name}: a patch's name begins with its kind"),
    }
}

#[test]
fn patches_do_what_they_say_and_no_more() {
    let (names, inputs): (Vec<String>, Vec<Vec<u8>>) = files("patches").into_iter().unzip();
    let web = format!("{DEPLOYMENTS}/web");
    run("patches", &inputs, WORDS, |which, input| {
        let media = media(&names[which]);
        let mut cluster = cluster();
        let target = format!("{web}?fieldManager=fuzz{}", if media == APPLY { "&force=true" } else { "" });
        let dry = send(&mut cluster, "PATCH", &format!("{target}&dryRun=All"), media, input.to_vec());
        is_an_answer(&dry);
        let first = send(&mut cluster, "PATCH", &target, media, input.to_vec());
        is_an_answer(&first);
        assert_eq!(dry.0, first.0, "a rehearsal ends as the play does: {} {}", dry.1, first.1);
        let second = send(&mut cluster, "PATCH", &target, media, input.to_vec());
        is_an_answer(&second);
        // Whoever names a version, or begins a deletion, means one moment alone.
        let once = |said: &Value| said["metadata"]["deletionTimestamp"].is_null();
        let names_a_version = String::from_utf8_lossy(input).contains("resourceVersion");
        if first.0 == 200 && media != JSON_PATCH && !names_a_version && once(&first.1) {
            assert_eq!(second.0, 200, "{}", second.1);
            assert_eq!(second.1["spec"], first.1["spec"], "said twice is said once");
            assert_eq!(second.1["metadata"]["labels"], first.1["metadata"]["labels"]);
        }
        pass(&mut cluster, 2);
        is_an_answer(&get(&mut cluster, DEPLOYMENTS));
    });
}
