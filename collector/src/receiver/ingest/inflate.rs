//! Inflating under caps: output is charged before it is made, and contexts are used again.
//!
//! It can stop half-way and go on later, elsewhere: all that it knows is in [`Inflater`] and the output.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::receiver::answer::Refusal;
use crate::receiver::gate::Hold;
use crate::receiver::request::Coding;

/// Output is charged in steps of this many bytes.
const STEP_BYTES: usize = 64 << 10;
/// Below this much output no ratio is suspicious: small bodies of zeros compress as well as bombs.
const RATIO_FREE_BYTES: usize = 1 << 20;
/// 2^23 = 8 MiB: what zstd's levels up to 19 use.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// zstd's own name of the error; its code is not handed on.
const ZSTD_WINDOW_ERROR: &str = "Frame requires too much memory for decoding";
/// CRC-32 and length at the end of a gzip member (RFC 1952).
const GZIP_TRAILER_BYTES: usize = 8;

/// Maxima of inflating.
#[derive(Debug, Clone, Copy)]
pub struct InflateMax {
    /// Of output in bytes.
    pub body_bytes: u64,
    /// Of output bytes per input byte, once output passes 1 MiB.
    pub ratio: u32,
}

/// Whether the output is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// It is.
    Complete,
    /// The output has reached the length at which to stop.
    Paused,
}

/// Inflates one body at a time.
#[derive(Default)]
pub(super) struct Inflater {
    raw: Option<Decompress>,
    zlib: Option<Decompress>,
    zstd: Option<Decoder<'static>>,
    crc: Crc,
    /// The coding under way and where in the input it is.
    coding: Option<Coding>,
    at: usize,
    /// Inside a gzip member or zstd frame.
    inside: bool,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("coding", &self.coding).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a step has to know.
pub(super) struct Limits<'a> {
    pub(super) max: InflateMax,
    /// Stop when the output is longer than this.
    pub(super) pause_at: usize,
    pub(super) hold: &'a mut Hold,
}

impl Inflater {
    /// Begins a body; what is left of another one is forgotten.
    pub(super) fn begin(&mut self, coding: Coding) {
        (self.coding, self.at, self.inside) = (Some(coding), 0, false);
        self.crc.reset();
    }

    /// Goes on with the body that was begun, with the same input and output as before.
    ///
    /// # Errors
    /// *bad_encoding*, *body_too_large*, *ratio*, *zstd_window*, *share*, *inflight*.
    pub(super) fn run(&mut self, input: &[u8], out: &mut Vec<u8>, mut limits: Limits<'_>) -> Result<Flow, Refusal> {
        loop {
            if out.len() > limits.pause_at {
                return Ok(Flow::Paused);
            }
            limits.make_room(input.len(), out)?;
            let done = match self.coding.unwrap_or(Coding::Identity) {
                Coding::Identity => {
                    out.extend_from_slice(input);
                    true
                }
                Coding::Gzip => self.gzip(input, out)?,
                Coding::Zstd => self.zstd(input, out)?,
                Coding::Deflate => self.zlib(input, out)?,
            };
            limits.check(input.len(), out.len())?;
            if done {
                return Ok(Flow::Complete);
            }
        }
    }

    fn bad(&self, what: &'static str) -> Refusal {
        Refusal::bad_encoding(self.at, what)
    }

    /// One step of zlib; true at its end.
    fn zlib(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let zlib = self.zlib.get_or_insert_with(|| Decompress::new(true));
        if !self.inside {
            zlib.reset(true);
            self.inside = true;
        }
        let ended = deflate_step(zlib, input, &mut self.at, out).map_err(|what| self.bad(what))?;
        match ended {
            true if self.at < input.len() => Err(self.bad("there are bytes after its end")),
            ended => Ok(ended),
        }
    }

    /// One step of a gzip member; true at the end of the last one.
    fn gzip(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let raw = self.raw.get_or_insert_with(|| Decompress::new(false));
        if !self.inside {
            let header = gzip_header(&input[self.at..]);
            self.at += header.map_err(|what| Refusal::bad_encoding(self.at, what))?;
            raw.reset(false);
            self.crc.reset();
            self.inside = true;
        }
        let before = out.len();
        let ended = deflate_step(raw, input, &mut self.at, out).map_err(|what| self.bad(what))?;
        self.crc.update(&out[before..]);
        if !ended {
            return Ok(false);
        }
        let (trailer, rest) = input[self.at..]
            .split_first_chunk::<GZIP_TRAILER_BYTES>()
            .ok_or_else(|| self.bad("it ends before its checksum"))?;
        let [a, b, c, d, e, f, g, h] = *trailer;
        let sound =
            u32::from_le_bytes([a, b, c, d]) == self.crc.sum() && u32::from_le_bytes([e, f, g, h]) == self.crc.amount();
        if !sound {
            return Err(self.bad("its checksum is wrong"));
        }
        self.at += GZIP_TRAILER_BYTES;
        self.inside = false;
        Ok(rest.is_empty())
    }

