//! Logs of containers.

use super::resource::Call;
use crate::{
    Cluster, Status,
    api::{
        handle::ApiResponse,
        stream::{LogSpec, StreamSpec},
    },
    kind::POD,
    object::text,
};

/// Answers a request for a log: whole, or as a stream that `serve/` runs.
pub(super) fn answer(cluster: &mut Cluster, call: &Call<'_>, name: &str) -> Result<ApiResponse, Status> {
    let pod = cluster.get(&POD, call.namespace(), name)?;
    let request = call.request;
    let container = super::subresource::container(&pod, request.param("container").unwrap_or(""), name)?;
    if text(&pod, "/spec/nodeName").is_empty() {
        // A pod without a node has no log, and that is no error.
        return Ok(ApiResponse::Reply(crate::api::http::reply::log(Vec::new())));
    }
    let spec = LogSpec {
        namespace: call.namespace().to_owned(),
        pod: name.to_owned(),
        container,
        follow: request.flag("follow"),
        previous: request.flag("previous"),
        tail: number(call, "tailLines")?,
        since_seconds: number(call, "sinceSeconds")?,
        since_time: request.param("sinceTime").map(str::to_owned),
        timestamps: request.flag("timestamps"),
        limit_bytes: number(call, "limitBytes")?,
    };
    Ok(ApiResponse::Stream(StreamSpec::Log(spec)))
}

fn number(call: &Call<'_>, key: &str) -> Result<Option<u64>, Status> {
    match call.request.param(key) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            let message = if text.starts_with('-') {
                "must be greater than or equal to 0".to_owned()
            } else {
                format!("strconv.ParseInt: parsing {text:?}: invalid syntax")
            };
            Status::bad_request(format!("{key}: Invalid value: {text:?}: {message}"))
        }),
    }
}
