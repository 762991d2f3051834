//! Scenarios of balancers, in process and on virtual time.

use std::time::Duration;

use breakfix_workload::{CallError, Request};
use serde_json::{Value, json};

use super::{ElbEvent, Outcome, TargetHealth, TargetRef, TargetState, answer, health, register, target_health};
use crate::{AwsError, network::testbed::Net};

/// A balancer in both public subnets with a listener on 80 that forwards to a group of addresses, checked every 10 seconds.
struct Shop {
    net: Net,
    balancer: String,
    name: String,
    listener: String,
    group: String,
}

/// The port of the program in the sound network.
const PORT: u16 = 8080;

impl Shop {
    fn elb(&mut self, operation: &str, input: Value) -> Value {
        self.try_elb(operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    fn try_elb(&mut self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.net.call("elasticloadbalancing", operation, input)
    }

    fn new() -> Self {
        let mut shop = Self::without_listener();
        let actions = json!([{"Type": "forward", "TargetGroupArn": shop.group}]);
        let input =
            json!({"LoadBalancerArn": shop.balancer, "Port": 80, "Protocol": "HTTP", "DefaultActions": actions});
        let made = shop.elb("CreateListener", input);
        shop.listener = made["Listeners"][0]["ListenerArn"].as_str().unwrap().to_owned();
        shop
    }

    fn without_listener() -> Self {
        let mut shop = Self {
            net: Net::new(),
            balancer: String::new(),
            name: String::new(),
            listener: String::new(),
            group: String::new(),
        };
        let subnets = [shop.net.id("public-a"), shop.net.id("public-b")];
        let groups = [shop.net.id("alb")];
        let input = json!({"Name": "shop", "Subnets": subnets, "SecurityGroups": groups});
        let made = shop.elb("CreateLoadBalancer", input);
        shop.balancer = made["LoadBalancers"][0]["LoadBalancerArn"].as_str().unwrap().to_owned();
        shop.name = made["LoadBalancers"][0]["DNSName"].as_str().unwrap().to_owned();
        assert_eq!(made["LoadBalancers"][0]["State"]["Code"], "provisioning");
        shop.group = shop.target_group("web", "/healthz");
        shop.pass(300);
        shop
    }

    fn target_group(&mut self, name: &str, path: &str) -> String {
        let input = json!({
            "Name": name, "Protocol": "HTTP", "Port": "8080", "VpcId": self.net.id("vpc"), "TargetType": "ip",
            "HealthCheckPath": path, "HealthCheckIntervalSeconds": "10", "HealthyThresholdCount": "3",
        });
        let made = self.elb("CreateTargetGroup", input);
        made["TargetGroups"][0]["TargetGroupArn"].as_str().unwrap().to_owned()
    }

    fn pass(&mut self, seconds: u64) {
        let later = self.net.cloud.now() + Duration::from_secs(seconds);
        self.net.cloud.advance(later);
    }

    fn address(&self, interface: &str) -> String {
        self.net.cloud.ec2.interfaces.get(&self.net.id(interface)).unwrap().address.to_string()
    }

    fn register(&mut self, interface: &str) -> String {
        let id = self.address(interface);
        register(&mut self.net.cloud, &self.group.clone(), &id, PORT, None).unwrap();
        id
    }

    fn health(&self, id: &str) -> Option<TargetHealth> {
        target_health(&self.net.cloud, &self.group, id, PORT)
    }

    /// State, reason and description in one line.
    fn says(&self, id: &str) -> String {
        let health = self.health(id).unwrap();
        let state = json!(health.state).as_str().unwrap().to_owned();
        let texts = health.reason.into_iter().chain(health.description);
        texts.fold(state, |line, text| format!("{line} | {text}"))
    }

    /// A check of the target comes to this.
    fn verdict(&mut self, id: &str, outcome: Outcome) {
        let serial = self.net.cloud.elbv2.groups[&self.group].targets[&format!("{id}:{PORT}")].serial;
        let at = TargetRef { group: self.group.clone(), id: id.to_owned(), port: PORT, serial };
        health::verdict(&mut self.net.cloud, &at, outcome);
    }

    fn get(&mut self, path: &str) -> (Result<u16, CallError>, Duration) {
        let name = self.name.clone();
        let answer = answer(&mut self.net.cloud, &name, 80, &Request::get(path));
        (answer.result.map(|it| it.status), answer.took)
    }
}

fn failed() -> Outcome {
    let text = "Health checks failed with these codes: [503]".to_owned();
    Outcome::Fail { reason: "Target.ResponseCodeMismatch".to_owned(), description: text }
}

#[test]
fn a_target_nobody_listens_at_is_unhealthy_after_two_checks() {
    let mut shop = Shop::new();
    let id = shop.register("task");
    assert_eq!(shop.says(&id), "initial | Elb.RegistrationInProgress | Target registration is in progress");
    shop.pass(6);
    assert_eq!(shop.says(&id), "initial | Elb.InitialHealthChecking | Initial health checks in progress");
    shop.pass(8);
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Initial);
    shop.pass(2);
    assert_eq!(shop.says(&id), "unhealthy | Target.FailedHealthChecks | Health checks failed");
}

/// ELB user guide, "CloudWatch metrics for your Application Load Balancer": both counts need both dimensions.
#[test]
fn the_counts_of_hosts_tell_what_the_minute_was_like() {
    let mut shop = Shop::new();
    shop.pass(10);
    let id = shop.register("task");
    shop.verdict(&id, Outcome::Pass);
    for _ in 0..2 {
        shop.verdict(&id, failed());
    }
    let arn = |arn: &str, word: &str| arn.split_once(word).unwrap().1.to_owned();
    let dimensions = json!([
        {"Name": "TargetGroup", "Value": format!("targetgroup/{}", arn(&shop.group, ":targetgroup/"))},
        {"Name": "LoadBalancer", "Value": arn(&shop.balancer, ":loadbalancer/")},
    ]);
    let now = shop.net.cloud.clock.today();
    let mut ask = |name: &str, dimensions: &Value| {
        let (start, end) = (now - jiff::SignedDuration::from_secs(90), now + jiff::SignedDuration::from_secs(60));
        let input = json!({
            "Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions, "Period": 60,
            "StartTime": start.to_string(), "EndTime": end.to_string(), "Statistics": ["Maximum", "Minimum"],
        });
        let answer = shop.net.call("monitoring", "GetMetricStatistics", input).unwrap();
        answer["Datapoints"].as_array().unwrap().last().cloned().unwrap_or_default()
    };
    let unhealthy = ask("UnHealthyHostCount", &dimensions);
    assert_eq!((unhealthy["Maximum"].as_f64(), unhealthy["Minimum"].as_f64()), (Some(1.0), Some(0.0)), "{unhealthy}");
    assert_eq!(ask("HealthyHostCount", &dimensions)["Minimum"].as_f64(), Some(0.0));
    assert!(ask("HealthyHostCount", &json!([dimensions[1]])).is_null(), "a balancer alone has none");
}

#[test]
fn a_closed_group_is_a_timeout_and_is_known_when_the_wait_is_over() {
    let mut shop = Shop::new();
    shop.net.close("web", false);
    let id = shop.register("task");
    shop.pass(19);
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Initial, "the second check began at 15 s and waits 5 s");
    shop.pass(2);
    assert_eq!(shop.says(&id), "unhealthy | Target.Timeout | Request timed out");
}

