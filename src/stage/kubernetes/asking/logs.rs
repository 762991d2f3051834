//! What a workload's containers have said.

use breakfix_grade::{Failure, Fetched, Log};
use breakfix_lab::check::Owner;

use crate::kubernetes::{
    object,
    probe::failure,
    resource::{Resource, escape},
    target::KubeTarget,
    trouble::Trouble,
};

/// Lines of one container that are looked at, the last ones.
const LINES: u32 = 5000;

impl KubeTarget {
    /// Answers `Query::Logs`: of the present run of each container.
    pub(in crate::kubernetes) async fn logs(
        &self,
        of: &Owner,
        container: Option<&str>,
        what: &str,
    ) -> Result<Fetched, Failure> {
        let api = &*self.api().await.map_err(|error| failure(&error))?;
        let Some(resource) = Resource::built_in(None, "Pod") else { return Ok(Fetched::Logs(Vec::new())) };
        let pods = self.running_pods(of).await.map_err(|trouble| trouble.failure(what))?;
        let mut logs = Vec::new();
        for pod in &pods {
            let (name, namespace) = (object::name(pod), object::namespace(pod));
            let chosen = container.map(|name| format!("&container={}", escape(name))).unwrap_or_default();
            let path = format!("{}?tailLines={LINES}{chosen}", resource.path(namespace, Some(name), Some("log")));
            match api.text(&path).await {
                Ok(text) => logs.push(Log { pod: name.to_owned(), text }),
                // Gone between the list and the look.
                Err(trouble) if trouble.is_not_found() => {}
                // A container that has not begun has said nothing (kubelet: "is waiting to start").
                Err(Trouble::Said { code: 400, message, .. }) if message.contains("waiting to start") => {
                    logs.push(Log { pod: name.to_owned(), text: String::new() });
                }
                Err(trouble) => return Err(trouble.failure(what)),
            }
        }
        Ok(Fetched::Logs(logs))
    }
}
