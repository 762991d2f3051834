//! `round_trip`: what was written through one door is read back through another.
//!
//! Rule: both answers have a status of 200 to 299 and the second contains the nonce of this very check, so that neither a prepared
//! page nor yesterday's record passes.

use breakfix_lab::{Platform, check::RoundTrip};

use crate::{
    Evidence, Exchange, Fetched, Judge, Outcome, Query, Verdict, View, answers::mismatch, http::in_words, query::Scope,
};

impl Judge for RoundTrip {
    fn queries(&self, _platform: Platform, _scope: &Scope) -> Vec<Query> {
        vec![query(self)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        let query = query(self);
        match view.answer(&query) {
            Ok(Fetched::RoundTrip { nonce, write, read }) => {
                verdict(self, nonce, write, read.as_deref()).with_look(view.look_on_the_way())
            }
            Ok(_) => mismatch(&query),
            Err(unknown) => unknown,
        }
    }

    fn problems(&self) -> Vec<String> {
        let request = &self.write.request;
        let parts = [Some(request.url.as_str()), request.body.as_deref()];
        let nonce = parts
            .into_iter()
            .flatten()
            .chain(request.headers.values().map(String::as_str))
            .any(|part| part.contains("${nonce}"));
        if nonce {
            Vec::new()
        } else {
            vec!["the write of a round_trip must carry `${nonce}`, or nothing new is written".to_owned()]
        }
    }
}

fn query(check: &RoundTrip) -> Query {
    Query::RoundTrip { write: check.write.clone(), read: check.read.clone() }
}

fn verdict(check: &RoundTrip, nonce: &str, write: &Exchange, read: Option<&Exchange>) -> Verdict {
    let wanted = format!("what is written to {} is read back from {}", check.write.request.url, check.read.request.url);
    if nonce.is_empty() {
        return Verdict::unknown("the probe wrote nothing that could be told apart");
    }
    if accepted(write).is_none() {
        let found = in_words(write);
        return Verdict::not_met(format!("writing to {}: {found}", write.url), Evidence::new(wanted, found));
    }
    let Some(read) = read else {
        return Verdict::unknown(format!("the probe wrote, but did not ask {}", check.read.request.url));
    };
    match accepted(read) {
        Some(body) if body.contains(nonce) => Verdict::met(Evidence::new(wanted, "written and read back")),
        Some(_) => {
            let reason = format!("what was written to {} is not in the answer of {}", write.url, read.url);
            Verdict::not_met(reason, Evidence::new(wanted, format!("written; {}", in_words(read))))
        }
        None => {
            let found = in_words(read);
            Verdict::not_met(
                format!("reading from {}: {found}", read.url),
                Evidence::new(wanted, format!("written; {found}")),
            )
        }
    }
}

/// The body of an answer that says yes.
fn accepted(exchange: &Exchange) -> Option<&str> {
    match &exchange.outcome {
        Outcome::Answered { status: 200..=299, body, .. } => Some(body),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
