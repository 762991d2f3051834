//! What the services' models say, as far as the wire needs it: operations, shapes, errors, and what members are called in each protocol.
//!
//! One table a service stands in `services/`, written from the models that botocore ships (`tests/model_tables.rs`). It reads, a line
//! a statement, with longer lines going on after a blank:
//!
//! ```text
//! service NAME PROTOCOL JSON-VERSION TARGET-PREFIX API-VERSION XML-NAMESPACE
//! operation NAME INPUT OUTPUT [METHOD PATH STATUS]
//! error SHAPE CODE STATUS MEMBER-OF-THE-SENTENCE
//! list NAME TYPE ITEM-NAME [flat]
//! map NAME TYPE KEY-NAME VALUE-NAME [flat]
//! structure NAME MEMBER[!]=TYPE[|o:NAME-IN-ANSWERS][|i:NAME-IN-REQUESTS][|u:PATH-PART][|q:QUERY][|h:HEADER] …
//! ```
//!
//! `-` is nothing and `!` required. A type is a shape's name or a letter: `s` text, `i` integer, `f` number, `b` flag, `x` bytes, `d`
//! anything, `t` a date as the protocol has it (`ti` ISO 8601, `tu` epoch seconds, `tr` RFC 822).

mod parse;

use std::{collections::BTreeMap, sync::OnceLock};

/// A service's model.
#[derive(Debug, Default)]
pub struct Model {
    /// The signing name.
    pub name: &'static str,
    /// `json`, `query`, `ec2`, `rest-json`, `smithy-rpc-v2-cbor`.
    pub protocol: &'static str,
    /// `1.1`.
    pub json_version: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    pub target: &'static str,
    pub version: &'static str,
    pub namespace: &'static str,
    pub operations: BTreeMap<&'static str, Operation>,
    /// By shape.
    pub errors: BTreeMap<&'static str, Error>,
    pub shapes: BTreeMap<&'static str, Shape>,
}

#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub name: &'static str,
    /// Shapes; `None` where there is nothing to say.
    pub input: Option<&'static str>,
    pub output: Option<&'static str>,
    /// Where the protocol is one of paths.
    pub route: Option<Route>,
}

#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: &'static str,
    /// `/2015-02-01/file-systems/{FileSystemId}`.
    pub path: &'static str,
    pub status: u16,
}

#[derive(Clone, Copy, Debug)]
pub struct Error {
    pub shape: &'static str,
    pub code: &'static str,
    pub status: u16,
    /// `message` or `Message`.
    pub sentence: &'static str,
}

/// A shape that is made of others.
#[derive(Debug)]
pub enum Shape {
    Structure(Vec<Member>),
    /// `item` is the name of an element in XML; a flat list has no element of its own.
    List {
        of: Kind,
        item: &'static str,
        flat: bool,
    },
    Map {
        of: Kind,
        key: &'static str,
        value: &'static str,
        flat: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub name: &'static str,
    pub of: Kind,
    pub required: bool,
    /// Its name in an answer's XML, and in a request's form.
    pub answered: &'static str,
    pub asked: &'static str,
    pub place: Place,
}

/// Where a request or an answer carries a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Body,
    Path(&'static str),
    Query(&'static str),
    Header(&'static str),
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Number,
    Flag,
    /// Base64 in a [`crate::Call`].
    Bytes,
    /// Epoch seconds in a [`crate::Call`].
    Date(Spelling),
    Anything,
    Shape(&'static str),
}

/// How a date is written, where the protocol's own way does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Protocol,
    Iso,
    Epoch,
    Rfc822,
}

/// A table, and the model once somebody asked for it.
struct Kept {
    name: &'static str,
    table: &'static str,
    model: OnceLock<Model>,
}

macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        [$(Kept { name: $name, table: include_str!(concat!("services/", $name, ".model")), model: OnceLock::new() }),*]
    };
}

static KEPT: [Kept; 17] = tables![
    "application-autoscaling",
    "autoscaling",
    "codedeploy",
    "ec2",
    "ecr",
    "ecs",
    "elasticfilesystem",
    "elasticloadbalancing",
    "iam",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "servicediscovery",
    "ssm",
    "sts",
    "tagging",
];

/// The model of a service, by its signing name.
pub fn of(service: &str) -> Option<&'static Model> {
    KEPT.iter().find(|kept| kept.name == service).map(Kept::model)
}

/// The service of a request that is not signed, by the first part of its `X-Amz-Target`.
pub fn by_target(prefix: &str) -> Option<&'static Model> {
    KEPT.iter().find(|kept| kept.head(4) == Some(prefix)).map(Kept::model)
}

/// The same of a query protocol, by its `Version`.
pub fn by_version(version: &str) -> Option<&'static Model> {
    let query = |kept: &&Kept| matches!(kept.head(2), Some("query" | "ec2"));
    KEPT.iter().filter(query).find(|kept| kept.head(5) == Some(version)).map(Kept::model)
}

impl Kept {
    /// A word of the table's first line.
    fn head(&self, index: usize) -> Option<&'static str> {
        self.table.lines().next()?.split(' ').nth(index)
    }

    fn model(&self) -> &Model {
        self.model.get_or_init(|| parse::parse(self.table))
    }
}

impl Model {
    /// The members of a structure; none where the name is of none.
    pub fn members(&self, name: &str) -> &[Member] {
        match self.shapes.get(name) {
            Some(Shape::Structure(members)) => members,
            _ => &[],
        }
    }

    /// The error that has this code, or whose shape is called so.
    pub fn error(&self, code: &str) -> Option<&Error> {
        self.errors.get(code).or_else(|| self.errors.values().find(|error| error.code == code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_whole() {
        for kept in &KEPT {
            let model = kept.model();
            assert_eq!(model.name, kept.name);
            assert!(!model.operations.is_empty(), "{}", kept.name);
            let known = |kind: &Kind| match kind {
                Kind::Shape(name) => model.shapes.contains_key(name),
                _ => true,
            };
            for operation in model.operations.values() {
                let named = operation.input.iter().chain(&operation.output);
                assert!(named.clone().all(|name| model.shapes.contains_key(name)), "{} {}", kept.name, operation.name);
            }
            for (name, shape) in &model.shapes {
                let whole = match shape {
                    Shape::Structure(members) => members.iter().all(|member| known(&member.of)),
                    Shape::List { of, .. } | Shape::Map { of, .. } => known(of),
                };
                assert!(whole, "{} {name}", kept.name);
            }
        }
    }

    #[test]
    fn names_on_the_wire_are_read() {
        let ec2 = of("ec2").unwrap();
        let filters = ec2.members("DescribeVpcsRequest").iter().find(|member| member.name == "Filters").unwrap();
        assert_eq!((filters.asked, filters.of), ("Filter", Kind::Shape("FilterList")));
        let vpcs = ec2.members("DescribeVpcsResult").iter().find(|member| member.name == "Vpcs").unwrap();
        assert_eq!(vpcs.answered, "vpcSet");
        assert!(matches!(ec2.shapes.get("VpcList"), Some(Shape::List { item: "item", .. })));
        assert_eq!(by_target("AmazonEC2ContainerServiceV20141113").unwrap().name, "ecs");
        let missing = of("elasticloadbalancing").unwrap().error("TargetGroupNotFoundException").unwrap();
        assert_eq!((missing.code, missing.status), ("TargetGroupNotFound", 400));
    }
}
