//! Single fields of an item as rows hold them: ids, enums, flags, codes and labels.

use bailiwick_slo::conventions::{OTHER, TENANT_OVERFLOW};

use super::batch::row::{Context, flag};
use super::batch::{Builder, NoString};
use super::items::Refusal;
use super::report::Reason;
use super::settings::Rules;
use crate::otlp::attributes::{Value, oddity};

pub(super) fn id<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Refusal> {
    match <[u8; N]>::try_from(bytes) {
        Ok(id) if id != [0; N] => Ok(id),
        _ => Err(Refusal(Reason::InvalidId)),
    }
}

pub(super) fn in_range(value: i32, max: u8, otherwise: u8, flags: &mut u32) -> u8 {
    match u8::try_from(value) {
        Ok(value) if value <= max => value,
        _ => {
            *flags |= flag::UNKNOWN_ENUM;
            otherwise
        }
    }
}

/// The module that a service's name stands for: `service.namespace/service.name` or `service.name`; nothing for the
/// placeholder of SDKs.
pub(super) fn write_service(out: &mut Vec<u8>, builder: &Builder, resource: &Context) {
    let name = builder.text(resource.service_name);
    if name.is_empty() || name.starts_with(b"unknown_service") {
        return;
    }
    if resource.service_namespace != 0 {
        out.extend_from_slice(builder.text(resource.service_namespace));
        out.push(b'/');
    }
    out.extend_from_slice(name);
}

/// What OTLP's span flags say about parent and sampling.
pub(super) fn spoken_flags(flags: u32) -> u32 {
    const HAS_IS_REMOTE: u32 = 0x100;
    const IS_REMOTE: u32 = 0x200;
    const SAMPLED: u32 = 1;
    const TRACE_FLAGS: u32 = 0xff;
    let mut spoken = 0;
    if flags & HAS_IS_REMOTE != 0 {
        spoken |= flag::REMOTE_KNOWN;
        if flags & IS_REMOTE != 0 {
            spoken |= flag::REMOTE;
        }
    }
    // SDKs that say where the parent is and leave the W3C trace flags out (Python's do) say nothing about sampling.
    if flags & TRACE_FLAGS != 0 {
        spoken |= flag::SAMPLED_KNOWN;
        if flags & SAMPLED != 0 {
            spoken |= flag::SAMPLED;
        }
    }
    spoken
}

pub(super) fn oddity_flags(oddities: u8) -> u32 {
    let mut flags = 0;
    for (bit, meaning) in [
        (oddity::SHAPE, flag::ATTRIBUTE_SHAPE),
        (oddity::DUPLICATE, flag::DUPLICATE_KEY),
        (oddity::STRINDEX, flag::STRINDEX),
    ] {
        if oddities & bit != 0 {
            flags |= meaning;
        }
    }
    flags
}

/// A status code as integer, integral double, decimal text or name.
pub(super) fn code(
    value: Option<Value<'_>>,
    range: std::ops::RangeInclusive<i64>,
    by_name: impl Fn(&[u8]) -> Option<u16>,
    flags: &mut u32,
) -> Option<u16> {
    let number = match value? {
        Value::Int(number) => Some(number),
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 1e9 => Some(number as i64),
        Value::Text(text) => match by_name(text) {
            Some(code) => Some(i64::from(code)),
            None => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        },
        Value::Double(_) | Value::Bool(_) => None,
    };
    let code = number.filter(|number| range.contains(number)).and_then(|number| u16::try_from(number).ok());
    if code.is_none() {
        *flags |= flag::UNKNOWN_ENUM;
    }
    code
}

/// The index of a label: cut at `label_bytes_max` at a character, `_other` when the batch has no room. What is no text
/// is refused wherever its bad bytes stand, before the cut or behind.
pub(super) fn label(builder: &mut Builder, rules: &Rules, text: &[u8], flags: &mut u32) -> Result<u32, NoString> {
    let max = rules.limits.label_bytes_max as usize;
    let mut text = text;
    if text.len() > max {
        if std::str::from_utf8(text).is_err() {
            return Err(NoString::Utf8);
        }
        let is_continuation = |byte: u8| byte & 0xc0 == 0x80;
        let cut = (0..=max).rev().find(|at| !is_continuation(text[*at])).unwrap_or(0);
        text = &text[..cut];
        *flags |= flag::TRUNCATED;
    }
    match builder.string(text) {
        Err(NoString::Full) => {
            *flags |= flag::TRUNCATED;
            Ok(builder.own_string(OTHER))
        }
        known => known,
    }
}

/// The place of a tenant that the batch has no room for.
pub(super) fn overflow_tenant(builder: &mut Builder) -> u32 {
    builder.own_string(TENANT_OVERFLOW)
}
