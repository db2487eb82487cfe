"""Scenario: SLOs are exported as Prometheus rules, and the same events are told twice: as a story to `bailiwick slo
test`, as counters to `promtool test rules`. Guarantee: at every tick the same severities fire on both sides, though the
rules know the counters only.

Each side is held against what `tests/stories/model.py` finds with exact fractions: sides that both equal it equal each
other. They are exact where scrapes, evaluations and ticks fall together:

* A tick [t - 15 s, t) is seen at t, and the sample of t has its events. Ranges of Prometheus 2 are closed: `[w]` at t
  holds the samples of t - w and of t, and between these lie the events of the window [t - w, t). Since 3.0 ranges are
  open to the left, which is a scrape less: the suite needs promtool 2.
* A sample stands on both edges of a range, or the counter began at 0 within it: `increase` extrapolates nothing then
  and is a whole number. Counters are there, at 0, before the first event, as what they begin with is no increase.
* What is at the threshold must be so in floats: see `slo/src/rules/mod.rs`. Controls move thresholds by one bit.

The rules know no silence: while a short window is empty the daemon freezes what fires, and the rules end it. One
scenario shows that; in all others nothing is frozen. Gates are off; holdDown is about incidents, not about tiers.
"""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from cases import Cases
from daemon import BINARY
from slo_rules_scenarios import Scenario, at_random, by_hand, in_full, of_several, silent, slo

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/stories"))
import document as model_document  # noqa: E402
import model  # noqa: E402

# A tier that fires is an alert of its severity; of a severity with a page above it nothing is told.
FIRING = 'sum by (tenant, module, severity) (ALERTS{alertname="SLOBurn",alertstate="firing"})'


def ran(*command) -> tuple[int, str]:
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170)
    return ended.returncode, ended.stdout


def selector(labels: dict) -> str:
    return "{" + ",".join(f"{label}={json.dumps(value)}" for label, value in labels.items()) + "}"


def story_of(scenario: Scenario, expect: list) -> dict:
    """The events as lines, and every instance alive from its birth to the end."""
    tick_s = scenario.tick_seconds
    lines, end = [], f"{scenario.ticks() * tick_s}s"
    for (tenant, module), rows in scenario.events.items():
        at = scenario.born.get((tenant, module), 0)
        lines.append({"tenant": tenant, "module": module, "from": f"{at * tick_s}s", "to": end})
        for ticks, total, bad in rows:
            span = {"from": f"{at * tick_s}s", "to": f"{(at + ticks) * tick_s}s"}
            lines.append({"tenant": tenant, "module": module} | span | {"total": total, "bad": bad})
            at += ticks
    return {"document": scenario.document, "tick": f"{tick_s}s", "start": "2026-03-01T00:00:00Z",
            "input": lines, "expect": expect}


