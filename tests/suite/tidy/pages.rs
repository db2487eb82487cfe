//! Text that people read: nothing of one machine in it, links that lead somewhere, a map that is true, a fixed top level.

use super::finding::Finding;
use super::tree::Tree;

/// Where someone's machine shows. In two parts, so that this file has none of them.
const MACHINE: [[&str; 2]; 5] = [["/wo", "rk/"], ["/ro", "ot/"], ["/tmp", "/wt"], ["/ho", "me/"], ["/Us", "ers/"]];

/// What a visitor sees first; names that begin with a dot are not seen.
const TOP: [&str; 11] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "collector",
    "dashboards",
    "sdk",
    "slo",
    "tests",
];

pub(super) fn machines(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.texts {
        for (number, line) in text.lines().enumerate() {
            for place in MACHINE.map(|parts| parts.concat()) {
                if line.contains(&place) {
                    let says = format!("`{place}` is a place on somebody's machine: name it from the root of the tree");
                    findings.push(Finding::new(path, number + 1, &place, says));
                }
            }
        }
    }
    findings
}

pub(super) fn top(tree: &Tree) -> Vec<Finding> {
    let seen: std::collections::BTreeSet<&str> =
        tree.texts.keys().filter_map(|path| path.split('/').next()).filter(|name| !name.starts_with('.')).collect();
    let says = "is not of the top level that is fixed: find its room";
    let strangers = seen.iter().filter(|name| !TOP.contains(name)).map(|name| Finding::new(name, 1, name, says));
    let missing = TOP.iter().filter(|name| !seen.contains(*name));
    strangers.chain(missing.map(|name| Finding::new(name, 1, name, "is missing at the top level"))).collect()
}

pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts.iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut is_code = false;
        for (number, line) in text.lines().enumerate() {
            is_code ^= line.trim_start().starts_with("```");
            for target in targets(line).into_iter().filter(|_| !is_code) {
                let file = target.split('#').next().unwrap_or_default();
                let is_elsewhere = file.is_empty() || file.contains("://") || file.starts_with("mailto:");
                if !is_elsewhere && !joined(folder, file).is_some_and(|place| tree.has(&place)) {
                    let says = format!("the link to `{target}` leads nowhere: correct or remove it");
                    findings.push(Finding::new(path, number + 1, target, says));
                }
            }
        }
    }
    findings
}

/// What a line of Markdown links to: `[text](target)` and `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let named = line.starts_with('[').then(|| line.split_once("]: ")).flatten().map(|(_, target)| target.trim());
    inline.chain(named).collect()
}

/// A path from the root for one that is meant from a folder; none when it leads out of the tree.
fn joined(folder: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Files and folders that ARCHITECTURE.md names and that are not there.
pub(super) fn map(tree: &Tree) -> Vec<Finding> {
    let page = "ARCHITECTURE.md";
    let lines = tree.texts.get(page).into_iter().flat_map(|text| text.lines()).enumerate();
    let claims = lines.flat_map(|(number, line)| claimed(line).into_iter().map(move |claim| (number + 1, claim)));
    let untrue = claims.filter(|(_, (_, places))| !places.iter().any(|place| tree.has(place)));
    untrue
        .map(|(line, (name, _))| {
            Finding::new(page, line, name, format!("`{name}` is not there any more: correct the page"))
        })
        .collect()
}

/// What a line names, and where it may lie.
fn claimed(line: &str) -> Vec<(&str, Vec<String>)> {
    match line.trim_matches('|').split('|').collect::<Vec<_>>()[..] {
        [rooms, contents] => {
            let rooms = rooms_of(rooms);
            let room = rooms.first().map(|(_, place)| place.clone()).unwrap_or_default();
            let contents = quoted(contents).filter(|name| is_module(name)).map(|name| {
                let inside = format!("{room}/{}", name.trim_end_matches('/'));
                (name, vec![format!("{inside}.rs"), inside])
            });
            rooms.iter().map(|(name, place)| (*name, vec![place.clone()])).chain(contents).collect()
        }
        _ => {
            let files = quoted(line).filter(|name| name.contains('/') && name.ends_with(".rs"));
            files.map(|name| (name, vec![name.to_owned(), format!("collector/src/{name}")])).collect()
        }
    }
}

/// The places of a first cell from the root: in `` `a/b`, `c` `` the second one lies beside the first.
fn rooms_of(cell: &str) -> Vec<(&str, String)> {
    let first = quoted(cell).next().unwrap_or_default();
    let beside = first.rsplit_once('/').map_or("", |(folder, _)| folder);
    let place = |name: &str| {
        let path = if name.contains('/') { name.to_owned() } else { format!("{beside}/{name}") };
        path.trim_matches('/').to_owned()
    };
    quoted(cell).map(|name| (name, place(name))).collect()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// `name` or `name/`, in lower case.
fn is_module(name: &str) -> bool {
    let plain = name.strip_suffix('/').unwrap_or(name);
    !plain.is_empty() && plain.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

mod verdicts {
    use super::super::finding::judge;
    use super::super::tree::HOUSE;

    /// Scenario: every line of every file.
    /// Guarantee: no path of somebody's machine.
    #[test]
    fn no_line_names_a_place_on_a_machine() {
        judge(&super::machines(&HOUSE), &[]);
    }

    /// Scenario: what lies at the top.
    /// Guarantee: the eleven names that the design fixes.
    #[test]
    fn the_top_level_is_fixed() {
        judge(&super::top(&HOUSE), &[]);
    }

    /// Scenario: every relative link of every Markdown page.
    /// Guarantee: it leads to a file or a folder.
    #[test]
    fn links_lead_somewhere() {
        judge(&super::links(&HOUSE), &[]);
    }

    /// Scenario: ARCHITECTURE.md.
    /// Guarantee: the places that it names are there.
    #[test]
    fn the_map_is_true() {
        judge(&super::map(&HOUSE), &[]);
    }
}
