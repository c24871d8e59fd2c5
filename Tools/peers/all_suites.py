"""Runs the suites, two at a time, each in a process of its own; the last line counts."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
#: Longest first, so that the last one to end is a short one.
ORDER = [
    "faults", "determinism", "kill", "state", "geyser_roundtrip", "evm_roundtrip", "reader", "geyser_semantics", "evm_semantics",
    "bad_input", "planted", "recordings", "retired", "clock", "secrets", "care", "export", "cli",
]  # fmt: skip
#: Seconds after which a suite counts as hung.
PATIENCE = 300


@dataclass
class Outcome:
    """How one suite ended."""

    name: str
    counts: dict[str, int]
    text: str
    seconds: float


def run(name: str) -> Outcome:
    """Runs one suite; what it started and left behind dies with it."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(HERE / "one_suite.py"), f"test_{name}"],
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=PATIENCE)
        text = out.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        text = out.decode(errors="replace") + f"\n  failed  {name}: hung for {PATIENCE} s\n"
    seconds = time.monotonic() - began
    *lines, last = text.rstrip("\n").split("\n")
    try:
        counts = json.loads(last)
        if process.returncode != (1 if counts["failed"] else 0):
            raise ValueError(f"exit code {process.returncode}")
        return Outcome(name, counts, "\n".join(lines), seconds)
    except (ValueError, TypeError, KeyError):
        text += f"  failed  {name}: ended with code {process.returncode} and without a count"
        return Outcome(name, {"passed": 0, "failed": 1, "skipped": 0}, text, seconds)


def main() -> int:
    known = sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py"))
    wanted = sys.argv[1:] or known
    for name in wanted:
        if name not in known:
            print(f"interop: no suite '{name}'; there are: {', '.join(known)}", file=sys.stderr)
            return 2
    wanted.sort(key=lambda name: ORDER.index(name) if name in ORDER else -1)
    began = time.monotonic()
    total = {"passed": 0, "failed": 0, "skipped": 0}
    with ThreadPoolExecutor(2) as pool:
        for future in as_completed([pool.submit(run, name) for name in wanted]):
            outcome = future.result()
            print(f"{outcome.name} ({outcome.seconds:.0f} s)\n{outcome.text}", flush=True)
            for how, count in outcome.counts.items():
                total[how] += count
    print(
        f"interop: {total['passed']} passed, {total['failed']} failed, "
        f"{total['skipped']} skipped in {time.monotonic() - began:.0f} s"
    )
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
