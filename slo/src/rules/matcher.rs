//! Patterns of names as matchers of labels, in RE2 as Prometheus anchors it.

use super::quoted::quoted;
use crate::spec::Glob;

/// What a label must, or must not, be: one of these patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matcher {
    /// It must not.
    is_not: bool,
    /// At least one.
    patterns: Vec<Glob>,
}

impl Matcher {
    /// One of these.
    pub(super) const fn is(patterns: Vec<Glob>) -> Self {
        Self { is_not: false, patterns }
    }

    /// None of these.
    pub(super) const fn is_not(patterns: Vec<Glob>) -> Self {
        Self { is_not: true, patterns }
    }

    /// Whether it lets a name pass.
    pub(super) fn passes(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name)) != self.is_not
    }

    /// These and one more; `None`: no name passes them all, as far as that is plain. What says nothing is left out.
    pub(super) fn all_and(all: &[Self], one: Self) -> Option<Vec<Self>> {
        let is_opposite = |other: &Self| other.is_not != one.is_not && other.patterns == one.patterns;
        let is_apart = |other: &Self| other.is_apart(&one);
        if all.iter().any(|other| is_opposite(other) || !other.is_not && !one.is_not && is_apart(other)) {
            return None;
        }
        let is_idle = one.is_not && all.iter().any(|other| !other.is_not && is_apart(other));
        let mut kept: Vec<Self> = all.to_vec();
        if !one.is_not {
            let is_finite = one.patterns.iter().all(is_name);
            let covers = |other: &Self| is_finite && one.patterns.iter().all(|name| other.passes(name.as_str()));
            kept.retain(|other| !(covers(other) || other.is_not && is_apart(other)));
        }
        if !is_idle && !all.contains(&one) {
            kept.push(one);
        }
        Some(kept)
    }

    /// Whether no name is as patterns of both say, as far as that is plain.
    fn is_apart(&self, other: &Self) -> bool {
        self.patterns.iter().all(|one| other.patterns.iter().all(|other| is_apart(one, other)))
    }

    /// `tenant=~"trial-.*"`.
    pub(super) fn promql(&self, label: &str) -> String {
        match (self.single(), self.is_not) {
            (Some(name), false) => format!("{label}={}", quoted(name)),
            (Some(name), true) => format!("{label}!={}", quoted(name)),
            (None, false) => format!("{label}=~{}", quoted(&self.regex())),
            (None, true) => format!("{label}!~{}", quoted(&self.regex())),
        }
    }

    /// The same as a condition of a template: `(match "^(?:trial-.*)$" $labels.tenant)`.
    pub(super) fn template(&self, label: &str) -> String {
        let test = match self.single() {
            Some(name) => format!("(eq {} $labels.{label})", quoted(name)),
            None => format!("(match {} $labels.{label})", quoted(&format!("^(?:{})$", self.regex()))),
        };
        if self.is_not { format!("(not {test})") } else { test }
    }

    fn single(&self) -> Option<&str> {
        match &*self.patterns {
            [one] if is_name(one) => Some(one.as_str()),
            _ => None,
        }
    }

    fn regex(&self) -> String {
        self.patterns.iter().map(regex_of).collect::<Vec<_>>().join("|")
    }
}

/// Whether a pattern means one name only.
pub(super) fn is_name(pattern: &Glob) -> bool {
    !pattern.as_str().contains(['*', '?'])
}

/// Whether no name is as both say: by what stands before their first `*` or `?`.
fn is_apart(one: &Glob, other: &Glob) -> bool {
    match (is_name(one), is_name(other)) {
        (true, _) => !other.matches(one.as_str()),
        (_, true) => !one.matches(other.as_str()),
        _ => {
            let begin = |glob: &Glob| glob.as_str().split(['*', '?']).next().unwrap_or_default().to_owned();
            let (one, other) = (begin(one), begin(other));
            !one.starts_with(&other) && !other.starts_with(&one)
        }
    }
}

/// A pattern as RE2. `?` is a character here and a byte there: tenants are ASCII, where these are one.
fn regex_of(pattern: &Glob) -> String {
    let mut regex = String::new();
    for letter in pattern.as_str().chars() {
        match letter {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '\\' | '.' | '+' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => regex.extend(['\\', letter]),
            _ => regex.push(letter),
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(patterns: &[&str]) -> Vec<Glob> {
        patterns.iter().map(|pattern| Glob::new(pattern)).collect()
    }

    #[test]
    fn patterns_are_regular_expressions_and_a_lone_name_is_itself() {
        // The string of PromQL takes one of two backslashes away.
        assert_eq!(Matcher::is(globs(&["a.b*", "v?"])).promql("tenant"), r#"tenant=~"a\\.b.*|v.""#);
        assert_eq!(Matcher::is_not(globs(&["a.bad*"])).promql("tenant"), r#"tenant!~"a\\.bad.*""#);
        assert_eq!(Matcher::is_not(globs(&["a(b)"])).promql("module"), r#"module!="a(b)""#);
        assert_eq!(Matcher::is(globs(&["a(b)", "c"])).promql("module"), r#"module=~"a\\(b\\)|c""#);
    }

    #[test]
    fn templates_anchor_what_selectors_anchor_by_themselves() {
        assert_eq!(
            Matcher::is(globs(&["a(b)", "c"])).template("module"),
            r#"(match "^(?:a\\(b\\)|c)$" $labels.module)"#
        );
        assert_eq!(Matcher::is_not(globs(&["acme"])).template("tenant"), r#"(not (eq "acme" $labels.tenant))"#);
    }

    #[test]
    fn what_is_plainly_empty_or_idle_is_seen() {
        let (is, is_not) = (|one: &[&str]| Matcher::is(globs(one)), |one: &[&str]| Matcher::is_not(globs(one)));
        assert_eq!(Matcher::all_and(&[is(&["big-*"])], is(&["trial-*", "acme"])), None);
        assert_eq!(Matcher::all_and(&[is_not(&["big-*"])], is(&["big-*"])), None);
        assert_eq!(Matcher::all_and(&[is_not(&["acme"])], is(&["big-*"])), Some(vec![is(&["big-*"])]));
        assert_eq!(Matcher::all_and(&[is(&["big-*"])], is_not(&["acme"])), Some(vec![is(&["big-*"])]));
        // One may be within the other.
        let both = Some(vec![is(&["big-*"]), is(&["big-old-*"])]);
        assert_eq!(Matcher::all_and(&[is(&["big-*"])], is(&["big-old-*"])), both);
    }
}
