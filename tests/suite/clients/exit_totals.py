"""Scenario: SIGTERM reaches the daemon while OpenTelemetry's Python SDK exports spans and data points as fast as it
can, by each transport. Guarantee: the daemon ends within 10 s with code 0, and the totals of its last event equal what
the exporters were told was received: nothing acknowledged is missing, nothing unacknowledged was counted.
"""

import logging
import threading
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import python_sdk
from cases import Cases
from daemon import STOP_SECONDS_MAX, Daemon, until

ROUNDS = 3
EXPORTS_BEFORE = 20
SPANS = 25


class Client:
    """One exporter in a thread of its own, which exports until an export fails."""

    def __init__(self, exporter, batch, acknowledged: list[int]) -> None:
        self._exporter, self._batch, self.acknowledged = exporter, batch, acknowledged
        self._thread = threading.Thread(target=self._export, daemon=True)
        self._thread.start()

    def _export(self) -> None:
        while self._exporter.export(self._batch()).name == "SUCCESS":
            pass

    def was_refused(self) -> bool:
        """Whether its last export failed, once it need not wait for another try."""
        self._exporter.shutdown()
        self._thread.join(10.0)
        return not self._thread.is_alive()


def spans():
    """What a tracer ended since the last call."""
    finished = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(finished))
    tracer = provider.get_tracer(__name__)

    def batch():
        for _ in range(SPANS):
            tracer.start_span("GET /rag", kind=SpanKind.SERVER).end()
        ended = finished.get_finished_spans()
        finished.clear()
        return ended

    return batch


def points():
    """What a meter holds now."""
    reader = InMemoryMetricReader()
    counter = MeterProvider([reader]).get_meter(__name__).create_counter("calls")

    def batch():
        counter.add(1, {"code": 200})
        counter.add(1, {"code": 503})
        return reader.get_metrics_data()

    return batch


def clients(daemon: Daemon) -> list[Client]:
    every = []
    for transport in python_sdk.TRANSPORTS:
        at = python_sdk.endpoint(daemon, transport)
        for make, batch in ((python_sdk.span_exporter, spans()), (python_sdk.metric_exporter, points())):
            acknowledged: list[int] = []
            every.append(Client(make(transport, at, acknowledged, timeout=5), batch, acknowledged))
    return every


def totals_equal_what_was_acknowledged() -> None:
    with Daemon() as daemon:
        every = clients(daemon)
        assert until(lambda: all(len(client.acknowledged) >= EXPORTS_BEFORE for client in every)), "exports are stuck"
        begin = time.monotonic()
        daemon.terminate()
        last = daemon.last_event()
        took = time.monotonic() - begin
        assert all(client.was_refused() for client in every), "a client still exports"
        acknowledged = sum(sum(client.acknowledged) for client in every)
        totals = tuple(last.get(name) for name in ("message", "received", "accepted", "rejected", "duplicates"))
        wanted = ("stopped", acknowledged, acknowledged, 0, 0)
        assert totals == wanted, f"wanted {wanted}, saw {totals}"
        assert took < STOP_SECONDS_MAX, f"it took {took:.1f} s"
        print(f"   {acknowledged} items by {len(every)} clients, ended after {took:.2f} s")


def main() -> None:
    # What exporters log about refused exports is expected here.
    logging.disable(logging.CRITICAL)
    cases = Cases()
    for turn in range(ROUNDS):
        sentence = f"round {turn + 1}: SIGTERM under load: the totals equal what was acknowledged"
        cases.check(sentence, totals_equal_what_was_acknowledged)
    cases.close()


if __name__ == "__main__":
    main()
