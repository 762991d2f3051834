//! Questions: answerable, and with one answer.

use std::collections::BTreeSet;

use super::{Lint, Rule};
use crate::{Check, check::Objects};

pub(super) const RULE: Rule = Rule {
    name: "questions",
    why: "a question whose answer is not among its choices cannot be answered",
    whole: false,
    check,
};

fn check(lint: &mut Lint<'_>) {
    for (index, question) in lint.lab.lab.questions.iter().enumerate() {
        let at = ["questions".to_owned(), index.to_string()];
        let steps = |key: &str| at.iter().cloned().chain([key.to_owned()]).collect::<Vec<_>>();
        let same = |text: &str| text.trim().to_lowercase();
        let choices: BTreeSet<String> = question.choose.iter().map(|choice| same(choice)).collect();
        if question.ask.trim().is_empty() {
            lint.error(&steps("ask"), "the question is empty", "ask something");
        }
        if let Some(from) = &question.answer_from {
            if !question.answer.is_empty() {
                let help = "leave one of the two out";
                lint.error(&steps("answer_from"), "the question has an `answer` and an `answer_from`", help);
            }
            let (lists, cel) = (from.lists.clone(), from.cel.clone());
            for problem in (lint.judged)(&Check::Objects(Objects { lists, cel, wanted: String::new() })) {
                lint.error(&steps("answer_from"), problem, "");
            }
        } else if question.answer.trim().is_empty() {
            lint.error(&steps("answer"), "the answer is empty", "write it, or `answer_from`");
        } else if !question.choose.is_empty() && !choices.contains(&same(&question.answer)) {
            let message = format!("the answer `{}` is not among the choices", question.answer);
            lint.error(&steps("answer"), message, "write one of `choose`");
        }
        if question.choose.len() == 1 {
            lint.error(&steps("choose"), "there is one choice", "write two or more, or none to have the answer typed");
        }
        if choices.len() != question.choose.len() {
            lint.error(&steps("choose"), "two choices are the same", "upper and lower case count as the same");
        }
    }
}
