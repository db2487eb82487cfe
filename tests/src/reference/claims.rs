//! Claims of tenants and modules (`sli.md` 1.1, 1.2; `ingest.md` 7.2).

use bailiwick_collector::observation::batch::row::{Evidence, flag};
use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::tenancy::{self, OnConflict, UuidForm};

use super::around::Around;
use super::attributes::{Scalar, Used};
use super::books::Books;
use super::keys::{data_keys, header_keys};
use super::names;

/// A tenant claim after trimming and aliases.
pub(super) enum Claim {
    Tenant(String),
    Absent,
    Invalid,
}

impl Books<'_> {
    pub(super) fn module_text(&self, value: &Scalar) -> String {
        self.meant(&value.text())
    }

    /// "Then `modules.aliases`."
    pub(super) fn meant(&self, module: &str) -> String {
        self.rules.modules.aliases.get(module).map_or(module, String::as_str).to_owned()
    }

    /// `sli.md` 1.1: trim ASCII space, UUIDs, aliases, then Mimir's rule and the reserved names.
    pub(super) fn claim(&self, text: &str) -> Claim {
        let claim = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let uuid = (self.rules.tenancy.uuid_form == UuidForm::Hyphenated).then(|| uuid(claim)).flatten();
        let claim = uuid.as_deref().unwrap_or(claim);
        let claim = self.rules.tenancy.aliases.get(claim).map_or(claim, String::as_str);
        if claim.is_empty() {
            Claim::Absent
        } else if tenancy::check(claim.as_bytes()).is_ok() {
            Claim::Tenant(claim.to_owned())
        } else {
            Claim::Invalid
        }
    }

    /// Under whom a refused span is booked: credential, span, resource; 0 if its own claim is no tenant.
    pub(super) fn claimed(&mut self, used: &Used, around: &Around) -> u32 {
        if self.tenant_auth != 0 {
            return self.tenant_auth;
        }
        match used.first(&self.rules.tenancy.attributes).map(|(_, value)| self.claim(&value.text())) {
            None => around.context.tenant_resource,
            Some(Claim::Tenant(tenant)) => self.table.string(&tenant),
            Some(_) => 0,
        }
    }

    /// Every claim of a span, and the module that it names by text.
    pub(super) fn evidence(&mut self, used: &Used, flags: &mut u32) -> Result<(Evidence, String), Reason> {
        let mut evidence = Evidence::default();
        let mut module = String::new();
        if let Some((alias, value)) = used.first(&self.rules.modules.attributes) {
            let name = self.module_text(value);
            evidence.module_span = self.label(&name, flags);
            module = self.cut(&name).to_owned();
            evidence.aliases[3] = alias;
        }
        let tenancy = &self.rules.tenancy;
        if let Some((alias, value)) = used.first(&tenancy.attributes) {
            match self.claim(&value.text()) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_span = self.table.string(&tenant);
                    evidence.aliases[0] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => return Err(Reason::InvalidTenant),
            }
        }
        // "by header or baggage it is ignored, counted": a caller must not make requests vanish.
        if let Some((alias, value)) = used.first(&header_keys(&tenancy.headers)) {
            match self.claim(&value.text()) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_header = self.table.string(&tenant);
                    evidence.aliases[1] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => *flags |= flag::TENANT_INVALID,
            }
        }
        if let Some((alias, value)) = used.first(&tenancy.baggage) {
            match self.claim(&percent_decoded(&value.text())) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_baggage = self.table.string(&tenant);
                    evidence.aliases[2] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => *flags |= flag::TENANT_INVALID,
            }
        }
        if let Some(token) = used.get("bailiwick.token.tenant") {
            evidence.tenant_token = self.token(&token.text(), flags);
        }
        Ok((evidence, module))
    }

    /// The last of 1.2 (b), of spans that no attribute of theirs or of their scope gives a module.
    pub(super) fn module_of_name(&mut self, name: &str, evidence: &mut Evidence, flags: &mut u32) -> String {
        let Some(of) = self.rules.modules.span_prefixes.iter().find(|of| name.starts_with(&of.prefix)) else {
            return String::new();
        };
        let module = self.meant(&of.module);
        evidence.module_span = self.label(&module, flags);
        self.cut(&module).to_owned()
    }

    /// "`bailiwick.token.tenant`, plain or `sha256:` + hex of the canonical id": a digest is kept as it stands.
    fn token(&mut self, token: &str, flags: &mut u32) -> u32 {
        let digest = token.strip_prefix("sha256:");
        if digest.is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit())) {
            return self.label(token, flags);
        }
        match self.claim(token) {
            Claim::Tenant(tenant) => self.table.string(&tenant),
            Claim::Absent => 0,
            Claim::Invalid => {
                *flags |= flag::TENANT_INVALID;
                0
            }
        }
    }

    /// The owner of what a span touches and the number of the pattern that names it: the first that fits.
    pub(super) fn data(&mut self, used: &Used) -> Option<(u32, u64)> {
        for (number, pattern) in (0..).zip(&self.rules.data_patterns) {
            let Some((_, name)) = used.first(data_keys(pattern.attribute)) else { continue };
            let Some(tenant) = names::owner(&pattern.pattern, &name.text()) else { continue };
            if let Claim::Tenant(tenant) = self.claim(&tenant) {
                return Some((self.table.string(&tenant), number));
            }
        }
        None
    }

    /// `bailiwick.tenant.set`: the first 32 different tenants.
    pub(super) fn tenant_set(&mut self, used: &Used, flags: &mut u32) -> Vec<u32> {
        let mut set = vec![];
        let Some(value) = used.get("bailiwick.tenant.set") else { return set };
        for member in value.text().split(',') {
            if set.len() == 32 {
                *flags |= flag::TRUNCATED;
                break;
            }
            match self.claim(member) {
                Claim::Tenant(tenant) => {
                    let tenant = self.table.string(&tenant);
                    if !set.contains(&tenant) {
                        set.push(tenant);
                    }
                }
                Claim::Absent => {}
                Claim::Invalid => *flags |= flag::TENANT_INVALID,
            }
        }
        set
    }

    /// `ingest.md` 7.2. The item's own claim is that of its span, else that of its resource.
    pub(super) fn judge_tenant(
        &self,
        evidence: &Evidence,
        around: &Around,
        rootless: bool,
        flags: &mut u32,
    ) -> Result<(), Reason> {
        let claim = match evidence.tenant_span {
            0 if around.bad_tenant => return Err(Reason::InvalidTenant),
            0 => around.context.tenant_resource,
            span => span,
        };
        if self.tenant_auth != 0 && claim != 0 && claim != self.tenant_auth {
            match self.rules.tenancy.on_conflict {
                OnConflict::Reject => return Err(Reason::TenantMismatch),
                OnConflict::Count => *flags |= flag::TENANT_CONFLICT,
            }
        }
        let nobody = [self.tenant_auth, claim, evidence.tenant_header, evidence.tenant_baggage] == [0; 4];
        if self.rules.tenancy.required && rootless && nobody {
            return Err(Reason::NoTenant);
        }
        Ok(())
    }
}

/// "32 hex or 36 characters -> lower-case hyphenated"
fn uuid(claim: &str) -> Option<String> {
    let digits: String = match claim.len() {
        32 => claim.to_owned(),
        36 if claim.bytes().enumerate().all(|(at, byte)| (byte == b'-') == [8, 13, 18, 23].contains(&at)) => {
            claim.replace('-', "")
        }
        _ => return None,
    };
    if digits.len() != 32 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.to_lowercase();
    Some([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).filter(|_| bytes[at] == b'%');
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(decoded.unwrap_or(bytes[at]));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
