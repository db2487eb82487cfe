"""Scenario: services of the Python SDK with meters of two tenants, cumulative and delta, under SLOs of every kind that reads
metrics; SLOs are added while the daemon runs; of three services that work off jobs two end without a word, and the third
has nothing more to do. Guarantee: when the meters have stopped, good and total of each instance are what was recorded, per
tenant, to the unit; what no SLO names makes no instance; an SLO that is added counts from then on. Nothing is well for want
of data: what fires goes on, silence is told, and only who is known to be alive can have no traffic. The catalogue's
documents are taken as they are, and find the requests of an unmodified tracer.
"""

import collections
import json
import pathlib
import tempfile
import threading
import time

import yaml
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

import python_sdk
from cases import Cases
from daemon import Daemon, eventually, until

CATALOGUE = pathlib.Path(__file__).resolve().parents[3] / "slo/catalog"
# Points come each second: slots need not wait for a batch delay.
SETTINGS = ["aggregator.close_after=2s"]
EXPORT_MILLIS = 1_000
TEMPORALITIES = {"acme": AggregationTemporality.CUMULATIVE, "globex": AggregationTemporality.DELTA}
BOUNDS = [0.1, 0.25, 0.5, 1.0]
# How often each shop records: the exports that make up its figures.
ROUNDS = 5
RATIOS = {"acme": 0.25, "globex": 0.0625}


def slo(name: str, sli: dict, method: str = "Occurrences", module="shop", **extension) -> dict:
    """A document: 90 % of a day, without alerts unless `extension` has some."""
    slices = {"Occurrences": {}, "Timeslices": {"timeSliceTarget": 0.5}, "RatioTimeslices": {}}[method]
    window = {} if method == "Occurrences" else {"timeSliceWindow": "1m"}
    spec = {
        "service": "jobs",
        "budgetingMethod": method,
        "timeWindow": [{"duration": "1d", "isRolling": True}],
        "objectives": [{"targetPercent": 90, **slices, **window}],
        "bailiwick": {"module": module, "sli": sli, "alerts": {"preset": "none"}, **extension},
    }
    return {"apiVersion": "bailiwick/v1", "kind": "SLO", "metadata": {"name": name}, "spec": spec}


def metric(name: str, **attributes: str) -> dict:
    return {"metric": name, "attributes": attributes}


EU_ORDERS = metric("orders", zone="eu")
PARTS = [{"slo": "orders-good"}, {"slo": "orders-bad", "weight": 0.5}]
SLOS = [
    slo("orders-good", {"kind": "counter", "good": metric("orders", zone="eu", status="2*"), "total": EU_ORDERS}),
    slo("orders-bad", {"kind": "counter", "bad": metric("orders.failed", zone="e?"), "total": EU_ORDERS}),
    slo("orders-whole", {"kind": "composite", "components": PARTS}),
    slo("checkout-fast", {"kind": "histogram", "metric": "checkout.duration", "threshold": 0.25}),
    slo("queue-short", {"kind": "gauge", "metric": "queue.length", "op": "lte", "value": 100}),
    slo("checkout-p90", {"kind": "quantile", "metric": "checkout.duration", "q": 0.9, "threshold": 0.5}, "Timeslices"),
    slo("errors-share", {"kind": "ratio", "metric": "errors.share", "rawType": "failure"}, "RatioTimeslices"),
]
# A source is missed after two slots, and that is told a slot later.
JOBS = slo(
    "jobs",
    {"kind": "counter", "bad": metric("jobs", outcome="bad"), "total": metric("jobs")},
    module=["dying", "silent", "idle"],
    alerts={"holdDown": "10s", "tiers": [{"severity": "page", "long": "30s", "short": "10s", "factor": 2}]},
    noData={"after": "20s", "alertAfter": "10s"},
)
LATE = slo("late", {"kind": "counter", "bad": metric("late", outcome="bad"), "total": metric("late")}, module="later")


def write(folder: pathlib.Path, name: str, documents: list[dict]) -> None:
    # JSON is YAML.
    (folder / name).write_text("\n---\n".join(json.dumps(document) for document in documents))


class Process:
    """A process of a service with a meter that exports each second."""

    def __init__(self, daemon: Daemon, service: str, tenant: str | None, acknowledged: list[int]) -> None:
        named = {"tenant.id": tenant} if tenant else {}
        resource = Resource.create({"service.name": service, **named})
        temporality = TEMPORALITIES.get(tenant, AggregationTemporality.CUMULATIVE)
        preferred = {Counter: temporality, Histogram: temporality}
        self.exported, self._acknowledged = [], acknowledged
        exporter = python_sdk.metric_exporter(
            "http", f"http://{daemon.http}", self.exported, preferred_temporality=preferred
        )
        self._provider = MeterProvider([PeriodicExportingMetricReader(exporter, EXPORT_MILLIS)], resource=resource)
        self.meter = self._provider.get_meter("suite")

    def exports(self) -> None:
        """Waits for a periodic export."""
        before = len(self.exported)
        assert until(lambda: len(self.exported) > before), "nothing is exported"

    def flush(self) -> None:
        assert self._provider.force_flush()

    def end(self) -> None:
        """Exports what is left, and ends."""
        self._provider.shutdown()
        self._acknowledged += self.exported


