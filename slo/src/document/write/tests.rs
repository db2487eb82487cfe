//! What is written is read back, whatever it is.

use proptest::prelude::*;

use super::{Document, Fields, Yaml};
use crate::document::finding::Findings;
use crate::document::read::Kind;
use crate::document::tree::{self, Node, Origin, Value};

fn read_back(text: &str) -> Node {
    let mut out = Findings::default();
    let mut roots = tree::read(text, Origin { file: 0, lines: 0, columns: 0 }, &mut out);
    assert!(out.raw().is_empty() && roots.len() == 1, "{text}\n{:?}", out.raw());
    roots.remove(0)
}

/// What a reader makes of it: tokens and texts alike are texts, but nothing is not the text `null`.
fn is_same(written: &Yaml, read: &Node) -> bool {
    match (written, &read.value) {
        (Yaml::Nothing, _) => read.is_nothing(),
        (Yaml::Plain(text) | Yaml::Text(text), Value::Scalar(scalar)) => !scalar.is_nothing() && *text == scalar.text,
        (Yaml::List(items), Value::List(nodes)) => {
            items.len() == nodes.len() && items.iter().zip(nodes).all(|(item, node)| is_same(item, node))
        }
        (Yaml::Map(fields), Value::Map(entries)) => {
            fields.len() == entries.len()
                && fields
                    .iter()
                    .zip(entries)
                    .all(|((key, value), entry)| *key == entry.key && is_same(value, &entry.node))
        }
        _ => false,
    }
}

fn texts() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "~",
        "null",
        "No",
        "- a",
        "a: b",
        "a #b",
        "---",
        "...",
        "1e3",
        "0x1f",
        "*",
        "!x",
        "&a",
        "%",
        "\u{85}",
        "a\n b\n",
        "a\n\n",
        "\ta\nb",
        "a\n\tb",
        "a\nb ",
        "a\r\nb",
        "[x]",
        "{",
        "'",
        "\"",
        "\\",
        "\u{2028}",
        "\u{feff}",
        "\0",
        "|",
        "> x",
        "? y",
        "@",
        "`",
        "a\n---\nb",
        "a\n...\nb",
        "a,b",
        "👍",
    ]);
    prop_oneof![
        any::<String>(),
        nasty.prop_map(str::to_owned),
        "[a-z \n#:{}\\[\\],'\"|>&*!%@`\\\\-]{0,40}",
        "[a-z]{90,130}",
        "[a-z ]{1020,1100}",
    ]
}

fn values() -> impl Strategy<Value = Yaml> {
    let leaf = prop_oneof![
        Just(Yaml::Nothing),
        any::<i64>().prop_map(Yaml::plain),
        texts().prop_map(Yaml::plain),
        texts().prop_map(Yaml::text),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let map = prop::collection::btree_map(texts(), inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Yaml::List),
            map.prop_map(|map| Yaml::Map(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(value in values(), name in texts()) {
        let document = Document::new(Kind::Slo, &name, Fields::new(), value.clone());
        let text = document.to_yaml();
        let read = read_back(&text);
        let spec = read.entry("spec").expect("a body");
        prop_assert!(is_same(&value, spec), "{text}");
        let metadata = read.entry("metadata").expect("metadata");
        prop_assert!(is_same(&Yaml::text(name), metadata.entry("name").expect("a name")));
        // What was read is written as the same text again, but for tokens that stood in quotes.
        let again = Document::new(Kind::Slo, document.name(), Fields::new(), Yaml::of(spec));
        prop_assert_eq!(again.to_yaml(), text);
    }
}

#[test]
fn small_things_stand_on_one_line_and_queries_in_blocks() {
    let tier = Fields::new().with("severity", Yaml::text("page")).with("consume", Yaml::plain("2%"));
    let spec = Fields::new()
        .with("description", Yaml::text("It answers: \"yes\"."))
        .with("query", Yaml::text("sum(\n  rate(x[5m])\n)\n"))
        .with("tiers", Yaml::List(vec![tier.into()]))
        .with("tenant", Yaml::text("*"));
    let document = Document::new(Kind::Slo, "1e3", Fields::new(), spec.into());
    let expected = "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {name: \"1e3\"}\nspec:\n  description: \"It answers: \
                    \\\"yes\\\".\"\n  query: |\n    sum(\n      rate(x[5m])\n    )\n  tiers: [{severity: page, consume: \
                    2%}]\n  tenant: \"*\"\n";
    assert_eq!(document.to_yaml(), expected);
}
