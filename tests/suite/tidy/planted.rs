//! Offences planted in small trees: each rule sees its own and nothing beside it, so that none of them can rot.

use super::finding::{Finding, except, judge};
use super::tree::Tree;
use super::{effects, imports, names, pages, practice, shape};

/// What is asked, a file, its text, and the findings as `line what`, joined by commas.
type Row<'r> = (fn(&Tree) -> Vec<Finding>, &'r str, &'r str, &'r str);

fn hold(rows: &[Row<'_>]) {
    for (rule, path, text, expected) in rows {
        let tree = Tree::of([((*path).to_owned(), (*text).to_owned())]);
        let found: Vec<String> = rule(&tree).iter().map(|found| format!("{} {}", found.line, found.what)).collect();
        assert_eq!(found.join(", "), *expected, "in {path}:\n{text}");
    }
}

/// Scenario: files that name rooms in every way that Rust knows, and crates that depend upwards.
/// Guarantee: strangers are found at their lines, also behind `super`, braces and other names; comments and texts are not.
#[test]
fn strangers_are_seen() {
    hold(&[
        (imports::rooms, "collector/src/otlp/x.rs", "use crate::journal::Record;", "1 journal::Record"),
        (
            imports::rooms,
            "collector/src/otlp/x.rs",
            "//! [`crate::app`]\nconst X: &str = \"crate::app\"; // crate::app",
            "",
        ),
        (
            imports::rooms,
            "collector/src/otlp/x.rs",
            "use crate::{units, otlp::wire,\n clock::Clock};",
            "2 clock::Clock",
        ),
        (imports::rooms, "collector/src/otlp/a/b.rs", "fn f() { super::super::super::journal::g(); }", "1 journal::g"),
        (imports::rooms, "collector/src/otlp/a/b.rs", "mod tests { use super::super::super::c; }", ""),
        (imports::rooms, "collector/src/otlp/mod.rs", "macro_rules! m { () => { $crate::app::run() } }", "1 app::run"),
        (
            imports::rooms,
            "collector/src/receiver/x.rs",
            "use crate::journal as j;\nfn f(_: j::Sequenced) {}",
            "2 journal::Sequenced",
        ),
        (
            imports::rooms,
            "collector/src/receiver/x.rs",
            "use crate::journal::*;\nuse crate::clock::Clock;",
            "1 journal::*",
        ),
        (imports::rooms, "collector/src/journal/x.rs", "use bailiwick_slo::time::Slot;", "1 slo::time::Slot"),
        (imports::rooms, "collector/src/garage/mod.rs", "", "1 garage"),
        (imports::app, "tests/src/x.rs", "use bailiwick_collector::app::run;", "1 bailiwick_collector::app::run"),
        (imports::app, "collector/src/cli/serve.rs", "use crate::app::run;", ""),
        (imports::crates, "slo/Cargo.toml", "[dependencies]\ntokio.workspace = true", "2 tokio"),
        (imports::crates, "slo/Cargo.toml", "[dev-dependencies]\nproptest.workspace = true", ""),
        (
            imports::crates,
            "sdk/Cargo.toml",
            "[dev-dependencies]\nbailiwick-slo = { path = \"../slo\" }",
            "2 bailiwick-slo",
        ),
        (imports::crates, "dashboards/Cargo.toml", "[dependencies.bailiwick-collector]", "1 bailiwick-collector"),
        (imports::crates, "garage/Cargo.toml", "", "1 garage"),
    ]);
}

/// Scenario: clocks, runtimes, logs and threads in the wrong places, under their own names and others.
/// Guarantee: each is found; modules of ours that are called alike are not.
#[test]
fn effects_are_seen() {
    hold(&[
        (effects::pure, "slo/src/x.rs", "use std::time::{Duration, Instant as Now};", "1 std::time::Instant"),
        (
            effects::pure,
            "slo/src/x.rs",
            "use std::time;\nfn f() { time::SystemTime::now(); }",
            "2 std::time::SystemTime",
        ),
        (effects::pure, "slo/src/x.rs", "fn f() { println!(); }", "1 println"),
        (effects::pure, "collector/src/tenancy/x.rs", "async fn f() { std::fs::read(\"x\"); }", "1 std::fs, 1 async"),
        (effects::pure, "collector/src/otlp/mod.rs", "mod metrics;\npub use metrics::visit;", ""),
        (
            effects::pure,
            "collector/src/otlp/x.rs",
            "use metrics::counter;\nfn f() { tracing::info!(); }",
            "1 metrics, 2 tracing",
        ),
        (effects::pure, "collector/src/aggregator/worker.rs", "use tokio::sync::mpsc;", ""),
        (
            effects::clocks,
            "collector/src/receiver/x.rs",
            "fn f() { std::time::SystemTime::now(); }",
            "1 std::time::SystemTime",
        ),
        (effects::clocks, "collector/src/clock.rs", "use std::time::SystemTime;", ""),
        (
            effects::starts,
            "collector/src/journal/x.rs",
            "use tokio::task;\nfn f() { task::spawn_blocking(g); }",
            "2 start",
        ),
        (effects::starts, "sdk/src/x.rs", "fn f() { handle.spawn(async {}); }", "1 start"),
        (effects::starts, "sdk/src/x.rs", "#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(g); } }", ""),
        (effects::starts, "sdk/src/x.rs", "enum E { #[cfg(test)] A }\nfn f() { std::thread::spawn(g); }", "2 start"),
        (effects::starts, "collector/src/app.rs", "fn f() { tokio::spawn(g()); }", ""),
    ]);
}

/// Scenario: files and functions of one line too many, doors with logic, files that open in silence.
/// Guarantee: each is found, also inside of macros.
#[test]
fn sizes_are_seen() {
    let function = |lines: usize| format!("fn long() {{\n{}}}", "//\n".repeat(lines - 2));
    let inside = format!("macro! {{\n{}}}", function(71));
    for (path, text, expected) in [
        ("slo/src/x.rs", "//\n".repeat(500), ""),
        ("slo/src/x.rs", "//\n".repeat(501), "501 file"),
        ("collector/src/main.rs", "//\n".repeat(81), "81 file"),
        ("collector/src/app.rs", "//\n".repeat(251), "251 file"),
        ("tests/suite/x.rs", function(70), ""),
        ("tests/suite/x.rs", function(71), "1 long"),
        ("slo/src/x.rs", inside, "2 long"),
    ] {
        hold(&[(shape::sizes, path, &text, expected)]);
    }
    hold(&[
        (shape::doors, "slo/src/a/mod.rs", "pub trait T { fn f(); }\npub struct S;\nimpl T for S {}", ""),
        (shape::doors, "slo/src/a/mod.rs", "fn f() {}\nimpl<'a> T for &'a b::S<u8> {}", "1 f, 2 "),
        (shape::doors, "slo/src/a/mod.rs", "struct S;\nimpl<T: Copy> S {}", "2 S"),
        (shape::doors, "slo/src/a/mod.rs", "#[cfg(test)]\nmod tests { fn f() {} }", ""),
        (shape::doors, "slo/src/a.rs", "fn f() {}", ""),
        (shape::openings, "slo/src/a.rs", "// x", "1 opening"),
        (shape::openings, "slo/src/a.rs", "//! X.", ""),
    ]);
}

/// Scenario: names that say nothing.
/// Guarantee: they are found as files, folders, modules, types and words, crates of others are not.
#[test]
fn empty_names_are_seen() {
    hold(&[
        (names::places, "slo/src/utils.rs", "", "1 utils"),
        (names::places, "tests/helpers/x.py", "", "1 helpers"),
        (names::places, "slo/src/x.rs", "\nmod common { }", "2 common"),
        (names::places, "slo/src/common_prefix.rs", "", ""),
        (names::words, "slo/src/x.rs", "fn time_utils() {}", "1 time_utils"),
        (names::words, "slo/src/x.rs", "struct CommonThing;\nenum Commonplace {}", "1 CommonThing"),
        (names::words, "slo/src/x.rs", "const MAX_ROWS: u8 = 1;\nstruct S { max_rows:&u8 }", "1 MAX_ROWS, 2 max_rows"),
        (names::words, "slo/src/x.rs", "const ROWS_MAX: u8 = u8::MAX;", ""),
    ]);
}

/// Scenario: pauses, shared ports, tests that are passed over, and what is unfinished or endless.
/// Guarantee: each is found, in test code only where it concerns tests.
#[test]
fn bad_practice_is_seen() {
    hold(&[
        (
            practice::pauses,
            "tests/suite/x.rs",
            "use std::thread;\nfn f() { thread::sleep(D); }",
            "2 std::thread::sleep",
        ),
        (practice::pauses, "slo/src/x.rs", "fn f() { std::thread::sleep(D); }", ""),
        (
            practice::pauses,
            "slo/src/x.rs",
            "#[cfg(test)]\nmod tests { use tokio::time::sleep; }",
            "2 tokio::time::sleep",
        ),
        (practice::never, "slo/src/x.rs", "#[ignore = \"slow\"]\nfn f() { todo!() }", "1 #[ignore, 2 todo!"),
        (
            practice::never,
            "slo/src/x.rs",
            "#![allow(dead_code)]\n#[allow(dead_code)]\nfn f() {}",
            "2 #[allow, 1 #![allow",
        ),
        (practice::never, "slo/src/x.rs", "fn f() { dbg!(unimplemented!()); }", "1 unimplemented!, 1 dbg!"),
        (practice::never, "slo/src/x.rs", "fn f() { tokio::sync::mpsc::unbounded_channel(); }", "1 unbounded_channel"),
        (practice::never, "slo/src/x.rs", "fn f() { mpsc::channel(); mpsc::channel(5); }", "1 mpsc::channel()"),
        (
            practice::ports,
            "tests/suite/x.rs",
            "fn f() { bind((\"127.0.0.1\", 0)); bind((\"127.0.0.1\", 80)); }",
            "1 80",
        ),
        (practice::ports, "tests/suite/x.rs", "fn f() { bind(\"[::1]:0\"); bind(\"[::1]:80\"); }", "1 \"[::1]:80\""),
        (practice::ports, "slo/src/x.rs", "fn f() { bind(\"0.0.0.0:80\"); }", ""),
        (practice::ports, "tests/src/x.rs", "fn f() { x.listen = from(([127, 0, 0, 1], 80)); }", "1 80"),
    ]);
    // Put together here, since this file is test code as well.
    let setting = format!("server.listen{}127.0.0.1:80", '=');
    let (text, found) = (format!("const X: &str = \"{setting}\";"), format!("1 \"{setting}\""));
    hold(&[(practice::ports, "tests/src/x.rs", &text, &found)]);
}

/// Scenario: pages with links and maps that lead nowhere, lines of one machine, strangers at the top.
/// Guarantee: each is found; what leads elsewhere or stands in code is not.
#[test]
fn untrue_pages_are_seen() {
    let map = "| Where | What |\n|---|---|\n| `slo/`, `gone` | x |\n| `a/b`, `c` | `d` and `e/` |\n";
    hold(&[
        (pages::links, "a/x.md", "[x](x.md) [y](../a/) [z](https://z) [#](#y)\n![i](i.png)", "2 i.png"),
        (pages::links, "a/x.md", "[x](../../x)\n```\n[y](y)\n```\n\n[z]: z.md", "1 ../../x, 6 z.md"),
        (pages::map, "ARCHITECTURE.md", map, "3 slo/, 3 gone, 4 a/b, 4 c, 4 d, 4 e/"),
        (pages::map, "ARCHITECTURE.md", "see `otlp/gone.rs` and `settings.rs`", "1 otlp/gone.rs"),
    ]);
    let machine = concat!("/wo", "rk/");
    let text = format!("a\ncd {machine}x");
    hold(&[(pages::machines, "README.md", &text, &format!("2 {machine}"))]);
    let missing =
        pages::top(&Tree::of([("scratch/x".to_owned(), String::new()), (".ci/run".to_owned(), String::new())]));
    assert_eq!(missing.len(), 12, "one stranger and all eleven: {missing:?}");
    assert_eq!(missing[0].what, "scratch");
}

fn finding() -> Finding {
    Finding::new("a/b.rs", 3, "x::y", "is wrong")
}

/// Scenario: a finding without an exception, and with those of other places.
/// Guarantee: it is told with its place.
#[test]
#[should_panic(expected = "a/b.rs:3: is wrong")]
fn what_no_exception_covers_is_told() {
    judge(&[finding()], &[except("a/c.rs", "x", "R."), except("a/b.rs", "x::yy", "R."), except("a/b", "x", "R.")]);
}

/// Scenario: exceptions by file, by folder and by module.
/// Guarantee: they hold.
#[test]
fn what_an_exception_covers_is_allowed() {
    for path in ["a/b.rs", "a/"] {
        judge(&[finding()], &[except(path, "x", "R.")]);
    }
}

/// Scenario: an exception for something that was removed.
/// Guarantee: it has to go as well.
#[test]
#[should_panic(expected = "`x::z` is not there any more: remove its exception (\"R.\")")]
fn an_exception_that_is_not_needed_is_told() {
    judge(&[finding()], &[except("a/b.rs", "x", "R."), except("a/b.rs", "x::z", "R.")]);
}
