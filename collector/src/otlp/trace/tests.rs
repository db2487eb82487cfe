//! prost is the judge: what it accepts the strict walk accepts, and every span reads the same.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as ProtoSpan, Status, span};
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::otlp::attributes::Value;
use crate::otlp::wire::Fault;

const WANTED: [&str; 3] = ["tenant.id", "module", "http.response.status_code"];
const LIMITS: WalkLimits = WalkLimits {
    items_max: u32::MAX,
    containers_max: u32::MAX,
    attributes_max: u32::MAX,
    links_max: u32::MAX,
    buckets_max: u32::MAX,
    groups_max: 100,
};

/// Ids, name, kind, status, flags, times, number of links, and the wanted attributes as text.
type Seen = ([Vec<u8>; 5], [i32; 2], u32, [u64; 2], usize, Vec<Option<String>>);

#[derive(Default)]
struct Notes(Vec<Seen>);

impl<'a> TraceSink<'a> for Notes {
    fn restart(&mut self) {
        *self = Self::default();
    }

    fn resource(&mut self, _: &Header<'_, 'a>) {}
    fn scope(&mut self, _: &Header<'_, 'a>) {}
    fn span(&mut self, span: &Span<'a>, attributes: &Slots<'a>, links: &[Link<'a>]) {
        let texts = [span.trace_id, span.span_id, span.parent_span_id, span.trace_state, span.name].map(<[u8]>::to_vec);
        let values = (0..3).map(|slot| {
            attributes.get(slot).map(|value| match value {
                Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Value::Int(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Double(number) => number.to_bits().to_string(),
            })
        });
        let times = [span.start_ns, span.end_ns];
        self.0.push((texts, [span.kind, span.status], span.flags, times, links.len(), values.collect()));
    }
}

/// The same from prost's structs. Of a repeated key the first counts; empty and odd values are absent.
fn expected(request: &ExportTraceServiceRequest) -> Vec<Seen> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).map(seen).collect()
}

fn seen(span: &ProtoSpan) -> Seen {
    let texts = [
        span.trace_id.clone(),
        span.span_id.clone(),
        span.parent_span_id.clone(),
        span.trace_state.clone().into_bytes(),
        span.name.clone().into_bytes(),
    ];
    let values = WANTED.map(|wanted| {
        let pair = span.attributes.iter().find(|pair| pair.key == wanted)?;
        let text = match pair.value.as_ref()?.value.as_ref()? {
            any_value::Value::StringValue(text) => text.clone(),
            any_value::Value::IntValue(number) => number.to_string(),
            any_value::Value::BoolValue(truth) => truth.to_string(),
            any_value::Value::DoubleValue(number) => number.to_bits().to_string(),
            any_value::Value::ArrayValue(list) => match &list.values[..] {
                [AnyValue { value: Some(any_value::Value::StringValue(text)) }] => text.clone(),
                _ => return None,
            },
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    });
    let status = span.status.as_ref().map_or(0, |status| status.code);
    let times = [span.start_time_unix_nano, span.end_time_unix_nano];
    (texts, [span.kind, status], span.flags, times, span.links.len(), values.to_vec())
}

fn keys() -> Keys {
    let table = KeyTable::new(WANTED.iter().copied().zip(0..));
    Keys { span: table.clone(), scope: table.clone(), resource: table, ..Keys::default() }
}

fn judge(body: &[u8]) {
    let (mut strict, mut normal) = (Notes::default(), Notes::default());
    let strictly = visit::<true>(body, &keys(), &LIMITS, &mut strict);
    let walked = visit::<false>(body, &keys(), &LIMITS, &mut normal);
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => {
            assert_eq!(strictly, Ok(()), "prost accepts {body:x?}");
            assert_eq!(walked, Ok(()), "prost accepts {body:x?}");
            assert_eq!(normal.0, expected(&request), "{body:x?}");
        }
        Err(error) => assert!(strictly.is_err(), "prost refuses {body:x?}: {error}"),
    }
}

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    use any_value::Value as V;
    let scalar = prop_oneof![
        "[a-z]{0,5}".prop_map(V::StringValue),
        any::<i64>().prop_map(V::IntValue),
        any::<bool>().prop_map(V::BoolValue),
        any::<f64>().prop_map(V::DoubleValue),
        any::<Vec<u8>>().prop_map(V::BytesValue),
    ];
    let list = prop::collection::vec("[a-z]{0,3}".prop_map(V::StringValue), 0..3).prop_map(|texts| {
        let values = texts.into_iter().map(|text| AnyValue { value: Some(text) }).collect();
        V::ArrayValue(opentelemetry_proto::tonic::common::v1::ArrayValue { values })
    });
    prop::option::of(prop_oneof![4 => scalar, 1 => list].prop_map(|value| AnyValue { value: Some(value) }))
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![prop::sample::select(&WANTED[..]).prop_map(str::to_owned), "[a-z.]{0,12}"];
    prop::collection::vec((key, value()).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }), 0..5)
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 8]>(), prop::collection::vec(any::<u8>(), 0..9));
    let numbers = (any::<i32>(), -1..4_i32, any::<u32>(), any::<u64>(), any::<u64>(), 0..3_usize);
    let span =
        (ids, numbers, "[a-z /]{0,9}", attributes()).prop_map(|((trace, id, parent), n, name, attributes)| ProtoSpan {
            trace_id: trace.to_vec(),
            span_id: id.to_vec(),
            parent_span_id: parent,
            name,
            kind: n.0,
            status: Some(Status { code: n.1, message: "m".to_owned() }),
            flags: n.2,
            start_time_unix_nano: n.3,
            end_time_unix_nano: n.4,
            links: vec![span::Link::default(); n.5],
            attributes,
            ..ProtoSpan::default()
        });
    let scope = prop::collection::vec(span, 0..4).prop_map(|spans| ScopeSpans { spans, ..ScopeSpans::default() });
    let resource =
        (attributes(), prop::collection::vec(scope, 0..3)).prop_map(|(attributes, scope_spans)| ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans,
            ..ResourceSpans::default()
        });
    prop::collection::vec(resource, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_prost_accepts_reads_the_same(request in request()) {
        judge(&request.encode_to_vec());
    }

    #[test]
    fn damaged_requests_are_judged_alike(
        request in request(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut body = request.encode_to_vec();
        for (place, byte, kind) in changes {
            let place = place.index(body.len() + 1);
            match kind {
                0 if place < body.len() => body[place] = byte,
                1 => body.insert(place, byte),
                _ => body.truncate(place),
            }
        }
        judge(&body);
    }

    #[test]
    fn random_bytes_are_judged_alike(body in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x0a), Just(0x12), 0_u8..6], 0..60)) {
        judge(&body);
    }
}

