//! Tenant ids: Mimir's rule, so that they travel unchanged in `X-Scope-OrgID`, paths and labels.

use bailiwick_slo::conventions::{TENANT_OVERFLOW, TENANT_SYSTEM, TENANT_UNKNOWN};

/// Longest tenant id in bytes (Grafana Mimir, "About tenant IDs").
pub const TENANT_BYTES_MAX: usize = 150;

/// Why a text is no tenant id that a client may claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTenant {
    /// Empty, too long, `.` or `..`, or with a character outside the rule.
    #[error("a tenant id has 1 to 150 characters of 0-9 a-z A-Z ! - _ . * ' ( ) and is neither `.` nor `..`")]
    Malformed,
    /// One of ours.
    #[error("tenant ids `_unknown`, `_overflow` and `_system` are reserved")]
    Reserved,
}

/// Whether tenant ids may hold this byte.
#[must_use]
pub const fn is_tenant_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'-' | b'_' | b'.' | b'*' | b'\'' | b'(' | b')')
}

/// Checks a claimed tenant id.
///
/// # Errors
/// Why nobody may be called so.
#[inline]
pub fn check(id: &[u8]) -> Result<(), BadTenant> {
    if id.is_empty()
        || id.len() > TENANT_BYTES_MAX
        || matches!(id, b"." | b"..")
        || !id.iter().all(|b| is_tenant_byte(*b))
    {
        return Err(BadTenant::Malformed);
    }
    let reserved = [TENANT_UNKNOWN, TENANT_OVERFLOW, TENANT_SYSTEM];
    if id[0] == b'_' && reserved.iter().any(|name| name.as_bytes() == id) {
        return Err(BadTenant::Reserved);
    }
    Ok(())
}

/// The claim as it is compared: without ASCII space around it.
#[must_use]
#[inline]
pub fn canonical(claim: &[u8]) -> &[u8] {
    claim.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mimirs_rule_is_kept() {
        for good in ["acme", "a", "A-1_b.c*d'(e)!", &"x".repeat(150)] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a%2fb", "a\0", "a b", "\u{430}cme", &"x".repeat(151)] {
            assert_eq!(check(bad.as_bytes()), Err(BadTenant::Malformed), "{bad:?}");
        }
        for reserved in ["_unknown", "_overflow", "_system"] {
            assert_eq!(check(reserved.as_bytes()), Err(BadTenant::Reserved));
        }
    }
}
