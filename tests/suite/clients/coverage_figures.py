"""Scenario: services of the Python SDK count their requests by metrics; one shows all of them by traces, one keeps a
quarter, one has a queue for a tenth, one is called through a propagator that makes up span ids. Guarantee: coverage is
whole where it is whole, sampled or not; where spans are lost it falls and the delivery figure says why; where chains
break the headline falls and the edge is named, from whom to whom; SLOs of coverage count the same, request by request.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from cases import Cases
from coverage_app import REQUESTS
from daemon import Daemon, eventually, until

KINDS = ("whole", "sampled", "shrunken", "broken")
# The service that a gateway calls is in the inventory: whoever calls it by that name calls that module.
SETTINGS = [
    "aggregator.coverage.trace_idle=2s",
    "aggregator.coverage.trace_age_max=4s",
    "modules.declared={broken: {peers: [broken]}}",
]

SLO = """
apiVersion: bailiwick/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: any
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 1d, isRolling: true}}]
  objectives: [{{targetPercent: 95}}]
  bailiwick:
    module: [whole, sampled, shrunken, broken]
    sli: {{kind: coverage, part: {part}}}
    alerts: {{preset: none}}
"""
DEFINITIONS = "---".join(SLO.format(name=part.lower(), part=part) for part in ("TC", "C2"))


def run_apps(daemon: Daemon, ran: dict) -> None:
    app = pathlib.Path(__file__).with_name("coverage_app.py")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    endpoint = f"http://{daemon.http}"
    started = {
        kind: subprocess.Popen([sys.executable, app, kind, endpoint], env=environment, stdout=subprocess.PIPE)
        for kind in KINDS
    }
    for kind, process in started.items():
        out, _ = process.communicate(timeout=100)
        assert process.returncode == 0, kind
        ran[kind] = json.loads(out)


def item(daemon: Daemon, ran: dict, kind: str, tenant: str | None) -> dict:
    """The item whose window has all requests and, later than those, all exports that the SDK tells of."""

    def read() -> dict | None:
        rows = [row for row in daemon.items("/v1/coverage", module=kind) if row["tenant"] == tenant]
        told = rows and [rows[0]["figures"][name]["denominator"] for name in ("C1", "C7")]
        return rows[0] if told == [REQUESTS, ran[kind]["spans"]] else None

    found = until(read, 40)
    assert found, daemon.items("/v1/coverage", module=kind)
    return found


def whole(daemon: Daemon, ran: dict) -> None:
    seen = item(daemon, ran, "whole", "acme")
    assert (seen["state"], seen["denominator_source"]) == ("measured", "duration_histogram"), seen
    assert seen["headline_ratio"] == "1.000000", seen
    assert {name: seen["figures"][name]["ratio"] for name in ("C1", "C1r", "C2")} == dict.fromkeys(
        ("C1", "C1r", "C2"), "1.000000"
    ), seen
    assert seen["figures"]["C7"]["ratio"] == "1.000000", seen["figures"]["C7"]


def sampled(daemon: Daemon, ran: dict) -> None:
    """What the sampler dropped it says itself, by service."""
    seen = item(daemon, ran, "sampled", None)
    figures = seen["figures"]
    assert figures["C1"]["ratio"] == "1.000000", figures["C1"]
    # 400 requests kept with probability 1/4: five standard deviations are 0.11.
    assert 0.14 < float(figures["C1r"]["ratio"]) < 0.36, figures["C1r"]
    assert figures["C2"]["ratio"] == "1.000000", figures["C2"]


def shrunken(daemon: Daemon, ran: dict) -> None:
    seen = item(daemon, ran, "shrunken", "acme")
    lost = 3 * REQUESTS - ran["shrunken"]["spans"]
    assert lost > 0, "the queue was to be too small"
    assert seen["headline_ratio"] == f"{ran['shrunken']['entries'] / REQUESTS:.6f}", (ran["shrunken"], seen)
    assert float(seen["headline_ratio"]) < 0.9 and seen["figures"]["C1"]["numerator"] < 0.9 * REQUESTS, seen
    assert seen["losses"] == {"queue_full": lost, "exporter_error": 0, "not_accepted": 0}, (lost, seen["losses"])
    # What was exported has come: it was lost before, in the queue.
    assert seen["figures"]["C7"]["ratio"] == "1.000000", seen["figures"]["C7"]


def broken(daemon: Daemon, ran: dict) -> None:
    seen = item(daemon, ran, "broken", "acme")
    assert seen["figures"]["C1"]["ratio"] == "1.000000", seen["figures"]["C1"]
    assert seen["headline_ratio"] == "0.000000", seen
    gaps = {gap["kind"]: gap for gap in seen["gaps"]}
    for kind in ("parent_missing_remote", "peer_silent"):
        assert gaps[kind]["count"] == REQUESTS and len(gaps[kind]["trace_ids"]) == 3, gaps
    assert gaps["peer_silent"]["callers"] == [{"module": "gateway", "unmatched": REQUESTS}], gaps
    (graph,) = daemon.items("/v1/graph", tenant="acme", module="broken")
    edges = [(edge["from"], edge["to"], edge["requests"], edge["unmatched"]) for edge in graph["edges"]]
    assert edges == [("gateway", "broken", REQUESTS, REQUESTS)], graph


def slos_count_the_same(daemon: Daemon, ran: dict) -> None:
    """Bad ones are requests without a linked entry, or entries that lead to no root. What a sampler keeps is chance."""
    kept = ran["shrunken"]["entries"]
    wanted = {
        ("tc", "whole"): (0, REQUESTS),
        ("c2", "whole"): (0, REQUESTS),
        ("tc", "broken"): (REQUESTS, REQUESTS),
        ("c2", "broken"): (REQUESTS, REQUESTS),
        ("tc", "shrunken"): (REQUESTS - kept, REQUESTS),
        ("c2", "shrunken"): (0, kept),
    }

    def read() -> dict:
        counted = {(slo, module): counts for (slo, tenant, module), counts in daemon.promised().items() if tenant == "acme"}
        return {key: counts for key, counts in counted.items() if key[1] != "sampled"}

    eventually(read, wanted, 40)


def main() -> None:
    cases, ran = Cases(), {}
    with tempfile.TemporaryDirectory() as folder:
        definitions = pathlib.Path(folder, "coverage.yaml")
        definitions.write_text(DEFINITIONS)
        with Daemon([*SETTINGS, f'slo.files=["{definitions}"]']) as daemon:
            cases.check("four services run and end", run_apps, daemon, ran)
            cases.check("whole: every figure is whole", whole, daemon, ran)
            cases.check("sampled at 25 %: all is represented, a quarter can be opened", sampled, daemon, ran)
            cases.check("a queue that is too small: coverage falls, delivery of the rest is whole", shrunken, daemon, ran)
            cases.check("a broken propagator: the headline falls and the edge is named", broken, daemon, ran)
            cases.check("SLOs count what was not linked, to the request", slos_count_the_same, daemon, ran)
    cases.close()


if __name__ == "__main__":
    main()
