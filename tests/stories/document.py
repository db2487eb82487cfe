"""What an SLO document means (slo.md 1.3, 2.1, 2.4): exact numbers out of source text, overrides, tiers.

Reads `bailiwick/v1` SLOs with one objective, which is what stories use. Never a float; never a clock.
"""
import copy
import fnmatch
import re
from fractions import Fraction

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
NOMINAL_DAYS = {"d": 1, "w": 7, "M": 30, "Q": 90, "Y": 365}
HIDDEN_TENANTS = {"_unknown", "_overflow", "_system"}
DEFAULTS = {
    "tenant": "*", "groupBy": ["tenant", "module"], "sli": {"kind": "availability"},
    "alerts": {"preset": "standard", "holdDown": "2m", "repeatEvery": "4h"},
    "lowTraffic": {"alpha": "0.01", "applyBelow": "30", "weighting": "rate"},
    "noData": {"expect": "auto", "floor": "90%", "emptySlice": "skip", "severity": "ticket"},
    "forecast": {"window": "6h", "warnBefore": None, "severity": "notice"},
    "policy": [], "activate": {"events": "1"}, "overrides": [],
}
# 2.4: consumption of page 1h/5m, page 6h/30m, ticket 1d/2h, ticket 3d/6h.
WINDOWS = [("page", 3600, 300), ("page", 21600, 1800), ("ticket", 86400, 7200), ("ticket", 259200, 21600)]
CONSUMPTION = {30: ("2", "5", "10", "10"), 28: ("2", "5", "10", "10"), 7: ("8", "12.5", "20", "42"), 90: ("1", "3", "5", "5")}


def number(text):
    """An exact number: `0.999`, `14/15`, `2%`."""
    text = str(text).strip()
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def seconds(text):
    """`1h2m`, `-30d`, `0s` in whole seconds."""
    text = str(text).strip()
    match = re.fullmatch(r"(-?)((?:\d+[smhdw])+)", text)
    if not match:
        raise ValueError(f"not a duration: {text!r}")
    total = sum(int(n) * UNIT_SECONDS[u] for n, u in re.findall(r"(\d+)([smhdw])", match[2]))
    return -total if match[1] else total


def matches(pattern, name):
    """A glob or a list of them; a leading `!` removes."""
    patterns = pattern if isinstance(pattern, list) else [pattern]
    wanted = [p for p in patterns if not p.startswith("!")] or ["*"]
    removed = [p[1:] for p in patterns if p.startswith("!")]
    glob = lambda p: fnmatch.fnmatchcase(name, p.replace("[", "[[]"))
    return any(glob(p) for p in wanted) and not any(glob(p) for p in removed)


