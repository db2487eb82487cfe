//! Whose figures a request asks for. It can only narrow what the credential allows.

/// Tenants that a request is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scope(Option<Vec<String>>);

impl Scope {
    /// Only these tenants.
    pub(crate) fn only(tenants: Vec<String>) -> Self {
        Self(Some(tenants))
    }

    /// What `?tenant=` (one id) and `X-Scope-OrgID` (ids joined by `|`) leave together.
    pub(crate) fn narrowed(parameter: Option<&str>, header: Option<&str>) -> Self {
        let listed = header.map(|ids| ids.split('|').map(|id| id.trim().to_owned()).collect::<Vec<_>>());
        match (parameter, listed) {
            (None, None) => Self(None),
            (Some(id), None) => Self::only(vec![id.to_owned()]),
            (None, Some(ids)) => Self::only(ids),
            (Some(id), Some(ids)) => Self::only(ids.into_iter().filter(|listed| listed == id).collect()),
        }
    }

    /// Whether it leaves anything out.
    pub(crate) fn is_narrow(&self) -> bool {
        self.0.is_some()
    }

    /// Whether figures of this tenant are asked for.
    pub(crate) fn holds(&self, tenant: &str) -> bool {
        self.0.as_ref().is_none_or(|tenants| tenants.iter().any(|id| id == tenant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_and_header_narrow_together() {
        assert!(Scope::narrowed(None, None).holds("acme"));
        assert!(Scope::narrowed(Some("acme"), None).holds("acme"));
        assert!(!Scope::narrowed(Some("acme"), None).holds("globex"));
        let listed = Scope::narrowed(None, Some("acme | globex"));
        assert!(listed.holds("acme") && listed.holds("globex") && !listed.holds("initech"));
        let both = Scope::narrowed(Some("initech"), Some("acme|globex"));
        assert!(!both.holds("initech") && !both.holds("acme"));
    }
}
