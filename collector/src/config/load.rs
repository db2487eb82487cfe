//! Where the configuration is read from, and in which order: the only file of this room that touches the disk.
//!
//! Defaults < main file < `conf.d` < environment < `--set`. Mappings merge; lists and scalars replace.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::problem::{self, Code, Place, Problem, Source, SourceKind, quote};
use super::settings::Settings;
use super::written::{self, Environment, Node, Value, expand, merge};
use super::{schema, valid};

/// Where the main file is looked for when nothing names one.
pub const DEFAULT_FILE: &str = "/etc/bailiwick/bailiwick.yaml";

/// Longest file: settings are a few KiB, and every byte may be quoted in a problem.
pub(super) const FILE_BYTES_MAX: usize = 256 << 10;

/// Most files of `conf.d`.
const FILES_MAX: usize = 256;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--config` or `BAILIWICK_CONFIG`; without it the default file if there is one.
    pub file: Option<PathBuf>,
    /// `--set key=value`, in order.
    pub set: Vec<String>,
    /// The process environment.
    pub environment: Environment,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings in force, if no problem is an error; else with defaults in the place of what is wrong.
    pub settings: Settings,
    /// Every key with its value and where it was written.
    pub effective: Node,
    /// The keys that were written, without the defaults.
    pub written: Node,
    /// All problems in reading order.
    pub problems: Vec<Problem>,
    /// Names of the sources that set something, by rising precedence.
    pub sources: Vec<String>,
}

impl Loaded {
    /// Whether the daemon may start with it.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        problem::count(&self.problems).0 == 0
    }
}

/// Reads all sources and reports all problems.
#[must_use]
pub fn load(request: &Request) -> Loaded {
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    let default = Path::new(DEFAULT_FILE);
    let main = request.file.as_deref().or_else(|| default.exists().then_some(default));
    let paths = main.map_or_else(Vec::new, |main| with_parts(main, &mut problems));
    for path in paths {
        match read_text(&path) {
            Ok(text) => texts.push((path.display().to_string(), text)),
            Err(problem) => problems.push(*problem),
        }
    }
    compose(&texts, request, problems)
}

/// Reads one file by itself over the defaults, without `conf.d`, environment or flags.
#[must_use]
pub fn load_alone(path: &Path, environment: &Environment) -> Loaded {
    let mut problems = Vec::new();
    let texts = match read_text(path) {
        Ok(text) => vec![(path.display().to_string(), text)],
        Err(problem) => {
            problems.push(*problem);
            Vec::new()
        }
    };
    compose_layers(&texts, environment, Vec::new(), problems)
}

/// The main file and those of `conf.d` beside it, in byte order.
fn with_parts(main: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut paths = vec![main.to_owned()];
    let folder = main.with_file_name("conf.d");
    let Ok(entries) = std::fs::read_dir(&folder) else { return paths };
    let mut parts: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml") && !is_hidden(path))
        .collect();
    parts.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    if parts.len() > FILES_MAX {
        let message = format!("{} has {} files; at most {FILES_MAX} are read", folder.display(), parts.len());
        problems.push(Problem::error(Code::OutOfRange, message));
        parts.truncate(FILES_MAX);
    }
    paths.extend(parts);
    paths
}

/// Editors and ConfigMap mounts keep files of their own there.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn read_text(path: &Path) -> Result<Vec<u8>, Box<Problem>> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    let problem = match read {
        Ok(_) if bytes.len() <= FILE_BYTES_MAX => return Ok(bytes),
        Ok(_) => {
            let message = format!("{} is longer than {} KiB", quote(&name), FILE_BYTES_MAX >> 10);
            Problem::error(Code::OutOfRange, message)
        }
        Err(error) => Problem::error(Code::FileMissing, format!("failed to read {}: {error}", quote(&name))),
    };
    let source = Arc::new(Source { name, text: String::new(), kind: SourceKind::File, rank: 0 });
    Err(Box::new(problem.at(&Place::new(&source, 0, 0))))
}

/// Makes settings of texts (name and bytes), environment and flags: all of [`load`] but the files.
#[must_use]
pub fn compose(texts: &[(String, Vec<u8>)], request: &Request, mut problems: Vec<Problem>) -> Loaded {
    let rank = texts.len() + 1;
    let (mut layers, found) = written::from_environment(&request.environment, schema::shape(), rank);
    problems.extend(found);
    for text in &request.set {
        let (node, found) = written::from_flag(text, rank + layers.len());
        problems.extend(found);
        layers.extend(node);
    }
    compose_layers(texts, &request.environment, layers, problems)
}

fn compose_layers(
    texts: &[(String, Vec<u8>)],
    environment: &Environment,
    assigned: Vec<Node>,
    mut problems: Vec<Problem>,
) -> Loaded {
    let shape = schema::shape();
    let defaults = defaults();
    let mut layers = Vec::new();
    for (at, (name, bytes)) in texts.iter().enumerate() {
        let (node, found) = read_file(name, bytes, at + 1);
        problems.extend(found);
        layers.push(node);
    }
    layers.extend(assigned);
    let mut sources: Vec<String> = Vec::new();
    let mut written = Node::empty(&defaults.place.source);
    let mut effective = defaults;
    for layer in layers {
        sources.push(layer.place.source.name.clone());
        let expanded = expand(layer, environment, &mut problems);
        let Some(layer) = expanded.and_then(|layer| valid::check_structure(layer, shape, &mut problems)) else {
            continue;
        };
        written = merge(written, layer.clone());
        effective = merge(effective, layer);
    }
    sources.dedup();
    let settings = valid::read_settings(&effective, &mut problems);
    valid::check_rules(&settings, &effective, &mut problems);
    problem::sort(&mut problems);
    Loaded { settings, effective, written, problems, sources }
}

fn read_file(name: &str, bytes: &[u8], rank: usize) -> (Node, Vec<Problem>) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let source = Arc::new(Source { name: name.to_owned(), text, kind: SourceKind::File, rank });
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        let problem = Problem::error(Code::YamlSyntax, "not UTF-8: a byte here is no character");
        return (Node::empty(&source), vec![problem.at(&Place::new(&source, at, at + 1))]);
    }
    let (node, mut problems) = written::read(&source, 0);
    let node = node.filter(|node| !node.is_nothing()).unwrap_or_else(|| Node::empty(&source));
    if matches!(node.value, Value::Section(_)) {
        return (node, problems);
    }
    let problem = Problem::error(Code::WrongType, "the file is no mapping of keys").at(&node.place);
    problems.push(problem.help("write sections such as `receiver:` with their keys below"));
    (Node::empty(&source), problems)
}

/// The defaults as a tree, in the order in which the settings are declared.
#[must_use]
pub(super) fn defaults() -> Node {
    static DEFAULTS: LazyLock<Node> = LazyLock::new(|| {
        let text = serde_json::to_string(&Settings::default()).expect("settings are text, numbers, lists and mappings");
        let source = Arc::new(Source { name: "default".to_owned(), text, kind: SourceKind::Defaults, rank: 0 });
        // JSON is YAML.
        let (node, mut problems) = written::read(&source, 0);
        let node = node.and_then(|node| valid::check_structure(node, schema::shape(), &mut problems));
        debug_assert!(problems.is_empty(), "{problems:?}");
        node.expect("the defaults are a mapping that fits their own schema")
    });
    DEFAULTS.clone()
}
