//! What a request is about, as authorization sees it: read off its path alone, before anybody knows whether there is such a thing
//! (`apiserver/pkg/endpoints/request/requestinfo.go`).

use crate::api::ApiRequest;

/// Parts of a namespace that are named like resources in it.
const NAMESPACE_PARTS: [&str; 2] = ["status", "finalize"];

/// One act that somebody may or may not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `watch`, `create`, `impersonate` …; of a path without a resource the method in lower case.
    pub verb: String,
    pub group: String,
    pub version: String,
    /// Empty where the path is not one of a resource.
    pub resource: String,
    pub subresource: String,
    pub namespace: String,
    pub name: String,
    /// The whole path.
    pub path: String,
}

impl Attributes {
    /// Those of a verb on a resource.
    pub fn resource(verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> Self {
        let [verb, group, resource, namespace, name] = [verb, group, resource, namespace, name].map(str::to_owned);
        Self { verb, group, resource, namespace, name, ..Self::default() }
    }

    /// Those of a verb on a path that is no resource's.
    pub fn path(verb: &str, path: &str) -> Self {
        Self { verb: verb.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// Those of a request.
    pub fn of(request: &ApiRequest) -> Self {
        let method = request.method.as_str();
        let mut parts = request.path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let Some((group, version)) = api(&mut parts) else {
            return Self::path(&method.to_ascii_lowercase(), &request.path);
        };
        let verb = match method {
            "POST" => "create",
            "GET" | "HEAD" => "get",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ => "",
        };
        let mut namespace = "";
        let mut parts = parts.as_slice();
        if let ["namespaces", named, rest @ ..] = parts {
            namespace = named;
            if rest.first().is_some_and(|part| !NAMESPACE_PARTS.contains(part)) {
                parts = rest;
            }
        }
        let part = |index: usize| parts.get(index).copied().unwrap_or("");
        let mut found = Self {
            subresource: part(2).to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            path: request.path.clone(),
            ..Self::resource(verb, "", part(0), namespace, part(1))
        };
        if found.name.is_empty() {
            found.unnamed(request);
        }
        found
    }

    /// Without a name a get is a list or a watch, and a deletion one of many. One that is selected by its name is named.
    fn unnamed(&mut self, request: &ApiRequest) {
        match self.verb.as_str() {
            "get" => {
                self.verb = if request.flag("watch") { "watch" } else { "list" }.to_owned();
                let selector = request.param("fieldSelector").unwrap_or("");
                let exact = selector.split(',').find_map(|term| {
                    let value = term.strip_prefix("metadata.name=")?;
                    Some(value.strip_prefix('=').unwrap_or(value))
                });
                exact.unwrap_or("").clone_into(&mut self.name);
            }
            "delete" => "deletecollection".clone_into(&mut self.verb),
            _ => {}
        }
    }

    /// Whether this is about a resource, not about a path as such.
    pub fn is_resource(&self) -> bool {
        !self.resource.is_empty()
    }

    /// `pods`, `pods/log`: as rules name it.
    pub fn full_resource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

/// Takes what comes before the resource off the path: the group and its version, if a resource is left.
fn api<'a>(parts: &mut Vec<&'a str>) -> Option<(&'a str, &'a str)> {
    let (group, version, taken) = match parts.as_slice() {
        ["api", version, _, ..] => ("", *version, 2),
        ["apis", group, version, _, ..] => (*group, *version, 3),
        _ => return None,
    };
    parts.drain(..taken);
    Some((group, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::User;

    fn shown(method: &str, target: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = Attributes::of(&ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            headers: std::collections::BTreeMap::new(),
            body: Vec::new(),
            user: User::admin(),
        });
        if found.is_resource() {
            format!("{} {}.{} {}/{}", found.verb, found.full_resource(), found.group, found.namespace, found.name)
        } else {
            format!("{} {}", found.verb, found.path)
        }
    }

    #[test]
    fn a_path_says_what_is_asked_for() {
        for (method, target, wanted) in [
            ("GET", "/api/v1/pods", "list pods. /"),
            ("GET", "/api/v1/pods?watch=true", "watch pods. /"),
            ("GET", "/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dx", "list pods. shop/"),
            ("GET", "/api/v1/namespaces/shop/pods?fieldSelector=metadata.name=x", "list pods. shop/x"),
            ("GET", "/api/v1/namespaces/shop/pods/a/log", "get pods/log. shop/a"),
            ("POST", "/api/v1/namespaces/shop/pods/a/exec", "create pods/exec. shop/a"),
            ("GET", "/api/v1/namespaces/shop", "get namespaces. shop/shop"),
            ("PUT", "/api/v1/namespaces/shop/finalize", "update namespaces/finalize. shop/shop"),
            ("DELETE", "/apis/apps/v1/namespaces/shop/deployments", "deletecollection deployments.apps shop/"),
            ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/a/scale", "patch deployments/scale.apps shop/a"),
            ("GET", "/apis/nope/v9/things/x", "get things.nope /x"),
            ("GET", "/apis/apps/v1", "get /apis/apps/v1"),
            ("GET", "/api/v1", "get /api/v1"),
            ("GET", "/healthz", "get /healthz"),
            ("POST", "/metrics", "post /metrics"),
        ] {
            assert_eq!(shown(method, target), wanted, "{method} {target}");
        }
    }
}
