//! State as bytes and back again, field by field: what a checkpoint holds. Equal states give equal bytes, whatever order
//! their tables are in; what two owners hold in common is written once and held in common again.
//!
//! A type says which fields it saves with [`saved!`](crate::saved!), in the order in which they stand in the bytes. The
//! bytes are whole or of no use: whoever keeps them knows their checksum and the version of their layout.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use crate::wire::{Read, Reader, Writer};

/// What can be saved.
pub trait Saved: Sized {
    /// Writes it.
    fn save(&self, to: &mut Writer);

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// Where the bytes are none that were saved.
    fn load(from: &mut Reader<'_>) -> Read<Self>;

    /// Writes one after the other.
    fn save_all(items: &[Self], to: &mut Writer) {
        items.iter().for_each(|item| item.save(to));
    }

    /// Reads as many.
    ///
    /// # Errors
    /// As [`Self::load`].
    fn load_all(count: usize, from: &mut Reader<'_>) -> Read<Vec<Self>> {
        // Room is made for no more than there are bytes, whatever they claim.
        let mut items = Vec::with_capacity(count.min(from.left() / size_of::<Self>().max(1)));
        for _ in 0..count {
            items.push(Self::load(from)?);
        }
        Ok(items)
    }
}

/// Saves a struct by its fields, or an enum by its variants, each with its number.
///
/// ```
/// use bailiwick_slo::saved;
/// use bailiwick_slo::saved::Saved;
/// use bailiwick_slo::wire::{Reader, Writer};
///
/// #[derive(Debug, PartialEq)]
/// struct Place { row: u32, seats: Vec<u64> }
/// saved!(struct Place { row, seats });
///
/// #[derive(Debug, PartialEq)]
/// enum Ticket { None, For(Place), Day { of: i64 } }
/// saved!(enum Ticket { 0 => None, 1 => For(place), 2 => Day { of } });
///
/// let ticket = Ticket::For(Place { row: 7, seats: vec![1, 2] });
/// let mut to = Writer::default();
/// ticket.save(&mut to);
/// let bytes = to.into_bytes();
/// assert_eq!(Ticket::load(&mut Reader::new(&bytes)), Ok(ticket));
/// ```
#[macro_export]
macro_rules! saved {
    (struct [$($generic:tt)*] $name:ty { $($field:tt),* $(,)? }) => {
        impl<$($generic)*> $crate::saved::Saved for $name {
            fn save(&self, to: &mut $crate::wire::Writer) {
                $($crate::saved::Saved::save(&self.$field, to);)*
            }

            fn load(from: &mut $crate::wire::Reader<'_>) -> $crate::wire::Read<Self> {
                Ok(Self { $($field: $crate::saved::Saved::load(from)?),* })
            }
        }
    };
    (struct $name:ty { $($field:tt),* $(,)? }) => {
        $crate::saved!(struct [] $name { $($field),* });
    };
    (enum $name:ty { $($number:literal => $variant:ident $(($($part:ident),*))? $({ $($field:ident),* })?),* $(,)? }) => {
        impl $crate::saved::Saved for $name {
            fn save(&self, to: &mut $crate::wire::Writer) {
                match self {
                    $(Self::$variant $(($($part),*))? $({ $($field),* })? => {
                        to.byte($number);
                        $($($crate::saved::Saved::save($part, to);)*)?
                        $($($crate::saved::Saved::save($field, to);)*)?
                    })*
                }
            }

            fn load(from: &mut $crate::wire::Reader<'_>) -> $crate::wire::Read<Self> {
                Ok(match from.byte()? {
                    $($number => {
                        $($(let $part = $crate::saved::Saved::load(from)?;)*)?
                        $($(let $field = $crate::saved::Saved::load(from)?;)*)?
                        Self::$variant $(($($part),*))? $({ $($field),* })?
                    })*
                    _ => return from.wrong(concat!("no ", stringify!($name))),
                })
            }
        }
    };
}

/// What takes saved state over and keeps what settings gave it: maxima, and what is derived from them.
pub trait Kept {
    /// Writes the state.
    fn save(&self, to: &mut Writer);

