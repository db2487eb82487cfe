"""What the rules are tried on: SLOs and the events that their instances saw, by hand and at random.

Says nothing about what fires. Times are ticks from the start, of 15 s where a scenario says nothing else; counts are
per tick.
"""

import random
from dataclasses import dataclass, field

MINUTE = 4
HOUR = 60 * MINUTE
# Of two windows of an hour and five minutes: 14.4 x 0.001, by `op`.
HOURLY = {"severity": "page", "long": "1h", "short": "5m", "factor": "14.4"}


@dataclass
class Scenario:
    """`events`: (tenant, module) -> [(ticks, total, bad)], one stretch after the other from the tick in `born`."""

    name: str
    document: dict
    events: dict
    born: dict = field(default_factory=dict)
    tick_seconds: int = 15

    def ticks(self) -> int:
        return max(self.born.get(key, 0) + sum(row[0] for row in rows) for key, rows in self.events.items())


def slo(percent: str = "99.9", period: str = "30d", **extension) -> dict:
    """A document whose gates never hold anything back: there is enough traffic, and rules have none."""
    extension = {"module": "*", "sli": {"kind": "availability"}, "lowTraffic": {"applyBelow": 0}} | extension
    return {
        "apiVersion": "bailiwick/v1",
        "kind": "SLO",
        "metadata": {"name": "promise"},
        "spec": {
            "service": "checkout",
            "budgetingMethod": "Occurrences",
            "timeWindow": [{"duration": period, "isRolling": True}],
            "objectives": [{"targetPercent": percent}],
            "bailiwick": extension,
        },
    }


def tiers(*rows: dict) -> dict:
    return {"tiers": [{"severity": "page"} | row for row in rows]}


def one(name: str, document: dict, *rows: tuple) -> Scenario:
    return Scenario(name, document, {("acme", "checkout"): list(rows)})


