//! Segments: the bytes of their headers and records ([`format`]), records as payloads ([`payload`]), and what is found in
//! bytes that may be anything ([`scan`]).

pub mod format;
pub mod payload;
pub mod scan;
#[cfg(test)]
pub(super) mod samples;
