//! Tenant claims: canonical form, aliases, validity.

use super::batch::{Builder, NoString};
use super::fields::overflow_tenant;
use super::naming::write_text;
use super::settings::Rules;
use crate::otlp::attributes::Value;
use crate::tenancy::{self, UuidForm};

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
    /// Trims, writes UUIDs one way, applies aliases, checks, and gives the claim a place among the strings.
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
        let uuid = match self.rules.tenancy.uuid_form {
            UuidForm::Off => None,
            UuidForm::Hyphenated => tenancy::hyphenated(claim),
        };
        let claim = uuid.as_ref().map_or(claim, |uuid| &uuid[..]);
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

/// Appends what percent-encoded text says; a `%` without two hex digits stands for itself.
pub(super) fn percent_decode(text: &[u8], out: &mut Vec<u8>) {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        if let (b'%', [high, low, after @ ..]) = (byte, rest)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            out.push((high << 4 | low) as u8);
            rest = after;
        } else {
            out.push(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_resolved_once_and_only_where_it_is_sound() {
        let decoded = |text: &str| {
            let mut out = Vec::new();
            percent_decode(text.as_bytes(), &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(decoded("a%2Db%2dc"), "a-b-c");
        assert_eq!(decoded("%2541"), "%41");
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%4"), "%4");
        assert_eq!(decoded("%4g%41"), "%4gA");
    }
}
