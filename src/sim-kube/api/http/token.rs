//! `serviceaccounts/token`: tokens of accounts.

use super::{body, reply, resource::Call};
use crate::{Cluster, Status, access, api::handle::ApiResponse};

/// Answers a request for a token.
pub(super) fn answer(cluster: &mut Cluster, call: &Call<'_>, name: &str) -> Result<ApiResponse, Status> {
    let asked = body::read(call.request, "TokenRequest", "io.k8s.api.authentication.v1.TokenRequest")?;
    let given = access::token_request(cluster, call.namespace(), name, asked)?;
    Ok(ApiResponse::Reply(reply::value(call.request, call.accepted.form, 201, given)))
}
