"""Signals end a recording in good order, whichever thread of the process the kernel picks.

A signal that is not blocked before the gRPC core starts its threads kills the process through one
of them now and then, so each case is repeated.
"""

from __future__ import annotations

import signal
import threading
import unittest

import yellowstone as ys
from deck import Case, Running, run
from geyser_peer import GeyserServer, Script

ROUNDS = 12


def updates(count: int) -> list[bytes]:
    """Some updates."""
    found = []
    for number in range(count):
        update = ys.SubscribeUpdate(filters=["s"])
        update.slot.slot = 100 + number
        found.append(update.SerializeToString())
    return found


class Signals(Case):
    def test_a_signal_ends_the_recording_in_good_order(self) -> None:
        request = self.folder / "request.json"
        request.write_text('{"slots": {"s": {}}}')
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for turn in range(ROUNDS // 3):
                path = self.folder / f"{number.name}-{turn}"
                hold = threading.Event()
                with GeyserServer(lambda _: Script(updates(50), hold=hold)) as peer:
                    words = ["record", "-o", str(path), "--geyser", peer.url]
                    with Running(*words, "--subscribe", str(request), "--acks") as recorder:
                        # Until updates are durable: a source that never streamed is a failure.
                        recorder.wait_acknowledged(20)
                        result = recorder.stop(number)
                    hold.set()
                with self.subTest(signal=number.name, turn=turn):
                    self.check(result)
                    verified = self.check(run("verify", str(path)))
                    self.assertIn("ended in good order", verified.stdout)


if __name__ == "__main__":
    unittest.main()
