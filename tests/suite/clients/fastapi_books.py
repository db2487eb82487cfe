"""Scenario: an unmodified FastAPI app, instrumented by OpenTelemetry, sends traces and metrics of known requests by
every convention and transport. Guarantee: the daemon's books show exactly those requests by tenant, module, operation
and outcome, in the API and in `/metrics`; every span and data point sent is received and accepted.
"""

import json
import os
import pathlib
import subprocess
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from cases import Cases
from daemon import OPENMETRICS, TEXT, Daemon, eventually
from fastapi_app import ROUTE, SENT, TENANTS, pool
from python_sdk import TRANSPORTS, endpoint

# Each convention also has a compression of its own.
CONVENTIONS = {"old": (None, None), "new": ("http", "gzip"), "dup": ("http/dup", "deflate")}
REQUESTS = sum(SENT.values())
# A request is a SERVER span with the tenant, and two INTERNAL "http send" spans without it.
SENDS = 2 * REQUESTS * len(TENANTS)
OUTCOMES = {"success": SENT[200], "client_error": SENT[404], "failure": SENT[503]}
OPERATION = f"GET {ROUTE}"


def run_app(daemon: Daemon, convention: str, transport: str, sent: dict) -> None:
    module = f"fastapi_{convention}_{transport}"
    opt_in, compression = CONVENTIONS[convention]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    if compression:
        # OTLP/gRPC has no deflate with us, as with most receivers.
        environment["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip" if transport == "grpc" else compression
    if opt_in:
        environment["OTEL_SEMCONV_STABILITY_OPT_IN"] = opt_in
    app = pathlib.Path(__file__).with_name("fastapi_app.py")
    arguments = [sys.executable, app, transport, endpoint(daemon, transport), module]
    ended = subprocess.run(arguments, env=environment, check=True, timeout=60, stdout=subprocess.PIPE)
    acknowledged = sent[module] = json.loads(ended.stdout)
    # A collection holds requests in flight, and duration and response size of each status; the last two under both
    # names with `http/dup`.
    points = 1 + 2 * len(SENT) * (2 if convention == "dup" else 1)
    assert sum(acknowledged["spans"]) == REQUESTS * len(TENANTS) + SENDS, acknowledged
    assert acknowledged["points"] == [points] * len(TENANTS), acknowledged


def the_api_shows(daemon: Daemon, module: str) -> None:
    def series():
        return {
            (item["tenant"], item["operation"], item["type"]): {k: n for k, n in item["total"].items() if n}
            for item in daemon.items("/v1/series", module=module)
        }

    eventually(series, {(tenant, OPERATION, "server"): OUTCOMES for tenant in TENANTS})


def samples(parse, text: str, name: str) -> dict:
    """Labels but `module`, `operation` and `type` -> value, of all modules."""
    found = {}
    for family in parse(text):
        for sample in family.samples:
            if sample.name == name and sample.value:
                labels = sample.labels
                assert labels.get("operation", OPERATION) == OPERATION and labels.get("type", "server") == "server"
                found[labels["tenant"], labels["module"], labels.get("outcome")] = sample.value
    return found


def metrics_show(daemon: Daemon, modules: list[str], accept: str, parse) -> None:
    series = [(tenant, module) for tenant in TENANTS for module in modules]
    content_type, text = daemon.scrape(accept)
    assert content_type.startswith(accept), content_type
    requests = {(*pair, outcome): n for pair in series for outcome, n in OUTCOMES.items()}
    wanted = {
        "bailiwick_requests_total": requests,
        "bailiwick_request_spans_total": {(*pair, None): REQUESTS for pair in series},
        "bailiwick_request_duration_seconds_count": {(*pair, None): OUTCOMES["success"] for pair in series},
    }
    for name, values in wanted.items():
        seen = samples(parse, text, name)
        assert seen == values, f"{name}: wanted {values}\n   saw {seen}"


def books_hold(daemon: Daemon, sent: dict) -> None:
    spans = REQUESTS * len(sent)
    wanted = {(tenant, "traces"): (spans, spans, {}) for tenant in TENANTS}
    wanted |= {(pool(module), "traces"): (SENDS, SENDS, {}) for module in sent}
    points = sum(sum(counts["points"]) for counts in sent.values())
    wanted[None, "metrics"] = (points, points, {})

    def books() -> dict:
        """Points of all tenants together: nothing claims them before metrics feed requests."""
        traces = {key: book for key, book in daemon.books().items() if key[1] == "traces"}
        metrics = [book for key, book in daemon.books().items() if key[1] == "metrics"]
        other = {name: n for book in metrics for name, n in book[2].items()}
        return traces | {(None, "metrics"): (sum(book[0] for book in metrics), sum(book[1] for book in metrics), other)}

    eventually(books, wanted)


def exports_were_ok(daemon: Daemon, sent: dict) -> None:
    _, text = daemon.scrape(TEXT)
    answers = {}
    for family in parse_text(text):
        for sample in family.samples:
            if sample.name == "bailiwick_ingest_requests_total" and sample.value:
                answers[tuple(sample.labels[name] for name in ("transport", "signal", "outcome"))] = sample.value
    wanted = {}
    for module, counts in sent.items():
        transport = "grpc" if module.endswith("grpc") else "http"
        for signal, exports in (("traces", counts["spans"]), ("metrics", counts["points"])):
            key = (transport, signal, "ok")
            wanted[key] = wanted.get(key, 0) + len(exports)
    assert answers == wanted, f"wanted {wanted}\n   saw {answers}"


def promtool_is_silent(daemon: Daemon) -> None:
    _, text = daemon.scrape(TEXT)
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=20)
    said = linted.stdout + linted.stderr
    assert linted.returncode == 0 and not said, said


def main() -> None:
    cases, sent = Cases(), {}
    with Daemon() as daemon:
        for convention in CONVENTIONS:
            for transport in TRANSPORTS:
                run = f"convention {convention} by {transport}"
                cases.check(f"{run}: all is acknowledged", run_app, daemon, convention, transport, sent)
        for module in sent:
            cases.check(f"{module}: the API shows exactly what was sent", the_api_shows, daemon, module)
        cases.check("books: received = accepted = sent, by tenant and signal", books_hold, daemon, sent)
        cases.check("exports: as many were answered ok as were sent", exports_were_ok, daemon, sent)
        for accept, parse in ((TEXT, parse_text), (OPENMETRICS, parse_openmetrics)):
            cases.check(f"{accept}: the counters show the same", metrics_show, daemon, list(sent), accept, parse)
        cases.check("promtool check metrics says nothing", promtool_is_silent, daemon)
        items = sum(sum(counts["spans"]) + sum(counts["points"]) for counts in sent.values())
        cases.check(f"SIGTERM: the totals hold {items} items", daemon.stops_with, items)
    cases.close()


if __name__ == "__main__":
    main()
