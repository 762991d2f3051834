//! Giving and taking rules of security groups.

use serde_json::{Value, json};

use super::{
    error::missing_one_of,
    group::{self, SecurityGroup, named},
    resource::{Filters, Resource, find, new_id, page, tag_new},
    rule::{self, Rule},
};
use crate::{AwsError, Cloud, input};

/// `AuthorizeSecurityGroupIngress` and `…Egress`: all of the rules or none.
pub(super) fn authorize(cloud: &mut Cloud, request: &Value, is_egress: bool) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let rules = rule::read(cloud, request, is_egress)?;
    if rules.is_empty() {
        return Err(missing_one_of("ipPermissions"));
    }
    let group = find::<SecurityGroup>(cloud, &id)?;
    for (place, rule) in rules.iter().enumerate() {
        let is_there = group.rules.values().any(|it| it.is_same(rule));
        if is_there || rules.iter().take(place).any(|it| it.is_same(rule)) {
            let text = format!("the specified rule \"{}\" already exists", rule.words());
            return Err(AwsError::new("InvalidPermission.Duplicate", text));
        }
    }
    let mut views = Vec::new();
    for rule in rules {
        let rule_id = new_id(cloud, "sgr");
        views.push(rule::view(&rule_id, &rule, &id, cloud));
        if let Some(group) = cloud.ec2.groups.get_mut(&id) {
            group.rules.insert(rule_id.clone(), rule);
        }
        tag_new(cloud, request, "security-group-rule", &rule_id);
    }
    Ok(json!({"Return": true, "SecurityGroupRules": views}))
}

/// `RevokeSecurityGroupIngress` and `…Egress`: by rule id, or by what the rule says. All of the rules or none.
pub(super) fn revoke(cloud: &mut Cloud, request: &Value, is_egress: bool) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let group = find::<SecurityGroup>(cloud, &id)?;
    let mut gone = Vec::new();
    for rule_id in input::texts(request, "SecurityGroupRuleIds") {
        if group.rules.get(rule_id).is_none_or(|it| it.is_egress != is_egress) {
            return Err(group::no_rule(rule_id));
        }
        gone.push(rule_id.to_owned());
    }
    let wanted = rule::read(cloud, request, is_egress)?;
    if wanted.is_empty() && gone.is_empty() {
        return Err(missing_one_of("ipPermissions or securityGroupRuleIds"));
    }
    for rule in &wanted {
        let Some((rule_id, _)) = group.rules.iter().find(|(_, it)| it.is_same(rule)) else {
            let text = "The specified rule does not exist in this security group.";
            return Err(AwsError::new("InvalidPermission.NotFound", text));
        };
        gone.push(rule_id.clone());
    }
    let views: Vec<Value> = gone.iter().filter_map(|it| Some(revoked(it, group.rules.get(it)?, &id))).collect();
    for rule_id in &gone {
        cloud.ec2.tags.remove(rule_id);
        if let Some(group) = cloud.ec2.groups.get_mut(&id) {
            group.rules.remove(rule_id);
        }
    }
    Ok(json!({"Return": true, "RevokedSecurityGroupRules": views}))
}

/// `RevokedSecurityGroupRule`: like a rule, with other names for the peer.
fn revoked(rule_id: &str, rule: &Rule, group_id: &str) -> Value {
    let (member, value) = match &rule.peer {
        rule::Peer::Cidr(cidr) => ("CidrIpv4", cidr.to_string()),
        rule::Peer::CidrV6(cidr) => ("CidrIpv6", cidr.clone()),
        rule::Peer::PrefixList(id) => ("PrefixListId", id.clone()),
        rule::Peer::Group(id) => ("ReferencedGroupId", id.clone()),
    };
    json!({
        "SecurityGroupRuleId": rule_id,
        "GroupId": group_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from,
        "ToPort": rule.to,
        member: value,
    })
}

/// `ModifySecurityGroupRules`.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let mut changes = Vec::new();
    for update in input::list(request, "SecurityGroupRules") {
        let rule_id =
            input::text(update, "SecurityGroupRuleId").ok_or_else(|| missing_one_of("securityGroupRuleId"))?;
        let Some(old) = find::<SecurityGroup>(cloud, &id)?.rules.get(rule_id) else {
            return Err(group::no_rule(rule_id));
        };
        let given = update.get("SecurityGroupRule").unwrap_or(&Value::Null);
        changes.push((rule_id.to_owned(), rule::read_one(cloud, given, old.is_egress)?));
    }
    let Some(group) = cloud.ec2.groups.get_mut(&id) else { return Err(SecurityGroup::absent(&id)) };
    for (rule_id, rule) in &changes {
        if group.rules.iter().any(|(other, it)| other != rule_id && it.is_same(rule)) {
            let text = format!("the specified rule \"{}\" already exists", rule.words());
            return Err(AwsError::new("InvalidPermission.Duplicate", text));
        }
    }
    group.rules.extend(changes);
    Ok(json!({"Return": true}))
}

/// `UpdateSecurityGroupRuleDescriptionsIngress` and `…Egress`.
pub(super) fn describe_rules_anew(cloud: &mut Cloud, request: &Value, is_egress: bool) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let wanted = rule::read(cloud, request, is_egress)?;
    let Some(group) = cloud.ec2.groups.get_mut(&id) else { return Err(SecurityGroup::absent(&id)) };
    for new in wanted {
        match group.rules.values_mut().find(|it| it.is_same(&new)) {
            Some(rule) => rule.description = new.description,
            None => {
                let text = "The specified rule does not exist in this security group.";
                return Err(AwsError::new("InvalidPermission.NotFound", text));
            }
        }
    }
    Ok(json!({"Return": true}))
}

const FILTERS: &[(&str, &str)] = &[("group-id", "GroupId"), ("security-group-rule-id", "SecurityGroupRuleId")];

/// `DescribeSecurityGroupRules`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, FILTERS)?;
    let ids = input::texts(request, "SecurityGroupRuleIds");
    let rules = || cloud.ec2.groups.iter().flat_map(|(group, it)| it.rules.iter().map(move |rule| (group, rule)));
    if let Some(wrong) = ids.iter().find(|id| !rules().any(|(_, (rule_id, _))| rule_id == *id)) {
        return Err(group::no_rule(wrong));
    }
    let mut views = Vec::new();
    for (group_id, (rule_id, rule)) in rules() {
        if !ids.is_empty() && !ids.contains(&rule_id.as_str()) {
            continue;
        }
        let mut view = rule::view(rule_id, rule, group_id, cloud);
        if let Some(members) = view.as_object_mut() {
            members.insert("Tags".to_owned(), super::resource::tag_list(cloud, rule_id));
        }
        if filters.accept(&view, FILTERS, "Tags") {
            views.push(view);
        }
    }
    page(request, "SecurityGroupRules", views)
}
