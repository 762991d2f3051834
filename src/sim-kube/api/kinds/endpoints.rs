//! Endpoints, which hand-written services without a selector still use.

use super::{
    PLAIN, Rules,
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems},
    object::{entries, number, text},
};

pub static RULES: Rules = Rules {
    defaults: |object| {
        for subset in each(object, "/subsets") {
            for port in each(subset, "/ports") {
                default(port, "/protocol", "TCP");
            }
        }
    },
    validate,
    ..PLAIN
};

fn validate(object: &serde_json::Value, problems: &mut Problems) {
    for (index, subset) in entries(object, "/subsets").iter().enumerate() {
        let at = At::new("subsets").index(index);
        let (ready, not_ready) = (entries(subset, "/addresses"), entries(subset, "/notReadyAddresses"));
        if ready.is_empty() && not_ready.is_empty() {
            problems.required(&at, "must specify `addresses` or `notReadyAddresses`");
        }
        for (list, addresses) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
            for (index, address) in addresses.iter().enumerate() {
                let ip = text(address, "/ip");
                if ip.parse::<std::net::IpAddr>().is_err() {
                    let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
                    problems.invalid(&at.child(list).index(index).child("ip"), ip, detail);
                }
            }
        }
        let ports = entries(subset, "/ports");
        for (index, port) in ports.iter().enumerate() {
            let at = at.child("ports").index(index);
            if ports.len() > 1 && text(port, "/name").is_empty() {
                problems.required(&at.child("name"), "");
            }
            problems.port(&at.child("port"), number(port, "/port").unwrap_or(0));
        }
    }
}
