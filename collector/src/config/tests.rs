//! The room as a whole: text in, settings and problems out.

use std::path::Path;

use super::problem::count;
use super::render::Look;
use super::*;

fn compose_file(text: impl Into<Vec<u8>>) -> Loaded {
    compose(&[("bailiwick.yaml".to_owned(), text.into())], &Request::default(), Vec::new())
}

/// `code line:column` of each problem.
fn places(problems: &[Problem]) -> String {
    let one = |problem: &Problem| {
        let (line, column) = problem.place.as_ref().map_or((0, 0), Place::line_column);
        format!("{} {line}:{column}", problem.code.name())
    };
    problems.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_bad_file_has_all_its_problems_with_code_line_and_column() {
    let cases: Vec<&str> = include_str!("tests/bad_files.txt").split("=== ").skip(1).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut wrong = String::new();
    for case in cases {
        let (expected, text) = case.split_once('\n').expect("a case has a head and a text");
        let found = places(&compose_file(text).problems);
        if found != expected {
            wrong.push_str(&format!("expected {expected}\n   found {found}\n{text}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_committed_default_file_is_the_code_s() {
    let committed = include_str!("../../bailiwick.yaml");
    assert!(committed == write::default_file(), "run: bailiwick config default > collector/bailiwick.yaml");
}

#[test]
fn the_default_file_reads_as_the_defaults() {
    let loaded = compose_file(write::default_file());
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(compose_file("").settings, Settings::default(), "as does an empty file");
}

#[test]
fn the_default_file_names_its_schema_and_every_key() {
    let text = write::default_file();
    assert_eq!(text.lines().next(), Some("# yaml-language-server: $schema=schemas/config.json"));
    let written = compose_file(text).written;
    for path in schema::shape().paths() {
        assert_ne!(written.nearest(&path), written.nearest("no_such_key"), "{path}");
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let key = path.rsplit('.').next().expect("a split has a first part");
        assert!(written.nearest(parent).entry(key).is_some(), "{path}");
    }
}

#[test]
fn sections_with_all_their_keys_commented_out_keep_the_defaults() {
    let loaded = compose_file("server:\n  # body_max: 1MiB\nreceiver:\n  grpc:\n");
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.settings, Settings::default());
}

#[test]
fn mutations_of_the_default_file_never_panic() {
    const MUTATIONS: u64 = 2_500;
    let original = write::default_file().into_bytes();
    // Bytes that mean something to YAML come up more often than chance would have it.
    let marks = b"\t\n :-{}[]&*!|>'\"%@`#,?$\\\x00\xff\xc3";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("it is below a usize")
    };
    let mut refused = 0;
    for _ in 0..MUTATIONS {
        let mut bytes = original.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            let mark = marks[random(marks.len())];
            match random(4) {
                0 => bytes[at] = mark,
                1 => bytes.insert(at, mark),
                2 => drop(bytes.drain(at..(at + random(40)).min(bytes.len()))),
                _ => bytes[at] = u8::try_from(random(256)).expect("it is below 256"),
            }
        }
        let loaded = compose_file(bytes);
        let text = render::human(&loaded.problems, Look::Plain);
        assert_eq!(text.is_empty(), loaded.problems.is_empty());
        refused += u64::from(!loaded.is_valid());
    }
    assert!(refused > MUTATIONS / 4, "{refused} of {MUTATIONS} mutations were refused: do they still hit anything?");
}

#[test]
fn files_merge_in_order_and_environment_and_flags_win() {
    let files = vec![
        ("main.yaml".to_owned(), b"server: {requests_max: 1, body_max: 1KiB}\nlimits: {links_max: 1}\n".to_vec()),
        ("conf.d/a.yaml".to_owned(), b"server: {requests_max: 2}\nlimits: {links_max: 2, items_max: 2}\n".to_vec()),
        ("conf.d/b.yaml".to_owned(), b"limits: {items_max: 3}\ntenancy: {attributes: [only]}\n".to_vec()),
    ];
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Request {
        environment: [variable("BAILIWICK_LIMITS__ITEMS_MAX", "4"), variable("BAILIWICK_LIMITS__BUCKETS_MAX", "4")]
            .into(),
        set: vec!["limits.buckets_max=5".to_owned()],
        ..Request::default()
    };
    let loaded = compose(&files, &request, Vec::new());
    assert_eq!(loaded.problems, []);
    let Settings { server, limits, tenancy, .. } = loaded.settings;
    assert_eq!((server.requests_max, server.body_max.0), (2, 1_024), "mappings merge");
    assert_eq!((limits.links_max, limits.items_max, limits.buckets_max), (2, 4, 5));
    assert_eq!(tenancy.attributes, ["only"], "lists replace");
}

#[test]
fn each_leaf_tells_where_it_comes_from() {
    let request = Request {
        environment: [("BAILIWICK_SERVER__BODY_MAX".to_owned(), "2MiB".to_owned())].into(),
        set: vec!["server.listen=127.0.0.1:0".to_owned()],
        ..Request::default()
    };
    let loaded = compose(&[("my.yaml".to_owned(), b"\nserver:\n  requests_max: 9\n".to_vec())], &request, vec![]);
    let text = write::yaml(&loaded.effective, true);
    for line in [
        "  listen: 127.0.0.1:0  # flag",
        "  external_url: null  # default",
        "  body_max: 2MiB  # env BAILIWICK_SERVER__BODY_MAX",
        "  requests_max: 9  # my.yaml:3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn what_is_shown_as_effective_reads_back_as_the_same_settings() {
    let text =
        "tenancy:\n  aliases: {\"47 11\": acme, 'a.b': a$$b, yes: 'no'}\n  attributes: ['*', \"1\", 'a: b', '#']\n";
    let settings = |text: &str| {
        let loaded = compose_file(text.replace("a$$b", "a"));
        assert_eq!(loaded.problems, [], "{text}");
        (write::yaml(&loaded.effective, true), loaded.settings)
    };
    let (shown, first) = settings(text);
    let (again, second) = settings(&shown);
    assert_eq!(first, second);
    assert_eq!(again.lines().count(), shown.lines().count());
}

#[test]
fn a_value_from_the_environment_is_checked_like_a_written_one() {
    let request = Request { environment: [("N".to_owned(), "7".to_owned())].into(), ..Request::default() };
    let compose_with = |text: &str| compose(&[("x".to_owned(), text.into())], &request, Vec::new());
    assert_eq!(compose_with("server: {requests_max: \"${N}\"}").problems.len(), 1, "quotes make text of it");
    let loaded = compose_with("server:\n  requests_max: ${N}\n");
    assert_eq!((loaded.problems.len(), loaded.settings.server.requests_max), (0, 7));
}

#[test]
fn a_problem_in_a_variable_or_flag_is_placed_in_it() {
    let request = Request {
        environment: [("BAILIWICK_SERVER__LISTN".to_owned(), "x".to_owned())].into(),
        set: vec!["server.body_max=12".to_owned(), "nonsense".to_owned()],
        ..Request::default()
    };
    let loaded = compose(&[], &request, Vec::new());
    assert_eq!(places(&loaded.problems), "unknown_key 1:19 bad_size 1:17 yaml_syntax 1:1");
    let names: Vec<&str> =
        loaded.problems.iter().filter_map(|p| p.place.as_ref()).map(|place| place.source.name.as_str()).collect();
    assert_eq!(names, ["env BAILIWICK_SERVER__LISTN", "--set", "--set"]);
}

#[test]
fn a_file_that_is_missing_or_not_utf_8_is_a_problem() {
    let request = Request { file: Some(Path::new("/no/such/file.yaml").to_owned()), ..Request::default() };
    let loaded = load(&request);
    assert_eq!(places(&loaded.problems), "file_missing 1:1");
    assert!(loaded.problems[0].message.contains("failed to read `/no/such/file.yaml`"));
    assert_eq!(places(&compose_file(b"server:\n  \xff: 1\n".to_vec()).problems), "yaml_syntax 2:3");
}

#[test]
fn files_of_conf_d_are_read_in_byte_order_and_others_are_not() {
    let folder = std::env::temp_dir().join(format!("bailiwick-conf-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("conf.d")).expect("the temporary folder can be written");
    let main = folder.join("bailiwick.yaml");
    for (name, text) in [
        ("bailiwick.yaml", "limits: {links_max: 1}"),
        ("conf.d/10-a.yaml", "limits: {links_max: 2, items_max: 2}"),
        ("conf.d/9-b.yaml", "limits: {links_max: 3}"),
        ("conf.d/z.yml", "limits: {links_max: 4}"),
        ("conf.d/.hidden.yaml", "limits: {links_max: 5}"),
    ] {
        std::fs::write(folder.join(name), text).expect("the temporary folder can be written");
    }
    let loaded = load(&Request { file: Some(main), ..Request::default() });
    std::fs::remove_dir_all(&folder).expect("it was made above");
    assert_eq!(loaded.problems, []);
    assert_eq!((loaded.settings.limits.links_max, loaded.settings.limits.items_max), (3, 2));
}

#[test]
fn problems_are_drawn_as_the_manual_shows_them() {
    let loaded = compose(
        &[("/etc/bailiwick/bailiwick.yaml".to_owned(), b"# x\n\nserver:\n  listn: 0.0.0.0:4319\n".to_vec())],
        &Request::default(),
        Vec::new(),
    );
    let expected = "\
error[unknown_key]: unknown key `listn` in `server`
     [/etc/bailiwick/bailiwick.yaml:4:3]
 4 |   listn: 0.0.0.0:4319
   :   ^^^^^ did you mean `listen`?
  help: keys of `server`: allowed_hosts, body_max, external_url, listen, requests_max

";
    assert_eq!(render::human(&loaded.problems, Look::Plain), expected);
    let terminal = render::human(&loaded.problems, Look::Terminal);
    assert!(terminal.contains("did you mean `listen`?") && terminal.contains('\u{1b}'), "{terminal}");
}

#[test]
fn problems_as_json_and_as_annotations_carry_every_field() {
    let loaded = compose_file("server:\n  listn: 1\nlimits:\n  inflight_bytes_max: 100MiB\n");
    assert_eq!(
        render::json(&loaded.problems),
        serde_json::json!({
            "schema": "bailiwick.check/v1",
            "problems": [
                {
                    "code": "unknown_key", "severity": "error", "file": "bailiwick.yaml", "line": 2, "column": 3,
                    "path": "server.listn", "message": "unknown key `listn` in `server`",
                    "help": "did you mean `listen`? keys of `server`: allowed_hosts, body_max, external_url, listen, \
                             requests_max",
                },
                {
                    "code": "conflict", "severity": "warning", "file": "bailiwick.yaml", "line": 4, "column": 23,
                    "path": "limits.inflight_bytes_max",
                    "message": "bodies above half of `limits.inflight_bytes_max` (50MiB) are refused before 64MiB is \
                                reached",
                    "help": "lower it, or raise `limits.inflight_bytes_max` to twice of it",
                },
            ],
            "errors": 1,
            "warnings": 1,
        })
    );
    let annotation = render::github(&loaded.problems[..1]);
    assert!(annotation.starts_with("::error file=bailiwick.yaml,line=2,col=3,title=unknown_key::unknown key `listn`"));
    assert!(annotation.contains("%0Adid you mean"), "{annotation}");
}

#[test]
fn at_most_a_hundred_problems_are_shown_and_all_are_counted() {
    let text: String = (0..150).map(|n| format!("key{n}: 1\n")).collect();
    let problems = compose_file(text).problems;
    assert_eq!(count(&problems), (150, 0));
    assert_eq!(render::json(&problems)["problems"].as_array().map(Vec::len), Some(100));
    assert!(render::human(&problems, Look::Plain).ends_with("... and 50 more problems\n"));
}

#[test]
fn what_a_file_holds_does_not_steer_the_terminal() {
    let problems = compose_file("server: \"\\e[2J\u{9b}31m\"\nx\u{85}y: 1\n").problems;
    let text = render::human(&problems, Look::Plain);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn a_bomb_of_aliases_and_deep_nesting_end_at_once() {
    let bomb = "a: &a [x]\nb: &b [*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c]\n";
    assert!(compose_file(bomb).problems.iter().filter(|p| p.code == Code::YamlSyntax).count() >= 12);
    assert!(compose_file("[".repeat(100_000)).problems.iter().any(|p| p.message.contains("nested deeper")));
    assert!(compose_file("- ".repeat(100_000)).problems.iter().any(|p| p.message.contains("nested deeper")));
}
