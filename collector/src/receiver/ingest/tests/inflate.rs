//! Every coding comes back as it was; damage, bombs and wide windows are refused before they cost anything.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::observation::budget::Budget;
use crate::receiver::answer::{Cause, Refusal};
use crate::receiver::gate::Hold;
use crate::receiver::ingest::inflate::{Flow, InflateMax, Inflater, Limits};
use crate::receiver::request::Coding;

const MAX: InflateMax = InflateMax { body_bytes: 64 << 20, ratio: 200 };

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("a Vec takes all")
}

type Deflater = fn(&[u8]) -> Vec<u8>;

const CODINGS: [(Coding, Deflater); 3] = [(Coding::Gzip, gzip), (Coding::Zstd, zstd), (Coding::Deflate, zlib)];

/// Bytes that compress, but not like a bomb.
pub(super) fn text(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + u8::try_from(state >> 28).expect("four bits")
    };
    (0..length).map(|_| next()).collect()
}

fn inflate_with(inflater: &mut Inflater, coding: Coding, input: &[u8], max: InflateMax) -> Result<Vec<u8>, Refusal> {
    let budget = Budget::new(1 << 40);
    let mut hold = Hold::new(&budget, input.len() as u64, u64::MAX)?;
    let mut out = Vec::new();
    inflater.begin(coding);
    let limits = Limits { max, pause_at: usize::MAX, hold: &mut hold };
    assert_eq!(inflater.run(input, &mut out, limits)?, Flow::Complete);
    Ok(out)
}

fn inflate(coding: Coding, input: &[u8]) -> Result<Vec<u8>, Refusal> {
    inflate_with(&mut Inflater::default(), coding, input, MAX)
}

fn cause(result: Result<Vec<u8>, Refusal>) -> Cause {
    result.expect_err("refused").cause
}

#[test]
fn every_coding_comes_back_as_it_was_also_with_used_contexts() {
    let mut inflater = Inflater::default();
    for length in [0, 1, 65_535, 65_536, 300_000] {
        let plain = text(length);
        for (coding, compress) in CODINGS {
            let out = inflate_with(&mut inflater, coding, &compress(&plain), MAX);
            assert_eq!(out.as_ref(), Ok(&plain), "{coding:?} of {length}");
        }
    }
}

#[test]
fn several_members_and_frames_are_one_body() {
    let plain = text(100_000);
    for (coding, compress) in [CODINGS[0], CODINGS[1]] {
        let mut body = compress(&plain[..40_000]);
        body.extend(compress(&plain[40_000..]));
        assert_eq!(inflate(coding, &body).as_ref(), Ok(&plain), "{coding:?}");
    }
}

