//! Reading a body: how long it may take, what it may hold, and how much of it is copied (nothing, if it comes whole).

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::select;
use tokio::time::{Instant, sleep_until};

use crate::receiver::answer::Refusal;
use crate::receiver::gate::{Gate, Hold, Phase};

/// Steps in which undeclared bodies are charged.
const STEP_BYTES: u64 = 64 << 10;

/// How long a body may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Longest pause.
    pub(super) idle: Duration,
    /// When it has to be complete.
    pub(super) until: Instant,
    /// When the client stops waiting, if it says so.
    pub(super) deadline: Option<Instant>,
}

/// A body that is read with patience.
pub(super) struct Intake<'a, B> {
    body: &'a mut B,
    patience: Patience,
    gate: &'a Gate,
}

impl<'a, B: Body<Data = Bytes> + Unpin> Intake<'a, B> {
    pub(super) fn new(body: &'a mut B, patience: Patience, gate: &'a Gate) -> Self {
        Self { body, patience, gate }
    }

    /// The declared length, if there is one.
    pub(super) fn declared(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Whether nothing more can come.
    pub(super) fn is_over(&self) -> bool {
        self.body.is_end_stream()
    }

    /// The next bytes; nothing at the end. Trailers are passed over.
    ///
    /// # Errors
    /// *slow*, *shutdown*, *aborted*.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            match self.frame().await? {
                None => return Ok(None),
                Some(frame) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
                    // Empty frames are bounded by the time for the whole body, and by h2 itself.
                    _ => {}
                },
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<Frame<Bytes>>, Refusal> {
        // Most bodies are there already: no timer is made for them.
        let body = &mut *self.body;
        let at_once = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx))).await;
        let frame = match at_once {
            Poll::Ready(frame) => frame,
            Poll::Pending => self.wait().await?,
        };
        frame.transpose().map_err(|_| Refusal::aborted())
    }

    async fn wait(&mut self) -> Result<Option<Result<Frame<Bytes>, B::Error>>, Refusal> {
        let Patience { idle, until, deadline } = self.patience;
        let patience_ends = (Instant::now() + idle).min(until);
        let ends = deadline.map_or(patience_ends, |deadline| deadline.min(patience_ends));
        let mut phase = self.gate.phase();
        select! {
            biased;
            frame = self.body.frame() => Ok(frame),
            () = sleep_until(ends) => {
                let waited_for = deadline.is_none_or(|deadline| deadline > ends);
                Err(if waited_for { Refusal::slow_body() } else { Refusal::deadline() })
            }
            _ = phase.wait_for(|phase| *phase == Phase::Cut) => Err(Refusal::shutdown()),
        }
    }
}

/// A complete body and the memory that it holds.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) bytes: Bytes,
    pub(super) hold: Hold,
}

/// Reads a whole body. A declared length is charged before anything is read.
///
/// # Errors
/// *body_too_large*, *share*, *inflight*, and as [`Intake::next`].
pub(super) async fn read<B>(intake: &mut Intake<'_, B>) -> Result<Complete, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (gate, declared) = (intake.gate, intake.declared());
    let mut hold = gate.hold(declared.unwrap_or(0))?;
    let Some(first) = intake.next().await? else { return Ok(Complete { bytes: Bytes::new(), hold }) };
    charge(&mut hold, first.len(), gate.body_bytes_max())?;
    if declared == Some(first.len() as u64) || intake.is_over() {
        return Ok(Complete { bytes: first, hold });
    }
    let mut whole = BytesMut::with_capacity(declared.map_or(first.len(), |length| length as usize));
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(bytes) = intake.next().await? {
        charge(&mut hold, whole.len() + bytes.len(), gate.body_bytes_max())?;
        whole.extend_from_slice(&bytes);
    }
    Ok(Complete { bytes: whole.freeze(), hold })
}

/// Charges a body that has grown to this length, in whole steps.
fn charge(hold: &mut Hold, length: usize, max: u64) -> Result<(), Refusal> {
    let length = length as u64;
    if length > max {
        return Err(Refusal::body_too_large(max));
    }
    if length <= hold.bytes() {
        return Ok(());
    }
    hold.take((length - hold.bytes()).next_multiple_of(STEP_BYTES))
}