class Expected:
    """What the model finds: of each instance the ticks at which tiers fire by the specification, and by rules."""

    def __init__(self, scenario: Scenario, home: pathlib.Path) -> None:
        path = home / "model.json"
        path.write_text(json.dumps(story_of(scenario, [])))
        self._story = model.Story(path, False)
        self.spans: list[dict] = []
        self.by_rules: dict[int, list] = {}
        self.steps = self.firing = self.changes = self.frozen = self.differing = 0
        self._last = None
        for tenant, module in self._story.seen:
            self._follow(tenant, module)

    def words(self) -> str:
        words = f"{self.steps} steps, {self.firing} of them firing, {self.changes} changes"
        return f"{words}, {self.differing} of {self.frozen} frozen ones differ" if self.frozen else words

    def _follow(self, tenant: str, module: str) -> None:
        name = {"tenant": tenant, "module": module}
        compiled = model_document.Slo(self._story.document, tenant, module)
        if not (compiled.enabled and (compiled.selects or tenant == "_all")):
            self.spans.append(name | {"exists": False})
            return
        seen = self._story.seen[tenant, module]
        tick_s = self._story.tick
        instance = model.Instance(compiled, seen, self._story.start, tick_s, [])
        since: dict = {}
        self._last = None
        for at in range(instance.birth + tick_s, self._story.end + 1, tick_s):
            instance.step(at)
            self._compare(instance, at, since, name)
        for run in instance.runs:
            spans = [[f"{begin}s", None if end is None else f"{end}s"] for begin, end in run.intervals]
            windows = [f"{window}s" for window in (run.tier.long, run.tier.short) if window]
            self.spans.append(name | {"tier": "/".join([run.tier.severity, *windows]), "firing": spans})

    def _compare(self, instance, at: int, since: dict, name: dict) -> None:
        by_specification = {run.tier.severity for run in instance.runs if run.state == "firing"}
        by_rules = set()
        for run in instance.runs:
            if run.value() is not True:
                since.pop(run, None)
            elif at - since.setdefault(run, at) >= run.tier.hold:
                by_rules.add(run.tier.severity)
        is_frozen = any(run.frozen for run in instance.runs)
        assert by_specification == by_rules or is_frozen, (name, at, by_specification, by_rules)
        self.differing += by_specification != by_rules
        self.frozen += is_frozen
        self.steps += 1
        # `ticket unless page`.
        loudest = "page" if "page" in by_rules else "ticket" if by_rules else None
        self.changes += loudest != self._last
        self._last = loudest
        if loudest:
            self.firing += 1
            labels = selector(name | {"severity": loudest})
            self.by_rules.setdefault(at, []).append({"labels": labels, "value": 1})


def counters(scenario: Scenario) -> list[dict]:
    """Cumulative samples of both results, one a tick; instances that are summed are one series."""
    summed: dict = {}
    by = scenario.document["spec"]["bailiwick"].get("groupBy", ["tenant", "module"])
    for (tenant, module), rows in scenario.events.items():
        at = scenario.born.get((tenant, module), 0)
        key = tenant if "tenant" in by else "_all", module
        known = summed.setdefault(key, {"born": at, "good": {}, "bad": {}})
        for ticks, total, bad in rows:
            for tick in range(at, at + ticks):
                known["good"][tick] = known["good"].get(tick, 0) + total - bad
                known["bad"][tick] = known["bad"].get(tick, 0) + bad
            at += ticks
    series = []
    for (tenant, module), known in summed.items():
        for result in ("good", "bad"):
            values, count = ["_"] * known["born"] + ["0"], 0
            for tick in range(known["born"], scenario.ticks()):
                count += known[result].get(tick, 0)
                values.append(str(count))
            labels = {"slo": "promise", "tenant": tenant, "module": module, "result": result, "instance": "one"}
            series.append({"series": f"bailiwick_slo_events_total{selector(labels)}", "values": " ".join(values)})
    return series


