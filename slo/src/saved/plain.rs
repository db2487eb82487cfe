//! Numbers, texts, lists and tables of the standard library as state.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::Saved;
use crate::wire::{Read, Reader, Writer};

impl Saved for u8 {
    fn save(&self, to: &mut Writer) {
        to.byte(*self);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        from.byte()
    }

    fn save_all(items: &[Self], to: &mut Writer) {
        to.raw(items);
    }

    fn load_all(count: usize, from: &mut Reader<'_>) -> Read<Vec<Self>> {
        from.bytes(count).map(<[u8]>::to_vec)
    }
}

macro_rules! numbers {
    ($($type:ty: $as:ty, $write:ident, $read:ident);* $(;)?) => {
        $(impl Saved for $type {
            fn save(&self, to: &mut Writer) {
                to.$write(*self as $as);
            }

            fn load(from: &mut Reader<'_>) -> Read<Self> {
                let number = from.$read()?;
                Self::try_from(number).or_else(|_| from.wrong(concat!("a number is too large for ", stringify!($type))))
            }
        })*
    };
}

numbers! {
    u16: u64, number, number; u32: u64, number, number; u64: u64, number, number; usize: u64, number, number;
    i32: i64, signed, signed; i64: i64, signed, signed; i16: i64, signed, signed; i8: i64, signed, signed;
}

impl Saved for u128 {
    fn save(&self, to: &mut Writer) {
        to.number((*self >> 64) as u64);
        to.number(*self as u64);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Self::from(from.number()?) << 64 | Self::from(from.number()?))
    }
}

impl Saved for i128 {
    fn save(&self, to: &mut Writer) {
        self.cast_unsigned().save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(u128::load(from)?.cast_signed())
    }
}

impl Saved for bool {
    fn save(&self, to: &mut Writer) {
        to.byte((*self).into());
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        from.flag()
    }
}

impl Saved for f64 {
    fn save(&self, to: &mut Writer) {
        to.raw(&self.to_bits().to_le_bytes());
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let bytes = from.bytes(8)?.try_into().expect("eight bytes were asked for");
        Ok(Self::from_bits(u64::from_le_bytes(bytes)))
    }
}

impl Saved for String {
    fn save(&self, to: &mut Writer) {
        to.text(self);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        from.owned()
    }
}

impl Saved for Box<str> {
    fn save(&self, to: &mut Writer) {
        to.text(self);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        from.text().map(Into::into)
    }
}

impl<T: Saved> Saved for Box<T> {
    fn save(&self, to: &mut Writer) {
        T::save(self, to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        T::load(from).map(Self::new)
    }
}

impl<T: Saved> Saved for Option<T> {
    fn save(&self, to: &mut Writer) {
        to.option(self.as_ref(), |to, item| item.save(to));
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        from.option(T::load)
    }
}

impl<T: Saved> Saved for Vec<T> {
    fn save(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        T::save_all(self, to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let count = length(from)?;
        T::load_all(count, from)
    }
}

impl<T: Saved> Saved for Box<[T]> {
    fn save(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        T::save_all(self, to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Vec::load(from).map(Vec::into_boxed_slice)
    }
}

impl<T: Saved> Saved for VecDeque<T> {
    fn save(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        self.iter().for_each(|item| item.save(to));
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Vec::load(from).map(Self::from)
    }
}

impl<T: Saved, const N: usize> Saved for [T; N] {
    fn save(&self, to: &mut Writer) {
        T::save_all(self, to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let items = T::load_all(N, from)?;
        Ok(Self::try_from(items).unwrap_or_else(|_| unreachable!("as many were read as there are places")))
    }
}

impl<K: Saved + Ord, V: Saved> Saved for BTreeMap<K, V> {
    fn save(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        for (key, value) in self {
            key.save(to);
            value.save(to);
        }
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Vec::<(K, V)>::load(from)?.into_iter().collect())
    }
}

impl<T: Saved + Ord> Saved for BTreeSet<T> {
    fn save(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        self.iter().for_each(|item| item.save(to));
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Vec::load(from)?.into_iter().collect())
    }
}

/// In the order of keys: two tables that hold the same may be in any.
macro_rules! tables {
    ($($table:ident)::*) => {
        impl<K: Saved + Ord + Hash, V: Saved, S: BuildHasher + Default> Saved for $($table)::*<K, V, S> {
            fn save(&self, to: &mut Writer) {
                let mut rows: Vec<(&K, &V)> = self.iter().collect();
                rows.sort_unstable_by_key(|(key, _)| *key);
                to.number(rows.len() as u64);
                for (key, value) in rows {
                    key.save(to);
                    value.save(to);
                }
            }

            fn load(from: &mut Reader<'_>) -> Read<Self> {
                let count = length(from)?;
                let room = count.min(from.left() / size_of::<(K, V)>().max(1));
                let mut table = Self::with_capacity_and_hasher(room, S::default());
                for _ in 0..count {
                    table.insert(K::load(from)?, V::load(from)?);
                }
                Ok(table)
            }
        }
    };
}

tables!(hashbrown::HashMap);
tables!(HashMap);

macro_rules! tuples {
    ($($($name:ident $place:tt)+;)*) => {
        $(impl<$($name: Saved),+> Saved for ($($name,)+) {
            fn save(&self, to: &mut Writer) {
                $(self.$place.save(to);)+
            }

            fn load(from: &mut Reader<'_>) -> Read<Self> {
                Ok(($($name::load(from)?,)+))
            }
        })*
    };
}

tuples! {
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
}

/// How many items follow: each has a byte at least.
fn length(from: &mut Reader<'_>) -> Read<usize> {
    let length = from.number()?;
    match usize::try_from(length) {
        Ok(length) if length <= from.left() => Ok(length),
        _ => from.wrong("a list is longer than what is left"),
    }
}
