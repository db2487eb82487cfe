"""What was seen and what a window says about it (slo.md 2.1 to 2.3, 2.9): naive sums over cells, exact.

Every window is summed anew from its cells. Times are whole seconds relative to the story's `start`.
"""
import math
from bisect import bisect_left
from calendar import monthrange
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

MEASURED, EMPTY, UNMEASURED = "measured", "empty", "unmeasured"
SOURCES = ["silent", "alive", "silent", "dead"]  # by rank: an uncovered slot is silent, dead outranks all


class Correction:
    """Edges widen to minutes."""

    def __init__(self, starts_at, ends_at, effect, created_at):
        self.starts_at, self.ends_at = starts_at // 60 * 60, -(-ends_at // 60) * 60
        self.effect, self.created_at = effect, created_at


class Seen:
    """The raw cells and the source states of one instance, before any correction."""

    def __init__(self, tick):
        self.tick, self.cells, self.spans = tick, {}, []

    def add(self, line_from, to, per, total, bad, source):
        self.spans.append((line_from, to, {"alive": 1, "silent": 2, "dead": 3}[source]))
        for at in range(line_from, to, per) if total or bad else ():
            cell = self.cells.setdefault(at // self.tick, [0, 0])
            cell[0] += total
            cell[1] += bad

    def coverage(self):
        """[(from, to, state)], joined, without overlaps."""
        edges = sorted({edge for span in self.spans for edge in span[:2]})
        pieces = []
        for left, right in zip(edges, edges[1:]):
            rank = max((r for a, b, r in self.spans if a <= left and right <= b), default=0)
            pieces.append((left, right, SOURCES[rank]))
        return pieces

    def drop_unseen(self):
        """A silent or dead source says nothing: its counts never arrive."""
        lost = [(a, b) for a, b, state in self.coverage() if state != "alive"]
        for slot in [s for s in self.cells if any(a <= s * self.tick < b for a, b in lost)]:
            del self.cells[slot]


class Series:
    """Sorted (key, numerator, denominator); a window is the sum of the whole entries inside it."""

    def __init__(self, entries, width, scale=1):
        entries = sorted(entries)
        self.keys = [e[0] for e in entries]
        self.bad, self.total = [e[1] for e in entries], [e[2] for e in entries]
        self.width, self.scale = width, scale

    def sums(self, left, right):
        a = bisect_left(self.keys, left)
        b = bisect_left(self.keys, right - self.width + 1)
        return Fraction(sum(self.bad[a:b]), self.scale), sum(self.total[a:b])


class Window:
    def __init__(self, state, bad, total, beta):
        self.state, self.bad, self.total = state, bad, total
        self.ratio = bad / total if total else None
        self.burn = bad / total / beta if total else None


class View:
    """The cells under the corrections known by now."""

    def __init__(self, seen, slo, start, birth, corrections):
        self.seen, self.slo, self.start, self.birth = seen, slo, start, birth
        self.out = [(c.starts_at, c.ends_at) for c in corrections if c.effect == "exclude"]
        good = [(c.starts_at, c.ends_at) for c in corrections if c.effect == "good"]
        inside = lambda spans, at: any(a <= at < b for a, b in spans)
        entries = []
        for slot, (total, bad) in seen.cells.items():
            at = slot * seen.tick
            if not inside(self.out, at):
                entries.append((at, 0 if inside(good, at) else bad, total))
        self.raw = Series(entries, seen.tick)
        self.pieces = list(self.left_in(self.meaning()))
        self.series = self.raw if slo.method == "Occurrences" else self.slices()

    def meaning(self):
        """2.3: what silence is depends on `expect`; before birth there is nothing to miss."""
        word = {"auto": "silent", "traffic": "dead", "nothing": "alive"}[self.slo.expect]
        for a, b, state in self.seen.coverage():
            if b > self.birth:
                yield max(a, self.birth), b, word if state == "silent" else state

    def left_in(self, pieces):
        """Excluded slots leave the window."""
        for a, b, state in pieces:
            parts = [(a, b)]
            for x, y in self.out:
                parts = [p for l, r in parts for p in ((l, min(r, x)), (max(l, y), r)) if p[0] < p[1]]
            yield from ((l, r, state) for l, r in parts)

    def covered(self, left, right, state=None):
        """Seconds of [left, right) since birth in that state, of slots left in."""
        return sum(max(0, min(b, right) - max(a, left)) for a, b, s in self.pieces if state in (None, s))

    def slices(self):
        width, last = self.slo.slice, max(b for _, b, _ in self.seen.coverage())
        first = (self.start + self.birth) // width * width - self.start
        found = []
        for at in range(first, last - width + 1, width):
            gone = any(at < y and x < at + width for x, y in self.out)
            if not gone and not self.covered(at, at + width, "dead"):
                value = self.slice_value(*self.raw.sums(at, at + width))
                if value is not None:
                    found.append((at, value, 1))
        scale = math.lcm(*(v.denominator for _, v, _ in found)) if found else 1
        return Series([(at, int(v * scale), n) for at, v, n in found], width, scale)

    def slice_value(self, bad, total):
        """The shortfall of one slice, 0 to 1, or None if it is skipped."""
        if total == 0:
            return {"skip": None, "good": Fraction(0), "bad": Fraction(1)}[self.slo.empty_slice]
        if self.slo.method == "RatioTimeslices":
            return bad / total
        return Fraction(0 if (total - bad) / total >= self.slo.slice_target else 1)

    def window(self, left, right):
        bad, total = self.series.sums(left, right)
        slots = self.covered(left, right)
        if total and self.covered(left, right, "dead") <= (1 - self.slo.floor) * slots:
            state = MEASURED
        elif not total and slots and self.covered(left, right, "alive") >= self.slo.floor * slots:
            state = EMPTY
        else:
            state = UNMEASURED
        return Window(state, bad, total, self.slo.beta)

    def gap_run(self, right):
        """For how long, up to `right`, every slot was a gap."""
        run, edge = 0, right
        for a, b, state in sorted(self.pieces, reverse=True):
            if a >= right:
                continue
            if min(b, right) != edge or state != "dead":
                break
            run, edge = right - a, a
        return run


class Calendar:
    """Windows in civil time, each from startTime itself (2.2)."""

    def __init__(self, count, unit, start_time, zone):
        self.count, self.unit = count, unit
        self.start, self.zone = datetime.fromisoformat(start_time), ZoneInfo(zone)

    def edge(self, n):
        """Unix seconds of the start of window n. zoneinfo with fold=0: a gap reads later, a fold earlier."""
        steps = n * self.count
        if self.unit in "dw":
            civil = self.start + timedelta(days=steps * (7 if self.unit == "w" else 1))
        else:
            months = self.start.month - 1 + steps * {"M": 1, "Q": 3, "Y": 12}[self.unit]
            year, month = self.start.year + months // 12, months % 12 + 1
            civil = self.start.replace(year=year, month=month, day=min(self.start.day, monthrange(year, month)[1]))
        return int(civil.replace(tzinfo=self.zone).timestamp())

    def around(self, unix):
        """[start, end) that holds the instant."""
        n = 0
        while self.edge(n + 1) <= unix:
            n += 1
        while self.edge(n) > unix:
            n -= 1
        return self.edge(n), self.edge(n + 1)


def left_edge(right, length, floor_minutes):
    """2.2: live, windows above one hour keep minute cells, so the left edge is floored; stories round nothing."""
    left = right - length
    return left // 60 * 60 if floor_minutes and length > 3600 else left


def upper_tail(n, k, p):
    """P[Binomial(n, p) >= k], exactly."""
    if k <= 0:
        return Fraction(1)
    if p >= 1:
        return Fraction(1 if k <= n else 0)
    a, b = p.numerator, p.denominator
    below = sum(math.comb(n, i) * a**i * (b - a) ** (n - i) for i in range(min(k, n + 1)))
    return 1 - Fraction(below, b**n)