#[test]
fn a_body_that_is_cut_anywhere_is_refused() {
    let plain = text(600);
    let mut inflater = Inflater::default();
    for (coding, compress) in CODINGS {
        let body = compress(&plain);
        for length in 0..body.len() {
            let cut = inflate_with(&mut inflater, coding, &body[..length], MAX);
            assert_eq!(cause(cut), Cause::BadEncoding, "{coding:?} cut at {length}");
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    for (coding, compress) in CODINGS {
        let mut body = compress(b"text");
        body.push(0);
        assert_eq!(cause(inflate(coding, &body)), Cause::BadEncoding, "{coding:?}");
    }
}

#[test]
fn damage_is_refused() {
    for (coding, compress) in CODINGS {
        assert_eq!(cause(inflate(coding, b"this is no such stream")), Cause::BadEncoding, "{coding:?}");
        let mut body = compress(&text(5_000));
        body[0] ^= 0xff;
        assert_eq!(cause(inflate(coding, &body)), Cause::BadEncoding, "{coding:?}");
    }
    let mut body = gzip(b"text");
    let checksum = body.len() - 8;
    body[checksum] ^= 1;
    assert_eq!(cause(inflate(Coding::Gzip, &body)), Cause::BadEncoding);
}

#[test]
fn a_gzip_header_may_hold_all_that_its_standard_allows() {
    let plain = gzip(b"text");
    let mut body = plain[..10].to_vec();
    body[3] = 2 | 4 | 8 | 16;
    body.extend_from_slice(&[3, 0, 1, 2, 3]);
    body.extend_from_slice(b"name\0comment\0");
    body.extend_from_slice(&[9, 9]);
    body.extend_from_slice(&plain[10..]);
    assert_eq!(inflate(Coding::Gzip, &body), Ok(b"text".to_vec()));
}

#[test]
fn a_bomb_is_refused_by_its_ratio_once_it_passes_a_mebibyte() {
    let zeros = vec![0; 8 << 20];
    for (coding, compress) in CODINGS {
        assert_eq!(cause(inflate(coding, &compress(&zeros))), Cause::Ratio, "{coding:?}");
        assert!(inflate(coding, &compress(&zeros[..1 << 20])).is_ok(), "{coding:?} of 1 MiB");
    }
}

#[test]
fn output_beyond_the_largest_body_is_refused() {
    let max = InflateMax { body_bytes: 100_000, ratio: 10_000 };
    for (coding, compress) in CODINGS {
        let body = compress(&text(100_001));
        assert_eq!(cause(inflate_with(&mut Inflater::default(), coding, &body, max)), Cause::BodyTooLarge);
        let body = compress(&text(100_000));
        assert!(inflate_with(&mut Inflater::default(), coding, &body, max).is_ok());
    }
}

#[test]
fn a_zstd_window_beyond_eight_mebibytes_is_refused_by_name() {
    let frame = |log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(log).expect("a window");
        encoder.write_all(&text(100_000)).expect("a Vec takes all");
        encoder.finish().expect("a Vec takes all")
    };
    assert!(inflate(Coding::Zstd, &frame(23)).is_ok());
    assert_eq!(cause(inflate(Coding::Zstd, &frame(24))), Cause::ZstdWindow);
    // Magic, descriptor without a size, window of 2 GiB (exponent 21), an empty last block.
    let two_gib = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    assert_eq!(cause(inflate(Coding::Zstd, &two_gib)), Cause::ZstdWindow);
}

#[test]
fn output_is_charged_in_steps_before_it_is_made() {
    let body = gzip(&text(3 << 20));
    let budget = Budget::new(1 << 30);
    let mut hold = Hold::new(&budget, body.len() as u64, u64::MAX).expect("room");
    let mut inflater = Inflater::default();
    inflater.begin(Coding::Gzip);
    let mut out = Vec::new();
    let limits = Limits { max: MAX, pause_at: usize::MAX, hold: &mut hold };
    inflater.run(&body, &mut out, limits).expect("room");
    let output = hold.bytes() - body.len() as u64;
    assert!((3 << 20..=(3 << 20) + 2 * 65_536).contains(&output) && output.is_multiple_of(65_536), "{output}");

    // Room for the body and one step, not for two.
    let budget = Budget::new(2 * (body.len() as u64 + 100_000));
    let mut hold = Hold::new(&budget, body.len() as u64, u64::MAX).expect("room");
    inflater.begin(Coding::Gzip);
    let mut out = Vec::new();
    let limits = Limits { max: MAX, pause_at: usize::MAX, hold: &mut hold };
    assert_eq!(inflater.run(&body, &mut out, limits).expect_err("no room").cause, Cause::Share);
    assert!(out.len() <= 65_536, "{}", out.len());
}

#[test]
fn inflating_stops_half_way_and_goes_on() {
    let plain = text(500_000);
    for (coding, compress) in CODINGS {
        let body = compress(&plain);
        let budget = Budget::new(1 << 30);
        let mut hold = Hold::new(&budget, body.len() as u64, u64::MAX).expect("room");
        let (mut inflater, mut out) = (Inflater::default(), Vec::new());
        inflater.begin(coding);
        let limits = Limits { max: MAX, pause_at: 100_000, hold: &mut hold };
        assert_eq!(inflater.run(&body, &mut out, limits), Ok(Flow::Paused), "{coding:?}");
        let limits = Limits { max: MAX, pause_at: usize::MAX, hold: &mut hold };
        assert_eq!(inflater.run(&body, &mut out, limits), Ok(Flow::Complete), "{coding:?}");
        assert_eq!(out, plain);
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_at_all_make_the_inflater_panic(input: Vec<u8>, pick in 0_usize..3) {
        let _ = inflate(CODINGS[pick].0, &input);
    }
}
