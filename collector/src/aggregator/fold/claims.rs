//! Who else a span is said to belong to: the claims that leak rules compare (`sli.md` 3.1).

use sha2::{Digest, Sha256};

use super::Aggregator;
use crate::aggregator::tenants::TenantId;
use crate::aggregator::traces::leaks::Claims;
use crate::aggregator::traces::span::NO_TENANT;
use crate::observation::batch::View;
use crate::observation::batch::layout::header;
use crate::observation::batch::row::{self, Evidence, extra};

const KIND_CLIENT: u8 = 3;
/// How a token's tenant is written that is not told in clear.
const HASHED: &str = "sha256:";

impl Aggregator {
    /// The claims of a span, where they may not agree or where data or baggage say something of their own.
    #[inline]
    pub(super) fn claims_of(&mut self, batch: &View<'_>, row: &row::Span, (span, trace): (u32, u32)) -> Option<Claims> {
        let evidence = self.desk.evidence[row.evidence as usize];
        let (auth, resource) = (batch.header_u32(header::TENANT_AUTH), self.desk.around[row.context as usize].tenant);
        if auth != 0 {
            let auth = self.tenant(batch, auth);
            self.identify((trace, span), auth, batch.observed_at_ns());
        }
        let named = [
            auth,
            evidence.tenant_token,
            evidence.tenant_span,
            resource,
            evidence.tenant_header,
            evidence.tenant_baggage,
        ];
        let mut named = named.iter().filter(|string| **string != 0);
        let first = named.next();
        let is_plain = named.all(|string| Some(string) == first);
        let leaves = evidence.tenant_baggage != 0 && row.kind == KIND_CLIENT && self.is_outside(span);
        if is_plain && evidence.tenant_data == 0 && !leaves && !is_hashed(batch, &evidence) {
            return None;
        }
        let mut claims = self.read_claims(batch, &evidence, (auth, resource), (span, leaves));
        let mut extras = batch.extras_of(row.first_extra, row.extras.into());
        if let Some(said) = extras.find(|said| said.key == extra::DATA_PATTERN) {
            claims.pattern = said.value;
            claims.is_data_judged = self.patterns.speaks(said.value);
        }
        Some(claims)
    }

    #[inline(never)]
    fn read_claims(
        &mut self,
        batch: &View<'_>,
        evidence: &Evidence,
        (auth, resource): (u32, u32),
        (span, leaves): (u32, bool),
    ) -> Claims {
        let mut who = |string: u32| match string {
            0 => NO_TENANT,
            string => self.tenants.identify(batch.string(string)),
        };
        let is_hashed = is_hashed(batch, evidence);
        let mut claims = Claims {
            auth: who(auth),
            token: if is_hashed { NO_TENANT } else { who(evidence.tenant_token) },
            span: who(evidence.tenant_span),
            resource: who(resource),
            header: who(evidence.tenant_header),
            baggage: who(evidence.tenant_baggage),
            data: who(evidence.tenant_data),
            pattern: 0,
            is_data_judged: false,
            token_differs: false,
            leaves,
        };
        let winner = self.index.span(span).tenant;
        if is_hashed && winner != NO_TENANT {
            let digest = batch.string(evidence.tenant_token).trim_start_matches(HASHED);
            claims.token_differs = !is_hash_of(digest, self.tenants.name(winner));
        }
        claims
    }

    /// Whose credential a trace came under; a second one is noted at once, while span and trace are in the index.
    fn identify(&mut self, (trace, span): (u32, u32), auth: TenantId, at_ns: u64) {
        let known = self.index.trace(trace).auth;
        if known == NO_TENANT {
            self.index.trace_mut(trace).auth = auth;
        } else if self.allowed.differ(known, auth) {
            self.note_identity((trace, span), (known, auth), at_ns);
        }
    }

    /// Whether what a span calls is none of ours, as far as there is an inventory.
    fn is_outside(&self, span: u32) -> bool {
        let span = self.index.span(span);
        let is_ours = self.inventory.binary_search(&span.peer).is_ok();
        !self.inventory.is_empty() && !is_ours && !matches!(span.peer_kind(), 1 | 2)
    }
}

fn is_hashed(batch: &View<'_>, evidence: &Evidence) -> bool {
    evidence.tenant_token != 0 && batch.string(evidence.tenant_token).starts_with(HASHED)
}

/// Whether the hexadecimal digits are the SHA-256 of a tenant.
fn is_hash_of(digits: &str, tenant: &str) -> bool {
    let digest = Sha256::digest(tenant.as_bytes());
    let byte = |at: usize| digits.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    digits.len() == 2 * digest.len() && (0..digest.len()).all(|at| byte(at) == Some(digest[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashed_token_speaks_of_one_tenant() {
        // printf acme | sha256sum
        let acme = "822b33ad87c148a0a20a5ba7cd5ebcaa68d36a18e7aad165554903f52ca82757";
        assert!(is_hash_of(acme, "acme") && is_hash_of(&acme.to_uppercase(), "acme") && !is_hash_of(acme, "globex"));
        assert!(!is_hash_of("82", "acme") && !is_hash_of("", "acme"));
    }
}
