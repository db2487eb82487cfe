"""Prints what a live span and a series cost: by the daemon's own count, and as the slope of its resident memory between
a small and a large number of them. Not a suite: `tests/README.md` has its last figures.

Usage: memory_figures.py BINARY, a release build.
"""

import pathlib
import random
import sys
import time
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import daemon
from daemon import Daemon, until

SPANS_PER_REQUEST = 2_000
ROOMY = [f"aggregator.series.{name}=100000" for name in ("max", "per_tenant_max", "operations_top")]
NO_INDEX = "aggregator.coverage.index_bytes_max=0"


def resident(running: Daemon) -> int:
    """Bytes of resident memory."""
    status = pathlib.Path(f"/proc/{running.process_id()}/status").read_text().splitlines()
    return 1_024 * next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def request(spans: list[tuple]) -> bytes:
    """Spans are trace, id, parent, kind, name and duration in nanoseconds."""
    message = ExportTraceServiceRequest()
    of_resource = message.resource_spans.add()
    for key, value in (("service.name", "platform"), ("tenant.id", "acme")):
        attribute = of_resource.resource.attributes.add()
        attribute.key, attribute.value.string_value = key, value
    scope, now = of_resource.scope_spans.add(), time.time_ns()
    for trace, span_id, parent, kind, name, lasts in spans:
        span = scope.spans.add()
        span.trace_id, span.span_id, span.parent_span_id, span.kind, span.name = trace, span_id, parent, kind, name
        span.flags, span.end_time_unix_nano, span.start_time_unix_nano = 0x101, now, now - lasts
    return message.SerializeToString()


def send(running: Daemon, body: bytes) -> None:
    headers = {"content-type": "application/x-protobuf"}
    with urllib.request.urlopen(urllib.request.Request(f"http://{running.http}/v1/traces", body, headers)) as answer:
        assert answer.status == 200


def traces(spans_per_trace: int) -> list[tuple]:
    spans = []
    for _ in range(SPANS_PER_REQUEST // spans_per_trace):
        trace, ids = random.randbytes(16), [random.randbytes(8) for _ in range(spans_per_trace)]
        for place, span_id in enumerate(ids):
            parent, kind = (ids[place - 1], 1) if place else (b"", 2)
            spans.append((trace, span_id, parent, kind, f"step {'abcde'[place % 5]}", 5_000_000))
    return spans


def live_spans(spans: int, spans_per_trace: int) -> tuple[int, int]:
    """Bytes by the daemon's count, and resident ones."""
    with Daemon() as running:
        before = resident(running)
        for _ in range(spans // SPANS_PER_REQUEST):
            send(running, request(traces(spans_per_trace)))

        def booked() -> bool:
            return sum(book[1] for book in running.books().values()) == spans

        assert until(booked, 20)
        used = next(limit for limit in running.items("/v1/limits") if limit["limit"] == "coverage.index_bytes_max")
        return used["used"], resident(running) - before


def series(count: int, samples: int) -> int:
    """Resident bytes."""
    with Daemon([*ROOMY, NO_INDEX]) as running:
        before = resident(running)
        names = ["call " + "".join("abcdefghij"[int(digit)] for digit in f"{number:05d}") for number in range(count)]
        for _ in range(samples):
            for first in range(0, count, SPANS_PER_REQUEST):
                ids = ((random.randbytes(16), random.randbytes(8)) for _ in range(SPANS_PER_REQUEST))
                some = zip(ids, names[first : first + SPANS_PER_REQUEST])
                spans = [(*both, b"", 2, name, int(1e6 * 10 ** random.random())) for both, name in some]
                send(running, request(spans))
        # Slots close ten seconds after their end.
        time.sleep(21)
        return resident(running) - before


def main() -> None:
    daemon.BINARY = pathlib.Path(sys.argv[1])
    for spans_per_trace in (1, 4, 10):
        # Within `coverage.traces_live_max`.
        small, large = (50_000, 150_000) if spans_per_trace == 1 else (100_000, 500_000)
        (few, few_resident), (many, many_resident) = (live_spans(n, spans_per_trace) for n in (small, large))
        counted, slope = ((now - before) / (large - small) for before, now in ((few, many), (few_resident, many_resident)))
        print(f"{spans_per_trace} spans a trace: {counted:.0f} bytes a span counted, {slope:.0f} resident")
    for samples in (1, 10, 100):
        few, many = (series(n, samples) for n in (10_000, 40_000))
        print(f"{samples} samples a series: {(many - few) / 30_000:.0f} bytes resident a series")


if __name__ == "__main__":
    main()
