"""The wall clock of the real binary steps by days while it records: order, recovery and ranges do
not depend on it. The clock is libfaketime's (Debian package faketime), changed by a file."""

from __future__ import annotations

import datetime
import glob
import json
import os
import pathlib
import signal
import threading
import time
import unittest
from typing import Any

import deck
from deck import Case, Record, Running, records, run
from evm_peer import EvmServer, Frame, Peer, TEXT, end

HEADS: dict[str, Any] = {"method": "eth_subscribe", "params": ["newHeads"]}
DAY = 86_400 * 10**9
#: Where the clock stands during each part, in days from the true time.
STEPS = (0, 1, -1, 0)
#: Frames of each part.
COUNT = 250


def library() -> str:
    """libfaketime for programs with threads; skips without it."""
    found = sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise unittest.SkipTest("no libfaketime here (Debian package faketime)")
    return found[0]


class Clock:
    """The wall clock of a process, away from the true one by a number of days."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        self.set(0)
        self.extra = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            # Looked at on every call; monotonic time is the kernel's.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, days: int) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{days:+d}d\n")
        fresh.rename(self.file)


def number_of(record: Record) -> int:
    """The number that a frame was sent with."""
    return int(json.loads(record.payload)["params"]["result"]["number"], 16)


def wall(record: Record) -> int:
    return int(record.line["received_ns"])


def at(nanoseconds: int) -> str:
    """A time as the range grammar has it."""
    whole = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.timezone.utc)
    return f"time:{whole:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09}Z"


class Steps(Case):
    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock(self.folder / "clock")
        self.path = self.folder / "deck"
        self.turn = threading.Semaphore(0)
        self.sent = 0

    def script(self, peer: Peer) -> None:
        peer.calls.get(timeout=20)
        peer.wire.send(Frame(TEXT, b'{"jsonrpc":"2.0","id":1,"result":"0xa1"}'))
        for _ in STEPS:
            self.turn.acquire(timeout=60)
            for _ in range(COUNT):
                result = {"number": hex(self.sent), "hash": "0x" + f"{self.sent:064x}"}
                params = {"subscription": "0xa1", "result": result}
                notice = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
                peer.wire.send(Frame(TEXT, json.dumps(notice).encode()))
                self.sent += 1
        end(peer, 1000, "done")

    def words(self, server: EvmServer) -> list[str]:
        call = json.dumps(HEADS)
        return ["record", "-o", str(self.path), "--ws", server.url, "--call", call, "--until-end"]

    def play(self, recording: Running) -> None:
        """Lets the node send part after part, each under its own clock."""
        for part, days in enumerate(STEPS):
            self.clock.set(days)
            self.turn.release()
            deck.wait_until(lambda: len(self.arrived()) >= (part + 1) * COUNT, about="frames")

    def arrived(self) -> list[Record]:
        result = run("cat", self.path, "--format", "ndjson")
        found = [Record(json.loads(line)) for line in result.stdout.splitlines()]
        return [r for r in found if r.kind == "websocket_frame_in" and b"number" in r.payload]

    def test_a_recording_over_steps_of_days(self) -> None:
        with EvmServer(self.script) as server:
            words = self.words(server)
            with Running(*words, extra=self.clock.extra) as recording:
                self.play(recording)
                self.check(recording.wait())
        self.verified(self.path)
        everything = list(records(self.path))
        self.assertEqual([r.sequence for r in everything], list(range(1, len(everything) + 1)))
        frames = [r for r in everything if r.kind == "websocket_frame_in" and b"number" in r.payload]
        self.assertEqual([number_of(r) for r in frames], list(range(len(STEPS) * COUNT)))
        # Wall time is what the clock said, monotonic time only rises.
        now = time.time_ns()
        for part, days in enumerate(STEPS):
            for record in frames[part * COUNT : (part + 1) * COUNT]:
                self.assertAlmostEqual(wall(record), now + days * DAY, delta=DAY // 4)
        rising = [int(r.line["monotonic_ns"]) for r in everything]
        self.assertEqual(rising, sorted(rising))
        self.assertLess(rising[-1] - rising[0], 300 * 10**9)
        self.assertFalse({"gap_opened", "stream_opened"} & {r.kind for r in everything[10:]})
        self.ranges(everything, frames)
        self.played(frames)

    def ranges(self, everything: list[Record], frames: list[Record]) -> None:
        """A time names the first record at which the running maximum of wall time reaches it."""
        for index in (0, COUNT // 2, COUNT, COUNT + COUNT // 2, 2 * COUNT - 1):
            start = wall(frames[index])
            highest, first = -(2**63), 0
            for record in everything:
                highest = max(highest, wall(record))
                if highest >= start:
                    first = record.sequence
                    break
            found = run("cat", self.path, "--format", "ndjson", "--from", at(start))
            self.check(found)
            got = [int(json.loads(line)["sequence"]) for line in found.stdout.splitlines()]
            self.assertEqual(got, list(range(first, everything[-1].sequence + 1)))
        # Above all that was ever seen there is nothing.
        latest = max(wall(r) for r in everything)
        self.check(run("cat", self.path, "--from", at(latest + 1)), code=5)

    def played(self, frames: list[Record]) -> None:
        done = self.check(
            run("replay", self.path, "--rate", "max", "--format", "ndjson", timeout=60)
        )
        got = [Record(json.loads(line)) for line in done.stdout.splitlines()]
        got = [r for r in got if r.kind == "websocket_frame_in" and b"number" in r.payload]
        self.assertEqual([r.line for r in got], [r.line for r in frames])
        # At the recorded pace days are not waited for.
        began = time.monotonic()
        self.check(run("replay", self.path, "--rate", "10", timeout=60))
        self.assertLess(time.monotonic() - began, 55)
        self.check(run("info", self.path))

    def test_a_kill_while_the_clock_is_elsewhere(self) -> None:
        """Killed a day ahead, gone on with a day behind: nothing lost, no sequence used again."""
        with EvmServer(self.script) as server:
            with Running(*self.words(server), extra=self.clock.extra) as recording:
                self.clock.set(1)
                self.turn.release()
                deck.wait_until(lambda: len(self.arrived()) >= COUNT)
                time.sleep(0.5)  # Until it is durable.
                os.kill(recording.process.pid, signal.SIGKILL)
                recording.wait()
            before = [r.line for r in records(self.path)]
        self.sent = 0
        self.turn = threading.Semaphore(0)
        with EvmServer(self.script) as server:
            with Running(*self.words(server), extra=self.clock.extra) as recording:
                self.clock.set(-1)
                for _ in STEPS:
                    self.turn.release()
                self.check(recording.wait())
        self.verified(self.path)
        after = [r.line for r in records(self.path)]
        self.assertEqual(after[: len(before)], before)
        self.assertEqual([int(r["sequence"]) for r in after], list(range(1, len(after) + 1)))


if __name__ == "__main__":
    unittest.main()
