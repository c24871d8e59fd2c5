"""One recording that is killed a hundred times must hold everything that it ever acknowledged."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import pathlib
import random
import re
import signal
import struct
import time
import unittest
from typing import Iterator

import yellowstone as ys
from deck import Case, Running, records, run
from geyser_peer import GeyserServer, Script

#: Distance of the first numbers of two calls.
APART = 100_000_000
ROUNDS = int(os.environ.get("INTEROP_KILLS", "100"))
SEED = int(os.environ.get("INTEROP_SEED", "20261"))


def message(number: int) -> bytes:
    """The message of a number: its bytes prove the number."""
    body = hashlib.blake2b(struct.pack("<Q", number)).digest()
    update = ys.SubscribeUpdate(filters=["kill"])
    update.entry.slot = number // 100
    update.entry.index = number
    update.entry.hash = body * (1 + body[0] % 24)
    return update.SerializeToString()


def number_of(data: bytes) -> int:
    """The number of a message; fails if a byte of it is wrong."""
    number = ys.SubscribeUpdate.FromString(data).entry.index
    if message(number) != data:
        raise AssertionError(f"the message {number} was altered")
    return number


def source(start: int) -> Iterator[bytes]:
    """An endless, fast stream of numbered messages."""
    for number in itertools.count(start):
        yield message(number)
        # About ten thousand messages a second: many blocks a round, small recordings.
        if number % 100 == 99:
            time.sleep(0.01)


class Kill(Case):
    def test_nothing_acknowledged_is_lost_by_kill_9(self) -> None:
        """Kills at seeded random moments; checks after each, and everything at the end."""
        draw = random.Random(SEED)
        path = self.folder / "rec"
        request = self.folder / "request.json"
        request.write_text('{"entry": {"kill": {}}}')
        acknowledged: list[int] = []
        durabilities = ["every-block", "interval"]
        calls = itertools.count(1)
        with GeyserServer(lambda _: Script(source(next(calls) * APART))) as peer:
            for number in range(ROUNDS):
                acknowledged.append(
                    self.round(path, peer.url, request, draw, durabilities[number % 2])
                )
                self.after(path, number, acknowledged)
            final = Running(*self.words(path, peer.url, request, "interval"))
            with final:
                final.wait_lines(3)
                self.check(final.stop())
        self.verified(path)
        self.whole(path, acknowledged)

    def words(self, path: pathlib.Path, url: str, request: pathlib.Path, durability: str) -> list[str]:
        return [
            "record", "-o", str(path), "--geyser", url, "--subscribe", str(request), "--acks",
            "--durability", durability,
        ]  # fmt: skip

    def round(
        self, path: pathlib.Path, url: str, request: pathlib.Path, draw: random.Random,
        durability: str,
    ) -> int:  # fmt: skip
        """Records until a random moment and kills; returns the last acknowledged sequence."""
        with Running(*self.words(path, url, request, durability)) as recording:
            # Sometimes in the middle of the start, mostly in the middle of the stream.
            if draw.random() < 0.9:
                recording.wait_lines(draw.randrange(1, 6))
            time.sleep(draw.uniform(0, 0.2))
            recording.process.send_signal(signal.SIGKILL)
            result = recording.wait()
        self.assertEqual(result.code, -signal.SIGKILL, f"\n{result}")
        # A line that the kill cut in two has no line feed and is no acknowledgement.
        whole = [line for line in result.stdout.split("\n") if re.fullmatch(r"\d+", line)]
        return int(whole[-1]) if whole else 0

    def after(self, path: pathlib.Path, number: int, acknowledged: list[int]) -> None:
        """What must hold after each kill."""
        if not path.joinpath("recording.json").exists() and max(acknowledged) == 0:
            return  # Killed before there was a recording.
        result = run("verify", path, "--format", "json")
        self.assertEqual(result.code, 0, f"round {number}, seed {SEED}\n{result}")
        report = json.loads(result.stdout)
        self.assertTrue(report["whole"], f"round {number}, seed {SEED}: {report}")
        self.assertEqual(report["holes"], [])
        self.assertGreaterEqual(
            int(report["last_sequence"]), max(acknowledged), f"round {number}: LOST, seed {SEED}"
        )

    def whole(self, path: pathlib.Path, acknowledged: list[int]) -> None:
        """Every record of the recording, in order: sequences, bytes, runs and gaps."""
        expected, frames, gaps, bounded = 1, 0, 0, 0
        epochs: list[int] = []
        last: dict[int, int] = {}
        for record in records(path):
            self.assertEqual(record.sequence, expected, "a sequence is missing or comes twice")
            expected += 1
            if record.kind == "grpc_message_in":
                number = number_of(record.payload)
                if record.stream in last:
                    self.assertEqual(number, last[record.stream] + 1, "a hole inside of a stream")
                else:
                    self.assertEqual(number % APART, 0, "the start of a stream is missing")
                last[record.stream] = number
                frames += 1
            elif record.kind == "run_started":
                epochs.append(int(record.detail["writer_epoch"]))
            elif record.kind == "gap_opened":
                gaps += 1
            elif record.kind == "gap_bounded":
                bounded += 1
        self.assertGreaterEqual(expected - 1, max(acknowledged))
        self.assertEqual(epochs, sorted(set(epochs)), "the writer epoch did not rise")
        survivors = len([a for a in acknowledged if a])
        self.assertGreaterEqual(len(epochs), survivors)
        # Each kill of a stream that delivered leaves a gap, which the next one bounds.
        self.assertGreater(gaps, ROUNDS // 2, f"{gaps} gaps of {len(last)} streams")
        self.assertEqual(bounded, gaps)
        self.assertGreater(frames, ROUNDS * 20)
        info = run("info", path, "--format", "json")
        self.check(info)
        self.assertEqual(int(json.loads(info.stdout)["records"]), expected - 1)
        print(
            f"  {ROUNDS} kills, {len(epochs)} runs, {frames} messages, "
            f"{max(acknowledged)} acknowledged, 0 lost, {gaps} gaps (seed {SEED})"
        )


if __name__ == "__main__":
    unittest.main()
