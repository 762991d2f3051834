//! What a document of an ECS lab may say: the members of the API's create call (botocore's models), and those that breakfix adds.
//!
//! An API of JSON overlooks a member that it does not know, so a slip of the pen would be noticed by nobody.

use crate::{problem::Place, suggest, yaml::Node};

/// Kind, the path to a mapping of its document (lists are gone into), and the members that it may have.
const MEMBERS: &[(&str, &str, &str)] = &[
    (
        "Vpc",
        "",
        "CidrBlock Ipv6Pool Ipv6CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength \
         Ipv6CidrBlockNetworkBorderGroup VpcEncryptionControl InstanceTenancy AmazonProvidedIpv6CidrBlock \
         EnableDnsSupport EnableDnsHostnames",
    ),
    ("InternetGateway", "", "VpcId"),
    (
        "Subnet",
        "",
        "AvailabilityZone AvailabilityZoneId CidrBlock Ipv6CidrBlock OutpostArn VpcId Ipv6Native Ipv4IpamPoolId \
         Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength",
    ),
    ("Address", "", "Domain Address PublicIpv4Pool NetworkBorderGroup CustomerOwnedIpv4Pool IpamPoolId"),
    (
        "NatGateway",
        "",
        "AvailabilityMode AllocationId SubnetId VpcId AvailabilityZoneAddresses ConnectivityType PrivateIpAddress \
         SecondaryAllocationIds SecondaryPrivateIpAddresses SecondaryPrivateIpAddressCount",
    ),
    ("RouteTable", "", "VpcId Routes Associations"),
    ("NetworkAcl", "", "VpcId Entries Associations"),
    ("SecurityGroup", "", "Description VpcId IpPermissions IpPermissionsEgress"),
    (
        "VpcEndpoint",
        "",
        "VpcEndpointType VpcId ServiceName PolicyDocument RouteTableIds SubnetIds SecurityGroupIds IpAddressType \
         DnsOptions PrivateDnsEnabled SubnetConfigurations ServiceNetworkArn ResourceConfigurationArn ServiceRegion",
    ),
    (
        "Key",
        "",
        "Policy Description KeyUsage CustomerMasterKeySpec KeySpec Origin CustomKeyStoreId \
         BypassPolicyLockoutSafetyCheck MultiRegion XksKeyId Grants",
    ),
    ("Secret", "", "Description KmsKeyId SecretBinary SecretString AddReplicaRegions ForceOverwriteReplicaSecret Type"),
    ("Parameter", "", "Description Value Type KeyId Overwrite AllowedPattern Tier Policies DataType"),
    ("LogGroup", "", "kmsKeyId logGroupClass deletionProtectionEnabled retentionInDays"),
    (
        "Repository",
        "",
        "registryId imageTagMutability imageTagMutabilityExclusionFilters imageScanningConfiguration \
         encryptionConfiguration Platforms lifecyclePolicyText policyText",
    ),
    ("Policy", "", "Path PolicyDocument Description"),
    (
        "Role",
        "",
        "Path AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary RolePolicyList \
         AttachedManagedPolicies",
    ),
    ("InstanceProfile", "", "Path Role"),
    (
        "FileSystem",
        "",
        "CreationToken PerformanceMode Encrypted KmsKeyId ThroughputMode ProvisionedThroughputInMibps \
         AvailabilityZoneName Backup",
    ),
    ("MountTarget", "", "FileSystemId SubnetId IpAddress Ipv6Address IpAddressType SecurityGroups"),
    ("AccessPoint", "", "FileSystemId PosixUser RootDirectory"),
    ("Namespace", "", "Description Vpc Properties"),
    (
        "DiscoveryService",
        "",
        "NamespaceId Description DnsConfig HealthCheckConfig HealthCheckCustomConfig Type Instances",
    ),
    (
        "LoadBalancer",
        "",
        "Subnets SubnetMappings SecurityGroups Scheme Type IpAddressType CustomerOwnedIpv4Pool \
         EnablePrefixForIpv6SourceNat IpamPools Attributes",
    ),
    (
        "TargetGroup",
        "",
        "Protocol ProtocolVersion Port VpcId HealthCheckProtocol HealthCheckPort HealthCheckEnabled HealthCheckPath \
         HealthCheckIntervalSeconds HealthCheckTimeoutSeconds HealthyThresholdCount UnhealthyThresholdCount Matcher \
         TargetType IpAddressType TargetControlPort Attributes Targets",
    ),
    (
        "Listener",
        "",
        "LoadBalancerArn Protocol Port SslPolicy Certificates DefaultActions AlpnPolicy MutualAuthentication",
    ),
    ("Rule", "", "ListenerArn Conditions Priority Actions Transforms"),
    ("Cluster", "", "settings configuration capacityProviders defaultCapacityProviderStrategy serviceConnectDefaults"),
    ("LaunchTemplate", "", "VersionDescription LaunchTemplateData Operator"),
    (
        "Instance",
        "",
        "BlockDeviceMappings ImageId InstanceType Ipv6AddressCount Ipv6Addresses KernelId KeyName MaxCount MinCount \
         Monitoring Placement RamdiskId SecurityGroupIds SecurityGroups SubnetId UserData ElasticGpuSpecification \
         ElasticInferenceAccelerators LaunchTemplate InstanceMarketOptions CreditSpecification CpuOptions \
         CapacityReservationSpecification HibernationOptions LicenseSpecifications MetadataOptions EnclaveOptions \
         PrivateDnsNameOptions MaintenanceOptions DisableApiStop EnablePrimaryIpv6 NetworkPerformanceOptions \
         Operator SecondaryInterfaces DisableApiTermination InstanceInitiatedShutdownBehavior PrivateIpAddress \
         AdditionalInfo NetworkInterfaces IamInstanceProfile EbsOptimized",
    ),
    (
        "AutoScalingGroup",
        "",
        "LaunchConfigurationName LaunchTemplate MixedInstancesPolicy InstanceId MinSize MaxSize DesiredCapacity \
         DefaultCooldown AvailabilityZones AvailabilityZoneIds LoadBalancerNames TargetGroupARNs HealthCheckType \
         HealthCheckGracePeriod PlacementGroup VPCZoneIdentifier TerminationPolicies \
         NewInstancesProtectedFromScaleIn CapacityRebalance LifecycleHookSpecificationList DeletionProtection \
         ServiceLinkedRoleARN MaxInstanceLifetime Context DesiredCapacityType DefaultInstanceWarmup TrafficSources \
         InstanceMaintenancePolicy AvailabilityZoneDistribution AvailabilityZoneImpairmentPolicy \
         SkipZonalShiftValidation CapacityReservationSpecification InstanceLifecyclePolicy",
    ),
    ("CapacityProvider", "", "cluster autoScalingGroupProvider managedInstancesProvider"),
    (
        "ContainerInstance",
        "",
        "cluster instanceIdentityDocument instanceIdentityDocumentSignature totalResources versionInfo \
         containerInstanceArn attributes platformDevices status",
    ),
    (
        "TaskDefinition",
        "",
        "taskRoleArn executionRoleArn networkMode containerDefinitions volumes placementConstraints \
         requiresCompatibilities cpu memory pidMode ipcMode proxyConfiguration inferenceAccelerators \
         ephemeralStorage runtimePlatform enableFaultInjection",
    ),
    (
        "Service",
        "",
        "cluster taskDefinition availabilityZoneRebalancing loadBalancers serviceRegistries desiredCount launchType \
         capacityProviderStrategy platformVersion role deploymentConfiguration placementConstraints \
         placementStrategy networkConfiguration healthCheckGracePeriodSeconds schedulingStrategy \
         deploymentController enableECSManagedTags propagateTags enableExecuteCommand serviceConnectConfiguration \
         volumeConfigurations vpcLatticeConfigurations",
    ),
    (
        "Task",
        "",
        "capacityProviderStrategy cluster count enableECSManagedTags enableExecuteCommand group launchType \
         networkConfiguration overrides placementConstraints placementStrategy platformVersion propagateTags \
         referenceId startedBy taskDefinition volumeConfigurations",
    ),
    (
        "ScalableTarget",
        "",
        "ServiceNamespace ResourceId ScalableDimension MinCapacity MaxCapacity RoleARN SuspendedState",
    ),
    (
        "ScalingPolicy",
        "",
        "ServiceNamespace ResourceId ScalableDimension PolicyType StepScalingPolicyConfiguration \
         TargetTrackingScalingPolicyConfiguration PredictiveScalingPolicyConfiguration",
    ),
    (
        "Alarm",
        "",
        "AlarmDescription ActionsEnabled OKActions AlarmActions InsufficientDataActions MetricName Namespace \
         Statistic ExtendedStatistic Dimensions Period Unit EvaluationPeriods DatapointsToAlarm Threshold \
         ComparisonOperator TreatMissingData EvaluateLowSampleCountPercentile Metrics ThresholdMetricId \
         EvaluationCriteria EvaluationInterval",
    ),
    (
        "TaskDefinition",
        "containerDefinitions",
        "name image repositoryCredentials cpu memory memoryReservation links portMappings essential restartPolicy \
         entryPoint command environment environmentFiles mountPoints volumesFrom linuxParameters secrets dependsOn \
         startTimeout stopTimeout versionConsistency hostname user workingDirectory disableNetworking privileged \
         readonlyRootFilesystem dnsServers dnsSearchDomains extraHosts dockerSecurityOptions interactive \
         pseudoTerminal dockerLabels ulimits logConfiguration healthCheck systemControls resourceRequirements \
         firelensConfiguration credentialSpecs",
    ),
    (
        "Service",
        "deploymentConfiguration",
        "deploymentCircuitBreaker maximumPercent minimumHealthyPercent alarms strategy bakeTimeInMinutes \
         lifecycleHooks linearConfiguration canaryConfiguration",
    ),
    ("Service", "networkConfiguration", "awsvpcConfiguration"),
    ("Service", "networkConfiguration/awsvpcConfiguration", "subnets securityGroups assignPublicIp"),
    ("Service", "deploymentConfiguration/deploymentCircuitBreaker", "enable rollback"),
    ("Service", "loadBalancers", "targetGroupArn loadBalancerName containerName containerPort advancedConfiguration"),
    ("Task", "networkConfiguration/awsvpcConfiguration", "subnets securityGroups assignPublicIp"),
];

