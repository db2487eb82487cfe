"""Scenario: an app of three tenants with batch jobs and shared infrastructure sends 100,000 spans; another one bleeds a
tenant into the next request, forgets tenants, and queries another tenant's schema. Guarantee: of the clean one nothing
is found, and the leaks of the other are found by the right rules, as often as they were made; SLOs of freedom from leaks
count, by tenant and module, the hops that were made and those that leaked.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from cases import Cases
from daemon import Daemon, eventually
from leaky_app import TENANTS, plan

CLEAN_REQUESTS, LEAKY_REQUESTS = 14_500, 6_300
PATTERN = '{attribute: db.namespace, pattern: "tenant_{tenant}", dry_run: false}'
SETTINGS = [
    "modules.declared={quota: {shared: true}, chat: {tenant_required: true}}",
    f"aggregator.leaks.data_patterns=[{PATTERN}]",
]

SLO = """
apiVersion: bailiwick/v1
kind: SLO
metadata: {name: leak-freedom}
spec:
  service: platform
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1d, isRolling: true}]
  objectives: [{targetPercent: 99.9}]
  bailiwick:
    module: "*"
    sli: {kind: leaks}
    alerts: {preset: none}
"""


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


def hops(requests: int, leaks: bool) -> dict[tuple[str, str, str], tuple[int, int]]:
    """What an SLO ought to count: leaking hops and all hops, by the tenant and module that they lead to."""
    counted = collections.defaultdict(lambda: [0, 0])

    def hop(tenant: str, module: str, leaks: bool) -> None:
        counted["leak-freedom", tenant, module][0] += leaks
        counted["leak-freedom", tenant, module][1] += 1

    for named, inside, owner in (plan(number, leaks) for number in range(1, requests + 1)):
        if inside is None:
            # Nobody's hop: whose data it touched is compared with no tenant.
            continue
        if named is not None:
            # From the request into both modules: within a process a change of tenant is grave.
            hop(inside, "rag_hub", named != inside)
            hop(inside, "content", named != inside)
        # From the module to its query, and from there to the data.
        hop(inside, "rag_hub", False)
        hop(inside, "rag_hub", inside != owner)
    return {key: tuple(counts) for key, counts in counted.items()}


def clean_hops_are_counted(daemon: Daemon) -> None:
    made = hops(CLEAN_REQUESTS, False)
    assert all(bad == 0 for bad, _ in made.values()) and len(made) == 2 * len(TENANTS), made
    eventually(daemon.promised, made, 30)
    # The books' own figure, told by module.
    checked = {labels["module"]: int(n) for labels, n in daemon.samples("bailiwick_tenant_hops_checked_total")}
    by_module = collections.Counter()
    for (_, _, module), (_, total) in made.items():
        by_module[module] += total
    assert checked == by_module, (checked, by_module)


def leaking_hops_are_counted(daemon: Daemon) -> None:
    made = hops(LEAKY_REQUESTS, True)
    assert all(0 < bad < total for bad, total in made.values()) and len(made) == 2 * len(TENANTS), made
    eventually(daemon.promised, made, 30)


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
    with tempfile.TemporaryDirectory() as folder:
        definition = pathlib.Path(folder, "leaks.yaml")
        definition.write_text(SLO)
        settings = [*SETTINGS, f'slo.files=["{definition}"]']
        with Daemon(settings) as daemon:
            cases.check("100,000 spans of a clean app: nothing is found", nothing_is_found, daemon)
            cases.check("its SLO counts every hop, and none that leaks", clean_hops_are_counted, daemon)
        with Daemon(settings) as daemon:
            cases.check("a leaking app: each leak is found by its rule", leaks_are_found, daemon)
            cases.check("its SLO counts the hops that leaked", leaking_hops_are_counted, daemon)
    cases.close()


if __name__ == "__main__":
    main()
