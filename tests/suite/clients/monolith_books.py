"""Scenario: one FastAPI process with five modules serves two tenants; modules call each other inside the process, and
only the SERVER span names the tenant. Guarantee: each module has books of its own, by tenant, that match the requests
sent exactly; nothing inside a module is taken for a request; the graph shows who called whom.
"""

import json
import os
import pathlib
import subprocess
import sys

from cases import Cases
from daemon import Daemon, eventually
from monolith_app import MADE, TENANTS
from python_sdk import TRANSPORTS, endpoint

CALLS = {
    ("chat_orchestrator", "rag_hub"): 1,
    ("rag_hub", "content_ops"): 1,
    ("chat_orchestrator", "content_ops"): 1,
    ("trend_ops", "stock_ops"): 1,
}


def run_app(daemon: Daemon, transport: str, acknowledged: list[int]) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    app = pathlib.Path(__file__).with_name("monolith_app.py")
    arguments = [sys.executable, app, transport, endpoint(daemon, transport)]
    ended = subprocess.run(arguments, env=environment, check=True, timeout=60, stdout=subprocess.PIPE)
    acknowledged.extend(json.loads(ended.stdout)["spans"])


def modules_have_their_books(daemon: Daemon, runs: int) -> None:
    wanted = {}
    for tenant, requests in TENANTS.items():
        for (module, operation, kind), (made, failed) in MADE.items():
            outcomes = {"success": (made - failed) * requests * runs, "failure": failed * requests * runs}
            wanted[tenant, module, operation, kind] = {name: n for name, n in outcomes.items() if n}

    def series() -> dict:
        return {
            (item["tenant"], item["module"], item["operation"], item["type"]): {
                name: n for name, n in item["total"].items() if n
            }
            for item in daemon.items("/v1/series")
        }

    eventually(series, wanted)


def tenants_come_from_the_server_span(daemon: Daemon, runs: int) -> None:
    requests = sum(TENANTS.values()) * runs
    sources = {"header": 0, "inherited": 0}
    for item in daemon.items("/v1/modules"):
        for name, n in item["tenant_sources"].items():
            sources[name] = sources.get(name, 0) + n
    seen = {name: n for name, n in sources.items() if n}
    assert seen == {"header": 2 * requests, "inherited": 4 * requests}, seen


def nothing_is_found(daemon: Daemon) -> None:
    assert daemon.items("/v1/findings") == []


def the_graph_shows_the_calls(daemon: Daemon, runs: int) -> None:
    wanted = {
        (tenant, *edge): calls * requests * runs for tenant, requests in TENANTS.items() for edge, calls in CALLS.items()
    }

    def edges() -> dict:
        return {
            (graph["tenant"], edge["from"], edge["to"]): edge["requests"]
            for graph in daemon.items("/v1/graph", window="5m")
            for edge in graph["edges"]
        }

    # A trace settles 30 s after its last span, and its slot closes 10 s after its end.
    eventually(edges, wanted, 60)


def main() -> None:
    cases, acknowledged = Cases(), []
    with Daemon() as daemon:
        for transport in TRANSPORTS:
            cases.check(f"by {transport}: all is acknowledged", run_app, daemon, transport, acknowledged)
        runs = len(TRANSPORTS)
        cases.check("each module's books match the requests sent", modules_have_their_books, daemon, runs)
        cases.check("tenants come from the SERVER span, by name", tenants_come_from_the_server_span, daemon, runs)
        cases.check("the graph shows every call between modules", the_graph_shows_the_calls, daemon, runs)
        cases.check("no leak is found", nothing_is_found, daemon)
        cases.check("SIGTERM: the last event holds exactly that", daemon.stops_with, sum(acknowledged))
    cases.close()


if __name__ == "__main__":
    main()
