//! Instances, as far as ECS capacity needs them.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Ec2Event, State,
    error::{bad_value, missing_one_of, no_such},
    group::{self, SecurityGroup},
    instance_type::{InstanceType, instance_type},
    interface::{self, PartOf, delete_interface},
    launch_template,
    resource::{Filters, Resource, add_tags, describe_one, find, new_id, page, tag_new},
    subnet::Subnet,
};
use crate::{
    AwsError, Cloud,
    event::Event,
    input, moment,
    network::InterfaceId,
    services::{autoscaling, ecs, elbv2},
};

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `t3.medium`.
    pub kind: String,
    pub image: String,
    pub subnet_id: String,
    pub vpc_id: String,
    pub zone: String,
    pub interface: String,
    pub state: InstanceState,
    pub launched: SimTime,
    /// As it was given: base64.
    pub user_data: Option<String>,
    /// Name or ARN of its instance profile.
    pub profile: Option<String>,
    pub reservation: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    Pending,
    Running,
    Stopping,
    Stopped,
    ShuttingDown,
    Terminated,
}

impl InstanceState {
    fn view(self) -> Value {
        let code = match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        };
        json!({"Code": code, "Name": self})
    }
}

/// How long one takes to start, to stop, and to go; and how long a terminated one is still described.
const STARTS: Duration = Duration::from_secs(15);
const STOPS: Duration = Duration::from_secs(30);
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Resource for Instance {
    const IDS: &'static str = "InstanceIds";
    const SET: &'static str = "Instances";
    const TYPE: &'static str = "instance";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("instance-id", "InstanceId"),
        ("instance-state-name", "State.Name"),
        ("instance-state-code", "State.Code"),
        ("instance-type", "InstanceType"),
        ("image-id", "ImageId"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
        ("availability-zone", "Placement.AvailabilityZone"),
        ("private-ip-address", "PrivateIpAddress"),
        ("ip-address", "PublicIpAddress"),
        ("instance.group-id", "SecurityGroups.GroupId"),
        ("instance.group-name", "SecurityGroups.GroupName"),
        ("iam-instance-profile.arn", "IamInstanceProfile.Arn"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.instances
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let mut view = json!({
            "InstanceId": id,
            "InstanceType": self.kind,
            "ImageId": self.image,
            "State": self.state.view(),
            "LaunchTime": moment::of(cloud, self.launched),
            "Placement": {"AvailabilityZone": self.zone, "GroupName": "", "Tenancy": "default"},
            "Monitoring": {"State": "disabled"},
            "Architecture": "x86_64",
            "Hypervisor": "xen",
            "VirtualizationType": "hvm",
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/xvda",
            "BlockDeviceMappings": [],
            "ProductCodes": [],
            "AmiLaunchIndex": 0,
            "EbsOptimized": false,
            "SourceDestCheck": true,
            "StateTransitionReason": "",
        });
        let Some(members) = view.as_object_mut() else { return view };
        if let Some(interface) = cloud.ec2.interfaces.get(&self.interface) {
            let shown = interface.view(&self.interface, cloud);
            members.insert("SubnetId".to_owned(), json!(self.subnet_id));
            members.insert("VpcId".to_owned(), json!(self.vpc_id));
            members.insert("PrivateIpAddress".to_owned(), json!(interface.address.to_string()));
            members.insert("PrivateDnsName".to_owned(), shown.get("PrivateDnsName").cloned().unwrap_or_default());
            members.insert("SecurityGroups".to_owned(), shown.get("Groups").cloned().unwrap_or_default());
            if let Some(public) = interface.public_address {
                members.insert("PublicIpAddress".to_owned(), json!(public.to_string()));
            }
        }
        if let Some(profile) = &self.profile {
            let arn = match profile.starts_with("arn:") {
                true => profile.clone(),
                false => format!("arn:aws:iam::{}:instance-profile/{profile}", cloud.config.account),
            };
            let digits = id.trim_start_matches("i-").to_uppercase();
            members.insert("IamInstanceProfile".to_owned(), json!({"Arn": arn, "Id": format!("AIPA{digits}")}));
        }
        view
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidInstanceID.NotFound", "instance", id)
    }
}

/// What a new instance is to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    pub kind: String,
    pub image: String,
    pub subnet_id: String,
    pub groups: Vec<String>,
    pub public: Option<bool>,
    pub user_data: Option<String>,
    pub profile: Option<String>,
    pub tags: Vec<Value>,
}

