"""Scenario: an app of three tenants with batch jobs and shared infrastructure sends 100,000 spans; another one bleeds a
tenant into the next request, forgets tenants, and queries another tenant's schema. Guarantee: of the clean one nothing
is found, and the leaks of the other are found by the right rules, as often as they were made.
"""

import json
import os
import pathlib
import subprocess
import sys

from cases import Cases
from daemon import Daemon, eventually
from leaky_app import plan

CLEAN_REQUESTS, LEAKY_REQUESTS = 14_500, 6_300
PATTERN = '{attribute: db.namespace, pattern: "tenant_{tenant}", dry_run: false}'
SETTINGS = [
    "modules.declared={quota: {shared: true}, chat: {tenant_required: true}}",
    f"aggregator.leaks.data_patterns=[{PATTERN}]",
]


def run_app(daemon: Daemon, kind: str, requests: int) -> int:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    app = pathlib.Path(__file__).with_name("leaky_app.py")
    arguments = [sys.executable, app, kind, f"http://{daemon.http}", str(requests)]
    ended = subprocess.run(arguments, env=environment, check=True, timeout=100, stdout=subprocess.PIPE)
    return sum(json.loads(ended.stdout)["spans"])


def nothing_is_found(daemon: Daemon) -> None:
    sent = run_app(daemon, "clean", CLEAN_REQUESTS)
    assert sent >= 100_000, sent
    eventually(lambda: daemon.settled(), {"connected": CLEAN_REQUESTS + CLEAN_REQUESTS // 100}, 60)
    assert daemon.items("/v1/findings") == []
    assert daemon.findings() == {}


def leaks_are_found(daemon: Daemon) -> None:
    run_app(daemon, "leaky", LEAKY_REQUESTS)
    traces = LEAKY_REQUESTS + LEAKY_REQUESTS // 100
    eventually(lambda: sum(daemon.settled().values()), traces, 60)
    plans = [plan(number, True) for number in range(1, LEAKY_REQUESTS + 1)]
    # Of a bleeding request the call into rag_hub and the one into content have another tenant than their parent.
    edges = sum(named is not None and inside != named for named, inside, _ in plans)
    made = {
        ("L1", "rag_hub"): edges,
        ("L1", "content"): edges,
        ("L4", "rag_hub"): sum(inside is not None and inside != owner for _, inside, owner in plans),
        ("L5", "chat"): sum(named is None for named, *_ in plans),
    }
    assert min(made.values()) > 5, made
    seen: dict = {}
    for (rule, _, module), hits in daemon.findings().items():
        seen[rule, module] = seen.get((rule, module), 0) + hits
    assert seen == made, f"wanted {made}\n   saw {seen}"


def main() -> None:
    cases = Cases()
    with Daemon(SETTINGS) as daemon:
        cases.check("100,000 spans of a clean app: nothing is found", nothing_is_found, daemon)
    with Daemon(SETTINGS) as daemon:
        cases.check("a leaking app: each leak is found by its rule", leaks_are_found, daemon)
    cases.close()


if __name__ == "__main__":
    main()
