//! What code must never say: pauses and shared ports in tests, tests that are passed over, unfinished work, silenced
//! lints, queues without an end.

use super::finding::{Exception, Finding, except, is_in};
use super::paths::named;
use super::source::Source;
use super::tree::Tree;

/// What pauses.
const PAUSES: [&str; 5] = [
    "std::thread::sleep",
    "std::thread::park_timeout",
    "tokio::time::sleep",
    "tokio::time::sleep_until",
    "tokio::time::interval",
];

const PAUSE_EXCEPTIONS: &[Exception] = &[
    except("tests/src/crash/cuts.rs", "std::thread::sleep", "Power fails at a moment that nobody waits for."),
    except("tests/src/crash/run.rs", "std::thread::sleep", "A kill comes at a moment that nobody waits for."),
    except("tests/src/harness/eventually.rs", "tokio::time::sleep", "The one pause of all suites, between two looks."),
];

/// Words in a row that stand nowhere, with what to do instead.
const NEVER: [(&[&str], &str); 10] = [
    (&["#", "[", "ignore"], "a test that is not run proves nothing: repair or remove it"),
    (&["#", "[", "allow"], "write #[expect(lint, reason = \"...\")], which says when it is not needed any more"),
    (&["#", "!", "[", "allow"], "write #![expect(lint, reason = \"...\")], which says when it is not needed any more"),
    (&["todo", "!"], "finish it, or leave it out"),
    (&["unimplemented", "!"], "finish it, or leave it out"),
    (&["dbg", "!"], "remove it"),
    (&["unbounded_channel"], "a queue has a maximum: use a bounded channel"),
    (&["unbounded"], "a queue has a maximum: use a bounded channel"),
    (&["mpsc", "::", "channel", "(", ")"], "a queue has a maximum: use sync_channel"),
    (&["UnboundedSender"], "a queue has a maximum: use a bounded channel"),
];

pub(super) fn pauses(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        for name in named(source).iter().filter(|name| name.is_test) {
            if let Some(pause) = PAUSES.iter().find(|pause| is_in(&name.path, pause)) {
                let says = format!("`{pause}` in a test: wait with harness::eventually, or in paused time");
                findings.push(Finding::new(&source.path, name.line, pause, says));
            }
        }
    }
    findings
}

pub(super) fn never(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        for (words, instead) in NEVER {
            for at in source.places(words) {
                let says = format!("`{}`: {instead}", words.concat());
                findings.push(Finding::new(&source.path, source.tokens[at].line, &words.concat(), says));
            }
        }
    }
    findings
}

/// Listeners of tests with a port of their own choice.
pub(super) fn ports(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        let listens = source.places(&["bind", "("]).map(|at| (at, source.tokens[at + 1].end));
        let sets = source.places(&["listen", "="]).map(|at| (at, statement_end(source, at)));
        let regions = listens.chain(sets).filter(|(at, _)| source.is_test(*at));
        let mut chosen: Vec<usize> =
            regions.flat_map(|(at, end)| (at..end).filter(|at| is_port(source, *at))).collect();
        if source.path.starts_with("tests/") {
            let settings =
                (0..source.tokens.len()).filter(|at| source.text(*at).contains("listen=") && is_port(source, *at));
            chosen.extend(settings);
        }
        for at in chosen {
            let says = format!("a test listens at {}: let the system choose, with port 0", source.text(at));
            findings.push(Finding::new(&source.path, source.tokens[at].line, source.text(at), says));
        }
    }
    findings
}

fn statement_end(source: &Source, at: usize) -> usize {
    (at..source.tokens.len()).find(|place| source.text(*place) == ";").unwrap_or(at)
}

/// A number that is the port of a pair (`("127.0.0.1", 4317)`), or a text with an address that ends in one, other than 0.
fn is_port(source: &Source, at: usize) -> bool {
    let text = source.text(at);
    if text.starts_with('"') {
        let words = text.split(|letter: char| !letter.is_ascii_hexdigit() && !":.[]".contains(letter));
        let ports = words.filter_map(|word| word.rsplit_once(':')).map(|(_, port)| port.trim_end_matches(']'));
        return ports.into_iter().any(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    }
    let is_second = source.text_before(at) == "," && matches!(source.text(at + 1), ")" | ",");
    let is_last = source.text(at + 1) == ")" || source.text(at + 2) == ")";
    is_second && is_last && text.parse::<u16>().is_ok_and(|port| port != 0)
}

mod verdicts {
    use super::super::finding::judge;
    use super::super::tree::HOUSE;

    /// Scenario: all test code.
    /// Guarantee: nothing waits for a fixed time.
    #[test]
    fn tests_do_not_pause() {
        judge(&super::pauses(&HOUSE), super::PAUSE_EXCEPTIONS);
    }

    /// Scenario: all Rust files.
    /// Guarantee: no test is passed over, nothing is unfinished, no lint is silenced for ever, no queue is endless.
    #[test]
    fn nothing_is_passed_over_unfinished_or_endless() {
        judge(&super::never(&HOUSE), &[]);
    }

    /// Scenario: every listener of a test.
    /// Guarantee: the system chooses its port, so that tests run beside each other.
    #[test]
    fn tests_share_no_port() {
        judge(&super::ports(&HOUSE), &[]);
    }
}
