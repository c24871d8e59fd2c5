"""Runs the real `tapedeck` and reads what it printed. Nothing here knows how it works inside."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from dataclasses import dataclass, field
from typing import Any, Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TAPEDECK_BIN", "")
SHARED = pathlib.Path(os.environ.get("TAPEDECK_SHARED") or ROOT.parent / "shared")
#: Longest time that one command may take, in seconds.
PATIENCE = 120.0
#: Exit codes of a process that trapped or crashed; with minus, those of a signal.
CRASHES = {132, 133, 134, 135, 136, 139, -4, -5, -6, -7, -8, -11}


@dataclass
class Result:
    """How a command ended."""

    arguments: list[str]
    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return (
            f"tapedeck {' '.join(self.arguments)}\nexit code {self.code}\n"
            f"--- stdout\n{self.stdout[-2000:]}\n--- stderr\n{self.stderr[-4000:]}"
        )


@dataclass
class Record:
    """One line of `cat --format ndjson`."""

    line: dict[str, Any]

    @property
    def sequence(self) -> int:
        return int(self.line.get("sequence", 0))

    @property
    def kind(self) -> str:
        return self.line["kind"]

    @property
    def stream(self) -> int:
        return int(self.line["stream"])

    @property
    def source(self) -> str:
        return self.line["source"]

    @property
    def flags(self) -> dict[str, Any]:
        return self.line["flags"]

    @property
    def detail(self) -> dict[str, Any]:
        return self.line.get("detail", {})

    @property
    def payload(self) -> bytes:
        return base64.b64decode(self.line["payload"])


@dataclass
class Stream:
    """The records of one stream of a recording."""

    source: str
    opened: Record
    accepted: Record | None = None
    closed: Record | None = None
    frames: list[Record] = field(default_factory=list)

    def received(self) -> list[Record]:
        """The data frames that arrived."""
        return [r for r in self.frames if r.kind.endswith("_in")]

    def messages(self) -> list[bytes]:
        """The payloads of what arrived."""
        return [r.payload for r in self.received()]


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: ours without proxies and settings, with `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAPEDECK_", "GRPC_"))}
    kept = {k: v for k, v in kept.items() if not k.lower().endswith("_proxy")}
    return kept | {"NO_COLOR": "1", "SWIFT_BACKTRACE": "enable=no"} | (extra or {})


def run(
    *arguments: str | os.PathLike[str],
    extra: dict[str, str] | None = None,
    timeout: float = PATIENCE,
) -> Result:
    """Runs `tapedeck` to its end."""
    words = [str(a) for a in arguments]
    done = subprocess.run(
        [BINARY, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(extra),
        timeout=timeout,
    )
    return Result(
        words, done.returncode, done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
    )  # fmt: skip


class Running:
    """A `tapedeck` that goes on while the test does something else."""

    def __init__(
        self, *arguments: str | os.PathLike[str], extra: dict[str, str] | None = None
    ) -> None:
        self.arguments = [str(a) for a in arguments]
        self._out: list[str] = []
        self._err: list[str] = []
        self._news = threading.Condition()
        self._open = 2
        self.process = subprocess.Popen(
            [BINARY, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(extra),
        )
        self._threads = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self._out), (self.process.stderr, self._err))
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, pipe: Any, lines: list[str]) -> None:
        for raw in pipe:
            with self._news:
                lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._open -= 1
            self._news.notify_all()

    def lines(self) -> list[str]:
        """What standard output has said so far."""
        with self._news:
            return list(self._out)

    def wait_lines(self, count: int, timeout: float = 60.0) -> list[str]:
        """Waits until standard output has `count` lines."""
        with self._news:
            self._news.wait_for(lambda: len(self._out) >= count or self._open == 0, timeout)
            if len(self._out) < count:
                raise AssertionError(f"expected {count} lines of output:\n{self._result()}")
            return list(self._out)

    def wait_acknowledged(self, sequence: int) -> None:
        """Waits until `--acks` has printed a sequence at or above this one."""
        seen = 1
        while int(self.wait_lines(seen)[-1]) < sequence:
            seen = len(self.lines()) + 1

    def wait_said(self, text: str, timeout: float = 60.0) -> None:
        """Waits until standard error has said a text."""
        with self._news:
            found = self._news.wait_for(
                lambda: any(text in line for line in self._err) or self._open == 0, timeout
            )
            if not found or not any(text in line for line in self._err):
                raise AssertionError(f"never said {text!r}:\n{self._result()}")

    def _result(self) -> Result:
        return Result(
            self.arguments,
            self.process.poll() if self.process.poll() is not None else -999,
            "\n".join(self._out) + "\n",
            "\n".join(self._err) + "\n",
        )

    def wait(self, timeout: float = PATIENCE) -> Result:
        """Waits for the end."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self._join()
            raise AssertionError(f"did not end within {timeout} s:\n{self._result()}") from None
        self._join()
        return self._result()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def stop(self, number: int = signal.SIGINT, timeout: float = PATIENCE) -> Result:
        """Sends a signal and waits for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(timeout)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._join()


def records(path: os.PathLike[str], *more: str) -> Iterator[Record]:
    """All records of a recording, by `cat --format ndjson`."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [BINARY, "cat", str(path), "--format", "ndjson", *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(),
        )
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                yield Record(json.loads(line))
        if process.wait() != 0:
            errors.seek(0)
            raise AssertionError(f"cat {path} exits {process.returncode}: {errors.read().decode()}")


