//! Who answered on Docker: a container is known by where its answers come from.
//!
//! The name in the answer alone proves nothing: any program can say it, and `--hostname` gives any container any name. An address on a network
//! belongs to one container, and a published port to one container, and the engine says to which; the probe says which address it was answered
//! from. What lives in the same network namespace (`container:web`) answers there too and cannot be told apart, so nobody may have moved in.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use serde_json::Value;

use crate::{Verdict, View, object};

/// Where the containers of an owner answer.
#[derive(Debug, Default)]
pub(crate) struct Places {
    addresses: BTreeSet<IpAddr>,
    published: BTreeSet<(IpAddr, u16)>,
    /// One of them has no network of its own: it answers on the machine itself.
    on_the_machine: bool,
    /// Who shares a network namespace with one of them and was not handed over so.
    moved_in: BTreeSet<String>,
}

impl Places {
    /// Of these containers.
    pub(crate) fn of(containers: &[&Value], view: &View<'_>) -> Result<Self, Verdict> {
        let all = view.objects("Container", None)?;
        let handed_over = view.baseline.objects.get("Container").map_or(&[][..], Vec::as_slice);
        let mut places = Self::default();
        for container in containers {
            let landlord = landlord(container, all).unwrap_or(container);
            places.add(landlord);
            let tenants = all.iter().filter(|it| is_running(it) && is_same(self::landlord(it, all), landlord));
            let strangers = std::iter::once(landlord).chain(tenants).map(object::name).filter(|name| {
                *name != object::name(container) && !handed_over.iter().any(|it| object::is_named(it, name))
            });
            places.moved_in.extend(strangers.map(str::to_owned));
        }
        Ok(places)
    }

    fn add(&mut self, container: &Value) {
        self.on_the_machine |= object::text(container, &["HostConfig", "NetworkMode"]) == Some("host");
        let networks = object::at(container, &["NetworkSettings", "Networks"]).and_then(Value::as_object);
        for network in networks.into_iter().flat_map(|it| it.values()) {
            let keys = ["IPAddress", "GlobalIPv6Address"];
            self.addresses.extend(keys.iter().filter_map(|key| object::text(network, &[key])?.parse::<IpAddr>().ok()));
        }
        let ports = object::at(container, &["NetworkSettings", "Ports"]).and_then(Value::as_object);
        for binding in ports.into_iter().flat_map(|it| it.values()).filter_map(Value::as_array).flatten() {
            let ip = object::text(binding, &["HostIp"]).and_then(|it| it.parse().ok());
            let port = object::text(binding, &["HostPort"]).and_then(|it| it.parse().ok());
            self.published.extend(ip.zip(port));
        }
    }

    /// What speaks against an answer from there being theirs; `of` is their owner in words.
    pub(crate) fn fault(&self, from: SocketAddr, of: &str) -> Option<String> {
        let is_own = self.addresses.contains(&from.ip())
            || self
                .published
                .iter()
                .any(|(ip, port)| *port == from.port() && (ip.is_unspecified() || *ip == from.ip()))
            || (self.on_the_machine && from.ip().is_loopback());
        if !is_own {
            return Some(format!("answered from {from}, where {of} is not"));
        }
        let stranger = self.moved_in.first()?;
        Some(format!(
            "answered from {from}, where {stranger} lives beside {of}, so nobody can tell which of them it was"
        ))
    }
}

/// In whose network namespace a container lives, where that is not its own.
fn landlord<'a>(container: &Value, all: &'a [Value]) -> Option<&'a Value> {
    let other = object::text(container, &["HostConfig", "NetworkMode"])?.strip_prefix("container:")?;
    all.iter().find(|it| object::text(it, &["Id"]) == Some(other) || object::is_named(it, other))
}

fn is_same(one: Option<&Value>, other: &Value) -> bool {
    one.is_some_and(|one| object::text(one, &["Id"]) == object::text(other, &["Id"]))
}

fn is_running(container: &Value) -> bool {
    object::flag(container, &["State", "Running"])
}

