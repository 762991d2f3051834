//! Throttling on demand: the real services refuse when too much is asked of them; this one when its keeper says so.

use std::sync::{Mutex, PoisonError};

/// Which requests are refused.
#[derive(Debug, Default)]
pub struct Throttle {
    left: Mutex<Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    /// A service's signing name; every service's without one.
    service: Option<String>,
    requests: u32,
}

impl Throttle {
    /// The next so many requests, of one service or of any, are refused; 0 takes back what was said of it.
    pub fn set(&self, service: Option<&str>, requests: u32) {
        let mut rules = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|rule| rule.service.as_deref() != service);
        if requests > 0 {
            rules.push(Rule { service: service.map(str::to_owned), requests });
        }
    }

    /// Whether this request is refused; it then counts.
    pub fn refuses(&self, service: &str) -> bool {
        let mut rules = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |rule: &&mut Rule| rule.service.as_deref().is_none_or(|known| known == service);
        let Some(rule) = rules.iter_mut().find(fits) else { return false };
        rule.requests = rule.requests.saturating_sub(1);
        rules.retain(|rule| rule.requests > 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_refused_and_no_more() {
        let throttle = Throttle::default();
        assert!(!throttle.refuses("ecs"));
        throttle.set(Some("ecs"), 2);
        assert!(!throttle.refuses("iam"));
        assert!(throttle.refuses("ecs") && throttle.refuses("ecs") && !throttle.refuses("ecs"));
        throttle.set(None, 5);
        assert!(throttle.refuses("iam"));
        throttle.set(None, 0);
        assert!(!throttle.refuses("iam"));
    }
}
