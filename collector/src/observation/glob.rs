//! Patterns with `*` for any run of bytes, as operators write them for span names and operations.

/// A pattern, cut at its stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    parts: Vec<Box<[u8]>>,
}

impl Glob {
    /// Reads a pattern.
    pub(super) fn new(pattern: &str) -> Self {
        Self { parts: pattern.split('*').map(|part| part.as_bytes().into()).collect() }
    }

    /// Whether the whole text fits. Linear in the text for each part: the leftmost fit of a part leaves the most room.
    pub(super) fn fits(&self, text: &[u8]) -> bool {
        let [first, middle @ .., last] = &self.parts[..] else {
            return self.parts.first().is_none_or(|only| **only == *text);
        };
        let Some(mut rest) = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
            return false;
        };
        for part in middle.iter().filter(|part| !part.is_empty()) {
            match rest.windows(part.len()).position(|window| *window == **part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_bytes() {
        let fits = |pattern: &str, text: &str| Glob::new(pattern).fits(text.as_bytes());
        assert!(fits("* http send", "GET /rag http send"));
        assert!(!fits("* http send", "http send"));
        assert!(fits("GET /health*", "GET /health") && fits("GET /health*", "GET /healthz"));
        assert!(fits("* websocket *", "/ws websocket send") && !fits("* websocket *", "websocket"));
        assert!(fits("plain", "plain") && !fits("plain", "plainer") && !fits("ab*ba", "aba"));
        assert!(fits("a*b*c", "a-b-b-c") && !fits("a*b*c", "a-c-b"));
    }
}
