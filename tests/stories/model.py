"""Judges story files of `slo test` by an independent model: exact rationals, every window summed anew each tick.

    python3 tests/stories/model.py [--live] [--show] FILE...

Prints each expectation that does not hold; exit 0 if all hold, 1 if not. The format is in
slo/tests/stories/README.md. `--live` floors the left edge of windows above one hour to the minute, as the
daemon does and stories do not; `--show` prints what the model found for each expectation.
This model knows slo.md only and must never import or copy the engine, which it judges.
"""
import sys
import time
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from pathlib import Path

import yaml

from document import Slo, matches, number, seconds, tier_name
from evaluate import RANK, Instance
from windows import Correction, Seen

LEVELS = {rank: name for name, rank in RANK.items()}
NONE = (None, "null", "~", "")
STORY_KEYS = {"slo", "document", "tick", "start", "input", "corrections", "expect"}
INPUT_KEYS = {"tenant", "module", "from", "to", "per", "total", "bad", "source"}
AT_KEYS = {"sli", "remaining", "state", "level", "policy_step", "period", "forecast"}
TIER_KEYS = {"state", "frozen", "word", "held", "p_value", "observed"}


def unix(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def nine(value):
    """Nine places, half to even, as 2.1 publishes ratios."""
    if value is None:
        return None
    wide = Context(prec=60, rounding=ROUND_HALF_EVEN)
    scaled = value * 10**9
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest
    whole += twice > scaled.denominator or (twice == scaled.denominator and whole % 2 == 1)
    return wide.multiply(Decimal(whole), Decimal("1e-9"))


def same_number(wanted, found):
    if wanted in NONE or found is None:
        return (wanted in NONE) == (found is None)
    return Decimal(wanted) == nine(found)


def same_time(wanted, found):
    return found is None if wanted in NONE else found is not None and seconds(wanted) == found


class Story:
    def __init__(self, path, floor_minutes):
        self.body = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
        reject(set(self.body) - STORY_KEYS, "story")
        self.document = self.body.get("document") or yaml.load((path.parent / self.body["slo"]).read_text(), Loader=yaml.BaseLoader)
        self.tick, self.start = seconds(self.body.get("tick", "10s")), unix(self.body["start"])
        self.floor_minutes = floor_minutes
        self.end = max(seconds(line["to"]) for line in self.body["input"])
        self.seen, self.instances = self.read_input(), {}
        self.wanted = {seconds(e["at"]) for e in self.body["expect"] if "at" in e}
        bad = [at for at in self.wanted if at % self.tick or at > self.end]
        if bad:
            raise ValueError(f"`at` off the tick or past the last input: {bad}")

    def read_input(self):
        seen = {}
        for line in self.body["input"]:
            reject(set(line) - INPUT_KEYS, "input line")
            tenant, module = line["tenant"], line["module"]
            if "tenant" not in Slo(self.document, tenant, module).group_by:
                tenant = "_all"
            total, bad = int(line.get("total", 0)), int(line.get("bad", 0))
            span = seconds(line["from"]), seconds(line["to"])
            if any(edge % self.tick for edge in span):
                raise ValueError(f"input line off the tick: {line}")
            per = seconds(line["per"]) if "per" in line else self.tick
            seen.setdefault((tenant, module), Seen(self.tick)).add(*span, per, total, bad, line.get("source", "alive"))
        for one in seen.values():
            one.drop_unseen()
        return seen

    def corrections(self, tenant, module):
        for c in self.body.get("corrections", []):
            if matches(c.get("tenant", "*"), tenant) and matches(c.get("module", "*"), module):
                created = seconds(c["created_at"]) if "created_at" in c else None
                yield Correction(seconds(c["starts_at"]), seconds(c["ends_at"]), c["effect"], created)

    def run(self, tenant, module):
        """The instance and what it said at each `at` asked for."""
        key = tenant, module
        if key not in self.instances:
            seen = self.seen.get(key, Seen(self.tick))
            slo = Slo(self.document, tenant, module)
            instance = Instance(slo, seen, self.start, self.tick, list(self.corrections(tenant, module)), self.floor_minutes)
            said = {}
            exists = slo.enabled and slo.selects and instance.birth is not None
            if exists:
                for t in range(instance.birth + self.tick, self.end + 1, self.tick):
                    instance.step(t)
                    if t in self.wanted:
                        said[t] = snapshot(instance, t)
            self.instances[key] = instance, said, exists
        return self.instances[key]


def snapshot(instance, t):
    period = instance.period(t)
    a, b = instance.period_bounds(t)
    tiers = {}
    for run in instance.runs:
        observed = {name: w for name, w in (("long", run.long), ("short", run.short)) if w}
        tiers[run.tier.name()] = {"state": run.state, "frozen": run.frozen, "word": run.word(), "held": run.held,
                                  "p_value": run.p_value, "observed": observed}
    return {"sli": None if period.ratio is None else 1 - period.ratio, "remaining": instance.remaining(t),
            "state": instance.state(t), "level": LEVELS[instance.level()], "policy_step": instance.policy_step(),
            "period": {"from": instance.start + a, "to": instance.start + b, "seconds": b - a}, "tiers": tiers}


UNBORN = {"sli": None, "remaining": Fraction(1), "state": "no_data", "level": "none", "policy_step": None}


def reject(extra, where):
    if extra:
        raise ValueError(f"unknown keys in {where}: {sorted(extra)}")


class Judge:
    """Holds one `expect` entry against the run."""

    def __init__(self, story):
        self.story, self.problems, self.shown = story, [], []

    def hold(self, name, ok, wanted, found):
        self.shown.append(f"{name}: {found}")
        if not ok:
            self.problems.append(f"{name}: expected {wanted}, found {found}")

    def judge(self, entry):
        entry = dict(entry)
        if "errors" in entry:
            found = Slo(self.story.document, "acme", "checkout").errors()
            return self.hold("errors", entry["errors"] == found, entry["errors"], found)
        tenant, module = entry.pop("tenant"), entry.pop("module")
        instance, said, exists = self.story.run(tenant, module)
        if "exists" in entry:
            wanted = entry.pop("exists") == "true"
            self.hold("exists", wanted == exists, wanted, exists)
        if "at" in entry:
            at = entry.pop("at")
            self.at(at, entry, said.get(seconds(at)), instance)
        elif "tier" in entry:
            self.firing(entry.pop("tier"), entry.pop("firing"), instance)
            reject(set(entry), "tier expectation")
        elif entry:
            self.lists(entry, instance)

    def at(self, at, entry, found, instance):
        if "tier" in entry:
            name = entry.pop("tier")
            reject(set(entry) - TIER_KEYS, "tier expectation")
            return self.tier_at(f"{at} {name}", entry, found["tiers"][tier_name(name)])
        reject(set(entry) - AT_KEYS, "expectation")
        found = found or UNBORN
        for key, wanted in entry.items():
            if key in ("sli", "remaining"):
                self.hold(f"{at} {key}", same_number(wanted, found[key]), wanted, nine(found[key]))
            elif key == "period":
                period = {k: unix(v) if k != "seconds" else int(v) for k, v in wanted.items()}
                self.hold(f"{at} period", all(found["period"][k] == v for k, v in period.items()), wanted, found["period"])
            elif key == "forecast":
                now = self.forecasts(instance, seconds(at))
                self.hold(f"{at} forecast", all(same_time(v, now[k]) for k, v in wanted.items()), wanted, now)
            else:
                wanted = None if wanted in NONE else wanted
                self.hold(f"{at} {key}", wanted == found[key], wanted, found[key])

    @staticmethod
    def forecasts(instance, t):
        instance.look(t)
        return {"constant": instance.constant_seconds(t), "rolling": instance.rolling_seconds(t)}

    def tier_at(self, name, entry, found):
        for key, wanted in entry.items():
            if key == "observed":
                for side, parts in wanted.items():
                    self.observed(f"{name} {side}", parts, found["observed"][side])
            elif key == "p_value":
                ok = abs(number(wanted) - found[key]) <= Fraction(1, 10**9) if found[key] is not None else wanted in NONE
                self.hold(f"{name} p_value", ok, wanted, nine(found[key]))
            elif key == "frozen":
                self.hold(f"{name} frozen", (wanted == "true") == found[key], wanted, found[key])
            else:
                wanted = None if wanted in NONE else wanted
                self.hold(f"{name} {key}", wanted == found[key], wanted, found[key])

    def observed(self, name, parts, window):
        reject(set(parts) - {"state", "bad", "total", "burn"}, "observed window")
        for key, wanted in parts.items():
            value = getattr(window, key)
            ok = wanted == value if key == "state" else same_number(wanted, value)
            self.hold(f"{name} {key}", ok, wanted, value if key == "state" else value and nine(Fraction(value)))

    def firing(self, name, wanted, instance):
        runs = [run for run in instance.runs if run.tier.name() == tier_name(name)]
        if not runs:
            return self.hold(name, False, wanted, "no such tier")
        found = runs[0].intervals
        ok = len(found) == len(wanted) and all(same_time(a, b) for w, f in zip(wanted, found) for a, b in zip(w, f))
        self.hold(f"{name} firing", ok, wanted, found)

    def lists(self, entry, instance):
        types = entry.pop("types", None)
        for key, wanted in entry.items():
            if key == "tiers":
                found = [{"tier": run.tier.name(), "factor": run.tier.factor, "threshold": run.tier.factor * instance.slo.beta,
                          "for": run.tier.hold} for run in instance.runs]
            elif key == "incidents":
                found = [{"opened": i.opened, "resolved": i.resolved, "ended": i.ended, "level": LEVELS[i.level],
                          "peak_level": LEVELS[i.peak], "reason": i.reason, "reopened": i.reopened,
                          "levels": [(t, LEVELS[v]) for t, v in i.levels]} for i in instance.incidents]
            elif key == "events":
                found = [{**e, "level": LEVELS[e["level"]]} for e in instance.events if not types or e["type"] in types]
            else:
                raise ValueError(f"unknown expectation {key!r}")
            ok = len(found) == len(wanted) and all(self.part(k, v, f) for w, f in zip(wanted, found) for k, v in w.items())
            self.hold(key, ok, wanted, found)

    @staticmethod
    def part(key, wanted, row):
        found = row.get(key)
        if key == "tier":
            return tier_name(wanted) == found
        if key in ("factor", "threshold"):
            return number(wanted) == found
        if key in ("opened", "resolved", "ended", "at", "for"):
            return same_time(wanted, found)
        if key in ("reopened", "repeat"):
            return int(wanted) == found
        if key == "levels":
            return [(seconds(t), level) for t, level in wanted] == found
        if key not in row and key not in ("reason", "level", "peak_level", "type"):
            raise ValueError(f"unknown key {key!r}")
        return (None if wanted in NONE else wanted) == found


def main(arguments):
    flags = {a for a in arguments if a.startswith("--")}
    reject(flags - {"--live", "--show"}, "command line")
    failed = 0
    for path in [Path(a) for a in arguments if a not in flags]:
        began, problems, shown = time.monotonic(), [], []
        try:
            judge = Judge(Story(path, "--live" in flags))
            for entry in judge.story.body["expect"]:
                judge.judge(entry)
            problems, shown = judge.problems, judge.shown
        except (ValueError, KeyError, TypeError) as fault:
            problems = [f"cannot be read: {type(fault).__name__}: {fault}"]
        failed += bool(problems)
        print(f"{'FAIL' if problems else 'ok  '} {path.name} ({time.monotonic() - began:.1f} s)")
        for line in shown if "--show" in flags else problems:
            print(f"     {line}")
        if "--show" in flags and problems:
            print("     PROBLEMS", *problems, sep="\n       ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
