//! Target groups.

use serde_json::{Value, json};

use super::{
    attribute,
    balancer::{bad, check_name},
    state::{HealthCheck, TargetGroup, TargetType, not_found},
    tags, watch,
};
use crate::{AwsError, Cloud, input};

pub(super) fn view(arn: &str, it: &TargetGroup, cloud: &Cloud) -> Value {
    let check = &it.check;
    let balancer: Vec<&str> = cloud.elbv2.balancer_of(arn).map(|(arn, _)| arn).into_iter().collect();
    let mut view = json!({
        "TargetGroupArn": arn,
        "TargetGroupName": it.name,
        "Protocol": it.protocol,
        "Port": it.port,
        "VpcId": it.vpc_id,
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckEnabled": true,
        "HealthCheckIntervalSeconds": check.interval,
        "HealthCheckTimeoutSeconds": check.timeout,
        "HealthyThresholdCount": check.healthy,
        "UnhealthyThresholdCount": check.unhealthy,
        "LoadBalancerArns": balancer,
        "TargetType": it.target_type,
        "IpAddressType": "ipv4",
    });
    if let Some(members) = view.as_object_mut() {
        if check.protocol != "TCP" {
            members.insert("HealthCheckPath".to_owned(), json!(check.path));
            members.insert("Matcher".to_owned(), json!({"HttpCode": check.matcher}));
        }
        if it.protocol != "TCP" {
            members.insert("ProtocolVersion".to_owned(), json!("HTTP1"));
        }
    }
    view
}

/// A number of a health check within its bounds.
fn bounded(request: &Value, member: &str, words: &str, (low, high): (u32, u32)) -> Result<Option<u32>, AwsError> {
    let Some(number) = input::integer(request, member) else { return Ok(None) };
    let found = u32::try_from(number).ok().filter(|it| (low..=high).contains(it));
    found.map(Some).ok_or_else(|| bad(format!("{words} '{number}' must be between '{low}' and '{high}' inclusive")))
}

/// Puts the health-check members of a request over what there is.
fn read_check(request: &Value, mut check: HealthCheck) -> Result<HealthCheck, AwsError> {
    if let Some(protocol) = input::text(request, "HealthCheckProtocol") {
        if !["HTTP", "HTTPS", "TCP"].contains(&protocol) {
            return Err(bad(format!("Health check protocol '{protocol}' must be one of 'HTTP, HTTPS, TCP'")));
        }
        protocol.clone_into(&mut check.protocol);
    }
    if let Some(port) = input::text(request, "HealthCheckPort")
        .map(str::to_owned)
        .or_else(|| input::integer(request, "HealthCheckPort").map(|it| it.to_string()))
    {
        if port != "traffic-port" && !port.parse().is_ok_and(|it: u16| it > 0) {
            return Err(bad(format!(
                "Health check port '{port}' must be 'traffic-port' or between '1' and '65535' inclusive"
            )));
        }
        check.port = port;
    }
    if let Some(path) = input::text(request, "HealthCheckPath") {
        if !path.starts_with('/') || path.len() > 1024 {
            return Err(bad(format!(
                "Health check path '{path}' must begin with a '/' character, and can only contain printable ASCII characters, without spaces"
            )));
        }
        path.clone_into(&mut check.path);
    }
    let numbers = [
        ("HealthCheckIntervalSeconds", "Health check interval", (5, 300), &mut check.interval),
        ("HealthCheckTimeoutSeconds", "Health check timeout", (2, 120), &mut check.timeout),
        ("HealthyThresholdCount", "Healthy threshold count", (2, 10), &mut check.healthy),
        ("UnhealthyThresholdCount", "Unhealthy threshold count", (2, 10), &mut check.unhealthy),
    ];
    for (member, words, bounds, place) in numbers {
        if let Some(number) = bounded(request, member, words, bounds)? {
            *place = number;
        }
    }
    if check.timeout >= check.interval {
        return Err(bad("Health check timeout must be smaller than the interval"));
    }
    if let Some(codes) = request.get("Matcher").and_then(|it| input::text(it, "HttpCode")) {
        if !is_matcher(codes) {
            return Err(bad(format!("Health check matcher HTTP code '{codes}' must be within '200-499' inclusive")));
        }
        codes.clone_into(&mut check.matcher);
    }
    Ok(check)
}

/// The bounds of each part of a matcher: `200,202` or `200-399`.
pub(super) fn codes(matcher: &str) -> Vec<(u16, u16)> {
    let part = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
    };
    matcher.split(',').filter_map(part).collect()
}

fn is_matcher(text: &str) -> bool {
    let parts = codes(text);
    parts.len() == text.split(',').count()
        && parts.iter().all(|(low, high)| low <= high && (200..=499).contains(low) && (200..=499).contains(high))
}

