//! Questions whose answer is taken from the system as it is when the lab opens.
//!
//! The learner repairs the system afterwards, and it then says something else: the answer is worked out once and kept.

use std::collections::BTreeSet;

use breakfix_lab::lab::AnswerFrom;
use serde_json::Value;

use crate::{
    Observation, Query, Verdict,
    case::Case,
    expression::{self, Trouble},
    objects,
};

/// What must be fetched to answer.
pub fn queries(case: &Case, from: &AnswerFrom) -> BTreeSet<Query> {
    objects::queries(&from.lists, case.platform, &case.scope).into_iter().collect()
}

/// The answer.
///
/// # Errors
/// Why there is none, in a sentence: something could not be fetched, or the expression says nothing of these objects.
pub fn answer(case: &Case, from: &AnswerFrom, observation: &Observation) -> Result<String, String> {
    let view = case.view(observation, None);
    let program = expression::program(&from.cel)?;
    let mut lists = Vec::new();
    for (name, list) in &from.lists {
        let chosen = objects::chosen(list, &view).map_err(|verdict| match verdict {
            Verdict::Met { .. } => "nothing was fetched".to_owned(),
            Verdict::NotMet { reason, .. } | Verdict::Unknown { reason } => reason,
        })?;
        lists.push((name.as_str(), Value::Array(chosen.into_iter().cloned().collect())));
    }
    let variables: Vec<(&str, &Value)> = lists.iter().map(|(name, list)| (*name, list)).collect();
    let said = expression::said(&program, &variables).map_err(|trouble| match trouble {
        Trouble::Object(why) | Trouble::Lab(why) => format!("the expression `{}`: {why}", from.cel),
    })?;
    if said.trim().is_empty() { Err(format!("the expression `{}` says nothing", from.cel)) } else { Ok(said) }
}

#[cfg(test)]
mod tests;
