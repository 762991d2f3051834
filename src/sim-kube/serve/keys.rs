//! The key material of one cluster: made once, kept in its folder, readable by its owner only.

use std::{fs, io, path::Path};

use breakfix_sim::{
    ca::{self, Authority, CertificateError, Credentials},
    file::write_whole,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::error::ServeError;
use crate::access::{AUTHORITY, MASTERS, Trust};

/// The administrator's user and group: what `kind` and `kubeadm` write into a kubeconfig. A binding gives the group its rights, and
/// whoever deletes that binding has shut themselves out.
const ADMIN: &str = "kubernetes-admin";
const ADMINS: &str = "kubeadm:cluster-admins";
/// The one whom nothing shuts out: `super-admin.conf` of `kubeadm`. Who opens and grades labs comes as this one.
const SUPER_ADMIN: &str = "kubernetes-super-admin";
/// Names under which a learner's tools, or a program that takes itself to be in the cluster, reach the server.
const SERVER_NAMES: &[&str] = &[
    "127.0.0.1",
    "::1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "10.96.0.1",
];

/// Keys and certificates of the authority, the server and the administrators.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    pub authority: Credentials,
    pub server: Credentials,
    pub admin: Credentials,
    pub super_admin: Credentials,
    /// What the key of service accounts' tokens is made of.
    pub token_secret: String,
}

impl std::fmt::Debug for Keys {
    /// Without the secret: it must not end up in a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keys").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Keys {
    /// New keys.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate(today: Date) -> Result<Self, CertificateError> {
        let authority = Authority::generate(AUTHORITY, today)?;
        Ok(Self {
            server: authority.server(SERVER_NAMES, today)?,
            admin: authority.client(ADMIN, Some(ADMINS), today)?,
            super_admin: authority.client(SUPER_ADMIN, Some(MASTERS), today)?,
            token_secret: ca::secret("service accounts")?,
            authority: authority.credentials(),
        })
    }

    /// Those of them that the cluster itself works with.
    pub fn trust(&self) -> Trust {
        Trust { authority: self.authority.clone(), token_secret: self.token_secret.clone() }
    }

    /// The keys kept in a file, made and kept there if it is missing.
    ///
    /// # Errors
    /// The file cannot be read or written, or does not hold keys.
    pub fn keep(path: &Path, today: Date) -> Result<Self, ServeError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let keys = Self::generate(today)?;
                let text = serde_json::to_vec(&keys).map_err(|source| ServeError::damaged(path, source))?;
                write_whole(path, &text, true).map_err(|source| ServeError::file(path, source))?;
                return Ok(keys);
            }
            Err(source) => return Err(ServeError::file(path, source)),
        };
        serde_json::from_slice(&text).map_err(|source| ServeError::damaged(path, source))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn keys_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let first = Keys::keep(&path, date(2026, 11, 21)).unwrap();
        let second = Keys::keep(&path, date(2026, 11, 22)).unwrap();
        assert_eq!(first.admin, second.admin);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        fs::write(&path, "{").unwrap();
        let error = Keys::keep(&path, date(2026, 11, 21)).unwrap_err();
        assert!(error.to_string().contains("keys.json"), "{error}");
    }
}
