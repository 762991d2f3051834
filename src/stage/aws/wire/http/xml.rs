//! XML answers as the values that the JSON protocols would bring: lists, maps, texts, numbers where the model has numbers.

use serde_json::{Map, Value};
use xmlparser::{ElementEnd, Token, Tokenizer};

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    /// What stands between its ends, where no element does.
    pub text: String,
    pub children: Vec<Element>,
}

/// No answer is deeper.
const DEPTH_MAX: usize = 64;

impl Element {
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first of the name at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }
}

/// The root element; none where it is no XML.
pub(super) fn read(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = Vec::new();
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::ElementStart { local, .. } => {
                if open.len() >= DEPTH_MAX {
                    return None;
                }
                open.push(Element { name: local.to_string(), ..Element::default() });
            }
            Token::ElementEnd { end: ElementEnd::Open, .. } => {}
            Token::ElementEnd { .. } => {
                let done = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Some(done),
                }
            }
            Token::Text { text } => open.last_mut()?.text.push_str(&plain(&text)),
            Token::Cdata { text, .. } => open.last_mut()?.text.push_str(&text),
            _ => {}
        }
    }
    None
}

/// A text without entities.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((entity, tail)) = after.split_once(';') else {
            plain.push('&');
            rest = after;
            continue;
        };
        let number = |text: &str, radix| u32::from_str_radix(text, radix).ok().and_then(char::from_u32);
        let sign = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            other => match other.strip_prefix("#x") {
                Some(hex) => number(hex, 16),
                None => other.strip_prefix('#').and_then(|decimal| number(decimal, 10)),
            },
        };
        plain.extend(sign);
        rest = tail;
    }
    plain.push_str(rest);
    plain
}

/// Members that the services' models have as numbers.
fn is_number(name: &str) -> bool {
    const WHOLE: [&str; 12] = [
        "Port",
        "FromPort",
        "ToPort",
        "HealthyThresholdCount",
        "UnhealthyThresholdCount",
        "HealthCheckIntervalSeconds",
        "HealthCheckTimeoutSeconds",
        "AvailableIpAddressCount",
        "RuleNumber",
        "PermissionsBoundaryUsageCount",
        "AttachmentCount",
        "MaxSessionDuration",
    ];
    WHOLE.contains(&name)
}

fn scalar(name: &str, text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if is_number(name) => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

/// An answer of the query protocol: lists have entries called `member`, maps `entry`.
pub(super) fn value(element: &Element) -> Value {
    if element.children.is_empty() {
        return scalar(&element.name, element.text.trim_matches(['\n', '\r']));
    }
    if element.children.iter().all(|child| child.name == "member") {
        return element.children.iter().map(value).collect();
    }
    let map: Map<String, Value> = element.children.iter().map(|child| (child.name.clone(), value(child))).collect();
    Value::Object(map)
}

/// An answer of EC2, whose elements have other names than its model's members: `vpcSet` is `Vpcs`.
pub(super) fn ec2_value(element: &Element) -> Value {
    let is_list = !element.children.is_empty() && element.children.iter().all(|child| child.name == "item");
    if is_list {
        return element.children.iter().map(ec2_value).collect();
    }
    if element.children.is_empty() {
        let name = member(&element.name);
        if element.text.trim().is_empty() && name.ends_with('s') {
            return Value::Array(Vec::new());
        }
        return scalar(&name, &element.text);
    }
    let is_instance = element.children.iter().any(|child| child.name == "instanceState");
    let name = |child: &Element| {
        instances_own(&child.name).filter(|_| is_instance).map_or_else(|| member(&child.name), str::to_owned)
    };
    let map: Map<String, Value> = element.children.iter().map(|child| (name(child), ec2_value(child))).collect();
    Value::Object(map)
}

/// Elements that mean another member in an instance than anywhere else.
fn instances_own(element: &str) -> Option<&'static str> {
    match element {
        "instanceState" => Some("State"),
        "groupSet" => Some("SecurityGroups"),
        "dnsName" => Some("PublicDnsName"),
        "ipAddress" => Some("PublicIpAddress"),
        "reason" => Some("StateTransitionReason"),
        _ => None,
    }
}