/// `CreateTargetGroup`. The same once more is the one that exists.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = input::text(request, "Name").unwrap_or_default();
    check_name("Target group", name)?;
    let target_type = match input::text(request, "TargetType").unwrap_or("instance") {
        "instance" => TargetType::Instance,
        "ip" => TargetType::Ip,
        other => return Err(AwsError::not_simulated("elasticloadbalancing", &format!("target type {other}"))),
    };
    let protocol = input::text(request, "Protocol").ok_or_else(|| bad("A protocol must be specified"))?;
    if !["HTTP", "HTTPS", "TCP"].contains(&protocol) {
        return Err(bad(format!("Protocol '{protocol}' must be one of 'HTTP, HTTPS, TCP'")));
    }
    let port = input::integer(request, "Port").and_then(|it| u16::try_from(it).ok()).filter(|it| *it > 0);
    let port = port.ok_or_else(|| bad("A port must be specified"))?;
    let vpc_id = input::text(request, "VpcId").ok_or_else(|| bad("A VPC ID must be specified"))?;
    if !cloud.ec2.vpcs.contains_key(vpc_id) {
        return Err(bad(format!("The VPC ID '{vpc_id}' is not found")));
    }
    // Application Load Balancers check by HTTP and wait 5 seconds, Network Load Balancers connect by TCP and wait 10.
    let is_tcp = protocol == "TCP";
    let by_tcp = is_tcp && input::text(request, "HealthCheckProtocol").is_none_or(|it| it == "TCP");
    let default = HealthCheck {
        protocol: if is_tcp { "TCP" } else { protocol }.to_owned(),
        port: "traffic-port".to_owned(),
        path: "/".to_owned(),
        interval: 30,
        timeout: if by_tcp { 10 } else { 5 },
        healthy: 5,
        unhealthy: 2,
        matcher: "200".to_owned(),
    };
    let check = read_check(request, default)?;
    let group = TargetGroup {
        name: name.to_owned(),
        protocol: protocol.to_owned(),
        port,
        vpc_id: vpc_id.to_owned(),
        target_type,
        check,
        attributes: attribute::of_new_group(),
        targets: std::collections::BTreeMap::new(),
    };
    if let Some((arn, old)) = cloud.elbv2.groups.iter().find(|(_, it)| it.name == name) {
        let facts =
            |it: &TargetGroup| (it.protocol.clone(), it.port, it.vpc_id.clone(), it.target_type, it.check.clone());
        if facts(old) == facts(&group) {
            return Ok(json!({"TargetGroups": [view(arn, old, cloud)]}));
        }
        let text = format!("A target group with the same name '{name}' exists, but with different settings");
        return Err(AwsError::new("DuplicateTargetGroupName", text));
    }
    let digits = cloud.chance.text(b"0123456789abcdef", 16);
    let (region, account) = (&cloud.config.region, &cloud.config.account);
    let arn = format!("arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{digits}");
    cloud.elbv2.groups.insert(arn.clone(), group);
    tags::add(cloud, &arn, input::list(request, "Tags"));
    Ok(json!({"TargetGroups": [cloud.elbv2.groups.get(&arn).map(|it| view(&arn, it, cloud))]}))
}

/// `ModifyTargetGroup`: its health check. The next check is made by the new rule.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = input::text(request, "TargetGroupArn").unwrap_or_default();
    let Some(group) = cloud.elbv2.groups.get(arn) else { return Err(not_found("TargetGroup")) };
    let check = read_check(request, group.check.clone())?;
    if let Some(group) = cloud.elbv2.groups.get_mut(arn) {
        group.check = check;
    }
    Ok(json!({"TargetGroups": [cloud.elbv2.groups.get(arn).map(|it| view(arn, it, cloud))]}))
}

/// `DeleteTargetGroup`: refused while a rule sends to it.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = input::text(request, "TargetGroupArn").unwrap_or_default().to_owned();
    if cloud.elbv2.balancer_of(&arn).is_some() {
        let text = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(AwsError::new("ResourceInUse", text));
    }
    watch(cloud, |cloud| {
        cloud.elbv2.groups.remove(&arn);
    });
    cloud.elbv2.tags.remove(&arn);
    cloud.elbv2.minutes.remove(&arn);
    Ok(json!({}))
}

/// `DescribeTargetGroups` by ARN, name or balancer.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let (arns, names) = (input::texts(request, "TargetGroupArns"), input::texts(request, "Names"));
    let balancer = input::text(request, "LoadBalancerArn");
    let all = &cloud.elbv2.groups;
    if balancer.is_some_and(|arn| !cloud.elbv2.balancers.contains_key(arn)) {
        return Err(not_found("LoadBalancer"));
    }
    let is_there = |name: &&str| all.values().any(|it| it.name == **name);
    if arns.iter().any(|arn| !all.contains_key(*arn)) || !names.iter().all(is_there) {
        return Err(not_found("TargetGroup"));
    }
    let is_wanted = |arn: &str, it: &TargetGroup| match balancer {
        Some(wanted) => cloud.elbv2.balancer_of(arn).is_some_and(|(found, _)| found == wanted),
        None => (arns.is_empty() && names.is_empty()) || arns.contains(&arn) || names.contains(&it.name.as_str()),
    };
    let views = all.iter().filter(|(arn, it)| is_wanted(arn, it)).map(|(arn, it)| view(arn, it, cloud)).collect();
    super::page(request, "TargetGroups", views)
}
