#!/usr/bin/env python3
"""Measures rebuilding: speed with its shares, restart from a checkpoint, memory over many coins.

    fold.py TAPEDECK DATA-FOLDER WORK-FOLDER [--smoke] [speed] [restart] [memory]

Each recording is made of real messages that repeat_keys.py repeats. Every figure of a table comes
from one run of the program on two cores; the bare limit is `verify` of the same recording in the
same run: reading, decompressing and checking it and nothing else. Processor time is printed beside
wall time, for machines that have other things to do.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORES = set(sorted(os.sched_getaffinity(0))[:2])
FOLDED = re.compile(r"(\d+) transactions in .*?: (\d+) tx/s")
SHARES = re.compile(
    r"time: reading (\S+) %, decoding (\S+) %.*, folding (\S+) %, checkpoints (\S+) %"
)
ROWS = re.compile(r"checkpoints: \d+, (\d+) rows")
WENT_ON = re.compile(r"went on from record (\d+)")


@dataclass
class Run:
    """One run of a program."""

    seconds: float
    processor: float
    memory: float
    talk: str
    output: str

    def found(self, pattern: re.Pattern[str]) -> list[int]:
        match = pattern.search(self.talk)
        return [int(text) for text in match.groups()] if match else []


def run(*words: str | Path) -> Run:
    """Runs a program on two cores to its end."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: os.sched_setaffinity(0, CORES),
    )
    assert process.stdout
    talk = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        raise SystemExit(f"{words} ended with {process.returncode}:\n{talk}")
    lines = [line for line in talk.splitlines() if re.match(r"(slot|sequence) \d+ (chain|position)", line)]
    return Run(
        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, talk, "\n".join(lines)
    )


class Bench:
    def __init__(self, tapedeck: str, data: Path, work: Path, is_smoke: bool) -> None:
        self.tapedeck = tapedeck
        self.data = data / "solana"
        self.work = work
        self.is_smoke = is_smoke
        self.repetitions = 1 if is_smoke else 5

    def recording(self, name: str, source: str, times: int, *flags: str) -> tuple[Path, int]:
        """Repeats a file and imports it; the recording and the bytes of its payloads."""
        target = self.work / name
        file = self.work / f"{name}.bin"
        begun = time.monotonic()
        repeated = subprocess.run(
            [sys.executable, HERE / "repeat_keys.py", self.data / source, file, str(times), *flags],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        messages = int(repeated.split()[0]) * times
        size = file.stat().st_size - 4 * messages
        run(self.tapedeck, "import", file, "-o", target)
        file.unlink()
        print(
            f"{name}: {source} {times} times, {messages} messages, {size / 1e6:.0f} MB, made in "
            f"{time.monotonic() - begun:.0f} s",
            flush=True,
        )
        return target, size

    def speed(self) -> None:
        print(
            f"{'':26}{'tx/s':>10}{'MB/s':>7}{'of bare':>8}   reading decoding folding checkpoints"
            "   wall s  cpu s    MiB"
        )
        for name, source, times, flags in (
            ("volume", "volume.bin", 1 if self.is_smoke else 40, ["--keep-keys"]),
            ("market", "real.bin", 4 if self.is_smoke else 460, []),
        ):
            path, size = self.recording(name, source, times, *flags)
            self.compare(path, size)
            shutil.rmtree(path)

    def compare(self, path: Path, size: int) -> None:
        """One recording: the bare limit, folding alone, with checkpoints, and only decoding."""
        rebuild = (self.tapedeck, "rebuild", path, "--threads", "2")
        kinds = {
            "verify (the bare limit)": (self.tapedeck, "verify", path),
            "decode alone": (self.tapedeck, "coverage", path, "--threads", "2"),
            "rebuild --in-memory": (*rebuild, "--in-memory"),
            "rebuild --force": (*rebuild, "--force"),
        }
        # In turn, so that what else the machine does meets them all alike.
        runs: dict[str, list[Run]] = {kind: [] for kind in kinds}
        for _ in range(self.repetitions):
            for kind, words in kinds.items():
                runs[kind].append(run(*words))
        bare = statistics.median(one.seconds for one in runs["verify (the bare limit)"])
        for kind, all_runs in runs.items():
            one = sorted(all_runs, key=lambda run: run.seconds)[len(all_runs) // 2]
            folded = one.found(FOLDED)
            rate = f"{folded[1]:10,}" if folded else f"{'':10}"
            shares = "".join(
                f"{share:>{width}} %" for share, width in zip(one.found(SHARES), (8, 7, 6, 10))
            )
            print(
                f"  {kind:24}{rate}{size / one.seconds / 1e6:7.0f}{bare / one.seconds:8.2f}"
                f"{shares:39}{one.seconds:9.2f}{one.processor:7.2f}{one.memory:7.0f}",
                flush=True,
            )
        digests = {one.output for kind in runs if "rebuild" in kind for one in runs[kind]}
        if len(digests) != 1:
            raise SystemExit(f"rebuilding differs from run to run: {digests}")

    def restart(self) -> None:
        path, size = self.recording("restart", "real.bin", 4 if self.is_smoke else 460)
        first = run(self.tapedeck, "rebuild", path, "--threads", "2", "--force")
        state = sum(file.stat().st_size for file in (path / "derived").iterdir())
        runs = [
            run(self.tapedeck, "rebuild", path, "--threads", "2") for _ in range(self.repetitions)
        ]
        if any(one.output != first.output for one in runs):
            raise SystemExit("a restart leads to another state")
        one = sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]
        print(
            f"  restart of {size / 1e6:.0f} MB, {sum(first.found(ROWS))} rows written, "
            f"{state / 1e6:.0f} MB of state: {one.seconds:.2f} s, {one.processor:.2f} s of processor "
            f"time, {one.memory:.0f} MiB; from record {one.found(WENT_ON)[0]}",
            flush=True,
        )
        shutil.rmtree(path)

    def memory(self) -> None:
        for coins in (2_000, 4_000) if self.is_smoke else (250_000, 500_000, 1_000_000):
            path, _ = self.recording("coins", "real.bin", coins, "--creations", "--per-slot", "50")
            one = run(
                self.tapedeck, "rebuild", path, "--threads", "2", "--hot-rows", "100000", "--force"
            )
            state = sum(file.stat().st_size for file in (path / "derived").iterdir())
            print(
                f"  {coins:9,} coins, 100,000 hot rows a table: {one.memory:.0f} MiB, "
                f"{one.seconds:.1f} s, {one.processor:.1f} s of processor time, "
                f"{state / 1e6:.0f} MB of state",
                flush=True,
            )
            shutil.rmtree(path)


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--smoke"]
    tapedeck, data, work, *parts = words
    bench = Bench(tapedeck, Path(data), Path(work), "--smoke" in sys.argv)
    if not (bench.data / "real.bin").exists():
        print(f"skipped: {bench.data} is not there, or not the real data")
        return
    print(f"load average {os.getloadavg()[0]:.1f}, cores {sorted(CORES)}")
    for part in parts or ["speed", "restart", "memory"]:
        getattr(bench, part)()


if __name__ == "__main__":
    main()