impl Launch {
    /// Reads what `RunInstances` and a launch template say in the same members.
    pub(crate) fn read(request: &Value) -> Self {
        let own = |member| input::text(request, member).unwrap_or_default().to_owned();
        // Groups, subnet and public address may stand in the first network interface instead.
        let first = input::list(request, "NetworkInterfaces").first().unwrap_or(&Value::Null);
        let subnet_id =
            input::text(request, "SubnetId").or(input::text(first, "SubnetId")).unwrap_or_default().to_owned();
        let mut groups = input::texts(request, "SecurityGroupIds");
        groups.extend(input::texts(first, "Groups"));
        let profile = request.get("IamInstanceProfile");
        let profile = profile.and_then(|it| input::text(it, "Arn").or(input::text(it, "Name")));
        let tags = input::list(request, "TagSpecifications")
            .iter()
            .filter(|it| input::text(it, "ResourceType") == Some(Instance::TYPE))
            .flat_map(|it| input::list(it, "Tags").iter().cloned())
            .collect();
        Self {
            kind: own("InstanceType"),
            image: own("ImageId"),
            subnet_id,
            groups: groups.into_iter().map(str::to_owned).collect(),
            public: input::flag(first, "AssociatePublicIpAddress"),
            user_data: input::text(request, "UserData").map(str::to_owned),
            profile: profile.map(str::to_owned),
            tags,
        }
    }
}

/// Launches one instance; it is running a moment later.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidGroup.NotFound`, `InsufficientFreeAddressesInSubnet`, `InvalidParameterValue` for an unknown type.
pub(crate) fn launch(cloud: &mut Cloud, launch: &Launch, reservation: &str) -> Result<String, AwsError> {
    if instance_type(&launch.kind).is_none() {
        let text = format!("Invalid value '{}' for InstanceType.", launch.kind);
        return Err(AwsError::new("InvalidParameterValue", text));
    }
    let Subnet { vpc_id, zone, maps_public, .. } = find::<Subnet>(cloud, &launch.subnet_id)?.clone();
    for group in &launch.groups {
        find::<SecurityGroup>(cloud, group)?;
    }
    let groups = if launch.groups.is_empty() { group::default_of(cloud, &vpc_id) } else { launch.groups.clone() };
    let id = new_id(cloud, "i");
    let public = launch.public.unwrap_or(maps_public);
    let part_of = PartOf::Instance(id.clone());
    let interface = interface::make(cloud, &launch.subnet_id, groups, public, "", part_of)?;
    let instance = Instance {
        kind: launch.kind.clone(),
        image: launch.image.clone(),
        subnet_id: launch.subnet_id.clone(),
        vpc_id,
        zone,
        interface: interface.id.0,
        state: InstanceState::Pending,
        launched: cloud.now(),
        user_data: launch.user_data.clone(),
        profile: launch.profile.clone(),
        reservation: reservation.to_owned(),
    };
    cloud.ec2.instances.insert(id.clone(), instance);
    add_tags(cloud, &id, &launch.tags);
    cloud.after(STARTS, Event::Ec2(Ec2Event::Instance(id.clone())));
    Ok(id)
}

