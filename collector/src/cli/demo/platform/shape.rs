//! The shape of the synthetic platform as tables: tenants, services, modules, operations. Values only.

/// Who calls, with shares in percent (`faces.md` 1).
pub(super) const TENANTS: [(&str, u32); 3] = [("acme", 70), ("globex", 25), ("initech", 5)];

/// How a service reaches the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum Transport {
    /// OTLP/gRPC, plain.
    Grpc,
    /// OTLP/gRPC, gzip.
    GrpcGzip,
    /// OTLP/HTTP protobuf, plain.
    Http,
    /// OTLP/HTTP protobuf, gzip.
    HttpGzip,
}

/// Which HTTP attribute and metric names a service writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum Conventions {
    /// `http.status_code`, metric in milliseconds: Python's default.
    Old,
    /// `http.response.status_code`, metric in seconds.
    New,
    /// Both (`OTEL_SEMCONV_STABILITY_OPT_IN=http/dup`).
    Both,
}

/// Where a service writes the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum TenantClaim {
    /// On each span: one pool serves all tenants.
    Span,
    /// On the resource: an instance per tenant.
    Resource,
    /// As a captured request header.
    Header,
}

/// Where a service writes the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum ModuleClaim {
    /// On each span: a monolith of several modules.
    Span,
    /// On the resource.
    Resource,
    /// Nowhere: the daemon takes `service.namespace/service.name`.
    Nowhere,
}

/// A service: what its resource and its spans look like.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::demo) struct Service {
    pub(in crate::cli::demo) namespace: &'static str,
    pub(in crate::cli::demo) name: &'static str,
    pub(in crate::cli::demo) scope: &'static str,
    pub(in crate::cli::demo) transport: Transport,
    pub(in crate::cli::demo) conventions: Conventions,
    pub(in crate::cli::demo) tenant: TenantClaim,
    pub(in crate::cli::demo) module: ModuleClaim,
    /// Each HTTP request has two INTERNAL children `... http send`, as FastAPI's instrumentation writes them.
    pub(in crate::cli::demo) asgi: bool,
}

/// How an operation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum Entry {
    /// `method route`.
    Http(&'static str, &'static str),
    /// `service/method` over gRPC.
    Rpc(&'static str, &'static str),
    /// A message taken from this destination.
    Message(&'static str),
}

/// What a request calls: a child span over a share of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) struct Call {
    pub(in crate::cli::demo) name: &'static str,
    /// CLIENT with this peer, or INTERNAL.
    pub(in crate::cli::demo) peer: Option<&'static str>,
    /// From and to in thousandths of the request's time.
    pub(in crate::cli::demo) from_to_permille: (u32, u32),
}

/// An operation of a module.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) entry: Entry,
    /// Share among the module's operations.
    pub(super) weight: u32,
    pub(super) median_us: u32,
    /// Deviation of the duration's natural logarithm.
    pub(super) spread: f64,
    /// Failures, client errors and cancelled requests per million.
    pub(super) ppm: [u32; 3],
    pub(super) calls: &'static [Call],
}

/// A module and what it serves.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) name: &'static str,
    pub(super) service: &'static Service,
    /// Share of the platform's requests in percent.
    pub(super) share: u32,
    pub(super) operations: &'static [Operation],
}

const PLATFORM: &str = "ai-stack";

const API: Service = Service {
    namespace: PLATFORM,
    name: "ai-stack-api",
    scope: "opentelemetry.instrumentation.fastapi",
    transport: Transport::HttpGzip,
    conventions: Conventions::New,
    tenant: TenantClaim::Span,
    module: ModuleClaim::Span,
    asgi: true,
};
const TRENDS: Service = Service {
    namespace: PLATFORM,
    name: "trend-worker",
    scope: "opentelemetry.instrumentation.aiokafka",
    transport: Transport::Grpc,
    conventions: Conventions::Old,
    tenant: TenantClaim::Header,
    module: ModuleClaim::Resource,
    asgi: false,
};
const STOCKS: Service = Service {
    namespace: PLATFORM,
    name: "stock-quotes",
    scope: "opentelemetry.instrumentation.grpc",
    transport: Transport::GrpcGzip,
    conventions: Conventions::New,
    tenant: TenantClaim::Span,
    module: ModuleClaim::Resource,
    asgi: false,
};
const RESOURCES: Service = Service {
    namespace: PLATFORM,
    name: "resource-api",
    scope: "@opentelemetry/instrumentation-http",
    transport: Transport::Http,
    conventions: Conventions::New,
    tenant: TenantClaim::Resource,
    module: ModuleClaim::Resource,
    asgi: false,
};

const fn conventions(name: &'static str, transport: Transport, conventions: Conventions) -> Service {
    let (namespace, scope) = ("conventions", "opentelemetry.instrumentation.fastapi");
    let (tenant, module) = (TenantClaim::Span, ModuleClaim::Nowhere);
    Service { namespace, name, scope, transport, conventions, tenant, module, asgi: true }
}

