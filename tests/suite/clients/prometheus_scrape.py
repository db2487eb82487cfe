"""Scenario: Prometheus scrapes `/metrics` once a second, as OpenMetrics and as text 0.0.4, while OpenTelemetry's Python
SDK sends requests at a steady rate. Guarantee: no scrape fails or is complained of, both formats hold the same series,
and its counters, `increase()` and `rate()` equal what was sent.
"""

import math
import threading
import time

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

import python_sdk
from cases import Cases
from daemon import Daemon, eventually, until
from prometheus_server import Prometheus, text_only

JOBS = ("openmetrics", "text")
# Of a round, by tenant and status; outcomes as the books name them.
ROUND = {("acme", 200): 7, ("acme", 404): 2, ("acme", 503): 1, ("globex", 200): 3, ("globex", 500): 2}
OUTCOMES = {200: "success", 404: "client_error", 500: "failure", 503: "failure"}
ROUNDS, ROUND_SECONDS = 40, 0.25
# A range that holds every sample.
ALL_MS = 300_000
COUNTER = "bailiwick_requests_total"


class Sender:
    """A real client that sends one round after the other."""

    def __init__(self, daemon: Daemon) -> None:
        self.acknowledged: list[int] = []
        exporter = python_sdk.span_exporter("grpc", daemon.grpc, self.acknowledged)
        self._provider = TracerProvider(resource=Resource.create({"service.name": "steady"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(__name__)

    def send(self) -> None:
        for (tenant, status), count in ROUND.items():
            attributes = {"http.request.method": "GET", "http.route": "/rag", "tenant.id": tenant}
            attributes["http.response.status_code"] = status
            for _ in range(count):
                self._tracer.start_span("GET /rag", kind=SpanKind.SERVER, attributes=attributes).end()
        assert self._provider.force_flush()

    def send_steadily(self) -> None:
        pace, begin = threading.Event(), time.monotonic()
        for turn in range(ROUNDS):
            self.send()
            pace.wait(max(0.0, begin + (turn + 1) * ROUND_SECONDS - time.monotonic()))


def sent(rounds: int) -> dict:
    """(tenant, outcome) -> requests."""
    counts: dict[tuple[str, str], int] = {}
    for (tenant, status), count in ROUND.items():
        key = (tenant, OUTCOMES[status])
        counts[key] = counts.get(key, 0) + count * rounds
    return counts


def by_outcome(result: list[dict]) -> dict:
    """(tenant, outcome) -> value, where there is any."""
    values = {(row["metric"]["tenant"], row["metric"]["outcome"]): float(row["value"][1]) for row in result}
    return {key: value for key, value in values.items() if value}


def counters_are(prometheus: Prometheus, job: str, rounds: int) -> None:
    expression = f'sum by (tenant, outcome) ({COUNTER}{{job="{job}",module="steady"}})'
    eventually(lambda: by_outcome(prometheus.query(expression)), sent(rounds))


def the_api_agrees(daemon: Daemon, rounds: int) -> None:
    def totals() -> dict:
        items = daemon.items("/v1/series", module="steady")
        return {(item["tenant"], outcome): n for item in items for outcome, n in item["total"].items() if n}

    eventually(totals, sent(rounds))


def raw(prometheus: Prometheus, job: str, window_ms: int, at_ms: int | None = None) -> dict:
    """(tenant, outcome) -> [(milliseconds, value)] that a range selector holds."""
    selector = f'{COUNTER}{{job="{job}",module="steady"}}[{window_ms}ms]'
    rows = prometheus.query(selector, None if at_ms is None else at_ms / 1_000)
    return {
        (row["metric"]["tenant"], row["metric"]["outcome"]): [
            (round(when * 1_000), float(value)) for when, value in row["values"]
        ]
        for row in rows
    }


def grown(prometheus: Prometheus, function: str, job: str, window_ms: int, at_ms: int) -> dict:
    """(tenant, outcome) -> `increase()` or `rate()` of the counter."""
    selector = f'{COUNTER}{{job="{job}",module="steady"}}[{window_ms}ms]'
    return by_outcome(prometheus.query(f"{function}({selector})", at_ms / 1_000))


def is_equal(seen: dict, wanted: dict) -> bool:
    """But for the rounding of floats."""
    return seen.keys() == wanted.keys() and all(math.isclose(seen[key], wanted[key], rel_tol=1e-9) for key in wanted)


def increase_equals_the_books(prometheus: Prometheus, job: str) -> None:
    """From the first to the last sample of the load there is nothing to extrapolate."""
    samples = raw(prometheus, job, ALL_MS)[next(iter(sent(1)))]
    begin_ms, end_ms = samples[0][0], samples[-1][0]
    window_ms = end_ms - begin_ms
    increase = grown(prometheus, "increase", job, window_ms, end_ms)
    assert is_equal(increase, sent(ROUNDS)), f"wanted {sent(ROUNDS)}\n   saw {increase}"
    rate = grown(prometheus, "rate", job, window_ms, end_ms)
    times = {key: value * window_ms / 1_000 for key, value in rate.items()}
    assert is_equal(times, sent(ROUNDS)), f"wanted {sent(ROUNDS)}\n   saw {times}"


def extrapolated(samples: list[tuple[int, float]], at_ms: int, window_ms: int) -> float:
    """`rate()` by hand, as Prometheus documents it: the growth, stretched to an edge of the window where a sample is
    near (1.1 mean steps), else by half a step, and never further back than where the counter would be zero.
    """
    (first_ms, first), (last_ms, last) = samples[0], samples[-1]
    covered = last_ms - first_ms
    step = covered / (len(samples) - 1)
    before, after = first_ms - (at_ms - window_ms), at_ms - last_ms
    before = min(before, covered * first / (last - first))
    stretched = covered + sum(gap if gap < 1.1 * step else step / 2 for gap in (before, after))
    return (last - first) * stretched / covered / window_ms * 1_000


def rate_is_as_by_hand(prometheus: Prometheus, job: str) -> None:
    """Where the window begins before the counter does, and in the midst of the load."""
    every = raw(prometheus, job, ALL_MS)[next(iter(sent(1)))]
    begin_ms, begin = every[0]
    moving = next(n for n, (_, value) in enumerate(every) if value > begin)
    early_ms, late_ms = every[moving + 2][0] + 370, every[len(every) * 3 // 4][0] + 370
    for at_ms, window_ms in ((early_ms, early_ms - begin_ms + 4_300), (late_ms, 5_200)):
        inside = raw(prometheus, job, window_ms, at_ms)
        wanted = {key: extrapolated(samples, at_ms, window_ms) for key, samples in inside.items() if samples[-1][1]}
        seen = grown(prometheus, "rate", job, window_ms, at_ms)
        assert is_equal(seen, wanted), f"wanted {wanted}\n   saw {seen}\n    of {inside}"


def scrapes_are_clean(prometheus: Prometheus, job: str) -> None:
    (up,) = prometheus.query(f'up{{job="{job}"}}[5m]')
    values = [value for _, value in up["values"]]
    assert len(values) >= ROUNDS * ROUND_SECONDS and set(values) == {"1"}, values
    (target,) = [at for at in prometheus.get("targets")["activeTargets"] if at["labels"]["job"] == job]
    assert (target["health"], target["lastError"]) == ("up", ""), target
    # The name of a counter's family tells which parser read it: OpenMetrics leaves `_total` out.
    family = COUNTER.removesuffix("_total") if job == "openmetrics" else COUNTER
    metadata = prometheus.get("targets/metadata", match_target=f'{{job="{job}"}}', metric=family)
    assert [row["type"] for row in metadata] == ["counter"], metadata


def both_formats_hold_the_same(prometheus: Prometheus) -> None:
    def series(job: str) -> set:
        rows = prometheus.query(f'{{job="{job}",__name__=~"bailiwick_.*|process_.*"}}')
        every = [row["metric"] | {"job": "", "instance": ""} for row in rows]
        # Text 0.0.4 says `le="1"` where OpenMetrics must say `le="1.0"`.
        return {tuple(sorted((labels | {"le": float(labels.get("le", 0))}).items(), key=str)) for labels in every}

    # A series that is new may be in one job's scrape and not yet in the other's.
    until(lambda: series(JOBS[0]) == series(JOBS[1]))
    one, other = map(series, JOBS)
    assert one == other and len(one) > 100, f"{len(one)} and {len(other)} series; in one only: {list(one ^ other)[:9]}"


def nothing_is_complained_of(prometheus: Prometheus) -> None:
    complaints = prometheus.complaints()
    assert not complaints, "\n".join(complaints)


def main() -> None:
    cases = Cases()
    with Daemon() as daemon, text_only(daemon.server) as forwarder:
        with Prometheus({"openmetrics": daemon.server, "text": forwarder}) as prometheus:
            sender = Sender(daemon)
            # Counters begin with their first value: what comes after the first round is an increase.
            sender.send()
            for job in JOBS:
                cases.check(f"{job}: the first round is scraped", counters_are, prometheus, job, 1)
            sender.send_steadily()
            cases.check("the API shows exactly what was sent", the_api_agrees, daemon, ROUNDS + 1)
            for job in JOBS:
                cases.check(f"{job}: the counters show the same", counters_are, prometheus, job, ROUNDS + 1)
                cases.check(f"{job}: increase and rate equal the books", increase_equals_the_books, prometheus, job)
                cases.check(f"{job}: rate is as by hand", rate_is_as_by_hand, prometheus, job)
                cases.check(f"{job}: every scrape is up, by its parser", scrapes_are_clean, prometheus, job)
            cases.check("both formats hold the same series", both_formats_hold_the_same, prometheus)
            cases.check("Prometheus complains of nothing", nothing_is_complained_of, prometheus)
        spans = sum(sent(ROUNDS + 1).values())
        assert sum(sender.acknowledged) == spans, sender.acknowledged
        cases.check(f"SIGTERM: the totals hold {spans} spans", daemon.stops_with, spans)
    cases.close()


if __name__ == "__main__":
    main()