def merge(base, over):
    """Later wins key by key, mappings inside mappings too."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = copy.deepcopy(value)


class Tier:
    def __init__(self, severity, long, short, factor, op="gt", hold=0):
        self.severity, self.long, self.short = severity, long, short
        self.factor, self.op, self.hold = factor, op, hold

    def name(self):
        return (self.severity, self.long, self.short)

    def exceeded(self, burn):
        return burn > self.factor if self.op == "gt" else burn >= self.factor

    def unreachable(self, beta):
        return self.factor * beta >= 1 if self.op == "gt" else self.factor * beta > 1


def tier_name(text):
    """`page/1h/5m`, or `page/10m` without a short window, as (severity, long, short)."""
    severity, *windows = text.split("/")
    lengths = [seconds(w) for w in windows]
    return (severity, lengths[0], lengths[1] if len(lengths) > 1 else None)


def standard(period):
    days = Fraction(period, 86400)
    row = 7 if days < 21 else 90 if days > 45 else 30
    shares = CONSUMPTION.get(int(days) if days.denominator == 1 else None, CONSUMPTION[row])
    tiers = [Tier(sev, long, short, number(c) / 100 * period / long) for (sev, long, short), c in zip(WINDOWS, shares)]
    return [t for t in tiers if t.factor >= Fraction(9, 10) and 2 * t.long <= period]


def pyrra_minutes(value):
    """To whole minutes, half up, at least one; in seconds."""
    return max(1, int((Fraction(value) / 60 + Fraction(1, 2)) // 1)) * 60


def pyrra(period):
    rows = [("page", 672, 8064, 20160, 14), ("page", 112, 1344, 2688, 7), ("ticket", 28, 336, 672, 2), ("ticket", 7, 112, 224, 1)]
    cut = lambda part: pyrra_minutes(Fraction(period, part))
    return [Tier(sev, cut(long), cut(short), Fraction(f), "gt", cut(hold)) for sev, long, short, hold, f in rows]


def explicit(entry, period):
    long = seconds(entry["long"])
    short = seconds(entry["short"]) if entry.get("short") else None
    factor = number(entry["factor"]) if "factor" in entry else number(entry["consume"]) * period / long
    return Tier(entry["severity"], long, short, factor, entry.get("op", "gt"), seconds(entry.get("for", "0s")))


class Slo:
    """The compiled SLO of one instance: every override applied, every number exact."""

    def __init__(self, document, tenant, module):
        spec = document["spec"]
        body = copy.deepcopy(DEFAULTS)
        body["module"] = spec["service"]
        merge(body, spec.get("bailiwick") or {})
        objective = dict(spec["objectives"][0])
        window = dict(spec["timeWindow"][0])
        enabled = True
        for over in body["overrides"]:
            if not (matches(over.get("tenant", "*"), tenant) and matches(over.get("module", "*"), module)):
                continue
            over = {k: v for k, v in over.items() if k not in ("tenant", "module")}
            enabled = over.pop("enabled", "true" if enabled else "false") == "true"
            for key in ("target", "targetPercent"):
                if key in over:
                    objective.pop("target", None), objective.pop("targetPercent", None)
                    objective[key] = over.pop(key)
            if "timeWindow" in over:
                window = {"duration": over.pop("timeWindow"), "isRolling": "true"}
            merge(body, over)
        self.enabled = enabled
        self.selects = self.selected(body, tenant, module)
        self.group_by = body["groupBy"]
        target = number(objective["target"]) if "target" in objective else number(objective["targetPercent"]) / 100
        self.beta = 1 - target
        self.read_period(window)
        self.read_method(spec, objective)
        self.read_alerts(body)

    @staticmethod
    def selected(body, tenant, module):
        hidden = body["tenant"] == "*" and tenant in HIDDEN_TENANTS
        return matches(body["tenant"], tenant) and matches(body["module"], module) and not hidden

    def read_period(self, window):
        text = window["duration"]
        self.calendar = None
        if window.get("isRolling") == "false":
            self.calendar = (int(text[:-1]), text[-1], window["calendar"]["startTime"], window["calendar"]["timeZone"])
        if text[-1] in NOMINAL_DAYS:
            self.period = int(text[:-1]) * NOMINAL_DAYS[text[-1]] * 86400
        else:
            self.period = seconds(text)

    def read_method(self, spec, objective):
        self.method = spec["budgetingMethod"]
        if self.method == "Timeslices":
            self.slice_target = number(objective["timeSliceTarget"])
        if self.method != "Occurrences":
            self.slice = seconds(objective["timeSliceWindow"])

    def read_alerts(self, body):
        alerts, low, none = body["alerts"], body["lowTraffic"], body["noData"]
        if "tiers" in alerts:
            self.tiers = [explicit(entry, self.period) for entry in alerts["tiers"]]
        else:
            self.tiers = {"standard": standard, "pyrra": pyrra, "none": lambda _: []}[alerts["preset"]](self.period)
        self.hold_down, self.repeat_every = seconds(alerts["holdDown"]), seconds(alerts["repeatEvery"])
        self.alpha, self.apply_below = number(low["alpha"]), number(low["applyBelow"])
        self.by_volume = low["weighting"] == "volume"
        self.expect, self.floor = none["expect"], number(none["floor"])
        self.empty_slice, self.nodata_severity = none["emptySlice"], none["severity"]
        absent = 600
        if alerts.get("preset") == "pyrra" and "tiers" not in alerts:
            absent = pyrra_minutes(14 * self.beta * self.tiers[0].long + self.tiers[0].hold)
        self.alert_after = seconds(none["alertAfter"]) if "alertAfter" in none else absent
        forecast = body["forecast"]
        self.forecast_window, self.forecast_severity = seconds(forecast["window"]), forecast["severity"]
        self.warn_before = seconds(forecast["warnBefore"]) if forecast["warnBefore"] not in (None, "null", "") else None
        self.policy = [(p["name"], number(p["below"]), p["severity"]) for p in body["policy"]]
        self.activate_events = int(body["activate"]["events"])

    def errors(self):
        """The finding codes of level `error` that this model knows: an unreachable tier."""
        return ["SLO030" for tier in self.tiers if tier.unreachable(self.beta)]