#[test]
fn one_pass_makes_a_new_target_healthy_and_three_an_unhealthy_one() {
    let mut shop = Shop::new();
    let id = shop.register("task");
    shop.verdict(&id, Outcome::Pass);
    assert_eq!(shop.says(&id), "healthy");
    shop.verdict(&id, failed());
    assert_eq!(shop.says(&id), "healthy", "one failure is none");
    shop.verdict(&id, failed());
    let unhealthy = "unhealthy | Target.ResponseCodeMismatch | Health checks failed with these codes: [503]";
    assert_eq!(shop.says(&id), unhealthy);
    for _ in 0..2 {
        shop.verdict(&id, Outcome::Pass);
        assert_eq!(shop.says(&id), unhealthy);
    }
    shop.verdict(&id, Outcome::Pass);
    assert_eq!(shop.says(&id), "healthy");
}

#[test]
fn a_verdict_about_an_earlier_life_counts_no_more() {
    let mut shop = Shop::new();
    let id = shop.register("task");
    let old = TargetRef { group: shop.group.clone(), id: id.clone(), port: PORT, serial: 0 };
    super::deregister(&mut shop.net.cloud, &shop.group.clone(), &id, PORT).unwrap();
    shop.register("task");
    health::verdict(&mut shop.net.cloud, &old, Outcome::Pass);
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Initial);
}

