"""One instance, tick by tick (slo.md 2.3, 2.6 to 2.8, 3.1): tiers, gates, level, incidents, state word."""
from fractions import Fraction

from windows import EMPTY, MEASURED, Calendar, View, left_edge, upper_tail

RANK = {"none": 0, "notice": 1, "ticket": 2, "page": 3}
WORDS = ["critical", "increasing", "recovering", "acceptable"]
REOPEN_SECONDS = 600
REARM = Fraction(2, 100)


class TierRun:
    """One tier over time."""

    def __init__(self, tier):
        self.tier, self.state, self.frozen, self.held, self.p_value = tier, "ok", False, None, None
        self.elapsed, self.intervals, self.long, self.short = 0, [], None, None

    def measure(self, inst, t):
        self.long = inst.window(t, self.tier.long)
        self.short = inst.window(t, self.tier.short) if self.tier.short else None

    def over(self, window):
        if window is None:
            return None
        if window.state == MEASURED:
            return "over" if self.tier.exceeded(window.burn) else "not_over"
        return window.state

    def value(self):
        """The table of 2.3: True, False or None for unknown."""
        long, short = self.over(self.long), self.over(self.short)
        if long in ("not_over", EMPTY):
            return False
        if short is None:
            return True if long == "over" else None
        if short == "not_over":
            return False
        return True if long == short == "over" else None

    def word(self):
        long = self.over(self.long) == "over"
        short = long if self.tier.short is None else self.over(self.short) == "over"
        return WORDS[0 if long and short else 1 if short else 2 if long else 3]

    def step(self, inst, t):
        """Gates, `for`, then the tier's state. Returns why it ended, if it did."""
        value = self.value()
        self.frozen, self.held, self.p_value = value is None, None, None
        if value is None:
            return None
        if value is False:
            ended = self.state == "firing"
            if ended:
                self.intervals[-1][1] = t
            self.state = "ok"
            return ("no_traffic" if self.long.state == EMPTY else "recovered") if ended else None
        if self.state == "firing":
            return None
        self.held = self.gate(inst, t)
        if self.held or not inst.active:
            self.state = "ok"
            return None
        self.elapsed = self.elapsed + inst.tick if self.state == "pending" else 0
        self.state = "firing" if self.elapsed >= self.tier.hold else "pending"
        if self.state == "firing":
            self.intervals.append([t, None])
        return None

    def gate(self, inst, t):
        slo = inst.slo
        if slo.method != "Occurrences":
            return None
        p0, n, k = self.tier.factor * slo.beta, self.long.total, int(self.long.bad)
        if n * p0 < slo.apply_below:
            self.p_value = upper_tail(n, k, p0)
            if self.p_value >= slo.alpha:
                return "significance"
        if slo.by_volume and self.share(inst, t) < self.tier.factor * self.tier.long / slo.period:
            return "impact"
        return None

    def share(self, inst, t):
        total, age = inst.period(t).total, t - inst.birth
        if age < inst.slo.period:
            total = Fraction(total) * inst.slo.period / age
        return self.long.bad / (inst.slo.beta * total)


class Incident:
    def __init__(self, t, level):
        self.opened, self.ended, self.resolved, self.reason, self.reopened = t, None, None, None, 0
        self.level = self.peak = level
        self.levels = [[t, level]]
        self.since, self.repeats = t, 0

    def change(self, t, level):
        self.level, self.peak = level, max(self.peak, level)
        self.levels.append([t, level])


