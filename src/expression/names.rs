//! The names that an expression uses without declaring them: what lint must compare with what there is.
//!
//! The parser's own list of references knows no scopes: it counts the `c` of `containers.all(c, …)` as well.

use std::collections::BTreeSet;

use cel::{
    IdedExpr,
    common::ast::{ComprehensionExpr, EntryExpr, Expr},
};

/// Free variables, and the functions that are called by a plain name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Those of an enclosing macro left out.
    pub variables: BTreeSet<String>,
    /// Macros and methods included, operators not.
    pub functions: BTreeSet<String>,
}

impl Names {
    /// Reads them off an expression.
    pub fn of(expression: &IdedExpr) -> Self {
        let mut names = Self::default();
        names.walk(expression, &mut Vec::new());
        names
    }

    fn walk<'a>(&mut self, expression: &'a IdedExpr, bound: &mut Vec<&'a str>) {
        match &expression.expr {
            Expr::Ident(name) if !bound.contains(&name.as_str()) => {
                self.variables.insert(name.clone());
            }
            Expr::Call(call) => {
                // Operators are calls too; their names are no identifiers.
                if call.func_name.starts_with(|it: char| it.is_ascii_alphabetic()) {
                    self.functions.insert(call.func_name.clone());
                }
                call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|it| self.walk(it, bound));
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, bound),
            Expr::List(list) => list.elements.iter().for_each(|it| self.walk(it, bound)),
            Expr::Select(select) => self.walk(&select.operand, bound),
            Expr::Map(map) => map.entries.iter().for_each(|it| self.entry(&it.expr, bound)),
            Expr::Struct(made) => made.entries.iter().for_each(|it| self.entry(&it.expr, bound)),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn entry<'a>(&mut self, entry: &'a EntryExpr, bound: &mut Vec<&'a str>) {
        match entry {
            EntryExpr::StructField(field) => self.walk(&field.value, bound),
            EntryExpr::MapEntry(entry) => {
                self.walk(&entry.key, bound);
                self.walk(&entry.value, bound);
            }
        }
    }

    /// A macro such as `all`, expanded: its variables are known in the loop, the accumulator in the result as well.
    fn comprehension<'a>(&mut self, made: &'a ComprehensionExpr, bound: &mut Vec<&'a str>) {
        self.walk(&made.iter_range, bound);
        self.walk(&made.accu_init, bound);
        let outer = bound.len();
        bound.push(&made.accu_var);
        self.walk(&made.result, bound);
        bound.push(&made.iter_var);
        bound.extend(made.iter_var2.as_deref());
        self.walk(&made.loop_cond, bound);
        self.walk(&made.loop_step, bound);
        bound.truncate(outer);
    }
}
