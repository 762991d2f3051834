//! The history of a CronJob: of Jobs that are over, the oldest beyond the limits go (`cleanupFinishedJobs`).

use std::sync::Arc;

use serde_json::Value;

use super::{Look, jobs};
use crate::{
    Cluster,
    controllers::job,
    object::{is_deleting, name, number, text},
};

pub(super) fn clean_up(cluster: &mut Cluster, look: &mut Look, own: &[Arc<Value>]) {
    for (limit, end) in [("successfulJobsHistoryLimit", "Complete"), ("failedJobsHistoryLimit", "Failed")] {
        let Some(limit) = number(&look.cron, &format!("/spec/{limit}")).and_then(|limit| usize::try_from(limit).ok())
        else {
            continue;
        };
        let is_such = |job: &&Arc<Value>| {
            !is_deleting(job) && job::finished(job).is_some_and(|condition| text(condition, "/type") == end)
        };
        let mut over: Vec<&Arc<Value>> = own.iter().filter(is_such).collect();
        over.sort_by_key(|job| (text(job, "/status/startTime").to_owned(), name(job).to_owned()));
        let surplus = over.len().saturating_sub(limit);
        for job in over.into_iter().take(surplus) {
            // A refusal is on the CronJob as an event, and tried again with the next look.
            let _ = jobs::delete(cluster, look, job);
        }
    }
}
