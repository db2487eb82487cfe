//! A value as YAML text: blocks, and what is small on one line.

use super::Yaml;

/// Columns of a line that holds a list or mapping.
const COLUMNS_MAX: usize = 100;
/// Lists and mappings within each other on one line.
const DEPTH_MAX: usize = 2;
const STEP: usize = 2;

/// The text of a mapping, with an end of line at its end.
pub(super) fn render(root: &Yaml) -> String {
    let mut text = String::new();
    if let Yaml::Map(entries) = root {
        entries.iter().for_each(|(key, value)| entry(key, value, 0, &mut text));
    }
    text
}

fn entry(key: &str, value: &Yaml, indent: usize, text: &mut String) {
    let is_long = is_long(key);
    let key = scalar(key);
    if is_long {
        text.push_str("? ");
        text.push_str(&key);
        text.push('\n');
        pad(indent, text);
    } else {
        text.push_str(&key);
    }
    text.push(':');
    behind(value, indent, indent + if is_long { 2 } else { key.chars().count() + 2 }, text);
}

/// What stands behind a key or a hyphen whose line begins at `indent`; text goes on at `column`.
fn behind(value: &Yaml, indent: usize, column: usize, text: &mut String) {
    let inner = indent + STEP;
    if let Yaml::Text(long) = value
        && is_block(long)
    {
        block(long, inner, text);
        return;
    }
    // What makes up an object stands on lines of its own.
    let depth = if indent == 0 { 1 } else { DEPTH_MAX };
    if let Some(line) = line(value, depth).filter(|line| is_scalar(value) || fits(line, column)) {
        text.push(' ');
        text.push_str(&line);
        text.push('\n');
        return;
    }
    text.push('\n');
    match value {
        Yaml::Map(entries) => entries.iter().for_each(|(key, value)| {
            pad(inner, text);
            entry(key, value, inner, text);
        }),
        Yaml::List(items) => items.iter().for_each(|value| {
            pad(inner, text);
            item(value, inner, text);
        }),
        _ => {}
    }
}

fn item(value: &Yaml, indent: usize, text: &mut String) {
    let is_open = line(value, DEPTH_MAX).is_none_or(|line| !fits(&line, indent + STEP));
    match value {
        // Its first key stands behind the hyphen.
        Yaml::Map(entries) if is_open => {
            for (place, (key, value)) in entries.iter().enumerate() {
                if place == 0 {
                    text.push_str("- ");
                } else {
                    pad(indent + STEP, text);
                }
                entry(key, value, indent + STEP, text);
            }
        }
        _ => {
            text.push('-');
            behind(value, indent, indent + STEP, text);
        }
    }
}

fn fits(line: &str, column: usize) -> bool {
    matches!(line, "[]" | "{}") || column + line.chars().count() <= COLUMNS_MAX
}

const fn is_scalar(value: &Yaml) -> bool {
    !matches!(value, Yaml::List(_) | Yaml::Map(_))
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A value on one line; `None` where it goes deeper than `depth` or holds a text of several lines.
fn line(value: &Yaml, depth: usize) -> Option<String> {
    let within = depth.checked_sub(1);
    match value {
        Yaml::Nothing => Some("null".to_owned()),
        Yaml::Plain(token) => Some(token.clone()),
        Yaml::Text(text) if is_block(text) => None,
        Yaml::Text(text) => Some(scalar(text)),
        Yaml::List(items) => {
            let within = within?;
            let items = items.iter().map(|item| line(item, within)).collect::<Option<Vec<_>>>()?;
            Some(format!("[{}]", items.join(", ")))
        }
        Yaml::Map(entries) if entries.iter().any(|(key, _)| is_long(key)) => None,
        Yaml::Map(entries) => {
            let within = within?;
            let entry = |(key, value): &(String, Yaml)| Some(format!("{}: {}", scalar(key), line(value, within)?));
            let entries = entries.iter().map(entry).collect::<Option<Vec<_>>>()?;
            Some(format!("{{{}}}", entries.join(", ")))
        }
    }
}

/// YAML reads 1024 characters to see whether they are a key; an escape is six of them.
const fn is_long(key: &str) -> bool {
    key.len() > 1_000 / 6
}

/// A text of several lines that a block can hold without any escape.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let mut lines = body.split('\n');
    let is_clean = |line: &str| !line.contains(is_escaped) && !line.ends_with(' ');
    let starts_well = lines.next().is_some_and(|first| !first.is_empty() && !first.starts_with(' ') && is_clean(first));
    starts_well && body.contains('\n') && !body.ends_with('\n') && lines.all(is_clean)
}

fn block(long: &str, indent: usize, text: &mut String) {
    text.push_str(if long.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in long.strip_suffix('\n').unwrap_or(long).split('\n') {
        if !line.is_empty() {
            pad(indent, text);
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// A text on one line, in quotes unless it can be nothing else without them.
fn scalar(text: &str) -> String {
    if is_word(text) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if is_escaped(character) => quoted.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Control characters, ends of line that are none of ours, and marks that editors swallow. All have four hex digits.
const fn is_escaped(character: char) -> bool {
    matches!(character, '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}'
        | '\u{ffff}')
}

/// Words that mean something else to one reader of YAML or another.
const RESERVED: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

fn is_word(text: &str) -> bool {
    let is_body = |character: char| character.is_ascii_alphanumeric() || "._-/ ".contains(character);
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(is_body)
        && !text.ends_with(' ')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}
