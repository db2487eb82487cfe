//! A definition explained, part by part.

use super::asked::{Asked, BadAsk, Case};
use super::forms::Allowance;
use super::sheet::Explanation;
use super::{definition, origins, silence};
use crate::spec::{Slo, Terms};

/// Explains a definition: what it promises, who is told when, what little traffic and silence mean, which override set
/// what, and what would happen at the pace that is asked about. `terms` are those of the asked instance
/// ([`Slo::terms_of`]), or the document's (`slo.draft.terms([])`).
///
/// # Errors
/// When no service could be as bad as asked, or numbers have more digits than can be counted with (the reader refuses
/// such definitions with 012).
pub fn explain(slo: &Slo, terms: &Terms, asked: &Asked<'_>) -> Result<Explanation, BadAsk> {
    let nominal_s = terms.period.nominal_seconds();
    let allowance = Allowance { target: terms.target, period_s: asked.period_s.unwrap_or(nominal_s) };
    let case = Case::of(asked, allowance)?;
    let mut sections = vec![
        definition::scope(slo),
        definition::promise(slo, terms, allowance)?,
        definition::tiers(slo, terms, allowance)?,
        case.section(terms)?,
        silence::low_traffic(slo, terms, allowance)?,
        silence::no_data(slo, terms),
        definition::forecast(terms),
    ];
    sections.extend(definition::policy(terms));
    sections.push(origins::section(slo, terms, asked.instance));
    Ok(Explanation { slo: slo.id.clone(), revision: slo.revision.clone(), sections })
}