#[test]
fn fields_in_any_order_read_the_same() {
    let pair =
        |key: &[u8], value: &[u8]| [&[0x12, value.len() as u8][..], value, &[0x0a, key.len() as u8], key].concat();
    let attribute = pair(b"tenant.id", b"\x0a\x04acme");
    let span = [&[0x4a, attribute.len() as u8][..], &attribute, &[0x0a, 1, 7]].concat();
    let scope = [&[0x12, span.len() as u8][..], &span, &[0x0a, 0]].concat();
    let resource = [&[0x12, scope.len() as u8][..], &scope, &[0x0a, 0]].concat();
    let body = [&[0x0a, resource.len() as u8][..], &resource].concat();
    let mut notes = Notes::default();
    visit::<false>(&body, &keys(), &LIMITS, &mut notes).expect("it is protobuf");
    assert_eq!(notes.0[0].5[0].as_deref(), Some("acme"));
    judge(&body);
}

#[test]
fn limits_end_the_walk() {
    let bomb: Vec<u8> = std::iter::repeat_n([0x12, 0], 1_000).flatten().collect();
    let scope = [&[0x12][..], &[0xd0, 0x0f], &bomb].concat();
    let body = [&[0x0a][..], &[0xd3, 0x0f], &scope].concat();
    let limits = WalkLimits { items_max: 999, ..LIMITS };
    assert_eq!(visit::<false>(&body, &keys(), &limits, &mut Notes::default()), Err(Halt::Items));
    let limits = WalkLimits { containers_max: 1, ..LIMITS };
    assert_eq!(visit::<false>(&body, &keys(), &limits, &mut Notes::default()), Err(Halt::Containers));
    let deep: Vec<u8> = std::iter::repeat_n(0x23, 17).collect();
    let limits = WalkLimits { groups_max: 16, ..LIMITS };
    let Err(Halt::Wire(error)) = visit::<false>(&deep, &keys(), &limits, &mut Notes::default()) else {
        panic!("17 levels were accepted")
    };
    assert_eq!(error.fault, Fault::Depth);
}
