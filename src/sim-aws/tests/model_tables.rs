//! The tables of `wire/model/` say what the models say that botocore ships with the aws CLI. `UPDATE_MODELS=1` writes them anew.
//!
//! Models grow: a newer botocore has more members, which is no fault of ours; it must still have all of what the tables say.

mod botocore;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

use botocore::{SERVICES, table};

/// The statements of a table, one a member, so that a shape that has grown still says what it said.
fn statements(table: &str) -> BTreeSet<String> {
    let mut statements = BTreeSet::new();
    for line in table.replace("\n ", " ").lines() {
        match line.strip_prefix("structure ").and_then(|rest| rest.split_once(' ')) {
            Some((name, members)) => statements.extend(members.split(' ').map(|member| format!("{name}.{member}"))),
            None => drop(statements.insert(line.to_owned())),
        }
    }
    statements
}

#[test]
fn the_tables_say_what_botocore_s_models_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/model/services");
    let mut wrong = Vec::new();
    for wanted in SERVICES {
        let Some(model) = wanted.model() else {
            eprintln!("skipped: no botocore");
            return;
        };
        let path = folder.join(format!("{}.model", wanted.table));
        let table = table::write(wanted, &model);
        if env::var_os("UPDATE_MODELS").is_some() {
            fs::write(&path, &table).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap();
        let installed = statements(&table);
        wrong.extend(statements(&kept).difference(&installed).map(|line| format!("{}: {line}", wanted.table)));
    }
    assert!(wrong.is_empty(), "botocore's models do not say:\n{}", wrong.join("\n"));
}

/// The words in quotes of the arms of a `match` on an operation's name.
fn arms(source: &str) -> BTreeSet<String> {
    let mut arms = BTreeSet::new();
    let Some((_, dispatch)) =
        source.split_once("match call.operation.as_str() {").or_else(|| source.split_once("\npub fn call("))
    else {
        return arms;
    };
    for line in dispatch.lines().take_while(|line| *line != "}") {
        let line = line.trim();
        // A member of a JSON answer is no arm.
        if (line.starts_with('"') || line.starts_with("| \"")) && !line.contains("\": ") {
            let names = line.split("=>").next().unwrap_or_default().split('"').skip(1).step_by(2);
            arms.extend(names.filter(|name| name.starts_with(|letter: char| letter.is_uppercase())).map(str::to_owned));
        }
    }
    arms
}

/// What a service serves and its table does not know could be asked for in process, and never over the wire.
#[test]
fn every_operation_that_is_served_is_in_its_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let others =
        BTreeMap::from([("elbv2", "elasticloadbalancing"), ("efs", "elasticfilesystem"), ("cloudwatch", "monitoring")]);
    let (mut served, mut missing) = (0, Vec::new());
    for entry in fs::read_dir(folder.join("services")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(source) = fs::read_to_string(path.join("mod.rs")) else { continue };
        let name = path.file_name().unwrap().to_str().unwrap().replace('_', "-");
        let name = others.get(name.as_str()).copied().unwrap_or(&name);
        let table = fs::read_to_string(folder.join(format!("wire/model/services/{name}.model")));
        let table = table.unwrap_or_else(|_| panic!("{name} has no table: add it to tests/botocore and wire/model"));
        for operation in arms(&source) {
            served += 1;
            if !table.contains(&format!("operation {operation} ")) {
                missing.push(format!("{name}: {operation}"));
            }
        }
    }
    assert!(served > 200, "the reader of sources has gone blind: {served}");
    assert!(
        missing.is_empty(),
        "not in the tables (tests/botocore/mod.rs says which operations are):\n{}",
        missing.join("\n")
    );
}
