//! Why a JSON body was refused as a whole. Texts never repeat input.

/// Why a JSON body was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, not UTF-8, or not one object (answer: 400).
    #[error("failed to read JSON at byte {offset}: {what}")]
    Syntax {
        /// Byte offset in the body.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// Objects and arrays nested beyond the limit (answer: 400).
    #[error("failed to read JSON at byte {offset}: nested more than {max} deep")]
    TooDeep {
        /// Byte offset of the bracket that is one too many.
        offset: usize,
        /// The limit.
        max: usize,
    },
    /// JSON, but not OTLP/JSON (answer: 400).
    #[error("failed to read OTLP/JSON at {path}: {what}")]
    Value {
        /// Where, in JSON names and indexes: `resourceSpans[0].scopeSpans[0].spans[3].traceId`.
        path: String,
        /// What is wrong there.
        what: &'static str,
    },
    /// More spans or data points than a request may carry (answer: 413).
    #[error("failed to accept JSON: more than {max} items in one request")]
    TooManyItems {
        /// The limit.
        max: u32,
    },
}

impl JsonError {
    /// A bad value, its path still to be told by those that called for it.
    pub(super) const fn value(what: &'static str) -> Self {
        Self::Value { path: String::new(), what }
    }

    /// The same, found in this member.
    pub(super) fn in_member(self, name: &str) -> Self {
        self.under(|path| match path.as_bytes().first() {
            None => name.to_owned(),
            Some(b'[') => format!("{name}{path}"),
            Some(_) => format!("{name}.{path}"),
        })
    }

    /// The same, found in this element.
    pub(super) fn in_element(self, index: usize) -> Self {
        self.under(|path| match path.is_empty() {
            true => format!("[{index}]"),
            false => format!("[{index}].{path}"),
        })
    }

    fn under(self, longer: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Value { path, what } => Self::Value { path: longer(&path), what },
            other => other,
        }
    }
}
