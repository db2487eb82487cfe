//! Patterns of names: `*` any run, `?` one byte, a leading `!` takes away.

use std::fmt;

use crate::conventions::{TENANT_OVERFLOW, TENANT_SYSTEM, TENANT_UNKNOWN};
use crate::saved;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob(String);

saved!(struct Glob { 0 });

impl Glob {
    /// A pattern without the leading `!`.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether a name is as the pattern says. Takes time linear in pattern x name at worst.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut read) = (0, 0);
        // Where the last `*` stands, and how much of the name it takes so far.
        let mut star = None;
        while read < name.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, read));
                    at += 1;
                }
                Some(byte) if *byte == b'?' || *byte == name[read] => (at, read) = (at + 1, read + 1),
                _ => match star {
                    Some((place, taken)) => {
                        star = Some((place, taken + 1));
                        (at, read) = (place + 1, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }

    /// The pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A list of patterns: a name is meant that one of them matches and none with `!` does; with nothing but `!` patterns all
/// others are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Globs {
    rules: Vec<(bool, Glob)>,
    /// Reserved tenants match only by their own name.
    skips_reserved: bool,
}

saved!(struct Globs { rules, skips_reserved });

impl Globs {
    /// Patterns of modules or operations.
    #[must_use]
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let rule = |pattern: &'a str| match pattern.strip_prefix('!') {
            Some(rest) => (false, Glob::new(rest)),
            None => (true, Glob::new(pattern)),
        };
        Self { rules: patterns.into_iter().map(rule).collect(), skips_reserved: false }
    }

    /// Patterns of tenants: a pattern with a `*` or `?` never means `_unknown`, `_overflow`, `_system`.
    #[must_use]
    pub fn of_tenants<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self { skips_reserved: true, ..Self::new(patterns) }
    }

    /// Whether a name is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let is_reserved = self.skips_reserved && matches!(name, TENANT_UNKNOWN | TENANT_OVERFLOW | TENANT_SYSTEM);
        let is_meant = |glob: &Glob| if is_reserved { glob.as_str() == name } else { glob.matches(name) };
        let any = |takes: bool| self.rules.iter().any(|(rule, glob)| *rule == takes && is_meant(glob));
        let all_but = !is_reserved && !self.rules.is_empty() && self.rules.iter().all(|(takes, _)| !takes);
        (any(true) || all_but) && !any(false)
    }

    /// Whether it is a lone `*`.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(&*self.rules, [(true, glob)] if glob.as_str() == "*")
    }

    /// Its patterns in order; `false`: it takes away.
    pub fn patterns(&self) -> impl Iterator<Item = (bool, &Glob)> {
        self.rules.iter().map(|(takes, glob)| (*takes, glob))
    }

    /// The one name that it can mean.
    #[must_use]
    pub fn single(&self) -> Option<&str> {
        match &*self.rules {
            [(true, glob)] if !glob.as_str().contains(['*', '?']) => Some(glob.as_str()),
            _ => None,
        }
    }
}

impl fmt::Display for Globs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (takes, glob)) in self.rules.iter().enumerate() {
            write!(f, "{}{}{glob}", if place > 0 { "," } else { "" }, if *takes { "" } else { "!" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_and_a_question_mark_one_byte() {
        for (pattern, name, is_match) in [
            ("*", "", true),
            ("content_*", "content_ops", true),
            ("content_*", "my_content_ops", false),
            ("*_ops", "content_ops", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("v?", "v1", true),
            ("v?", "v", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_removed_is_not_meant_whatever_else_matches() {
        let globs = Globs::new(["content_*", "rag_hub", "!content_old"]);
        assert!(globs.matches("rag_hub") && globs.matches("content_ops"));
        assert!(!globs.matches("content_old") && !globs.matches("chat"));
        assert!(Globs::new(["!a"]).matches("b") && !Globs::new(["!a"]).matches("a"));
        assert!(!Globs::default().matches("a"));
    }

    #[test]
    fn reserved_tenants_match_by_name_only() {
        let all = Globs::of_tenants(["*"]);
        assert!(all.matches("acme") && !all.matches("_unknown") && !all.matches("_system"));
        assert!(Globs::of_tenants(["*", "_unknown"]).matches("_unknown"));
        assert!(!Globs::of_tenants(["!acme"]).matches("_overflow"));
    }
}
