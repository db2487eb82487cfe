//! Names as text within rules. A name may hold anything; what is written is printable ASCII, so that it breaks out of
//! no string, comment, template or line.

use std::fmt::Write as _;

/// A string of PromQL, of Go templates and of YAML: they agree on these escapes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// The same without quotes, for comments.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            ' '..='~' => out.push(letter),
            _ if u32::from(letter) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(letter));
            }
        }
    }
    out
}

/// Text that a template of Prometheus gives back as it is.
pub(super) fn literal(text: &str) -> String {
    text.replace("{{", "{{\"{{\"}}")
}

/// The name of a file that no other id gives.
pub(super) fn file_name(id: &str) -> String {
    let mut name = String::new();
    for byte in id.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || byte == b'.' && !name.is_empty();
        if is_plain {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name + ".rules.yaml"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_quotes() {
        assert_eq!(quoted("a\"} or vector(1) #\n"), "\"a\\\"} or vector(1) #\\u000a\"");
        assert_eq!(quoted("\\é\u{2028}😀"), "\"\\\\\\u00e9\\u2028\\U0001f600\"");
        assert_eq!(literal("a{{ $value }}"), "a{{\"{{\"}} $value }}");
    }

    #[test]
    fn each_id_has_a_file_of_its_own_in_the_folder() {
        assert_eq!(file_name("rag:fast"), "rag%3Afast.rules.yaml");
        assert_eq!(file_name("../a.b"), "%2E.%2Fa.b.rules.yaml");
    }
}
