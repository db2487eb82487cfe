//! The command line as a whole: its help, and words to exit codes.

use std::fmt::Write as _;

use clap::{CommandFactory as _, Parser as _};

use super::dispatch::{Process, answer};
use super::{Answer, Arguments, Exit};

/// Every command with its path, as in `config show`.
fn commands() -> Vec<(String, clap::Command)> {
    fn collect(path: &str, command: &clap::Command, into: &mut Vec<(String, clap::Command)>) {
        into.push((path.to_owned(), command.clone()));
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            collect(&format!("{path} {}", below.get_name()), below, into);
        }
    }
    let mut root = Arguments::command().term_width(100);
    root.build();
    let mut all = Vec::new();
    collect("bailiwick", &root, &mut all);
    all
}

fn answer_to(words: &[&str]) -> Answer {
    let arguments = Arguments::try_parse_from([&["bailiwick"], words].concat()).expect("the words make sense");
    answer(&arguments.command.expect("a command is named"), &arguments.global, &Process::default())
}

#[test]
fn the_help_of_every_command_is_the_committed_one() {
    let mut text = String::new();
    for (path, mut command) in commands() {
        let help = command.render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        writeln!(text, "$ {path} --help\n{}\n", help.join("\n").trim_end()).expect("writing to a string does not fail");
    }
    if std::env::var_os("BAILIWICK_WRITE_HELP").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/help.txt");
        std::fs::write(path, &text).expect("the source folder can be written");
        return;
    }
    assert!(text == include_str!("help.txt"), "run: BAILIWICK_WRITE_HELP=1 cargo test -p bailiwick-collector cli::");
}

#[test]
fn every_help_ends_with_two_examples_that_parse() {
    for (path, mut command) in commands() {
        let help = command.render_long_help().to_string();
        let (_, examples) = help.rsplit_once("Examples:\n").unwrap_or_else(|| panic!("{path} shows no examples"));
        let examples: Vec<&str> = examples.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(examples.len(), 2, "{path}: {examples:?}");
        for example in examples {
            let words = example.split(" > ").next().unwrap_or_default().split_whitespace();
            assert!(Arguments::try_parse_from(words).is_ok(), "{example}");
        }
    }
}

#[test]
fn words_that_make_no_sense_end_with_2_and_help_with_0() {
    let code = |words: &[&str]| Arguments::try_parse_from(words).map_err(|error| error.exit_code()).err();
    assert_eq!(code(&["bailiwick", "srve"]), Some(2));
    assert_eq!(code(&["bailiwick", "config"]), Some(2));
    assert_eq!(code(&["bailiwick", "--help"]), Some(0));
    assert_eq!(code(&["bailiwick"]), None, "without a command it serves");
}

#[test]
fn validate_is_check() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/bailiwick.yaml");
    assert_eq!(answer_to(&["validate", file]), answer_to(&["check", file]));
    assert_eq!(answer_to(&["check", file]).exit, Exit::Done);
}

#[test]
fn completions_know_the_commands_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = answer_to(&["completions", shell]).data;
        assert!(script.contains("healthcheck"), "{shell}");
    }
}

#[test]
fn colours_are_for_terminals_and_no_color_is_honoured() {
    let bad = ["check", "--set", "server.nonsense=1", "-c", "/dev/null"];
    let data = |process: &Process, more: &[&str]| {
        let words = [&["bailiwick"], bad.as_slice(), more].concat();
        let arguments = Arguments::try_parse_from(words).expect("the words make sense");
        answer(&arguments.command.expect("a command is named"), &arguments.global, process).data
    };
    let terminal = Process { stdout_is_terminal: true, ..Process::default() };
    let mut refusing = terminal.clone();
    refusing.environment.insert("NO_COLOR".to_owned(), "1".to_owned());
    assert!(data(&terminal, &[]).contains('\u{1b}'));
    assert!(data(&Process::default(), &["--color", "always"]).contains('\u{1b}'));
    for (process, more) in [(&refusing, &[][..]), (&terminal, &["--color", "never"]), (&Process::default(), &[])] {
        assert!(!data(process, more).contains('\u{1b}'));
    }
}
