//! What a lab costs an hour on AWS, before anybody agrees to it.

use breakfix_lab::Document;
use serde_json::Value;

/// List prices of us-east-1 in US dollars an hour, traffic not included (aws.amazon.com/vpc/pricing, …/elasticloadbalancing/pricing,
/// …/fargate/pricing; other regions cost up to half as much again).
const NAT_GATEWAY: f64 = 0.045;
const LOAD_BALANCER: f64 = 0.0225;
const PUBLIC_ADDRESS: f64 = 0.005;
const ENDPOINT_A_SUBNET: f64 = 0.01;
const FARGATE_VCPU: f64 = 0.040_48;
const FARGATE_GIB: f64 = 0.004_445;

/// Dollars an hour for all of a system.
pub(super) fn hourly(documents: &[Document]) -> f64 {
    documents.iter().map(|document| of(document, documents)).sum()
}

fn of(document: &Document, all: &[Document]) -> f64 {
    let count = |key: &str| document.body.get(key).and_then(Value::as_array).map_or(1, Vec::len) as f64;
    match document.kind.as_str() {
        "NatGateway" => NAT_GATEWAY,
        "LoadBalancer" => LOAD_BALANCER + PUBLIC_ADDRESS * count("Subnets"),
        "Address" => PUBLIC_ADDRESS,
        "VpcEndpoint" if document.body.get("VpcEndpointType") == Some(&Value::from("Interface")) => {
            ENDPOINT_A_SUBNET * count("SubnetIds")
        }
        "Service" => {
            let tasks = document.body.get("desiredCount").and_then(Value::as_f64).unwrap_or(1.0);
            let family = document.body.get("taskDefinition").and_then(Value::as_str).unwrap_or(&document.name);
            let definition = all.iter().find(|it| it.kind == "TaskDefinition" && it.name == family);
            tasks * definition.map_or(0.0, |it| task(&it.body))
        }
        _ => 0.0,
    }
}

/// One task on Fargate, by the size that its definition reserves.
fn task(definition: &Value) -> f64 {
    // Units of 1/1024 vCPU and of 1 MiB, as texts.
    let size = |key: &str| {
        let value = definition.get(key);
        let text = value.and_then(Value::as_str).and_then(|text| text.parse::<f64>().ok());
        text.or_else(|| value.and_then(Value::as_f64)).unwrap_or(0.0) / 1024.0
    };
    size("cpu") * FARGATE_VCPU + size("memory") * FARGATE_GIB
}

/// `2 NatGateway, 1 Vpc`, the kinds in the order in which they are made.
pub(super) fn counted(documents: &[Document]) -> String {
    let count = |kind: &str| documents.iter().filter(|document| document.kind == kind).count();
    let counts = breakfix_lab::ecs::names().into_iter().map(|kind| (kind, count(kind)));
    counts.filter(|(_, count)| *count > 0).map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(kind: &str, name: &str, body: Value) -> Document {
        let (api_version, namespace) = (None, None);
        Document { api_version, kind: kind.into(), name: name.into(), namespace, body, file: "x".into(), line: 1 }
    }

    #[test]
    fn what_runs_and_what_stands_costs() {
        let documents = [
            document("Vpc", "shop", json!({})),
            document("NatGateway", "a", json!({})),
            document("NatGateway", "b", json!({})),
            document("LoadBalancer", "shop", json!({"Subnets": ["a", "b"]})),
            document("TaskDefinition", "web", json!({"cpu": "1024", "memory": "2048"})),
            document("Service", "web", json!({"taskDefinition": "web", "desiredCount": 2})),
        ];
        let wanted = 2.0 * 0.045 + 0.0225 + 2.0 * 0.005 + 2.0 * (0.040_48 + 2.0 * 0.004_445);
        assert!((hourly(&documents) - wanted).abs() < 1e-9, "{}", hourly(&documents));
        assert_eq!(counted(&documents), "1 Vpc, 2 NatGateway, 1 LoadBalancer, 1 TaskDefinition, 1 Service");
    }
}
