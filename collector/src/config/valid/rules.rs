//! Rules between values: listeners that would serve strangers, names that stand twice, limits that do not go together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use http::Uri;

use crate::config::problem::{Code, Problem, SourceKind, quote};
use crate::config::settings::Settings;
use crate::config::written::Node;
use crate::tenancy;
use crate::units::{ByteSize, Period};

/// A problem about one key, or about two of which the operator may have written only the other.
struct Finding {
    problem: Problem,
    other: Option<String>,
}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        Self { problem, other: None }
    }
}

impl Finding {
    /// Places the problem at its key, or at the other one where its key has only its default.
    fn placed(self, tree: &Node) -> Problem {
        let place = &tree.nearest(&self.problem.path).place;
        match self.other {
            Some(other) if place.source.kind == SourceKind::Defaults => {
                self.problem.at(&tree.nearest(&other).place).about(&other)
            }
            _ => self.problem.at(place),
        }
    }
}

/// Checks the settings; problems stand at the values in `tree` that they come from.
pub(in crate::config) fn check(settings: &Settings, tree: &Node, problems: &mut Vec<Problem>) {
    let mut found = Vec::new();
    listeners(settings, &mut found);
    limits(settings, &mut found);
    times(settings, &mut found);
    names(settings, &mut found);
    urls(settings, &mut found);
    problems.extend(found.into_iter().map(|finding| finding.placed(tree)));
}

/// Every listener with its path.
fn listening(settings: &Settings) -> Vec<(String, SocketAddr)> {
    let list = |name: &str, addresses: &[SocketAddr]| -> Vec<(String, SocketAddr)> {
        addresses.iter().enumerate().map(|(at, address)| (format!("{name}[{at}]"), *address)).collect()
    };
    let mut all = list("receiver.grpc.listen", &settings.receiver.grpc.listen);
    all.extend(list("receiver.http.listen", &settings.receiver.http.listen));
    all.push(("server.listen".to_owned(), settings.server.listen));
    all
}

fn listeners(settings: &Settings, found: &mut Vec<Finding>) {
    let mut taken: BTreeMap<SocketAddr, String> = BTreeMap::new();
    for (path, address) in listening(settings) {
        if !address.ip().to_canonical().is_loopback() {
            let local = SocketAddr::from(([127, 0, 0, 1], address.port()));
            let message = format!("refusing to listen on {address} without authentication: listen on 127.0.0.1");
            found.push(Problem::error(Code::UnsafeListen, message).about(&path).help(format!("write {local}")).into());
        }
        if address.port() == 0 {
            continue;
        }
        if let Some(first) = taken.get(&address) {
            let message = format!("{address} is taken by {}", quote(first));
            let problem = Problem::error(Code::Conflict, message).about(&path).help("give each listener its own port");
            found.push(Finding { problem, other: Some(first.clone()) });
        } else {
            taken.insert(address, path);
        }
    }
    if settings.receiver.grpc.listen.is_empty() && settings.receiver.http.listen.is_empty() {
        let message = "no listener for OTLP is left: nothing can be received";
        found.push(Problem::warning(Code::Conflict, message).about("receiver.http.listen").into());
    }
}

fn limits(settings: &Settings, found: &mut Vec<Finding>) {
    let limits = &settings.limits;
    for (path, size) in [
        ("limits.body_bytes_max", limits.body_bytes_max),
        ("limits.inflight_bytes_max", limits.inflight_bytes_max),
        ("limits.string_bytes_max", limits.string_bytes_max),
        ("server.body_max", settings.server.body_max),
    ] {
        if size == ByteSize(0) {
            let message = "0 would refuse everything: a limit has at least one byte";
            found.push(Problem::error(Code::OutOfRange, message).about(path).into());
        }
    }
    if limits.body_bytes_max.0 > limits.inflight_bytes_max.0 / 2 {
        let message = format!(
            "bodies above half of `limits.inflight_bytes_max` ({}) are refused before {} is reached",
            ByteSize(limits.inflight_bytes_max.0 / 2),
            limits.body_bytes_max
        );
        let problem = Problem::warning(Code::Conflict, message).about("limits.body_bytes_max");
        let problem = problem.help("lower it, or raise `limits.inflight_bytes_max` to twice of it");
        found.push(Finding { problem, other: Some("limits.inflight_bytes_max".to_owned()) });
    }
    let series = &settings.aggregator.series;
    if series.per_tenant_max > series.max {
        let message = format!("`aggregator.series.max` ({}) is reached before a tenant can have so many", series.max);
        let problem = Problem::warning(Code::Conflict, message).about("aggregator.series.per_tenant_max");
        found.push(Finding { problem, other: Some("aggregator.series.max".to_owned()) });
    }
    reserves(settings, found);
}

