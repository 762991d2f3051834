//! The managed policies of AWS: their documents as published, as far as they speak of services that are simulated.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::policy::Document;

/// A policy of `arn:aws:iam::aws:policy`.
pub struct AwsManaged {
    pub name: String,
    pub arn: String,
    pub path: String,
    /// The version in force: `v182`.
    pub version: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// The document as text.
    pub text: String,
    pub document: Document,
}

#[derive(Deserialize)]
struct Row {
    path: String,
    version: String,
    created: Timestamp,
    updated: Timestamp,
    document: Value,
}

static POLICIES: LazyLock<BTreeMap<String, AwsManaged>> = LazyLock::new(|| {
    let rows: BTreeMap<String, Row> = serde_json::from_str(include_str!("managed.json")).unwrap_or_default();
    let policy = |(name, row): (String, Row)| {
        let arn = format!("arn:aws:iam::aws:policy{}{name}", row.path);
        let text = serde_json::to_string_pretty(&row.document).unwrap_or_default();
        let Row { path, version, created, updated, document } = row;
        let document = Document::from_value(&document);
        (arn.clone(), AwsManaged { name, arn, path, version, created, updated, text, document })
    };
    rows.into_iter().map(policy).collect()
});

/// All of them, by ARN.
pub fn all() -> impl Iterator<Item = &'static AwsManaged> {
    POLICIES.values()
}

/// The policy of this ARN.
pub fn find(arn: &str) -> Option<&'static AwsManaged> {
    POLICIES.get(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_whole() {
        assert!(all().count() >= 40);
        for policy in all() {
            let statements = serde_json::from_str::<Value>(&policy.text).unwrap()["Statement"].clone();
            let written = statements.as_array().map_or(1, Vec::len);
            assert_eq!(policy.document.statements.len(), written, "{}", policy.name);
        }
    }

    #[test]
    fn the_execution_role_s_policy_cannot_create_log_groups() {
        let policy = find("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy").unwrap();
        assert!(policy.text.contains("logs:PutLogEvents") && !policy.text.contains("logs:CreateLogGroup"));
    }
}
