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
from opentelemetry import metrics
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased

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


def main(kind: str, endpoint: str) -> None:
    resource = Resource.create({"service.name": kind, "tenant.id": "acme"})
    points, spans = [], []
    reader = PeriodicExportingMetricReader(python_sdk.metric_exporter("http", endpoint, points), 1_000)
    metrics.set_meter_provider(MeterProvider([reader], resource=resource))
    sampler = ParentBased(TraceIdRatioBased(0.25) if kind == "sampled" else ALWAYS_ON)
    tracers = TracerProvider(sampler=sampler, resource=resource)
    queue = {"max_queue_size": SPANS // 10, "max_export_batch_size": SPANS // 10} if kind == "shrunken" else {}
    exporter = python_sdk.span_exporter("http", endpoint, spans)
    if kind == "shrunken":
        exporter = slow(exporter)
    tracers.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_000, **queue))
    app = FastAPI()

    @app.get("/{item}")
    def get(item: int) -> dict:
        return {}

    FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers)
    client = TestClient(app)
    for number in range(REQUESTS):
        made_up = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        headers = {"traceparent": made_up} if kind == "broken" else {}
        assert client.get(f"/{number}", headers=headers).status_code == 200
    assert tracers.force_flush()
    time.sleep(SETTLES_SECONDS)
    metrics.get_meter_provider().shutdown()
    tracers.shutdown()
    print(json.dumps({"spans": sum(spans), "points": sum(points)}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