class Instance:
    def __init__(self, slo, seen, start, tick, corrections, floor_minutes=False):
        self.slo, self.seen, self.start, self.tick = slo, seen, start, tick
        self.corrections, self.floor_minutes = corrections, floor_minutes
        counted = [slot for slot, (total, _) in seen.cells.items() if total]
        self.birth = min(counted) * tick if counted else None
        self.views, self.view, self.active = {}, None, False
        self.runs = [TierRun(tier) for tier in slo.tiers]
        self.calendar = Calendar(*slo.calendar) if slo.calendar else None
        self.steps_on, self.incidents, self.events = set(), [], []
        self.lower_since = self.clear_since = self.clear_reason = None
        self.was_gap = self.recounted = self.maintenance = False

    # Windows

    def look(self, t):
        known = tuple(c for c in self.corrections if c.created_at is None or c.created_at <= t)
        if known not in self.views:
            self.views[known] = View(self.seen, self.slo, self.start, self.birth, known)
        self.recounted = self.view is not None and self.view is not self.views[known]
        self.view = self.views[known]
        self.maintenance = any(c.starts_at < t <= c.ends_at for c in known)

    def window(self, t, length):
        return self.view.window(left_edge(t, length, self.floor_minutes), t)

    def period_bounds(self, t):
        if self.calendar:
            a, b = self.calendar.around(self.start + t - self.tick)
            return a - self.start, b - self.start
        return left_edge(t, self.slo.period, self.floor_minutes), t

    def period(self, t):
        return self.view.window(self.period_bounds(t)[0], t)

    def remaining(self, t):
        window = self.period(t)
        if not window.total:
            return Fraction(1)
        allowed = window.total
        if self.slo.method != "Occurrences":
            a, b = self.period_bounds(t)
            allowed = (b - a) // self.slo.slice
        return 1 - window.bad / (self.slo.beta * allowed)

    # Forecast (2.6)

    def constant_seconds(self, t):
        recent = self.window(t, self.slo.forecast_window)
        if not recent.burn:
            return None
        a, b = self.period_bounds(t)
        return self.remaining(t) * (b - a) / recent.burn

    def rolling_seconds(self, t, horizon=None):
        """Seconds from t to the first minute at which the budget is spent, or None."""
        width, series, beta = self.slo.forecast_window, self.view.series, self.slo.beta
        bad, total = series.sums(t - width, t)
        rate_bad, rate_total = bad / width, Fraction(total, width)
        a, b = self.period_bounds(t)
        first = -(-(self.start + t) // 60) * 60 - self.start
        horizon = min(horizon, b - a) if horizon is not None else b - a
        for u in range(first, (b if self.calendar else t + horizon) + 1, 60):
            past_bad, past_total = series.sums(a if self.calendar else u - self.slo.period, t)
            if past_bad + rate_bad * (u - t) >= beta * (past_total + rate_total * (u - t)):
                return u - t
        return None

    # One tick

    def step(self, t):
        self.look(t)
        events_seen = sum(total for slot, (total, _) in self.seen.cells.items() if slot * self.tick < t) \
            if not self.active else None
        self.active = self.active or events_seen >= self.slo.activate_events
        for run in self.runs:
            run.measure(self, t)
        ends = {reason for run in self.runs for reason in [run.step(self, t)] if reason}
        causes = self.causes(t)
        level = max((rank for _, rank in causes), default=0) if self.active else 0
        gap = self.view.gap_run(t) > 0
        if not self.maintenance:
            self.advance(t, level, {kind for kind, _ in causes}, ends, gap and not self.was_gap)
        self.was_gap = gap

    def causes(self, t):
        causes = [("tier", RANK[run.tier.severity]) for run in self.runs if run.state == "firing"]
        if self.slo.policy:
            left = self.remaining(t)
            for name, below, severity in self.slo.policy:
                if left < below:
                    self.steps_on.add(name)
                elif left >= below + REARM:
                    self.steps_on.discard(name)
                if name in self.steps_on:
                    causes.append(("policy", RANK[severity]))
        run = self.view.gap_run(t)  # counted like `for`: from the first tick that saw the gap
        if run and run - self.tick >= self.slo.alert_after:
            causes.append(("nodata", RANK[self.slo.nodata_severity]))
        if self.slo.warn_before is not None and self.rolling_seconds(t, self.slo.warn_before) is not None:
            causes.append(("forecast", RANK[self.slo.forecast_severity]))
        return causes

    # Incidents (3.1)

    def say(self, t, kind, level, **more):
        self.events.append({"at": t, "type": kind, "level": level, **more})

    def advance(self, t, level, kinds, ends, gap_begins):
        incident = self.incidents[-1] if self.incidents and self.incidents[-1].resolved is None else None
        if incident is None:
            if level:
                self.open(t, level, kinds)
            return
        if level == 0:
            self.clear(t, incident, ends)
        else:
            self.clear_since = None
            self.move(t, incident, level)
        if incident.resolved is None:
            if gap_begins and level == incident.level:
                self.say(t, "nodata", incident.level)
            if t - incident.since >= (incident.repeats + 1) * self.slo.repeat_every:
                incident.repeats += 1
                self.say(t, "firing", incident.level, repeat=incident.repeats)

    def open(self, t, level, kinds):
        last = self.incidents[-1] if self.incidents else None
        if last and t - last.resolved <= REOPEN_SECONDS:
            last.resolved = last.ended = last.reason = None
            last.reopened, last.since, last.repeats = last.reopened + 1, t, 0
            last.change(t, level)
        else:
            self.incidents.append(Incident(t, level))
        self.lower_since = self.clear_since = None
        only = next(iter(kinds)) if len(kinds) == 1 else None
        self.say(t, only if only in ("nodata", "forecast") else "firing", level)

    def clear(self, t, incident, ends):
        if self.clear_since is None:
            self.clear_since = t
            plain = "no_traffic" if ends == {"no_traffic"} else "recovered"
            self.clear_reason = "correction" if self.recounted else plain
        if self.lower_since is None:
            self.lower_since = t
        if t - self.clear_since >= self.slo.hold_down:
            incident.resolved, incident.ended, incident.reason = t, self.clear_since, self.clear_reason
            incident.levels.append([t, 0])
            self.say(t, "resolved", incident.level, reason=self.clear_reason)

    def move(self, t, incident, level):
        if level > incident.level:
            self.lower_since = None
            incident.change(t, level)
            self.say(t, "escalated", level)
        elif level == incident.level:
            self.lower_since = None
        else:
            self.lower_since = t if self.lower_since is None else self.lower_since
            if t - self.lower_since >= self.slo.hold_down:
                self.lower_since = None
                incident.change(t, level)
                self.say(t, "deescalated", level)

    # What the status says

    def state(self, t):
        if self.period(t).total == 0:
            return "no_data"
        if self.maintenance:
            return "maintenance"
        if any(run.frozen for run in self.runs):
            return "frozen"
        if not self.active:
            return "insufficient"
        if self.remaining(t) <= 0:
            return "exhausted"
        return min((run.word() for run in self.runs), key=WORDS.index, default="acceptable")

    def policy_step(self):
        """The lowest one reached."""
        on = [(below, name) for name, below, _ in self.slo.policy if name in self.steps_on]
        return min(on)[1] if on else None

    def level(self):
        last = self.incidents[-1] if self.incidents else None
        return last.level if last and last.resolved is None else 0
