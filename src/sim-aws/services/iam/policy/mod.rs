//! The policy language: documents, what they match, and the pure judgement over them.

pub mod condition;
pub mod document;
pub mod grammar;
pub mod judge;
pub mod pattern;
pub mod question;
mod statement;
#[cfg(test)]
mod tests;

pub use self::{
    document::Document,
    judge::{Judgement, Policies, ResourceRule, judge},
    question::{Keys, Principal, Question},
};
