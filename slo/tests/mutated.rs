//! Documents that were damaged in any way are told of, never a panic.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bailiwick_slo::document::{Context, load};
use bailiwick_slo::import::{Options, Tool, import};
use proptest::prelude::*;

/// All documents of the other tests.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files =
        ["lint", "openslo", "compiled", "import"].map(|folder| fs::read_dir(root.join(folder)).expect("a folder"));
    let texts = files.into_iter().flatten().map(|entry| fs::read_to_string(entry.expect("an entry").path()));
    texts.map(|text| text.expect("a text")).collect()
});

/// What is put in a text's place.
const PIECES: [&str; 24] = [
    "",
    "\n",
    "  ",
    ":",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "|\n",
    "---\n",
    "*a",
    "&a ",
    "!x ",
    "~",
    "-1",
    "1e40",
    "99999999999999999999999",
    "1M",
    "0s",
    "%",
    "\t",
    "é\u{0}",
];

fn check(text: &str) {
    let instances = [("acme", "rag_hub"), ("globex", "chat")];
    for ignores_references in [false, true] {
        let context = Context {
            ignores_references,
            receivers: Some(&["oncall"]),
            owner: Some("acme"),
            instances: Some(&instances),
            ..Context::default()
        };
        let loaded = load(&[("test.yaml", text)], &context);
        for slo in &loaded.slos {
            let tiers = slo.terms_of("acme", "rag_hub").alerts.tiers;
            assert!(!slo.id.is_empty() && tiers.iter().all(|tier| tier.factor.numerator() > 0));
        }
        for finding in &loaded.findings {
            assert!(finding.line > 0 && finding.column > 0, "{finding:?}");
        }
    }
    for tool in Tool::ALL {
        let imported =
            import(tool, &[("test.yaml", text)], &Options { map: Some(("map.yaml", text)), ..Options::default() });
        for finding in &imported.findings {
            assert!(finding.line > 0 && finding.column > 0, "{finding:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_document_never_panics(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, 0..PIECES.len()), 1..6),
    ) {
        let mut characters: Vec<char> = which.get(&TEXTS).chars().collect();
        for (at, length, piece) in edits {
            let at = at.index(characters.len() + 1);
            let end = (at + length).min(characters.len());
            characters.splice(at..end, PIECES[piece].chars());
        }
        check(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn lines_that_are_missing_or_moved_never_panic(
        which in any::<prop::sample::Index>(),
        moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let mut lines: Vec<&str> = which.get(&TEXTS).lines().collect();
        for (from, to) in moves {
            let line = lines.remove(from.index(lines.len()));
            let to = to.index(lines.len() + 1);
            // Every other one is lost.
            if to % 2 == 0 {
                lines.insert(to, line);
            }
            if lines.is_empty() {
                break;
            }
        }
        check(&lines.join("\n"));
    }
}
