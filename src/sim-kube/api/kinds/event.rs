//! Events.

use super::{PLAIN, Rules};
use crate::{api::check::At, object::text};

pub static RULES: Rules = Rules {
    validate: |event, problems| {
        let (own, about) = (text(event, "/metadata/namespace"), text(event, "/involvedObject/namespace"));
        // What belongs to no namespace is told of in `default`.
        let fits = own == about || (about.is_empty() && own == "default");
        if !fits {
            let at = At::new("involvedObject").child("namespace");
            problems.invalid(&at, about, "does not match event.namespace");
        }
    },
    ..PLAIN
};