#[test]
fn a_group_without_a_listener_is_not_in_use_until_it_has_one() {
    let mut shop = Shop::without_listener();
    let id = shop.register("task");
    shop.pass(100);
    let text = "unused | Target.NotInUse | Target group is not configured to receive traffic from the load balancer";
    assert_eq!(shop.says(&id), text);
    let actions = json!([{"Type": "forward", "TargetGroupArn": shop.group}]);
    let input = json!({"LoadBalancerArn": shop.balancer, "Port": "80", "Protocol": "HTTP", "DefaultActions": actions});
    shop.elb("CreateListener", input);
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Initial);
    shop.pass(20);
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Unhealthy);
}

#[test]
fn a_zone_without_a_node_is_not_enabled() {
    let mut shop = Shop::new();
    let vpc = shop.net.id("vpc");
    let input = json!({"VpcId": vpc, "CidrBlock": "10.0.30.0/24", "AvailabilityZone": "eu-central-1c"});
    shop.net.made("private-c", "CreateSubnet", input, "/Subnet/SubnetId");
    shop.net.interface("task-c", "private-c", "web", false);
    let id = shop.register("task-c");
    let text = "unused | Target.NotInUse | Target is in an Availability Zone that is not enabled for the load balancer";
    assert_eq!(shop.says(&id), text);
}

#[test]
fn a_target_drains_and_is_gone() {
    let mut shop = Shop::new();
    let id = shop.register("task");
    let input = json!({"TargetGroupArn": shop.group, "Attributes": [
        {"Key": "deregistration_delay.timeout_seconds", "Value": "30"},
    ]});
    shop.elb("ModifyTargetGroupAttributes", input);
    shop.elb("DeregisterTargets", json!({"TargetGroupArn": shop.group, "Targets": [{"Id": id}]}));
    assert_eq!(shop.says(&id), "draining | Target.DeregistrationInProgress | Target deregistration is in progress");
    shop.pass(29);
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Draining);
    shop.pass(2);
    assert_eq!(shop.health(&id), None);
    let asked = shop.elb("DescribeTargetHealth", json!({"TargetGroupArn": shop.group, "Targets": [{"Id": id}]}));
    let expected = json!({"TargetHealthDescriptions": [{
        "Target": {"Id": id, "Port": 8080},
        "HealthCheckPort": "8080",
        "TargetHealth": {
            "State": "unused", "Reason": "Target.NotRegistered",
            "Description": "Target is not registered to the target group",
        },
    }]});
    assert_eq!(asked, expected);
    let again = shop.try_elb("DeregisterTargets", json!({"TargetGroupArn": shop.group, "Targets": [{"Id": id}]}));
    assert_eq!(again.unwrap_err().code, "InvalidTarget");
}

#[test]
fn a_balancer_answers_for_those_who_cannot() {
    let mut shop = Shop::new();
    assert_eq!(shop.get("/").0, Ok(503), "nobody is registered");
    shop.register("task");
    shop.pass(60);
    assert_eq!(shop.get("/").0, Ok(502), "fail-open to an unhealthy target that refuses");
    shop.net.close("web", false);
    let (status, took) = shop.get("/");
    assert_eq!((status, took.as_secs()), (Ok(504), 10), "the connection is given up after ten seconds");
    shop.net.close("alb", false);
    assert_eq!(shop.get("/").0, Err(CallError::TimedOut));
    let nobody = answer(&mut shop.net.cloud, "nobody.elb.amazonaws.com", 80, &Request::get("/"));
    assert!(matches!(nobody.result, Err(CallError::NameUnknown(_))));
}