def drawn(dice: random.Random, hours: int, budget: float) -> list:
    """Stretches of a minute to half an hour that burn at none to thirty times the budget; now and then an outage."""
    rows, left = [], hours * HOUR
    while left > 0:
        ticks = min(left, dice.randint(MINUTE, 30 * MINUTE))
        total = dice.choice([2_000, 5_000, 20_000, 50_000])
        burn = dice.choice([0, 0, 0, 0.5, 1, 2, 5, 10, 30]) * dice.uniform(0.5, 1)
        bad = round(total * min(1, burn * budget))
        rows.append((min(ticks, 8), total, total // 2) if dice.random() < 0.04 else (ticks, total, bad))
        left -= rows[-1][0]
    return rows


def just(dice: random.Random, ticks: int, total: int, bad: int) -> list:
    """Multiples of these counts: each window has other counts and the same ratio."""
    return [(3, total * by, bad * by) for by in (dice.randint(1, 99) for _ in range(ticks // 3))]


def by_hand() -> list[Scenario]:
    standard = slo()
    dice = random.Random(3)
    exact = [(HOUR, 10_000, 0), *just(dice, 3 * HOUR, 10_000, 144), (HOUR, 990_000, 143 * 99)]
    # 10 % of 28 h in 3 h are a factor of 14/15, as 10 % of 28 d in 3 d are.
    fifteenths = {"long": "3h", "short": "15m", "consume": "10%"}
    both = tiers(fifteenths | {"op": "gte"}, fifteenths | {"severity": "ticket", "op": "gt"})
    slow = {"severity": "ticket", "long": "2h", "short": "10m", "factor": "2"}
    pairs = tiers({"long": "30m", "short": "3m", "factor": "10"}, slow)
    waits = tiers(HOURLY | {"for": "10m"}, slow | {"for": "20m"})
    alone = tiers({"long": "10m", "factor": "1"}, {"severity": "ticket", "long": "1h", "factor": "1"})
    clean, ended = (HOUR, 5_000, 0), (2 * HOUR, 5_000, 0)

    def at_fifteenths(total: int) -> list:
        return [*just(dice, 4 * HOUR, total, 14), (HOUR, 99 * total, 99 * 13), (HOUR, 99 * total, 99 * 20)]

    return [
        one("errors at a constant rate", standard, clean, (2 * HOUR, 5_000, 100)),
        one("a total outage and the recovery", standard, clean, clean, (40, 5_000, 5_000), clean),
        one("bursts", standard, clean, *[(9, 5_000, 2_500), (71, 5_000, 0)] * 6, clean),
        one("a ticket becomes a page and a ticket again", slo(alerts=pairs),
            clean, (HOUR, 5_000, 25), (25, 5_000, 900), (2 * HOUR, 5_000, 25), ended),
        one("at the threshold, gt", slo(alerts=tiers(HOURLY)),
            *exact, (3, 990_000, 990_000), (HOUR, 990_000, 0)),
        one("at the threshold, gte", slo(alerts=tiers(HOURLY | {"op": "gte"})), *exact),
        one("at 14/15 of 0.1 %, gte pages and gt is no ticket", slo(period="28h", alerts=both),
            *at_fifteenths(15_000)),
        one("at 14/15 of 0.01 %, gte pages and gt is no ticket", slo("99.99", "28h", alerts=both),
            *at_fifteenths(150_000)),
        one("tiers that wait, and wait anew", slo(alerts=waits),
            clean, (30, 5_000, 600), (25, 5_000, 0), (90, 5_000, 400), (2 * HOUR, 5_000, 10), clean),
        one("single windows", slo(alerts=alone),
            clean, (3, 5_000, 40), (HOUR + 9, 5_000, 0), (HOUR, 5_000, 6), (HOUR, 5_000, 4)),
        one("four weeks", slo(period="28d"),
            (HOUR, 5_000, 4), (HOUR, 5_000, 6), (HOUR, 5_000, 2), (HOUR, 5_000, 90), ended),
        one("an hour without events after a recovery", slo(alerts=pairs),
            clean, (60, 5_000, 700), clean, ended, (HOUR, 0, 0), (20, 5_000, 2_000), ended),
    ]


def of_several() -> list[Scenario]:
    """Several tenants and modules, under terms of their own."""
    short = tiers({"long": "20m", "short": "5m", "factor": "10"},
                  {"severity": "ticket", "long": "1h", "short": "15m", "factor": "3"})
    overrides = [
        {"tenant": "acme", "targetPercent": "99.5"},
        {"tenant": ["big-*", "!big-x"], "alerts": tiers({"long": "30m", "factor": "14.4", "for": "2m"})},
        {"tenant": "*", "module": "search", "timeWindow": "28d",
         "alerts": tiers({"long": "1h", "short": "10m", "consume": "2%"})},
        {"tenant": "trial-*", "enabled": False},
        {"tenant": "a.b(?)*", "targetPercent": "95"},
    ]
    keys = [(tenant, "checkout") for tenant in ("acme", "big-1", "big-x", "globex", "trial-1", "a.b(c)'!", "axb(c)'!")]
    keys += [("acme", "search"), ("big-1", "search"), ("globex", "search")]
    dice = random.Random(1)
    # 2 % tell targets apart, 80 % are too much for all of them.
    ending = [(80, 5_000, 100), (80, 5_000, 4_000), (80, 5_000, 0)]
    events = {key: drawn(dice, 2, 0.001) + ending for key in keys}
    summed = {key: drawn(dice, 2, 0.001) + ending for key in (keys[0], keys[3], keys[7])}
    return [
        Scenario("overrides by tenant and module", slo(alerts=short, overrides=overrides), events),
        Scenario("tenants summed by module", slo(alerts=short, groupBy=["module"],
                                                 overrides=[{"module": "search", "targetPercent": "99"}]), summed),
        Scenario("a tenant that comes later", slo(alerts=short),
                 {("acme", "checkout"): drawn(dice, 4, 0.001), ("late", "checkout"): drawn(dice, 3, 0.001)},
                 {("late", "checkout"): HOUR}),
    ]


def at_random() -> list[Scenario]:
    """Four hours of each set of tiers."""
    sets = {
        "the standard preset of 30 d": slo(),
        "the standard preset of 7 d": slo("99.5", "7d"),
        "the standard preset of 90 d": slo("99.95", "90d"),
        "the pyrra preset of 7 d": slo("99.9", "7d", alerts={"preset": "pyrra"}),
        "the pyrra preset of 28 d": slo("99", "28d", alerts={"preset": "pyrra"}),
        "short pairs": slo("99.9", "30d", alerts=tiers(
            {"long": "15m", "short": "1m", "factor": "20"}, {"long": "45m", "short": "5m", "factor": "7", "op": "gte"},
            {"severity": "ticket", "long": "90m", "short": "10m", "factor": "2", "for": "5m"})),
    }
    dice = random.Random(2)

    def events(document: dict) -> dict:
        budget = 1 - float(document["spec"]["objectives"][0]["targetPercent"]) / 100
        return {(tenant, "checkout"): drawn(dice, 4, budget) for tenant in ("acme", "globex")}

    return [Scenario(f"{name}, drawn", document, events(document)) for name, document in sets.items()]


def in_full() -> Scenario:
    """The last tier of four weeks by the minute, until its window of three days is full of what is just at 14/15."""
    hour, tier = 60, {"severity": "ticket", "long": "3d", "short": "6h", "consume": "10%", "op": "gte"}
    rows = [(6 * hour, 15_000, 13), (73 * hour, 15_000, 14), (30, 15_000, 0), (30, 15_000, 14)]
    return Scenario("three days of four weeks, at 14/15", slo(period="28d", alerts=tiers(tier)),
                    {("acme", "checkout"): rows}, tick_seconds=60)


def silent() -> Scenario:
    """Events end in the midst of an outage, and begin again."""
    pair = tiers({"long": "1h", "short": "5m", "factor": "10"},
                 {"severity": "ticket", "long": "2h", "short": "10m", "factor": "3"})
    return one("an outage that ends in silence", slo(alerts=pair),
               (HOUR, 5_000, 0), (60, 5_000, 2_000), (45 * MINUTE, 0, 0), (HOUR, 5_000, 0), (30, 5_000, 900),
               (4 * HOUR, 0, 0))
