//! The map: which module an SLO of another tool speaks of, and what is good there.
//!
//! ```yaml
//! checkout-availability: {module: checkout_api, sli: {kind: availability}}
//! ```

use super::outline::keys;
use crate::document::{
    Code, Findings, Node, Spot, Value, Yaml, check_ours, mapping, read_ours, read_roots, required, shortened, wrong,
};

/// All that a map says.
#[derive(Debug, Default)]
pub(super) struct Map {
    root: Option<Node>,
    entries: Vec<Mapped>,
}

/// What it says of one SLO.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    name: String,
    /// Where its name stands.
    pub(super) at: Spot,
    is_used: bool,
    /// Patterns of modules, if there are any.
    pub(super) module: Option<Yaml>,
    /// What is good of what; `None`: it cannot be read.
    pub(super) sli: Option<Yaml>,
}

impl Map {
    /// Reads the map; an empty text is an empty map.
    pub(super) fn read(text: &str, file: u32, out: &mut Findings) -> Self {
        let mut roots = read_roots(file, text, out);
        roots.retain(|root| !root.is_nothing());
        if let Some(second) = roots.get(1) {
            out.add(Code::Syntax, second.at, "a map is one document; this one is not read");
        }
        let Some(root) = roots.into_iter().next() else { return Self::default() };
        let mut entries = Vec::new();
        mapping(&root, out);
        for entry in root.entries() {
            if let Some(mapped) = mapping(&entry.node, out).map(|node| Mapped::read(&entry.key, node, out)) {
                entries.push(mapped);
            }
        }
        Self { root: Some(root), entries }
    }

    /// What it says of an SLO that has one of these names; the first of them counts.
    pub(super) fn find(&mut self, names: &[&str]) -> Option<&Mapped> {
        let place = names.iter().find_map(|name| self.entries.iter().position(|entry| entry.name == **name))?;
        self.entries[place].is_used = true;
        Some(&self.entries[place])
    }

    /// Tells of entries that no SLO was found for.
    pub(super) fn tell_unused(&self, out: &mut Findings) {
        for entry in self.entries.iter().filter(|entry| !entry.is_used) {
            let message = format!("no SLO that is imported here is called `{}`", shortened(&entry.name));
            // One map may serve many imports.
            keys::note(Code::Override, entry.at, message, out);
        }
    }

    /// Its tree.
    pub(super) const fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }
}

impl Mapped {
    fn read(name: &str, node: &Node, out: &mut Findings) -> Self {
        check_ours(node, &["module", "sli"], out);
        let module = node.get("module").and_then(|module| match &module.value {
            Value::List(items) if !items.is_empty() && items.iter().all(|item| item.text().is_some()) => {
                Some(Yaml::of(module))
            }
            Value::Scalar(_) => Some(Yaml::of(module)),
            _ => wrong(module, "a pattern or a list of patterns", out),
        });
        let sli = required(node, "sli", out).filter(|sli| read_ours(sli, Some(sli), out).is_some()).map(Yaml::of);
        Self { name: name.to_owned(), at: node.named, is_used: false, module, sli }
    }
}
