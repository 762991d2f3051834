//! Which rule of all Ingress objects a request meets.

use serde_json::Value;

use crate::object::{entries, namespace, text};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found<'a> {
    pub(super) namespace: &'a str,
    pub(super) backend: &'a Value,
}

/// How well a host of a rule fits, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HostFit {
    Any,
    Wildcard,
    Exact,
}

/// The backend for a host and a path: the most exact host first; under it the longest path, an exact one before a prefix; a default
/// backend where no rule of that host fits.
pub(super) fn find<'a>(ingresses: &[&'a Value], host: &str, path: &str) -> Option<Found<'a>> {
    let hosts = |fit: HostFit| {
        let rules =
            ingresses.iter().flat_map(|ingress| entries(ingress, "/spec/rules").iter().map(move |it| (*ingress, it)));
        rules.filter(move |(_, rule)| host_fit(text(rule, "/host"), host) == Some(fit)).collect::<Vec<_>>()
    };
    // Only the best host counts: another one's paths do not stand in for it.
    let rules =
        [HostFit::Exact, HostFit::Wildcard, HostFit::Any].into_iter().map(hosts).find(|rules| !rules.is_empty());
    let paths = rules
        .into_iter()
        .flatten()
        .flat_map(|(ingress, rule)| entries(rule, "/http/paths").iter().map(move |path| (ingress, path)));
    let best = paths
        .filter(|(_, entry)| path_fits(entry, path))
        // The first of equals: the older Ingress in the order of names.
        .rev_max(|(_, entry)| (text(entry, "/path").trim_end_matches('/').len(), text(entry, "/pathType") == "Exact"));
    if let Some((ingress, entry)) = best {
        return Some(Found { namespace: namespace(ingress), backend: entry.get("backend")? });
    }
    let with_default = ingresses.iter().find(|ingress| ingress.pointer("/spec/defaultBackend").is_some())?;
    Some(Found { namespace: namespace(with_default), backend: with_default.pointer("/spec/defaultBackend")? })
}

/// The first of those with the greatest key.
trait RevMax: Iterator + Sized {
    fn rev_max<K: Ord>(self, key: impl Fn(&Self::Item) -> K) -> Option<Self::Item> {
        self.fold(None, |best: Option<Self::Item>, item| match best {
            Some(best) if key(&best) >= key(&item) => Some(best),
            _ => Some(item),
        })
    }
}

impl<I: Iterator> RevMax for I {}

fn host_fit(pattern: &str, host: &str) -> Option<HostFit> {
    if pattern.is_empty() {
        return Some(HostFit::Any);
    }
    match pattern.strip_prefix("*.") {
        // A star stands for one label.
        Some(rest) => {
            let (label, tail) = host.split_once('.')?;
            (!label.is_empty() && tail.eq_ignore_ascii_case(rest)).then_some(HostFit::Wildcard)
        }
        None => pattern.eq_ignore_ascii_case(host).then_some(HostFit::Exact),
    }
}

/// `Exact` is the same text; `Prefix` goes by whole elements; what the implementation decides is a prefix here.
fn path_fits(entry: &Value, path: &str) -> bool {
    let wanted = text(entry, "/path");
    if text(entry, "/pathType") == "Exact" {
        return path == wanted;
    }
    let wanted = wanted.trim_end_matches('/');
    path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a host is served over TLS, so that plain requests are sent on.
pub(super) fn has_tls(ingresses: &[&Value], host: &str) -> bool {
    let blocks = ingresses.iter().flat_map(|ingress| entries(ingress, "/spec/tls"));
    let mut hosts = blocks.flat_map(|block| entries(block, "/hosts")).filter_map(Value::as_str);
    hosts.any(|pattern| host_fit(pattern, host).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ingress(rules: Value) -> Value {
        json!({"metadata": {"namespace": "shop"}, "spec": {"rules": rules}})
    }

    fn path(kind: &str, path: &str, to: &str) -> Value {
        json!({"path": path, "pathType": kind, "backend": {"service": {"name": to, "port": {"number": 80}}}})
    }

    fn to(ingresses: &[Value], host: &str, path: &str) -> String {
        let all: Vec<&Value> = ingresses.iter().collect();
        find(&all, host, path).map_or("-", |found| text(found.backend, "/service/name")).to_owned()
    }

    /// The table "Examples" of the documentation's page.
    #[test]
    fn paths_fit_as_documented() {
        for (kind, wanted, asked, fits) in [
            ("Prefix", "/", "/any", true),
            ("Exact", "/foo", "/foo", true),
            ("Exact", "/foo", "/bar", false),
            ("Exact", "/foo", "/foo/", false),
            ("Exact", "/foo/", "/foo", false),
            ("Prefix", "/foo", "/foo", true),
            ("Prefix", "/foo", "/foo/", true),
            ("Prefix", "/foo/", "/foo", true),
            ("Prefix", "/foo/", "/foo/", true),
            ("Prefix", "/aaa/bb", "/aaa/bbb", false),
            ("Prefix", "/aaa/bbb", "/aaa/bbb/", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", false),
            ("Exact", "/", "/cart/1", false),
        ] {
            assert_eq!(path_fits(&path(kind, wanted, "web"), asked), fits, "{kind} {wanted} {asked}");
        }
    }

    #[test]
    fn the_longest_path_wins_and_exact_before_prefix() {
        let all = [ingress(json!([{"http": {"paths": [
            path("Prefix", "/", "web"), path("Prefix", "/cart", "cart"), path("Exact", "/cart", "exact"), path("Prefix", "/cart/x", "x"),
        ]}}]))];
        for (asked, wanted) in
            [("/", "web"), ("/cart", "exact"), ("/cart/1", "cart"), ("/cart/x/y", "x"), ("/carts", "web")]
        {
            assert_eq!(to(&all, "any", asked), wanted, "{asked}");
        }
    }

    #[test]
    fn the_most_exact_host_answers_alone() {
        let rule = |host: &str, to: &str, at: &str| json!({"host": host, "http": {"paths": [path("Prefix", at, to)]}});
        let mut all = [ingress(json!([
            rule("shop.example", "shop", "/a"),
            rule("*.example", "star", "/"),
            json!({"http": {"paths": [path("Prefix", "/", "any")]}}),
        ]))];
        for (host, asked, wanted) in [
            ("shop.example", "/a", "shop"),
            ("SHOP.example", "/a", "shop"),
            ("shop.example", "/b", "-"),
            ("other.example", "/b", "star"),
            ("a.b.example", "/b", "any"),
            ("example", "/", "any"),
        ] {
            assert_eq!(to(&all, host, asked), wanted, "{host}{asked}");
        }
        all[0]["spec"]["defaultBackend"] = json!({"service": {"name": "fallback", "port": {"number": 80}}});
        assert_eq!(to(&all, "shop.example", "/b"), "fallback");
    }

    #[test]
    fn hosts_with_tls_are_known() {
        let with = json!({"spec": {"tls": [{"hosts": ["shop.example"], "secretName": "gone"}]}});
        assert!(has_tls(&[&with], "shop.example"));
        assert!(!has_tls(&[&with], "other.example"));
    }
}