class Shop:
    """Records orders, durations and levels of a tenant, and what SLOs ought to count of them."""

    def __init__(self, daemon: Daemon, tenant: str, acknowledged: list[int]) -> None:
        self.tenant, self._process = tenant, Process(daemon, "shop", tenant, acknowledged)
        self.counted = collections.defaultdict(lambda: [0, 0])
        meter, self._levels = self._process.meter, 0
        self._orders, self._failed = meter.create_counter("orders"), meter.create_counter("orders.failed")
        self._unnamed = meter.create_counter("orders.unnamed")
        self._checkout = meter.create_histogram("checkout.duration", "s", explicit_bucket_boundaries_advisory=BOUNDS)
        meter.create_observable_gauge("queue.length", [self._queue])
        meter.create_observable_gauge("errors.share", [lambda _: [Observation(RATIOS[tenant])]])

    def _count(self, slo: str, bad: int, total: int) -> None:
        self.counted[slo][0] += bad
        self.counted[slo][1] += total

    def _queue(self, _) -> list[Observation]:
        """At, above and below what is allowed, in turn."""
        self._levels += 1
        length = (100, 101, 7)[self._levels % 3]
        self._count("queue-short", length > 100, 1)
        return [Observation(length)]

    def record(self, number: int) -> None:
        times = 3 if self.tenant == "globex" else 1
        for status, orders in (("200", 40 + number), ("204", 1), ("404", 3), ("500", 2 + number)):
            self._orders.add(times * orders, {"status": status, "zone": "eu", "shelf": str(number % 2)})
            self._count("orders-good", times * orders * (status[0] != "2"), times * orders)
            self._count("orders-bad", 0, times * orders)
        self._orders.add(1_000, {"status": "500", "zone": "us"})
        self._failed.add(times * 2, {"zone": "eu"})
        self._failed.add(1_000, {"zone": "us"})
        self._count("orders-bad", times * 2, 0)
        self._unnamed.add(1)
        # What is at a bound is in the bucket below. Of 100 values of acme 90 are at most 0.5 s, of globex 89.
        slower = int(self.tenant == "globex" and number == 0)
        for seconds, values in ((0.05, 5), (0.25, 7), (0.3, 2), (0.5, 4 - slower), (0.7, 1 + slower), (3.0, 1)):
            for _ in range(values):
                self._checkout.record(seconds)
            self._count("checkout-fast", values * (seconds > 0.25), values)

    def work(self) -> None:
        for number in range(ROUNDS):
            self.record(number)
            self._process.exports()
        self._process.end()


def is_minute_young() -> bool:
    """Whether all that is recorded fits into this minute: slices hold all of it, or nothing."""
    return time.time() % 60 < 60 - 3 * ROUNDS


def shops_record(daemon: Daemon, counted: dict, acknowledged: list[int]) -> None:
    assert until(is_minute_young, 60)
    minute = time.time() // 60
    shops = [Shop(daemon, tenant, acknowledged) for tenant in TEMPORALITIES]
    # One process for all tenants, whose points name them; and somebody whose metrics nobody asks for.
    pool, other = Process(daemon, "shop", None, acknowledged), Process(daemon, "other", "initech", acknowledged)
    threads = [threading.Thread(target=shop.work) for shop in shops]
    for thread in threads:
        thread.start()
    orders, unnamed = pool.meter.create_counter("orders"), other.meter.create_counter("orders.unnamed")
    for orders_of, shop in enumerate(shops, 10):
        attributes = {"status": "500", "zone": "eu", "tenant.id": shop.tenant}
        orders.add(orders_of, attributes)
        unnamed.add(1)
        pool.exports()
        orders.add(1, {**attributes, "status": "200"})
        shop.counted["orders-good"][0] += orders_of
        for slo in ("orders-good", "orders-bad"):
            shop.counted[slo][1] += orders_of + 1
    for process in (pool, other):
        process.end()
    for thread in threads:
        thread.join()
    assert time.time() // 60 == minute, "the minute was to be long enough"
    for shop in shops:
        counted.update({(slo, shop.tenant, "shop"): tuple(of) for slo, of in shop.counted.items()})


