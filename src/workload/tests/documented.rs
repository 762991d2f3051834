//! The page for lab authors and the program say the same.

use std::collections::BTreeSet;

use breakfix_workload::{ROLES, SETTINGS, server::ENDPOINTS, tool};

const PAGE: &str = include_str!("../README.md");

/// The part of the page under a heading that begins so.
fn section(heading: &str) -> &'static str {
    let start = PAGE.find(&format!("\n## {heading}")).unwrap_or_else(|| panic!("no section {heading}"));
    let rest = &PAGE[start + 4..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

/// What stands between backticks at the beginning of each table row of a section.
fn rows(heading: &str) -> Vec<&'static str> {
    let lines = section(heading).lines().filter_map(|line| line.strip_prefix("| `"));
    lines.map(|line| line.split('`').next().unwrap_or_default()).collect()
}

#[test]
fn every_setting_is_documented_and_every_documented_one_exists() {
    let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(rows("Settings"), known, "README, table of settings, in the order of settings.rs");
}

#[test]
fn defaults_are_documented() {
    for setting in SETTINGS {
        let row = section("Settings").lines().find(|line| line.starts_with(&format!("| `{}` |", setting.name)));
        let cell = row.and_then(|row| row.split('|').nth(2)).unwrap_or_default().trim();
        assert!(
            cell.starts_with(setting.default.trim_start_matches("the ")),
            "{}: {cell} / {}",
            setting.name,
            setting.default
        );
    }
}

#[test]
fn every_role_is_documented() {
    assert_eq!(rows("Which role"), ROLES);
}

#[test]
fn every_endpoint_is_documented() {
    let page = section("Endpoints");
    for (method, path) in ENDPOINTS {
        assert!(page.contains(&format!("`{method} {path}")), "{method} {path}");
    }
}

#[test]
fn every_tool_is_documented() {
    let list = section("Tools").split("\n\n").nth(1).unwrap_or_default();
    let named: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
    assert_eq!(named, tool::names().into_iter().collect());
}
