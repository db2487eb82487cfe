//! The way of a set of texts, from files to SLOs and findings.

use std::collections::{BTreeMap, HashMap};

use super::compile::{Compiled, compile};
use super::finding::{Code, Finding, Findings, Fix, FixAt, Raw};
use super::read::{self, Kind, Object, Scope, Set};
use super::tree::{self, Origin, Spot, find_paths};
use super::{Adjustment, Context, Loaded, lint};

/// Most bytes of a file: 1 MiB.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Most objects of all files together.
pub const OBJECTS_MAX: usize = 10_000;

/// Reads, judges and compiles documents. `files` are names and texts; a reference in one finds its object in any.
///
/// Everything that is wrong is told at once, by file and position. Nothing panics.
#[must_use]
pub fn load(files: &[(&str, &str)], context: &Context<'_>) -> Loaded {
    let mut out = Findings::default();
    let mut objects = Vec::new();
    for (number, (_, text)) in files.iter().enumerate() {
        let file = u32::try_from(number).unwrap_or(u32::MAX);
        objects.extend(read_file(file, text, &mut out));
        if objects.len() > OBJECTS_MAX {
            let at = objects[OBJECTS_MAX].node.at;
            objects.truncate(OBJECTS_MAX);
            out.add(
                Code::Syntax,
                at,
                format!("more than {OBJECTS_MAX} objects; this one and all after it are not read"),
            );
            break;
        }
    }
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    judge(&objects, &names, context, out)
}

/// One object that stands within another text, as [`load`] would read it.
pub(crate) fn load_tree(name: &str, root: tree::Node, context: &Context<'_>) -> Loaded {
    let mut out = Findings::default();
    let objects = read::read_objects(vec![root], &mut out);
    judge(&objects, &[name], context, out)
}

/// A text as trees, and lines and messages of what is wrong with it.
pub(crate) fn read_tree(text: &str) -> (Vec<tree::Node>, Vec<(u32, String)>) {
    let mut out = Findings::default();
    let roots = tree::read(text, Origin { file: 0, lines: 0, columns: 0 }, &mut out);
    let wrong = out.into_sorted().into_iter().map(|raw| (raw.spot.line, raw.message));
    (roots, wrong.collect())
}

fn judge(objects: &[Object], names: &[&str], context: &Context<'_>, mut out: Findings) -> Loaded {
    let (compiled, adjustments) = compile_all(objects, names, context, &mut out);
    let findings = place(out, &trees(objects), names);
    let slos = compiled.into_iter().map(|compiled| compiled.slo).collect();
    Loaded { slos, adjustments, findings }
}

fn read_file(file: u32, text: &str, out: &mut Findings) -> Vec<Object> {
    let roots = read_roots(file, text, out);
    read::read_objects(roots, out)
}

/// A file as trees; `file` is its place among all that are given.
pub(crate) fn read_roots(file: u32, text: &str, out: &mut Findings) -> Vec<tree::Node> {
    if text.len() > FILE_BYTES_MAX {
        let at = Spot { file, line: 1, column: 1, is_key: false };
        out.add(Code::Syntax, at, format!("{} bytes; at most {FILE_BYTES_MAX} are read", text.len()));
        return Vec::new();
    }
    tree::read(text, Origin { file, lines: 0, columns: 0 }, out)
}

/// Tells what is wrong with objects that were given together.
pub(crate) fn check_objects(objects: &[Object], files: &[&str], context: &Context<'_>, out: &mut Findings) {
    compile_all(objects, files, context, out);
}

fn compile_all(
    objects: &[Object],
    files: &[&str],
    context: &Context<'_>,
    out: &mut Findings,
) -> (Vec<Compiled>, Vec<Adjustment>) {
    let set = Set::new(objects, files, context, out);
    let (mut compiled, mut adjustments) = (Vec::new(), Vec::new());
    for object in objects {
        let Some((version, kind)) = object.what else { continue };
        let scope = Scope { version, set: &set };
        read::check_keys(object, out);
        let Some(spec) = object.spec() else { continue };
        match kind {
            Kind::Slo => compiled.extend(compile(object, scope, context, out)),
            Kind::Sli => read::check_indicator(spec, scope, out),
            Kind::AlertPolicy => read::check_policy(spec, &set, out),
            Kind::AlertCondition => read::check_condition(spec, out),
            Kind::AlertNotificationTarget => read::check_target(spec, &set, out),
            Kind::BudgetAdjustment => adjustments.extend(read::adjustment(&object.name, spec, out)),
            Kind::AlertWindows => read::check_windows(spec, out),
            Kind::DataSource => read::check_data_source(spec, out),
            Kind::Service => {}
        }
    }
    first_of_each_id(&mut compiled);
    lint::judge(&compiled, &set, context, out);
    (compiled, adjustments)
}

/// Of SLOs of one id only the first is kept; the second was told of as a second object.
fn first_of_each_id(compiled: &mut Vec<Compiled>) {
    let mut seen = HashMap::new();
    compiled.retain(|one| seen.insert(one.slo.id.clone(), ()).is_none());
}

/// The trees of objects, each with the path at which it begins.
pub(crate) fn trees(objects: &[Object]) -> Vec<(&tree::Node, &'static str)> {
    let mut trees = Vec::new();
    for object in objects {
        trees.push((&object.node, ""));
        trees.extend(object.annotated.iter().map(|extension| (extension, read::ANNOTATION_PATH)));
    }
    trees
}

/// Works out the paths of findings within trees, each of which begins at a path of its own.
pub(crate) fn place(out: Findings, trees: &[(&tree::Node, &str)], files: &[&str]) -> Vec<Finding> {
    let raw = out.into_sorted();
    let mut wanted: BTreeMap<Spot, Option<String>> = raw.iter().map(|raw| (raw.spot, None)).collect();
    for (tree, path) in trees {
        find_paths(tree, path, &mut wanted);
    }
    let finding = |raw: Raw| {
        let path = wanted.get(&raw.spot).cloned().flatten().unwrap_or_default();
        let fix = raw.fix.map(|(at, value)| Fix { path: fix_path(&path, at), value });
        let file = usize::try_from(raw.spot.file).ok().and_then(|file| files.get(file)).copied().unwrap_or_default();
        Finding {
            code: raw.code,
            severity: raw.severity,
            file: file.to_owned(),
            line: raw.spot.line,
            column: raw.spot.column,
            path,
            message: raw.message,
            help: raw.help,
            fix,
        }
    };
    raw.into_iter().map(finding).collect()
}

fn fix_path(path: &str, at: FixAt) -> String {
    let join = |parent: &str, key: &str| if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") };
    match at {
        FixAt::Here => path.to_owned(),
        FixAt::Below(key) => join(path, key),
        FixAt::Beside(key) => join(path.rsplit_once('.').map_or("", |(parent, _)| parent), key),
        FixAt::Path(path) => path,
    }
}