#[cfg(test)]
mod tests {
    use breakfix_lab::Check;
    use serde_json::{Value, json};

    use crate::{Exchange, Judge, fixture::*};

    fn asked() -> Check {
        check(
            json!({"http": {"request": {"url": "http://shop/"}, "answered_by": {"kind": "Container", "name": "web"}}}),
        )
    }

    fn at(address: &str, name: &str) -> Value {
        but(container(name), json!({"NetworkSettings": {"Networks": {"shop": {"IPAddress": address}}}}))
    }

    /// Answered with web's name, from this address.
    fn from(address: &str) -> Exchange {
        Exchange { address: Some(address.parse().unwrap()), ..answered("shop 1.4", "web") }
    }

    fn world(more: &[Value]) -> World {
        let mut containers = vec![at("10.2.0.2", "web")];
        containers.extend_from_slice(more);
        World::docker().with("Container", containers).from("Container", [at("10.2.0.2", "web")])
    }

    fn judge(world: World, exchange: Exchange) -> crate::Verdict {
        let check = asked();
        let query = check.queries(world.platform, &world.scope()).remove(0);
        world.answering(query, crate::Fetched::Exchanges(vec![exchange])).judge(&check)
    }

    #[test]
    fn its_own_address_and_its_published_port_are_its() {
        assert_met(&judge(world(&[]), from("10.2.0.2:8080")));
        assert_met(&judge(world(&[]), from("127.0.0.1:18080")));
        assert_not_met(
            &judge(world(&[]), from("127.0.0.1:18081")),
            "answered from 127.0.0.1:18081, where Container web is not",
        );
    }

    #[test]
    fn an_impostor_with_its_name_answers_from_elsewhere() {
        // Its host name is the other's; its answers say so.
        let impostor =
            but(at("10.2.0.9", "relay"), json!({"Config": {"Hostname": "web"}, "NetworkSettings": {"Ports": {}}}));
        assert_not_met(
            &judge(world(&[impostor]), from("10.2.0.9:80")),
            "answered from 10.2.0.9:80, where Container web is not",
        );
    }

    #[test]
    fn who_moves_in_makes_it_untellable_and_who_was_there_does_not() {
        let tenant = but(container("relay"), json!({"HostConfig": {"NetworkMode": "container:web0123456789abcdef"}}));
        assert_not_met(
            &judge(world(std::slice::from_ref(&tenant)), from("10.2.0.2:80")),
            "where relay lives beside Container web",
        );
        let stopped = but(tenant.clone(), json!({"State": {"Running": false}}));
        assert_met(&judge(world(&[stopped]), from("10.2.0.2:80")));
        let before = world(std::slice::from_ref(&tenant)).from("Container", [at("10.2.0.2", "web"), tenant]);
        assert_met(&judge(before, from("10.2.0.2:80")));
        // The other way round: web itself lives with a stranger.
        let web = but(container("web"), json!({"HostConfig": {"NetworkMode": "container:relay0123456789abcdef"}}));
        let moved = World::docker()
            .with("Container", [web, at("10.2.0.3", "relay")])
            .from("Container", [at("10.2.0.2", "web")]);
        assert_not_met(&judge(moved, from("10.2.0.3:80")), "where relay lives beside Container web");
    }

    #[test]
    fn the_machine_itself_is_its_place_without_a_network_of_its_own() {
        let web =
            but(container("web"), json!({"HostConfig": {"NetworkMode": "host"}, "NetworkSettings": {"Ports": {}}}));
        let on_the_machine = || World::docker().with("Container", [web.clone()]);
        assert_met(&judge(on_the_machine(), from("127.0.0.1:8080")));
        assert_not_met(&judge(on_the_machine(), from("10.2.0.9:8080")), "is not");
    }

    #[test]
    fn where_the_probe_does_not_say_nothing_is_known() {
        let unsaid = Exchange { address: None, ..answered("shop 1.4", "web") };
        assert_unknown(&judge(world(&[]), unsaid), "from which address");
    }
}
