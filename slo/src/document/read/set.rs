//! All objects that were given together, by kind and name.

use std::collections::BTreeMap;

use super::value::{nearest, shortened};
use super::{Kind, Object, Version};
use crate::document::Context;
use crate::document::finding::{Code, Findings, FixAt};
use crate::document::tree::Spot;

/// All objects, by kind and name; the first of a name counts.
#[derive(Debug)]
pub(crate) struct Set<'a> {
    objects: BTreeMap<Kind, BTreeMap<&'a str, &'a Object>>,
    is_whole: bool,
    receivers: Option<&'a [&'a str]>,
}

impl<'a> Set<'a> {
    /// Gathers them and tells of names that stand twice.
    pub(crate) fn new(objects: &'a [Object], files: &[&str], context: &Context<'a>, out: &mut Findings) -> Self {
        let is_whole = !context.ignores_references;
        let mut set = Self { objects: BTreeMap::new(), is_whole, receivers: context.receivers };
        for object in objects.iter().filter(|object| !object.name.is_empty()) {
            let Some((_, kind)) = object.what else { continue };
            let known = set.objects.entry(kind).or_default();
            if let Some(first) = known.get(object.name.as_str()) {
                let (kind, name) = (kind.name(), shortened(&object.name));
                let raw = out.add(Code::Duplicate, object.name_at, format!("a second {kind} `{name}`"));
                raw.help(format!("the first is at {}", written_place(first.name_at, files)));
            } else {
                known.insert(&object.name, object);
            }
        }
        set
    }

    /// The object of a name.
    pub(crate) fn get(&self, kind: Kind, name: &str) -> Option<&'a Object> {
        self.objects.get(&kind)?.get(name).copied()
    }

    /// The object that is referred to at a spot; tells if there is none.
    pub(crate) fn find(&self, kind: Kind, name: &str, at: Spot, out: &mut Findings) -> Option<&'a Object> {
        let found = self.get(kind, name);
        if found.is_none() && self.is_whole {
            let message = format!("there is no {} `{}`", kind.name(), shortened(name));
            // Each guess looks at all names: after so many nobody reads them.
            const GUESSES_MAX: usize = 200;
            let may_guess = out.len() < GUESSES_MAX;
            let raw = out.add(Code::Unresolved, at, message);
            let known = self.objects.get(&kind).filter(|_| may_guess);
            let names = known.into_iter().flatten().map(|(name, _)| *name);
            if let Some(near) = nearest(name, names) {
                raw.help(format!("did you mean `{near}`?")).fix(FixAt::Here, near);
            }
        }
        found
    }

    /// The known receivers and the nearest of them, if this one is not known.
    pub(crate) fn unknown_receiver(&self, name: &str) -> Option<(String, Option<&'a str>)> {
        let known = self.receivers.filter(|known| self.is_whole && !known.contains(&name))?;
        Some((known.join(", "), nearest(name, known.iter().copied())))
    }
}

/// What an object is read with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Whose language it is written in.
    pub(crate) version: Version,
    /// What it may refer to.
    pub(crate) set: &'a Set<'a>,
}

/// A place as people write it: `file:line:column`.
pub(crate) fn written_place(spot: Spot, files: &[&str]) -> String {
    let file = usize::try_from(spot.file).ok().and_then(|file| files.get(file)).copied().unwrap_or_default();
    format!("{file}:{}:{}", spot.line, spot.column)
}
