"""Scenario: a plain Node HTTP server and its caller, instrumented by OpenTelemetry, send spans of known requests by
each transport; one tenant is named by a captured header, the other by a span attribute. Guarantee: the books show
exactly the server's requests by tenant, module, operation and outcome, and where the tenant was read from; the
caller's CLIENT spans are received and are no requests.
"""

import json
import os
import pathlib
import subprocess

from cases import Cases
from daemon import Daemon, eventually
from python_sdk import TRANSPORTS, endpoint

SENT = {200: 30, 404: 6, 500: 4, 503: 3}
UNROUTED = {200: 5, 503: 2}
REQUESTS = sum(SENT.values()) + sum(UNROUTED.values())
COMPRESSIONS = {"grpc": "none", "http": "gzip", "json": "gzip"}
APP = pathlib.Path(__file__).parent / "node/app.js"
NODE_MODULES = pathlib.Path(__file__).resolve().parents[3] / "target/node/node_modules"


def calls() -> list[dict]:
    """Every call with its number; a path without a route holds an id that must name no operation."""
    every = []
    for place, sent in (("rag", SENT), ("files", UNROUTED)):
        for status, count in sent.items():
            path = f"/{place}/{status}/4bf92f3577b34da6"
            every.append(dict(path=path, headers={"x-tenant-id": "acme"}, status=status, count=count))
            every.append(dict(path=f"{path}?tenant=globex", headers={}, status=status, count=count))
    return every


def run_app(daemon: Daemon, transport: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    environment |= {"NODE_PATH": str(NODE_MODULES), "OTEL_EXPORTER_OTLP_COMPRESSION": COMPRESSIONS[transport]}
    address = f"http://{daemon.grpc}" if transport == "grpc" else endpoint(daemon, transport)
    arguments = ["node", APP, transport, address, f"node_{transport}", json.dumps(calls())]
    ended = subprocess.run(arguments, env=environment, check=True, timeout=60, stdout=subprocess.PIPE)
    acknowledged = sum(json.loads(ended.stdout))
    # Each call is a SERVER span and a CLIENT span, by two tenants.
    assert acknowledged == 2 * 2 * REQUESTS, acknowledged


def the_api_shows(daemon: Daemon, transport: str) -> None:
    routed = {"success": SENT[200], "client_error": SENT[404], "failure": SENT[500] + SENT[503]}
    operations = {"GET /rag/:status": routed, "GET _unrouted": {"success": UNROUTED[200], "failure": UNROUTED[503]}}

    def series():
        return {
            (item["tenant"], item["operation"], item["type"]): {k: n for k, n in item["total"].items() if n}
            for item in daemon.items("/v1/series", module=f"node_{transport}")
        }

    tenants = ("acme", "globex")
    eventually(series, {(tenant, name, "server"): operations[name] for tenant in tenants for name in operations})


def sources_are_told(daemon: Daemon) -> None:
    wanted = {"acme": {"header": REQUESTS * len(TRANSPORTS)}, "globex": {"span": REQUESTS * len(TRANSPORTS)}}

    def sources():
        items = daemon.items("/v1/tenants")
        return {item["tenant"]: {k: n for k, n in item["tenant_sources"].items() if n} for item in items}

    eventually(sources, wanted)


def books_hold(daemon: Daemon) -> None:
    servers, clients = REQUESTS * len(TRANSPORTS), 2 * REQUESTS * len(TRANSPORTS)
    wanted = {(tenant, "traces"): (servers, servers, {}) for tenant in ("acme", "globex")}
    eventually(daemon.books, wanted | {("_unknown", "traces"): (clients, clients, {})})


def main() -> None:
    cases = Cases()
    with Daemon() as daemon:
        for transport in TRANSPORTS:
            cases.check(f"{transport}: all is acknowledged", run_app, daemon, transport)
        for transport in TRANSPORTS:
            cases.check(f"{transport}: the API shows exactly what was sent", the_api_shows, daemon, transport)
        cases.check("tenants: read from the header and from the span", sources_are_told, daemon)
        cases.check("books: received = accepted = sent", books_hold, daemon)
        spans = 2 * 2 * REQUESTS * len(TRANSPORTS)
        cases.check(f"SIGTERM: the totals hold {spans} spans", daemon.stops_with, spans)
    cases.close()


if __name__ == "__main__":
    main()
