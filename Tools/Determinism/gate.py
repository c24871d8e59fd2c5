"""Compares digests of one log, and of several recordings of one chain. See Tools/determinism."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.environ["TAPEDECK_BIN"]


def tapedeck(*words: str) -> str:
    """Runs the program, which must end well; gives standard output."""
    result = subprocess.run(
        [BIN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
    )
    if result.returncode != 0:
        sys.exit(f"tapedeck {' '.join(words)} ended with {result.returncode}: {result.stderr[-400:]}")
    return result.stdout


def position(text: str) -> str:
    """The position digest that a digest or rebuild printed."""
    return re.findall(r"^sequence \d+ position ([0-9a-f]{32})$", text, re.M)[-1]


def ladder(text: str) -> dict[int, str]:
    """Chain digests by slot."""
    return {int(slot): digest for slot, digest in re.findall(r"^slot (\d+) chain (\w+)$", text, re.M)}


class Gate:
    """One run of all comparisons."""

    def __init__(self, work: pathlib.Path, smoke: bool, seed: int) -> None:
        self.work, self.smoke = work, smoke
        self.random = random.Random(seed)
        self.passed = self.failed = 0

    def hold(self, name: str, expected: object, found: object) -> None:
        """Counts one comparison."""
        if expected == found:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}: {expected} and {found}", flush=True)

    def synth(self, name: str, *words: str) -> str:
        """An invented market; gives its path."""
        path = str(self.work / name)
        tapedeck("synth", "-o", path, *words)
        return path

    def one_log(self, path: str) -> str:
        """Everything that must not change a result; gives the position digest."""
        expected = position(tapedeck("digest", path))
        name = pathlib.Path(path).name
        for threads in ("1", "2", "3", "8"):
            found = position(tapedeck("digest", path, "--threads", threads))
            self.hold(f"{name}: {threads} threads", expected, found)
        for rows, slots in (("1", "1"), ("7", "3"), ("100", "50"), ("1000000", "1000")):
            found = position(
                tapedeck("rebuild", path, "--force", "--hot-rows", rows, "--checkpoint-slots", slots)
            )
            self.hold(f"{name}: {rows} rows in memory, checkpoints every {slots}", expected, found)
        self.killed(path, expected)
        return expected

    def killed(self, path: str, expected: str) -> None:
        """Kills a rebuild at random moments, mostly going on from what the last one left."""
        name = pathlib.Path(path).name
        began = time.monotonic()
        tapedeck("rebuild", path, "--force", "--checkpoint-slots", "4")
        whole = time.monotonic() - began
        kills = 6 if self.smoke else 200
        done = 0
        rounds = 0
        is_whole = True
        while done < kills:
            rounds += 1
            if rounds > 10 * kills:
                sys.exit(f"only {done} of {kills} rebuilds could be killed in {rounds} rounds")
            words = ["rebuild", path, "--checkpoint-slots", str(self.random.choice((1, 2, 4, 9)))]
            # From the start again where a whole state leaves nothing to kill, and now and then.
            if is_whole or rounds % 8 == 0:
                words.append("--force")
            process = subprocess.Popen(
                [BIN, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(self.random.uniform(0, whole))
            is_whole = process.poll() is not None
            if is_whole:
                continue
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
            if done % 10 == 0 or done == kills:
                found = position(tapedeck("rebuild", path))
                self.hold(f"{name}: after {done} kills at work", expected, found)
                is_whole = True

    def one_chain(self, base: list[str], variants: list[tuple[str, list[str]]]) -> None:
        """Recordings of one chain agree at every final slot that both have."""
        plain = ladder(tapedeck("digest", self.synth("plain", *base), "--every", "1"))
        for name, words in variants:
            other = ladder(tapedeck("digest", self.synth(name, *base, *words), "--every", "1"))
            common = sorted(set(plain) & set(other))
            parted = next((slot for slot in common if plain[slot] != other[slot]), None)
            self.hold(f"one chain, {name}: {len(common)} slots in common", None, parted)
            self.hold(f"one chain, {name}: most slots in common", True, len(common) * 2 > len(plain))

    def followed(self, path: str) -> None:
        """A state that follows a recorder is the one that is rebuilt afterwards."""
        again = str(self.work / "followed")
        server = subprocess.Popen(
            [BIN, "serve", path, "--geyser", "127.0.0.1:0", "--rate", "8"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        address = re.search(r"127\.0\.0\.1:\d+", server.stdout.readline()).group()
        request = self.work / "request.json"
        sources = [json.loads(line) for line in tapedeck("requests", path).splitlines()]
        request.write_text(json.dumps(sources[0]["subscribe"]))
        recorder = subprocess.Popen(
            [BIN, "record", "-o", again, "--geyser", f"http://{address}", "--subscribe",
             str(request), "--until-end"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while not (pathlib.Path(again) / "recording.json").exists():
            time.sleep(0.02)
        follower = subprocess.Popen(
            [BIN, "rebuild", again, "--follow", "--checkpoint-slots", "5"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        recorder.wait(timeout=300)
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        time.sleep(2)
        follower.send_signal(signal.SIGINT)
        text = follower.communicate(timeout=60)[0]
        self.hold("followed while it was recorded", position(tapedeck("digest", again)), position(text))


def main() -> int:
    """Runs all; the last line counts."""
    parser = argparse.ArgumentParser(prog="determinism")
    parser.add_argument("--smoke", action="store_true", help="small and quick")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    slots = "60" if options.smoke else "600"
    with tempfile.TemporaryDirectory(prefix="tapedeck-determinism-") as folder:
        gate = Gate(pathlib.Path(folder), options.smoke, options.seed)
        hard = ["--seed", "41", "--slots", slots, "--blocks", "0", "--streams", "2", "--forks", "5",
                "--dead-slots", "3", "--equivocations", "2", "--duplicates", "40", "--late", "20"]  # fmt: skip
        market = gate.synth("market", *hard)
        gate.one_log(market)
        gate.followed(market)
        gate.one_chain(
            ["--seed", "43", "--slots", slots, "--blocks", "0"],
            [
                ("streams", ["--streams", "3"]),
                ("duplicates", ["--duplicates", "200"]),
                ("late", ["--streams", "2", "--late", "40"]),
                ("missed", ["--streams", "2", "--missed-slots", "5"]),
            ],
        )
    print(f"{gate.passed} passed, {gate.failed} failed")
    return 1 if gate.failed else 0


if __name__ == "__main__":
    sys.exit(main())
