//! Expressions that were read are kept: the same few are asked again and again, and reading one takes longer than its answer.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use cel::{Env, ParseErrors};

use crate::{
    Metered, Names,
    nesting::{NESTING_MAX, nesting, with_room},
};

/// Characters of an expression that is read at all (the parser of `cel-go`).
const LENGTH_MAX: usize = 100_000;

/// Bytes of expressions that are kept. Whoever writes ever new ones makes the others be read again, no more.
const KEPT_MAX: usize = 256 << 10;

/// An expression that was read.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What it names, counting apart.
    pub names: Names,
    pub metered: Metered,
}

/// Why an expression is not read. The words are those of `cel-go`.
#[derive(Debug)]
pub enum Unread {
    /// It is beyond a limit.
    TooMuch(String),
    /// It is none.
    Wrong(ParseErrors),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch(why) => f.write_str(why),
            Self::Wrong(errors) => errors.fmt(f),
        }
    }
}

impl std::error::Error for Unread {}

/// Reads expressions, each once.
pub struct Compiler {
    environment: Arc<Env>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    expressions: BTreeMap<String, Arc<Compiled>>,
    bytes: usize,
}

impl Compiler {
    /// For these functions and macros.
    pub fn new(environment: Env) -> Self {
        Self { environment: Arc::new(environment), kept: Mutex::default() }
    }

    pub fn environment(&self) -> Arc<Env> {
        Arc::clone(&self.environment)
    }

    /// Reads an expression.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, text: &str) -> Result<Arc<Compiled>, Unread> {
        // What is kept is right even where somebody fell over while holding it: it is only ever added to or emptied.
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().expressions.get(text) {
            return Ok(Arc::clone(known));
        }
        let length = text.chars().count();
        if length > LENGTH_MAX {
            return Err(beyond(format_args!("code point size exceeds limit: size: {length}, limit {LENGTH_MAX}")));
        }
        let nesting = nesting(text);
        if nesting > NESTING_MAX {
            return Err(beyond(format_args!("recursion limit exceeded: {NESTING_MAX}")));
        }
        let compiled = with_room(nesting, || {
            let parser = self.environment.parser().max_recursion_depth(u16::try_from(NESTING_MAX).unwrap_or(u16::MAX));
            let expression = parser.parse(text).map_err(Unread::Wrong)?;
            Ok(Compiled { names: Names::of(&expression), metered: Metered::of(expression, nesting) })
        })?;
        let compiled = Arc::new(compiled);
        kept().keep(text, &compiled);
        Ok(compiled)
    }
}

fn beyond(what: fmt::Arguments<'_>) -> Unread {
    Unread::TooMuch(format!("ERROR: <input>:-1:0: expression {what}"))
}

impl Kept {
    fn keep(&mut self, text: &str, compiled: &Arc<Compiled>) {
        if self.bytes + text.len() > KEPT_MAX {
            *self = Self::default();
        }
        if text.len() <= KEPT_MAX && self.expressions.insert(text.to_owned(), Arc::clone(compiled)).is_none() {
            self.bytes += text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_read_once() {
        let compiler = Compiler::new(Env::stdlib());
        let first = compiler.read("a + b").unwrap();
        assert!(Arc::ptr_eq(&first, &compiler.read("a + b").unwrap()));
        assert_eq!(first.names.variables.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b"]);
        assert!(compiler.read("a +").is_err());
        assert!(matches!(compiler.read(&"a".repeat(LENGTH_MAX + 1)), Err(Unread::TooMuch(_))));
    }

    /// On the stack of a test's thread, which is smaller than that of any program, and in a build that takes the most of it.
    #[test]
    fn depth_has_an_end_before_the_stack_has() {
        let compiler = Compiler::new(Env::stdlib());
        let deep = |levels: usize, of: &dyn Fn(usize) -> String| compiler.read(&of(levels)).map(drop);
        let shapes: [&dyn Fn(usize) -> String; 6] = [
            &|levels| format!("{}true{}", "(".repeat(levels), ")".repeat(levels)),
            &|levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels)),
            &|levels| format!("a{}", ".b".repeat(levels)),
            &|levels| format!("1{}", "+1".repeat(levels)),
            &|levels| format!("{}true", "true ? true : ".repeat(levels)),
            &|levels| format!("{}true", "!".repeat(levels)),
        ];
        for shape in shapes {
            let compiled = compiler.read(&shape(200));
            if let Ok(compiled) = &compiled {
                drop(compiled.metered.execute(cel::Context::with_env(compiler.environment())));
            }
            assert!(compiled.is_ok(), "{}: {:?}", &shape(3), compiled.map(drop).map_err(|it| it.to_string()));
            for levels in [NESTING_MAX + 1, 6_000] {
                let refused = deep(levels, shape).unwrap_err();
                let said = refused.to_string();
                assert!(said.ends_with("expression recursion limit exceeded: 250"), "{}: {said}", &shape(3));
            }
        }
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let compiler = Compiler::new(Env::stdlib());
        let long = |at: usize| format!("'{}' == '{at}'", "x".repeat(KEPT_MAX / 3));
        for at in 0..4 {
            compiler.read(&long(at)).unwrap();
        }
        let kept = compiler.kept.lock().unwrap();
        assert_eq!((kept.expressions.len(), kept.bytes), (2, 2 * long(0).len()));
    }
}
