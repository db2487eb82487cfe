//! The tree under test: what git tracks or would track, else what lies there; its texts, its Rust files as tokens.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use super::source::Source;

/// The house as it lies on the disk, read once.
pub(super) static HOUSE: LazyLock<Tree> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate lies in the workspace");
    let paths = listed(root).unwrap_or_else(|| walked(root));
    let texts = paths.into_iter().filter_map(|path| {
        let bytes = std::fs::read(root.join(&path)).ok()?;
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    });
    Tree::of(texts)
});

/// Files by their paths from the root, with `/` between folders.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) sources: Vec<Source>,
}

impl Tree {
    /// A tree of these files.
    pub(super) fn of(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let texts: BTreeMap<String, String> = texts.into_iter().collect();
        let rust: Vec<_> = texts.iter().filter(|(path, _)| path.ends_with(".rs")).collect();
        let read = |path: &str, text: &str, is_test| {
            Source::read(path, text, is_test).unwrap_or_else(|problem| panic!("{problem}"))
        };
        let mut sources: Vec<Source> = rust.iter().map(|(path, text)| read(path, text, is_test_folder(path))).collect();
        // What `#[cfg(test)] mod name;` declares is test code, with all that lies below it.
        let test_modules: Vec<String> = sources
            .iter()
            .filter(|source| !is_test_folder(&source.path))
            .flat_map(|source| source.test_modules().map(|name| format!("{}/{name}", module_folder(&source.path))))
            .collect();
        for (source, (path, text)) in sources.iter_mut().zip(rust) {
            let module = path.trim_end_matches(".rs");
            let is_under = |test: &String| module == test || module.starts_with(&format!("{test}/"));
            if test_modules.iter().any(is_under) {
                *source = read(path, text, true);
            }
        }
        Self { texts, sources }
    }

    /// Whether a file or a folder stands there.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.texts.contains_key(path) || self.texts.keys().any(|known| known.starts_with(&folder))
    }

    /// The sources below this folder, or the one at this path.
    pub(super) fn under<'t>(&'t self, path: &'t str) -> impl Iterator<Item = &'t Source> {
        self.sources.iter().filter(move |source| source.path.starts_with(path))
    }
}

/// The folder in which a file's modules lie.
pub(super) fn module_folder(path: &str) -> &str {
    let module = path.trim_end_matches(".rs");
    ["/mod", "/lib", "/main"].iter().find_map(|root| module.strip_suffix(root)).unwrap_or(module)
}

/// `tests/` itself, and the folder `tests` beside a crate's `src`.
fn is_test_folder(path: &str) -> bool {
    let mut folders = path.split('/');
    folders.next() == Some("tests") || folders.next() == Some("tests")
}

fn listed(root: &Path) -> Option<Vec<String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").arg("-C").arg(root).args(list).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// What tools make or keep beside the tree.
const BESIDE: [&str; 5] = ["target", ".git", ".venv", "node_modules", "__pycache__"];

/// Every file, where there is no git to ask.
fn walked(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root.join(&folder)).expect("the tree can be read");
        for entry in entries.map(|entry| entry.expect("the tree can be read")) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            match entry.file_type().expect("the tree can be read") {
                _ if BESIDE.contains(&&*name) => {}
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() => paths.push(path),
                _ => {}
            }
        }
    }
    paths
}
