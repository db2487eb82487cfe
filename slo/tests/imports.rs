//! Definitions of other tools, against what these tools make of them: their formulas are stated here once more, from
//! their sources, in whole numbers.

mod imports {
    mod sloth;
    mod pyrra;
    mod slo_generator;
    mod openslo;
    mod map;
}

use bailiwick_slo::document::{Context, Finding, Severity, load, write};
use bailiwick_slo::exact::Fraction;
use bailiwick_slo::import::{Imported, Options, Tool, import};
use bailiwick_slo::spec::{Slo, Tier};

const DAY: u64 = 86_400;

/// Imports one text.
fn imported(tool: Tool, text: &str) -> Imported {
    import(tool, &[("source.yaml", text)], &Options::default())
}

/// What the documents of an import come to mean, all in one file.
fn read_back(imported: &Imported) -> Vec<Slo> {
    let text = write(&imported.documents);
    let loaded = load(&[("written.yaml", &text)], &Context::default());
    let valid = loaded.findings.iter().all(|finding| finding.severity != Severity::Error);
    assert_eq!(valid, imported.is_valid(), "{text}\n{:#?}\n{:#?}", loaded.findings, imported.findings);
    loaded.slos
}

fn slo<'a>(slos: &'a [Slo], id: &str) -> &'a Slo {
    slos.iter().find(|slo| slo.id == id).unwrap_or_else(|| panic!("{id} is missing"))
}

fn tiers(slo: &Slo) -> Vec<Tier> {
    slo.draft.terms([]).alerts.tiers
}

fn written(slo: &Slo) -> Vec<String> {
    tiers(slo).iter().map(|tier| format!("{} {} {} {}", tier.name(), tier.op.name(), tier.factor, tier.hold)).collect()
}

/// The error ratio at which a tier fires: `f x beta`, not reduced.
fn threshold(slo: &Slo, tier: &Tier) -> (u128, u128) {
    let beta = slo.draft.terms.target.beta();
    let above = u128::from(tier.factor.numerator()) * u128::from(beta);
    (above, u128::from(tier.factor.denominator()) * 100_000_000)
}

/// Whether two quotients are the same number.
fn is_same((a, b): (u128, u128), (c, d): (u128, u128)) -> bool {
    a * d == c * b
}

/// `SLO004 note source.yaml:4:1 labels`.
fn told(findings: &[Finding]) -> Vec<String> {
    let one = |finding: &Finding| {
        let Finding { code, severity, file, line, column, path, .. } = finding;
        format!("{code} {} {file}:{line}:{column} {path}", severity.name())
    };
    findings.iter().map(one).collect()
}

/// The nearest float of a quotient.
#[expect(clippy::cast_precision_loss, reason = "compared within 1e-12")]
fn as_f64((above, below): (u128, u128)) -> f64 {
    above as f64 / below as f64
}

const fn fraction(numerator: u64, denominator: u64) -> Fraction {
    Fraction::new(numerator, denominator)
}
