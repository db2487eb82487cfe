"""The monolith of `monolith_books.py`: one FastAPI process with five modules that call each other in it.

Arguments: transport, endpoint. Prints as JSON what was acknowledged, export by export. Modules are named by an attribute
of their spans; the tenant is named once, by the captured request header of the SERVER span.
"""

import json
import os
import sys

os.environ["OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"] = "x-tenant-id"

from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import python_sdk

TENANTS = {"acme": 30, "globex": 11}
# What each kind of request makes: (module, operation, type) -> requests, failures.
MADE = {
    ("chat_orchestrator", "POST /chat", "server"): (1, 0),
    ("rag_hub", "retrieve", "module_call"): (1, 0),
    ("content_ops", "render", "module_call"): (2, 1),
    ("trend_ops", "GET /trend/{topic}", "server"): (1, 0),
    ("stock_ops", "quote", "module_call"): (1, 0),
}


def main(transport: str, endpoint: str) -> None:
    spans = []
    tracers = TracerProvider(resource=Resource.create({"service.name": "platform"}))
    # Small batches: children are exported before their parents end.
    exporter = python_sdk.span_exporter(transport, endpoint, spans)
    tracers.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=7))
    tracer = tracers.get_tracer("platform.modules")
    app = FastAPI()

    def module(name: str, operation: str):
        return tracer.start_as_current_span(operation, attributes={"bailiwick.module": name, "module.method": operation})

    def serve(name: str) -> None:
        trace.get_current_span().set_attribute("bailiwick.module", name)

    def render(fails: bool) -> None:
        with module("content_ops", "render"):
            # A step inside the module is no request.
            with tracer.start_as_current_span("fill template"):
                if fails:
                    raise ValueError("no template")

    @app.post("/chat")
    def chat() -> dict:
        serve("chat_orchestrator")
        with module("rag_hub", "retrieve"):
            with tracer.start_as_current_span("rank"):
                pass
            render(fails=False)
        try:
            render(fails=True)
        except ValueError:
            pass
        return {}

    @app.get("/trend/{topic}")
    def trend(topic: str) -> dict:
        serve("trend_ops")
        with module("stock_ops", "quote"):
            if topic == "unknown":
                raise HTTPException(404)
        return {}

    FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers)
    client = TestClient(app)
    for tenant, requests in TENANTS.items():
        for _ in range(requests):
            headers = {"x-tenant-id": tenant}
            assert client.post("/chat", headers=headers).status_code == 200
            assert client.get("/trend/bonds", headers=headers).status_code == 200
    assert tracers.force_flush()
    tracers.shutdown()
    print(json.dumps({"spans": spans}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