/// The model's member for an element of EC2 (botocore's ec2 model, `locationName`).
fn member(element: &str) -> String {
    let known = match element {
        "vpcSet" => "Vpcs",
        "subnetSet" => "Subnets",
        "tagSet" => "Tags",
        "internetGatewaySet" => "InternetGateways",
        "attachmentSet" => "Attachments",
        "addressesSet" => "Addresses",
        "natGatewaySet" => "NatGateways",
        "natGatewayAddressSet" => "NatGatewayAddresses",
        "routeTableSet" => "RouteTables",
        "routeSet" => "Routes",
        "associationSet" => "Associations",
        "propagatingVgwSet" => "PropagatingVgws",
        "securityGroupInfo" => "SecurityGroups",
        "groups" => "UserIdGroupPairs",
        "ipv6Ranges" => "Ipv6Ranges",
        "vpcEndpointSet" => "VpcEndpoints",
        "routeTableIdSet" => "RouteTableIds",
        "subnetIdSet" => "SubnetIds",
        "groupSet" => "Groups",
        "networkAclSet" => "NetworkAcls",
        "entrySet" => "Entries",
        "networkInterfaceSet" => "NetworkInterfaces",
        "networkInterfaceIdSet" => "NetworkInterfaceIds",
        "default" => "IsDefault",
        "reservationSet" => "Reservations",
        "instancesSet" => "Instances",
        "blockDeviceMapping" => "BlockDeviceMappings",
        "privateIpAddressesSet" => "PrivateIpAddresses",
        "ipv6AddressesSet" => "Ipv6Addresses",
        "launchTemplateVersionSet" => "LaunchTemplateVersions",
        "securityGroupIdSet" => "SecurityGroupIds",
        "securityGroupSet" => "SecurityGroups",
        "tagSpecificationSet" => "TagSpecifications",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let mut letters = element.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_maps_of_the_query_protocol() {
        let text = "<R><Roles><member><Name>a&amp;b</Name><Port>80</Port></member><member><On>true</On></member></Roles><Empty/></R>";
        let root = read(&format!("<?xml version=\"1.0\"?>\n{text}")).unwrap();
        assert_eq!(value(&root), json!({"Roles": [{"Name": "a&b", "Port": 80}, {"On": true}], "Empty": ""}));
    }

    #[test]
    fn elements_of_ec2_get_the_models_names() {
        let text = "<D><vpcSet><item><vpcId>vpc-1</vpcId><isDefault>false</isDefault><tagSet/></item></vpcSet></D>";
        let wanted = json!({"Vpcs": [{"VpcId": "vpc-1", "IsDefault": false, "Tags": []}]});
        assert_eq!(ec2_value(&read(text).unwrap()), wanted);
        let text = "<D><ipPermissions><item><fromPort>80</fromPort><groups><item><groupId>g</groupId></item></groups></item></ipPermissions></D>";
        let wanted = json!({"IpPermissions": [{"FromPort": 80, "UserIdGroupPairs": [{"GroupId": "g"}]}]});
        assert_eq!(ec2_value(&read(text).unwrap()), wanted);
    }

    #[test]
    fn instances_are_found_in_their_reservations() {
        let text = "<DescribeInstancesResponse><requestId>r</requestId><reservationSet><item><reservationId>r-1</reservationId><groupSet/><instancesSet><item>\
            <instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>\
            <groupSet><item><groupId>sg-1</groupId><groupName>machines</groupName></item></groupSet>\
            <tagSet><item><key>Name</key><value>one</value></item></tagSet></item></instancesSet></item></reservationSet></DescribeInstancesResponse>";
        let answer = ec2_value(&read(text).unwrap());
        let instance = &answer["Reservations"][0]["Instances"][0];
        assert_eq!(instance["InstanceId"], "i-1");
        assert_eq!(instance["State"]["Name"], "running");
        assert_eq!(instance["SecurityGroups"], json!([{"GroupId": "sg-1", "GroupName": "machines"}]));
        assert_eq!(instance["Tags"], json!([{"Key": "Name", "Value": "one"}]));
        assert_eq!(answer["Reservations"][0]["Groups"], json!([]));
    }

    #[test]
    fn what_is_no_xml_is_none() {
        for text in ["", "<a>", "<a></b", "plain", "{}"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"<a>".repeat(1000)), None);
        assert_eq!(plain("a &lt;b&gt; &#65; &#x42; &unknown; & c"), "a <b> A B  & c");
    }
}
