//! Documents as people write them, against the findings that they expect: `lint/NNN_bad.yaml` has what `lint/NNN_good.yaml`
//! cures. A file's first lines say what is known beside it (`# context:`) and what shall be told (`# expect:`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bailiwick_slo::document::{Code, Context, Finding, Loaded, load};
use bailiwick_slo::exact::Decimal;
use bailiwick_slo::spec::Sli;

/// What the first lines of a file say.
#[derive(Default)]
struct Head {
    expected: Vec<String>,
    owner: Option<String>,
    receivers: Option<Vec<String>>,
    instances: Option<Vec<(String, String)>>,
    traffic: Option<BTreeMap<String, u64>>,
    bounds: Option<BTreeMap<String, Vec<Decimal>>>,
}

impl Head {
    fn of(text: &str) -> Self {
        let mut head = Self::default();
        for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
            if let Some(expected) = line.strip_prefix("expect: ") {
                head.expected.push(expected.to_owned());
            } else if let Some(context) = line.strip_prefix("context: ") {
                head.know(context);
            }
        }
        head
    }

    fn know(&mut self, context: &str) {
        let (what, rest) = context.split_once(' ').expect("a context names what it knows");
        let pair = |text: &str, by: char| {
            let (one, other) = text.split_once(by).expect("a pair");
            (one.to_owned(), other.to_owned())
        };
        match what {
            "owner" => self.owner = Some(rest.to_owned()),
            "receivers" => self.receivers = Some(rest.split(' ').map(str::to_owned).collect()),
            "instances" => self.instances = Some(rest.split(' ').map(|text| pair(text, '/')).collect()),
            "traffic" => {
                let (id, total) = pair(rest, '=');
                self.traffic = Some(BTreeMap::from([(id, total.parse().expect("a count"))]));
            }
            "bounds" => {
                let (metric, bounds) = pair(rest, '=');
                let bounds = bounds.split(',').map(|bound| bound.parse().expect("a bound"));
                self.bounds = Some(BTreeMap::from([(metric, bounds.collect())]));
            }
            _ => panic!("unknown context {what}"),
        }
    }

    fn load(&self, name: &str, text: &str) -> Loaded {
        let receivers: Option<Vec<&str>> =
            self.receivers.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let instances: Option<Vec<(&str, &str)>> = self
            .instances
            .as_ref()
            .map(|list| list.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect());
        let context = Context {
            ignores_references: false,
            receivers: receivers.as_deref(),
            owner: self.owner.as_deref(),
            instances: instances.as_deref(),
            traffic: self.traffic.as_ref(),
            bounds: self.bounds.as_ref(),
        };
        load(&[(name, text)], &context)
    }
}

fn told(finding: &Finding) -> String {
    format!("{}:{} {} {}", finding.line, finding.column, finding.code, finding.severity.name())
}

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_file_is_told_exactly_what_it_expects() {
    let mut wrong = Vec::new();
    for (name, text) in files("lint").into_iter().chain(files("openslo")) {
        let head = Head::of(&text);
        let findings = head.load(&name, &text).findings;
        let found: Vec<_> = findings.iter().map(told).collect();
        if found != head.expected {
            let all = findings.iter().map(|finding| format!("\n    {} {}", told(finding), finding.message));
            wrong.push(format!("{name}: expected {:#?}, told {}", head.expected, all.collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_file_with_it_and_a_cured_one_without() {
    let files: BTreeMap<_, _> = files("lint").into_iter().collect();
    for code in Code::ALL {
        let heads = ["bad", "good"].map(|kind| {
            let name = format!("{:03}_{kind}.yaml", code.number());
            Head::of(files.get(&name).unwrap_or_else(|| panic!("{name} is missing"))).expected
        });
        let has = |expected: &[String]| expected.iter().any(|line| line.contains(&code.to_string()));
        assert!(has(&heads[0]) && !has(&heads[1]), "{code}");
    }
}

/// What is offered to be copied is as it should be: valid, without a warning, and there is one for each thing that is
/// promised of modules.
#[test]
fn the_catalogue_is_without_a_finding_and_has_what_modules_promise() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog");
    let mut kinds: Vec<&str> = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a file");
        let name = path.display().to_string();
        let loaded = load(&[(&name, &text)], &Context::default());
        assert_eq!(loaded.findings, [], "{name}");
        kinds.extend(loaded.slos.iter().map(|slo| match &slo.sli {
            Sli::Availability => "availability",
            Sli::Latency { .. } => "latency",
            Sli::Coverage(_) => "coverage",
            Sli::Leaks(_) => "leak-freedom",
            _ => "others",
        }));
    }
    for kind in ["availability", "latency", "coverage", "leak-freedom"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
}
