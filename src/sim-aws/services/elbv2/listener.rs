//! Listeners.

use serde_json::{Value, json};

use super::{
    action,
    balancer::bad,
    state::{Kind, Listener, Rule, not_found},
    tags, watch,
};
use crate::{AwsError, Cloud, input};

pub(super) fn view(arn: &str, it: &Listener, cloud: &Cloud) -> Value {
    let default = cloud.elbv2.rules.values().find(|rule| rule.listener == arn && rule.priority.is_none());
    let actions: Vec<Value> =
        default.map(|rule| rule.actions.iter().map(action::Action::view).collect()).unwrap_or_default();
    let mut view = json!({
        "ListenerArn": arn,
        "LoadBalancerArn": it.balancer,
        "Port": it.port,
        "Protocol": it.protocol,
        "DefaultActions": actions,
    });
    if let (Some(members), false) = (view.as_object_mut(), it.certificates.is_empty()) {
        let certificates: Vec<Value> = it.certificates.iter().map(|arn| json!({"CertificateArn": arn})).collect();
        members.insert("Certificates".to_owned(), json!(certificates));
        members.insert("SslPolicy".to_owned(), json!(it.ssl_policy));
    }
    view
}

fn protocol(text: &str, kind: Kind) -> Result<String, AwsError> {
    let accepted: &[&str] = match kind {
        Kind::Application => &["HTTP", "HTTPS"],
        Kind::Network => &["TCP"],
    };
    if accepted.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(bad(format!("Listener protocol '{text}' must be one of '{}'", accepted.join(", "))))
}

fn port(request: &Value) -> Result<Option<u16>, AwsError> {
    let Some(number) = input::integer(request, "Port") else { return Ok(None) };
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    port.map(Some).ok_or_else(|| bad(format!("Port '{number}' must be between 1 and 65535")))
}

fn certificates(request: &Value) -> Vec<String> {
    let list = input::list(request, "Certificates");
    list.iter().filter_map(|it| input::text(it, "CertificateArn")).map(str::to_owned).collect()
}

/// `CreateListener`, with its default rule.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let balancer_arn = input::text(request, "LoadBalancerArn").unwrap_or_default().to_owned();
    let Some(balancer) = cloud.elbv2.balancers.get(&balancer_arn) else { return Err(not_found("LoadBalancer")) };
    let port = port(request)?.ok_or_else(|| bad("A listener port must be specified"))?;
    let protocol = protocol(input::text(request, "Protocol").unwrap_or_default(), balancer.kind)?;
    if cloud.elbv2.listeners.values().any(|it| it.balancer == balancer_arn && it.port == port) {
        let text = format!("A listener already exists on this port for this load balancer '{balancer_arn}'");
        return Err(AwsError::new("DuplicateListener", text));
    }
    let certificates = certificates(request);
    if protocol == "HTTPS" && certificates.is_empty() {
        return Err(bad("A certificate must be specified for HTTPS listeners"));
    }
    let actions = action::read(cloud, input::list(request, "DefaultActions"), &balancer_arn)?;
    let digits = cloud.chance.text(b"0123456789abcdef", 16);
    let arn = format!("{}/{digits}", balancer_arn.replacen(":loadbalancer/", ":listener/", 1));
    let policy = input::text(request, "SslPolicy").unwrap_or("ELBSecurityPolicy-2016-08").to_owned();
    let listener = Listener {
        balancer: balancer_arn,
        port,
        ssl_policy: (protocol == "HTTPS").then_some(policy),
        protocol,
        certificates,
    };
    let rule_arn = super::rule::new_arn(cloud, &arn);
    watch(cloud, |cloud| {
        cloud.elbv2.listeners.insert(arn.clone(), listener);
        let rule = Rule { listener: arn.clone(), priority: None, conditions: Vec::new(), actions };
        cloud.elbv2.rules.insert(rule_arn, rule);
    });
    tags::add(cloud, &arn, input::list(request, "Tags"));
    Ok(json!({"Listeners": [cloud.elbv2.listeners.get(&arn).map(|it| view(&arn, it, cloud))]}))
}

fn named(cloud: &Cloud, request: &Value) -> Result<String, AwsError> {
    let arn = input::text(request, "ListenerArn").unwrap_or_default();
    if cloud.elbv2.listeners.contains_key(arn) { Ok(arn.to_owned()) } else { Err(not_found("Listener")) }
}

/// `ModifyListener`.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = named(cloud, request)?;
    let Some(mut listener) = cloud.elbv2.listeners.get(&arn).cloned() else { return Err(not_found("Listener")) };
    if let Some(port) = port(request)? {
        let rival =
            |(other, it): (&String, &Listener)| *other != arn && it.balancer == listener.balancer && it.port == port;
        if cloud.elbv2.listeners.iter().any(rival) {
            let text = format!("A listener already exists on this port for this load balancer '{}'", listener.balancer);
            return Err(AwsError::new("DuplicateListener", text));
        }
        listener.port = port;
    }
    let kind = cloud.elbv2.balancers.get(&listener.balancer).map_or(Kind::Application, |it| it.kind);
    if let Some(text) = input::text(request, "Protocol") {
        listener.protocol = protocol(text, kind)?;
    }
    let new = certificates(request);
    if !new.is_empty() {
        listener.certificates = new;
    }
    if listener.protocol == "HTTPS" && listener.certificates.is_empty() {
        return Err(bad("A certificate must be specified for HTTPS listeners"));
    }
    let given = input::list(request, "DefaultActions");
    let actions = if given.is_empty() { None } else { Some(action::read(cloud, given, &listener.balancer)?) };
    watch(cloud, |cloud| {
        cloud.elbv2.listeners.insert(arn.clone(), listener);
        let default = cloud.elbv2.rules.values_mut().find(|it| it.listener == arn && it.priority.is_none());
        if let (Some(rule), Some(actions)) = (default, actions) {
            rule.actions = actions;
        }
    });
    Ok(json!({"Listeners": [cloud.elbv2.listeners.get(&arn).map(|it| view(&arn, it, cloud))]}))
}

/// `DeleteListener`, with its rules.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = named(cloud, request)?;
    watch(cloud, |cloud| {
        cloud.elbv2.listeners.remove(&arn);
        cloud.elbv2.rules.retain(|_, it| it.listener != arn);
    });
    cloud.elbv2.tags.remove(&arn);
    Ok(json!({}))
}

/// `DescribeListeners` of a balancer, or by ARN.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let arns = input::texts(request, "ListenerArns");
    let balancer = input::text(request, "LoadBalancerArn");
    if balancer.is_some_and(|arn| !cloud.elbv2.balancers.contains_key(arn)) {
        return Err(not_found("LoadBalancer"));
    }
    if arns.iter().any(|arn| !cloud.elbv2.listeners.contains_key(*arn)) {
        return Err(not_found("Listener"));
    }
    if arns.is_empty() && balancer.is_none() {
        return Err(bad("You must specify either listener ARNs or a load balancer ARN"));
    }
    let is_wanted = |arn: &str, it: &Listener| arns.contains(&arn) || balancer == Some(it.balancer.as_str());
    let listeners = cloud.elbv2.listeners.iter().filter(|(arn, it)| is_wanted(arn, it));
    super::page(request, "Listeners", listeners.map(|(arn, it)| view(arn, it, cloud)).collect())
}
