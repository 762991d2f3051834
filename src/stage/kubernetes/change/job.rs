//! `create_job`: a Job from a CronJob's template, as `kubectl create job --from=cronjob/NAME` makes it.

use breakfix_lab::change::CreateJob;
use serde_json::{Value, json};

use super::noted;
use crate::{
    journal::Undo,
    kubernetes::{belongings, object, target::KubeTarget},
    target::{Cause, TargetError},
};

impl KubeTarget {
    pub(super) async fn create_job(&self, job: &CreateJob, undo: &dyn Undo) -> Result<(), TargetError> {
        let what = format!("create Job {} from CronJob {}", job.name, job.from);
        let (cron_jobs, jobs) = (self.known_resource(None, "CronJob").await?, self.known_resource(None, "Job").await?);
        let namespace = belongings::namespace_of(&self.place, &jobs, job.namespace.as_deref());
        let api = &*self.api().await?;
        let found = api.get(&cron_jobs, namespace, &job.from).await.map_err(|trouble| self.cannot(&what, trouble))?;
        let found = found.ok_or_else(|| TargetError::new(Cause::Denied, format!("{what}: there is none")))?;
        noted(undo, json!({"delete": {"kind": "Job", "namespace": namespace, "name": job.name}}))?;
        let body = job_from(&found, &job.name);
        api.create(&jobs, namespace, &body).await.map(drop).map_err(|trouble| self.cannot(what, trouble))
    }
}

/// The Job that kubectl would make (kubectl, create_job.go): the template, an annotation that it was made by hand, the CronJob as owner.
fn job_from(cron_job: &Value, name: &str) -> Value {
    let template = |key: &str| cron_job.pointer(&format!("/spec/jobTemplate/{key}")).cloned().unwrap_or_default();
    let mut body = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": object::namespace(cron_job),
            "labels": template("metadata/labels"),
            "annotations": template("metadata/annotations"),
            "ownerReferences": [{
                "apiVersion": "batch/v1", "kind": "CronJob", "name": object::name(cron_job),
                "uid": object::uid(cron_job), "controller": true,
            }],
        },
        "spec": template("spec"),
    });
    object::set(&mut body, &["metadata", "annotations", "cronjob.kubernetes.io/instantiate"], json!("manual"));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_made_by_hand_is_the_cron_jobs_own() {
        let cron_job = json!({
            "metadata": {"name": "report", "namespace": "shop", "uid": "u1"},
            "spec": {"schedule": "* * * * *", "jobTemplate": {"metadata": {"labels": {"app": "report"}}, "spec": {"backoffLimit": 0}}},
        });
        let job = job_from(&cron_job, "report-now");
        assert_eq!(job["metadata"]["labels"], json!({"app": "report"}));
        assert_eq!(job["metadata"]["annotations"], json!({"cronjob.kubernetes.io/instantiate": "manual"}));
        assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], json!("u1"));
        assert_eq!(job["spec"], json!({"backoffLimit": 0}));
    }
}
