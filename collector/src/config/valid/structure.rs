//! Does a tree fit the shape of the settings? Unknown keys, wrong kinds, units, ranges; all of them, each with its place.
//!
//! What does not fit is left out of the tree that is returned, so that the default takes its place and later passes go on.

use std::net::SocketAddr;

use super::shape::Shape;
use super::suggest;
use crate::config::problem::{Code, Place, Problem, quote};
use crate::config::written::{Entry, Meaning, Node, Scalar, Value};
use crate::units::{ByteSize, Period};

/// Checks one source's tree against the shape of all settings.
#[must_use]
pub(in crate::config) fn check(node: Node, shape: &Shape, problems: &mut Vec<Problem>) -> Option<Node> {
    Check { root: shape, problems }.node(node, shape, "")
}

struct Check<'run> {
    root: &'run Shape,
    problems: &'run mut Vec<Problem>,
}

impl Check<'_> {
    fn node(&mut self, node: Node, shape: &Shape, path: &str) -> Option<Node> {
        let nothing = node.is_nothing();
        let Node { place, value } = node;
        match (shape, value) {
            (Shape::Optional(_), value) if nothing => Some(Node { place, value }),
            (Shape::Optional(inner), value) => self.node(Node { place, value }, inner, path),
            (Shape::Section(_) | Shape::Map(_), Value::Section(entries)) => {
                let entries = entries.into_iter().filter_map(|entry| self.entry(entry, shape, path)).collect();
                Some(Node { place, value: Value::Section(entries) })
            }
            // A section whose keys are all commented out.
            (Shape::Section(_) | Shape::Map(_), Value::Scalar(_)) if nothing => None,
            (Shape::List { item, min, max }, Value::List(items)) => {
                let found = items.len();
                if found < *min || found > *max {
                    let message = format!("{} has {found} items; it takes {}", quote(path), bounds(*min, *max));
                    self.refuse(&place, path, Code::OutOfRange, message);
                    return None;
                }
                let items = items.into_iter().enumerate();
                let items: Vec<Node> =
                    items.filter_map(|(at, node)| self.node(node, item, &format!("{path}[{at}]"))).collect();
                // A list without its bad item would mean something else.
                (items.len() == found).then_some(Node { place, value: Value::List(items) })
            }
            (shape, Value::Scalar(scalar)) => match scalar_fits(scalar, shape) {
                Ok(scalar) => Some(Node { place, value: Value::Scalar(scalar) }),
                Err(problem) => {
                    self.problems.push(problem.at(&place).about(path));
                    None
                }
            },
            (shape, value) => {
                let found = if matches!(value, Value::List(_)) { "a list" } else { "a mapping" };
                self.refuse(&place, path, Code::WrongType, format!("{found} stands where {} belongs", named(shape)));
                None
            }
        }
    }

    fn entry(&mut self, entry: Entry, shape: &Shape, path: &str) -> Option<Entry> {
        let Entry { key, key_place, node } = entry;
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let Some(below) = shape.key(&key) else {
            self.problems.push(unknown_key(self.root, shape, path, &key).at(&key_place).about(&inner));
            return None;
        };
        self.node(node, below, &inner).map(|node| Entry { key, key_place, node })
    }

    fn refuse(&mut self, place: &Place, path: &str, code: Code, message: String) {
        self.problems.push(Problem::error(code, message).at(place).about(path));
    }
}

/// The problem of a key that means nothing at `path`, with the key that may have been meant.
#[must_use]
pub(in crate::config) fn unknown_key(root: &Shape, shape: &Shape, path: &str, key: &str) -> Problem {
    let known: Vec<&str> = match shape {
        Shape::Section(keys) => keys.iter().map(|(key, _)| key.as_str()).collect(),
        _ => Vec::new(),
    };
    let (place, whose) = if path.is_empty() {
        ("at the top level".to_owned(), "at the top level".to_owned())
    } else {
        (format!("in {}", quote(path)), format!("of {}", quote(path)))
    };
    let problem = Problem::error(Code::UnknownKey, format!("unknown key {} {place}", quote(key)));
    let problem = match suggest::key(root, &known, key) {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")),
        None => problem,
    };
    problem.help(format!("keys {whose}: {}", known.join(", ")))
}

fn bounds(min: usize, max: usize) -> String {
    if max == usize::MAX { format!("at least {min}") } else { format!("{min} to {max}") }
}

