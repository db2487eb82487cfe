//! Leak findings as they are told. Operators see both tenants; who asks as a tenant sees its own findings, and never
//! another tenant's id.

use serde::Serialize;
use utoipa::ToSchema;

use super::list::Named;
use crate::aggregator::snapshot::Finding;
use crate::frontend::format;
use crate::frontend::scope::Scope;

/// What stands for a tenant that is not asked for.
pub(crate) const ANOTHER: &str = "another tenant";

/// Tenants that met where they should not, or a tenant that was lost on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FindingItem {
    /// A number, stable while the finding is kept.
    #[schema(example = 7)]
    pub(crate) id: u64,
    /// Rules that fired on the span: L1 to L8.
    #[schema(example = json!(["L1", "L3"]))]
    pub(crate) rules: Vec<&'static str>,
    /// `suspect`: one rule speaks for it. `confirmed`: two do, one of them by a verified token or by the data touched.
    #[schema(example = "suspect")]
    pub(crate) verdict: &'static str,
    /// low, medium, high.
    #[schema(example = "high")]
    pub(crate) severity: &'static str,
    /// Where it was seen.
    pub(crate) edge: EdgeItem,
    /// Whose it should have been and whose it was.
    pub(crate) tenants: TenantsItem,
    /// What it was seen by.
    pub(crate) evidence: Vec<EvidenceItem>,
    /// The latest traces, at most three.
    #[schema(example = json!(["4bf92f3577b34da6a3ce929d0e0e4736"]))]
    pub(crate) trace_ids: Vec<String>,
    /// When it was seen first.
    #[schema(example = "2026-05-04T08:00:01.250Z")]
    pub(crate) first_seen_at: Option<String>,
    /// When it was seen last.
    #[schema(example = "2026-05-04T10:05:03.001Z")]
    pub(crate) last_seen_at: Option<String>,
    /// How often.
    #[schema(example = 12)]
    pub(crate) count: u64,
    /// `open` while it is kept.
    #[schema(example = "open")]
    pub(crate) state: &'static str,
    /// What keeps the place of a page: the number, all its digits.
    #[serde(skip)]
    place: String,
    /// What a search looks at besides.
    #[serde(skip)]
    said: String,
}

/// Where a finding was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EdgeItem {
    /// Module of the span's parent; null: none, or not known.
    #[schema(example = "chat_orchestrator")]
    pub(crate) parent_module: Option<String>,
    /// Module of the span.
    #[schema(example = "rag_hub")]
    pub(crate) child_module: String,
    /// Operation of the span; null where it is another tenant's.
    #[schema(example = "POST /rag/query")]
    pub(crate) operation: Option<String>,
}

/// The two sides. A tenant that is not asked for reads `another tenant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TenantsItem {
    /// The tenant that should have been there; null: none.
    #[schema(example = "acme")]
    pub(crate) expected: Option<String>,
    /// The tenant that was there; null: none.
    #[schema(example = "globex")]
    pub(crate) observed: Option<String>,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EvidenceItem {
    /// Where the claim stands: auth, token, span, resource, header, baggage, data, parent.
    #[schema(example = "span")]
    pub(crate) source: &'static str,
    /// The tenant that it names.
    #[schema(example = "globex")]
    pub(crate) tenant: String,
}

impl Named for FindingItem {
    fn names(&self) -> [&str; 4] {
        [&self.place, &self.edge.child_module, self.edge.operation.as_deref().unwrap_or_default(), &self.said]
    }
}

