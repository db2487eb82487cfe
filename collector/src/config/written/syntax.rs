//! YAML text to a [`Node`] tree. What stands before a syntax error is kept, so that it can be checked too.

use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span};

use super::tree::{DEPTH_MAX, Entry, Node, Scalar, Value};
use crate::config::problem::{Code, Place, Problem, Source, quote};

/// Reads `source.text[from..]`, whose problems are placed in the whole text.
///
/// Answers the mapping, list or scalar that was written (none for an empty text) and what is wrong with it.
#[must_use]
pub(in crate::config) fn read(source: &Arc<Source>, from: usize) -> (Option<Node>, Vec<Problem>) {
    let mut builder =
        Builder { source, from, open: Vec::new(), root: None, skip: 0, documents: 0, problems: Vec::new() };
    for event in Parser::new_from_str_with_options(&source.text[from..], options()) {
        match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                builder.refuse(&error);
                break;
            }
        }
    }
    builder.close_all();
    (builder.root, builder.problems)
}

fn options() -> Options {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    options.set_emit_comments(false);
    options
}

/// Most keys of a mapping: far more than anyone writes, few enough to look for repeats one by one.
const KEYS_MAX: usize = 4_096;

/// A mapping or list whose end was not yet seen.
struct Open {
    place: Place,
    value: Value,
    /// The key whose value comes next.
    key: Option<Key>,
}

enum Key {
    Named(String, Place),
    /// One that was refused; its value is left out.
    Refused,
}

struct Builder<'source> {
    source: &'source Arc<Source>,
    from: usize,
    open: Vec<Open>,
    root: Option<Node>,
    /// Depth inside a collection that stands where a key belongs and is left out.
    skip: usize,
    documents: usize,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) {
        let place = self.place(span);
        if self.skip > 0 {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => self.skip += 1,
                Event::SequenceEnd | Event::MappingEnd => self.skip -= 1,
                _ => {}
            }
            return;
        }
        if event.tag().is_some() {
            let problem = Problem::error(Code::YamlSyntax, "YAML tags are not used here");
            let tag = span.tag_span().map_or_else(|| place.clone(), |span| self.place(&span));
            self.problems.push(problem.at(&tag).help("leave the tag out; quote a value that shall be text"));
        }
        match event {
            Event::DocumentStart(..) => self.begin_document(&place),
            Event::Scalar(text, style, ..) => {
                let quoted = style != ScalarStyle::Plain;
                self.put(Node { place, value: Value::Scalar(Scalar { text: text.into_owned(), quoted }) });
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.refuse_alias(&place),
            Event::SequenceStart(..) => self.begin(place, Value::List(Vec::new())),
            Event::MappingStart(..) => self.begin(place, Value::Section(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => {}
        }
    }

    fn place(&self, span: &Span) -> Place {
        let (start, end) = span.byte_range().map_or((0, 0), |range| (range.start, range.end));
        let start = start + self.from;
        // A plain scalar's span may take in the space behind it.
        let text = self.source.text.get(start..end + self.from).unwrap_or_default().trim_end();
        Place::new(self.source, start, start + text.len())
    }

    fn begin_document(&mut self, place: &Place) {
        self.documents += 1;
        if self.documents == 2 {
            let problem = Problem::error(Code::YamlSyntax, "a second document begins here");
            self.problems.push(problem.at(place).help("write one document a file"));
        }
    }

    fn refuse_alias(&mut self, place: &Place) {
        let problem = Problem::error(Code::YamlSyntax, "YAML aliases are not used here");
        self.problems.push(problem.at(place).help("write the value out; files of `conf.d` can share settings"));
        // The alias still takes the place of a key or value, else all that follows would shift.
        match self.open.last_mut() {
            Some(open) if matches!(open.value, Value::Section(_)) => {
                open.key = if open.key.is_some() { None } else { Some(Key::Refused) };
            }
            _ => {}
        }
    }

    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.key.is_none() && matches!(open.value, Value::Section(_)))
    }

    fn begin(&mut self, place: Place, value: Value) {
        if self.wants_key() {
            self.refuse_key(&place);
            self.skip = 1;
        } else {
            self.open.push(Open { place, value, key: None });
        }
    }

    fn refuse_key(&mut self, place: &Place) {
        let problem = Problem::error(Code::WrongType, "a mapping or list stands where a key belongs");
        self.problems.push(problem.at(place).help("quote the value if it begins with `{` or `[`"));
        if let Some(open) = self.open.last_mut() {
            open.key = Some(Key::Refused);
        }
    }

    fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            let end = self.source.text.len();
            let place = Place::new(self.source, open.place.start, open.place.end.min(end));
            self.put(Node { place, value: open.value });
        }
    }

    fn put(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            // Only the first document counts.
            self.root.get_or_insert(node);
            return;
        };
        match (&mut open.value, open.key.take(), node.value) {
            (Value::List(items), _, value) => items.push(Node { place: node.place, value }),
            (Value::Section(entries), Some(Key::Named(key, key_place)), value) => {
                let entry = Entry { key, key_place, node: Node { place: node.place, value } };
                self.problems.extend(add(entries, entry));
            }
            (Value::Section(_), None, Value::Scalar(key)) => open.key = Some(Key::Named(key.text, node.place)),
            // The value of a refused key. `begin` lets no collection come where a key belongs.
            _ => {}
        }
    }

    fn refuse(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(0) + self.from;
        let place = Place::new(self.source, at, at + 1);
        let text = &self.source.text;
        // The scanner reports a tab in many guises; the operator needs to hear of one thing, the tab.
        let tab = tab_near(text, place.start);
        let problem = match (tab, error.kind()) {
            (Some(tab), _) => Problem::error(Code::YamlTab, "a tab stands where YAML wants spaces")
                .at(&Place::new(self.source, tab, tab + 1))
                .help("indent with spaces"),
            (None, ErrorKind::RecursionLimitExceeded) => {
                Problem::error(Code::YamlSyntax, format!("nested deeper than {DEPTH_MAX} levels")).at(&place)
            }
            (None, kind) => Problem::error(Code::YamlSyntax, kind.to_string()).at(&place),
        };
        self.problems.push(problem);
    }

    /// Closes what a syntax error left open. A key without its value and a list without its end are dropped: what
    /// they lack would be reported as a second problem.
    fn close_all(&mut self) {
        while let Some(open) = self.open.last_mut() {
            open.key = None;
            match open.value {
                Value::List(_) => drop(self.open.pop()),
                _ => self.end(),
            }
        }
    }
}

/// Adds an entry unless its key is there already.
fn add(entries: &mut Vec<Entry>, entry: Entry) -> Option<Problem> {
    if let Some(first) = entries.iter().find(|known| known.key == entry.key) {
        let (line, _) = first.key_place.line_column();
        let problem = Problem::error(Code::DuplicateKey, format!("key {} stands twice", quote(&entry.key)));
        return Some(problem.at(&entry.key_place).help(format!("it stands first in line {line}")));
    }
    if entries.len() == KEYS_MAX {
        let problem = Problem::error(Code::YamlSyntax, format!("more than {KEYS_MAX} keys in one mapping"));
        return Some(problem.at(&entry.key_place));
    }
    entries.push(entry);
    None
}

/// The tab in the indentation of the line at `at` or of the next one (which the scanner may have taken for the rest of
/// a value), or the one that stands there.
fn tab_near(text: &str, at: usize) -> Option<usize> {
    let mut line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    for line in text[line_start..].split_inclusive('\n').take(2) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            return Some(line_start + tab);
        }
        line_start += line.len();
    }
    text[at..].starts_with('\t').then_some(at)
}
