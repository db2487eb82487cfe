//! Less of a finding: fields are left out, one by one and at every depth, as long as it stays a finding.

use bailiwick_collector::observation::Signal;

use super::schema::{Form, Message};
use super::wire::{Field, Wire, fields};

/// The smallest request that `is_finding` still holds for, as far as leaving out fields leads.
pub fn shrink(body: &[u8], signal: Signal, mut is_finding: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut least = body.to_vec();
    loop {
        let shorter = without_one(Message::of_request(signal), &least, &mut is_finding, &|inner| inner);
        match shorter {
            Some(shorter) => least = shorter,
            None => return least,
        }
    }
}

/// The first shorter request that is still a finding; `around` puts a message back into its request.
fn without_one(
    of: Message,
    content: &[u8],
    is_finding: &mut impl FnMut(&[u8]) -> bool,
    around: &dyn Fn(Vec<u8>) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let all: Vec<Field<'_>> = fields(content).map_while(Result::ok).collect();
    let read: usize = all.iter().map(|field| field.whole.len()).sum();
    let with = |at: usize, other: &[u8]| {
        let (before, after) = (&all[..at], &all[at + 1..]);
        let mut out: Vec<u8> = before.iter().flat_map(|field| field.whole).copied().collect();
        out.extend_from_slice(other);
        out.extend(after.iter().flat_map(|field| field.whole));
        out.extend_from_slice(&content[read..]);
        out
    };
    for (at, field) in all.iter().enumerate() {
        let shorter = around(with(at, &[]));
        if is_finding(&shorter) {
            return Some(shorter);
        }
        if let (Some(Form::Message(inner)), Wire::Bytes(value)) = (of.form(field.number), field.value) {
            let framed = |value: Vec<u8>| {
                let mut out = vec![];
                prost::encoding::encode_varint(u64::from(field.number << 3 | 2), &mut out);
                prost::encoding::encode_varint(value.len() as u64, &mut out);
                out.extend(value);
                around(with(at, &out))
            };
            if let Some(shorter) = without_one(inner, value, is_finding, &framed) {
                return Some(shorter);
            }
        }
    }
    None
}
