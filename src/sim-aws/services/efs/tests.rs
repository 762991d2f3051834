//! Scenarios of shared disks.

use std::time::Duration;

use serde_json::{Value, json};

use super::{MountFailure, Volume, mount};
use crate::{
    AwsError,
    network::{InterfaceId, testbed::Net},
};

struct Disk {
    net: Net,
    id: String,
}

impl Disk {
    fn call(&mut self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.net.call("elasticfilesystem", operation, input)
    }

    /// A file system with a mount target in zone a, and NFS open to the group `web`.
    fn new() -> Self {
        let mut disk = Self { net: Net::new(), id: String::new() };
        let made = disk.call("CreateFileSystem", json!({"CreationToken": "uploads", "Encrypted": true})).unwrap();
        disk.id = made["FileSystemId"].as_str().unwrap().to_owned();
        let web = disk.net.id("web");
        disk.net.allow("endpoints", 2049, json!({"UserIdGroupPairs": [{"GroupId": web}]}));
        let target = disk.target("private-a").unwrap();
        assert_eq!(target["LifeCycleState"], "creating");
        disk.pass();
        disk
    }

    fn target(&mut self, subnet: &str) -> Result<Value, AwsError> {
        let groups = [self.net.id("endpoints")];
        let input = json!({"FileSystemId": self.id, "SubnetId": self.net.id(subnet), "SecurityGroups": groups});
        self.call("CreateMountTarget", input)
    }

    fn pass(&mut self) {
        let later = self.net.cloud.now() + Duration::from_secs(120);
        self.net.cloud.advance(later);
    }

    fn mount(&self, task: &str, point: Option<&str>, root: &str) -> Result<String, MountFailure> {
        let volume = Volume { file_system: &self.id, access_point: point, root };
        mount(&self.net.cloud, &InterfaceId(self.net.id(task)), &volume)
    }
}

#[test]
fn a_task_mounts_what_its_zone_has_a_target_for() {
    let mut disk = Disk::new();
    assert_eq!(disk.mount("task", None, "/"), Ok(format!("{} /", disk.id)));
    assert_eq!(disk.mount("task-b", None, "/"), Err(MountFailure::NotResolved), "no target in zone b");
    assert_eq!(disk.mount("stranger", None, "/"), Err(MountFailure::TimedOut), "its group is not let in");
    disk.target("private-b").unwrap();
    disk.pass();
    assert_eq!(disk.mount("task-b", None, "/"), disk.mount("task", None, "/"), "the same files");
    disk.net.close("endpoints", false);
    assert_eq!(disk.mount("task", None, "/"), Err(MountFailure::TimedOut));
    let words = MountFailure::TimedOut.words("eu-central-1", &disk.id);
    let begin = "failed to invoke EFS utils commands to set up EFS volumes: stderr: Mount attempt 1/3 failed due to timeout after 15 sec,";
    assert!(words.starts_with(begin), "{words}");
    let all = disk.call("DescribeMountTargets", json!({"FileSystemId": disk.id})).unwrap();
    assert_eq!(all["MountTargets"].as_array().unwrap().len(), 2);
}

#[test]
fn an_access_point_has_a_root_of_its_own() {
    let mut disk = Disk::new();
    let point = |disk: &mut Disk, path: &str, creation: Value| {
        let input = json!({
            "ClientToken": path, "FileSystemId": disk.id, "RootDirectory": {"Path": path, "CreationInfo": creation},
        });
        disk.call("CreateAccessPoint", input).unwrap()["AccessPointId"].as_str().unwrap().to_owned()
    };
    let lost = point(&mut disk, "/lost", Value::Null);
    assert_eq!(disk.mount("task", Some(&lost), "/"), Err(MountFailure::NoDirectory));
    let made = point(&mut disk, "/uploads", json!({"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "755"}));
    assert_eq!(disk.mount("task", Some(&made), "/"), Ok(format!("{} /uploads", disk.id)));
    assert_eq!(disk.mount("task", None, "/uploads/"), disk.mount("task", Some(&made), "/"));
    assert_eq!(disk.mount("task", Some("fsap-0"), "/"), Err(MountFailure::NoAccessPoint));
    assert_eq!(disk.mount("task", None, "/elsewhere"), Err(MountFailure::NoDirectory));
    let shown = disk.call("DescribeAccessPoints", json!({"FileSystemId": disk.id})).unwrap();
    assert_eq!(shown["AccessPoints"].as_array().unwrap().len(), 2);
}

#[test]
fn refusals_are_efs_s_own() {
    let mut disk = Disk::new();
    let code = |result: Result<Value, AwsError>| result.map_err(|it| (it.code, it.status)).unwrap_err();
    let twice = disk.target("private-a");
    assert_eq!(code(twice), ("MountTargetConflict".to_owned(), 409));
    let id = disk.id.clone();
    assert_eq!(code(disk.call("DeleteFileSystem", json!({"FileSystemId": id}))), ("FileSystemInUse".to_owned(), 409));
    let unknown = disk.call("DescribeFileSystems", json!({"FileSystemId": "fs-0"}));
    assert_eq!(code(unknown), ("FileSystemNotFound".to_owned(), 404));
    let same = disk.call("CreateFileSystem", json!({"CreationToken": "uploads"}));
    assert_eq!(code(same), ("FileSystemAlreadyExists".to_owned(), 409));
    let target = disk.call("DescribeMountTargets", json!({"FileSystemId": id})).unwrap();
    let target = target["MountTargets"][0]["MountTargetId"].clone();
    let web = disk.net.id("web");
    disk.call("ModifyMountTargetSecurityGroups", json!({"MountTargetId": target, "SecurityGroups": [web]})).unwrap();
    let groups = disk.call("DescribeMountTargetSecurityGroups", json!({"MountTargetId": target})).unwrap();
    assert_eq!(groups["SecurityGroups"], json!([web]));
    disk.call("DeleteMountTarget", json!({"MountTargetId": target})).unwrap();
    disk.call("DeleteFileSystem", json!({"FileSystemId": id})).unwrap();
}