class Trial:
    """A scenario with its rules; each side may be tried with something altered."""

    def __init__(self, scenario: Scenario, home: pathlib.Path) -> None:
        self.scenario, self._home = scenario, home
        self.expected = Expected(scenario, home)
        path = home / "slo.json"
        path.write_text(json.dumps(scenario.document))
        code, said = ran(BINARY, "rules", "export", "--independent", "--dir", home / "rules", path)
        assert code == 0, said
        self.rules = (home / "rules/promise.rules.yaml").read_text()

    def check(self) -> None:
        checked(self._home / "rules/promise.rules.yaml")

    def told_by_slo_test(self, document: dict | None = None) -> str:
        """What `slo test` finds wrong; empty: it holds."""
        path = self._home / "story.json"
        story = story_of(self.scenario, self.expected.spans)
        path.write_text(json.dumps(story | {"document": document or story["document"]}, indent=1))
        code, said = ran(BINARY, "slo", "test", path)
        assert code in (0, 1), said
        return said if code else ""

    def told_by_promtool(self, rules: str | None = None, late_ticks: int = 0) -> int:
        """Steps at which `promtool test rules` finds something else firing."""
        (self._home / "tried.yaml").write_text(rules or self.rules)
        tick_s, wanted = self.scenario.tick_seconds, self.expected.by_rules
        steps = range(tick_s, self.scenario.ticks() * tick_s + 1, tick_s)
        found = {at: wanted.get(at - late_ticks * tick_s, []) for at in steps}
        tests = [{"expr": FIRING, "eval_time": f"{at}s", "exp_samples": samples} for at, samples in found.items()]
        code, said = self._promtool({"promql_expr_test": tests})
        wrong = re.findall(r"^ *expr: ", said, re.MULTILINE)
        assert (code != 0) == bool(wrong), said
        return len(wrong)

    def promtool_says(self, tests: dict) -> None:
        (self._home / "tried.yaml").write_text(self.rules)
        code, said = self._promtool(tests)
        assert code == 0, said

    def _promtool(self, tests: dict) -> tuple[int, str]:
        interval = f"{self.scenario.tick_seconds}s"
        group = {"interval": interval, "input_series": counters(self.scenario)} | tests
        test = {"rule_files": ["tried.yaml"], "evaluation_interval": interval, "tests": [group]}
        (self._home / "test.json").write_text(json.dumps(test))
        return ran("promtool", "test", "rules", self._home / "test.json")


def checked(path: pathlib.Path) -> None:
    """`promtool check rules` with its lint is content, and the file is one document with one group."""
    code, said = ran("promtool", "check", "rules", "--lint=all", "--lint-fatal", path)
    assert code == 0 and "SUCCESS" in said, said
    (only,) = yaml.safe_load_all(path.read_text())
    assert len(only["groups"]) == 1, only
    # Alerts of equal labels would resolve each other.
    labels = [json.dumps(rule["labels"], sort_keys=True) for rule in only["groups"][0]["rules"] if "alert" in rule]
    assert len(labels) == len(set(labels)), labels


def the_catalogue_is_written(folder: pathlib.Path) -> None:
    documents = sorted((ROOT / "slo/catalog").glob("*.yaml"))
    code, said = ran(BINARY, "rules", "export", "--independent", "--dir", folder, *documents)
    assert code == 0 and "SLO `availability-month` has no rules: a calendar window" in said, said
    written = sorted(folder.iterdir())
    assert len(written) == len(documents) - 1, written
    for path in written:
        checked(path)


def annotations_are_those_of_the_tenant(home: pathlib.Path) -> None:
    """Where overrides name other runbooks an alert has its own, whatever is in it."""
    pair = {"severity": "page", "long": "10m", "factor": "10"}
    overrides = [{"tenant": "acme", "alerts": {"runbook": "https://a.example/{{ $value }}"}},
                 {"tenant": ["big-*", "!big-x"], "alerts": {"runbook": 'https://b.example/"x"?\\&y=1'}}]
    wanted = {"acme": "https://a.example/{{ $value }}", "big-1": 'https://b.example/"x"?\\&y=1',
              "big-x": "https://c.example", "globex": "https://c.example"}
    document = slo(alerts={"tiers": [pair], "runbook": "https://c.example"}, overrides=overrides)
    scenario = Scenario("runbooks", document, {(tenant, "checkout"): [(40, 100, 100)] for tenant in wanted})
    trial = Trial(scenario, home)
    trial.check()
    alerts = []
    for tenant, runbook in wanted.items():
        summary = (f"SLO promise of {tenant} / checkout burns its error budget at the page rate: "
                   "100% of its events were bad over the long window.")
        alerts.append({"exp_labels": {"severity": "page", "slo": "promise", "tenant": tenant, "module": "checkout"},
                       "exp_annotations": {"summary": summary, "runbook_url": runbook}})
    trial.promtool_says({"alert_rule_test": [{"eval_time": "10m", "alertname": "SLOBurn", "exp_alerts": alerts}]})


