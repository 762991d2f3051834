//! Fargate: the way of a task up, and the balancer's opinion of it.

use serde_json::{Value, json};

use super::shop::{ECR, Shop, image};
use crate::services::ecr;

#[test]
fn a_service_behind_a_balancer_becomes_steady_and_answers() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({}));
    shop.pass(180);
    assert_eq!(
        shop.events(),
        [
            "(service web) has started 2 tasks: (task T) (task T).",
            "(service web) registered 1 targets in (target-group TG)",
            "(service web) registered 1 targets in (target-group TG)",
            "(service web) (deployment D) deployment completed.",
            "(service web) has reached a steady state.",
        ]
    );
    assert_eq!(shop.get("/"), 200);
    let tasks = shop.tasks("RUNNING");
    assert_ne!(tasks[0]["availabilityZone"], tasks[1]["availabilityZone"]);
    assert_eq!(tasks[0]["attachments"][0]["status"], "ATTACHED");
    let id = tasks[0]["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let input = json!({"logGroupName": "/shop/web", "logStreamName": format!("web/web/{id}")});
    let lines = shop.call("logs", "GetLogEvents", input);
    assert!(!lines["events"].as_array().unwrap().is_empty(), "{lines}");
}

/// Texts: captured events of a real account (health check with HTTP 500).
#[test]
fn targets_that_fail_are_replaced_and_the_breaker_counts_them() {
    let mut shop = Shop::new();
    let good = shop.define(&image(), json!({}));
    let breaker = json!({"deploymentCircuitBreaker": {"enable": true, "rollback": true}});
    shop.serve(&good, json!({"deploymentConfiguration": breaker}));
    shop.pass(180);
    let bad = shop.define(&image(), json!({"environment": [{"name": "PORT", "value": "9090"}]}));
    shop.call("ecs", "UpdateService", json!({"cluster": "shop", "service": "web", "taskDefinition": bad}));
    let mut worst = 200;
    for _ in 0..120 {
        shop.pass(10);
        worst = worst.max(shop.get("/"));
    }
    assert_eq!(worst, 200, "the old revision answers all the time");
    let events = shop.events();
    let has = |part: &str| events.iter().any(|it| it == part);
    assert!(
        has(
            "(service web) (task T) (port 8080) is unhealthy in (target-group TG) due to (reason Health checks failed)."
        ),
        "{events:#?}"
    );
    assert!(has("(service web) rolling back to deployment D."), "{events:#?}");
    assert_eq!(events.last().unwrap(), "(service web) has reached a steady state.", "{events:#?}");
    let reason = format!("Task failed ELB health checks in (target-group {})", shop.group);
    assert!(shop.tasks("STOPPED").iter().any(|it| it["stoppedReason"] == json!(reason)));
    assert_eq!(shop.service()["taskDefinition"], json!(good));
}

#[test]
fn a_rolling_update_never_leaves_the_balancer_without_targets() {
    let mut shop = Shop::new();
    let old = shop.define(&image(), json!({}));
    shop.serve(&old, json!({}));
    shop.pass(180);
    shop.push("2.0", &ecr::manifest::image("web", "2.0", "1", 30 << 20));
    let new = shop.define(&format!("{ECR}:2.0"), json!({}));
    shop.call("ecs", "UpdateService", json!({"cluster": "shop", "service": "web", "taskDefinition": new}));
    for second in 0..400 {
        shop.pass(1);
        assert_eq!(shop.get("/"), 200, "after {second} s: {:#?}", shop.events());
    }
    let events = shop.events();
    for part in [
        "(service web) has begun draining connections on 1 tasks.",
        "(service web) deregistered 1 targets in (target-group TG)",
        "(service web) has stopped 1 running tasks: (task T).",
    ] {
        assert_eq!(events.iter().filter(|it| *it == part).count(), 2, "{part}: {events:#?}");
    }
    assert_eq!(events.last().unwrap(), "(service web) has reached a steady state.");
}

/// Texts: stopped tasks of real accounts.
#[test]
fn a_tag_that_is_not_there() {
    let mut shop = Shop::new();
    let definition = shop.define(&format!("{ECR}:2.10"), json!({}));
    let reference = format!("{ECR}:2.10");
    assert_eq!(
        shop.stopped_reason(&definition),
        format!(
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref {reference}: {reference}: \
             not found"
        )
    );
}

#[test]
fn an_image_for_another_machine() {
    let mut shop = Shop::new();
    let arm = ecr::manifest::image("web", "3.0", "arm", 30 << 20);
    shop.push("arm", &arm);
    shop.push("3.0", &ecr::manifest::index("web", "3.0", &[("linux/arm64", &arm)]));
    let definition = shop.define(&format!("{ECR}:3.0"), json!({}));
    assert_eq!(
        shop.stopped_reason(&definition),
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain descriptor matching \
         platform 'linux/amd64'"
    );
}

#[test]
fn no_way_to_the_registry() {
    let mut shop = Shop::new();
    for zone in ["a", "b"] {
        shop.net.no_route(&format!("rtb-{zone}"));
    }
    let definition = shop.define(&image(), json!({}));
    let reason = shop.stopped_reason(&definition);
    let front = "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: \
                 There is a connection issue between the task and Amazon ECR. Check your task network configuration.";
    assert!(reason.starts_with(front) && reason.ends_with("i/o timeout"), "{reason}");
}

