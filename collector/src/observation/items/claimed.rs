//! What an item claims: tenants and modules, from which attribute, and whether it may stay with them.

use bailiwick_slo::conventions::TENANT_SYSTEM;

use super::super::batch::NoString;
use super::super::batch::row::{Context, Evidence, flag};
use super::super::claims::{Claim, Claims, percent_decode};
use super::super::fields::{label, write_service};
use super::super::naming::write_text;
use super::super::report::Reason;
use super::super::slots;
use super::{ItemWalk, Refusal};
use crate::otlp::attributes::{Slots, Value};
use crate::tenancy::{self, OnConflict};

/// Tenants of a `bailiwick.tenant.set` that are kept, as many as links.
const TENANT_SET_MAX: usize = 32;
/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

impl ItemWalk<'_> {
    pub(in crate::observation) fn module(&mut self, value: Value<'_>, flags: &mut u32) -> Result<u32, NoString> {
        let aliases = &self.rules.modules.aliases;
        if aliases.is_empty() {
            return self.label(value, flags);
        }
        let written = match value {
            Value::Text(text) => text,
            other => {
                self.scratch.text.clear();
                write_text(&mut self.scratch.text, other);
                &self.scratch.text
            }
        };
        let meant = std::str::from_utf8(written).ok().and_then(|name| aliases.get(name));
        label(self.builder, self.rules, meant.map_or(written, |meant| meant.as_bytes()), flags)
    }

    /// The module of spans whose name begins so: the last of 1.2 b, so that it stands back behind what the scope says.
    pub(in crate::observation) fn module_by_prefix(
        &mut self,
        name: &[u8],
        evidence: &mut Evidence,
        flags: &mut u32,
    ) -> Result<(), NoString> {
        if let Some(module) = self.scratch.module_by_prefix(name) {
            evidence.module_span = label(self.builder, self.rules, module.as_bytes(), flags)?;
        }
        Ok(())
    }

    /// What the module that a service's name stands for is called otherwise; 0: nothing else.
    pub(in crate::observation) fn alias_of_service(
        &mut self,
        resource: &Context,
        flags: &mut u32,
    ) -> Result<u32, NoString> {
        if self.rules.modules.aliases.is_empty() {
            return Ok(0);
        }
        self.scratch.text.clear();
        write_service(&mut self.scratch.text, self.builder, resource);
        let name = std::str::from_utf8(&self.scratch.text).ok().filter(|name| !name.is_empty());
        match name.and_then(|name| self.rules.modules.aliases.get(name)) {
            Some(meant) => label(self.builder, self.rules, meant.as_bytes(), flags),
            None => Ok(0),
        }
    }

    pub(in crate::observation) fn tenant(&mut self, value: Value<'_>) -> Result<Claim, NoString> {
        // A text that was a tenant before in this batch is one again, and has no space around it to be trimmed.
        if let Value::Text(text) = value
            && self.rules.tenancy.aliases.is_empty()
            && let Some(index) = self.builder.known(text)
            && self.scratch.tenants.get(index as usize) == Some(&true)
        {
            return Ok(Claim::Tenant(index));
        }
        self.scratch.text.clear();
        let claim = Claims { rules: self.rules, builder: self.builder, text: &mut self.scratch.text }.read(value);
        // Only the text itself: what stands for a tenant without a place is none.
        if let (Ok(Claim::Tenant(index)), Value::Text(text)) = (&claim, value)
            && self.builder.text(*index) == text
        {
            let place = *index as usize;
            if self.scratch.tenants.len() <= place {
                self.scratch.tenants.resize(place + 1, false);
            }
            self.scratch.tenants[place] = true;
        }
        claim
    }

    /// Baggage members are percent-encoded (W3C Baggage); what decodes to no text is no tenant.
    pub(in crate::observation) fn baggage(&mut self, value: Value<'_>) -> Result<Claim, NoString> {
        let Value::Text(text) = value else { return self.tenant(value) };
        if !text.contains(&b'%') {
            return self.tenant(value);
        }
        let mut decoded = std::mem::take(&mut self.scratch.text);
        decoded.clear();
        percent_decode(text, &mut decoded);
        let claim = match std::str::from_utf8(&decoded) {
            Ok(_) => self.tenant(Value::Text(&decoded)),
            Err(_) => Ok(Claim::Invalid),
        };
        self.scratch.text = decoded;
        claim
    }

    /// The tenant that the item's own attributes name.
    pub(in crate::observation) fn claim_of_item(
        &mut self,
        attributes: &Slots<'_>,
        evidence: &mut Evidence,
    ) -> Result<(), Refusal> {
        let Some((alias, value)) = attributes.first_of(slots::TENANT, slots::GROUP) else { return Ok(()) };
        match self.tenant(value)? {
            Claim::Tenant(index) => {
                evidence.tenant_span = index;
                evidence.aliases[0] = alias + 1;
                Ok(())
            }
            Claim::Absent => Ok(()),
            Claim::Invalid if self.is_system(value, evidence) => {
                evidence.tenant_span = self.builder.own_string(TENANT_SYSTEM);
                evidence.aliases[0] = alias + 1;
                Ok(())
            }
            Claim::Invalid => Err(Refusal(Reason::InvalidTenant)),
        }
    }

    /// Whether it is the tenant of shared infrastructure, claimed by a module that is shared.
    pub(in crate::observation) fn is_system(&mut self, claim: Value<'_>, evidence: &Evidence) -> bool {
        let is_claimed = matches!(claim, Value::Text(text) if tenancy::canonical(text) == TENANT_SYSTEM.as_bytes());
        is_claimed && self.is_shared(evidence)
    }

    /// The module that the item's own attributes name.
    pub(in crate::observation) fn module_of_item(
        &mut self,
        attributes: &Slots<'_>,
        evidence: &mut Evidence,
        flags: &mut u32,
    ) -> Result<(), NoString> {
        if let Some((alias, value)) = attributes.first_of(slots::MODULE, slots::GROUP) {
            evidence.aliases[3] = alias + 1;
            evidence.module_span = self.module(value, flags)?;
        }
        Ok(())
    }

    /// Fills `evidence`, which comes empty: returned by value it would be read back in words wider than it was written.
    pub(in crate::observation) fn evidence(
        &mut self,
        attributes: &Slots<'_>,
        evidence: &mut Evidence,
        flags: &mut u32,
    ) -> Result<(), Refusal> {
        // The module first: it says whether a reserved tenant may be claimed.
        self.module_of_item(attributes, evidence, flags)?;
        self.claim_of_item(attributes, evidence)?;
        for (place, group) in [(1, slots::HEADER), (2, slots::BAGGAGE)] {
            let Some((alias, value)) = attributes.first_of(group, slots::GROUP) else { continue };
            let claim = if place == 2 { self.baggage(value)? } else { self.tenant(value)? };
            match claim {
                Claim::Tenant(index) if place == 1 => evidence.tenant_header = index,
                Claim::Tenant(index) => evidence.tenant_baggage = index,
                Claim::Absent => continue,
                // A caller must not make requests vanish.
                Claim::Invalid => {
                    *flags |= flag::TENANT_INVALID;
                    continue;
                }
            }
            evidence.aliases[place] = alias + 1;
        }
        if let Some(value) = attributes.get(slots::TOKEN_TENANT) {
            evidence.tenant_token = self.token(value, flags)?;
        }
        if let Some(value) = attributes.get(slots::TENANT_SET) {
            self.tenant_set(value, flags)?;
        }
        Ok(())
    }

    /// The tenant of a verified token, as its id or as the digest of it, which is kept as it stands.
    fn token(&mut self, value: Value<'_>, flags: &mut u32) -> Result<u32, NoString> {
        if let Value::Text(text) = value
            && let Some(digest) = text.strip_prefix(b"sha256:")
            && digest.len() == SHA256_DIGITS
            && digest.iter().all(u8::is_ascii_hexdigit)
        {
            return label(self.builder, self.rules, text, flags);
        }
        Ok(match self.tenant(value)? {
            Claim::Tenant(tenant) => tenant,
            Claim::Absent => 0,
            Claim::Invalid => {
                *flags |= flag::TENANT_INVALID;
                0
            }
        })
    }

    /// Reads the owner of what the span touches: the first of the configured patterns that fits. Says which one did.
    pub(in crate::observation) fn data(
        &mut self,
        attributes: &Slots<'_>,
        evidence: &mut Evidence,
    ) -> Result<Option<u64>, NoString> {
        if self.scratch.owners.is_empty() {
            return Ok(None);
        }
        let mut name = std::mem::take(&mut self.scratch.name);
        let mut fitting = None;
        for number in 0..self.scratch.owners.len() {
            let ((first, count), owner) = &self.scratch.owners[number];
            let Some((_, value)) = attributes.first_of(*first, *count) else { continue };
            name.clear();
            write_text(&mut name, value);
            if std::str::from_utf8(&name).is_err() {
                return Err(NoString::Utf8);
            }
            let Some(tenant) = owner.find(&name) else { continue };
            if let Claim::Tenant(tenant) = self.tenant(Value::Text(tenant))? {
                evidence.tenant_data = tenant;
                fitting = Some(number as u64);
                break;
            }
        }
        self.scratch.name = name;
        Ok(fitting)
    }

    /// Reads `bailiwick.tenant.set`, tenants joined by commas, each once. What is no tenant id is passed over: the set
    /// is evidence of a batch and decides nothing.
    fn tenant_set(&mut self, value: Value<'_>, flags: &mut u32) -> Result<(), NoString> {
        self.scratch.tenant_set.clear();
        let Value::Text(text) = value else { return self.add_to_set(value, flags) };
        for member in text.split(|byte| *byte == b',') {
            if self.scratch.tenant_set.len() == TENANT_SET_MAX {
                *flags |= flag::TRUNCATED;
                break;
            }
            self.add_to_set(Value::Text(member), flags)?;
        }
        Ok(())
    }

    fn add_to_set(&mut self, member: Value<'_>, flags: &mut u32) -> Result<(), NoString> {
        match self.tenant(member)? {
            Claim::Tenant(tenant) if self.scratch.tenant_set.contains(&tenant) => {}
            Claim::Tenant(tenant) => self.scratch.tenant_set.push(tenant),
            Claim::Absent => {}
            Claim::Invalid => *flags |= flag::TENANT_INVALID,
        }
        Ok(())
    }

    /// Whether the span may stay with the tenants that it claims.
    pub(in crate::observation) fn judge_tenant(
        &self,
        evidence: &Evidence,
        has_parent: bool,
        flags: &mut u32,
    ) -> Result<(), Refusal> {
        let claim = if evidence.tenant_span != 0 { evidence.tenant_span } else { self.around.resource.tenant_resource };
        if claim == 0 && self.around.bad_tenant && evidence.tenant_span == 0 {
            return Err(Refusal(Reason::InvalidTenant));
        }
        if self.tenant_auth != 0 && claim != 0 && claim != self.tenant_auth {
            if self.rules.tenancy.on_conflict == OnConflict::Reject {
                return Err(Refusal(Reason::TenantMismatch));
            }
            *flags |= flag::TENANT_CONFLICT;
        }
        let claims = [self.tenant_auth, claim, evidence.tenant_header, evidence.tenant_baggage];
        if self.rules.tenancy.required && !has_parent && claims.iter().all(|claim| *claim == 0) {
            return Err(Refusal(Reason::NoTenant));
        }
        Ok(())
    }

    /// The tenant under whom a refused span is booked: its first valid claim.
    pub(in crate::observation) fn claimed(&mut self, attributes: &Slots<'_>) -> u32 {
        if self.tenant_auth != 0 {
            return self.tenant_auth;
        }
        if let Some((_, value)) = attributes.first_of(slots::TENANT, slots::GROUP) {
            return match self.tenant(value) {
                Ok(Claim::Tenant(index)) => index,
                _ => 0,
            };
        }
        self.around.resource.tenant_resource
    }
}
