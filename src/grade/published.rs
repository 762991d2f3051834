//! `published`: on which of the machine's addresses a container's port can be reached.
//!
//! Rules: `NetworkSettings.Ports` of the inspect says what is published now; `HostConfig.PortBindings` stays filled where the network
//! mode publishes nothing (seen in host mode). An empty `HostIp` means every address.

use std::collections::BTreeSet;

use breakfix_lab::{Platform, check::Published};
use serde_json::Value;

use crate::{Evidence, Judge, Query, Verdict, View, answers::objects_query, object, query::Scope};

impl Judge for Published {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        vec![objects_query(platform, scope, "Container", None)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        if self.only_on.is_empty() {
            vec!["published needs at least one address under `only_on`".to_owned()]
        } else {
            Vec::new()
        }
    }
}

fn judge(check: &Published, view: &View<'_>) -> Result<Verdict, Verdict> {
    let wanted = format!("container {} published on {} only", check.container, check.only_on.join(", "));
    let look = Some(format!("docker port {}", check.container));
    let Some(container) = view.object("Container", &check.container, None)? else {
        let reason = format!("container {} does not exist", check.container);
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no such container").look(view.look("", None))));
    };
    let bindings = bindings(container);
    let found = match bindings.len() {
        0 => "nothing published".to_owned(),
        _ => bindings.iter().map(|(ip, port)| format!("{ip}:{port}")).collect::<Vec<_>>().join(", "),
    };
    let evidence = Evidence::new(wanted, found).look(look);
    if bindings.is_empty() {
        return Ok(Verdict::not_met(format!("container {} publishes no port now", check.container), evidence));
    }
    Ok(match bindings.iter().find(|(ip, _)| !check.only_on.iter().any(|allowed| allowed == ip)) {
        Some((ip, port)) => {
            Verdict::not_met(format!("port {port} of container {} can be reached on {ip}", check.container), evidence)
        }
        None => Verdict::met(evidence),
    })
}

/// Every (host address, host port) of the container.
fn bindings(container: &Value) -> BTreeSet<(String, String)> {
    let ports = object::at(container, &["NetworkSettings", "Ports"]).and_then(Value::as_object);
    let bindings = ports.into_iter().flat_map(|ports| ports.values()).filter_map(Value::as_array).flatten();
    bindings
        .map(|binding| {
            let ip = object::text(binding, &["HostIp"]).filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            (ip.to_owned(), object::text(binding, &["HostPort"]).unwrap_or("").to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests;
