"""Debian's Prometheus with a data directory of its own, and a forwarder that speaks like one that knows text only.

Prometheus 2.42 always prefers OpenMetrics (`scrape_protocols` came later), so its text parser is reached through the
forwarder: it asks for text 0.0.4 and passes the answer on as it is.
"""

import contextlib
import http.server
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request

from daemon import TEXT, until


@contextlib.contextmanager
def text_only(target: str):
    """The address of a forwarder to a target's `/metrics`."""

    class Forwarder(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = urllib.request.Request(f"http://{target}{self.path}", headers={"Accept": TEXT})
            with urllib.request.urlopen(request, timeout=5) as answer:
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forwarder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Prometheus:
    """`with Prometheus({job: address})`: scrapes each once a second; ended and its data removed at the end."""

    def __init__(self, targets: dict[str, str]) -> None:
        self._targets = targets

    def __enter__(self) -> "Prometheus":
        self._directory = tempfile.TemporaryDirectory(prefix="prometheus-")
        home = pathlib.Path(self._directory.name)
        jobs = [{"job_name": job, "static_configs": [{"targets": [at]}]} for job, at in self._targets.items()]
        configuration = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        # JSON is YAML.
        (home / "prometheus.yml").write_text(json.dumps(configuration))
        self._log = home / "log"
        arguments = [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data"]
        arguments += ["--web.listen-address=127.0.0.1:0", "--log.level=debug"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(["prometheus", *arguments], stdin=subprocess.DEVNULL, stderr=log)
        self._listening = until(self._address)
        assert self._listening, f"Prometheus did not start:\n{self._log.read_text()}"
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._directory.cleanup()

    def _address(self) -> str | None:
        log = self._log.read_text()
        found = re.search(r'msg="Listening on" address=(\S+)', log)
        return found[1] if found and "Server is ready to receive web requests" in log else None

    def complaints(self) -> list[str]:
        """What it logged about scrapes, and whatever it warned of."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if 'component="scrape manager"' in line or re.search("level=(warn|error)", line)]

    def get(self, path: str, **query: str):
        """The data of an answer of its API."""
        address = f"http://{self._listening}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            document = json.load(answer)
        assert document["status"] == "success" and not document.get("warnings"), document
        return document["data"]

    def query(self, expression: str, at: float | None = None) -> list[dict]:
        """The result of an instant query."""
        time = {} if at is None else {"time": f"{at:.3f}"}
        return self.get("query", query=expression, **time)["result"]
