//! What the tests of services share: an account, and every request and answer held to the service's model as botocore ships it with the
//! `aws` tool. Where no botocore is installed, the models say nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::PathBuf,
    process::Command,
    sync::{LazyLock, Mutex},
};

use breakfix_sim::SimTime;
use serde_json::Value;

use super::iam::principals::{self, Credentials};
use crate::{AwsError, Call, Caller, Cloud, Config};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-central-1";

/// An account and who asks.
pub struct Account {
    pub cloud: Cloud,
    pub caller: Caller,
}

impl Account {
    /// A new account, asked by its learner.
    pub fn new() -> Self {
        let key = |id: &str| Credentials { access_key_id: id.to_owned(), secret_access_key: format!("secret of {id}") };
        let cloud = Cloud::empty(Config {
            seed: 7,
            date: "2026-11-21T12:00:00Z".parse().unwrap(),
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            images: BTreeSet::new(),
            learner: key("AKIALEARNER"),
            operator: key("AKIAOPERATOR"),
        });
        let caller = principals::learner(&cloud.config);
        Self { cloud, caller }
    }

    /// Asks; the request and whatever comes back must be as the model says.
    pub fn call(&mut self, service: &str, operation: &str, mut input: Value) -> Result<Value, AwsError> {
        // A `null` is a member that is not there.
        if let Some(members) = input.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        if let Some(model) = model(service) {
            model.check_operation(operation, &input, "input", "request");
        }
        let (service, operation) = (service.to_owned(), operation.to_owned());
        let call = Call { service, operation, input, caller: self.caller.clone() };
        let answer = self.cloud.call(&call);
        if let Some(model) = model(&call.service) {
            match &answer {
                Ok(value) => model.check_operation(&call.operation, value, "output", "answer"),
                Err(error) => model.check_error(&call.operation, error),
            }
        }
        answer
    }

    /// The answer to a request that must go well.
    #[track_caller]
    pub fn ok(&mut self, service: &str, operation: &str, input: Value) -> Value {
        self.call(service, operation, input).unwrap_or_else(|error| panic!("{service}:{operation}: {error}"))
    }

    /// The refusal of a request that must be refused, as `Code: sentence`.
    #[track_caller]
    pub fn refused(&mut self, service: &str, operation: &str, input: Value) -> String {
        match self.call(service, operation, input) {
            Ok(answer) => panic!("{service}:{operation} answered {answer}"),
            Err(error) => error.to_string(),
        }
    }

    /// A role that ECS tasks take on, with one inline policy; asks as that role from now on.
    pub fn become_role(&mut self, name: &str, statement: &Value) {
        self.caller = principals::operator(&self.cloud.config);
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        self.ok("iam", "CreateRole", serde_json::json!({"RoleName": name, "AssumeRolePolicyDocument": trust}));
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let policy = serde_json::json!({"RoleName": name, "PolicyName": "own", "PolicyDocument": document});
        self.ok("iam", "PutRolePolicy", policy);
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        self.caller = principals::assume_for_service(&self.cloud, &arn, "ecs-tasks.amazonaws.com", "1").unwrap();
    }

    pub fn become_learner(&mut self) {
        self.caller = principals::learner(&self.cloud.config);
    }

    pub fn pass(&mut self, seconds: u64) {
        let time = SimTime(self.cloud.now().0 + seconds * 1_000);
        self.cloud.advance(time);
    }
}

/// A service's model.
pub struct Model(Value);

impl Model {
    fn check_operation(&self, operation: &str, value: &Value, side: &str, what: &str) {
        let known = self.0["operations"].get(operation).unwrap_or_else(|| panic!("the model has no {operation}"));
        match known[side]["shape"].as_str() {
            Some(shape) => self.check(shape, value, &format!("{operation} {what}"), side == "output"),
            None => {
                assert!(value.as_object().is_none_or(serde_json::Map::is_empty), "{operation} has no {what}: {value}")
            }
        }
    }

    fn check(&self, shape: &str, value: &Value, place: &str, answer: bool) {
        let known = &self.0["shapes"][shape];
        let kind = known["type"].as_str().unwrap_or("");
        let fits = match kind {
            "structure" => value.is_object(),
            "list" => value.is_array(),
            "map" => value.is_object(),
            "string" | "blob" | "character" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" | "long" => value.is_i64() || value.is_u64(),
            "double" | "float" => value.is_number(),
            "timestamp" => value.is_number() || (!answer && value.is_string()),
            _ => true,
        };
        // A document type takes anything.
        assert!(fits || known["document"] == true, "{place}: a {kind} is wanted, not {value}");
        match kind {
            "structure" if known["document"] != true => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let member = known["members"].get(name).unwrap_or_else(|| panic!("{place}: no member {name}"));
                    let shape = member["shape"].as_str().unwrap_or("");
                    self.check(shape, value, &format!("{place}.{name}"), answer);
                }
                for name in known["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    assert!(!answer || value.get(name).is_some(), "{place}: {name} must be there: {value}");
                }
            }
            "list" => {
                let shape = known["member"]["shape"].as_str().unwrap_or("");
                for value in value.as_array().into_iter().flatten() {
                    self.check(shape, value, &format!("{place}[]"), answer);
                }
            }
            "map" => {
                let shape = known["value"]["shape"].as_str().unwrap_or("");
                for (name, value) in value.as_object().into_iter().flatten() {
                    self.check(shape, value, &format!("{place}.{name}"), answer);
                }
            }
            "string" if answer => {
                // The real policy simulator says `IAM Policy`, which the model does not list.
                if let Some(words) = known["enum"].as_array().filter(|_| shape != "PolicySourceType") {
                    assert!(words.contains(value), "{place}: {value} is none of {words:?}");
                }
            }
            _ => {}
        }
    }

    fn check_error(&self, operation: &str, error: &AwsError) {
        const COMMON: &[&str] = &[
            "AccessDenied",
            "AccessDeniedException",
            "ValidationError",
            "ValidationException",
            "InvalidParameterException",
            "NotImplemented",
        ];
        let names = self.0["operations"][operation]["errors"].as_array().into_iter().flatten();
        let known = names.filter_map(|error| error["shape"].as_str()).any(|shape| {
            let code = self.0["shapes"][shape]["error"]["code"].as_str();
            shape == error.code || code == Some(error.code.as_str())
        });
        assert!(known || COMMON.contains(&error.code.as_str()), "{operation} has no error {error}");
    }
}

/// Where botocore keeps its models; none where it is not installed.
fn folder() -> Option<PathBuf> {
    let script = "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'data'))";
    let output = Command::new("python3").args(["-c", script]).output().ok().filter(|it| it.status.success())?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn read(service: &str) -> Option<Model> {
    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(folder);
    let name = match service {
        "elasticloadbalancing" => "elbv2",
        "monitoring" => "cloudwatch",
        other => other,
    };
    let versions = std::fs::read_dir(FOLDER.as_ref()?.join(name)).ok()?;
    let newest = versions.filter_map(|entry| Some(entry.ok()?.path())).max()?;
    let mut text = String::new();
    let packed = std::fs::File::open(newest.join("service-2.json.gz")).ok()?;
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).ok()?;
    Some(Model(serde_json::from_str(&text).ok()?))
}

/// The model of a service by its signing name, read once.
fn model(service: &str) -> Option<&'static Model> {
    static MODELS: Mutex<BTreeMap<String, Option<&'static Model>>> = Mutex::new(BTreeMap::new());
    let mut models = MODELS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *models.entry(service.to_owned()).or_insert_with(|| read(service).map(|model| &*Box::leak(Box::new(model))))
}
