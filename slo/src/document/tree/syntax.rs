//! YAML or JSON text to trees, one for each document. What stands before and after a document with a fault is kept.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span};

use super::{Entry, Node, Scalar, Spot, Value};
use crate::document::finding::{Code, Findings};

/// Deepest nesting: several times what a document needs.
const DEPTH_MAX: usize = 48;
/// Most values of a text, those that aliases repeat with them: a text of 1 MiB without aliases has fewer.
const NODES_MAX: usize = 600_000;
/// Most keys of a mapping: far more than anyone writes, few enough to look for repeats one by one.
const KEYS_MAX: usize = 1_024;

/// Where a text begins: a file at its first line, a text within a text further down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Which file.
    pub(crate) file: u32,
    /// Lines before it.
    pub(crate) lines: u32,
    /// Characters before each of its lines.
    pub(crate) columns: u32,
}

/// Reads all documents of a text.
pub(crate) fn read(text: &str, origin: Origin, out: &mut Findings) -> Vec<Node> {
    let (mut roots, mut from, mut origin) = (Vec::new(), 0, origin);
    // After a fault the next document is read on its own, so that none hides another.
    while let Some(fault) = read_until_fault(&text[from..], origin, &mut roots, out) {
        let Some(next) = text[from..].get(fault..).and_then(|rest| rest.find("\n---")) else { break };
        let next = from + fault + next + 1;
        let lines = text[from..next].bytes().filter(|byte| *byte == b'\n').count();
        origin.lines += u32::try_from(lines).unwrap_or(u32::MAX);
        from = next;
    }
    roots
}

