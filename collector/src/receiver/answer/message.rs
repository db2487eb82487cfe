//! The text of `partial_success.error_message`.

use std::fmt::Write;

use crate::observation::Signal;
use crate::observation::report::{Position, Reason, Refused, Report, Warning};

/// Longest text in bytes: SDKs log it in one line.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// The kinds of warning that a report holds, as bits by [`Warning`]'s discriminant.
#[must_use]
pub fn warnings_of(report: &Report) -> u8 {
    Warning::ALL.iter().filter(|kind| count(report, **kind) > 0).fold(0, |bits, kind| bits | 1 << *kind as u8)
}

/// What is said about refused items and the warnings whose bit is in `due`:
/// `3 of 512 spans rejected: invalid_id=2 (first: resource_spans[0].scope_spans[0].spans[17]), too_late=1; warnings:
/// clock_anomaly=1`. Empty when there is nothing to say.
#[must_use]
pub fn error_message(report: &Report, signal: Signal, due: u8) -> String {
    let mut text = String::new();
    let refused = report.refused_items();
    if refused > 0 {
        push(&mut text, format_args!("{refused} of {} {} rejected: ", report.received, noun(signal)));
        for (number, reason) in report.refused.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            push(&mut text, format_args!("{comma}{}={}", reason.reason.name(), reason.count));
            // One place is enough to find the bug; JSON lost its items before they had one.
            if number == 0 && reason.reason != Reason::JsonShape {
                push(&mut text, format_args!(" (first: {})", path(reason, signal)));
            }
        }
    }
    let mut separator = if refused > 0 { "; warnings: " } else { "warnings: " };
    for kind in Warning::ALL.into_iter().filter(|kind| due & 1 << *kind as u8 != 0) {
        push(&mut text, format_args!("{separator}{}={}", kind.name(), count(report, kind)));
        separator = ", ";
    }
    text.truncate(MESSAGE_BYTES_MAX);
    text
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("a String takes every text");
}

fn count(report: &Report, kind: Warning) -> u32 {
    report.warnings[kind as usize]
}

const fn noun(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Metrics => "data points",
    }
}

fn path(refused: &Refused, signal: Signal) -> String {
    let Position { resource, scope, item, point } = refused.first;
    match signal {
        Signal::Traces => format!("resource_spans[{resource}].scope_spans[{scope}].spans[{item}]"),
        Signal::Metrics => {
            format!("resource_metrics[{resource}].scope_metrics[{scope}].metrics[{item}].data_points[{point}]")
        }
    }
}
