//! A story from its text.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Correction, Expect, Line, Problem, Story, Wanted};
use crate::document::{self, Context, Node, Severity, Value};
use crate::engine::sums::Source;

type Read<T> = Result<T, Problem>;

const STORY_KEYS: [&str; 7] = ["slo", "document", "tick", "start", "input", "corrections", "expect"];
const LINE_KEYS: [&str; 8] = ["tenant", "module", "from", "to", "per", "total", "bad", "source"];
const CORRECTION_KEYS: [&str; 6] = ["tenant", "module", "starts_at", "ends_at", "effect", "created_at"];

pub(super) fn read(text: &str, open: impl FnOnce(&str) -> Result<String, String>) -> Read<Story> {
    let (roots, findings) = document::read_tree(text);
    if let Some(finding) = findings.first() {
        return Err(Problem { line: finding.0, message: finding.1.clone() });
    }
    let [root] = &*roots else { return Err(Problem { line: 1, message: "a story is one document".to_owned() }) };
    known(root, &STORY_KEYS)?;
    let context = Context { ignores_references: true, ..Context::default() };
    let loaded = match (root.get("document"), root.get("slo").and_then(Node::text)) {
        (Some(node), None) => document::load_tree("document", node.clone(), &context),
        (None, Some(name)) => {
            let text = open(name).map_err(|message| wrong(root, &message))?;
            document::load(&[(name, &text)], &context)
        }
        _ => return Err(wrong(root, "a story has either `slo` (a file) or `document`")),
    };
    let errors = loaded.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|finding| finding.code.to_string()).collect();
    let tick_s = root.get("tick").map_or(Ok(10), duration)?;
    if !(1..=60).contains(&tick_s) {
        return Err(wrong(root, "`tick` is from 1s to 60s"));
    }
    let start = required(root, "start")?;
    let start_s = text_of(start)?
        .parse::<Timestamp>()
        .map_err(|_| wrong(start, "`start` is no time like 2026-03-01T00:00:00Z"))?;
    let list = |key: &str| root.get(key).map_or(&[][..], Node::items);
    Ok(Story {
        slos: loaded.slos,
        errors,
        tick_s: tick_s.unsigned_abs(),
        start_s: start_s.as_second(),
        input: list("input").iter().map(|node| line(node, tick_s)).collect::<Read<_>>()?,
        corrections: list("corrections").iter().map(correction).collect::<Read<_>>()?,
        expect: list("expect").iter().map(expect).collect(),
    })
}

fn line(node: &Node, tick_s: i64) -> Read<Line> {
    known(node, &LINE_KEYS)?;
    let (from, to) = (duration(required(node, "from")?)?, duration(required(node, "to")?)?);
    if from % tick_s != 0 || to % tick_s != 0 {
        return Err(wrong(node, "`from` and `to` are whole ticks"));
    }
    let count = |key: &str| node.get(key).map_or(Ok(0), number);
    let source = match node.get("source").and_then(Node::text) {
        None | Some("alive") => Source::Alive,
        Some("silent") => Source::Silent,
        Some("dead") => Source::Dead,
        Some(_) => return Err(wrong(node, "`source` is alive, silent or dead")),
    };
    let per = node.get("per").map_or(Ok(tick_s), duration)?;
    if per < 1 {
        return Err(wrong(node, "`per` is at least 1s"));
    }
    Ok(Line {
        tenant: text_of(required(node, "tenant")?)?.to_owned(),
        module: text_of(required(node, "module")?)?.to_owned(),
        from,
        to,
        per,
        total: count("total")?,
        bad: count("bad")?,
        source,
    })
}

fn correction(node: &Node) -> Read<Correction> {
    known(node, &CORRECTION_KEYS)?;
    let pattern = |key: &str| node.get(key).and_then(Node::text).unwrap_or("*").to_owned();
    // Edges widen to minutes.
    let (from, to) = (duration(required(node, "starts_at")?)?, duration(required(node, "ends_at")?)?);
    let is_good = match text_of(required(node, "effect")?)? {
        "good" => true,
        "exclude" => false,
        _ => return Err(wrong(node, "`effect` is exclude or good")),
    };
    Ok(Correction {
        tenant: pattern("tenant"),
        module: pattern("module"),
        from: from.div_euclid(60) * 60,
        to: -(-to).div_euclid(60) * 60,
        is_good,
        created_at: node.get("created_at").map(duration).transpose()?,
    })
}

fn expect(node: &Node) -> Expect {
    let values = match wanted(node) {
        Wanted::Map(values) => values,
        _ => BTreeMap::new(),
    };
    Expect { line: node.at.line, values }
}

fn wanted(node: &Node) -> Wanted {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_nothing() => Wanted::Nothing,
        Value::Scalar(scalar) => Wanted::Text(scalar.text.clone()),
        Value::List(items) => Wanted::List(items.iter().map(wanted).collect()),
        Value::Map(entries) => {
            Wanted::Map(entries.iter().map(|entry| (entry.key.clone(), wanted(&entry.node))).collect())
        }
    }
}

fn known(node: &Node, keys: &[&str]) -> Read<()> {
    match node.entries().iter().find(|entry| !keys.contains(&entry.key.as_str())) {
        Some(entry) => Err(wrong(&entry.node, &format!("unknown key `{}`; known are {}", entry.key, keys.join(", ")))),
        None => Ok(()),
    }
}

fn required<'a>(node: &'a Node, key: &str) -> Read<&'a Node> {
    node.get(key).ok_or_else(|| wrong(node, &format!("`{key}` is missing")))
}

fn text_of(node: &Node) -> Read<&str> {
    node.text().ok_or_else(|| wrong(node, "a single value is wanted"))
}

fn number(node: &Node) -> Read<i64> {
    text_of(node)?.parse().map_err(|_| wrong(node, "a whole number is wanted"))
}

fn duration(node: &Node) -> Read<i64> {
    seconds(text_of(node)?).ok_or_else(|| wrong(node, "a duration like 1h30m or -30d is wanted"))
}

/// Seconds of `1h2m` or `-30d`.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut sum: i64 = 0;
    let mut digits = String::new();
    for letter in rest.chars() {
        let unit = match letter {
            '0'..='9' => {
                digits.push(letter);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        sum = sum.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !rest.is_empty()).then_some(sign * sum)
}

fn wrong(node: &Node, message: &str) -> Problem {
    Problem { line: node.at.line, message: message.to_owned() }
}
