//! `slo list` and `slo suggest`: what a running daemon says of its SLOs.

use std::fmt::Write as _;

use bailiwick_slo::suggest::{self, Insufficient, Past};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::Output;
use crate::cli::ask;

/// Instances of a page.
const PAGE: usize = 1_000;
/// Most pages that are asked for.
const PAGES_MAX: usize = 1_000;

/// Lists instances, least budget first.
pub(in crate::cli) fn list(server: &str, output: Output) -> Answer {
    let items = match items(server) {
        Ok(items) => items,
        Err(answer) => return answer,
    };
    if output == Output::Json {
        return Answer::data(format!("{:#}\n", Json::Array(items)));
    }
    let mut rows = vec![["TENANT", "MODULE", "SLO", "STATE", "TARGET", "SLI", "LEFT", "INCIDENT"].map(str::to_owned)];
    rows.extend(items.iter().map(|item| {
        let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
        let per_cent =
            |value: &Json| value.as_f64().map_or_else(|| "-".to_owned(), |ratio| format!("{:.3} %", ratio * 100.0));
        let incident = item["incident"].as_str().map_or_else(|| "-".to_owned(), |_| text("level"));
        [
            text("tenant"),
            text("module"),
            text("slo"),
            text("state"),
            text("target"),
            per_cent(&item["sli"]["value_ratio"]),
            per_cent(&item["budget"]["remaining_ratio"]),
            incident,
        ]
    }));
    Answer::data(table(&rows))
}

/// Suggests a target for each instance by what its period counted.
pub(in crate::cli) fn suggest(server: &str, output: Output) -> Answer {
    let items = match items(server) {
        Ok(items) => items,
        Err(answer) => return answer,
    };
    let mut rows = vec![["TENANT", "MODULE", "SLO", "TARGET", "SUGGESTED"].map(str::to_owned)];
    let mut found = false;
    for item in &items {
        let suggested = match past(item).map(suggest::suggest) {
            Some(Ok(suggestion)) => {
                found = true;
                suggestion.best().map_or_else(
                    || "none of the usual ones was kept".to_owned(),
                    |best| format!("{} %", best.target.percent()),
                )
            }
            Some(Err(Insufficient::TooShort { .. })) => "less than a day was counted".to_owned(),
            Some(Err(Insufficient::TooFew { .. })) => "fewer than 1000 events were counted".to_owned(),
            None => "it counts no events".to_owned(),
        };
        let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
        rows.push([text("tenant"), text("module"), text("slo"), text("target"), suggested]);
    }
    let data = match output {
        Output::Json => {
            let row = |row: &[String; 5]| {
                let [tenant, module, slo, target, suggested] = row;
                serde_json::json!({"tenant": tenant, "module": module, "slo": slo, "target": target,
                    "suggested": suggested})
            };
            format!("{:#}\n", Json::Array(rows[1..].iter().map(row).collect()))
        }
        Output::Table | Output::Yaml => table(&rows),
    };
    Answer { data, talk: String::new(), exit: if found { Exit::Done } else { Exit::Insufficient } }
}

/// What the period of an instance counted, and for how long.
fn past(item: &Json) -> Option<Past> {
    let seconds = |value: &Json| value.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let (from, to) = (seconds(&item["period"]["from"])?, seconds(&item["evaluated_at"])?);
    let born = seconds(&item["born_at"]).unwrap_or(from);
    let (bad, total) = (item["sli"]["bad"].as_u64()?, item["sli"]["total"].as_u64()?);
    Some(Past { bad, total, age_s: u64::try_from(to - from.max(born)).ok()? })
}

fn items(server: &str) -> Result<Vec<Json>, Answer> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES_MAX {
        let body = ask::get(server, &format!("/v1/slos?limit={PAGE}{cursor}"))?;
        let page: Json = serde_json::from_slice(&body)
            .map_err(|error| Answer::failure(Exit::Unavailable, format!("{server} is no Bailiwick: {error}")))?;
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(items)
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}
