//! From verdicts to points. The formula has a version; result files name it.
//!
//! Formula 1: the points of the objectives that are met, less what the hints cost, less what violated recoverable safeguards cost
//! (now, or earlier where violations stick), never below 0. A violated catastrophic safeguard makes it 0. Unknown counts as not yet.
//! Solved: every objective is met, every safeguard is met now, and no catastrophic one ever was violated.

use breakfix_lab::lab::{Safeguard, Severity};

use crate::report::{ObjectiveResult, SafeguardResult};

/// The version of the formula in this file.
pub const FORMULA: &str = "1";
/// What a recoverable safeguard costs where the lab does not say.
pub const SAFEGUARD_COST_DEFAULT: u32 = 20;
/// The most that can be had, and what a catastrophic violation costs.
pub const POINTS_MAX: u32 = 100;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// 0 to 100.
    pub points: u32,
    pub solved: bool,
}

/// What a safeguard costs while it is violated.
pub fn cost(safeguard: &Safeguard) -> u32 {
    match safeguard.severity {
        Severity::Recoverable => safeguard.cost.unwrap_or(SAFEGUARD_COST_DEFAULT),
        Severity::Catastrophic => POINTS_MAX,
    }
}

/// Formula 1. `hints_cost` is the sum over the hints that were taken.
pub fn score(objectives: &[ObjectiveResult], safeguards: &[SafeguardResult], hints_cost: u32) -> Score {
    let catastrophe = safeguards.iter().any(|it| it.is_catastrophic() && it.is_violated());
    let earned =
        objectives.iter().filter(|it| it.verdict.is_met()).fold(0, |sum: u32, it| sum.saturating_add(it.points));
    let lost = safeguards.iter().filter(|it| it.is_violated()).fold(hints_cost, |sum, it| sum.saturating_add(it.cost));
    let points = if catastrophe { 0 } else { earned.min(POINTS_MAX).saturating_sub(lost) };
    let kept = safeguards.iter().all(|it| it.verdict.is_met());
    let met = !objectives.is_empty() && objectives.iter().all(|it| it.verdict.is_met());
    Score { points, solved: met && kept && !catastrophe }
}

#[cfg(test)]
mod tests;
