//! Which silence an incident falls under (`slo.md` 3.2): it stops messages, not incidents.

use bailiwick_slo::course::control::{Controls, Matcher};
use bailiwick_slo::engine::fleet::Key;
use bailiwick_slo::engine::incident::Id;
use bailiwick_slo::spec::Severity;
use regex::{Regex, RegexBuilder};

/// Memory of a compiled expression: nobody's pattern may take more.
const REGEX_BYTES_MAX: usize = 64 << 10;

/// A regular expression of a whole value.
///
/// # Errors
/// What is none, or is too large.
pub fn anchored(pattern: &str) -> Result<Regex, regex::Error> {
    // An expression of its own first: `a)|(b` must not become one by what stands around it.
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build()?;
    RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(REGEX_BYTES_MAX).build()
}

/// The silences that hold at one time, in the order in which they were ordered.
#[derive(Debug)]
pub struct Standing<'a>(Vec<(Id, Vec<Asked<'a>>)>);

/// A matcher, and its expression if it is one: compiled once, however many incidents it is asked of.
type Asked<'a> = (&'a Matcher, Option<Regex>);

impl<'a> Standing<'a> {
    /// Those of now, seconds since the Unix epoch.
    #[must_use]
    pub fn at(controls: &'a Controls, now_s: i64) -> Self {
        let asked = |matcher: &'a Matcher| {
            let pattern = matcher.is_regex.then(|| anchored(&matcher.value).ok()).flatten();
            (matcher, pattern)
        };
        let holds = controls
            .silences
            .iter()
            .filter(|one| one.ended.is_none() && one.silence.starts_s <= now_s && now_s < one.silence.ends_s);
        Self(holds.map(|one| (one.silence.id, one.silence.matchers.iter().map(asked).collect())).collect())
    }

    /// The first that an incident of this level falls under.
    #[must_use]
    pub fn over(&self, key: &Key, level: Severity) -> Option<Id> {
        let mut meant = self.0.iter().filter(|(_, matchers)| matchers.iter().all(|asked| is_met(asked, key, level)));
        meant.next().map(|(id, _)| *id)
    }
}

fn is_met((matcher, pattern): &Asked<'_>, key: &Key, level: Severity) -> bool {
    let value: &str = match matcher.name.as_str() {
        "slo" => &key.slo,
        "tenant" => &key.tenant,
        "module" => &key.module,
        _ => level.name(),
    };
    let is_like = match pattern {
        Some(pattern) => pattern.is_match(value),
        None => !matcher.is_regex && matcher.value == value,
    };
    is_like == matcher.is_equal
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bailiwick_slo::course::control::{Done, Silence, Silenced};

    use super::*;

    fn matcher(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Matcher {
        Matcher { name: name.to_owned(), value: value.to_owned(), is_regex, is_equal }
    }

    fn silenced(matchers: Vec<Matcher>, ended: Option<Done>) -> Controls {
        let silence = Silence {
            id: Id([7; 16]),
            matchers,
            starts_s: 100,
            ends_s: 200,
            comment: String::new(),
            created_by: String::new(),
            created_at_ns: 0,
        };
        Controls { silences: vec![Silenced { silence, ended }], ..Controls::default() }
    }

    #[test]
    fn all_matchers_must_be_met_while_it_lasts() {
        let key = Key { tenant: Arc::from("acme"), module: Arc::from("rag_hub"), slo: Arc::from("avail") };
        let by = |matchers: Vec<Matcher>, now| Standing::at(&silenced(matchers, None), now).over(&key, Severity::Page);
        let acme = || matcher("tenant", "acme", false, true);
        assert_eq!(by(vec![acme(), matcher("module", "rag_.*", true, true)], 100), Some(Id([7; 16])));
        assert_eq!(by(vec![acme()], 200), None);
        assert_eq!(by(vec![acme()], 99), None);
        // The whole value: `rag` is not `rag_hub`.
        assert_eq!(by(vec![matcher("module", "rag", true, true)], 150), None);
        assert_eq!(by(vec![acme(), matcher("severity", "ticket|notice", true, false)], 150), Some(Id([7; 16])));
        assert_eq!(by(vec![acme(), matcher("severity", "page", false, false)], 150), None);
        let done = Done { id: Id([7; 16]), by: "kim".to_owned(), at_ns: 1 };
        assert_eq!(Standing::at(&silenced(vec![acme()], Some(done)), 150).over(&key, Severity::Page), None);
    }

    #[test]
    fn an_expression_stands_by_itself_and_is_small() {
        assert!(anchored("a)|(b").is_err());
        assert!(anchored("(a{1000}){1000}").is_err());
        assert!(anchored("a|b").is_ok_and(|pattern| !pattern.is_match("ab") && pattern.is_match("b")));
    }
}
