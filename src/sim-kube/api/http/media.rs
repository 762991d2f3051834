//! Media types: what the client takes, and what it sent.

use crate::{Status, api::handle::ApiRequest};

/// In which form an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Yaml,
}

/// As what the objects are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The objects themselves.
    Whole,
    /// Columns and rows, of this version of `meta.k8s.io`.
    Table(&'static str),
    /// Metadata only, of this version of `meta.k8s.io`.
    Metadata(&'static str),
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub form: Form,
    pub view: View,
}

/// One range of an Accept header.
struct Range<'a> {
    media: &'a str,
    params: Vec<(&'a str, &'a str)>,
}

impl Range<'_> {
    fn param(&self, key: &str) -> Option<&str> {
        self.params.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

fn ranges(header: &str) -> Vec<Range<'_>> {
    let mut ranges: Vec<(f64, Range<'_>)> = header
        .split(',')
        .map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let media = parts.next().unwrap_or("");
            let params: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
            let range = Range { media, params };
            (range.param("q").and_then(|q| q.parse().ok()).unwrap_or(1.0), range)
        })
        .filter(|(_, range)| !range.media.is_empty())
        .collect();
    ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranges.into_iter().map(|(_, range)| range).collect()
}

/// What the client takes of what there is.
///
/// # Errors
/// 406 in the API's words.
pub fn accepted(request: &ApiRequest) -> Result<Accepted, Status> {
    let header = request.header("accept");
    if header.is_empty() {
        return Ok(Accepted { form: Form::Json, view: View::Whole });
    }
    ranges(header).iter().find_map(offer).ok_or_else(|| Status {
        details: serde_json::json!({}),
        ..Status::new(
            406,
            "NotAcceptable",
            "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml",
        )
    })
}

fn offer(range: &Range<'_>) -> Option<Accepted> {
    let form = match range.media {
        "application/json" | "*/*" | "application/*" => Form::Json,
        "application/yaml" => Form::Yaml,
        _ => return None,
    };
    let version = || match range.param("v") {
        Some("v1") => Some("meta.k8s.io/v1"),
        Some("v1beta1") => Some("meta.k8s.io/v1beta1"),
        _ => None,
    };
    let view = match (range.param("as"), range.param("g")) {
        (None, _) => View::Whole,
        (Some("Table"), Some("meta.k8s.io")) => View::Table(version()?),
        (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io")) => {
            View::Metadata(version()?)
        }
        _ => return None,
    };
    Some(Accepted { form, view })
}

/// Which aggregated discovery document the client would take: `v2`, `v2beta1`, or none.
pub fn aggregated_discovery(request: &ApiRequest) -> Option<&'static str> {
    ranges(request.header("accept")).iter().find_map(|range| {
        let wanted =
            range.param("as") == Some("APIGroupDiscoveryList") && range.param("g") == Some("apidiscovery.k8s.io");
        match (range.media, range.param("v")) {
            ("application/json", Some("v2")) if wanted => Some(Some("v2")),
            ("application/json", Some("v2beta1")) if wanted => Some(Some("v2beta1")),
            ("application/json" | "*/*" | "application/*", _) if range.param("as").is_none() => Some(None),
            _ => None,
        }
    })?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::handle::User;

    fn accept(header: &str) -> Result<Accepted, Status> {
        accepted(&ApiRequest {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: [("accept".to_owned(), header.to_owned())].into(),
            body: Vec::new(),
            user: User::admin(),
        })
    }

    #[test]
    fn the_first_range_that_can_be_given_is() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(accept(kubectl), Ok(Accepted { form: Form::Json, view: View::Table("meta.k8s.io/v1") }));
        let typed = "application/vnd.kubernetes.protobuf,application/json";
        assert_eq!(accept(typed), Ok(Accepted { form: Form::Json, view: View::Whole }));
        assert_eq!(accept("application/json;q=0.5,application/yaml").map(|taken| taken.form), Ok(Form::Yaml));
        assert_eq!(accept("*/*").map(|taken| taken.form), Ok(Form::Json));
        assert_eq!(accept("text/csv").unwrap_err().code, 406);
    }
}
