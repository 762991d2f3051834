use serde_json::{Value, json};

use super::manifest;
use crate::services::testing::{ACCOUNT, Account};

fn shop(mutability: Value, filters: Value) -> Account {
    let mut account = Account::new();
    let input = json!({
        "repositoryName": "shop/web", "imageTagMutability": mutability, "imageTagMutabilityExclusionFilters": filters,
        "tags": [{"Key": "team", "Value": "shop"}],
    });
    account.ok("ecr", "CreateRepository", input);
    account
}

fn push(account: &mut Account, tag: &str, manifest: &str) -> Result<String, String> {
    let input = json!({"repositoryName": "shop/web", "imageManifest": manifest, "imageTag": tag});
    let answer = account.call("ecr", "PutImage", input).map_err(|error| error.to_string())?;
    Ok(answer["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned())
}

fn get(account: &mut Account, id: Value) -> Value {
    account.ok("ecr", "BatchGetImage", json!({"repositoryName": "shop/web", "imageIds": [id]}))
}

#[test]
fn a_tag_moves_and_a_digest_stays() {
    let mut account = shop(Value::Null, Value::Null);
    let (old, new) = (manifest::image("web", "2.0", "1", 9_000_000), manifest::image("web", "2.1", "1", 9_500_000));
    let first = push(&mut account, "stable", &old).unwrap();
    let second = push(&mut account, "stable", &new).unwrap();
    assert_ne!(first, second);
    assert_eq!(first, manifest::digest(&old));
    assert_eq!(get(&mut account, json!({"imageTag": "stable"}))["images"][0]["imageManifest"], json!(new));
    assert_eq!(get(&mut account, json!({"imageDigest": first}))["images"][0]["imageManifest"], json!(old));
    let untagged = json!({"repositoryName": "shop/web", "filter": {"tagStatus": "UNTAGGED"}});
    assert_eq!(account.ok("ecr", "ListImages", untagged)["imageIds"], json!([{"imageDigest": first}]));
    let refusal = push(&mut account, "stable", &new).unwrap_err();
    assert!(refusal.starts_with("ImageAlreadyExistsException: Image with digest '"), "{refusal}");
    push(&mut account, "2.1", &new).unwrap();
    let described =
        account.ok("ecr", "DescribeImages", json!({"repositoryName": "shop/web", "imageIds": [{"imageTag": "2.1"}]}));
    assert_eq!(described["imageDetails"][0]["imageTags"], json!(["stable", "2.1"]));
    assert_eq!(described["imageDetails"][0]["imageSizeInBytes"], 9_501_469);
}

#[test]
fn what_is_not_there_is_a_failure_or_a_refusal() {
    let mut account = shop(Value::Null, Value::Null);
    let answer = get(&mut account, json!({"imageTag": "2.10"}));
    assert_eq!(answer["failures"][0]["failureCode"], "ImageNotFound");
    assert_eq!(
        account.refused(
            "ecr",
            "DescribeImages",
            json!({"repositoryName": "shop/web", "imageIds": [{"imageTag": "2.10"}]})
        ),
        format!(
            "ImageNotFoundException: The image with imageId {{imageDigest:'null', imageTag:'2.10'}} does not exist within the \
             repository with name 'shop/web' in the registry with id '{ACCOUNT}'"
        )
    );
    let none = json!({"repositoryName": "shop/wob", "imageIds": [{"imageTag": "1"}]});
    assert_eq!(
        account.refused("ecr", "BatchGetImage", none),
        format!(
            "RepositoryNotFoundException: The repository with name 'shop/wob' does not exist in the registry with id '{ACCOUNT}'"
        )
    );
    assert!(
        account.refused("ecr", "CreateRepository", json!({"repositoryName": "shop/web"})).contains("already exists")
    );
    assert!(
        account.refused("ecr", "CreateRepository", json!({"repositoryName": "Shop"})).contains("regular expression")
    );
    let bad = json!({"repositoryName": "shop/web", "imageManifest": "{}"});
    assert!(account.refused("ecr", "PutImage", bad).starts_with("InvalidParameterException"));
}

#[test]
fn mutability_has_four_values() {
    let filter = json!([{"filterType": "WILDCARD", "filter": "dev-*"}]);
    for (value, filters, fixed, free) in [
        ("MUTABLE", Value::Null, vec![], vec!["2.1", "dev-1"]),
        ("IMMUTABLE", Value::Null, vec!["2.1", "dev-1"], vec![]),
        ("MUTABLE_WITH_EXCLUSION", filter.clone(), vec!["dev-1"], vec!["2.1"]),
        ("IMMUTABLE_WITH_EXCLUSION", filter.clone(), vec!["2.1"], vec!["dev-1"]),
    ] {
        let mut account = shop(json!(value), filters);
        for tag in fixed.iter().chain(&free) {
            push(&mut account, tag, &manifest::image("web", tag, "1", 1)).unwrap();
        }
        for tag in fixed {
            let refusal = push(&mut account, tag, &manifest::image("web", tag, "2", 1)).unwrap_err();
            let sentence = format!(
                "ImageTagAlreadyExistsException: The image tag '{tag}' already exists in the 'shop/web' repository and cannot be \
                 overwritten because the tag is immutable."
            );
            assert_eq!(refusal, sentence, "{value}");
        }
        for tag in free {
            push(&mut account, tag, &manifest::image("web", tag, "2", 1)).unwrap();
        }
    }
    let mut account = shop(Value::Null, Value::Null);
    let put = json!({"repositoryName": "shop/web", "imageTagMutability": "IMMUTABLE"});
    assert_eq!(account.ok("ecr", "PutImageTagMutability", put.clone())["imageTagMutability"], "IMMUTABLE");
    let mut mixed = put;
    mixed["imageTagMutabilityExclusionFilters"] = filter;
    assert!(account.refused("ecr", "PutImageTagMutability", mixed).starts_with("InvalidParameterException"));
}

#[test]
fn an_index_lists_platforms() {
    let mut account = shop(Value::Null, Value::Null);
    let (amd, arm) = (manifest::image("web", "2.1", "amd64", 1), manifest::image("web", "2.1", "arm64", 1));
    let index = manifest::index("web", "2.1", &[("linux/amd64", &amd), ("linux/arm64", &arm)]);
    push(&mut account, "2.1-multi", &index).unwrap();
    let image = get(&mut account, json!({"imageTag": "2.1-multi"}))["images"][0].clone();
    assert_eq!(image["imageManifestMediaType"], "application/vnd.oci.image.index.v1+json");
    let kept: Value = serde_json::from_str(image["imageManifest"].as_str().unwrap()).unwrap();
    assert_eq!(kept["manifests"][1]["platform"]["architecture"], "arm64");
    assert_eq!(kept["manifests"][0]["digest"], json!(manifest::digest(&amd)));
}

#[test]
fn deleting_by_tag_keeps_an_image_that_has_another() {
    let mut account = shop(Value::Null, Value::Null);
    let image = manifest::image("web", "2.1", "1", 1);
    push(&mut account, "2.1", &image).unwrap();
    push(&mut account, "stable", &image).unwrap();
    let delete = |account: &mut Account, id: Value| {
        account.ok("ecr", "BatchDeleteImage", json!({"repositoryName": "shop/web", "imageIds": [id]}))
    };
    delete(&mut account, json!({"imageTag": "stable"}));
    assert_eq!(get(&mut account, json!({"imageTag": "2.1"}))["images"].as_array().unwrap().len(), 1);
    let refusal = account.refused("ecr", "DeleteRepository", json!({"repositoryName": "shop/web"}));
    assert!(refusal.starts_with("RepositoryNotEmptyException"), "{refusal}");
    delete(&mut account, json!({"imageTag": "2.1"}));
    assert_eq!(delete(&mut account, json!({"imageTag": "2.1"}))["failures"][0]["failureCode"], "ImageNotFound");
    account.ok("ecr", "DeleteRepository", json!({"repositoryName": "shop/web"}));
    assert_eq!(account.ok("ecr", "DescribeRepositories", json!({}))["repositories"], json!([]));
}

#[test]
fn a_token_is_of_no_repository_and_a_pull_is_of_one() {
    let mut account = shop(Value::Null, Value::Null);
    push(&mut account, "2.1", &manifest::image("web", "2.1", "1", 1)).unwrap();
    let arn = format!("arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/shop/*");
    account.become_role("shop-exec", &json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": arn}]));
    get(&mut account, json!({"imageTag": "2.1"}));
    let layer = json!({"repositoryName": "shop/web", "layerDigest": "sha256:00"});
    let url = account.ok("ecr", "GetDownloadUrlForLayer", layer);
    assert!(url["downloadUrl"].as_str().unwrap().contains("starport-layer-bucket.s3."));
    let refusal = account.refused("ecr", "GetAuthorizationToken", json!({}));
    assert_eq!(
        refusal,
        format!(
            "AccessDeniedException: User: arn:aws:sts::{ACCOUNT}:assumed-role/shop-exec/1 is not authorized to perform: \
             ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action"
        )
    );
    account.become_learner();
    let token = account.ok("ecr", "GetAuthorizationToken", json!({}));
    let endpoint = &token["authorizationData"][0]["proxyEndpoint"];
    assert_eq!(endpoint, &json!(format!("https://{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com")));
}

#[test]
fn a_repository_has_policies_tags_and_scans() {
    let mut account = shop(Value::Null, Value::Null);
    push(&mut account, "2.1", &manifest::image("web", "2.1", "1", 1)).unwrap();
    let repository = json!({"repositoryName": "shop/web"});
    assert!(account.refused("ecr", "GetRepositoryPolicy", repository.clone()).starts_with("RepositoryPolicyNotFound"));
    account.become_role("other", &json!([{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]));
    let other = account.caller.clone();
    account.become_learner();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:role/other")}, "Action": "ecr:BatchGetImage",
    }]});
    let set = json!({"repositoryName": "shop/web", "policyText": policy.to_string()});
    account.ok("ecr", "SetRepositoryPolicy", set);
    account.caller = other;
    get(&mut account, json!({"imageTag": "2.1"}));
    account.become_learner();
    account.ok("ecr", "DeleteRepositoryPolicy", repository.clone());
    let bad = json!({"repositoryName": "shop/web", "policyText": "{}"});
    assert!(account.refused("ecr", "SetRepositoryPolicy", bad).contains("Invalid repository policy provided"));
    let rules = json!({"repositoryName": "shop/web", "lifecyclePolicyText": "{\"rules\":[{\"rulePriority\":1}]}"});
    account.ok("ecr", "PutLifecyclePolicy", rules);
    account.ok("ecr", "GetLifecyclePolicy", repository.clone());
    account.ok("ecr", "DeleteLifecyclePolicy", repository.clone());
    assert!(account.refused("ecr", "GetLifecyclePolicy", repository.clone()).starts_with("LifecyclePolicyNotFound"));
    let scan = json!({"repositoryName": "shop/web", "imageId": {"imageTag": "2.1"}});
    assert!(account.refused("ecr", "DescribeImageScanFindings", scan.clone()).starts_with("ScanNotFoundException"));
    account.ok("ecr", "StartImageScan", scan.clone());
    assert_eq!(account.ok("ecr", "DescribeImageScanFindings", scan)["imageScanStatus"]["status"], "COMPLETE");
    let on_push = json!({"repositoryName": "shop/web", "imageScanningConfiguration": {"scanOnPush": true}});
    account.ok("ecr", "PutImageScanningConfiguration", on_push);
    let arn = format!("arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/shop/web");
    account.ok("ecr", "TagResource", json!({"resourceArn": arn, "tags": [{"Key": "a", "Value": "b"}]}));
    account.ok("ecr", "UntagResource", json!({"resourceArn": arn, "tagKeys": ["team"]}));
    let tags = account.ok("ecr", "ListTagsForResource", json!({"resourceArn": arn}));
    assert_eq!(tags["tags"], json!([{"Key": "a", "Value": "b"}]));
    let layers = json!({"repositoryName": "shop/web", "layerDigests": ["sha256:00", "x"]});
    let checked = account.ok("ecr", "BatchCheckLayerAvailability", layers);
    assert_eq!(checked["layers"][0]["layerAvailability"], "UNAVAILABLE");
    assert_eq!(
        account.ok("ecr", "DescribeRepositories", json!({"repositoryNames": ["shop/web"]}))["repositories"][0]["repositoryArn"],
        json!(arn)
    );
}