def agrees(trial: Trial) -> None:
    trial.check()
    assert trial.expected.frozen == 0, "a scenario without silence"
    assert 0 < trial.expected.firing < trial.expected.steps, "what never changes proves little"
    said = trial.told_by_slo_test()
    assert not said, said
    assert (wrong := trial.told_by_promtool()) == 0, f"{wrong} of {trial.expected.steps} steps differ"


def silence_differs_as_stated(trial: Trial) -> None:
    """Both as the model says: the specification's side freezes, the rules' side ends, and nothing else differs."""
    assert 0 < trial.expected.differing <= trial.expected.frozen
    said = trial.told_by_slo_test()
    assert not said, said
    assert (wrong := trial.told_by_promtool()) == 0, f"{wrong} steps differ"


def notices(trial: Trial, threshold: str, towards: float) -> None:
    """A threshold that is one bit off, in the rules; and a factor that is a hair off, in the story."""
    above, _, below = threshold.partition(" / ")
    number = float(above) / float(below or 1)
    hair = repr(math.nextafter(number, towards))
    altered = trial.rules.replace(f"> {threshold})", f"> {hair})").replace(f">= {threshold})", f">= {hair})")
    assert altered != trial.rules, threshold
    assert trial.told_by_promtool(altered) > 0, f"{hair} for {threshold} went unnoticed"
    document = json.loads(json.dumps(trial.scenario.document))
    for tier in document["spec"]["bailiwick"]["alerts"]["tiers"]:
        key, by = ("factor", 14.4) if "factor" in tier else ("consume", 10)
        tier[key] = f"{by + math.copysign(1e-6, towards - number):.6f}" + ("%" if key == "consume" else "")
    assert trial.told_by_slo_test(document), "a hair went unnoticed by `slo test`"


def a_tick_is_noticed(trial: Trial) -> None:
    """Each change that is awaited a tick late is one step that differs."""
    assert (wrong := trial.told_by_promtool(late_ticks=1)) == (changes := trial.expected.changes), (wrong, changes)


def rate_is_off(trial: Trial) -> None:
    assert trial.told_by_promtool(trial.rules.replace("increase(", "rate(")) > 0


def main() -> None:
    _, version = ran("promtool", "--version")
    assert "version 2." in version, f"ranges of other versions have other edges: {version}"
    cases, trials, compared = Cases(), {}, 0
    with tempfile.TemporaryDirectory(prefix="rules-") as folder:
        home = pathlib.Path(folder)
        cases.check("the catalogue is written but for what has no rules", the_catalogue_is_written, home / "catalogue")
        (home / "runbooks").mkdir()
        cases.check("annotations are those of the tenant", annotations_are_those_of_the_tenant, home / "runbooks")
        for number, scenario in enumerate([*by_hand(), *of_several(), *at_random(), in_full(), silent()]):
            place = home / str(number)
            place.mkdir()
            trials[scenario.name] = trial = Trial(scenario, place)
            case = silence_differs_as_stated if scenario.name == silent().name else agrees
            cases.check(f"{scenario.name}: {trial.expected.words()}", case, trial)
            compared += trial.expected.steps
        for name, threshold, towards in (
            ("at the threshold, gt", "0.0144", 0.0),
            ("at the threshold, gte", "0.0144", 1.0),
            ("at 14/15 of 0.1 %, gte pages and gt is no ticket", "7 / 7500", 1.0),
            ("at 14/15 of 0.01 %, gte pages and gt is no ticket", "7 / 75000", 1.0),
        ):
            cases.check(f"control, {name}: a hair is noticed", notices, trials[name], threshold, towards)
        changing, exact = trials["a ticket becomes a page and a ticket again"], trials["at the threshold, gt"]
        cases.check("control: a tick is noticed", a_tick_is_noticed, changing)
        cases.check("control: with rate for increase the threshold is missed", rate_is_off, exact)
    print(f"{compared} steps compared")
    cases.close()


if __name__ == "__main__":
    main()
