//! How figures lie in memory: in pages that follow the series in use, a few intervals open at a time, sealed tables in
//! layers, lists whose copies share. Nothing here knows what is counted.

pub(super) mod pages;
pub(super) mod slab;
pub(super) mod open;
pub(super) mod layers;
pub(super) mod marks;
pub(super) mod chunked;
pub(super) mod varint;
