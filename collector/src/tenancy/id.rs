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

/// A UUID in lower case with hyphens, if the claim is one: 32 hexadecimal digits, or 36 characters with hyphens in their
/// places.
#[must_use]
pub fn hyphenated(claim: &[u8]) -> Option<[u8; 36]> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let has_hyphens = match claim.len() {
        32 => false,
        36 => HYPHENS.iter().all(|at| claim[*at] == b'-'),
        _ => return None,
    };
    let mut uuid = [b'-'; 36];
    let mut digits = claim.iter().enumerate().filter(|(at, _)| !(has_hyphens && HYPHENS.contains(at)));
    for place in (0..36).filter(|place| !HYPHENS.contains(place)) {
        uuid[place] = digits.next().map(|(_, digit)| *digit).filter(u8::is_ascii_hexdigit)?.to_ascii_lowercase();
    }
    digits.next().is_none().then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_one_way_and_nothing_else_is_one() {
        let written =
            |claim: &str| hyphenated(claim.as_bytes()).map(|uuid| String::from_utf8_lossy(&uuid).into_owned());
        let uuid = Some("550e8400-e29b-41d4-a716-446655440000".to_owned());
        assert_eq!(written("550E8400E29B41D4A716446655440000"), uuid);
        assert_eq!(written("550e8400-E29B-41d4-a716-446655440000"), uuid);
        let others = ["", "acme", "550e8400e29b41d4a71644665544000g", "550e8400e-29b-41d4-a716-446655440000"];
        for other in others.into_iter().chain(["550e8400-e29b-41d4-a716-44665544000", &"0".repeat(36), &"-".repeat(32)])
        {
            assert_eq!(written(other), None, "{other}");
        }
    }

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