#[test]
fn a_port_without_a_listener_refuses() {
    let mut shop = Shop::without_listener();
    assert_eq!(shop.get("/").0, Err(CallError::Refused));
}

#[test]
fn rules_are_asked_by_priority() {
    let mut shop = Shop::new();
    let fixed = |body: &str| json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": body}}]);
    let rules = [
        ("20", json!([{"Field": "path-pattern", "Values": ["/api/*"]}]), fixed("api")),
        ("10", json!([{"Field": "path-pattern", "Values": ["/api/admin*"]}]), fixed("admin")),
        (
            "30",
            json!([{"Field": "host-header", "HostHeaderConfig": {"Values": ["Old.example"]}}]),
            json!([{
                "Type": "redirect", "RedirectConfig": {"Host": "new.example", "StatusCode": "HTTP_301"},
            }]),
        ),
    ];
    for (priority, conditions, actions) in rules {
        let input = json!({
            "ListenerArn": shop.listener, "Priority": priority, "Conditions": conditions, "Actions": actions,
        });
        shop.elb("CreateRule", input);
    }
    let name = shop.name.clone();
    let mut body = |path: &str| answer(&mut shop.net.cloud, &name, 80, &Request::get(path)).result.unwrap().body_text();
    assert_eq!(body("/api/orders"), "api");
    assert_eq!(body("/api/admin/x"), "admin");
    assert!(body("/").contains("503 Service Temporarily Unavailable"), "the default rule forwards");
    let moved = Request::get("/a/b?c=d").with_header("host", "old.example");
    let moved = answer(&mut shop.net.cloud, &name, 80, &moved).result.unwrap();
    assert_eq!((moved.status, moved.header("location")), (301, Some("http://new.example:80/a/b?c=d")));
    let listed = shop.elb("DescribeRules", json!({"ListenerArn": shop.listener}));
    let order: Vec<&str> =
        listed["Rules"].as_array().unwrap().iter().map(|it| it["Priority"].as_str().unwrap()).collect();
    assert_eq!(order, ["10", "20", "30", "default"]);
}

#[test]
fn requests_go_round_between_healthy_targets() {
    let mut shop = Shop::new();
    for task in ["task", "task-b"] {
        let id = shop.register(task);
        shop.verdict(&id, Outcome::Pass);
    }
    // Who is asked shows in who is out of reach: one zone is lost, and its target stays healthy until the next check.
    shop.net.lose("b");
    let statuses: Vec<_> = (0..6).map(|_| shop.get("/").0.unwrap()).collect();
    assert_eq!(statuses.iter().filter(|it| **it == 504).count(), 3, "{statuses:?}");
    shop.pass(40);
    let statuses: Vec<_> = (0..6).map(|_| shop.get("/").0.unwrap()).collect();
    assert_eq!(statuses.len(), 6);
    let lost = shop.address("task-b");
    assert_eq!(shop.says(&lost), "unhealthy | Target.Timeout | Request timed out");
}

#[test]
fn weights_decide_between_groups() {
    let mut shop = Shop::new();
    let other = shop.target_group("green", "/");
    let forward = |blue: u32, green: u32| {
        json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": shop.group, "Weight": blue}, {"TargetGroupArn": other, "Weight": green},
        ]}}])
    };
    let (all, some) = (forward(0, 1), forward(90, 10));
    let task = shop.address("task");
    let listener = shop.listener.clone();
    register(&mut shop.net.cloud, &other, &task, PORT, None).unwrap();
    shop.elb("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": all}));
    assert!((0..20).all(|_| shop.get("/").0 == Ok(502)), "all of it to the group with a target");
    shop.elb("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": some}));
    let green = (0..400).filter(|_| shop.get("/").0 == Ok(502)).count();
    assert!((15..80).contains(&green), "a tenth of 400: {green}");
}

