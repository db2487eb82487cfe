//! Inflating under a cap: output is charged in steps before the next step is made, so that a bomb ends early.

use std::io::Read;

use super::answer::Refusal;
use super::request::Coding;
use crate::observation::LimitSettings;
use crate::observation::budget::Charge;

const STEP_BYTES: usize = 64 << 10;
/// Output from which the ratio is watched: small bodies may be as repetitive as they like.
const RATIO_FROM_BYTES: usize = 1 << 20;
/// 8 MiB: RFC 8878 recommends that decoders support it, and nothing larger is needed.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Inflates a body; `charge` grows with the output.
///
/// # Errors
/// Over a limit, out of budget, or not what its coding says.
pub(super) fn inflate(
    body: &[u8],
    coding: Coding,
    limits: &LimitSettings,
    charge: &mut Charge,
) -> Result<Vec<u8>, Refusal> {
    let damaged = |what| Refusal::bad_encoding(0, what);
    match coding {
        Coding::Identity => Ok(body.to_vec()),
        Coding::Gzip => {
            let mut reader = flate2::bufread::MultiGzDecoder::new(body);
            read_all(&mut reader, body.len(), limits, charge)
        }
        Coding::Deflate => {
            let mut reader = flate2::bufread::ZlibDecoder::new(body);
            let output = read_all(&mut reader, body.len(), limits, charge)?;
            if reader.into_inner().is_empty() { Ok(output) } else { Err(damaged("bytes follow the stream")) }
        }
        Coding::Zstd => {
            let mut reader = zstd::stream::read::Decoder::with_buffer(body).map_err(|_| damaged("no zstd context"))?;
            reader.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| damaged("no zstd context"))?;
            read_all(&mut reader, body.len(), limits, charge)
        }
    }
}

fn read_all(
    reader: &mut impl Read,
    body_bytes: usize,
    limits: &LimitSettings,
    charge: &mut Charge,
) -> Result<Vec<u8>, Refusal> {
    let bytes_max = limits.body_bytes_max.bytes();
    let ratio_max = limits.inflate_ratio_max as usize;
    let mut output = Vec::new();
    loop {
        let used = output.len();
        charge.grow(STEP_BYTES as u64).map_err(|_| Refusal::inflight())?;
        output.resize(used + STEP_BYTES, 0);
        let read = reader.read(&mut output[used..]).map_err(|error| refusal_of(&error))?;
        output.truncate(used + read);
        charge.shrink_to(charge.bytes() - (STEP_BYTES - read) as u64);
        if read == 0 {
            return Ok(output);
        }
        if output.len() > bytes_max {
            return Err(Refusal::body_too_large(bytes_max as u64));
        }
        if output.len() > RATIO_FROM_BYTES && output.len() / ratio_max > body_bytes {
            return Err(Refusal::ratio(limits.inflate_ratio_max));
        }
    }
}

fn refusal_of(error: &std::io::Error) -> Refusal {
    // zstd's error has no kind: its name for a window over the limit is the only sign.
    if error.to_string().contains("requires too much memory") {
        return Refusal::zstd_window();
    }
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Refusal::bad_encoding(0, "it ends early"),
        _ => Refusal::bad_encoding(0, "it is damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::budget::Budget;
    use crate::receiver::answer::Cause;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn run(body: &[u8], coding: Coding) -> (Result<Vec<u8>, Cause>, u64) {
        let budget = Budget::new(256 << 20);
        let mut charge = budget.charge(0).expect("empty");
        let output = inflate(body, coding, &LimitSettings::default(), &mut charge).map_err(|refusal| refusal.cause);
        (output, charge.bytes())
    }

    #[test]
    fn what_was_compressed_comes_back_and_is_charged_exactly() {
        let text = b"forty-two".repeat(10_000);
        let two_members = [gzip(&text), gzip(b"!")].concat();
        assert_eq!(run(&gzip(&text), Coding::Gzip), (Ok(text.clone()), 90_000));
        assert_eq!(run(&two_members, Coding::Gzip).1, 90_001);
        let packed = zstd::encode_all(&text[..], 3).expect("memory");
        assert_eq!(run(&packed, Coding::Zstd), (Ok(text), 90_000));
    }

    #[test]
    fn a_bomb_ends_early() {
        let zeros = vec![0; 48 << 20];
        let (output, charged) = run(&gzip(&zeros), Coding::Gzip);
        assert_eq!(output, Err(Cause::Ratio));
        assert!(charged < 16 << 20, "{charged} bytes were charged");
        let (output, charged) = run(&zstd::encode_all(&zeros[..], 19).expect("memory"), Coding::Zstd);
        assert_eq!(output, Err(Cause::Ratio));
        assert!(charged < 2 << 20, "{charged} bytes were charged");
    }

    #[test]
    fn damage_is_the_clients_fault_and_cut_bodies_too() {
        let good = gzip(b"hello hello hello");
        for cut in 1..good.len() {
            assert_eq!(run(&good[..cut], Coding::Gzip).0, Err(Cause::BadEncoding), "cut at {cut}");
        }
        assert_eq!(run(b"not zstd at all", Coding::Zstd).0, Err(Cause::BadEncoding));
        assert_eq!(run(&[&good[..], b"x"].concat(), Coding::Gzip).0, Err(Cause::BadEncoding));
    }
}
