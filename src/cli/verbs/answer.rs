//! `answer`: the lab's questions. Each has one right answer; the first one given counts.

use breakfix_lab::lab::Question;
use breakfix_stage::session::Answer;
use serde_json::json;

use crate::{
    app::App,
    args::AnswerArgs,
    exit::{self, Exit},
    failure::Failure,
    out::Tone,
    prose,
};

pub fn run(app: &App, args: &AnswerArgs) -> Result<Exit, Failure> {
    let (mut session, _guard) = app.chosen_alone()?;
    let lab = app.lab_of(&session)?;
    let questions = &lab.lab.questions;
    // With one question its number may be left out.
    let (number, given) = match (args.question, &args.answer) {
        (Some(number), Some(text)) => (number, text.clone()),
        (None, _) => {
            show(app, questions, &session.answers)?;
            return Ok(exit::DONE);
        }
        (Some(_), None) => {
            return Err(Failure::usage("an answer is missing").hint("`breakfix answer 1 b`, or the words themselves"));
        }
    };
    let question = number
        .checked_sub(1)
        .and_then(|index| questions.get(index))
        .ok_or_else(|| Failure::usage(format!("there is no question {number}")).hint("`breakfix answer` shows them"))?;
    let given = spelled_out(question, &given)?;
    let right = same(&given, session.expected.get(&(number - 1)).unwrap_or(&question.answer));
    let first = !session.answers.contains_key(&(number - 1));
    session.answers.entry(number - 1).or_insert(Answer { given: given.clone(), right });
    session.save(&app.home)?;
    if app.out.json {
        app.out.json(&json!({"question": number, "given": given, "right": right, "counts": first}))?;
    } else {
        let verdict = if right { app.out.paint(Tone::Good, "Right.") } else { app.out.paint(Tone::Bad, "Not right.") };
        let because = question.because.as_deref().filter(|_| right).unwrap_or_default();
        app.out.line(&prose::lay_out(&app.out, &format!("{verdict} {because}"), 0))?;
        if !first {
            app.out.say("The first answer you gave is the one that counts.");
        }
    }
    Ok(if right { exit::DONE } else { exit::NOT_YET })
}

/// A choice's letter stands for its words.
fn spelled_out(question: &Question, given: &str) -> Result<String, Failure> {
    if question.choose.is_empty() {
        return Ok(given.to_owned());
    }
    if let Some(choice) = question.choose.iter().find(|choice| same(choice, given)) {
        return Ok(choice.clone());
    }
    let mut letters = given.trim().chars();
    let choice = match (letters.next(), letters.next()) {
        (Some(letter), None) => letter.to_ascii_lowercase().to_digit(36).and_then(|digit| digit.checked_sub(10)),
        _ => None,
    };
    let choice = choice.and_then(|index| question.choose.get(usize::try_from(index).unwrap_or(usize::MAX)));
    choice.cloned().ok_or_else(|| {
        Failure::usage(format!("`{given}` is none of the choices")).hint("answer with a choice's letter or its words")
    })
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn show(app: &App, questions: &[Question], answers: &std::collections::BTreeMap<usize, Answer>) -> Result<(), Failure> {
    if app.out.json {
        let rows: Vec<_> = questions
            .iter()
            .enumerate()
            .map(|(index, it)| json!({"question": index + 1, "ask": it.ask, "choose": it.choose, "answered": answers.get(&index)}))
            .collect();
        return app.out.json(&rows);
    }
    if questions.is_empty() {
        app.out.say("This lab asks nothing.");
    }
    for (index, question) in questions.iter().enumerate() {
        app.out.line(&prose::lay_out(&app.out, &format!("{}. {}", index + 1, question.ask), 0))?;
        for (letter, choice) in ('a'..='z').zip(&question.choose) {
            app.out.line(&format!("   {letter}) {choice}"))?;
        }
        if let Some(answer) = answers.get(&index) {
            let verdict = if answer.right { "right" } else { "not right" };
            app.out.line(&app.out.paint(Tone::Faint, &format!("   answered: {} ({verdict})", answer.given)))?;
        }
    }
    if !questions.is_empty() {
        app.out.say("\n`breakfix answer 1 b` answers the first.");
    }
    Ok(())
}