#[test]
fn refusals_are_elbv2_s_own() {
    let mut shop = Shop::new();
    let code = |result: Result<Value, AwsError>| result.unwrap_err().code;
    let (vpc, group, listener) = (shop.net.id("vpc"), shop.group.clone(), shop.listener.clone());
    let taken = json!({"Name": "web", "Protocol": "HTTP", "Port": 9, "VpcId": vpc, "TargetType": "ip"});
    assert_eq!(code(shop.try_elb("CreateTargetGroup", taken)), "DuplicateTargetGroupName");
    let wrong = json!({"TargetGroupArn": group, "HealthCheckTimeoutSeconds": 10});
    assert_eq!(code(shop.try_elb("ModifyTargetGroup", wrong)), "ValidationError");
    let wrong = json!({"TargetGroupArn": group, "Matcher": {"HttpCode": "200-599"}});
    assert_eq!(code(shop.try_elb("ModifyTargetGroup", wrong)), "ValidationError");
    assert_eq!(code(shop.try_elb("DeleteTargetGroup", json!({"TargetGroupArn": group}))), "ResourceInUse");
    let rule = json!({
        "ListenerArn": listener, "Priority": 5, "Conditions": [{"Field": "path-pattern", "Values": ["/x"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    shop.elb("CreateRule", rule.clone());
    assert_eq!(code(shop.try_elb("CreateRule", rule)), "PriorityInUse");
    let same_port = json!({
        "LoadBalancerArn": shop.balancer, "Port": 80, "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    assert_eq!(code(shop.try_elb("CreateListener", same_port)), "DuplicateListener");
    let one_subnet = json!({"Name": "x", "Subnets": [shop.net.id("public-a")]});
    assert_eq!(code(shop.try_elb("CreateLoadBalancer", one_subnet)), "ValidationError");
    let foreign = json!({"TargetGroupArn": group, "Targets": [{"Id": "8.8.8.8"}]});
    assert_eq!(code(shop.try_elb("RegisterTargets", foreign)), "InvalidTarget");
    let unknown = json!({"TargetGroupArn": "arn:x"});
    assert_eq!(code(shop.try_elb("DescribeTargetHealth", unknown)), "TargetGroupNotFound");
    let subnets = [shop.net.id("public-a"), shop.net.id("public-b")];
    let second = shop.elb("CreateLoadBalancer", json!({"Name": "second", "Subnets": subnets}));
    let second = second["LoadBalancers"][0]["LoadBalancerArn"].clone();
    let stolen = json!({
        "LoadBalancerArn": second, "Port": 80, "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    assert_eq!(code(shop.try_elb("CreateListener", stolen)), "TargetGroupAssociationLimit");
}

#[test]
fn a_balancer_goes_with_its_listeners_and_interfaces() {
    let mut shop = Shop::new();
    let id = shop.register("task");
    let before = shop.net.cloud.ec2.interfaces.len();
    let arn = shop.balancer.clone();
    shop.elb("DeleteLoadBalancer", json!({"LoadBalancerArn": arn}));
    assert_eq!(shop.net.cloud.ec2.interfaces.len(), before - 2);
    assert!(shop.net.cloud.elbv2.listeners.is_empty() && shop.net.cloud.elbv2.rules.is_empty());
    assert_eq!(shop.health(&id).unwrap().state, TargetState::Unused);
    shop.pass(3600);
    assert_eq!(shop.net.cloud.next_due(), None, "nothing is checked any more");
}

#[test]
fn the_cloud_survives_its_file() {
    let mut shop = Shop::new();
    shop.register("task");
    shop.pass(7);
    let text = serde_json::to_string(&shop.net.cloud).unwrap();
    let mut copy: crate::Cloud = serde_json::from_str(&text).unwrap();
    let later = copy.now() + Duration::from_secs(60);
    copy.advance(later);
    shop.net.cloud.advance(later);
    assert_eq!(serde_json::to_value(&copy).unwrap(), serde_json::to_value(&shop.net.cloud).unwrap());
    let due = ElbEvent::Active("x".to_owned());
    super::happen(&mut copy, due);
}
