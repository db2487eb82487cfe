"""Scenario: one operation of a FastAPI service fails every request for half a minute, and then none; an SLO of one
tenant x module promises 90 % over an hour, with a page over one minute. Guarantee: exactly one incident opens, with the
operation to blame, counts that add up, and traces that failed; it resolves when the failures have left the window; the
budget is what was sent, to the last request.
"""

import os
import pathlib
import tempfile
import threading

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"

from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult, SpanExporter

import python_sdk
from cases import Cases
from daemon import Daemon, until

DEFINITION = """
apiVersion: bailiwick/v1
kind: SLO
metadata: {name: availability}
spec:
  service: rag_hub
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1h, isRolling: true}]
  objectives: [{targetPercent: 90}]
  bailiwick:
    module: rag_hub
    sli: {kind: availability}
    alerts:
      holdDown: 10s
      tiers: [{severity: page, long: 1m, short: 20s, factor: 2}]
"""


class Failed(SpanExporter):
    """Trace ids of failed SERVER spans."""

    def __init__(self) -> None:
        self.traces = set()

    def export(self, spans) -> SpanExportResult:
        for span in spans:
            if span.kind.name == "SERVER" and span.attributes.get("http.response.status_code") == 500:
                self.traces.add(format(span.context.trace_id, "032x"))
        return SpanExportResult.SUCCESS


class Service:
    """Serves ten requests a second, half of them of an operation that may fail."""

    def __init__(self, endpoint: str) -> None:
        resource = Resource.create({"service.name": "rag_hub", "tenant.id": "acme"})
        tracers = TracerProvider(resource=resource)
        self.exported, self.failed = [], Failed()
        for exporter in (python_sdk.span_exporter("http", endpoint, self.exported), self.failed):
            tracers.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
        app = FastAPI()
        self.fails, self.asked, self.refused, self._stop = False, 0, 0, threading.Event()

        @app.get("/ask")
        def ask() -> Response:
            return Response(status_code=500 if self.fails else 200)

        @app.get("/read")
        def read() -> dict:
            return {}

        FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers)
        self._client, self._tracers = TestClient(app, raise_server_exceptions=False), tracers
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            for path in ("/ask", "/read"):
                self.refused += self._client.get(path).status_code == 500
                self.asked += 1

    def __enter__(self) -> "Service":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()
        self._tracers.shutdown()


def incident(daemon: Daemon) -> dict | None:
    """The one incident."""
    items = daemon.items("/v1/incidents")
    assert len(items) <= 1, items
    return items[0] if items else None


def opens(daemon: Daemon, service: Service, seen: dict) -> None:
    assert until(lambda: daemon.items("/v1/slos"), 30), "the instance is made with the first request"
    assert incident(daemon) is None
    service.fails = True
    found = until(lambda: incident(daemon), 60)
    assert found, daemon.items("/v1/slos")
    assert (found["state"], found["level"], found["tenant"], found["module"]) == ("open", "page", "acme", "rag_hub"), found
    seen["id"] = found["id"]


def explains_itself(daemon: Daemon, service: Service, seen: dict) -> None:
    found = daemon.get(f"/v1/incidents/{seen['id']}")
    blame = found["attribution"]
    (operation,) = blame["by"]["operation"]
    assert operation == {"value": "GET /ask", "bad": blame["bad"], "share_ratio": 1.0}, blame
    assert 0 < blame["bad"] <= service.refused and found["exemplars"], (found, service.refused)
    assert "GET /ask" in found["text"] and "rag_hub" in found["text"], found["text"]
    shown = {exemplar["trace_id"] for exemplar in found["exemplars"]}
    assert until(lambda: shown <= service.failed.traces), (shown, service.failed.traces)


def resolves(daemon: Daemon, service: Service, seen: dict) -> None:
    service.fails = False
    found = until(lambda: (one := incident(daemon)) and one["state"] == "resolved" and one, 120)
    assert found, incident(daemon)
    assert (found["id"], found["reason"]) == (seen["id"], "recovered"), found
    types = [event["type"] for event in found["events"]]
    assert types == ["slo.alert.firing", "slo.alert.resolved"], types


def budget_is_exact(daemon: Daemon, service: Service) -> None:
    counts = service.refused, service.asked

    def read() -> bool:
        (item,) = daemon.items("/v1/slos")
        return (item["sli"]["bad"], item["sli"]["total"]) == counts

    assert until(read, 40), (counts, daemon.items("/v1/slos"))
    (item,) = daemon.items("/v1/slos")
    remaining = 1 - counts[0] / (0.1 * counts[1])
    assert abs(item["budget"]["remaining_ratio"] - remaining) < 1e-8, (remaining, item["budget"])


def main() -> None:
    cases, seen = Cases(), {}
    with tempfile.TemporaryDirectory() as folder:
        definition = pathlib.Path(folder, "rag.yaml")
        definition.write_text(DEFINITION)
        with Daemon([f'slo.files=["{definition}"]']) as daemon:
            with Service(f"http://{daemon.http}") as service:
                cases.check("failures open exactly one incident", opens, daemon, service, seen)
                cases.check("it says whose they are, and shows traces that failed", explains_itself, daemon, service, seen)
                cases.check("it resolves when they have left the window", resolves, daemon, service, seen)
            cases.check("the budget is what was sent", budget_is_exact, daemon, service)
    cases.close()


if __name__ == "__main__":
    main()
