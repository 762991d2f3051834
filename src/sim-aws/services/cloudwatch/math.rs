//! Metric math: the four operations, brackets, numbers, ids, and `FILL`. Source: CloudWatch user guide, "Using metric math".

use std::collections::{BTreeMap, BTreeSet};

/// A metric's values, or a number for every period.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Series(BTreeMap<u64, f64>),
    Number(f64),
}

/// Evaluates an expression; `periods` are the first minutes of all periods, which `FILL` fills. None: not an expression, or one with
/// functions that are not simulated.
pub fn evaluate(
    text: &str,
    ids: &BTreeMap<String, BTreeMap<u64, f64>>,
    periods: &BTreeSet<u64>,
) -> Option<BTreeMap<u64, f64>> {
    let mut reader = Reader { rest: text.trim(), ids, periods, depth: 0 };
    let value = reader.sum()?;
    if !reader.rest.is_empty() {
        return None;
    }
    Some(match value {
        Operand::Series(series) => series,
        Operand::Number(number) => periods.iter().map(|period| (*period, number)).collect(),
    })
}

struct Reader<'a> {
    rest: &'a str,
    ids: &'a BTreeMap<String, BTreeMap<u64, f64>>,
    periods: &'a BTreeSet<u64>,
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, sign: char) -> bool {
        let found = self.rest.strip_prefix(sign);
        self.rest = found.unwrap_or(self.rest).trim_start();
        found.is_some()
    }

    fn sum(&mut self) -> Option<Operand> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value = combine(value, self.product()?, |a, b| Some(a + b));
            } else if self.take('-') {
                value = combine(value, self.product()?, |a, b| Some(a - b));
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<Operand> {
        let mut value = self.factor()?;
        loop {
            if self.take('*') {
                value = combine(value, self.factor()?, |a, b| Some(a * b));
            } else if self.take('/') {
                // A division by zero has no value: the period is missing.
                value = combine(value, self.factor()?, |a, b| (b != 0.0).then(|| a / b));
            } else {
                return Some(value);
            }
        }
    }

    fn factor(&mut self) -> Option<Operand> {
        self.depth += 1;
        if self.depth > 64 {
            return None;
        }
        let value = self.bare_factor();
        self.depth -= 1;
        value
    }

    fn bare_factor(&mut self) -> Option<Operand> {
        if self.take('(') {
            let value = self.sum()?;
            return self.take(')').then_some(value);
        }
        if self.take('-') {
            return Some(combine(Operand::Number(0.0), self.factor()?, |a, b| Some(a - b)));
        }
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '_');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        if let Ok(number) = word.parse::<f64>() {
            return Some(Operand::Number(number));
        }
        if word == "FILL" {
            return self.fill();
        }
        self.ids.get(word).cloned().map(Operand::Series)
    }

    /// `FILL(m1, 0)`.
    fn fill(&mut self) -> Option<Operand> {
        if !self.take('(') {
            return None;
        }
        let Operand::Series(mut series) = self.sum()? else { return None };
        if !self.take(',') {
            return None;
        }
        let Operand::Number(number) = self.sum()? else { return None };
        if !self.take(')') {
            return None;
        }
        for period in self.periods {
            series.entry(*period).or_insert(number);
        }
        Some(Operand::Series(series))
    }
}

/// Two series meet where both have a value.
fn combine(left: Operand, right: Operand, operation: impl Fn(f64, f64) -> Option<f64>) -> Operand {
    match (left, right) {
        (Operand::Number(a), Operand::Number(b)) => match operation(a, b) {
            Some(number) => Operand::Number(number),
            None => Operand::Series(BTreeMap::new()),
        },
        (Operand::Series(a), Operand::Number(b)) => {
            Operand::Series(a.into_iter().filter_map(|(at, a)| Some((at, operation(a, b)?))).collect())
        }
        (Operand::Number(a), Operand::Series(b)) => {
            Operand::Series(b.into_iter().filter_map(|(at, b)| Some((at, operation(a, b)?))).collect())
        }
        (Operand::Series(a), Operand::Series(b)) => {
            Operand::Series(a.into_iter().filter_map(|(at, a)| Some((at, operation(a, *b.get(&at)?)?))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<Vec<f64>> {
        let series = |values: &[(u64, f64)]| values.iter().copied().collect::<BTreeMap<_, _>>();
        let ids = BTreeMap::from([
            ("m5xx".to_owned(), series(&[(1, 5.0)])),
            ("requests".to_owned(), series(&[(0, 20.0), (1, 50.0), (2, 0.0)])),
        ]);
        evaluate(text, &ids, &BTreeSet::from([0, 1, 2])).map(|found| found.into_values().collect())
    }

    #[test]
    fn an_error_rate_is_missing_without_requests() {
        assert_eq!(value("100*FILL(m5xx,0)/requests"), Some(vec![0.0, 10.0]));
        assert_eq!(value("100 * m5xx / requests"), Some(vec![10.0]));
    }

    #[test]
    fn operations_bind_as_usual() {
        assert_eq!(value("2+3*4"), Some(vec![14.0; 3]));
        assert_eq!(value("(2+3)*4 - -1"), Some(vec![21.0; 3]));
        assert_eq!(value("1/0"), Some(vec![]));
    }

    #[test]
    fn what_is_no_expression_has_no_value() {
        for text in ["", "m9", "1+", "(1", "FILL(1,2)", "SEARCH('x')", "1 2", "FILL(m5xx", &"(".repeat(500)] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
