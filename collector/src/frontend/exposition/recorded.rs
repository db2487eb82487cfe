//! What other rooms recorded with the `metrics` crate: the recorder's 0.0.4 text cut into families, put in order and
//! written again in the format that is asked for.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::catalogue;

/// One family of the recorder's text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block<'a> {
    name: &'a str,
    kind: &'a str,
    help: Option<&'a str>,
    samples: Vec<&'a str>,
}

fn blocks(rendered: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for line in rendered.lines().filter(|line| !line.is_empty()) {
        let mut words = line.splitn(4, ' ');
        let (mark, word) = (words.next(), words.next());
        if mark != Some("#") {
            if let Some(block) = blocks.last_mut() {
                block.samples.push(line);
            }
            continue;
        }
        let name = words.next().unwrap_or_default();
        if blocks.last().is_none_or(|block| block.name != name) {
            blocks.push(Block { name, ..Block::default() });
        }
        let block = blocks.last_mut().expect("one was pushed if there was none");
        match word {
            Some("HELP") => block.help = words.next(),
            Some("TYPE") => block.kind = words.next().unwrap_or_default(),
            _ => {}
        }
    }
    blocks.sort_by_key(|block| block.name);
    blocks
}

/// Writes the recorder's families as 0.0.4, except those in `written`.
pub(crate) fn write_text(out: &mut String, rendered: &str, written: &HashSet<&str>) {
    for block in blocks(rendered).iter().filter(|block| !written.contains(block.name)) {
        write_head(out, block.name, block);
        for sample in &block.samples {
            out.push_str(sample);
            out.push('\n');
        }
    }
}

/// Writes the recorder's families as OpenMetrics: `_total` is the sample's, not the family's, `le` is a float, the unit
/// is told.
pub(crate) fn write_openmetrics(out: &mut String, rendered: &str, written: &HashSet<&str>) {
    for block in blocks(rendered).iter().filter(|block| !written.contains(block.name)) {
        let name = match block.kind {
            "counter" => block.name.strip_suffix("_total").unwrap_or(block.name),
            _ => block.name,
        };
        write_head(out, name, block);
        if let Some(unit) = catalogue::unit_of(block.name) {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "# UNIT {name} {unit}");
        }
        for sample in &block.samples {
            push_with_float_bound(out, sample);
            out.push('\n');
        }
    }
}

fn write_head(out: &mut String, name: &str, block: &Block<'_>) {
    let published = catalogue::find(block.name).map(|family| family.help);
    // Without a word from anybody the help is the name in words: no family is without one.
    let words;
    let help = match block.help.or(published) {
        Some(help) => help,
        None => {
            words = block.name.trim_start_matches("bailiwick_").replace('_', " ");
            &words
        }
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", block.kind);
}

/// OpenMetrics wants bounds as floats (`1.0`, not `1`). The recorder writes `le` as the last label.
fn push_with_float_bound(out: &mut String, sample: &str) {
    let bound = sample.rsplit_once("le=\"").and_then(|(head, tail)| {
        let (bound, rest) = tail.split_once('"')?;
        // Only the label itself: a value that ends in `le=` stands between quotes, after no comma or brace.
        let is_label = head.ends_with(['{', ',']) && rest.starts_with('}');
        (is_label && bound.bytes().all(|byte| byte.is_ascii_digit())).then_some((head, bound, rest))
    });
    match bound {
        Some((head, bound, rest)) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{head}le=\"{bound}.0\"{rest}");
        }
        None => out.push_str(sample),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENDERED: &str = "# HELP b_requests_total Requests\n# TYPE b_requests_total counter\n\
        b_requests_total{kind=\"x\"} 7\n\n# HELP a_wait_seconds Wait\n# TYPE a_wait_seconds histogram\n\
        a_wait_seconds_bucket{route=\"/\",le=\"0.5\"} 1\na_wait_seconds_bucket{route=\"/\",le=\"1\"} 2\n\
        a_wait_seconds_bucket{route=\"/\",le=\"+Inf\"} 2\na_wait_seconds_sum{route=\"/\"} 0.9\n\
        a_wait_seconds_count{route=\"/\"} 2\n\n";

    #[test]
    fn families_are_in_order_and_without_blank_lines() {
        let mut out = String::new();
        write_text(&mut out, RENDERED, &HashSet::new());
        assert!(out.starts_with("# HELP a_wait_seconds Wait\n# TYPE a_wait_seconds histogram\n"));
        assert!(out.ends_with("# TYPE b_requests_total counter\nb_requests_total{kind=\"x\"} 7\n"));
        assert!(!out.contains("\n\n"));
    }

    #[test]
    fn openmetrics_names_the_family_without_total_and_writes_float_bounds() {
        let mut out = String::new();
        write_openmetrics(&mut out, RENDERED, &HashSet::new());
        assert!(out.contains("# TYPE b_requests counter\nb_requests_total{kind=\"x\"} 7\n"));
        assert!(out.contains("# TYPE a_wait_seconds histogram\n# UNIT a_wait_seconds seconds\n"));
        assert!(out.contains("le=\"0.5\"} 1\n") && out.contains("le=\"1.0\"} 2\n") && out.contains("le=\"+Inf\"} 2\n"));
    }

    #[test]
    fn a_family_that_was_written_before_is_not_written_again() {
        let mut out = String::new();
        write_text(&mut out, RENDERED, &HashSet::from(["b_requests_total"]));
        assert!(!out.contains("b_requests"));
    }

    #[test]
    fn a_family_without_help_gets_its_name_in_words() {
        let mut out = String::new();
        write_text(&mut out, "# TYPE bailiwick_new_thing gauge\nbailiwick_new_thing 1\n", &HashSet::new());
        assert_eq!(
            out,
            "# HELP bailiwick_new_thing new thing\n# TYPE bailiwick_new_thing gauge\nbailiwick_new_thing 1\n"
        );
    }
}
