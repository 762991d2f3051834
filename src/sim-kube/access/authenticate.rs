//! Whose request this is: who shows a certificate, who shows a token, and who shows nothing.

use super::{
    User,
    identity::AUTHENTICATED,
    token::{self, API_AUDIENCE},
};
use crate::{Cluster, Status};

/// The key of `extra` under which a credential's name stands.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// The user of a client certificate: the common name is the user, organizations are groups. `digest` is the certificate's SHA-256.
pub fn certified(common_name: &str, organizations: &[String], digest: &str) -> User {
    let mut user = User { name: common_name.to_owned(), groups: organizations.to_vec(), ..User::default() };
    user.join(AUTHENTICATED);
    if !digest.is_empty() {
        user.extra.insert(CREDENTIAL.to_owned(), vec![format!("X509SHA256={digest}")]);
    }
    user
}

/// The user of a request without a certificate, by its `Authorization` header.
///
/// # Errors
/// 401: the header holds a token that is nobody's, or is no longer believed.
pub fn bearer(cluster: &Cluster, authorization: Option<&str>) -> Result<User, Status> {
    // What is no bearer token is not looked at (`bearertoken.go`): whoever sends it has shown nothing.
    let Some(token) = authorization.and_then(bearer_token) else { return Ok(User::anonymous()) };
    match token::check(cluster, token, &[API_AUDIENCE.to_owned()]) {
        Ok((user, _)) => Ok(user),
        Err(_) => Err(unauthorized()),
    }
}

/// 401 as a server says it: why is nobody's business.
pub fn unauthorized() -> Status {
    Status::new(401, "Unauthorized", "Unauthorized")
}

fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.split(' ').next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_s_header_holds_a_token() {
        assert_eq!(bearer_token("Bearer abc"), Some("abc"));
        assert_eq!(bearer_token("bearer abc def"), Some("abc"));
        for other in ["Basic abc", "Bearer", "Bearer ", "abc", ""] {
            assert_eq!(bearer_token(other), None, "{other}");
        }
    }

    #[test]
    fn a_certificate_s_organizations_are_groups() {
        let user = certified("jane", &["devs".to_owned()], "00ff");
        assert_eq!(user.groups, ["devs", "system:authenticated"]);
        assert_eq!(user.extra[CREDENTIAL], ["X509SHA256=00ff"]);
    }
}
