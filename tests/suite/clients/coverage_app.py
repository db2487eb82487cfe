"""The app of `coverage_figures.py`: a FastAPI service that counts its requests by metrics and shows them by traces.

Arguments: kind, endpoint. `sampled` keeps a quarter of the traces, `shrunken` has a queue for a tenth of them, `broken` is
called through something that hands on trace ids and makes up span ids, `whole` is as it should be. The service is named
for its kind. Prints what it did as JSON.
"""

import json
import os
import secrets
import sys
import time

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
os.environ["OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"] = "true"

from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry import metrics, propagate, trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind

import python_sdk

REQUESTS = 400
# Three spans a request: the SERVER span, and two of ASGI's messages.
SPANS = 3 * REQUESTS
# Windows end with the last slot that metrics have told of, a whole one.
SETTLES_SECONDS = 25


def slow(exporter):
    """The network is not as fast as the service: the queue fills while an export is under way."""
    export = exporter.export

    def late(batch):
        time.sleep(2)
        return export(batch)

    exporter.export = late
    return exporter


def noting_entries(exporter, entries: list):
    """Appends the SERVER spans of each acknowledged export."""
    export = exporter.export

    def noting(batch):
        result = export(batch)
        if result.name == "SUCCESS":
            entries.append(sum(span.kind is SpanKind.SERVER for span in batch))
        return result

    exporter.export = noting
    return exporter


class BrokenGateway:
    """A service in front: it calls in spans of its own, and what lies between hands on the trace's id with a span id
    that nobody has."""

    def __init__(self, endpoint: str, spans: list) -> None:
        resource = Resource.create({"service.name": "gateway", "tenant.id": "acme"})
        # The metrics of this process are the app's.
        nowhere = {"meter_provider": metrics.NoOpMeterProvider()}
        self._tracers = TracerProvider(resource=resource, **nowhere)
        exporter = python_sdk.span_exporter("http", endpoint, spans, **nowhere)
        self._tracers.add_span_processor(BatchSpanProcessor(exporter, **nowhere))
        self._tracer = self._tracers.get_tracer("gateway")

    def call(self, send) -> None:
        headers = {}
        with self._tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
            attributes = {"peer.service": "broken", "http.request.method": "GET"}
            calling = self._tracer.start_span("GET", kind=SpanKind.CLIENT, attributes=attributes)
            with trace.use_span(calling, end_on_exit=True):
                propagate.inject(headers)
                version, trace_id, _, flags = headers["traceparent"].split("-")
                headers["traceparent"] = f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"
        # After its spans have ended: the app runs in this very process, and would take them for its own context.
        send(headers)

    def close(self) -> None:
        self._tracers.shutdown()


def main(kind: str, endpoint: str) -> None:
    resource = Resource.create({"service.name": kind, "tenant.id": "acme"})
    points, spans, entries = [], [], []
    reader = PeriodicExportingMetricReader(python_sdk.metric_exporter("http", endpoint, points), 1_000)
    metrics.set_meter_provider(MeterProvider([reader], resource=resource))
    sampler = ParentBased(TraceIdRatioBased(0.25) if kind == "sampled" else ALWAYS_ON)
    tracers = TracerProvider(sampler=sampler, resource=resource)
    queue = {"max_queue_size": SPANS // 10, "max_export_batch_size": SPANS // 10} if kind == "shrunken" else {}
    exporter = noting_entries(python_sdk.span_exporter("http", endpoint, spans), entries)
    if kind == "shrunken":
        exporter = slow(exporter)
    tracers.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_000, **queue))
    app = FastAPI()

    @app.get("/{item}")
    def get(item: int) -> dict:
        return {}

    FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers)
    client = TestClient(app)
    calling = []
    gateway = BrokenGateway(endpoint, calling) if kind == "broken" else None

    def send(number: int, headers: dict) -> None:
        assert client.get(f"/{number}", headers=headers).status_code == 200

    for number in range(REQUESTS):
        if gateway:
            gateway.call(lambda headers: send(number, headers))
        else:
            send(number, {})
    if gateway:
        gateway.close()
    assert tracers.force_flush()
    time.sleep(SETTLES_SECONDS)
    metrics.get_meter_provider().shutdown()
    tracers.shutdown()
    print(json.dumps({"spans": sum(spans), "entries": sum(entries), "points": sum(points)}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
