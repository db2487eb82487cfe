//! What was saved is loaded, and other bytes do no harm.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn bytes_of(value: &impl Saved) -> Vec<u8> {
    let mut to = Writer::default();
    value.save(&mut to);
    to.into_bytes()
}

type All = ((u64, i64, u128, i128), (f64, bool, String), (Vec<Option<u16>>, [u8; 3], BTreeMap<String, Vec<u8>>));

proptest! {
    #[test]
    fn what_was_saved_is_loaded(
        numbers: (u64, i64, u128, i128), others: (f64, bool, String), lists: (Vec<Option<u16>>, [u8; 3]), map: BTreeMap<String, Vec<u8>>
    ) {
        let all: All = (numbers, others, (lists.0, lists.1, map));
        let bytes = bytes_of(&all);
        let mut from = Reader::new(&bytes);
        let loaded = All::load(&mut from).expect("it was saved");
        prop_assert!(from.is_done());
        prop_assert_eq!(bytes_of(&loaded), bytes);
    }

    #[test]
    fn no_bytes_make_a_reader_panic_or_take_more_room_than_they_are(bytes: Vec<u8>) {
        let _ = Vec::<(Arc<str>, Arc<Vec<u64>>)>::load(&mut Reader::new(&bytes));
        let _ = hashbrown::HashMap::<u64, u64, std::hash::RandomState>::load(&mut Reader::new(&bytes));
    }
}

#[test]
fn tables_that_hold_the_same_give_the_same_bytes() {
    let rows = (0..1_000_u64).map(|key| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15), key));
    let one: HashMap<u64, u64> = rows.clone().collect();
    let other: HashMap<u64, u64> = rows.rev().collect();
    assert_eq!(bytes_of(&one), bytes_of(&other));
}

#[test]
fn what_is_held_in_common_is_written_once_and_held_in_common_again() {
    let (numbers, name): (Arc<Vec<u64>>, Arc<str>) = (Arc::new((0..100).collect()), "acme".into());
    let both = ((Arc::clone(&numbers), Arc::clone(&name)), (Arc::clone(&numbers), Arc::<str>::from("acme")));
    let bytes = bytes_of(&both);
    assert_eq!(bytes.len(), 1 + 1 + 100 + 1 + 1 + 4 + 1 + 1);
    type Both = ((Arc<Vec<u64>>, Arc<str>), (Arc<Vec<u64>>, Arc<str>));
    let loaded = Both::load(&mut Reader::new(&bytes)).expect("it was saved");
    assert!(Arc::ptr_eq(&loaded.0.0, &loaded.1.0) && Arc::ptr_eq(&loaded.0.1, &loaded.1.1));
    assert_eq!(*loaded.0.0, *numbers);
}
