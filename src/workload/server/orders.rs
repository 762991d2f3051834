//! Orders: kept here by a store, handed on by everybody else.

use crate::{Machine, Request, Response, Url};

use super::{Server, Trail, page::status_of};

/// The header that carries the password of a store.
pub(super) const PASSWORD_HEADER: &str = "x-password";
/// The header that carries an order's signature.
const SIGNATURE_HEADER: &str = "x-signature";
/// An order id is no longer than this.
const ID_LENGTH_MAX: usize = 128;

impl Server {
    /// POST /order, POST /records. The id is the caller's, so that sending it twice stores it once.
    pub(super) fn take_order(&self, request: &Request, trail: &mut Trail, machine: &mut dyn Machine) -> Response {
        let Some(id) = order_id(request) else {
            return Response::text(
                400,
                "an order needs an id of at most 128 letters, digits, dots, dashes and underscores, as its body or ?id=\n",
            );
        };
        let signature = match self.signature(&id, machine) {
            Ok(signature) => signature,
            Err(reason) => return Response::text(500, format!("order not signed: {reason}\n")),
        };
        if let Some(leader) = self.config.leader.as_ref().filter(|_| self.config.orders.is_none()) {
            return Response::text(403, format!("this store follows {}: it takes no orders\n", leader.authority()));
        }
        if let Some(url) = &self.config.orders {
            let forward = Request::post(&url.target, &id);
            let forward = match &signature {
                Some(signature) => forward.with_header(SIGNATURE_HEADER, signature),
                None => forward,
            };
            return match self.forward(url, forward, trail, machine) {
                Ok(answer) if answer.is_success() => Response::text(200, format!("{id}\n")),
                Ok(answer) => {
                    Response::text(502, not_stored(url, &format!("status {}: {}", answer.status, first_line(&answer))))
                }
                Err(refusal) => refusal,
            };
        }
        match &self.store {
            Some(store) => match self.password_refusal(request, machine) {
                Some(refusal) => refusal,
                None => match store.append(&id, machine) {
                    Ok(()) => Response::text(200, format!("{id}\n")),
                    Err(error) => Response::text(500, format!("order not stored: {error}\n")),
                },
            },
            None => Response::text(404, "no orders are taken here\n"),
        }
    }

    /// The signature of an order, where there is a key for it. The key is read for each: what the file says is what counts.
    fn signature(&self, id: &str, machine: &mut dyn Machine) -> Result<Option<String>, String> {
        let Some(file) = &self.config.sign_key_file else { return Ok(None) };
        let key = machine.read(file).map_err(|error| format!("cannot read the key file {file}: {error}"))?;
        Ok(Some(crate::store::checksum(&String::from_utf8_lossy(&key), id)))
    }

    /// GET /orders, GET /records: a line `id checksum` for each order.
    pub(super) fn list_orders(&self, request: &Request, trail: &mut Trail, machine: &mut dyn Machine) -> Response {
        if let Some(url) = &self.config.orders {
            let target = list_target(&url.target);
            return match self.forward(url, Request::get(&target), trail, machine) {
                Ok(answer) if answer.is_success() => Response { status: 200, ..answer },
                Ok(answer) => Response::text(502, format!("{}: status {}\n", url.authority(), answer.status)),
                Err(refusal) => refusal,
            };
        }
        match &self.store {
            Some(store) => match self.password_refusal(request, machine) {
                Some(refusal) => refusal,
                None => match store.list(machine) {
                    Ok(lines) => Response::text(200, lines),
                    Err(error) => Response::text(500, format!("orders cannot be read: {error}\n")),
                },
            },
            None => Response::text(404, "no orders are kept here\n"),
        }
    }

    /// Hand a request on to where the orders are.
    pub(super) fn forward(
        &self,
        url: &Url,
        request: Request,
        trail: &mut Trail,
        machine: &mut dyn Machine,
    ) -> Result<Response, Response> {
        let request = match self.config.orders_password.now(machine) {
            Ok(Some(password)) => request.with_header(PASSWORD_HEADER, &password),
            Ok(None) => request,
            Err(reason) => return Err(Response::text(500, format!("{reason}\n"))),
        };
        let name = url.host.clone();
        let url = Url { target: request.target.clone(), ..url.clone() };
        self.call(&name, &url, request, trail, machine)
            .map_err(|error| Response::text(status_of(&error), not_stored(&url, &error.to_string())))
    }

    /// A store with a password answers nobody who does not know it.
    pub(super) fn password_refusal(&self, request: &Request, machine: &mut dyn Machine) -> Option<Response> {
        let store = self.store.as_ref()?;
        match store.password(machine) {
            Ok(None) => None,
            Ok(Some(wanted)) if request.header(PASSWORD_HEADER) == Some(wanted.as_str()) => None,
            Ok(Some(_)) => Some(Response::text(401, "wrong password\n")),
            Err(reason) => Some(Response::text(500, format!("{reason}\n"))),
        }
    }
}

fn not_stored(url: &Url, reason: &str) -> String {
    format!("{}: {reason}\n", url.authority())
}

fn first_line(answer: &Response) -> String {
    answer.body_text().lines().next().unwrap_or_default().to_owned()
}

/// The id from the query, or from the body: bare, or as `id=…`.
pub(super) fn order_id(request: &Request) -> Option<String> {
    let id = match request.query("id") {
        Some(id) => id,
        None => {
            let body = String::from_utf8_lossy(&request.body).trim().to_owned();
            body.strip_prefix("id=").map(str::to_owned).unwrap_or(body)
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!id.is_empty() && id.len() <= ID_LENGTH_MAX && id.chars().all(plain)).then_some(id)
}

/// Where the list stands, next to where orders go: `/order` → `/orders`, `/records` → `/records`.
fn list_target(target: &str) -> String {
    let path = target.split('?').next().unwrap_or(target);
    match path.strip_suffix("/order") {
        Some(front) => format!("{front}/orders"),
        None => path.to_owned(),
    }
}
