//! What was made is written, read again and judged, so that an import says all that a lint of its documents would.

use std::collections::BTreeMap;

use super::Tool;
use super::outline::Made;
use crate::document::{Code, Context, Document, Finding, Findings, OBJECTS_MAX, Spot, load, shortened};

/// Answers the documents, each name once, and tells what is wrong with them at the place that they were made from.
pub(super) fn judge(mut made: Vec<Made>, tool: Tool, files: &[&str], out: &mut Findings) -> Vec<Document> {
    // OpenSLO's objects were judged where they stand: only what is inactive is said again, as a map may have changed
    // it.
    let was_judged = tool == Tool::OpenSlo;
    if let Some(first) = made.get(OBJECTS_MAX) {
        out.add(
            Code::Syntax,
            first.at,
            format!("more than {OBJECTS_MAX} objects; this one and all after it are not read"),
        );
        made.truncate(OBJECTS_MAX);
    }
    let mut first_of: BTreeMap<(&'static str, String), Spot> = BTreeMap::new();
    made.retain(|one| {
        let key = (one.document.kind(), one.document.name().to_owned());
        let Some(first) = first_of.get(&key) else {
            first_of.insert(key, one.at);
            return true;
        };
        if !was_judged {
            let raw = out.add(Code::Duplicate, one.at, format!("a second {} `{}`", key.0, shortened(&key.1)));
            let file = usize::try_from(first.file).ok().and_then(|file| files.get(file)).copied().unwrap_or_default();
            raw.help(format!("the first is at {file}:{}:{}", first.line, first.column));
        }
        false
    });
    let texts: Vec<_> =
        made.iter().enumerate().map(|(place, one)| (place.to_string(), one.document.to_yaml())).collect();
    let files: Vec<_> = texts.iter().map(|(place, text)| (place.as_str(), text.as_str())).collect();
    for finding in load(&files, &Context::default()).findings {
        let one = finding.file.parse::<usize>().ok().and_then(|place| made.get(place));
        if let Some(one) = one.filter(|_| !was_judged || finding.code == Code::Foreign) {
            tell(&finding, one, out);
        }
    }
    made.into_iter().map(|one| one.document).collect()
}

fn tell(finding: &Finding, one: &Made, out: &mut Findings) {
    let Finding { code, severity, path, message, help, fix, .. } = finding;
    if *code == Code::Foreign {
        let raw = out.add_as(*code, *severity, one.at, message.clone());
        let name = one.document.name();
        raw.help(format!("name it in the map to have it evaluated here: `{name}: {{module: .., sli: {{kind: ..}}}}`"));
        return;
    }
    let place = if path.is_empty() { String::new() } else { format!(" (`{path}` of what is written)") };
    let edit = fix.as_ref().map(|fix| format!("write `{}` at `{}`", fix.value, fix.path));
    let help: Vec<_> = [Some(help.clone()).filter(|help| !help.is_empty()), edit].into_iter().flatten().collect();
    out.add_as(*code, *severity, one.at, format!("{message}{place}")).help(help.join("; "));
}
