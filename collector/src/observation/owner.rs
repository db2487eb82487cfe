//! Whose data a name stands for, by a configured pattern (`sli.md` 3.1, T_data): `tenant_{tenant}`, `{tenant}/*`.
//!
//! Linear in the text, whatever pattern and text are: names of objects are as long as callers make them.

use crate::tenancy::{TENANT_BYTES_MAX, is_tenant_byte};

/// A pattern with one `{tenant}` and any `*`.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    /// What stands before the tenant, cut at its stars; one part if there is none.
    before: Box<[Box<[u8]>]>,
    /// What stands behind it, likewise.
    behind: Box<[Box<[u8]>]>,
}

impl Owner {
    /// Reads a pattern. The settings hold none without `{tenant}`; in one, all of the text would be the tenant's.
    pub(super) fn new(pattern: &str) -> Self {
        let parts = |text: &str| text.split('*').map(|part| part.as_bytes().into()).collect();
        let (before, behind) = pattern.split_once("{tenant}").unwrap_or(("", ""));
        Self { before: parts(before), behind: parts(behind) }
    }

    /// The tenant in a text that fits: of all ways to read it the one in which the tenant begins first, and of those the
    /// one in which it is shortest.
    pub(super) fn find<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (first_start, last_start, left) = self.starts(text)?;
        let (first_end, last_end, right) = self.ends(text)?;
        let mut end = first_end;
        for start in first_start..=last_start {
            if !text[..start].ends_with(left) {
                continue;
            }
            end = (end.max(start + 1)..=last_end).find(|end| text[*end..].starts_with(right))?;
            let tenant = &text[start..end];
            if tenant.len() <= TENANT_BYTES_MAX && tenant.iter().all(|byte| is_tenant_byte(*byte)) {
                return Some(tenant);
            }
        }
        None
    }

    /// Where the tenant may begin: first and last place, and what stands right before it.
    fn starts(&self, text: &[u8]) -> Option<(usize, usize, &[u8])> {
        let [first, middle @ .., last] = &*self.before else {
            let only = self.before.first().map_or(&[][..], |only| only);
            return text.starts_with(only).then_some((only.len(), only.len(), only));
        };
        // The leftmost fit of each part leaves the most room for those behind it.
        let mut at = text.starts_with(first).then_some(first.len())?;
        for part in middle {
            at += place(&text[at..], part)? + part.len();
        }
        Some((at + last.len(), text.len(), last))
    }

    /// Where the tenant may end: first and last place, and what stands right behind it.
    fn ends(&self, text: &[u8]) -> Option<(usize, usize, &[u8])> {
        let [first, middle @ .., last] = &*self.behind else {
            let only = self.behind.first().map_or(&[][..], |only| only);
            let end = text.len().checked_sub(only.len()).filter(|_| text.ends_with(only))?;
            return Some((end, end, only));
        };
        let mut rest = text.strip_suffix(&**last)?;
        for part in middle.iter().rev() {
            rest = &rest[..last_place(rest, part)?];
        }
        Some((0, rest.len().checked_sub(first.len())?, first))
    }
}

fn place(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { Some(0) } else { text.windows(part.len()).position(|window| window == part) }
}

fn last_place(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { Some(text.len()) } else { text.windows(part.len()).rposition(|window| window == part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
        Owner::new(pattern).find(text.as_bytes()).map(|tenant| std::str::from_utf8(tenant).expect("ASCII"))
    }

    #[test]
    fn the_tenant_is_read_where_the_pattern_says() {
        assert_eq!(owner("tenant_{tenant}", "tenant_acme"), Some("acme"));
        assert_eq!(owner("{tenant}/*", "acme/2024/report.pdf"), Some("acme"));
        assert_eq!(owner("cache:{tenant}:*", "cache:acme:user:7"), Some("acme"));
        assert_eq!(owner("{tenant}", "acme"), Some("acme"));
        assert_eq!(owner("*/{tenant}/*.json", "a/b/acme/x.json"), Some("b"));
        assert_eq!(owner("*/t-{tenant}", "a/b/t-acme"), Some("acme"));
        for text in ["tenant_", "tenant", "xtenant_acme", "tenant_a/b", ""] {
            assert_eq!(owner("tenant_{tenant}", text), None, "{text}");
        }
        assert_eq!(owner("{tenant}_db", "_db"), None);
        assert_eq!(owner("{tenant}:*", "caf\u{e9}:x"), None);
    }

    #[test]
    fn of_several_readings_the_tenant_begins_first_and_is_shortest() {
        assert_eq!(owner("{tenant}_*", "acme_corp_orders"), Some("acme"));
        assert_eq!(owner("*-{tenant}", "prod-eu-acme"), Some("eu-acme"));
        assert_eq!(owner("*{tenant}*", "acme"), Some("a"));
        assert_eq!(owner("*{tenant}-*", "//ab-c-d"), Some("ab"));
    }

    #[test]
    fn tenants_are_at_most_as_long_as_tenant_ids_are() {
        let name = "x".repeat(150);
        assert_eq!(owner("t:{tenant}", &format!("t:{name}")), Some(&*name));
        assert_eq!(owner("t:{tenant}", &format!("t:{name}x")), None);
        assert_eq!(owner("*{tenant}", &format!("{name}x")), Some(&*name));
    }

    /// Every start, every end, as the sentence says it.
    fn slow<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
        let (before, behind) = pattern.split_once("{tenant}").expect("a pattern");
        let fits = |pattern: &str, text: &str| super::super::glob::Glob::new(pattern).fits(text.as_bytes());
        let pairs = (0..=text.len()).flat_map(|start| (start + 1..=text.len()).map(move |end| (start, end)));
        let mut readings = pairs.filter(|(start, end)| {
            text[*start..*end].bytes().all(is_tenant_byte)
                && fits(before, &text[..*start])
                && fits(behind, &text[*end..])
        });
        readings.next().map(|(start, end)| &text[start..end])
    }

    #[test]
    fn the_fast_reading_is_the_slow_one() {
        let sides = ["", "*", "a", "a*", "*a", "*a*b", "a**b", "/*", "*/", "a*b*a", "/"];
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        let mut read = 0;
        for (before, behind) in sides.iter().flat_map(|before| sides.iter().map(move |behind| (before, behind))) {
            let pattern = format!("{before}{{tenant}}{behind}");
            for _ in 0..300 {
                bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let letters = (0..bits >> 60).map(|at| ['a', 'b', '/', 'c'][(bits >> (20 + 2 * at)) as usize & 3]);
                let text: String = letters.collect();
                assert_eq!(owner(&pattern, &text), slow(&pattern, &text), "{pattern} of {text}");
                read += u32::from(slow(&pattern, &text).is_some());
            }
        }
        assert!(read > 1_000, "{read} texts fit");
    }
}
