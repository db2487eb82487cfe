//! The lint (`faces.md` 7) over the JSON as Grafana reads it, so that a rule holds whatever the structs think.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::all;

fn dashboards() -> Vec<Value> {
    all().iter().map(|dashboard| serde_json::from_str(&dashboard.to_json()).unwrap()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Panels that show figures, with the name of their dashboard for messages.
fn figures() -> Vec<(String, Value)> {
    let mut figures = Vec::new();
    for dashboard in dashboards() {
        for panel in list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row") {
            figures.push((format!("{} / {}", dashboard["uid"], panel["title"]), panel.clone()));
        }
    }
    assert!(figures.len() > 10, "there are panels to look at");
    figures
}

fn queries() -> Vec<(String, String)> {
    let of = |(place, panel): (String, Value)| {
        list(&panel["targets"]).iter().map(|target| (place.clone(), text(&target["expr"]))).collect::<Vec<_>>()
    };
    figures().into_iter().flat_map(of).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_committed_files_are_what_the_functions_write() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated");
    let mut names = BTreeSet::new();
    for dashboard in all() {
        let name = format!("{}.json", dashboard.uid);
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(committed == dashboard.to_json(), "{name} is old: run the example `generate`");
        names.insert(name);
    }
    let found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), names);
}

#[test]
fn rule_1_the_model_is_classic_and_needs_no_import() {
    for dashboard in dashboards() {
        assert_eq!(dashboard["schemaVersion"], 39);
        let json = dashboard.to_string();
        assert!(!json.contains("__inputs") && !json.contains("${DS_"), "{}", dashboard["uid"]);
    }
}

#[test]
fn rule_2_one_data_source_variable_serves_every_panel_target_and_variable() {
    for dashboard in dashboards() {
        let (sources, others): (Vec<_>, Vec<_>) =
            list(&dashboard["templating"]["list"]).iter().partition(|variable| variable["type"] == "datasource");
        assert_eq!(sources.len(), 1);
        assert_eq!((&sources[0]["name"], &sources[0]["label"]), (&"datasource".into(), &"Data source".into()));
        assert!(others.iter().all(|variable| variable["datasource"]["uid"] == "${datasource}"));
    }
    for (place, panel) in figures() {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{place}");
        assert!(list(&panel["targets"]).iter().all(|it| it["datasource"]["uid"] == "${datasource}"), "{place}");
    }
}

#[test]
fn rule_3_variables_are_chained_and_matched_by_pattern() {
    for dashboard in dashboards() {
        let variables = &list(&dashboard["templating"]["list"])[1..];
        let names: Vec<_> = variables.iter().map(|variable| text(&variable["name"])).collect();
        let order = ["tenant", "module", "operation"];
        assert_eq!(names, order[..names.len()]);
        for (place, variable) in variables.iter().enumerate() {
            assert_eq!((&variable["multi"], &variable["includeAll"]), (&true.into(), &true.into()));
            assert_eq!((&variable["allValue"], &variable["refresh"]), (&".*".into(), &2.into()));
            let definition = text(&variable["definition"]);
            for parent in &order[..place] {
                assert!(definition.contains(&format!("{parent}=~\"${parent}\"")), "{definition}");
            }
        }
        for name in order.iter().filter(|name| !names.contains(&(**name).to_owned())) {
            assert!(!dashboard["panels"].to_string().contains(&format!("${name}")), "{name} is not a variable here");
        }
    }
    for (place, query) in queries() {
        for label in ["tenant", "module", "operation"] {
            assert!(!query.contains(&format!("{label}=\"$")), "{place}: {query}");
        }
        assert!(!query.contains("job") && !query.contains("instance"), "{place}: {query}");
    }
}

#[test]
fn rule_4_every_panel_has_title_description_unit_and_words_for_no_value() {
    for (place, panel) in figures() {
        let defaults = &panel["fieldConfig"]["defaults"];
        for value in [&panel["title"], &panel["description"], &defaults["unit"], &defaults["noValue"]] {
            assert!(!text(value).is_empty(), "{place}: {defaults}");
        }
    }
}

