//! Launch templates: what an Auto Scaling group starts.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    error::missing_one_of,
    resource::{Resource, describe_one, new_id, tag_new},
};
use crate::{AwsError, Cloud, input, moment};

/// A launch template with its one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    pub name: String,
    /// `LaunchTemplateData`.
    pub data: Value,
    pub created: SimTime,
}

impl Resource for LaunchTemplate {
    const IDS: &'static str = "LaunchTemplateIds";
    const SET: &'static str = "LaunchTemplates";
    const TYPE: &'static str = "launch-template";
    const FILTERS: &'static [(&'static str, &'static str)] = &[("launch-template-name", "LaunchTemplateName")];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.launch_templates
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        json!({
            "LaunchTemplateId": id,
            "LaunchTemplateName": self.name,
            "CreateTime": moment::of(cloud, self.created),
            "CreatedBy": format!("arn:aws:iam::{}:root", cloud.config.account),
            "DefaultVersionNumber": 1,
            "LatestVersionNumber": 1,
        })
    }

    fn absent(id: &str) -> AwsError {
        let text = format!("The specified launch template, with template ID {id}, does not exist.");
        AwsError::new("InvalidLaunchTemplateId.NotFound", text)
    }
}

/// `CreateLaunchTemplate`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = input::text(request, "LaunchTemplateName").ok_or_else(|| missing_one_of("LaunchTemplateName"))?;
    let data = request.get("LaunchTemplateData").ok_or_else(|| missing_one_of("LaunchTemplateData"))?;
    if cloud.ec2.launch_templates.values().any(|it| it.name == name) {
        let text = format!("Launch template name already in use: {name}");
        return Err(AwsError::new("InvalidLaunchTemplateName.AlreadyExistsException", text));
    }
    let id = new_id(cloud, "lt");
    let template = LaunchTemplate { name: name.to_owned(), data: data.clone(), created: cloud.now() };
    cloud.ec2.launch_templates.insert(id.clone(), template);
    tag_new(cloud, request, LaunchTemplate::TYPE, &id);
    Ok(json!({"LaunchTemplate": describe_one::<LaunchTemplate>(cloud, &id)?}))
}

/// The template that a request names by `LaunchTemplateId` or `LaunchTemplateName`.
fn named(cloud: &Cloud, request: &Value) -> Result<String, AwsError> {
    let templates = &cloud.ec2.launch_templates;
    if let Some(id) = input::text(request, "LaunchTemplateId") {
        return templates.get_key_value(id).map(|(id, _)| id.clone()).ok_or_else(|| LaunchTemplate::absent(id));
    }
    let name = input::text(request, "LaunchTemplateName").ok_or_else(|| missing_one_of("LaunchTemplateName"))?;
    templates.iter().find(|(_, it)| it.name == name).map(|(id, _)| id.clone()).ok_or_else(|| {
        let text = format!("The specified launch template, with template name {name}, does not exist.");
        AwsError::new("InvalidLaunchTemplateName.NotFoundException", text)
    })
}

/// What the template says.
pub(crate) fn data(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    Ok(cloud.ec2.launch_templates.get(&id).map(|it| it.data.clone()).unwrap_or_default())
}

/// The `LaunchTemplateSpecification` of the template that a request names.
pub(crate) fn specification(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let name = cloud.ec2.launch_templates.get(&id).map(|it| it.name.clone());
    let version = input::text(request, "Version").unwrap_or("$Default");
    Ok(json!({"LaunchTemplateId": id, "LaunchTemplateName": name, "Version": version}))
}

/// `DeleteLaunchTemplate`.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let view = describe_one::<LaunchTemplate>(cloud, &id)?;
    cloud.ec2.launch_templates.remove(&id);
    Ok(json!({"LaunchTemplate": view}))
}