/// Tenants whose series are kept must find them: together they fit into what there is.
fn reserves(settings: &Settings, found: &mut Vec<Finding>) {
    const PATH: &str = "aggregator.series.reserved_tenants";
    let series = &settings.aggregator.series;
    for tenant in &series.reserved_tenants {
        if let Err(error) = tenancy::check(tenant.as_bytes()) {
            let message = format!("{} is no tenant id", quote(tenant));
            found.push(Problem::error(Code::BadTenantId, message).about(PATH).help(error.to_string()).into());
        }
    }
    let tenants = series.reserved_tenants.iter().collect::<BTreeSet<_>>().len() as u64;
    let kept = tenants * u64::from(series.reserve());
    if kept > u64::from(series.max) {
        let message = format!(
            "the series kept for {tenants} reserved tenants ({kept}) are more than `aggregator.series.max` ({})",
            series.max
        );
        let problem = Problem::error(Code::Conflict, message).about(PATH);
        let problem = problem.help(format!("reserve for fewer tenants, or raise `max` to {kept} at least"));
        found.push(Finding { problem, other: Some("aggregator.series.max".to_owned()) });
    }
    if tenants > u64::from(series.tenants_max) {
        let message =
            format!("{tenants} tenants have no room in `aggregator.series.tenants_max` ({})", series.tenants_max);
        let problem = Problem::error(Code::Conflict, message).about(PATH);
        found.push(Finding { problem, other: Some("aggregator.series.tenants_max".to_owned()) });
    }
}

fn times(settings: &Settings, found: &mut Vec<Finding>) {
    let connections = &settings.receiver.connections;
    for (key, period) in [
        ("header_timeout", connections.header_timeout),
        ("body_idle_timeout", connections.body_idle_timeout),
        ("body_timeout", connections.body_timeout),
        ("age_max", connections.age_max),
        ("idle_http1", connections.idle_http1),
        ("idle_http2", connections.idle_http2),
    ] {
        if period == Period::seconds(0) {
            let message = "0 would end every connection at once: it is longer than nothing";
            found.push(Problem::error(Code::OutOfRange, message).about(&format!("receiver.connections.{key}")).into());
        }
    }
    if settings.shutdown.deadline <= settings.shutdown.delay {
        let message = "the deadline is over before the delay (`shutdown.delay`) has passed";
        let problem = Problem::error(Code::Conflict, message).about("shutdown.deadline");
        found.push(Finding { problem, other: Some("shutdown.delay".to_owned()) });
    }
    let ingest = &settings.ingest;
    if ingest.future_accept > ingest.late_accept {
        let message = "items may lie further ahead than `ingest.late_accept` lets them lie behind";
        let problem = Problem::warning(Code::Conflict, message).about("ingest.future_accept");
        found.push(Finding { problem, other: Some("ingest.late_accept".to_owned()) });
    }
}

fn names(settings: &Settings, found: &mut Vec<Finding>) {
    for (alias, tenant) in &settings.tenancy.aliases {
        if let Err(error) = tenancy::check(tenant.as_bytes()) {
            let message = format!("{} is no tenant id", quote(tenant));
            let path = format!("tenancy.aliases.{alias}");
            found.push(Problem::error(Code::BadTenantId, message).about(&path).help(error.to_string()).into());
        }
    }
    for (module, codes) in &settings.modules.failing_4xx {
        for (at, code) in codes.iter().enumerate().filter(|(_, code)| !(400..500).contains(*code)) {
            let message = format!("`{code}` is not in 400 to 499");
            let path = format!("modules.failing_4xx.{module}[{at}]");
            found.push(Problem::error(Code::OutOfRange, message).about(&path).into());
        }
    }
    attribute_keys(settings, found);
}

