"""Scenario: every story of `slo/tests/stories`, played by `bailiwick slo test`, and those of one SLO by a model that knows
the specification only. Guarantee: the engine and the model hold the same stories.
"""

import pathlib
import subprocess
import sys

from cases import Cases
from daemon import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[3]


def stories(pattern: str = "*.yaml") -> list[str]:
    found = sorted(str(path) for path in (ROOT / "slo/tests/stories").glob(pattern))
    assert len(found) >= 40, len(found)
    return found


def plays(command: list, found: list[str]) -> None:
    ended = subprocess.run([*command, *found], stdout=subprocess.PIPE, text=True, timeout=170)
    failed = [line for line in ended.stdout.splitlines() if not line.startswith("ok")]
    assert ended.returncode == 0, "\n".join(failed)


def main() -> None:
    cases = Cases()
    every = stories("**/*.yaml")
    cases.check(f"`slo test` holds {len(every)} stories", plays, [BINARY, "slo", "test"], every)
    model = [sys.executable, ROOT / "tests/stories/model.py"]
    cases.check(f"the model holds the same {len(stories())} of one SLO", plays, model, stories())
    cases.close()


if __name__ == "__main__":
    main()
