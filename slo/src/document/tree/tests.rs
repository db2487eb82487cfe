//! Trees know where everything was written, and bad texts are told without losing the next object.

use super::*;
use crate::document::finding::Findings;

fn tree(text: &str) -> (Vec<Node>, Vec<String>) {
    let mut out = Findings::default();
    let roots = read(text, Origin { file: 0, lines: 0, columns: 0 }, &mut out);
    let told = out.raw().iter().map(|raw| format!("{}:{} {}", raw.spot.line, raw.spot.column, raw.message));
    (roots, told.collect())
}

fn path_of(root: &Node, spot: Spot) -> Option<String> {
    let mut wanted = std::collections::BTreeMap::from([(spot, None)]);
    find_paths(root, "", &mut wanted);
    wanted.remove(&spot).flatten()
}

fn place(node: &Node) -> (u32, u32, u32, u32) {
    (node.named.line, node.named.column, node.at.line, node.at.column)
}

#[test]
fn keys_and_values_know_their_lines_and_scalars_their_text() {
    let (roots, told) = tree("a: 1\nb:\n  - c: 0.990\n    d: \"x\"\n");
    assert_eq!(told, Vec::<String>::new());
    let root = &roots[0];
    assert_eq!(place(root.get("a").expect("a")), (1, 1, 1, 4));
    let item = &root.get("b").expect("b").items()[0];
    assert_eq!(place(item), (3, 5, 3, 5));
    assert_eq!(place(item.get("c").expect("c")), (3, 5, 3, 8));
    assert_eq!(item.get("c").and_then(Node::text), Some("0.990"));
    assert_eq!(path_of(root, item.get("d").expect("d").at).as_deref(), Some("b[0].d"));
    assert_eq!(path_of(root, item.at).as_deref(), Some("b[0]"));
    assert_eq!(path_of(root, item.get("c").expect("c").named).as_deref(), Some("b[0].c"));
}

#[test]
fn json_with_tabs_is_read_like_yaml() {
    let (roots, told) = tree("{\n\t\"a\": {\"b\": [1, 2.50, null]},\n\t\"c\": true\n}\n");
    assert_eq!(told, Vec::<String>::new());
    let list = roots[0].get("a").and_then(|a| a.get("b")).expect("a list");
    assert_eq!((place(list).2, place(list).3), (2, 13));
    assert_eq!(list.items()[1].text(), Some("2.50"));
    assert!(list.items()[2].is_nothing());
}

#[test]
fn a_fault_in_one_document_hides_no_other() {
    let (roots, told) = tree("a: 1\n---\nb: [1\n---\nc: 3\n---\nd: 4\n");
    let keys: Vec<_> = roots.iter().map(|root| root.entries()[0].key.as_str()).collect();
    assert_eq!(keys, ["a", "c", "d"], "{told:?}");
    assert_eq!(roots[1].get("c").map(place), Some((5, 1, 5, 4)));
    assert_eq!(told.len(), 1);
}

#[test]
fn aliases_repeat_what_they_name_and_grow_no_further_than_allowed() {
    let (roots, told) = tree("a: &x {k: 1}\nb: *x\n");
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(roots[0].get("b").and_then(|b| b.get("k")).and_then(Node::text), Some("1"));
    let mut bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for level in 1..9 {
        let inner = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(tree(&bomb).1.iter().any(|message| message.contains("too large or too deep")));
    assert!(tree("a: &x [*x]\n").1[0].contains("within what it names"));
    assert!(tree("a: *y\n").1[0].contains("`*y`"));
}

#[test]
fn keys_twice_tags_and_odd_keys_are_told() {
    let (_, told) = tree("a: 1\na: 2\n");
    assert_eq!(told, ["2:1 key `a` stands twice"]);
    assert_eq!(tree("a: !x 1\n").1.len(), 1);
    assert_eq!(tree("{[1]: 2, b: 3}\n").1.len(), 1);
    assert!(tree(&"[".repeat(200)).1[0].contains("deeper"));
}

#[test]
fn comments_layout_and_order_do_not_change_the_canonical_text() {
    let one = canonical(&tree("a: 1 # why\nb: {c: x, d: ~}\n").0[0]);
    let two = canonical(&tree("{\"b\": {\"d\": null, \"c\": \"x\"}, \"a\": 1}").0[0]);
    assert_eq!(one, two);
    assert_ne!(one, canonical(&tree("a: 2\nb: {c: x, d: ~}\n").0[0]));
}