/// `RunInstances`.
pub(super) fn run(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let mut request = request.clone();
    if let Some(template) = request.get("LaunchTemplate").filter(|it| !it.is_null()) {
        let data = launch_template::data(cloud, template)?;
        if let (Some(members), Some(defaults)) = (request.as_object_mut(), data.as_object()) {
            for (member, value) in defaults {
                members.entry(member.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    let mut wanted = Launch::read(&request);
    if wanted.image.is_empty() {
        return Err(missing_one_of("ImageId"));
    }
    if wanted.kind.is_empty() {
        "m1.small".clone_into(&mut wanted.kind);
    }
    if wanted.subnet_id.is_empty() {
        let default = cloud.ec2.subnets.iter().find(|(_, it)| it.is_default);
        let Some((id, _)) = default else { return Err(missing_one_of("subnetId")) };
        wanted.subnet_id.clone_from(id);
    }
    let count = input::integer(&request, "MaxCount").ok_or_else(|| missing_one_of("MaxCount"))?;
    if !(1..=100).contains(&count) {
        return Err(bad_value(&count.to_string(), "maxCount", "It must be between 1 and 100."));
    }
    let reservation = new_id(cloud, "r");
    let mut views = Vec::new();
    for _ in 0..count {
        let id = launch(cloud, &wanted, &reservation)?;
        tag_new(cloud, &request, "network-interface", &id);
        views.push(describe_one::<Instance>(cloud, &id)?);
    }
    Ok(json!({"ReservationId": reservation, "OwnerId": cloud.config.account, "Groups": [], "Instances": views}))
}

/// Moves each instance from one of `from` to `to`, and says what changed.
fn change(
    cloud: &mut Cloud,
    request: &Value,
    from: &[InstanceState],
    to: InstanceState,
    set: &str,
) -> Result<Value, AwsError> {
    let ids: Vec<String> = input::texts(request, "InstanceIds").into_iter().map(str::to_owned).collect();
    for id in &ids {
        find::<Instance>(cloud, id)?;
    }
    let mut changes = Vec::new();
    for id in &ids {
        let Some(instance) = cloud.ec2.instances.get_mut(id) else { continue };
        let before = instance.state;
        if from.contains(&before) {
            instance.state = to;
            let delay = if to == InstanceState::Pending { STARTS } else { STOPS };
            cloud.after(delay, Event::Ec2(Ec2Event::Instance(id.clone())));
        }
        let now = if from.contains(&before) { to } else { before };
        changes.push(json!({"InstanceId": id, "PreviousState": before.view(), "CurrentState": now.view()}));
    }
    changed(cloud, &ids);
    Ok(json!({set: changes}))
}

/// `StartInstances`.
pub(super) fn start(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    change(cloud, request, &[InstanceState::Stopped], InstanceState::Pending, "StartingInstances")
}

/// `StopInstances`.
pub(super) fn stop(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let from = [InstanceState::Running, InstanceState::Pending];
    change(cloud, request, &from, InstanceState::Stopping, "StoppingInstances")
}

/// `TerminateInstances`.
pub(super) fn terminate(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    use InstanceState::{Pending, Running, ShuttingDown, Stopped, Stopping};
    change(cloud, request, &[Pending, Running, Stopping, Stopped], ShuttingDown, "TerminatingInstances")
}

/// Terminates instances; those that do not exist, or have ended, are left alone.
pub(crate) fn terminate_all(cloud: &mut Cloud, ids: &[String]) {
    let ids: Vec<&String> = ids.iter().filter(|id| cloud.ec2.instances.contains_key(*id)).collect();
    // All of them exist, so nothing is refused.
    let _ = terminate(cloud, &json!({"InstanceIds": ids}));
}

/// The next step of an instance's life is due.
pub(super) fn step(cloud: &mut Cloud, id: &str) {
    let Some(instance) = cloud.ec2.instances.get_mut(id) else { return };
    match instance.state {
        InstanceState::Pending => instance.state = InstanceState::Running,
        InstanceState::Stopping => instance.state = InstanceState::Stopped,
        InstanceState::ShuttingDown => {
            instance.state = InstanceState::Terminated;
            let interface = instance.interface.clone();
            delete_interface(cloud, &InterfaceId(interface));
            cloud.after(REMEMBERED, Event::Ec2(Ec2Event::Instance(id.to_owned())));
        }
        InstanceState::Terminated => {
            cloud.ec2.instances.remove(id);
            cloud.ec2.tags.remove(id);
        }
        InstanceState::Running | InstanceState::Stopped => {}
    }
    changed(cloud, &[id.to_owned()]);
}

/// Instances are in another state: whoever counts on them is told.
fn changed(cloud: &mut Cloud, ids: &[String]) {
    elbv2::instance_changed(cloud);
    for id in ids {
        autoscaling::instance_changed(cloud, id);
        ecs::instance_changed(cloud, id);
    }
}

/// `DescribeInstances`: by reservation.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, Instance::FILTERS)?;
    let ids = input::texts(request, "InstanceIds");
    for id in &ids {
        find::<Instance>(cloud, id)?;
    }
    let mut reservations: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (id, instance) in cloud.ec2.instances.iter().filter(|(id, _)| ids.is_empty() || ids.contains(&id.as_str())) {
        let view = describe_one::<Instance>(cloud, id)?;
        if filters.accept(&view, Instance::FILTERS, "Tags") {
            reservations.entry(&instance.reservation).or_default().push(view);
        }
    }
    let account = &cloud.config.account;
    let views = reservations
        .into_iter()
        .map(|(id, instances)| json!({"ReservationId": id, "OwnerId": account, "Groups": [], "Instances": instances}))
        .collect();
    page(request, "Reservations", views)
}

/// `DescribeInstanceTypes`.
pub(super) fn describe_types(_cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let wanted = input::texts(request, "InstanceTypes");
    if let Some(wrong) = wanted.iter().find(|name| instance_type(name).is_none()) {
        let text = format!("The following supplied instance types do not exist: [{wrong}]");
        return Err(AwsError::new("InvalidInstanceType", text));
    }
    let chosen = InstanceType::ALL.iter().filter(|it| wanted.is_empty() || wanted.contains(&it.name));
    let views = chosen
        .map(|it| {
            json!({
                "InstanceType": it.name,
                "CurrentGeneration": true,
                "VCpuInfo": {"DefaultVCpus": it.cpus},
                "MemoryInfo": {"SizeInMiB": it.memory},
                "NetworkInfo": {"MaximumNetworkInterfaces": it.interfaces},
                "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
            })
        })
        .collect();
    page(request, "InstanceTypes", views)
}
