//! State as bytes and back again, field by field: what a checkpoint holds. Equal states give equal bytes, whatever order
//! their tables are in; what two owners hold in common is written once and held in common again.
//!
//! A type says which fields it saves with [`saved!`](crate::saved!), in the order in which they stand in the bytes. The
//! bytes are whole or of no use: whoever keeps them knows their checksum and the version of their layout.

mod plain;

use std::any::Any;
use std::collections::HashMap;
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

/// The fields of a struct that are its state; after a semicolon those that take their state over themselves. What follows
/// from them is made by a method that is named after `then`.
#[macro_export]
macro_rules! kept {
    ($name:ty { $($field:ident),* $(,)? $(; $($part:ident),* $(,)?)? } $(then $make:ident)?) => {
        impl $crate::saved::Kept for $name {
            fn save(&self, to: &mut $crate::wire::Writer) {
                $($crate::saved::Saved::save(&self.$field, to);)*
                $($($crate::saved::Kept::save(&self.$part, to);)*)?
            }

            fn restore(&mut self, from: &mut $crate::wire::Reader<'_>) -> $crate::wire::Read<()> {
                $(self.$field = $crate::saved::Saved::load(from)?;)*
                $($($crate::saved::Kept::restore(&mut self.$part, from)?;)*)?
                $(self.$make(from)?;)?
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

#[cfg(test)]
mod tests;
