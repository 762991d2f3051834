//! Asking the API which kinds it serves: for those that the table in `resource.rs` does not hold.

use futures::future::join_all;
use http::Method;
use serde_json::Value;

use super::{api::Api, object, resource::Resource, trouble::Trouble};

/// Where a kind is served; `None`: observed that it is not. Without an `apiVersion` every group's preferred version is searched.
pub(crate) async fn find(api: &Api, api_version: Option<&str>, kind: &str) -> Result<Option<Resource>, Trouble> {
    let candidates = match api_version {
        Some(version) => vec![version.to_owned()],
        None => {
            let groups = api.send(Method::GET, "/apis", None).await?.body;
            let preferred = object::list(&groups, "/groups").iter();
            let preferred = preferred.filter_map(|group| object::text(group, "/preferredVersion/groupVersion"));
            std::iter::once("v1").chain(preferred).map(str::to_owned).collect()
        }
    };
    let answers = join_all(candidates.iter().map(|version| resources(api, version))).await;
    for (version, answer) in candidates.iter().zip(answers) {
        if let Some(found) = row(version, kind, &answer?) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The resources of one version; none where the version is not served.
async fn resources(api: &Api, version: &str) -> Result<Vec<Value>, Trouble> {
    let root = if version.contains('/') { "/apis" } else { "/api" };
    match api.send(Method::GET, &format!("{root}/{version}"), None).await {
        Ok(answer) => match answer.body.get("resources") {
            Some(Value::Array(rows)) => Ok(rows.clone()),
            _ => Err(Trouble::Garbage { why: format!("{root}/{version} names no resources") }),
        },
        Err(Trouble::NotServed { .. }) => Ok(Vec::new()),
        Err(trouble) if trouble.is_not_found() => Ok(Vec::new()),
        Err(trouble) => Err(trouble),
    }
}

fn row(version: &str, kind: &str, rows: &[Value]) -> Option<Resource> {
    rows.iter().find_map(|row| {
        let plural = object::text(row, "/name").filter(|name| !name.contains('/'))?;
        (object::text(row, "/kind")? == kind).then(|| Resource {
            api_version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: row.get("namespaced").and_then(Value::as_bool).unwrap_or(true),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_the_kind_and_not_its_subresources() {
        let rows = [
            json!({"name": "widgets/status", "kind": "Widget", "namespaced": false}),
            json!({"name": "widgets", "kind": "Widget", "namespaced": false}),
        ];
        let found = row("example.dev/v1", "Widget", &rows).unwrap();
        assert_eq!((found.plural.as_str(), found.namespaced), ("widgets", false));
        assert_eq!(row("example.dev/v1", "Gadget", &rows), None);
    }
}