/// One key in two lists would make the answer depend on which list is looked at first.
fn attribute_keys(settings: &Settings, found: &mut Vec<Finding>) {
    let lists = [
        ("tenancy.attributes", "", &settings.tenancy.attributes),
        ("tenancy.headers", "http.request.header.", &settings.tenancy.headers),
        ("tenancy.baggage", "", &settings.tenancy.baggage),
        ("modules.attributes", "", &settings.modules.attributes),
    ];
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (list, prefix, keys) in lists {
        for (at, key) in keys.iter().enumerate() {
            let path = format!("{list}[{at}]");
            if key.is_empty() {
                found.push(Problem::error(Code::OutOfRange, "an attribute has a name").about(&path).into());
            } else if let Some(first) = taken.get(&format!("{prefix}{key}")) {
                let message = format!("attribute {} stands in {} already", quote(key), quote(first));
                let problem = Problem::error(Code::DuplicateName, message).about(&path);
                found.push(Finding { problem, other: Some(first.clone()) });
            } else {
                taken.insert(format!("{prefix}{key}"), path);
            }
        }
    }
}

fn urls(settings: &Settings, found: &mut Vec<Finding>) {
    if let Some(url) = &settings.server.external_url
        && parse(url).is_none()
    {
        found.push(bad_url(url, "server.external_url", "https://bailiwick.example.com").into());
    }
    for (at, host) in settings.server.allowed_hosts.iter().enumerate() {
        let is_host = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        if !is_host {
            let message = format!("{} is no host name", quote(host));
            let problem = Problem::error(Code::BadAddress, message).about(&format!("server.allowed_hosts[{at}]"));
            found.push(problem.help("write the name alone, without scheme, port or `*`").into());
        }
    }
    if let Some(url) = &settings.telemetry.otlp_endpoint {
        endpoint(settings, url, found);
    }
}

fn parse(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let scheme_fits = matches!(uri.scheme_str(), Some("http" | "https"));
    (scheme_fits && uri.host().is_some_and(|host| !host.is_empty()) && !url.contains('@')).then_some(uri)
}

fn bad_url(url: &str, path: &str, example: &str) -> Problem {
    let message = format!("{} is no URL with a host", quote(url));
    Problem::error(Code::BadAddress, message).about(path).help(format!("write it as in {example}"))
}

/// The daemon's own spans may go anywhere but to itself: it would answer each with another one.
fn endpoint(settings: &Settings, url: &str, found: &mut Vec<Finding>) {
    let path = "telemetry.otlp_endpoint";
    let Some(uri) = parse(url) else {
        found.push(bad_url(url, path, "http://127.0.0.1:14317").into());
        return;
    };
    if uri.scheme_str() == Some("https") {
        let message = format!("{} wants TLS, which this version does not speak as a client", quote(url));
        found.push(Problem::error(Code::BadAddress, message).about(path).help("send through a local collector").into());
        return;
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(80);
    let ours =
        listening(settings).into_iter().find(|(_, address)| address.port() == port && reaches(host, address.ip()));
    if let Some((listener, address)) = ours {
        let message = format!("own spans would come back: {address} is {}", quote(&listener));
        found.push(Problem::error(Code::Conflict, message).about(path).help("name another collector").into());
    }
}

/// Whether `host` may lead to a listener on `ip`, without looking names up.
fn reaches(host: &str, ip: IpAddr) -> bool {
    match host.parse::<IpAddr>() {
        Ok(named) => {
            let (named, ip) = (named.to_canonical(), ip.to_canonical());
            named == ip || (ip.is_unspecified() && named.is_loopback()) || (named.is_unspecified() && ip.is_loopback())
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}
