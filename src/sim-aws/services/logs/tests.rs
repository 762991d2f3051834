use serde_json::{Value, json};

use crate::services::testing::{ACCOUNT, Account};

/// 2026-11-21T12:00:00Z, when a test's account begins.
const BEGIN: i64 = 1_795_262_400_000;

fn shop() -> Account {
    let mut account = Account::new();
    account.ok("logs", "CreateLogGroup", json!({"logGroupName": "/shop/web", "tags": {"team": "shop"}}));
    for stream in ["web/web/a", "web/web/b"] {
        account.ok("logs", "CreateLogStream", json!({"logGroupName": "/shop/web", "logStreamName": stream}));
    }
    account
}

fn write(account: &mut Account, stream: &str, events: &[(i64, &str)]) -> Value {
    let event = |(after, message): &(i64, &str)| json!({"timestamp": BEGIN + after, "message": message});
    let events = events.iter().map(event).collect::<Vec<_>>();
    let input = json!({"logGroupName": "/shop/web", "logStreamName": stream, "logEvents": events});
    account.ok("logs", "PutLogEvents", input)
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[test]
fn what_is_not_there_is_refused_in_the_words_tasks_repeat() {
    let mut account = Account::new();
    let stream = json!({"logGroupName": "/shop/webb", "logStreamName": "a"});
    let refusal = account.refused("logs", "CreateLogStream", stream);
    assert_eq!(refusal, "ResourceNotFoundException: The specified log group does not exist.");
    let mut account = shop();
    let get = json!({"logGroupName": "/shop/web", "logStreamName": "c"});
    let refusal = account.refused("logs", "GetLogEvents", get);
    assert_eq!(refusal, "ResourceNotFoundException: The specified log stream does not exist.");
    let refusal = account.refused("logs", "CreateLogGroup", json!({"logGroupName": "/shop/web"}));
    assert_eq!(refusal, "ResourceAlreadyExistsException: The specified log group already exists");
    let refusal = account.refused("logs", "CreateLogGroup", json!({"logGroupName": "shop web"}));
    assert!(refusal.starts_with("InvalidParameterException: 1 validation error detected"), "{refusal}");
}

#[test]
fn a_stream_is_read_forwards_and_backwards() {
    let mut account = shop();
    write(&mut account, "web/web/a", &[(0, "one"), (0, "two"), (5, "three")]);
    write(&mut account, "web/web/a", &[(1, "between")]);
    let get = |account: &mut Account, more: Value| {
        let mut input = json!({"logGroupName": "/shop/web", "logStreamName": "web/web/a", "limit": 2});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        account.ok("logs", "GetLogEvents", input)
    };
    let tail = get(&mut account, json!({}));
    assert_eq!(messages(&tail), ["between", "three"]);
    let before = get(&mut account, json!({"nextToken": tail["nextBackwardToken"]}));
    assert_eq!(messages(&before), ["one", "two"]);
    let head = get(&mut account, json!({"startFromHead": true}));
    assert_eq!(messages(&head), ["one", "two"]);
    let next = get(&mut account, json!({"nextToken": head["nextForwardToken"]}));
    assert_eq!(messages(&next), ["between", "three"]);
    let end = get(&mut account, json!({"nextToken": next["nextForwardToken"]}));
    assert_eq!(
        (messages(&end).len(), &end["nextForwardToken"]),
        (0, &next["nextForwardToken"]),
        "the same token: the end"
    );
    write(&mut account, "web/web/a", &[(9, "later")]);
    assert_eq!(messages(&get(&mut account, json!({"nextToken": end["nextForwardToken"]}))), ["later"]);
    let window = get(&mut account, json!({"startTime": BEGIN + 1, "endTime": BEGIN + 5}));
    assert_eq!(messages(&window), ["between"]);
}

#[test]
fn a_group_is_searched_by_time_over_its_streams() {
    let mut account = shop();
    write(&mut account, "web/web/a", &[(0, "GET / 200"), (20, "GET /order 500")]);
    write(&mut account, "web/web/b", &[(10, "GET / 503")]);
    let mut filter = |more: Value| {
        let mut input = json!({"logGroupName": "/shop/web"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        account.ok("logs", "FilterLogEvents", input)
    };
    assert_eq!(messages(&filter(json!({}))), ["GET / 200", "GET / 503", "GET /order 500"]);
    assert_eq!(messages(&filter(json!({"filterPattern": "?500 ?503"}))), ["GET / 503", "GET /order 500"]);
    assert_eq!(messages(&filter(json!({"logStreamNames": ["web/web/b"]}))), ["GET / 503"]);
    assert_eq!(
        messages(&filter(json!({"logStreamNamePrefix": "web/web/a", "startTime": BEGIN + 1}))),
        ["GET /order 500"]
    );
    let first = filter(json!({"limit": 2, "interleaved": true}));
    let rest = filter(json!({"limit": 2, "nextToken": first["nextToken"]}));
    assert_eq!((messages(&first).len(), messages(&rest)), (2, vec!["GET /order 500"]));
    assert_eq!(rest.get("nextToken"), None);
}

#[test]
fn events_out_of_their_time_are_not_taken() {
    let mut account = shop();
    let day = 86_400_000;
    let answer = write(&mut account, "web/web/a", &[(-15 * day, "old"), (0, "now"), (day, "new")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}));
    let events = json!([{"timestamp": BEGIN + 2, "message": "b"}, {"timestamp": BEGIN + 1, "message": "a"}]);
    let input = json!({"logGroupName": "/shop/web", "logStreamName": "web/web/a", "logEvents": events});
    assert!(account.refused("logs", "PutLogEvents", input).contains("chronological order"));
    let input = json!({"logGroupName": "/shop/web", "logStreamName": "web/web/a"});
    assert_eq!(messages(&account.ok("logs", "GetLogEvents", input)), ["now"]);
}

#[test]
fn a_long_stream_forgets_its_beginning() {
    let mut account = shop();
    let numbers = (0..6_000).map(|it| it.to_string()).collect::<Vec<_>>();
    write(&mut account, "web/web/a", &numbers.iter().map(|it| (0, it.as_str())).collect::<Vec<_>>());
    let input = json!({"logGroupName": "/shop/web", "logStreamName": "web/web/a", "startFromHead": true, "limit": 1});
    assert_eq!(messages(&account.ok("logs", "GetLogEvents", input)), ["1000"]);
}

#[test]
fn groups_and_streams_are_described() {
    let mut account = shop();
    account.ok("logs", "PutRetentionPolicy", json!({"logGroupName": "/shop/web", "retentionInDays": 14}));
    let refusal =
        account.refused("logs", "PutRetentionPolicy", json!({"logGroupName": "/shop/web", "retentionInDays": 2}));
    assert!(refusal.contains("Member must satisfy enum value set: [1, 3, 5"), "{refusal}");
    let arn = format!("arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/shop/web");
    account.ok("logs", "AssociateKmsKey", json!({"logGroupName": "/shop/web", "kmsKeyId": "arn:aws:kms:::key/1"}));
    let groups = account.ok("logs", "DescribeLogGroups", json!({"logGroupNamePrefix": "/shop/"}));
    let group = &groups["logGroups"][0];
    assert_eq!((&group["arn"], &group["retentionInDays"]), (&json!(format!("{arn}:*")), &json!(14)));
    account.ok("logs", "DisassociateKmsKey", json!({"logGroupName": "/shop/web"}));
    account.ok("logs", "DeleteRetentionPolicy", json!({"logGroupName": "/shop/web"}));
    account.ok("logs", "TagResource", json!({"resourceArn": arn, "tags": {"a": "b"}}));
    account.ok("logs", "UntagResource", json!({"resourceArn": arn, "tagKeys": ["team"]}));
    assert_eq!(account.ok("logs", "ListTagsForResource", json!({"resourceArn": arn}))["tags"], json!({"a": "b"}));
    assert_eq!(account.ok("logs", "ListTagsLogGroup", json!({"logGroupName": "/shop/web"}))["tags"], json!({"a": "b"}));
    write(&mut account, "web/web/b", &[(0, "x")]);
    let latest = json!({"logGroupName": "/shop/web", "orderBy": "LastEventTime", "descending": true, "limit": 1});
    let streams = account.ok("logs", "DescribeLogStreams", latest);
    assert_eq!(streams["logStreams"][0]["logStreamName"], "web/web/b");
    account.ok("logs", "DeleteLogStream", json!({"logGroupName": "/shop/web", "logStreamName": "web/web/b"}));
    account.ok("logs", "DeleteLogGroup", json!({"logGroupName": "/shop/web"}));
    assert_eq!(account.ok("logs", "DescribeLogGroups", json!({}))["logGroups"], json!([]));
}

#[test]
fn rights_on_a_group_are_written_in_either_way() {
    let arn = format!("arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/shop/web");
    let stream = json!({"logGroupName": "/shop/web", "logStreamName": "web/web/c"});
    let events = json!({"logGroupName": "/shop/web", "logStreamName": "web/web/a",
                        "logEvents": [{"timestamp": BEGIN, "message": "x"}]});
    for (resource, may_write) in [("", false), (":*", true), (":log-stream:web/*", true)] {
        let mut account = shop();
        let statement = json!([{"Effect": "Allow", "Action": "logs:*", "Resource": format!("{arn}{resource}")}]);
        account.become_role("shop-exec", &statement);
        account.ok("logs", "CreateLogStream", stream.clone());
        assert_eq!(account.call("logs", "PutLogEvents", events.clone()).is_ok(), may_write, "{resource}");
    }
    let mut account = shop();
    account.become_role("shop-exec", &json!([{"Effect": "Allow", "Action": "logs:Describe*", "Resource": "*"}]));
    let refusal = account.refused("logs", "CreateLogGroup", json!({"logGroupName": "/shop/new"}));
    let group = "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/new:log-stream:";
    assert_eq!(
        refusal,
        format!(
            "AccessDeniedException: User: arn:aws:sts::{ACCOUNT}:assumed-role/shop-exec/1 is not authorized to perform: \
             logs:CreateLogGroup on resource: {group} because no identity-based policy allows the logs:CreateLogGroup action"
        )
    );
}
