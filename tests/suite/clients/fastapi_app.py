"""The FastAPI app of `fastapi_books.py`: instrumented by OpenTelemetry, called a known number of times, then ended.

Arguments: transport, endpoint, module. Prints as JSON what was acknowledged, export by export. It is a process of its
own because the instrumentation reads its convention once.
"""

import json
import sys

from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import python_sdk

SENT = {200: 40, 404: 7, 503: 5}
TENANTS = ("acme", "globex")
ROUTE = "/rag/{item}"


def pool(module: str) -> str:
    """The tenant of the resource: what no span claims for a tenant is its own."""
    return f"pool-{module}"


def main(transport: str, endpoint: str, module: str) -> None:
    spans, points = [], []
    resource = Resource.create({"service.name": module, "tenant.id": pool(module)})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(python_sdk.span_exporter(transport, endpoint, spans)))
    exporter = python_sdk.metric_exporter(transport, endpoint, points)
    meters = MeterProvider([PeriodicExportingMetricReader(exporter, float("inf"))], resource=resource)
    app = FastAPI()

    @app.get(ROUTE)
    def rag(item: int, response: Response, tenant: str) -> dict:
        trace.get_current_span().set_attribute("tenant.id", tenant)
        response.status_code = item
        return {}

    FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers, meter_provider=meters)
    client = TestClient(app)
    for tenant in TENANTS:
        for status, count in SENT.items():
            for _ in range(count):
                assert client.get(f"/rag/{status}?tenant={tenant}").status_code == status
        assert tracers.force_flush() and meters.force_flush()
    tracers.shutdown()
    meters.shutdown()
    print(json.dumps({"spans": spans, "points": points}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