/// Members that no document has: its name stands in `name`, and tags are breakfix's own.
const NAMES: &str = "AlarmName AutoScalingGroupName GroupName InstanceProfileName LaunchTemplateName Name PolicyName RoleName \
    Tags clusterName family logGroupName name repositoryName serviceName tags";

/// Every member of a document that its kind does not have: its place, what is wrong, and what may have been meant.
pub(crate) fn unknown(kind: &str, document: &Node) -> Vec<(Place, String, String)> {
    let mut found = Vec::new();
    for (_, path, members) in MEMBERS.iter().filter(|(of, ..)| *of == kind) {
        let members: Vec<&str> = members.split_whitespace().collect();
        for mapping in reached(document, path) {
            for entry in mapping.entries() {
                let is_own = path.is_empty() && ["kind", "name"].contains(&entry.key.as_str());
                if is_own || members.contains(&entry.key.as_str()) {
                    continue;
                }
                let whole = if path.is_empty() { String::new() } else { format!("{}.", path.replace('/', ".")) };
                let message = format!("a {kind} has no member `{whole}{}`", entry.key);
                let help = if path.is_empty() && NAMES.split_whitespace().any(|name| name == entry.key) {
                    "write the name as `name`; breakfix tags what it makes".to_owned()
                } else {
                    suggest::help(&entry.key, &members).unwrap_or_default()
                };
                found.push((entry.place, message, help));
            }
        }
    }
    found
}