impl FindingItem {
    /// What this scope may know of a finding; `None` where both sides are foreign to it.
    pub(crate) fn seen_by(scope: &Scope, finding: &Finding) -> Option<Self> {
        let is_own = |tenant: &str| scope.holds(tenant);
        if scope.is_narrow() && !is_own(&finding.expected) && !is_own(&finding.observed) {
            return None;
        }
        let told = |tenant: &str| if is_own(tenant) { tenant.to_owned() } else { ANOTHER.to_owned() };
        let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let side = |tenant: &str| named(tenant).map(|tenant| told(&tenant));
        let tenants = TenantsItem { expected: side(&finding.expected), observed: side(&finding.observed) };
        let rules: Vec<&'static str> = finding.rules.iter().map(|rule| rule.name()).collect();
        let sides = [&tenants.expected, &tenants.observed].map(|side| side.as_deref().unwrap_or_default());
        let words = [rules.join(" "), finding.certainty.name().to_owned(), finding.severity.name().to_owned()];
        Some(Self {
            id: finding.id,
            place: format!("{:020}", finding.id),
            said: [words.join(" "), sides.join(" "), finding.parent_module.to_string()].join(" "),
            rules,
            verdict: finding.certainty.name(),
            severity: finding.severity.name(),
            edge: EdgeItem {
                parent_module: named(&finding.parent_module),
                child_module: finding.child_module.to_string(),
                // The span is the observed tenant's: how another one calls its operations is its own business.
                operation: named(&finding.operation).filter(|_| !scope.is_narrow() || is_own(&finding.observed)),
            },
            tenants,
            evidence: finding
                .evidence
                .iter()
                .map(|(source, tenant)| EvidenceItem { source, tenant: told(tenant) })
                .collect(),
            trace_ids: finding.trace_ids.iter().map(|id| format::hex(id)).collect(),
            first_seen_at: format::instant(finding.first_seen_ns),
            last_seen_at: format::instant(finding.last_seen_ns),
            count: finding.count,
            state: "open",
        })
    }

    /// The latest number first.
    pub(crate) fn rank(&self) -> u64 {
        u64::MAX - self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::snapshot::{Certainty, Rule, Severity};

    fn finding() -> Finding {
        Finding {
            id: 7,
            rules: vec![Rule::Edge, Rule::Conflict],
            certainty: Certainty::Confirmed,
            severity: Severity::High,
            parent_module: "chat".into(),
            child_module: "rag".into(),
            operation: "POST /globex/q".into(),
            expected: "acme".into(),
            observed: "globex".into(),
            evidence: vec![("span", "globex".into()), ("parent", "acme".into()), ("header", "initech".into())],
            trace_ids: vec![[0xab; 16]],
            first_seen_ns: 1_700_000_000_000_000_000,
            last_seen_ns: 1_700_000_001_000_000_000,
            count: 2,
        }
    }

    fn told(scope: &Scope) -> Option<String> {
        FindingItem::seen_by(scope, &finding()).map(|item| serde_json::to_string(&item).expect("JSON"))
    }

    #[test]
    fn an_operator_sees_all_of_it() {
        let item = FindingItem::seen_by(&Scope::default(), &finding()).expect("it is shown");
        let tenants = TenantsItem { expected: Some("acme".to_owned()), observed: Some("globex".to_owned()) };
        assert_eq!((item.tenants, item.evidence.len()), (tenants, 3));
        assert_eq!((item.rules, item.verdict, item.severity), (vec!["L1", "L3"], "confirmed", "high"));
        assert_eq!(item.edge.operation.as_deref(), Some("POST /globex/q"));
        assert_eq!((item.trace_ids, item.count), (vec!["ab".repeat(16)], 2));
    }

    #[test]
    fn a_tenant_meets_no_other_tenants_id_in_any_byte() {
        let acme = told(&Scope::only(vec!["acme".to_owned()])).expect("it is one side");
        assert!(acme.contains(r#""expected":"acme","observed":"another tenant""#), "{acme}");
        assert!(!acme.contains("globex") && !acme.contains("initech"), "{acme}");
        let globex = told(&Scope::only(vec!["globex".to_owned()])).expect("it is the other side");
        assert!(globex.contains("POST /globex/q") && !globex.contains("acme") && !globex.contains("initech"));
    }

    #[test]
    fn what_a_search_and_a_cursor_look_at_is_masked_too() {
        let acme = FindingItem::seen_by(&Scope::only(vec!["acme".to_owned()]), &finding()).expect("one side");
        assert!(acme.names().iter().all(|name| !name.contains("globex") && !name.contains("initech")));
    }

    #[test]
    fn a_finding_between_others_is_not_listed() {
        assert_eq!(told(&Scope::only(vec!["initech".to_owned()])), None);
        let nobodys = Finding { expected: "".into(), observed: "".into(), ..finding() };
        assert!(FindingItem::seen_by(&Scope::only(vec!["acme".to_owned()]), &nobodys).is_none());
        assert!(FindingItem::seen_by(&Scope::default(), &nobodys).is_some());
    }
}
