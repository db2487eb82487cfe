"""The app of `leaks_found.py`: a FastAPI process that may leak tenants into each other, batch jobs, shared modules.

Arguments: `clean` or `leaky`, endpoint, requests. Prints as JSON what was acknowledged.

The leaks: a tenant kept in a module-level variable bleeds into the next request; a background call forgets its tenant;
a query goes to another tenant's schema.
"""

import itertools
import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

import python_sdk

TENANTS = ("acme", "globex", "initech")
# Every so many requests a leak of one kind.
BLEEDS_EVERY, FORGETS_EVERY, STRAYS_EVERY = 500, 700, 900


def plan(number: int, leaks: bool) -> tuple[str | None, str | None, str]:
    """Of a request: the tenant that its SERVER span names, the one that its modules name, the one whose schema it reads."""
    tenant, other = (TENANTS[(number + of) % len(TENANTS)] for of in (0, 1))
    bleeds, forgets, strays = (leaks and number % every == 0 for every in (BLEEDS_EVERY, FORGETS_EVERY, STRAYS_EVERY))
    named = None if forgets else tenant
    # A variable that still holds the tenant of another request.
    return named, other if bleeds else named, other if strays else tenant


class Platform:
    """Serves requests of tenants in turn, each a trace of seven spans."""

    def __init__(self, tracer, leaks: bool) -> None:
        self._tracer, self._leaks = tracer, leaks

    def span(self, name: str, kind=SpanKind.INTERNAL, **attributes):
        attributes = {key.replace("__", "."): value for key, value in attributes.items() if value is not None}
        return self._tracer.start_as_current_span(name, kind=kind, attributes=attributes)

    def serve(self, number: int) -> None:
        named, inside, owner = plan(number, self._leaks)
        route = {"http__request__method": "POST", "http__route": "/chat"}
        with self.span("POST /chat", SpanKind.SERVER, tenant__id=named, bailiwick__module="chat", **route):
            with self.span("retrieve", tenant__id=inside, bailiwick__module="rag_hub"):
                database = {"db__system__name": "postgresql", "db__namespace": f"tenant_{owner}"}
                with self.span("SELECT chunks", SpanKind.CLIENT, tenant__id=inside, **database):
                    pass
                with self.span("rank"):
                    pass
            # Shared infrastructure: its own spans name no tenant.
            with self.span("check quota", bailiwick__module="quota"):
                with self.span("GET", SpanKind.CLIENT, db__system__name="redis", db__namespace="0"):
                    pass
            with self.span("render", tenant__id=inside, bailiwick__module="content"):
                pass

    def run_job(self) -> None:
        """A job of nobody's that works for all tenants, and a consumer of their messages."""
        with self.span("nightly", bailiwick__module="quota"):
            for tenant in TENANTS:
                with self.span("rebuild index", tenant__id=tenant, bailiwick__module="rag_hub"):
                    pass


def main(kind: str, endpoint: str, requests: str) -> None:
    spans = []
    tracers = TracerProvider(resource=Resource.create({"service.name": "platform"}))
    exporter = python_sdk.span_exporter("http", endpoint, spans)
    tracers.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=400_000))
    platform = Platform(tracers.get_tracer("platform"), kind == "leaky")
    for number in itertools.islice(itertools.count(1), int(requests)):
        platform.serve(number)
        if number % 100 == 0:
            platform.run_job()
    assert tracers.force_flush(60_000)
    tracers.shutdown()
    print(json.dumps({"spans": spans}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
