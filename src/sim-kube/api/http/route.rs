//! Where a path leads.

use crate::{Kind, kind};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// Discovery, schemas, health: no objects.
    Page(Page),
    /// Objects of a kind.
    Resource(Target),
    /// Under a served group, but no resource: a Status says so.
    NoResource,
    /// `404 page not found`.
    Nowhere,
}

/// A page that is no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    Root,
    Version,
    /// `healthz`, `livez`, `readyz`.
    Health(String),
    Api,
    Apis,
    Group(String),
    /// Group (empty: core) and version.
    GroupVersion(String, String),
    OpenApiIndex,
    /// A group's document, named as in the index: `api/v1`, `apis/apps/v1`.
    OpenApi(String),
    OpenApiV2,
    /// Who issues service accounts' tokens (OpenID Connect discovery), and the keys to check them with.
    Issuer,
    KeySet,
}

/// Objects of a kind, or one of them, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub kind: Served,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: Option<String>,
}

/// What is served at a resource's path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Served {
    /// Objects in the store.
    Stored(&'static Kind),
    /// A question that is answered and forgotten: access reviews and their like.
    Question(&'static kind::Question),
    /// Objects that are worked out when they are asked for.
    Reading(&'static Kind),
}

impl Route {
    /// The route of a path as the request line has it, with the custom kinds that are served.
    pub fn of(path: &str, custom: &[&'static Kind]) -> Self {
        let segments: Option<Vec<String>> =
            path.split('/').filter(|segment| !segment.is_empty()).map(unescape).collect();
        let Some(segments) = segments else { return Self::Nowhere };
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => Self::Page(Page::Root),
            ["version"] => Self::Page(Page::Version),
            ["healthz" | "livez" | "readyz", ..] => Self::Page(Page::Health(words.join("/"))),
            ["api"] => Self::Page(Page::Api),
            ["apis"] => Self::Page(Page::Apis),
            ["openapi", "v3"] => Self::Page(Page::OpenApiIndex),
            ["openapi", "v3", rest @ ..] => Self::Page(Page::OpenApi(rest.join("/"))),
            ["openapi", "v2"] => Self::Page(Page::OpenApiV2),
            [".well-known", "openid-configuration"] => Self::Page(Page::Issuer),
            ["openid", "v1", "jwks"] => Self::Page(Page::KeySet),
            ["api", version, rest @ ..] => resource("", version, rest, custom),
            ["apis", group] if has_group(group, custom) => Self::Page(Page::Group((*group).to_owned())),
            ["apis", group, version, rest @ ..] if has_group(group, custom) => resource(group, version, rest, custom),
            _ => Self::Nowhere,
        }
    }
}

fn has_group(group: &str, custom: &[&'static Kind]) -> bool {
    kind::has_group(group) || custom.iter().any(|kind| kind.group == group)
}

fn resource(group: &str, version: &str, rest: &[&str], custom: &[&'static Kind]) -> Route {
    let of_version = |kind: &&&'static Kind| kind.group == group && kind.version == version;
    if !kind::has_version(group, version) && !custom.iter().any(|kind| of_version(&kind)) {
        return if group.is_empty() { Route::Nowhere } else { Route::NoResource };
    }
    let find = |plural: &str| {
        kind::by_plural(group, version, plural)
            .or_else(|| custom.iter().filter(of_version).find(|kind| kind.plural == plural).copied())
            .map(Served::Stored)
            .or_else(|| kind::question(group, version, plural).map(Served::Question))
            .or_else(|| kind::reading(group, version, plural).map(Served::Reading))
    };
    let (namespace, rest) = match rest {
        [] => return Route::Page(Page::GroupVersion(group.to_owned(), version.to_owned())),
        ["namespaces", _, "status" | "finalize"] if group.is_empty() => (None, rest),
        ["namespaces", namespace, plural, rest @ ..] if find(plural).is_some_and(Served::is_namespaced) => {
            return target(find(plural), Some(namespace), rest);
        }
        [_, ..] => (None, rest),
    };
    let [plural, rest @ ..] = rest else { return Route::NoResource };
    let found = find(plural);
    // Objects of a namespaced kind are named only under their namespace.
    if found.is_some_and(Served::is_namespaced) && !rest.is_empty() {
        return Route::NoResource;
    }
    target(found, namespace, rest)
}

fn target(kind: Option<Served>, namespace: Option<&str>, rest: &[&str]) -> Route {
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some(*name), None),
        [name, subresource] => (Some(*name), Some(*subresource)),
        // What follows is the path of somebody else.
        [name, "proxy", ..] => (Some(*name), Some("proxy")),
        _ => return Route::NoResource,
    };
    let Some(kind) = kind else { return Route::NoResource };
    if let (Served::Stored(kind), Some(subresource)) = (kind, subresource)
        && !kind.subresources.contains(&subresource)
    {
        return Route::NoResource;
    }
    if matches!((kind, subresource), (Served::Reading(_), Some(_))) {
        return Route::NoResource;
    }
    Route::Resource(Target {
        kind,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    })
}

impl Served {
    /// The group that it is served in.
    pub fn group(self) -> &'static str {
        match self {
            Self::Stored(kind) | Self::Reading(kind) => kind.group,
            Self::Question(question) => question.group,
        }
    }

    fn is_namespaced(self) -> bool {
        match self {
            Self::Stored(kind) | Self::Reading(kind) => kind.namespaced,
            Self::Question(question) => question.namespaced,
        }
    }
}

/// A path segment without its percent signs; `None` if they make no text.
fn unescape(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> String {
        match Route::of(path, &[]) {
            Route::Resource(target) => {
                let kind = match target.kind {
                    Served::Stored(kind) | Served::Reading(kind) => kind.kind,
                    Served::Question(question) => question.kind,
                };
                [Some(kind.to_owned()), target.namespace, target.name, target.subresource]
                    .into_iter()
                    .map(|part| part.unwrap_or_else(|| "-".to_owned()))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn paths_lead_where_they_lead_on_a_server() {
        for (path, wanted) in [
            ("/api/v1/pods", "Pod - - -"),
            ("/api/v1/namespaces/shop/pods", "Pod shop - -"),
            ("/api/v1/namespaces/shop/pods/a/log", "Pod shop a log"),
            ("/api/v1/namespaces", "Namespace - - -"),
            ("/api/v1/namespaces/shop", "Namespace - shop -"),
            ("/api/v1/namespaces/shop/finalize", "Namespace - shop finalize"),
            ("/apis/apps/v1/namespaces/shop/deployments/web/scale", "Deployment shop web scale"),
            ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "SelfSubjectAccessReview - - -"),
            ("/api/v1/nodes/a%2Db", "Node - a-b -"),
            ("/api/v1/namespaces/shop/nosuchkind", "NoResource"),
            ("/api/v1/namespaces/shop/pods/a/ephemeralcontainers", "Pod shop a ephemeralcontainers"),
            ("/api/v1/namespaces/shop/pods/a/nosuchpart", "NoResource"),
            ("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/a", "PodMetrics shop a -"),
            ("/apis/metrics.k8s.io/v1beta1/nodes/a/status", "NoResource"),
            ("/api/v1/pods/a", "NoResource"),
            ("/apis/apps/v9/deployments", "NoResource"),
            ("/apis/nope/v1/things", "Nowhere"),
            ("/apis/nope", "Nowhere"),
            ("/nope", "Nowhere"),
            ("/api/v1/nodes/%zz", "Nowhere"),
        ] {
            assert_eq!(shown(path), wanted, "{path}");
        }
    }
}
