//! Acting in somebody else's name: `kubectl --as`, and whether one may
//! (`apiserver/pkg/endpoints/filters/impersonation`, with the constrained modes that 1.36 tries before the old verb).

use std::collections::BTreeMap;

use super::{
    Attributes, User, authorize, forbidden,
    identity::{self, ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED},
};
use crate::{Cluster, Status, api::ApiRequest};

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";
/// Values of one header that came in several lines are kept apart by this (`serve/service.rs` joins them).
pub const SEPARATOR: char = '\n';
/// The group of every node.
const NODES: &str = "system:nodes";
/// The API group of what can be impersonated, but for users, groups and accounts under the old verb.
const AUTHENTICATION: &str = "authentication.k8s.io";

/// A way to impersonate, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    ArbitraryNode,
    AssociatedNode,
    ServiceAccount,
    UserInfo,
    /// The verb `impersonate` alone, as ever.
    Legacy,
}

const MODES: [Mode; 5] =
    [Mode::AssociatedNode, Mode::ArbitraryNode, Mode::ServiceAccount, Mode::UserInfo, Mode::Legacy];

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::ArbitraryNode => "arbitrary-node",
            Self::AssociatedNode => "associated-node",
            Self::ServiceAccount => "serviceaccount",
            Self::UserInfo => "user-info",
            Self::Legacy => "",
        }
    }

    fn fits(self, asker: &User, wanted: &User) -> bool {
        let name_only = wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        let node = identity::split_node(&wanted.name);
        let account = identity::split_service_account(&wanted.name);
        match self {
            Self::AssociatedNode => {
                let own = asker.extra.get("authentication.kubernetes.io/node-name").and_then(|names| names.first());
                let is_account = identity::split_service_account(&asker.name).is_some();
                name_only && is_account && node.is_some() && node == own.map(String::as_str)
            }
            Self::ArbitraryNode => name_only && node.is_some(),
            Self::ServiceAccount => name_only && account.is_some(),
            Self::UserInfo => node.is_none() && account.is_none(),
            Self::Legacy => true,
        }
    }

    fn verb(self) -> String {
        if self == Self::Legacy { "impersonate".to_owned() } else { format!("impersonate:{}", self.name()) }
    }
}

/// Who the request is to count as coming from, if its headers name somebody.
///
/// # Errors
/// 400 for headers that name nobody; 403 for who may not.
pub fn impersonate(
    cluster: &mut Cluster,
    asker: &User,
    request: &ApiRequest,
    asked: &Attributes,
) -> Result<Option<User>, Status> {
    let Some(wanted) = wanted(&request.headers)? else { return Ok(None) };
    let mut first = None;
    for mode in MODES.into_iter().filter(|mode| mode.fits(asker, &wanted)) {
        match attempt(cluster, mode, asker, &wanted, asked) {
            Ok(user) => return Ok(Some(user)),
            Err(refused) => drop(first.get_or_insert(refused)),
        }
    }
    Err(first.unwrap_or_else(|| Status::internal("all impersonation modes failed")))
}

/// Whom the headers name.
fn wanted(headers: &BTreeMap<String, String>) -> Result<Option<User>, Status> {
    let values = |text: &str| text.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
    let first = |name: &str| headers.get(name).map(|text| values(text).swap_remove(0)).unwrap_or_default();
    let wanted = User {
        name: first(USER),
        uid: first(UID),
        groups: headers.get(GROUP).map(|text| values(text)).unwrap_or_default(),
        extra: headers
            .iter()
            .filter_map(|(name, text)| Some((unescape(name.strip_prefix(EXTRA)?), values(text))))
            .collect(),
    };
    if !wanted.name.is_empty() {
        return Ok(Some(wanted));
    }
    if wanted == User::default() {
        return Ok(None);
    }
    Err(Status::bad_request(format!("requested {} without impersonating a user name", go_user(&wanted))))
}

/// A user as Go's `%#v` prints one.
fn go_user(user: &User) -> String {
    let list = |list: &[String]| {
        let quoted: Vec<_> = list.iter().map(|text| format!("{text:?}")).collect();
        format!("[]string{{{}}}", quoted.join(", "))
    };
    let groups = if user.groups.is_empty() { "[]string(nil)".to_owned() } else { list(&user.groups) };
    let extra = if user.extra.is_empty() {
        "map[string][]string(nil)".to_owned()
    } else {
        let pairs: Vec<_> = user.extra.iter().map(|(key, values)| format!("{key:?}:{}", list(values))).collect();
        format!("map[string][]string{{{}}}", pairs.join(", "))
    };
    format!("&user.DefaultInfo{{Name:{:?}, UID:{:?}, Groups:{groups}, Extra:{extra}}}", user.name, user.uid)
}

/// A key of `extra` as a header carries it: other letters than a header may hold are escaped.
fn unescape(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, after) {
            (b'%', [high, low, others @ ..]) => {
                let Some((high, low)) = digit(high).zip(digit(low)) else { return key.to_owned() };
                bytes.push(high << 4 | low);
                rest = others;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| key.to_owned())
}

/// One mode: may the asker do this act under it, and may they take on each thing that is wanted.
fn attempt(cluster: &mut Cluster, mode: Mode, asker: &User, wanted: &User, asked: &Attributes) -> Result<User, Status> {
    let mut may = |attributes: &Attributes| {
        let decision = authorize(cluster, asker, attributes);
        if decision.is_allowed { Ok(()) } else { Err(forbidden(asker, attributes, &decision.reason)) }
    };
    if mode != Mode::Legacy {
        may(&Attributes { verb: format!("impersonate-on:{}:{}", mode.name(), asked.verb), ..asked.clone() })?;
    }
    let verb = mode.verb();
    let core = if mode == Mode::Legacy { "" } else { AUTHENTICATION };
    let mut user = wanted.clone();
    match (identity::split_service_account(&wanted.name), identity::split_node(&wanted.name)) {
        (Some((namespace, name)), _) => {
            may(&Attributes::resource(&verb, core, "serviceaccounts", namespace, name))?;
            if user.groups.is_empty() {
                user.groups = identity::service_account_groups(namespace);
            }
        }
        (None, Some(name)) if mode != Mode::Legacy => {
            // The right to one's own node is the right to whichever that is.
            let name = if mode == Mode::AssociatedNode { "*" } else { name };
            may(&Attributes::resource(&verb, core, "nodes", "", name))?;
            user.groups = vec![NODES.to_owned()];
        }
        _ => may(&Attributes::resource(&verb, core, "users", "", &wanted.name))?,
    }
    if !wanted.uid.is_empty() {
        may(&Attributes::resource(&verb, AUTHENTICATION, "uids", "", &wanted.uid))?;
    }
    for group in &wanted.groups {
        let attributes = Attributes::resource(&verb, core, "groups", "", group);
        if mode != Mode::Legacy && group == MASTERS {
            let why = "impersonating the system:masters group is not allowed";
            return Err(forbidden(asker, &attributes, why));
        }
        may(&attributes)?;
    }
    for (key, values) in &wanted.extra {
        for value in values {
            let attributes = Attributes::resource(&verb, AUTHENTICATION, "userextras", "", value);
            may(&Attributes { subresource: key.clone(), ..attributes })?;
        }
    }
    if user.name == ANONYMOUS {
        user.join(UNAUTHENTICATED);
    } else if !user.is_in(UNAUTHENTICATED) {
        user.join(AUTHENTICATED);
    }
    Ok(user)
}
