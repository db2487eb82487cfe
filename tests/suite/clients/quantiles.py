"""Scenario: OpenTelemetry's Python SDK sends SERVER spans whose start and end are given: a seeded log-normal with some
below 128 us, and a ladder of ten values that double. Guarantee: p50, p90 and p99 of the API and of `/metrics` are the
order statistics of rank ceil(q n) of what was sent, never below them, at most 0.8 % above (below 128 us: 1 us); `le`
buckets, count and sum are exact.
"""

import math
import random
import time
from fractions import Fraction

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client.parser import text_string_to_metric_families

import python_sdk
from cases import Cases
from daemon import TEXT, Daemon, eventually, until

SEED = 20_261_124
TENANT = "acme"
QUANTILES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p99": Fraction(99, 100)}
# Durations are told over whole periods of five minutes, so longer windows must say the same of what is this young.
WINDOWS = ("5m", "1h", "1d")
QUEUE = 20_000
US, MS, S = 1_000, 1_000_000, 1_000_000_000
# Prometheus' and OpenTelemetry's default bounds, as nanoseconds.
BOUNDS_MS = (5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000)


def durations() -> dict[str, list[int]]:
    """Nanoseconds by module: most around 40 ms with a tail of seconds, a fifth below 128 us; a fast one; a ladder."""
    draw = random.Random(SEED)
    slow = [round(draw.lognormvariate(math.log(40 * MS), 1.2)) for _ in range(4_000)]
    fast = [draw.randrange(1 * US, 128 * US) for _ in range(1_000)]
    # Two thirds end below 128 us, so that p50 is there, p90 and p99 above.
    mixed = [draw.randrange(1, 128 * US) for _ in range(2_000)] + slow[:997]
    return {"lognormal": slow + fast, "mixed": mixed, "fast": fast, "ladder": [100 * US << n for n in range(10)]}


def send(daemon: Daemon, module: str, transport: str, lengths: list[int]) -> int:
    """Sends each duration as a success, spread over the last minutes, and as many failures of a minute each."""
    acknowledged, draw = [], random.Random(SEED)
    provider = TracerProvider(resource=Resource.create({"service.name": module, "tenant.id": TENANT}))
    exporter = python_sdk.span_exporter(transport, python_sdk.endpoint(daemon, transport), acknowledged)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE))
    tracer = provider.get_tracer(__name__)
    now = time.time_ns()
    for length in draw.sample(lengths, len(lengths)):
        end = now - draw.randrange(30 * S, 200 * S)
        attributes = {"http.request.method": "GET", "http.route": "/rag"}
        span = tracer.start_span("GET /rag", kind=SpanKind.SERVER, attributes=attributes, start_time=end - length)
        span.end(end_time=end)
        failed = tracer.start_span("GET /rag", kind=SpanKind.SERVER, attributes=attributes, start_time=end - 60 * S)
        failed.set_status(Status(StatusCode.ERROR))
        failed.end(end_time=end)
    assert provider.force_flush()
    provider.shutdown()
    assert sum(acknowledged) == 2 * len(lengths), acknowledged
    return sum(acknowledged)


def order_statistic(lengths: list[int], quantile: Fraction) -> int:
    return sorted(lengths)[math.ceil(quantile * len(lengths)) - 1]


def is_near(true_ns: int, seen_us: float) -> bool:
    """Never below; above by 1 us below 128 us, else by 0.8 %."""
    slack_us = 1.0 if true_ns < 128 * US else 0.008 * true_ns / US
    return -1e-6 <= seen_us - true_ns / US <= slack_us + 1e-6


def compare(lengths: list[int], seen_us: dict[str, float]) -> None:
    for name, quantile in QUANTILES.items():
        true = order_statistic(lengths, quantile)
        assert is_near(true, seen_us[name]), f"{name} of {len(lengths)}: true {true / US} us, saw {seen_us[name]} us"


def api_tells(daemon: Daemon, module: str, lengths: list[int], window: str) -> None:
    def item() -> dict:
        return (daemon.items("/v1/series", module=module, window=window) or [{}])[0]

    def counts() -> tuple | None:
        told = item()
        return told and (told["outcomes"]["success"], told["outcomes"]["failure"], told["duration_ms"]["n"])

    # Durations of requests that ended in closed slots show when the next slot closes.
    n = len(lengths)
    eventually(counts, (n, n, n), 30.0)
    seen = item()["duration_ms"]
    assert seen["state"] == "measured", seen
    compare(lengths, {name: seen[name] * MS / US for name in QUANTILES})
    assert is_near(max(lengths), seen["max"] * MS / US), f"max: true {max(lengths) / US} us, saw {seen['max']} ms"


def samples(daemon: Daemon, name: str, **labels: str) -> list:
    _, text = daemon.scrape(TEXT)
    every = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return [sample for sample in every if sample.name == name and labels.items() <= sample.labels.items()]


def metrics_tell(daemon: Daemon, module: str, lengths: list[int]) -> None:
    def found() -> dict:
        every = samples(daemon, "bailiwick_request_duration_quantile_seconds", module=module, window="5m")
        return {sample.labels["q"]: sample.value for sample in every}

    seen = until(found)
    assert seen and seen.keys() == {"0.5", "0.9", "0.99"}, seen
    compare(lengths, {name: seen[str(float(quantile))] * S / US for name, quantile in QUANTILES.items()})


def buckets_are_exact(daemon: Daemon, module: str, lengths: list[int]) -> None:
    name = "bailiwick_request_duration_seconds"
    wanted = {bound / 1_000: sum(length <= bound * MS for length in lengths) for bound in BOUNDS_MS}
    wanted[math.inf] = len(lengths)
    seen = {float(sample.labels["le"]): sample.value for sample in samples(daemon, f"{name}_bucket", module=module)}
    assert seen == wanted, f"wanted {wanted}\n   saw {seen}"
    (count,), (total,) = samples(daemon, f"{name}_count", module=module), samples(daemon, f"{name}_sum", module=module)
    assert count.value == len(lengths), count
    assert math.isclose(total.value, sum(lengths) / S, rel_tol=1e-9), f"wanted {sum(lengths) / S}, saw {total}"


def main() -> None:
    cases, sent = Cases(), 0
    with Daemon() as daemon:
        every = durations()
        for transport, (module, lengths) in zip(("grpc", "http", "json", "grpc"), every.items()):
            sent += send(daemon, module, transport, lengths)
        for module, lengths in every.items():
            what = f"{module}, {len(lengths)} requests"
            for window in WINDOWS:
                cases.check(f"{what}: the API's quantiles over {window}", api_tells, daemon, module, lengths, window)
            cases.check(f"{what}: quantiles in /metrics", metrics_tell, daemon, module, lengths)
            cases.check(f"{what}: exact buckets, count and sum", buckets_are_exact, daemon, module, lengths)
        cases.check(f"SIGTERM: the totals hold {sent} items", daemon.stops_with, sent)
    cases.close()


if __name__ == "__main__":
    main()
