"""Scenario: every story of `slo/tests/stories`, played by `bailiwick slo test` and by a model that knows the
specification only. Guarantee: the engine and the model hold the same stories.
"""

import pathlib
import subprocess
import sys

from cases import Cases
from daemon import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[3]


def stories() -> list[str]:
    found = sorted(str(path) for path in (ROOT / "slo/tests/stories").glob("*.yaml"))
    assert len(found) >= 40, len(found)
    return found


def plays(command: list) -> None:
    ended = subprocess.run([*command, *stories()], stdout=subprocess.PIPE, text=True, timeout=170)
    failed = [line for line in ended.stdout.splitlines() if not line.startswith("ok")]
    assert ended.returncode == 0, "\n".join(failed)


def main() -> None:
    cases = Cases()
    cases.check(f"`slo test` holds {len(stories())} stories", plays, [BINARY, "slo", "test"])
    cases.check("the model holds the same", plays, [sys.executable, ROOT / "tests/stories/model.py"])
    cases.close()


if __name__ == "__main__":
    main()