/// What belongs there, in the operator's words.
fn named(shape: &Shape) -> &'static str {
    match shape {
        Shape::Section(_) | Shape::Map(_) => "a mapping of keys",
        Shape::List { .. } => "a list",
        Shape::Optional(inner) => named(inner),
        Shape::Choice(_) => "a word",
        Shape::Whole { .. } => "a whole number",
        Shape::Flag => "`true` or `false`",
        Shape::Size => "a size such as `64MiB`",
        Shape::Duration => "a duration such as `10s`",
        Shape::Address => "an address such as `127.0.0.1:4317`",
        Shape::Text => "text",
    }
}

/// Boxed: it is the rare way out of a function that is called for every value.
type Misfit = Box<Problem>;

fn misfit(code: Code, message: impl Into<String>) -> Misfit {
    Box::new(Problem::error(code, message))
}

fn scalar_fits(mut scalar: Scalar, shape: &Shape) -> Result<Scalar, Misfit> {
    let text = scalar.text.as_str();
    match (shape, scalar.meaning()) {
        (_, Meaning::Nothing) => {
            let problem = misfit(Code::WrongType, format!("nothing stands where {} belongs", named(shape)));
            Err(Box::new(problem.help("write a value, or leave the key out to keep the default")))
        }
        (Shape::Size, _) => {
            text.parse::<ByteSize>().map_err(|_| bad_quantity(Code::BadSize, text))?;
            scalar.quoted = false;
            Ok(scalar)
        }
        (Shape::Duration, _) => {
            text.parse::<Period>().map_err(|_| bad_quantity(Code::BadDuration, text))?;
            scalar.quoted = false;
            Ok(scalar)
        }
        (Shape::Whole { min, max }, Meaning::Whole(whole)) if !(*min..=*max).contains(&whole) => {
            Err(misfit(Code::OutOfRange, format!("{} is not in {min} to {max}", quote(text))))
        }
        (Shape::Choice(words), Meaning::Text(word)) if !words.iter().any(|known| known == word) => {
            Err(bad_choice(word, words))
        }
        (Shape::Address, Meaning::Text(_)) if text.parse::<SocketAddr>().is_err() => {
            let problem = misfit(Code::BadAddress, format!("{} is not an address with a port", quote(text)));
            let help = "write IP:PORT, as in 127.0.0.1:4317 or \"[::1]:4317\"; names are not looked up";
            Err(Box::new(problem.help(help)))
        }
        (Shape::Whole { .. }, Meaning::Whole(_))
        | (Shape::Flag, Meaning::Flag(_))
        | (Shape::Choice(_) | Shape::Address | Shape::Text, Meaning::Text(_)) => Ok(scalar),
        (shape, meaning) => Err(wrong_kind(&scalar, &meaning, shape)),
    }
}

/// A quantity that does not read: what it could have meant, if only the unit lacks.
fn bad_quantity(code: Code, text: &str) -> Misfit {
    let (what, units, form): (_, &[&str], _) = match code {
        Code::BadSize => ("size", &["KiB", "MiB", "GiB"], "a number with B, KiB, MiB, GiB, TiB, kB, MB, GB or TB"),
        _ => ("duration", &["ms", "s", "m"], "numbers with ms, s, m, h, d or w, as in `1h30m`"),
    };
    let bare = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = misfit(code, format!("{} is not a {what}", quote(text)));
    if bare {
        let readings: Vec<String> = units.iter().map(|unit| format!("{text}{unit}")).collect();
        Box::new(problem.label("which unit?").help(format!("it could mean {}", readings.join(", "))))
    } else {
        Box::new(problem.help(format!("write {form}")))
    }
}

fn bad_choice(word: &str, words: &[String]) -> Misfit {
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let problem = *misfit(Code::OutOfRange, format!("{} is none of the words that may stand here", quote(word)));
    let problem = match suggest::word(&known, word) {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")),
        None => problem,
    };
    Box::new(problem.help(format!("one of: {}", words.join(", "))))
}

fn wrong_kind(scalar: &Scalar, meaning: &Meaning<'_>, shape: &Shape) -> Misfit {
    let shown = quote(&scalar.text);
    let found = match meaning {
        Meaning::Nothing => "nothing".to_owned(),
        Meaning::Flag(_) => format!("the flag {shown}"),
        Meaning::Whole(_) | Meaning::Real => format!("the number {shown}"),
        Meaning::Text(_) => format!("the text {shown}"),
    };
    let problem = *misfit(Code::WrongType, format!("{found} stands where {} belongs", named(shape)));
    Box::new(match (shape, scalar.quoted) {
        (Shape::Text, _) => problem.help("put it in quotes"),
        (Shape::Flag | Shape::Whole { .. }, true) => problem.help("leave the quotes out"),
        (Shape::Flag, false) => problem.help("flags are `true` and `false` only"),
        (Shape::List { .. }, _) => problem.help("write the items between `[` and `]`"),
        _ => problem,
    })
}