def promised(daemon: Daemon, *without: str) -> dict:
    """What instances counted, but those of these SLOs."""
    return {key: counts for key, counts in daemon.promised().items() if key[0] not in without}


def all_is_counted(daemon: Daemon, counted: dict) -> None:
    assert len(counted) == 4 * len(TEMPORALITIES) and all(0 < bad < total for bad, total in counted.values()), counted
    eventually(lambda: promised(daemon, "jobs", "checkout-p90", "errors-share", "orders-whole"), counted, 30)


def composites_add_up(daemon: Daemon, counted: dict) -> None:
    for tenant in TEMPORALITIES:
        # Both promise 90 %.
        spent = [bad / (0.1 * total) for bad, total in (counted[part["slo"], tenant, "shop"] for part in PARTS)]
        remaining = 1 - (spent[0] + 0.5 * spent[1])
        item = daemon.get(f"/v1/slos/{tenant}/shop/orders-whole")
        assert abs(item["budget"]["remaining_ratio"] - remaining) < 1e-8, (remaining, item)


def slices_are_judged(daemon: Daemon) -> None:
    """The one minute that had anything, once it is over."""
    wanted = {("checkout-p90", "acme", "shop"): (0, 1), ("checkout-p90", "globex", "shop"): (1, 1)}
    wanted |= {("errors-share", tenant, "shop"): (str(ratio), 1) for tenant, ratio in RATIOS.items()}
    only = lambda: {key: counts for key, counts in daemon.promised().items() if key in wanted}
    eventually(only, wanted, 80)


def added_ones_count(daemon: Daemon, folder: pathlib.Path, acknowledged: list[int]) -> None:
    processes = {tenant: Process(daemon, "later", tenant, acknowledged) for tenant in TEMPORALITIES}
    counters = {tenant: process.meter.create_counter("late") for tenant, process in processes.items()}

    def record(bad: int, good: int) -> None:
        for tenant, process in processes.items():
            counters[tenant].add(bad, {"outcome": "bad"})
            counters[tenant].add(good, {"outcome": "good"})
            process.flush()

    record(1, 4)
    before = promised(daemon, "jobs", "checkout-p90", "errors-share")
    write(folder, "late.yaml", [LATE])
    told = daemon.reload()
    assert (told["slo_files"], told["slos"]) == (2, len(SLOS) + 2), told
    record(2, 5)
    for process in processes.values():
        process.end()
    # What grows by deltas has 7 more. A cumulative counter that began within the last ten minutes counts whole when it is
    # first looked at.
    late = {("late", "acme", "later"): (3, 12), ("late", "globex", "later"): (2, 7)}
    eventually(lambda: promised(daemon, "jobs", "checkout-p90", "errors-share"), before | late, 30)


class Worker:
    """A service of acme's that works off jobs, all of them bad or all of them good."""

    def __init__(self, daemon: Daemon, service: str, outcome: str, acknowledged: list[int]) -> None:
        self.service, self._daemon, self._outcome = service, daemon, outcome
        self._acknowledged, self.done = acknowledged, 0

    def begin(self) -> None:
        """A new process, as far as anybody can see."""
        self._process = Process(self._daemon, self.service, "acme", self._acknowledged)
        jobs, self._rests = self._process.meter.create_counter("jobs"), threading.Event()
        self._thread = threading.Thread(target=self._work, args=[jobs])
        self._thread.start()

    def _work(self, jobs) -> None:
        while True:
            jobs.add(1, {"outcome": self._outcome})
            self.done += 1
            if self._rests.wait(0.1):
                return

    def rest(self) -> None:
        """It is there, and has nothing to do."""
        self._rests.set()
        self._thread.join()

    def end(self) -> None:
        self.rest()
        self._process.end()

    def item(self) -> dict:
        return self._daemon.get(f"/v1/slos/acme/{self.service}/jobs")

    def counted(self) -> tuple[int, int]:
        """Bad jobs and all."""
        return self._daemon.promised()["jobs", "acme", self.service]

    def incident(self) -> dict | None:
        found = [one for one in self._daemon.items("/v1/incidents") if one["module"] == self.service]
        assert len(found) <= 1, found
        return found[0] if found else None

    def happened(self) -> tuple:
        """State, level, reason and events of its incident."""
        one = self.incident()
        kinds = [event["type"].removeprefix("slo.alert.") for event in one["events"]] if one else []
        return (one["state"], one["level"], one["reason"], kinds) if one else (None, None, None, kinds)


def two_of_three_fail(dying: Worker, silent: Worker, idle: Worker) -> None:
    for worker in (dying, idle):
        eventually(worker.happened, ("open", "page", None, ["firing"]), 40)
    assert silent.incident() is None, silent.incident()
    for worker in (dying, silent):
        worker.end()
    idle.rest()


