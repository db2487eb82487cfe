//! What a rule finds, what the house allows all the same, and the verdict.

/// Something that breaks a rule.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) line: usize,
    /// What was found there, for exceptions to name: a path, a word, a name.
    pub(super) what: String,
    /// What is wrong, and what to do.
    pub(super) says: String,
}

impl Finding {
    pub(super) fn new(path: &str, line: usize, what: &str, says: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.to_owned(), says: says.into() }
    }
}

/// What a rule forbids and the house allows in one place.
#[derive(Debug)]
pub(super) struct Exception {
    /// A file, or a folder with `/` at its end.
    pub(super) path: &'static str,
    /// The thing found, or the module that it is in.
    pub(super) what: &'static str,
    /// Why, as a sentence.
    pub(super) reason: &'static str,
}

/// `path`, `what`, `reason`.
pub(super) const fn except(path: &'static str, what: &'static str, reason: &'static str) -> Exception {
    Exception { path, what, reason }
}

impl Exception {
    fn covers(&self, finding: &Finding) -> bool {
        let is_there = finding.path == self.path || self.path.ends_with('/') && finding.path.starts_with(self.path);
        is_there && is_in(&finding.what, self.what)
    }
}

/// Whether a path is this one or one below it.
pub(super) fn is_in(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Fails with every finding that no exception covers, and with every exception that covers none.
pub(super) fn judge(findings: &[Finding], exceptions: &[Exception]) {
    let is_open = |finding: &&Finding| !exceptions.iter().any(|exception| exception.covers(finding));
    let open = findings.iter().filter(is_open).map(|Finding { path, line, says, .. }| format!("{path}:{line}: {says}"));
    let is_idle = |exception: &&Exception| !findings.iter().any(|finding| exception.covers(finding));
    let idle = exceptions.iter().filter(is_idle).map(|Exception { path, what, reason }| {
        format!("{path}:1: `{what}` is not there any more: remove its exception (\"{reason}\")")
    });
    let lines: Vec<String> = open.chain(idle).collect();
    assert!(lines.is_empty(), "{} places break the rules of the house:\n{}", lines.len(), lines.join("\n"));
}