    /// Takes over what [`Self::save`] wrote.
    ///
    /// # Errors
    /// Where the bytes are none that were saved; what was taken over so far makes no sense.
    fn restore(&mut self, from: &mut Reader<'_>) -> Read<()>;
}

/// The fields of a struct that are its state; after a semicolon those that take their state over themselves.
#[macro_export]
macro_rules! kept {
    ($name:ty { $($field:ident),* $(,)? $(; $($part:ident),* $(,)?)? }) => {
        impl $crate::saved::Kept for $name {
            fn save(&self, to: &mut $crate::wire::Writer) {
                $($crate::saved::Saved::save(&self.$field, to);)*
                $($($crate::saved::Kept::save(&self.$part, to);)*)?
            }

            fn restore(&mut self, from: &mut $crate::wire::Reader<'_>) -> $crate::wire::Read<()> {
                $(self.$field = $crate::saved::Saved::load(from)?;)*
                $($($crate::saved::Kept::restore(&mut self.$part, from)?;)*)?
                Ok(())
            }
        }
    };
}

/// What a writer has written once: texts by content, the rest by where it lies. It holds them, so that no other thing can
/// come to lie there meanwhile.
#[derive(Debug, Default)]
pub struct Written {
    texts: HashMap<Arc<str>, u64>,
    places: HashMap<usize, u64>,
    held: Vec<Arc<dyn Any + Send + Sync>>,
}

/// What a reader has read once, by its number.
#[derive(Debug, Default)]
pub struct Known {
    texts: Vec<Arc<str>>,
    held: Vec<Arc<dyn Any + Send + Sync>>,
}

impl<T: Saved + Any + Send + Sync> Saved for Arc<T> {
    fn save(&self, to: &mut Writer) {
        let place = Self::as_ptr(self) as usize;
        if let Some(number) = to.shared.places.get(&place) {
            return to.number(*number + 1);
        }
        to.number(0);
        T::save(self, to);
        // It has its number once what it holds in turn has one: readers count in the same order.
        let number = to.shared.held.len() as u64;
        to.shared.places.insert(place, number);
        to.shared.held.push(Self::clone(self) as Arc<dyn Any + Send + Sync>);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let Some(number) = from.number()?.checked_sub(1) else {
            let value = Self::new(T::load(from)?);
            from.shared.held.push(Self::clone(&value) as Arc<dyn Any + Send + Sync>);
            return Ok(value);
        };
        let known = usize::try_from(number).ok().and_then(|number| from.shared.held.get(number)).cloned();
        match known.map(Arc::downcast) {
            Some(Ok(value)) => Ok(value),
            _ => from.wrong("what is held in common is not there"),
        }
    }
}

impl Saved for Arc<str> {
    fn save(&self, to: &mut Writer) {
        if let Some(number) = to.shared.texts.get(self) {
            return to.number(*number + 1);
        }
        to.number(0);
        to.text(self);
        let number = to.shared.texts.len() as u64;
        to.shared.texts.insert(Self::clone(self), number);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let Some(number) = from.number()?.checked_sub(1) else {
            let text: Self = from.text()?.into();
            from.shared.texts.push(Self::clone(&text));
            return Ok(text);
        };
        let known = usize::try_from(number).ok().and_then(|number| from.shared.texts.get(number)).cloned();
        known.map_or_else(|| from.wrong("a text that is held in common is not there"), Ok)
    }
}

impl Saved for Arc<[u8]> {
    fn save(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        to.raw(self);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Vec::<u8>::load(from)?.into())
    }
}

/// A list and how many items it has room for: where that decides what is kept, it must be the same after a restart.
pub fn save_roomy<T: Saved>(items: &Vec<T>, to: &mut Writer) {
    to.number(items.capacity() as u64);
    items.save(to);
}

/// Reads what [`save_roomy`] wrote; no list ever has room for more than `room_max` items.
///
/// # Errors
/// As [`Saved::load`].
pub fn load_roomy<T: Saved>(room_max: usize, from: &mut Reader<'_>) -> Read<Vec<T>> {
    let room = usize::load(from)?;
    let mut items = Vec::<T>::load(from)?;
    if room < items.len() || room > room_max {
        return from.wrong("a list has room for more than it ever has");
    }
    if items.capacity() > room {
        items.shrink_to(room);
    }
    items.reserve_exact(room - items.len());
    Ok(items)
}

/// A text of the program: it is found among the texts that programs have saved so far, so that no bytes make a new one.
///
/// # Errors
/// When none of `known` stands there.
pub fn load_known(known: &[&'static str], from: &mut Reader<'_>) -> Read<&'static str> {
    let text = from.text()?;
    match known.iter().find(|known| **known == text) {
        Some(known) => Ok(known),
        None => from.wrong("a word that this version does not know"),
    }
}

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

#[cfg(test)]
mod tests;
