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
#: All of them, so that a play makes the state that a rebuild does.
MONITORS = ("lifecycle", "trading", "liquidity")


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


def reached(text: str) -> str:
    """The record that a digest or rebuild got to."""
    return re.findall(r"^sequence (\d+) position ", text, re.M)[-1]


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
        for rows, slots, batch in (
            ("1", "1", "1"), ("7", "3", "13"), ("100", "50", "250"), ("1000000", "1000", "1024")
        ):  # fmt: skip
            found = position(
                tapedeck("rebuild", path, "--force", "--hot-rows", rows, "--checkpoint-slots", slots,
                         "--batch-records", batch)
            )  # fmt: skip
            self.hold(
                f"{name}: {rows} rows in memory, checkpoints every {slots}, batches of {batch}",
                expected, found,
            )  # fmt: skip
        ways = (("2", "3"),) if self.smoke else (("1", "3"), ("2", "1"), ("77", "8"))
        for batch, threads in ways:
            found = position(tapedeck("digest", path, "--batch-records", batch, "--threads", threads))
            self.hold(f"{name}: batches of {batch} on {threads} threads", expected, found)
        self.replayed(path, expected)
        self.killed(path, expected)
        return expected

    def replayed(self, path: str, expected: str) -> None:
        """Record by record as a player paces them, at several rates."""
        name = pathlib.Path(path).name
        monitors = [word for monitor in MONITORS for word in ("--projector", monitor)]
        told: str | None = None
        for rate in ("max", "100") if self.smoke else ("max", "800", "60"):
            result = subprocess.run(
                [BIN, "replay", path, "--rate", rate, *monitors, "--format", "ndjson"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
            if result.returncode != 0:
                sys.exit(f"a replay ended with {result.returncode}: {result.stderr[-400:]}")
            self.hold(f"{name}: replayed at rate {rate}", expected, position(result.stderr))
            if told is not None:
                self.hold(f"{name}: what was noticed at rate {rate}", True, told == result.stdout)
            told = result.stdout

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
        plain = self.synth("plain", *base)
        for name, words in variants:
            self.agree(f"one chain, {name}", plain, self.synth(name, *base, *words))

    def followed(self, path: str, rate: str) -> None:
        """States that follow a recorder of all sources at once are those that are made afterwards."""
        name = f"{pathlib.Path(path).name} at rate {rate}"
        again = str(self.work / f"followed-{pathlib.Path(path).name}")
        sources = [json.loads(line) for line in tapedeck("requests", path).splitlines()]
        doors = [f"127.0.0.1:0={source['source']}" for source in sources]
        server = subprocess.Popen(
            [BIN, "serve", path, "--rate", rate, "--wait-clients", str(len(sources)),
             *(word for door in doors for word in ("--geyser", door))],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        words: list[str] = []
        for number, source in enumerate(sources):
            line = server.stdout.readline()
            address = re.search(r"127\.0\.0\.1:\d+", line)
            if address is None:
                sys.exit(f"serve said: {line}")
            request = self.work / f"request-{number}.json"
            request.write_text(json.dumps(source["subscribe"]))
            words += ["--geyser", f"http://{address.group()}", "--subscribe", str(request)]
        recorder = subprocess.Popen(
            [BIN, "record", "-o", again, *words, "--until-end"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while not (pathlib.Path(again) / "recording.json").exists():
            if recorder.poll() is not None:
                sys.exit(f"the recorder ended with {recorder.returncode}")
            time.sleep(0.02)
        # One that stores, and others beside it that do not.
        ways = (
            ["--checkpoint-slots", "5"], ["--in-memory", "--batch-records", "1"],
            ["--in-memory", "--threads", "3", "--hot-rows", "10"],
        )  # fmt: skip
        followers = [
            subprocess.Popen(
                [BIN, "rebuild", again, "--follow", *way],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
            for way in ways
        ]  # fmt: skip
        recorder.wait(timeout=300)
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        time.sleep(1)
        whole = tapedeck("digest", again)
        for way, follower in zip(ways, followers):
            follower.send_signal(signal.SIGINT)
            text = follower.communicate(timeout=60)[0]
            # Wherever it was when it was asked to stop.
            last = reached(text)
            expected = position(tapedeck("digest", again, "--at", f"seq:{last}"))
            label = f"{name}: {len(sources)} sources followed to record {last} with {' '.join(way)}"
            self.hold(label, expected, position(text))
            self.hold(f"{label}: that is almost all", True, int(last) * 2 > int(reached(whole)))
        self.hold(f"{name}: rebuilt", position(whole), position(tapedeck("rebuild", again)))
        self.agree(f"{name}: recorded again", path, again)

    def agree(self, name: str, one: str, other: str) -> None:
        """Two recordings of one chain have the same digest at every final slot that both have."""
        first = ladder(tapedeck("digest", one, "--every", "1"))
        second = ladder(tapedeck("digest", other, "--every", "1"))
        common = sorted(set(first) & set(second))
        parted = next((slot for slot in common if first[slot] != second[slot]), None)
        self.hold(f"{name}: {len(common)} slots in common", None, parted)
        self.hold(f"{name}: most slots in common", True, len(common) * 2 > len(first))


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
        # The hard chain is told by two sources; a plain one by three.
        gate.followed(market, "30" if options.smoke else "8")
        if not options.smoke:
            gate.followed(gate.synth("three", "--seed", "47", "--slots", slots, "--blocks", "0",
                                     "--streams", "3", "--late", "20"), "40")  # fmt: skip
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
