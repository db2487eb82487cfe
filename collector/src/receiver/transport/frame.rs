//! The one message of a unary gRPC request: flag, declared length, bytes, and nothing after.
//!
//! The declared length is checked and charged before anything is buffered.

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;

use super::body::{Complete, Intake};
use crate::receiver::answer::Refusal;
use crate::receiver::answer::grpc::PREFIX_BYTES;
use crate::receiver::gate::Hold;
use crate::receiver::request::Coding;

/// What a prefix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Whether the message is compressed with the coding of the headers.
    pub(super) compressed: bool,
    /// Its length in bytes.
    pub(super) length: u32,
}

/// Reads a prefix.
///
/// # Errors
/// *bad_frame* for flags that do not exist.
pub(super) fn prefix(bytes: [u8; PREFIX_BYTES]) -> Result<Prefix, Refusal> {
    let [flag, length @ ..] = bytes;
    match flag {
        0 | 1 => Ok(Prefix { compressed: flag == 1, length: u32::from_be_bytes(length) }),
        _ => Err(Refusal::bad_frame(0, "the flag of a message is 0 or 1")),
    }
}

/// A message, how it is compressed, and the memory that it holds.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) body: Complete,
    pub(super) coding: Coding,
}

/// Reads the message. `hold` takes memory for its declared length.
///
/// # Errors
/// *bad_frame*, what `hold` refuses, and as [`Intake::next`].
pub(super) async fn read<B>(
    intake: &mut Intake<'_, B>,
    coding: Coding,
    hold: impl FnOnce(u64) -> Result<Hold, Refusal>,
) -> Result<Message, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut first = prefixed(intake).await?;
    let mut bytes = [0; PREFIX_BYTES];
    first.copy_to_slice(&mut bytes);
    let Prefix { compressed, length } = prefix(bytes)?;
    if compressed && coding == Coding::Identity {
        return Err(Refusal::flag_without_encoding());
    }
    let hold = hold(length.into())?;
    let bytes = message(intake, first, length as usize).await?;
    let coding = if compressed { coding } else { Coding::Identity };
    Ok(Message { body: Complete { bytes, hold }, coding })
}

/// The first bytes, at least as many as a prefix has.
async fn prefixed<B>(intake: &mut Intake<'_, B>) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let short = || Refusal::bad_frame(0, "the request holds no whole message");
    let first = intake.next().await?.ok_or_else(short)?;
    if first.len() >= PREFIX_BYTES {
        return Ok(first);
    }
    let mut joined = BytesMut::from(first);
    while joined.len() < PREFIX_BYTES {
        joined.extend_from_slice(&intake.next().await?.ok_or_else(short)?);
    }
    Ok(joined.freeze())
}

async fn message<B>(intake: &mut Intake<'_, B>, first: Bytes, length: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let surplus = || Refusal::bad_frame(PREFIX_BYTES + length, "there are bytes after the message");
    if first.len() > length {
        return Err(surplus());
    }
    let whole = if first.len() == length {
        first
    } else {
        let mut whole = BytesMut::with_capacity(length);
        whole.extend_from_slice(&first);
        drop(first);
        while whole.len() < length {
            let short = || Refusal::bad_frame(PREFIX_BYTES, "the message is shorter than its length");
            let bytes = intake.next().await?.ok_or_else(short)?;
            if whole.len() + bytes.len() > length {
                return Err(surplus());
            }
            whole.extend_from_slice(&bytes);
        }
        whole.freeze()
    };
    if !intake.is_over() && intake.next().await?.is_some() {
        return Err(surplus());
    }
    Ok(whole)
}
