//! A table of ways: each row changes one thing of a sound network, and says where a connection is lost by it.

use serde_json::json;

use super::{AwsService, Destination, InterfaceId, Lost, Path, path, testbed::Net};

const ECR: Destination = Destination::Service(AwsService::EcrApi);
const S3: Destination = Destination::Service(AwsService::S3);
const WORLD: Destination = Destination::Internet;

/// What a change makes of the ways.
fn check(name: &str, change: impl FnOnce(&mut Net), ways: &[(&str, To, Result<&str, Lost>)]) {
    let mut net = Net::new();
    change(&mut net);
    for (from, to, expected) in ways {
        let destination = match to {
            To::At(interface, port) => net.at(interface, *port),
            To::The(destination) => *destination,
        };
        let expected = expected.map(|kind| match kind {
            "local" => Path::Local,
            "igw" => Path::InternetGateway,
            other if other.starts_with("nat-") => Path::Nat(net.id(other)),
            other => Path::Endpoint(net.id(other)),
        });
        assert_eq!(net.path(from, &destination), expected, "{name}: {from} -> {destination:?}");
    }
}

#[derive(Clone, Copy)]
enum To {
    At(&'static str, u16),
    The(Destination),
}

use To::{At, The};

#[test]
fn a_sound_network() {
    check(
        "sound",
        |_| {},
        &[
            ("lb", At("task", 8080), Ok("local")),
            ("lb", At("task-b", 8080), Ok("local")),
            ("lb", At("task", 80), Err(Lost::GroupIn)),
            ("stranger", At("task", 8080), Err(Lost::GroupIn)),
            ("task", At("task-b", 8080), Err(Lost::GroupIn)),
            ("task", The(ECR), Ok("nat-a")),
            ("task-b", The(ECR), Ok("nat-b")),
            ("task", The(S3), Ok("nat-a")),
            ("task", The(WORLD), Ok("nat-a")),
            ("lb", The(WORLD), Ok("igw")),
            ("task", The(Destination::Address([10, 0, 11, 250].into(), 80)), Err(Lost::Nobody)),
        ],
    );
    let net = Net::new();
    assert_eq!(net.path("task", &Destination::Address([10, 9, 9, 9].into(), 80)), Ok(Path::Nat(net.id("nat-a"))));
    assert!(net.enters("lb", 80) && !net.enters("lb", 443) && !net.enters("task", 8080));
    let nobody = InterfaceId("eni-0".to_owned());
    assert_eq!(path(&net.cloud, &nobody, &WORLD), Err(Lost::NoSource));
}

#[test]
fn routes_decide_the_way_out() {
    let gone = &[
        ("task", The(ECR), Err(Lost::NoRoute)),
        ("task-b", The(ECR), Ok("nat-b")),
        ("lb", At("task", 8080), Ok("local")),
    ];
    check("no default route", |net| net.no_route("rtb-a"), gone);
    check(
        "to the internet gateway without a public address",
        |net| {
            net.no_route("rtb-a");
            let igw = net.id("igw");
            net.route("rtb-a", json!({"GatewayId": igw}));
            net.interface("public-task", "private-a", "web", true);
        },
        &[("task", The(ECR), Err(Lost::NoPublicAddress)), ("public-task", The(ECR), Ok("igw"))],
    );
    check(
        "a public address behind a NAT route goes by NAT",
        |net| net.interface("public-task", "private-a", "web", true),
        &[("public-task", The(ECR), Ok("nat-a"))],
    );
    check(
        "the other zone's NAT",
        |net| {
            net.no_route("rtb-b");
            let nat = net.id("nat-a");
            net.route("rtb-b", json!({"NatGatewayId": nat}));
        },
        &[("task-b", The(ECR), Ok("nat-a"))],
    );
    check(
        "no association: the main table, which has the local route alone",
        |net| {
            let id = net.id("assoc-private-a");
            net.ec2("DisassociateRouteTable", json!({"AssociationId": id}));
        },
        &[("task", The(WORLD), Err(Lost::NoRoute)), ("task", At("lb", 80), Ok("local"))],
    );
    check(
        "a NAT gateway in a private subnet",
        |net| net.no_route("public"),
        &[("task", The(WORLD), Err(Lost::NatDown)), ("lb", The(WORLD), Err(Lost::NoRoute))],
    );
    check(
        "a deleted NAT gateway is a black hole",
        |net| {
            let id = net.id("nat-a");
            net.ec2("DeleteNatGateway", json!({"NatGatewayId": id}));
        },
        &[("task", The(WORLD), Err(Lost::NoRoute)), ("task-b", The(WORLD), Ok("nat-b"))],
    );
}

#[test]
fn groups_are_stateful_and_refer_to_each_other() {
    check(
        "nothing in",
        |net| net.close("web", false),
        &[("lb", At("task", 8080), Err(Lost::GroupIn)), ("task", The(ECR), Ok("nat-a"))],
    );
    check(
        "nothing out: answers still leave",
        |net| net.close("web", true),
        &[
            ("lb", At("task", 8080), Ok("local")),
            ("task", The(ECR), Err(Lost::GroupOut)),
            ("task", The(WORLD), Err(Lost::GroupOut)),
        ],
    );
    check("the balancer may not ask", |net| net.close("alb", true), &[("lb", At("task", 8080), Err(Lost::GroupOut))]);
    check(
        "another group is named",
        |net| {
            net.close("web", false);
            let other = net.id("other");
            net.allow("web", 8080, json!({"UserIdGroupPairs": [{"GroupId": other}]}));
        },
        &[("lb", At("task", 8080), Err(Lost::GroupIn)), ("stranger", At("task", 8080), Ok("local"))],
    );
    check(
        "by range",
        |net| {
            net.close("web", false);
            net.allow("web", 8080, json!({"IpRanges": [{"CidrIp": "10.0.1.0/24"}]}));
        },
        &[("lb", At("task", 8080), Ok("local")), ("stranger", At("task", 8080), Err(Lost::GroupIn))],
    );
    check(
        "the default group's members reach each other",
        |net| {
            let id =
                net.ec2("DescribeSecurityGroups", json!({"Filters": [{"Name": "group-name", "Values": ["default"]}]}));
            let id = id.pointer("/SecurityGroups/0/GroupId").unwrap().as_str().unwrap().to_owned();
            net.ids.insert("default".to_owned(), id);
            net.interface("one", "private-a", "default", false);
            net.interface("two", "private-b", "default", false);
        },
        &[("one", At("two", 22), Ok("local")), ("lb", At("two", 22), Err(Lost::GroupIn))],
    );
}

#[test]
fn acls_are_stateless_and_numbered() {
    let all_in = (100, false, "allow", "0.0.0.0/0", 0, 65_535);
    let all_out = (100, true, "allow", "0.0.0.0/0", 0, 65_535);
    check(
        "everything",
        |net| net.acl("private-a", &[all_in, all_out]),
        &[("lb", At("task", 8080), Ok("local")), ("task", The(ECR), Ok("nat-a"))],
    );
    check(
        "an empty list denies, but not inside the subnet",
        |net| {
            net.acl("private-a", &[]);
            net.allow("web", 9000, json!({"IpRanges": [{"CidrIp": "10.0.0.0/16"}]}));
        },
        &[("lb", At("task", 8080), Err(Lost::Acl)), ("stranger", At("task", 9000), Ok("local"))],
    );
    let https_out = (100, true, "allow", "0.0.0.0/0", 443, 443);
    check(
        "the answer is dropped on its way back to the balancer",
        |net| net.acl("private-a", &[all_in, https_out]),
        &[("lb", At("task", 8080), Err(Lost::AclBack)), ("task", The(ECR), Ok("nat-a"))],
    );
    check(
        "ephemeral ports to the balancer's subnet",
        |net| net.acl("private-a", &[all_in, https_out, (110, true, "allow", "10.0.1.0/24", 1024, 65_535)]),
        &[("lb", At("task", 8080), Ok("local"))],
    );
    check(
        "a balancer draws from all of them",
        |net| net.acl("private-a", &[all_in, (110, true, "allow", "10.0.0.0/16", 32_768, 65_535)]),
        &[("lb", At("task", 8080), Err(Lost::AclBack))],
    );
    check(
        "two entries make up the range",
        |net| {
            let low = (110, true, "allow", "10.0.0.0/16", 1024, 32_767);
            net.acl("private-a", &[all_in, low, (120, true, "allow", "10.0.0.0/16", 32_768, 65_535)]);
        },
        &[("lb", At("task", 8080), Ok("local"))],
    );
    check(
        "a lower number wins",
        |net| net.acl("private-a", &[all_in, all_out, (50, false, "deny", "10.0.1.0/24", 8080, 8080)]),
        &[("lb", At("task", 8080), Err(Lost::Acl)), ("task", The(ECR), Ok("nat-a"))],
    );
    check(
        "a higher number does not",
        |net| net.acl("private-a", &[all_in, all_out, (200, false, "deny", "10.0.1.0/24", 8080, 8080)]),
        &[("lb", At("task", 8080), Ok("local"))],
    );
    check(
        "answers from outside need an entry",
        |net| net.acl("private-a", &[(100, false, "allow", "10.0.0.0/16", 0, 65_535), all_out]),
        &[("lb", At("task", 8080), Ok("local")), ("task", The(ECR), Err(Lost::AclBack))],
    );
    check(
        "the NAT gateway's subnet has one too",
        |net| net.acl("public-a", &[(100, false, "allow", "0.0.0.0/0", 80, 80), all_out]),
        &[("task", The(ECR), Err(Lost::Acl)), ("task-b", The(ECR), Ok("nat-b"))],
    );
    let mut net = Net::new();
    net.acl(
        "public-a",
        &[(100, false, "allow", "0.0.0.0/0", 0, 65_535), (100, true, "allow", "10.0.0.0/16", 0, 65_535)],
    );
    assert!(!net.enters("lb", 80), "answers to customers are dropped");
}

#[test]
fn endpoints_need_no_way_out() {
    let shut = |net: &mut Net| {
        net.no_route("rtb-a");
        net.no_route("rtb-b");
    };
    check(
        "an interface endpoint serves the whole VPC",
        |net| {
            shut(net);
            net.interface_endpoint("ecr.api", "endpoints");
        },
        &[
            ("task", The(ECR), Ok("vpce-ecr.api")),
            ("task-b", The(ECR), Ok("vpce-ecr.api")),
            ("task", The(Destination::Service(AwsService::EcrDkr)), Err(Lost::NoRoute)),
        ],
    );
    check(
        "its group lets nobody in",
        |net| net.interface_endpoint("ecr.api", "web"),
        &[("task", The(ECR), Err(Lost::GroupIn)), ("task", The(S3), Ok("nat-a"))],
    );
    check(
        "without a private name it is not found",
        |net| {
            shut(net);
            net.interface_endpoint("ecr.api", "endpoints");
            let id = net.id("vpce-ecr.api");
            net.ec2("ModifyVpcEndpoint", json!({"VpcEndpointId": id, "PrivateDnsEnabled": false}));
        },
        &[("task", The(ECR), Err(Lost::NoRoute))],
    );
    check(
        "a gateway endpoint serves the associated tables",
        |net| {
            shut(net);
            let tables = json!({"RouteTableIds": [net.id("rtb-a")]});
            net.endpoint("s3", tables);
        },
        &[
            ("task", The(S3), Ok("vpce-s3")),
            ("task-b", The(S3), Err(Lost::NoRoute)),
            ("task", The(ECR), Err(Lost::NoRoute)),
        ],
    );
    check(
        "it wins over NAT, and is edited",
        |net| {
            let tables = json!({"RouteTableIds": [net.id("rtb-a"), net.id("rtb-b")]});
            net.endpoint("s3", tables);
            let (id, table) = (net.id("vpce-s3"), net.id("rtb-b"));
            net.ec2("ModifyVpcEndpoint", json!({"VpcEndpointId": id, "RemoveRouteTableIds": [table]}));
        },
        &[("task", The(S3), Ok("vpce-s3")), ("task-b", The(S3), Ok("nat-b"))],
    );
    check(
        "no names, no services",
        |net| {
            let id = net.id("vpc");
            net.ec2("ModifyVpcAttribute", json!({"VpcId": id, "EnableDnsSupport": {"Value": false}}));
        },
        &[("task", The(ECR), Err(Lost::NoNames)), ("task", The(WORLD), Ok("nat-a"))],
    );
}

#[test]
fn a_zone_takes_its_own_with_it() {
    check(
        "zone a",
        |net| {
            net.no_route("rtb-b");
            let nat = net.id("nat-a");
            net.route("rtb-b", json!({"NatGatewayId": nat}));
            net.lose("a");
        },
        &[
            ("task", The(ECR), Err(Lost::ZoneDown)),
            ("lb", At("task-b", 8080), Err(Lost::ZoneDown)),
            ("task-b", At("task", 8080), Err(Lost::ZoneDown)),
            ("task-b", The(ECR), Err(Lost::ZoneDown)),
        ],
    );
    check("zone b stands on its own feet", |net| net.lose("a"), &[("task-b", The(ECR), Ok("nat-b"))]);
}

#[test]
fn a_public_address_of_one_s_own_is_reached_from_outside() {
    let mut net = Net::new();
    let public = net.cloud.ec2.interfaces.get(&net.id("lb")).unwrap().public_address.unwrap();
    let to = Destination::Address(public, 80);
    assert_eq!(net.path("task", &to), Ok(Path::Nat(net.id("nat-a"))));
    net.close("alb", false);
    let alb_group = net.id("web");
    net.allow("alb", 80, json!({"UserIdGroupPairs": [{"GroupId": alb_group}]}));
    assert_eq!(net.path("task", &to), Err(Lost::GroupIn), "from outside nobody wears a group");
}