#[test]
fn no_right_to_the_registry() {
    let mut shop = Shop::new();
    let policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    shop.call("iam", "DetachRolePolicy", json!({"RoleName": "shop-exec", "PolicyArn": policy}));
    let definition = shop.define(&image(), json!({}));
    let reason = shop.stopped_reason(&definition);
    let front = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
                 retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: \
                 arn:aws:sts::123456789012:assumed-role/shop-exec/";
    assert!(reason.starts_with(front), "{reason}");
    let end = " is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the \
               ecr:GetAuthorizationToken action";
    assert!(reason.ends_with(end), "{reason}");
}

#[test]
fn a_log_group_that_is_not_there() {
    let mut shop = Shop::new();
    shop.call("logs", "DeleteLogGroup", json!({"logGroupName": "/shop/web"}));
    let definition = shop.define(&image(), json!({}));
    assert_eq!(
        shop.stopped_reason(&definition),
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch \
         log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
    );
}

#[test]
fn secrets_that_are_not_there_or_lack_a_key() {
    let mut shop = Shop::new();
    let input = json!({"Name": "shop/db", "SecretString": "{\"password\":\"x\"}"});
    let arn = shop.call("secretsmanager", "CreateSecret", input)["ARN"].as_str().unwrap().to_owned();
    let rights = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameters"], "Resource": "*"},
    ]});
    let input = json!({"RoleName": "shop-exec", "PolicyName": "secrets", "PolicyDocument": rights.to_string()});
    shop.call("iam", "PutRolePolicy", input);
    let with = |from: &str| json!({"secrets": [{"name": "DB_PASSWORD", "valueFrom": from}]});
    let front =
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:";
    let definition = shop.define(&image(), with(&format!("{arn}:passwd::")));
    assert_eq!(
        shop.stopped_reason(&definition),
        format!(
            "{front} unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did \
             not contain json key passwd"
        )
    );
    let definition = shop.define(&image(), with("/shop/none"));
    shop.call("ecs", "UpdateService", json!({"cluster": "shop", "service": "web", "taskDefinition": definition}));
    shop.pass(60);
    let reason = format!(
        "{front} unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /shop/none"
    );
    assert!(
        shop.tasks("STOPPED").iter().any(|it| it["stoppedReason"] == json!(reason)),
        "{:#?}",
        shop.tasks("STOPPED")
    );
    let needs = json!({
        "secrets": [{"name": "DB_PASSWORD", "valueFrom": format!("{arn}:password::")}],
        "environment": [{"name": "NEEDS_ENV", "value": "DB_PASSWORD"}],
    });
    let definition = shop.define(&image(), needs);
    shop.call("ecs", "UpdateService", json!({"cluster": "shop", "service": "web", "taskDefinition": definition}));
    shop.pass(180);
    assert_eq!(shop.service()["deployments"][0]["rolloutState"], "COMPLETED", "{:#?}", shop.events());
}

#[test]
fn spot_is_reclaimed_and_replaced_by_the_strategy() {
    let mut shop = Shop::new();
    let providers = json!({
        "cluster": "shop", "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [],
    });
    shop.call("ecs", "PutClusterCapacityProviders", providers);
    let definition = shop.define(&image(), json!({}));
    let strategy = json!([
        {"capacityProvider": "FARGATE", "base": 1, "weight": 0}, {"capacityProvider": "FARGATE_SPOT", "weight": 1},
    ]);
    shop.serve(&definition, json!({"launchType": null, "capacityProviderStrategy": strategy, "desiredCount": 3}));
    shop.pass(180);
    let spot = |shop: &mut Shop| {
        shop.tasks("RUNNING").iter().filter(|it| it["capacityProviderName"] == "FARGATE_SPOT").count()
    };
    assert_eq!(spot(&mut shop), 2);
    crate::services::ecs::control::set_capacity(&mut shop.net.cloud, "FARGATE_SPOT", false);
    assert_eq!(crate::services::ecs::control::reclaim_spot(&mut shop.net.cloud, None), 2);
    shop.pass(240);
    assert_eq!(shop.service()["runningCount"], 1);
    let stopped = shop.tasks("STOPPED");
    assert!(
        stopped
            .iter()
            .all(|it| it["stopCode"] == "SpotInterruption" && it["stoppedReason"] == "Your Spot Task was interrupted.")
    );
    assert!(
        shop.events().iter().any(|it| it.contains("Reason: Capacity is unavailable at this time.")),
        "{:#?}",
        shop.events()
    );
    crate::services::ecs::control::set_capacity(&mut shop.net.cloud, "FARGATE_SPOT", true);
    shop.pass(180);
    assert_eq!((shop.service()["runningCount"].as_u64(), spot(&mut shop)), (Some(3), 2));
}

/// Version consistency: a deployment keeps the digest of its first task.
#[test]
fn a_tag_that_moves_does_not_move_a_deployment() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({"desiredCount": 1}));
    shop.pass(180);
    let digest = shop.tasks("RUNNING")[0]["containers"][0]["imageDigest"].clone();
    shop.push("1.0", &ecr::manifest::image("web", "1.0", "2", 30 << 20));
    let update = |more: Value| {
        let mut input = json!({"cluster": "shop", "service": "web"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    shop.call("ecs", "UpdateService", update(json!({"desiredCount": 2})));
    shop.pass(180);
    assert!(shop.tasks("RUNNING").iter().all(|it| it["containers"][0]["imageDigest"] == digest));
    shop.call("ecs", "UpdateService", update(json!({"forceNewDeployment": true})));
    shop.pass(300);
    assert!(shop.tasks("RUNNING").iter().all(|it| it["containers"][0]["imageDigest"] != digest));
}