/// The mappings that a path leads to.
fn reached<'a>(document: &'a Node, path: &str) -> Vec<&'a Node> {
    let mut nodes = vec![document];
    for step in path.split('/').filter(|step| !step.is_empty()) {
        nodes = nodes
            .iter()
            .filter_map(|node| node.get(step))
            .flat_map(|node| match node.items() {
                [] => vec![node],
                items => items.iter().collect(),
            })
            .collect();
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ecs, yaml};

    fn said(kind: &str, text: &str) -> Vec<String> {
        let (page, problems) = yaml::read("f", text.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
        let found = unknown(kind, &page.documents[0]);
        found.into_iter().map(|(place, what, help)| format!("{}:{} {what}; {help}", place.line, place.column)).collect()
    }

    #[test]
    fn every_kind_has_its_members() {
        for kind in ecs::names() {
            let known = MEMBERS.iter().any(|(of, path, _)| *of == kind && path.is_empty());
            assert_eq!(known, kind != "Image", "{kind}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_its_line_and_the_word_that_was_meant() {
        let text = "kind: Service\nname: web\ncluster: shop\ndesiredcount: 2\nloadBalancers:\n  - {targetGroupArn: x, containerport: 80}\n";
        assert_eq!(
            said("Service", text),
            [
                "4:1 a Service has no member `desiredcount`; did you mean `desiredCount`?",
                "6:25 a Service has no member `loadBalancers.containerport`; did you mean `containerPort`?",
            ]
        );
        let text = "kind: Role\nname: web\nRoleName: web\n";
        assert!(said("Role", text)[0].ends_with("write the name as `name`; breakfix tags what it makes"));
        assert!(said("Vpc", "kind: Vpc\nname: shop\nCidrBlock: 10.0.0.0/16\nEnableDnsSupport: true\n").is_empty());
        assert!(said("Unknown", "kind: Unknown\nx: 1\n").is_empty());
    }
}