def streams(path: os.PathLike[str]) -> list[Stream]:
    """The streams of a recording, in the order in which they were opened."""
    found: dict[int, Stream] = {}
    for record in records(path):
        if record.kind == "stream_opened":
            found[record.sequence] = Stream(record.source, record)
        elif "stream" in record.line and record.stream in found:
            stream = found[record.stream]
            if record.kind == "stream_accepted":
                stream.accepted = record
            elif record.kind == "stream_closed":
                stream.closed = record
            elif record.kind.endswith(("_in", "_out")):
                stream.frames.append(record)
    return list(found.values())


def verbs() -> set[str]:
    """The verbs that this build has."""
    found = re.findall(r"^  ([a-z][a-z-]*(?: [a-z-]+)?)\s{2,}", run("help").stdout, re.MULTILINE)
    return set(found)


def shared(*parts: str) -> pathlib.Path:
    """A file of the real captured data; skips the test when it is not there."""
    path = SHARED.joinpath("data", *parts)
    if not path.exists():
        raise unittest.SkipTest(f"no real data: {path} is absent (set TAPEDECK_SHARED)")
    return path


class Case(unittest.TestCase):
    """A test with a folder of its own and checks that concern every command."""

    longMessage = True

    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tapedeck-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def needs(self, verb: str) -> None:
        """Skips while this build does not have the verb."""
        if verb not in verbs():
            self.skipTest(f"this build has no verb '{verb}'")

    def check(self, result: Result, code: int = 0, says: str = "") -> Result:
        """The command ended with a code, did not crash, and said something."""
        self.assertNotIn(result.code, CRASHES, f"it crashed\n{result}")
        for word in ("Fatal error", "Backtrace", "backtrace", "Illegal instruction"):
            self.assertNotIn(word, result.stderr, f"it crashed\n{result}")
        self.assertEqual(result.code, code, f"\n{result}")
        if says:
            self.assertRegex(result.stderr, says, f"\n{result}")
        return result

    def verified(self, path: os.PathLike[str]) -> None:
        """The recording is whole."""
        self.check(run("verify", path))

    def assertSameMessages(
        self, got: list[bytes], expected: list[bytes], about: str = "messages"
    ) -> None:
        """Equal in number, order and bytes; names the first that is not."""
        for place, (one, other) in enumerate(zip(got, expected)):
            if one != other:
                at = next(
                    (i for i, (a, b) in enumerate(zip(one, other)) if a != b),
                    min(len(one), len(other)),
                )
                self.fail(
                    f"{about}: number {place} differs at byte {at}: {len(one)} bytes "
                    f"{one[at : at + 40]!r}, expected {len(other)} bytes {other[at : at + 40]!r}"
                )
        self.assertEqual(len(got), len(expected), f"{about}: another number")

    def assertNowhere(self, secret: str, path: pathlib.Path, *results: Result) -> None:
        """A secret stands in no file of a folder and in no output."""
        forms = [secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")]
        for file in path.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                for form in forms:
                    self.assertNotIn(form, data, f"{file} holds the secret")
        for result in results:
            self.assertNotIn(secret, result.stdout + result.stderr, "the output holds the secret")


def wait_until(condition: Any, timeout: float = 30.0, about: str = "a condition") -> None:
    """Looks again and again until something holds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s for {about}")
        time.sleep(0.01)


def first_addresses(running: Running, count: int) -> list[str]:
    """The addresses that `serve` prints first, one a line, as host:port."""
    found = []
    for line in running.wait_lines(count, 20)[:count]:
        match = re.search(r"((?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:]+\]|localhost):(\d+)", line)
        if not match:
            raise AssertionError(f"no address in the line {line!r}")
        found.append(match.group(0))
    return found
