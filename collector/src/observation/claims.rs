//! Tenant claims: canonical form, aliases, validity.

use super::batch::{Builder, NoString};
use super::naming::write_text;
use super::settings::Rules;
use super::spans::overflow_tenant;
use crate::otlp::attributes::Value;
use crate::tenancy;

/// What a claim comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A tenant, by its string.
    Tenant(u32),
    /// Nothing but space.
    Absent,
    /// No tenant id, or a reserved one.
    Invalid,
}

/// Reads claims.
pub(super) struct Claims<'c> {
    pub(super) rules: &'c Rules,
    pub(super) builder: &'c mut Builder,
    /// An empty buffer.
    pub(super) text: &'c mut Vec<u8>,
}

impl Claims<'_> {
    /// Trims, applies aliases, checks, and gives the claim a place among the strings.
    pub(super) fn read(self, value: Value<'_>) -> Result<Claim, NoString> {
        let written = match value {
            Value::Text(text) => text,
            other => {
                write_text(self.text, other);
                &*self.text
            }
        };
        let claim = tenancy::canonical(written);
        if claim.is_empty() {
            return Ok(Claim::Absent);
        }
        let aliases = &self.rules.tenancy.aliases;
        let alias = std::str::from_utf8(claim).ok().filter(|_| !aliases.is_empty()).and_then(|name| aliases.get(name));
        let claim = alias.map_or(claim, |meant| meant.as_bytes());
        if tenancy::check(claim).is_err() {
            // A claim that is no text at all is refused for that, as every other used string is.
            return if std::str::from_utf8(claim).is_err() { Err(NoString::Utf8) } else { Ok(Claim::Invalid) };
        }
        match self.builder.string(claim) {
            Err(NoString::Full) => Ok(Claim::Tenant(overflow_tenant(self.builder))),
            known => known.map(Claim::Tenant),
        }
    }
}
