//! "Did you mean": the nearest known word, near enough to be a slip.

use super::shape::Shape;

/// Longest word that is compared: nothing of ours is longer.
const WORD_BYTES_MAX: usize = 64;

/// The key that may have been meant: of the same mapping first, then with its path from anywhere.
#[must_use]
pub(in crate::config) fn key(root: &Shape, siblings: &[&str], written: &str) -> Option<String> {
    if let Some(sibling) = word(siblings, written) {
        return Some(sibling.to_owned());
    }
    let paths = root.paths();
    let names: Vec<&str> = paths.iter().map(|path| path.rsplit('.').next().unwrap_or(path)).collect();
    let nearest = word(&names, written)?;
    let mut candidates = paths.iter().filter(|path| path.rsplit('.').next() == Some(nearest));
    // A name that several sections have (`listen`) points nowhere.
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// The nearest of `known` within two slips, or a third of the length.
#[must_use]
pub(in crate::config) fn word<'known>(known: &[&'known str], written: &str) -> Option<&'known str> {
    if written.len() > WORD_BYTES_MAX {
        return None;
    }
    let length = written.chars().count();
    // Two slips in a word of three letters make any other word.
    let slips_max = (length / 3).max(2).min(length.saturating_sub(1));
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(word, written), *word))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_none() {
        let known = ["listen", "external_url", "allowed_hosts"];
        assert_eq!(word(&known, "listn"), Some("listen"));
        assert_eq!(word(&known, "lsiten"), Some("listen"), "two letters swapped are one slip");
        assert_eq!(word(&known, "externl_ulr"), Some("external_url"));
        assert_eq!(word(&known, "colour"), None);
        assert_eq!(word(&known, &"listen".repeat(100)), None);
    }

    #[test]
    fn the_same_mapping_comes_before_others() {
        let section = |key: &str, inner: &str| (key.to_owned(), Shape::Section(vec![(inner.to_owned(), Shape::Flag)]));
        let root = Shape::Section(vec![section("a", "level"), section("b", "format")]);
        assert_eq!(key(&root, &["levels"], "level2").as_deref(), Some("levels"));
        assert_eq!(key(&root, &["x"], "formt").as_deref(), Some("b.format"));
    }
}
