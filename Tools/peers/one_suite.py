"""Runs one suite of tests and prints one line a test; the last line is the count as JSON."""

from __future__ import annotations

import faulthandler
import json
import sys
import time
import unittest


class Told(unittest.TestResult):
    """Says each test as it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._began = 0.0
        self._bad = False

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._began, self._bad, self._reason = time.monotonic(), False, ""

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        if self._bad:
            self._count("failed", test)
        elif self._reason:
            self._count("skipped", test, f": {self._reason}")
        else:
            self._count("passed", test)

    def _count(self, how: str, test: object, more: str = "") -> None:
        self.counts[how] += 1
        took = time.monotonic() - self._began if self._began else 0.0
        identity = test.id() if isinstance(test, unittest.TestCase) else str(test)
        name = identity.removeprefix("__main__.").replace("_", " ")
        print(f"  {how:7} {name} ({took:.1f} s){more}", flush=True)

    def _tell(self, test: object, error: object) -> None:
        text = self._exc_info_to_string(error, test)  # type: ignore[attr-defined]
        print(f"---- {test}\n{text}", flush=True)
        if isinstance(test, unittest.TestCase):
            self._bad = True
        else:  # A fixture of a class or of the module.
            self._count("failed", test)

    def addError(self, test: object, error: object) -> None:  # type: ignore[override]
        self._tell(test, error)

    addFailure = addError  # type: ignore[assignment]

    def addSubTest(self, test: object, part: object, error: object) -> None:  # type: ignore[override]
        if error is not None:
            print(f"---- in {part}", flush=True)
            self._tell(test, error)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._bad = True

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        if self._began:
            self._reason = reason
        else:
            self._count("skipped", test, f": {reason}")


def main() -> int:
    faulthandler.enable()
    told = Told()
    unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:]).run(told)
    print(json.dumps(told.counts))
    return 1 if told.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