/// Answers the byte at which reading stopped early.
fn read_until_fault(text: &str, origin: Origin, roots: &mut Vec<Node>, out: &mut Findings) -> Option<usize> {
    let mut builder = Builder { text, origin, open: Vec::new(), roots, anchors: BTreeMap::new(), skip: 0, nodes: 0 };
    for event in Parser::new_from_str_with_options(text, options()) {
        match event {
            Ok((event, span)) => builder.take(event, &span, out),
            Err(error) => {
                builder.refuse(&error, out);
                return Some(error.marker().byte_offset().unwrap_or(text.len()));
            }
        }
        if builder.nodes > NODES_MAX {
            let spot = Spot { file: origin.file, line: origin.lines + 1, column: origin.columns + 1, is_key: false };
            out.add(Code::Syntax, spot, format!("more than {NODES_MAX} values, with those that aliases repeat"));
            return None;
        }
    }
    None
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

/// A mapping or list whose end was not yet seen.
struct Open {
    at: Spot,
    value: Value,
    anchor: usize,
    /// The key whose value comes next, and whether it was refused.
    key: Option<(String, Spot, bool)>,
}

struct Builder<'a> {
    text: &'a str,
    origin: Origin,
    open: Vec<Open>,
    roots: &'a mut Vec<Node>,
    anchors: BTreeMap<usize, Node>,
    /// Depth inside a collection that stands where a key belongs and is left out.
    skip: usize,
    nodes: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span, out: &mut Findings) {
        if self.skip > 0 {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => self.skip += 1,
                Event::SequenceEnd | Event::MappingEnd => self.skip -= 1,
                _ => {}
            }
            return;
        }
        let at = self.spot(span);
        if event.tag().is_some() {
            out.add(Code::Syntax, at, "YAML tags are not used here").help = "leave the tag out".to_owned();
        }
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, _) => {
                let is_quoted = style != ScalarStyle::Plain;
                let inner = self.inner(span, style);
                let value = Value::Scalar(Scalar { text: text.into_owned(), is_quoted, inner });
                self.put(Node { at, named: at, value }, anchor, out);
            }
            Event::Alias(anchor) => self.put_alias(at, anchor, out),
            Event::UnresolvedAlias(name) => {
                out.add(Code::Syntax, at, format!("alias `*{name}` names nothing that stands before it"));
                self.put(nothing(at), 0, out);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, Value::List(Vec::new()), anchor, out),
            Event::MappingStart(_, anchor, _) => self.begin(at, Value::Map(Vec::new()), anchor, out),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { at, value, anchor, .. }) = self.open.pop() {
                    self.put(Node { at, named: at, value }, anchor, out);
                }
            }
            _ => {}
        }
    }

    fn spot(&self, span: &Span) -> Spot {
        self.spot_at(span.start.line(), span.start.col())
    }

    fn spot_at(&self, line: usize, column: usize) -> Spot {
        let of = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (line, column) = (of(line), of(column) + 1);
        Spot {
            file: self.origin.file,
            line: self.origin.lines.saturating_add(line),
            column: self.origin.columns.saturating_add(column),
            is_key: false,
        }
    }

    /// Where the text of a scalar begins: lines before it, characters before each line.
    fn inner(&self, span: &Span, style: ScalarStyle) -> Option<(u32, u32)> {
        let at = self.spot(span);
        match style {
            ScalarStyle::Literal => {
                let start = span.byte_range()?.start;
                let rest = self.text.get(start..)?;
                // The span begins at the `|` or at the first line of the text, after its indent.
                let head = rest.lines().next().unwrap_or_default();
                if head.starts_with('|') {
                    let line = rest.lines().skip(1).find(|line| !line.trim().is_empty())?;
                    let indent = line.len() - line.trim_start_matches(' ').len();
                    return Some((at.line, self.origin.columns + u32::try_from(indent).ok()?));
                }
                Some((at.line - 1, at.column - 1))
            }
            ScalarStyle::Plain => Some((at.line - 1, at.column - 1)),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Some((at.line - 1, at.column)),
            ScalarStyle::Folded => None,
        }
    }

    fn begin(&mut self, at: Spot, value: Value, anchor: usize, out: &mut Findings) {
        self.nodes += 1;
        match self.open.last_mut() {
            Some(open) if matches!(open.value, Value::Map(_)) && open.key.is_none() => {
                let finding = out.add(Code::Syntax, at, "a mapping or list stands where a key belongs");
                finding.help = "quote the value if it begins with `{` or `[`".to_owned();
                open.key = Some((String::new(), at, true));
                self.skip = 1;
            }
            _ => self.open.push(Open { at, value, anchor, key: None }),
        }
    }

    fn put_alias(&mut self, at: Spot, anchor: usize, out: &mut Findings) {
        let node = match self.anchors.get(&anchor) {
            Some(node) => {
                let (count, depth) = node.extent();
                self.nodes += count;
                if self.nodes > NODES_MAX || depth + self.open.len() > DEPTH_MAX {
                    out.add(Code::Syntax, at, "this alias makes the document too large or too deep");
                    nothing(at)
                } else {
                    Node { at, named: at, value: node.value.clone() }
                }
            }
            None => {
                out.add(Code::Syntax, at, "this alias stands within what it names");
                nothing(at)
            }
        };
        self.put(node, 0, out);
    }

    fn put(&mut self, mut node: Node, anchor: usize, out: &mut Findings) {
        self.nodes += 1;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.roots.push(node);
            return;
        };
        match (&mut open.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some((key, named, is_refused))) if !is_refused => {
                node.named = named;
                add(entries, Entry { key, node }, out);
            }
            (Value::Map(_), None) => {
                let key = node.text().unwrap_or_default().to_owned();
                let is_refused = !matches!(node.value, Value::Scalar(_));
                if is_refused {
                    out.add(Code::Syntax, node.at, "a mapping or list stands where a key belongs");
                }
                open.key = Some((key, Spot { is_key: true, ..node.at }, is_refused));
            }
            // The value of a refused key.
            _ => {}
        }
    }

    fn refuse(&self, error: &ScanError, out: &mut Findings) {
        let marker = error.marker();
        let message = match error.kind() {
            ErrorKind::RecursionLimitExceeded => format!("nested deeper than {DEPTH_MAX} levels"),
            kind => kind.to_string(),
        };
        let line = marker.line().max(1);
        out.add(Code::Syntax, self.spot_at(line, marker.col()), message);
    }
}

fn nothing(at: Spot) -> Node {
    Node { at, named: at, value: Value::Scalar(Scalar { text: String::new(), is_quoted: false, inner: None }) }
}

/// Adds an entry unless its key is there already.
fn add(entries: &mut Vec<Entry>, entry: Entry, out: &mut Findings) {
    if let Some(first) = entries.iter().find(|known| known.key == entry.key) {
        let finding = out.add(Code::Syntax, entry.node.named, format!("key `{}` stands twice", entry.key));
        finding.help = format!("it stands first in line {}", first.node.named.line);
    } else if entries.len() == KEYS_MAX {
        out.add(Code::Syntax, entry.node.named, format!("more than {KEYS_MAX} keys in one mapping"));
    } else {
        entries.push(entry);
    }
}
