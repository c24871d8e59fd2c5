"""Checks what a fault left of a recording of numbered frames. Standard library only.

    check_state.py DIR ACKS [URL | detected]

DIR/rec is the recording, ACKS what `tapedeck record --acks` printed. Exit code 0 when everything
acknowledged is there, in order and bit for bit, and nothing is called damaged; otherwise a line
says what is wrong. With URL the recording is opened for writing too, takes new frames, and must
then still begin with what it had. `detected` is for a disk that lied: damage may then be reported,
but what is read must be right, and what is missing must be said. TAPEDECK_BIN names the program.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from numbered_source import APART, number_of  # noqa: E402

BIN = os.environ["TAPEDECK_BIN"]
PATIENCE = 60


def fail(text: str) -> None:
    """Says what is wrong and ends."""
    print(text)
    sys.exit(1)


def tapedeck(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the program; a signal is a finding of its own."""
    result = subprocess.run([BIN, *words], capture_output=True, timeout=PATIENCE, check=False)
    if result.returncode < 0 or result.returncode > 100:
        fail(f"CRASHED: {words[0]} ended with {result.returncode}: {result.stderr[-200:]!r}")
    return result


def acknowledged(path: str) -> int:
    """The last acknowledged sequence; a line cut short is none."""
    with open(path, "rb") as file:
        whole = [line for line in file.read().split(b"\n")[:-1] if re.fullmatch(rb"\d+", line)]
    return max(map(int, whole), default=0)


def read(recording: str, acks: int, lied: bool = False) -> list[tuple[int, bytes]]:
    """Every record as sequence and digest, or the end of the check."""
    result = tapedeck("cat", recording, "--format", "ndjson")
    text = result.stderr.decode(errors="replace").strip()
    if lied and result.returncode != 0:
        # Found. What is read beside the damage is looked at all the same.
        if not text:
            fail(f"SILENT: cat ended with {result.returncode} and said nothing")
    elif result.returncode != 0:
        if acks == 0 and not os.path.exists(recording + "/recording.json"):
            return []  # Nothing was promised yet, and creation had only begun.
        fail(f"FALSE CORRUPTION: cat ended with {result.returncode}: {text[:200]}")
    records: list[tuple[int, bytes]] = []
    numbers: dict[str, int] = {}
    expected = 1
    kept_on_full = False
    for line in result.stdout.splitlines():
        record = json.loads(line)
        if lied and result.returncode == 3 and record["kind"] in ("hole", "damage"):
            numbers, expected = {}, 0
            continue
        if record["kind"] == "hole":
            # A recorder that is told to end on a full disk states what it could not keep; what
            # was acknowledged is never part of that.
            if record["cause"] != "disk full" or int(record["from"]) <= acks:
                fail(f"HOLE: acknowledged {acks}, {line[:200]!r}")
            expected = int(record["through"]) + 1
            numbers = {}
            kept_on_full = True
            continue
        sequence = int(record["sequence"])
        if lied and expected == 0:
            expected = sequence
        if sequence != expected:
            fail(f"ORDER: sequence {sequence} where {expected} was due")
        expected += 1
        payload = base64.b64decode(record["payload"])
        records.append((sequence, hashlib.sha256(record["kind"].encode() + payload).digest()))
        if record["kind"] != "websocket_frame_in" or payload[:1] != b"{":
            continue
        try:
            number = number_of(payload)
        except ValueError as error:
            fail(f"WRONG BYTES: sequence {sequence}: {error}")
        if number is None:
            continue
        stream = record["stream"]
        due = numbers[stream] + 1 if stream in numbers else number // APART * APART
        if (lied and result.returncode == 3 or kept_on_full) and stream not in numbers:
            due = number
        if number != due:
            fail(f"ORDER: number {number} where {due} was due, sequence {sequence}")
        numbers[stream] = number
    return records


def main() -> None:
    """The check."""
    folder, acks_path = sys.argv[1:3]
    recording = folder + "/rec"
    acks = acknowledged(acks_path)
    if sys.argv[3:] == ["detected"]:
        if tapedeck("verify", recording).returncode == 0:
            if len(read(recording, acks)) < acks:
                fail(f"SILENT LOSS: acknowledged {acks}")
        else:
            read(recording, acks, lied=True)
        return
    records = read(recording, acks)
    # Sequences are dense but for a hole, which lies above what was acknowledged.
    if sum(sequence <= acks for sequence, _ in records) < acks:
        fail(f"LOST: acknowledged {acks}, have {len(records)}")
    if len(sys.argv) > 3:
        if records and (result := tapedeck("verify", recording)).returncode != 0:
            fail(f"FALSE CORRUPTION: verify: {result.stdout[-200:]!r} {result.stderr[-200:]!r}")
        result = tapedeck(
            "record", "-o", recording, "--ws", sys.argv[3], "--frames", "3",
            "--call", '{"method":"eth_subscribe","params":["newHeads"]}',
        )  # fmt: skip
        if result.returncode != 0:
            fail(f"NOT REOPENED: {result.returncode}: {result.stderr[-300:]!r}")
        after = read(recording, acks)
        if after[: len(records)] != records:
            fail(f"CUT: {len(records)} records before it was opened again, other ones after")
        if len(after) < len(records) + 3:
            fail(f"NO PROGRESS: {len(records)} records before, {len(after)} after")
    print(f"have {len(records)}, acknowledged {acks}")


main()