    /// One step of zstd; true at the end of the last frame.
    fn zstd(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<bool, Refusal> {
        if self.at == 0 && !self.inside {
            self.renew_zstd()?;
            self.inside = true;
        }
        let Some(zstd) = self.zstd.as_mut() else { return Err(Refusal::panic()) };
        let mut source = InBuffer { src: input, pos: self.at };
        let written = out.len();
        out.resize(written + STEP_BYTES, 0);
        let mut target = OutBuffer::around(&mut out[written..]);
        let hint = zstd.run(&mut source, &mut target);
        let made = target.pos();
        out.truncate(written + made);
        self.at = source.pos;
        let hint = hint.map_err(|error| match error.to_string() {
            name if name == ZSTD_WINDOW_ERROR => Refusal::zstd_window(),
            _ => self.bad("it is damaged"),
        })?;
        let at_end = self.at == input.len();
        match hint {
            // A frame ended; the next one, if there is one, begins by itself.
            0 => Ok(at_end),
            // Everything was read and nothing more comes out, but the frame is not over.
            _ if at_end && made < STEP_BYTES => Err(self.bad("it ends too soon")),
            _ => Ok(false),
        }
    }

    fn renew_zstd(&mut self) -> Result<(), Refusal> {
        // A context fails to be made only for want of memory.
        if let Some(zstd) = self.zstd.as_mut() {
            return zstd.reinit().map_err(|_| Refusal::inflight());
        }
        let mut zstd = Decoder::new().map_err(|_| Refusal::inflight())?;
        zstd.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX)).map_err(|_| Refusal::inflight())?;
        self.zstd = Some(zstd);
        Ok(())
    }
}

impl Limits<'_> {
    /// Charges the next step and makes room for it.
    fn make_room(&mut self, input: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        // The input's charge is part of the hold; the output's begins above it.
        let charged = usize::try_from(self.hold.bytes()).unwrap_or(usize::MAX).saturating_sub(input);
        if charged < out.len() + STEP_BYTES {
            self.hold.take(STEP_BYTES as u64)?;
        }
        // By a quarter: doubling would hold twice what is charged.
        if out.capacity() - out.len() < STEP_BYTES {
            out.reserve_exact(STEP_BYTES.max(out.len() / 4));
        }
        Ok(())
    }

    fn check(&self, input: usize, output: usize) -> Result<(), Refusal> {
        if output as u64 > self.max.body_bytes {
            return Err(Refusal::body_too_large(self.max.body_bytes));
        }
        let allowed = (input as u64).saturating_mul(self.max.ratio.into());
        if output > RATIO_FREE_BYTES && output as u64 > allowed {
            return Err(Refusal::ratio(self.max.ratio));
        }
        Ok(())
    }
}

/// One step of a deflate stream; true at its end.
fn deflate_step(
    stream: &mut Decompress,
    input: &[u8],
    at: &mut usize,
    out: &mut Vec<u8>,
) -> Result<bool, &'static str> {
    let (read, written) = (stream.total_in(), out.len());
    // Zeroing one step (1 us) buys that a step never makes more than was charged.
    out.resize(written + STEP_BYTES, 0);
    let made_before = stream.total_out();
    let status = stream.decompress(&input[*at..], &mut out[written..], FlushDecompress::None);
    let made = usize::try_from(stream.total_out() - made_before).expect("at most one step");
    out.truncate(written + made);
    let status = status.map_err(|_| "it is damaged")?;
    let read = usize::try_from(stream.total_in() - read).expect("at most the input");
    *at += read;
    match status {
        Status::StreamEnd => Ok(true),
        // There was room and nothing came: the input is at its end.
        _ if read == 0 && made == 0 => Err("it ends too soon"),
        _ => Ok(false),
    }
}

/// Length of a gzip member's header (RFC 1952, 2.3).
fn gzip_header(input: &[u8]) -> Result<usize, &'static str> {
    const SHORT: &str = "it ends inside a gzip header";
    const HCRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    let fixed = input.first_chunk::<10>().ok_or(SHORT)?;
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else { return Err("no gzip member begins here") };
    if flags & RESERVED != 0 {
        return Err("a gzip header has reserved flags");
    }
    let mut at = fixed.len();
    if flags & EXTRA != 0 {
        let length = input[at..].first_chunk::<2>().ok_or(SHORT)?;
        at += 2 + usize::from(u16::from_le_bytes(*length));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let text = input.get(at..).ok_or(SHORT)?;
            at += text.iter().position(|byte| *byte == 0).ok_or(SHORT)? + 1;
        }
    }
    if flags & HCRC != 0 {
        at += 2;
    }
    if at <= input.len() { Ok(at) } else { Err(SHORT) }
}
