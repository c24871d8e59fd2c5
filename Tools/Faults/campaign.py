"""Runs the real binary under the fault tools of ../shared/tools/faults. See Tools/faults."""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from numbered_source import NumberedSource  # noqa: E402

CALL = """'{"method":"eth_subscribe","params":["newHeads"]}'"""
CHECK = f"{sys.executable} -S -E {HERE / 'check_state.py'} {{dir}} {{acks}}"


@dataclass
class Outcome:
    """What one tool found."""

    name: str
    seconds: float
    passed: bool
    summary: str


class Campaign:
    """One run of the chosen parts; `scale` is `smoke` or `full`."""

    def __init__(self, tools: pathlib.Path, work: pathlib.Path, smoke: bool, seed: int, plan: int) -> None:
        self.work, self.smoke, self.seed = work, smoke, seed
        # Copied, because they build a library beside themselves.
        self.tools = work / "tools"
        shutil.copytree(tools, self.tools)
        for path in [self.tools, *self.tools.rglob("*")]:
            path.chmod(0o755)
        self.source = NumberedSource()
        # One and a half segments of the smallest size that can be configured.
        self.config = work / "small.json5"
        self.config.write_text('{"log": {"rotate_bytes": 1048576}}')
        self.outcomes: list[Outcome] = []
        #: The one plan of powercuts to run, 0 for all: several can run side by side.
        self.plan = plan
        self.reopen = " " + self.source.url(600, 5, 2).replace("&", r"\&")

    def record(self, url: str, *limits: str, durability: str = "every-block") -> str:
        """The command line of a recorder; {dir} is left for the tool."""
        binary = os.environ["TAPEDECK_BIN"]
        return (
            f"{binary} record -o {{dir}}/rec --config {self.config} --ws '{url}' --call {CALL}"
            f" --acks --durability {durability} {' '.join(limits)}"
        ).replace('{"method":"eth_subscribe","params":["newHeads"]}',
                  '{{"method":"eth_subscribe","params":["newHeads"]}}')  # fmt: skip

    def run(self, name: str, tool: str, *words: str, may_fail: bool = False) -> None:
        """Runs one tool and keeps its last lines."""
        began = time.monotonic()
        folder = self.work / name.replace(" ", "-")
        folder.mkdir()
        # Our own tools stand beside this file, the shared ones were copied.
        path = HERE / tool if (HERE / tool).exists() else self.tools / tool
        command = [sys.executable, str(path)] if tool.endswith(".py") else ["bash", str(path)]
        words = tuple(word.replace("{work}", str(folder)) for word in words)
        print(f"== {name}", file=sys.stderr, flush=True)
        result = subprocess.run(
            [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        text = result.stdout.strip()
        print(text[-3000:], file=sys.stderr, flush=True)
        lines = text.splitlines()
        passed = result.returncode == 0 or may_fail
        self.outcomes.append(
            Outcome(name, time.monotonic() - began, passed, lines[-1] if lines else "")
        )
        if passed:
            shutil.rmtree(folder, ignore_errors=True)

    # Parts

    def sweep(self) -> None:
        """Every file operation with every kind of fault."""
        url = self.source.url(8000, 20, 4)
        # A disk that stays full holds the recorder up for ever, so time ends it.
        command = "timeout -s INT 4 " + self.record(url, "--frames", "260", durability="interval")
        step = "9" if self.smoke else "1"
        common = ["--dir", "{work}", "--cmd", command, "--check", CHECK + self.reopen, "--step", step]
        kinds = "EIO,ENOSPC,short:half,short:one,EINTR,torn:half,torn:1,torn:511,kill,killafter"
        self.run("sweep once", "sweep.py", *common, "--ops", "write,sync,meta,trunc,alloc,open,close",
                 "--kinds", "EIO,short:half,torn:half,kill" if self.smoke else kinds)  # fmt: skip
        self.run("sweep for ever", "sweep.py", *common, "--sticky", "--ops", "write,sync,meta,trunc,alloc",
                 "--kinds", "ENOSPC" if self.smoke else "EIO,ENOSPC")  # fmt: skip
        lied = ["--dir", "{work}", "--cmd", command, "--check", CHECK + " detected", "--step", step]
        self.run("sweep of lying writes", "sweep.py", *lied, "--ops", "write", "--kinds", "drop,flip:9")

    def powercuts(self) -> None:
        """Every state that a disk may hold after a power cut, by recorded operations."""
        plans = [("every-block", 700, 2, 1), ("interval", 4000, 12, 3), ("every-block", 4000, 7, 1)]
        for number, (durability, body, burst, pause) in enumerate(plans[: 1 if self.smoke else 3]):
            if self.plan not in (0, number + 1):
                continue
            name = f"powercuts {number + 1}"
            folder = self.work / f"powercut-{number + 1}"
            frames = "120" if self.smoke else "2400" if body < 1000 else "700"
            command = self.record(
                self.source.url(body, burst, pause), "--frames", frames, durability=durability
            )
            self.run(name + " record", "crashstates.py", "record", "--dir", str(folder), "--cmd", command)
            self.run(name + " test", "crashstates.py", "test", "--dir", str(folder), "--check", CHECK,
                     "--strict", "--seeds", "2" if self.smoke else "16",
                     "--every", "6" if self.smoke else "1",
                     "--max-states", "300" if self.smoke else "20000")  # fmt: skip
            reopened = ["--every", "29" if self.smoke else "17"]
            self.run(name + " reopened", "crashstates.py", "test", "--dir", str(folder),
                     "--check", CHECK + self.reopen, "--strict", "--seeds", "2", *reopened)  # fmt: skip
            # A sync that fails once and then claims success: nothing of that file may be
            # acknowledged after it.
            for at in ("3",) if self.smoke else ("1", "3", "4", "6", "9"):
                failed = self.work / f"failed-sync-{number + 1}-{at}"
                self.run(f"{name} failed sync {at} record", "crashstates.py", "record", "--dir", str(failed),
                         "--cmd", command.replace(f"--frames {frames}", "--frames 200"),
                         "--env", "FAULT_OPS=sync", "--env", f"FAULT_AT={at}", "--env", "FAULT_KIND=EIO", may_fail=True)  # fmt: skip
                self.run(f"{name} failed sync {at} test", "crashstates.py", "test", "--dir", str(failed),
                         "--check", CHECK, "--strict", "--seeds", "1",
                         "--every", "9" if self.smoke else "3")  # fmt: skip
                shutil.rmtree(failed, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)

    def kills(self) -> None:
        """Kills at random moments, all on one lasting recording."""
        rounds = "12" if self.smoke else "1000"
        # Few frames a round, because every round reads the whole recording again.
        command = self.record(self.source.url(900, 1, 3), durability="interval")
        self.run("kills", "killloop.py", "--dir", "{work}", "--cmd", command, "--check", CHECK,
                 "--rounds", rounds, "--min-ms", "5", "--max-ms", "150", "--seed", str(self.seed))  # fmt: skip

    def fulldisk(self) -> None:
        """A disk that is really full, and writeback that really fails. Needs root."""
        command = self.record(self.source.url(8000, 30, 2), "--for", "4s", durability="interval")
        os.environ["LIMIT"] = "12"  # Seconds until diskfull.sh asks the recorder to end.
        check = CHECK + self.reopen
        kinds = [("tmpfs", 6), ("ext4", 16), ("xfs", 320)] if not self.smoke else [("tmpfs", 6)]
        for kind, size in kinds:
            if kind != "tmpfs" and not shutil.which(f"mkfs.{kind}"):
                self.outcomes.append(Outcome(f"full {kind}", 0, True, f"skipped: no mkfs.{kind}"))
                continue
            os.environ["LIMIT"] = "12" if kind != "xfs" else "60"
            long = command if kind != "xfs" else command.replace("--for 4s", "--for 40s")
            self.run(f"full {kind}", "diskfull.sh", "{work}", kind, str(size), unbraced(long), unbraced(check))
        if not self.smoke:
            os.environ["LIMIT"] = "12"
            honest = f"{HERE / 'one_page_requests.sh'} {{dir}} {unbraced(command)}"
            self.run("writeback fails", "diskfull.sh", "{work}", "thin", "8", honest, unbraced(CHECK))

    def realcuts(self) -> None:
        """Power cuts of real file systems on loop devices. Needs root."""
        command = self.record(self.source.url(900, 4, 2), durability="interval")
        plans = [("ext4", ""), ("ext4", "data=writeback"), ("xfs", "")]
        for kind, option in plans[: 1 if self.smoke else 3]:
            if not shutil.which(f"mkfs.{kind}"):
                self.outcomes.append(Outcome(f"cuts {kind}", 0, True, f"skipped: no mkfs.{kind}"))
                continue
            words = ["--dir", "{work}", "--fs", kind, "--cmd", command, "--check", CHECK,
                     "--rounds", "3" if self.smoke else "200", "--seed", str(self.seed)]  # fmt: skip
            if option:
                words += ["--mount-opt", option]
            self.run(f"cuts {kind} {option}".strip(), "real_cuts.py", *words)


def unbraced(command: str) -> str:
    """diskfull.sh replaces words itself and knows no doubled braces."""
    return command.replace("{{", "{").replace("}}", "}")


PARTS = ["sweep", "powercuts", "kills", "fulldisk", "realcuts"]


def main() -> int:
    """Runs the parts and prints a table; the last line counts."""
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all without")
    parser.add_argument("--smoke", action="store_true", help="a few of each, in a minute")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", type=int, default=0, choices=range(4), help="one of the three plans of powercuts")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part '{unknown[0]}'; there are {', '.join(PARTS)}")
    shared = os.environ.get("TAPEDECK_SHARED") or str(HERE.parents[1].parent / "shared")
    tools = pathlib.Path(shared) / "tools" / "faults"
    if not tools.is_dir():
        print(f"skipped: no fault tools in {tools} (TAPEDECK_SHARED names another folder)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    work = pathlib.Path(tempfile.mkdtemp(prefix="tapedeck-faults-"))
    campaign = Campaign(tools, work, options.smoke, options.seed, options.plan)
    try:
        for part in options.parts or PARTS:
            getattr(campaign, part)()
    finally:
        campaign.source.close()
        if all(outcome.passed for outcome in campaign.outcomes):
            shutil.rmtree(work, ignore_errors=True)
        else:
            print(f"what was found is kept in {work}", file=sys.stderr)
    for outcome in campaign.outcomes:
        state = "ok" if outcome.passed else "FAILED"
        print(f"{state:7} {outcome.name:32} {outcome.seconds:7.1f} s  {outcome.summary[:120]}")
    failed = sum(not outcome.passed for outcome in campaign.outcomes)
    skipped = sum(outcome.summary.startswith("skipped") for outcome in campaign.outcomes)
    print(f"{len(campaign.outcomes) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