def missing_data_is_told(dying: Worker, silent: Worker) -> None:
    eventually(silent.happened, ("open", "ticket", None, ["nodata"]), 60)
    assert silent.incident()["causes"] == ["nodata"], silent.incident()
    # The page goes on: it says that data is missing, and does not resolve.
    eventually(dying.happened, ("open", "page", None, ["firing", "nodata"]), 20)
    (tier,) = dying.item()["tiers"]
    assert (tier["state"], tier["frozen"]) == ("firing", True), tier


def who_is_alive_may_have_nothing_to_do(idle: Worker) -> None:
    eventually(lambda: idle.happened()[::2], ("resolved", "no_traffic"), 40)
    assert idle.happened()[3] == ["firing", "resolved"], idle.incident()
    assert idle.counted() == (idle.done, idle.done), (idle.done, idle.item())


def it_goes_on_with_data(dying: Worker, silent: Worker) -> None:
    # As long without data as it took the one that is alive to resolve.
    known = dying.incident()
    assert known["state"] == "open", known
    for worker in (dying, silent):
        worker.begin()
    eventually(silent.happened, ("resolved", "ticket", "recovered", ["nodata", "resolved"]), 60)

    def is_judged() -> bool:
        (tier,) = dying.item()["tiers"]
        return not tier["frozen"] and tier["observed"]["long"]["state"] == "measured"

    assert until(is_judged, 60), dying.item()
    now = dying.incident()
    assert (now["id"], now["state"], now["reopened"]) == (known["id"], "open", 0), now
    for worker in (dying, silent):
        worker.end()
    wanted = [(dying.done, dying.done), (0, silent.done)]
    eventually(lambda: [worker.counted() for worker in (dying, silent)], wanted, 30)


def the_catalogue_is_taken() -> None:
    documents = [one for path in CATALOGUE.glob("*.yaml") for one in yaml.safe_load_all(path.read_text())]
    slos = {one["metadata"]["name"]: one["spec"]["bailiwick"] for one in documents if one["kind"] == "SLO"}
    ask_all = {name for name, one in slos.items() if one.get("module") == "*"}
    wanted = {name for name in ask_all if slos[name]["sli"]["kind"] in ("availability", "outcome", "latency")}
    assert "availability" in wanted, slos
    with Daemon([*SETTINGS, f'slo.files=["{CATALOGUE}/*.yaml"]']) as daemon:
        told = daemon.reload()
        assert (told["slo_files"], told["slos"]) == (len(list(CATALOGUE.glob("*.yaml"))), len(slos)), (told, slos)
        sent = []
        tracers = TracerProvider(resource=Resource.create({"service.name": "shop", "tenant.id": "acme"}))
        tracers.add_span_processor(BatchSpanProcessor(python_sdk.span_exporter("http", f"http://{daemon.http}", sent)))
        tracers.get_tracer("suite").start_span("GET /", kind=SpanKind.SERVER).end()
        tracers.shutdown()
        totals = lambda: {key: total for key, (_, total) in daemon.promised().items() if key[0] in wanted}
        eventually(totals, {(name, "acme", "shop"): 1 for name in wanted}, 30)
        daemon.stops_with(sum(sent))


def main() -> None:
    cases, counted, acknowledged = Cases(), {}, []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write(folder, "slos.yaml", [*SLOS, JOBS])
        with Daemon([*SETTINGS, f'slo.files=["{folder}/*.yaml"]']) as daemon:
            kinds = {"dying": "bad", "silent": "good", "idle": "bad"}
            dying, silent, idle = (Worker(daemon, service, kind, acknowledged) for service, kind in kinds.items())
            for worker in (dying, silent, idle):
                worker.begin()
            cases.check("meters of two tenants record and stop", shops_record, daemon, counted, acknowledged)
            cases.check("two of three services fail, and page", two_of_three_fail, dying, silent, idle)
            cases.check("each instance counts what was recorded, and nothing else is one", all_is_counted, daemon, counted)
            cases.check("a composite spends what its parts do", composites_add_up, daemon, counted)
            cases.check("the catalogue is taken as it is", the_catalogue_is_taken)
            cases.check("SLOs that are added count from then on", added_ones_count, daemon, folder, acknowledged)
            cases.check("missing data is told, and a page goes on without", missing_data_is_told, dying, silent)
            cases.check("a source that is alive may have no traffic", who_is_alive_may_have_nothing_to_do, idle)
            cases.check("when data comes again, it goes on", it_goes_on_with_data, dying, silent)
            cases.check("slices are judged by quantile and by ratio", slices_are_judged, daemon)
            idle.end()
            cases.check("every point was accepted", lambda: daemon.stops_with(sum(acknowledged)))
    cases.close()


if __name__ == "__main__":
    main()
