//! The accounts and regions that labs may use: a file of the learner's, and nothing without it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::target::{Cause, TargetError};

/// The list, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) struct Allowed {
    path: PathBuf,
    /// Regions by account.
    accounts: BTreeMap<String, Vec<String>>,
}

/// The file: `accounts: {"123456789012": [eu-central-1]}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    accounts: BTreeMap<String, Vec<String>>,
}

impl Allowed {
    /// The list in a file; one that is not there allows nothing.
    pub(in crate::aws) fn read(path: &Path) -> Result<Self, TargetError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "accounts: {}".to_owned(),
            text => {
                text.map_err(|error| TargetError::new(Cause::Local, format!("read {}", path.display())).because(error))?
            }
        };
        let file: File = serde_saphyr::from_str(&text).map_err(|error| {
            TargetError::new(Cause::Local, format!("read {}: {error}", path.display()))
                .hint("Write it as `accounts: {\"123456789012\": [eu-central-1]}`.")
        })?;
        Ok(Self { path: path.to_owned(), accounts: file.accounts })
    }

    /// Refuses what is not on the list.
    pub(in crate::aws) fn check(&self, account: &str, region: &str) -> Result<(), TargetError> {
        if self.accounts.get(account).is_some_and(|regions| regions.iter().any(|it| it == region)) {
            return Ok(());
        }
        let what = format!("use account {account} in {region}: it is not on the list of those that labs may use");
        let line = format!("accounts: {{\"{account}\": [{region}]}}");
        Err(TargetError::new(Cause::Refused, what)
            .hint(format!("If it is an account for trying things out, write `{line}` into {}.", self.path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Allowed, TargetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aws-accounts.yaml");
        if !text.is_empty() {
            fs::write(&path, text).unwrap();
        }
        Allowed::read(&path)
    }

    #[test]
    fn only_what_is_listed_is_allowed() {
        let allowed = list("accounts: {\"123456789012\": [eu-central-1, eu-west-1]}\n").unwrap();
        allowed.check("123456789012", "eu-west-1").unwrap();
        assert_eq!(allowed.check("123456789012", "us-east-1").unwrap_err().cause, Cause::Refused);
        let refused = allowed.check("210987654321", "eu-west-1").unwrap_err();
        assert!(refused.hints[0].contains("accounts: {\"210987654321\": [eu-west-1]}"), "{refused:?}");
    }

    #[test]
    fn without_a_file_nothing_is_allowed_and_a_wrong_one_is_said() {
        assert!(list("").unwrap().check("123456789012", "eu-west-1").is_err());
        assert_eq!(list("acounts: {}\n").unwrap_err().cause, Cause::Local);
    }
}
