//! Jobs: kept by a store, handed on to where the orders go by everybody else.

use crate::{Machine, Request, Response, jobs};

use super::{Server, Trail, orders::order_id};

impl Server {
    /// `POST /jobs`, `GET /jobs`, `POST /jobs/take`, `POST /jobs/done`.
    pub(super) fn jobs(&self, request: &Request, trail: &mut Trail, machine: &mut dyn Machine) -> Response {
        let path = request.path().to_owned();
        if let Some(url) = &self.config.orders {
            let forward = Request { method: request.method.clone(), body: request.body.clone(), ..Request::default() };
            let forward = Request { target: request.target.clone(), ..forward };
            return match self.forward(url, forward, trail, machine) {
                Ok(answer) => Response { headers: [].into(), ..answer },
                Err(refusal) => refusal,
            };
        }
        let Some(store) = &self.store else { return Response::text(404, "no jobs are kept here\n") };
        if let Some(refusal) = self.password_refusal(request, machine) {
            return refusal;
        }
        let file = store.jobs_file();
        let failed = |error: crate::FileError| Response::text(500, format!("jobs cannot be kept: {error}\n"));
        store.alone(|| match (request.method.as_str(), path.as_str()) {
            ("POST", "/jobs/take") => match jobs::take(&file, machine) {
                Ok(Some(id)) => Response::text(200, format!("{id}\n")),
                Ok(None) => Response::text(204, ""),
                Err(error) => failed(error),
            },
            ("POST", _) => {
                let Some(id) = order_id(request) else { return Response::text(400, "a job needs an id\n") };
                let is_done = path == "/jobs/done";
                let outcome = if is_done {
                    jobs::done(&file, &id, machine)
                } else {
                    jobs::add(&file, &id, machine).map(|()| true)
                };
                match outcome {
                    Ok(true) => Response::text(200, format!("{id}\n")),
                    Ok(false) => Response::text(404, format!("no job {id}\n")),
                    Err(error) => failed(error),
                }
            }
            _ => match jobs::list(&file, machine) {
                Ok(lines) => Response::text(200, lines),
                Err(error) => failed(error),
            },
        })
    }
}
