//! `env`: the variables that the learner's tools need, as a shell reads them.

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
};

pub async fn run(app: &App) -> Result<Exit, Failure> {
    let mut open = app.open_session().await?;
    // The simulator may have come back on another port.
    open.session.reach = open.target.reach().await?;
    open.session.save(&app.home)?;
    if app.out.json {
        app.out.json(&open.session.reach.env)?;
        return Ok(exit::DONE);
    }
    for (name, value) in &open.session.reach.env {
        app.out.line(&format!("export {name}={}", quoted(value)))?;
    }
    Ok(exit::DONE)
}

/// A value as one word of a POSIX shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_word() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
