//! A tree as one text that comments, layout, quotes and the order of keys do not change.

use super::{Node, Value};

/// The canonical text. Equal meaning is equal text; a number keeps the digits that it was written with.
pub(crate) fn canonical(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

fn write(node: &Node, text: &mut String) {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_nothing() => text.push('~'),
        Value::Scalar(scalar) => {
            // The length tells where a text ends, so that no text can look like two.
            text.push_str(&format!("{}:{}", scalar.text.len(), scalar.text));
        }
        Value::List(items) => {
            text.push('[');
            items.iter().for_each(|item| write(item, text));
            text.push(']');
        }
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|one, two| one.key.cmp(&two.key));
            text.push('{');
            for entry in entries {
                text.push_str(&format!("{}:{}", entry.key.len(), entry.key));
                write(&entry.node, text);
            }
            text.push('}');
        }
    }
}
