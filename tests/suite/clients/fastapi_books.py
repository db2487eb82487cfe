"""Scenario: an unmodified FastAPI app, instrumented by OpenTelemetry, sends known requests by every convention and
transport. Guarantee: the daemon's books show exactly those requests, by tenant, module, operation and outcome.

Arguments: the daemon's OTLP/gRPC, OTLP/HTTP and API addresses. The app runs once per convention in a process of its
own, because the instrumentation reads its convention once.
"""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

CONVENTIONS = {"old": None, "new": "http", "dup": "http/dup"}
SENT = {200: 40, 404: 7, 503: 5}
TENANTS = ("acme", "globex")


def app_main(transport: str, endpoint: str, module: str) -> None:
    from fastapi import FastAPI, Response
    from fastapi.testclient import TestClient
    from opentelemetry import trace
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if transport == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True)
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=endpoint + "/v1/traces")
    provider = TracerProvider(resource=Resource.create({"service.name": module}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    app = FastAPI()

    @app.get("/rag/{item}")
    def rag(item: int, response: Response, tenant: str) -> dict:
        trace.get_current_span().set_attribute("tenant.id", tenant)
        response.status_code = item
        return {}

    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    client = TestClient(app)
    for tenant in TENANTS:
        for status, count in SENT.items():
            for _ in range(count):
                assert client.get(f"/rag/{status}?tenant={tenant}").status_code == status
    assert provider.force_flush()
    provider.shutdown()


def figures(api: str, module: str) -> list:
    query = urllib.parse.urlencode({"module": module})
    with urllib.request.urlopen(f"http://{api}/v1/series?{query}", timeout=5) as answer:
        return json.load(answer)["items"]


def eventually(read, wanted, seconds: float = 10.0):
    """Reads until it is what is wanted: the daemon publishes once a second."""
    end = time.monotonic() + seconds
    while (seen := read()) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    assert seen == wanted, f"wanted {wanted}, saw {seen}"


def check(api: str, module: str) -> None:
    def seen():
        return {
            (item["tenant"], item["operation"], item["type"]): {k: n for k, n in item["total"].items() if n}
            for item in figures(api, module)
        }

    outcomes = {"success": SENT[200], "client_error": SENT[404], "failure": SENT[503]}
    eventually(seen, {(tenant, "GET /rag/{item}", "server"): outcomes for tenant in TENANTS})


def main() -> None:
    grpc, http, api = sys.argv[1:4]
    passed = 0
    for convention, opt_in in CONVENTIONS.items():
        for transport, endpoint in {"grpc": grpc, "http": f"http://{http}"}.items():
            module = f"fastapi_{convention}_{transport}"
            environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
            if opt_in:
                environment["OTEL_SEMCONV_STABILITY_OPT_IN"] = opt_in
            arguments = [sys.executable, __file__, "--app", transport, endpoint, module]
            subprocess.run(arguments, env=environment, check=True, timeout=60)
            check(api, module)
            passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    if sys.argv[1] == "--app":
        app_main(*sys.argv[2:5])
    else:
        main()
