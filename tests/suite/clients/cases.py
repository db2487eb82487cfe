"""Counts what passes: a suite is a list of cases, each a sentence with a function that asserts it."""

import signal
import sys
import traceback


class Cases:
    """Runs cases one after the other; one that fails does not hide the next."""

    def __init__(self) -> None:
        self._passed = self._failed = 0
        # A suite that takes too long is asked to end: what it started must end with it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def check(self, sentence: str, case, *arguments) -> None:
        try:
            case(*arguments)
        except Exception:
            self._failed += 1
            print(f"FAILED {sentence}")
            traceback.print_exc(file=sys.stdout)
        else:
            self._passed += 1
            print(f"ok {sentence}")

    def close(self) -> None:
        """The closing line; ends the process with an error when a case failed."""
        print(f"{self._passed} passed, {self._failed} failed", flush=True)
        sys.exit(self._failed > 0)