static API_SERVICE: Service = API;
static TREND_SERVICE: Service = TRENDS;
static STOCK_SERVICE: Service = STOCKS;
/// The service of `resource_ops`, which the fault `anonymous` calls.
pub(super) static RESOURCE_SERVICE: Service = RESOURCES;

/// Three services at one rate that differ in HTTP conventions only, with the module that the daemon gives each.
pub(super) static CONVENTION_SERVICES: [(Service, &str); 3] = [
    (conventions("http-old", Transport::Http, Conventions::Old), "conventions/http-old"),
    (conventions("http-new", Transport::Grpc, Conventions::New), "conventions/http-new"),
    (conventions("http-dup", Transport::HttpGzip, Conventions::Both), "conventions/http-dup"),
];

const fn call(name: &'static str, peer: &'static str, from: u32, to: u32) -> Call {
    Call { name, peer: Some(peer), from_to_permille: (from, to) }
}

const fn step(name: &'static str, from: u32, to: u32) -> Call {
    Call { name, peer: None, from_to_permille: (from, to) }
}

const fn operation(entry: Entry, weight: u32, duration: (u32, f64), calls: &'static [Call]) -> Operation {
    // Two failures, eight client errors and one cancelled request in a thousand: a healthy service.
    let ppm = [2_000, 8_000, 1_000];
    Operation { entry, weight, median_us: duration.0, spread: duration.1, ppm, calls }
}

/// A probe that always answers 200 and is outside every SLI by the daemon's defaults.
const fn probe(weight: u32) -> Operation {
    Operation { entry: Entry::Http("GET", "/healthz"), weight, median_us: 900, spread: 0.3, ppm: [0; 3], calls: &[] }
}

/// The six modules (`faces.md` 1). Shares add up to 100.
pub(super) static MODULES: [Module; 6] = [
    Module {
        name: "chat_orchestrator",
        service: &API_SERVICE,
        share: 35,
        operations: &[
            operation(
                Entry::Http("POST", "/chat/completions"),
                8,
                (640_000, 0.6),
                &[step("plan", 20, 80), call("chat gpt-a", "expert-gateway", 100, 960)],
            ),
            operation(Entry::Http("GET", "/chat/{conversation_id}"), 3, (18_000, 0.5), &[]),
            probe(1),
        ],
    },
    Module {
        name: "rag_hub",
        service: &API_SERVICE,
        share: 25,
        operations: &[
            operation(
                Entry::Http("POST", "/rag/query"),
                6,
                (160_000, 0.5),
                &[step("embed", 30, 250), call("search documents", "qdrant", 260, 900)],
            ),
            operation(Entry::Http("PUT", "/rag/documents/{document_id}"), 1, (420_000, 0.7), &[]),
        ],
    },
    Module {
        name: "content_ops",
        service: &API_SERVICE,
        share: 15,
        operations: &[
            operation(
                Entry::Http("POST", "/content/render"),
                4,
                (230_000, 0.6),
                &[call("SELECT templates", "postgresql", 50, 200)],
            ),
            operation(Entry::Http("GET", "/content/{content_id}"), 2, (22_000, 0.4), &[]),
        ],
    },
    Module {
        name: "trend_ops",
        service: &TREND_SERVICE,
        share: 10,
        operations: &[
            operation(
                Entry::Message("trend.events"),
                3,
                (45_000, 0.8),
                &[call("INSERT trends", "clickhouse", 300, 900)],
            ),
            operation(Entry::Http("GET", "/trends"), 2, (34_000, 0.5), &[]),
        ],
    },
    Module {
        name: "stock_ops",
        service: &STOCK_SERVICE,
        share: 10,
        operations: &[
            operation(Entry::Rpc("stock.v1.Quotes", "GetQuote"), 5, (4_000, 0.5), &[call("GET", "redis", 200, 700)]),
            operation(Entry::Rpc("stock.v1.Quotes", "ListSymbols"), 1, (27_000, 0.6), &[]),
        ],
    },
    Module {
        name: "resource_ops",
        service: &RESOURCE_SERVICE,
        share: 5,
        operations: &[
            operation(Entry::Http("GET", "/resources/usage"), 3, (12_000, 0.4), &[]),
            operation(Entry::Http("POST", "/resources/quota"), 1, (55_000, 0.5), &[]),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percents() {
        assert_eq!(TENANTS.iter().map(|(_, share)| share).sum::<u32>(), 100);
        assert_eq!(MODULES.iter().map(|module| module.share).sum::<u32>(), 100);
    }

    #[test]
    fn calls_stay_inside_their_request() {
        for call in MODULES.iter().flat_map(|module| module.operations).flat_map(|operation| operation.calls) {
            let (from, to) = call.from_to_permille;
            assert!(from < to && to <= 1_000, "{call:?}");
        }
    }
}
