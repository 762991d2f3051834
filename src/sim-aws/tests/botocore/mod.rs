//! The models that botocore ships with the aws CLI, read where they are installed, and written down as the tables of `wire/model/`.

pub mod table;

use std::{fs, io::Read, path::PathBuf, process::Command};

use flate2::read::GzDecoder;
use serde_json::Value;

/// A service that has a table: botocore's folder, the name of the table (the service's signing name), and which operations it holds.
pub struct Wanted {
    pub folder: &'static str,
    pub table: &'static str,
    /// `None` for all; `*` at the end stands for anything.
    pub operations: Option<&'static [&'static str]>,
}

const fn all(folder: &'static str, table: &'static str) -> Wanted {
    Wanted { folder, table, operations: None }
}

const fn some(folder: &'static str, table: &'static str, operations: &'static [&'static str]) -> Wanted {
    Wanted { folder, table, operations: Some(operations) }
}

pub const SERVICES: &[Wanted] = &[
    all("ecs", "ecs"),
    all("elbv2", "elasticloadbalancing"),
    all("iam", "iam"),
    all("sts", "sts"),
    all("secretsmanager", "secretsmanager"),
    all("kms", "kms"),
    all("ecr", "ecr"),
    all("servicediscovery", "servicediscovery"),
    all("application-autoscaling", "application-autoscaling"),
    all("autoscaling", "autoscaling"),
    all("efs", "elasticfilesystem"),
    all("cloudwatch", "monitoring"),
    all("resourcegroupstaggingapi", "tagging"),
    some("logs", "logs", LOGS),
    some("ssm", "ssm", SSM),
    some("codedeploy", "codedeploy", CODEDEPLOY),
    some("ec2", "ec2", EC2),
];

const LOGS: &[&str] = &[
    "*LogGroup",
    "*LogGroups",
    "*LogStream",
    "*LogStreams",
    "*LogEvents",
    "*RetentionPolicy",
    "*MetricFilter*",
    "*SubscriptionFilter*",
    "*TagsForResource",
    "TagResource",
    "UntagResource",
    "StartQuery",
    "GetQueryResults",
    "*KmsKey",
    "*ResourcePolicy",
    "DescribeResourcePolicies",
];

const SSM: &[&str] = &[
    "*Parameter",
    "*Parameters",
    "*ParametersByPath",
    "GetParameterHistory",
    "*ParameterVersion",
    "*TagsToResource",
    "*TagsFromResource",
    "*TagsForResource",
    "*Session",
    "DescribeSessions",
];

const CODEDEPLOY: &[&str] = &[
    "*Deployment",
    "*Deployments",
    "*Application",
    "*Applications",
    "*DeploymentGroup",
    "*DeploymentGroups",
    "*DeploymentTarget*",
];

const EC2: &[&str] = &[
    "*AvailabilityZones",
    "DescribeRegions",
    "DescribeAccountAttributes",
    "*Vpc",
    "*Vpcs",
    "*VpcAttribute",
    "*VpcEndpoint",
    "*VpcEndpoints",
    "*VpcEndpointServices",
    "*VpcCidrBlock",
    "*DefaultVpc",
    "*Subnet",
    "*Subnets",
    "*SubnetAttribute",
    "*SubnetCidrBlock",
    "*RouteTable",
    "*RouteTables",
    "*RouteTableAssociation",
    "*Route",
    "*InternetGateway",
    "*InternetGateways",
    "*NatGateway",
    "*NatGateways",
    "*SecurityGroup",
    "*SecurityGroups",
    "*SecurityGroupRules",
    "*SecurityGroupReferences",
    "*SecurityGroupIngress",
    "*SecurityGroupEgress",
    "*SecurityGroupRuleDescriptions*",
    "*NetworkAcl",
    "*NetworkAcls",
    "*NetworkAclEntry",
    "*NetworkAclAssociation",
    "*NetworkInterface",
    "*NetworkInterfaces",
    "*NetworkInterfaceAttribute",
    "*PrivateIpAddresses",
    "*Address",
    "*Addresses",
    "*Tags",
    "*Instances",
    "DescribeInstanceStatus",
    "*InstanceAttribute",
    "DescribeInstanceTypes",
    "*InstanceMetadataOptions",
    "*IamInstanceProfile*",
    "DescribeImages",
    "*LaunchTemplate",
    "*LaunchTemplates",
    "*LaunchTemplateVersion",
    "*LaunchTemplateVersions",
    "*KeyPair",
    "*KeyPairs",
    "*PrefixLists",
    "*ManagedPrefixList",
    "GetManagedPrefixListEntries",
    "*DhcpOptions",
    "*FlowLogs",
    "DescribeVolumes",
    "*VpcPeeringConnection",
    "*VpcPeeringConnections",
    "*NetworkInsights*",
];

impl Wanted {
    pub fn holds(&self, operation: &str) -> bool {
        self.operations.is_none_or(|wanted| wanted.iter().any(|pattern| fits(pattern, operation)))
    }

    /// The installed model; `None` where there is no botocore.
    pub fn model(&self) -> Option<Value> {
        let folder = data()?.join(self.folder);
        let mut versions: Vec<_> = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        versions.sort();
        let folder = versions.pop()?;
        let text = match fs::read(folder.join("service-2.json.gz")) {
            Ok(packed) => {
                let mut text = Vec::new();
                GzDecoder::new(packed.as_slice()).read_to_end(&mut text).ok()?;
                text
            }
            Err(_) => fs::read(folder.join("service-2.json")).ok()?,
        };
        serde_json::from_slice(&text).ok()
    }
}

/// Whether `*` at either end of a pattern can stand for what is left of the name.
fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

/// Where botocore keeps its models: the installation of the Python that is found first.
fn data() -> Option<PathBuf> {
    let asked = Command::new("python3").args(["-c", "import botocore; print(botocore.__path__[0])"]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim()).join("data");
    path.is_dir().then_some(path)
}
