//! `slo explain`: what a definition means, in words and exact numbers.

use std::fmt::Write as _;

use bailiwick_slo::explain::{self, Asked, Explanation, Pace};
use bailiwick_slo::spec::Slo;
use serde_json::Value as Json;

use super::{findings, sources};
use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::{ExplainArguments, Output};
use crate::config::Request;
use crate::frontend::explanation_json;

/// Explains the SLOs of a file, or one by name.
pub(in crate::cli) fn explain(arguments: &ExplainArguments, request: &Request, output: Output) -> Answer {
    let loaded = match sources::meant(&arguments.file, request) {
        Ok(loaded) => loaded,
        Err(answer) => return answer,
    };
    let told: Result<Vec<Explanation>, Answer> = loaded.slos.iter().map(|slo| one(slo, arguments)).collect();
    let told = match told {
        Ok(told) => told,
        Err(answer) => return answer,
    };
    let data = match output {
        Output::Json => format!("{:#}\n", Json::Array(told.iter().map(explanation_json).collect())),
        Output::Table | Output::Yaml => told.iter().fold(String::new(), |mut text, one| {
            let _ = writeln!(text, "{one}");
            text
        }),
    };
    let exit = if loaded.is_valid() { Exit::Done } else { Exit::Problem };
    Answer { data, talk: findings::human(&loaded.findings), exit }
}

fn one(slo: &Slo, arguments: &ExplainArguments) -> Result<Explanation, Answer> {
    let unusable = |reason: String| Answer::failure(Exit::Usage, reason);
    let decimal = |name: &str, text: &str| {
        text.parse().map_err(|_| unusable(format!("--{name}: `{text}` is no decimal number like 14.4")))
    };
    let pace = match (&arguments.burn, &arguments.error_ratio) {
        (Some(burn), _) => Some(Pace::Burn(decimal("burn", burn)?)),
        (None, Some(ratio)) => Some(Pace::ErrorRatio(decimal("error-ratio", ratio)?)),
        (None, None) => None,
    };
    let remaining = arguments.remaining.as_deref().map(|text| decimal("remaining", text)).transpose()?;
    let instance = arguments.tenant.as_deref().zip(arguments.module.as_deref());
    let terms = match instance {
        Some((tenant, module)) => slo.terms_of(tenant, module),
        None => slo.draft.terms([]),
    };
    let asked = Asked { pace, remaining, instance, period_s: None };
    explain::explain(slo, &terms, &asked).map_err(|error| unusable(error.to_string()))
}