#[test]
fn rule_5_every_rate_uses_the_rate_interval_and_counters_stand_inside_one() {
    for (place, query) in queries() {
        let ranges = query.matches('[').count();
        assert_eq!(query.matches("[$__rate_interval]").count(), ranges, "{place}: {query}");
        let calls = query.matches("rate(").count() + query.matches("increase(").count();
        assert_eq!(calls, ranges, "{place}: {query}");
        for (at, _) in query.match_indices("_total") {
            let name = query[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
            let before = &query[..name];
            assert!(before.ends_with("rate(") || before.ends_with("increase("), "{place}: {query}");
        }
    }
}

/// A stand-in for a parser: brackets are balanced outside strings, and every function is of tier 1.
#[test]
fn rule_6_queries_are_well_formed_and_of_tier_1() {
    let tier_1 = ["sum", "count", "min", "max", "rate", "increase", "histogram_quantile", "vector"];
    for (place, query) in queries() {
        let mut open = Vec::new();
        for (piece, outside) in query.split('"').zip([true, false].into_iter().cycle()) {
            for character in piece.chars().filter(|_| outside) {
                match character {
                    '(' | '[' | '{' => open.push(character),
                    ')' => assert_eq!(open.pop(), Some('('), "{place}: {query}"),
                    ']' => assert_eq!(open.pop(), Some('['), "{place}: {query}"),
                    '}' => assert_eq!(open.pop(), Some('{'), "{place}: {query}"),
                    _ => {}
                }
            }
        }
        assert!(open.is_empty() && query.matches('"').count() % 2 == 0, "{place}: {query}");
        for (at, _) in query.match_indices('(') {
            let name: String = query[..at].chars().rev().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            let name: String = name.chars().rev().collect();
            assert!(name.is_empty() || tier_1.contains(&name.as_str()), "{place}: {name} in {query}");
        }
    }
}

#[test]
fn rule_7_dashboards_are_known_by_uid_tag_and_link_and_not_edited_in_place() {
    let uids: Vec<_> = dashboards().iter().map(|dashboard| text(&dashboard["uid"])).collect();
    assert_eq!(uids, ["bw-fleet", "bw-module"], "published names: a change breaks bookmarks");
    for dashboard in dashboards() {
        assert_eq!(dashboard["tags"], serde_json::json!(["bailiwick"]));
        assert_eq!(dashboard["links"][0]["tags"], serde_json::json!(["bailiwick"]));
        assert_eq!((&dashboard["refresh"], &dashboard["editable"]), (&"1m".into(), &false.into()));
    }
}

#[test]
fn rule_9_latency_has_exemplars_and_asks_the_classic_form_or_the_native_one() {
    let mut latency_lines = 0;
    for (place, panel) in figures() {
        for target in list(&panel["targets"]) {
            let query = text(&target["expr"]);
            if !query.contains("histogram_quantile(") {
                continue;
            }
            assert!(query.contains("_bucket{") && query.contains(" or histogram_quantile("), "{place}: {query}");
            if panel["type"] == "timeseries" {
                latency_lines += 1;
                assert_eq!(target["exemplar"], true, "{place}");
            }
        }
    }
    assert_eq!(latency_lines, 3, "p50, p90, p99");
}

#[test]
fn rule_10_panels_are_of_core_kinds() {
    for (place, panel) in figures() {
        let kind = text(&panel["type"]);
        assert!(["stat", "timeseries", "table", "heatmap"].contains(&kind.as_str()), "{place}: {kind}");
    }
}

#[test]
fn rule_11_rows_of_the_fleet_lead_to_their_module() {
    let fleet = &dashboards()[0];
    let table = list(&fleet["panels"]).iter().find(|panel| panel["type"] == "table").unwrap();
    let links = table["fieldConfig"]["overrides"].to_string();
    for part in ["/d/bw-module?", "var-tenant=${__data.fields.tenant}", "var-module=${__data.fields.module}"] {
        assert!(links.contains(part), "{part}");
    }
}

#[test]
fn rule_12_ratios_are_percent_units_with_two_to_four_decimals() {
    for (place, panel) in figures() {
        let ratio = panel["targets"].to_string().contains("_ratio{") && panel["type"] != "table";
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(!ratio || defaults["unit"] == "percentunit", "{place}");
        if defaults["unit"] == "percentunit" {
            assert!((2..=4).contains(&defaults["decimals"].as_u64().unwrap_or(0)), "{place}");
        }
    }
}

#[test]
fn panels_lie_inside_the_grid_do_not_overlap_and_have_numbers_of_their_own() {
    for dashboard in dashboards() {
        let mut cells = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for panel in list(&dashboard["panels"]) {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["title"]);
            let of = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            let (x, y, w, h) = (of("x"), of("y"), of("w"), of("h"));
            assert!(w > 0 && h > 0 && x + w <= 24, "{}", panel["gridPos"]);
            for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row))) {
                assert!(cells.insert(cell), "{} overlaps another panel at {cell:?}", panel["title"]);
            }
        }
    }
}

#[test]
fn every_metric_that_is_asked_for_is_a_published_name() {
    use bailiwick_slo::conventions as names;
    let published = [
        names::REQUESTS_TOTAL,
        names::REQUEST_DURATION_SECONDS,
        names::REQUEST_DURATION_QUANTILE_SECONDS,
        names::REQUEST_SUCCESS_RATIO,
        names::SERIES,
        names::SERIES_LIMITED_TOTAL,
        names::INGEST_ITEMS_RECEIVED_TOTAL,
        names::INGEST_ITEMS_ACCEPTED_TOTAL,
        names::INGEST_ITEMS_DUPLICATE_TOTAL,
        names::INGEST_ITEMS_REJECTED_TOTAL,
        names::INGEST_INFLIGHT_BYTES,
        names::INGEST_INFLIGHT_BYTES_MAX,
    ];
    let mut asked = BTreeSet::new();
    for (place, query) in queries() {
        for (at, _) in query.match_indices(names::METRIC_PREFIX) {
            let end =
                query[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(query.len(), |n| at + n);
            let name = query[at..end].trim_end_matches("_bucket");
            assert!(published.contains(&name), "{place}: {name}");
            asked.insert(name.to_owned());
        }
    }
    assert_eq!(asked.len(), published.len(), "each of them is shown somewhere: {asked:?}");
}
