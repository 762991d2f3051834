//! What is on disk is the cloud, whenever its process dies; what only reads leaves no trace on it.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use breakfix_sim::{pace::Pace, serve::record::Record};
use jiff::Timestamp;
use serde_json::json;

use super::bytes;
use crate::{
    Call, Cloud,
    serve::{Host, api::hand_in},
    services::iam,
    testing,
};

fn host(cloud: Cloud, record: Record) -> Host {
    Host::new(Arc::new(Mutex::new(cloud)), Pace::ByHand, Some(record), || Timestamp::UNIX_EPOCH)
}

fn call(service: &str, operation: &str) -> Call {
    let caller = iam::learner(&testing::config());
    Call { service: service.to_owned(), operation: operation.to_owned(), input: json!({}), caller }
}

#[test]
fn a_cloud_that_is_killed_is_the_same_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let lived = host(testing::cloud(), Record::begin(folder.path(), &testing::cloud()).unwrap());
    for number in 0..5 {
        hand_in(&lived, call("sts", "GetSessionToken")).unwrap();
        lived.skip(Duration::from_secs(60));
        if number == 2 {
            lived.save().unwrap();
        }
        hand_in(&lived, call("sts", "Invent")).unwrap_err();
    }
    let before = lived.look(|cloud| bytes(cloud)).unwrap();
    drop(lived);
    let (_, again) = Record::open::<Cloud>(folder.path()).unwrap();
    assert_eq!(bytes(&again), before);
}

#[test]
fn reads_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(testing::cloud(), Record::begin(folder.path(), &testing::cloud()).unwrap());
    hand_in(&host, call("sts", "GetSessionToken")).unwrap();
    let log = fs::read(folder.path().join("log.jsonl")).unwrap();
    let before = host.look(|cloud| bytes(cloud)).unwrap();
    for (service, operation) in [
        ("sts", "GetCallerIdentity"),
        ("ecs", "ListClusters"),
        ("ec2", "DescribeVpcs"),
        ("iam", "ListRoles"),
        ("elasticloadbalancing", "DescribeLoadBalancers"),
        ("logs", "DescribeLogGroups"),
    ] {
        let _ = hand_in(&host, call(service, operation));
    }
    assert_eq!(fs::read(folder.path().join("log.jsonl")).unwrap(), log);
    assert_eq!(host.look(|cloud| bytes(cloud)).unwrap(), before);
}
