"""A daemon of the suite's own: started on free ports, asked over its API, stopped by SIGTERM.

Says nothing about what figures ought to be: a suite compares them with what it sent.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from prometheus_client.parser import text_string_to_metric_families as parse_text

BINARY = pathlib.Path(__file__).resolve().parents[3] / "target/debug/bailiwick"
STOP_SECONDS_MAX = 10.0
TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def until(condition, seconds: float = 10.0):
    """The first true answer of a condition, asked until a deadline; then its last answer."""
    end = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def eventually(read, wanted, seconds: float = 10.0) -> None:
    """Reads until it is what is wanted: the daemon publishes once a second."""
    seen = None

    def is_reached() -> bool:
        nonlocal seen
        seen = read()
        return seen == wanted

    assert until(is_reached, seconds), f"wanted {wanted}\n   saw {seen}"


class Daemon:
    """`with Daemon(["key=value"]) as daemon`: addresses as attributes; killed at the end if it was not stopped."""

    def __init__(self, settings: list[str] = ()) -> None:
        self._settings = list(settings)

    def __enter__(self) -> "Daemon":
        anywhere = '["127.0.0.1:0"]'
        settings = [f"receiver.grpc.listen={anywhere}", f"receiver.http.listen={anywhere}", "server.listen=127.0.0.1:0"]
        settings += self._settings
        self._home = tempfile.TemporaryDirectory(prefix="bailiwick-")
        if not any(setting.startswith("data_dir=") for setting in settings):
            settings.append(f"data_dir={self._home.name}")
        arguments = [word for setting in settings for word in ("--set", setting)]
        self._log = tempfile.NamedTemporaryFile(prefix="bailiwick-", suffix=".jsonl")
        # What the suites are told by their environment is no setting of the daemon, which would warn of it.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BAILIWICK_", "OTEL_"))}
        streams = {"stdin": subprocess.DEVNULL, "stderr": self._log, "stdout": subprocess.DEVNULL}
        self._process = subprocess.Popen([BINARY, "serve", *arguments], env=environment, **streams)
        started = until(lambda: self._process.poll() is not None or self._event("started"))
        assert isinstance(started, dict), f"the daemon did not start:\n{self._events()}"
        self.grpc, self.http, self.server = started["grpc"][0], started["http"][0], started["server"]
        return self

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._home.cleanup()

    def process_id(self) -> int:
        """Of the daemon."""
        return self._process.pid

    def _events(self) -> list[dict]:
        lines = pathlib.Path(self._log.name).read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def _event(self, message: str) -> dict | None:
        return next((event for event in self._events() if event.get("message") == message), None)

    def get(self, path: str, **query: str) -> dict:
        """A document of the API."""
        address = f"http://{self.server}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return json.load(answer)

    def items(self, path: str, **query: str) -> list[dict]:
        """All items of a list of the API."""
        page = self.get(path, **query, limit="1000")
        assert page["next_cursor"] is None, "the suite's lists fit on one page"
        return page["items"]

    def scrape(self, accept: str) -> tuple[str, str]:
        """Content type and text of `/metrics`."""
        request = urllib.request.Request(f"http://{self.server}/metrics", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def books(self) -> dict:
        """(tenant, signal) -> (received, accepted, what else there is)."""
        books = {}
        for item in self.items("/v1/ingest"):
            other = {name: item[name] for name in ("duplicates", "rejected", "rejected_by_reason") if item[name]}
            books[item["tenant"], item["signal"]] = (item["received"], item["accepted"], other)
        return books

    def samples(self, name: str) -> list[tuple[dict, float]]:
        """Labels and value of each sample of a family that is not 0."""
        _, text = self.scrape(TEXT)
        samples = (sample for family in parse_text(text) for sample in family.samples)
        return [(sample.labels, sample.value) for sample in samples if sample.name == name and sample.value]

    def settled(self) -> dict[str, int]:
        """Settled traces by verdict."""
        return {labels["verdict"]: int(n) for labels, n in self.samples("bailiwick_traces_settled_total")}

    def findings(self) -> dict[tuple[str, str, str], int]:
        """(rule, verdict, module) -> hits."""
        found = self.samples("bailiwick_tenant_leak_findings_total")
        return {(labels["rule"], labels["verdict"], labels["module"]): int(n) for labels, n in found}

    def promised(self) -> dict[tuple[str, str, str], tuple]:
        """(SLO, tenant, module) -> (bad, total) over its whole period; bad slices with parts of slices are a text."""
        items = self.items("/v1/slos")
        return {(it["slo"], it["tenant"], it["module"]): (it["sli"]["bad"], it["sli"]["total"]) for it in items}

    def reload(self) -> dict:
        """Lets it read its files again; what it answers."""
        request = urllib.request.Request(f"http://{self.server}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def terminate(self) -> None:
        """Asks it to stop."""
        self._process.terminate()

    def last_event(self) -> dict:
        """What it says last, after it was asked to stop."""
        try:
            code = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the daemon still runs {STOP_SECONDS_MAX} s after SIGTERM") from None
        assert code == 0, f"exit code {code}"
        return self._events()[-1]

    def stops_with(self, acknowledged: int) -> None:
        """Stops it: its last event holds all that was acknowledged, and nothing else."""
        self.terminate()
        last = self.last_event()
        totals = {name: last.get(name) for name in ("message", "received", "accepted", "rejected", "duplicates")}
        wanted = dict(message="stopped", received=acknowledged, accepted=acknowledged, rejected=0, duplicates=0)
        assert totals == wanted, f"wanted {wanted}\n   saw {totals}"
