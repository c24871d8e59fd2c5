"""Helps Tools/run: turns recorded requests into flags of 'record', and compares two recordings.

  compare.py sources FOLDER GEYSER-URL WS-URL   < output of 'tapedeck requests'
  compare.py frames TAPEDECK RECORDING RECORDING
"""

import json
import subprocess
import sys
from pathlib import Path


def sources(folder: str, geyser: str, web_socket: str) -> None:
    """Prints the flags of 'record', each ended by a zero byte."""
    flags: list[str] = []
    for number, line in enumerate(sys.stdin):
        entry = json.loads(line)
        if "subscribe" in entry:
            file = Path(folder) / f"subscribe-{number + 1}.json"
            file.write_text(json.dumps(entry["subscribe"]))
            flags += ["--geyser", geyser, "--subscribe", str(file)]
        elif "calls" in entry:
            flags += ["--ws", web_socket]
            for call in entry["calls"]:
                flags += ["--call", json.dumps(call)]
    sys.stdout.write("".join(flag + "\0" for flag in flags))


Frame = tuple[str, str, str]


def streams(tapedeck: str, recording: str) -> list[list[Frame]]:
    """The frames that arrived, stream by stream in the order in which the streams opened."""
    found: dict[str, list[Frame]] = {}
    order: list[str] = []
    with subprocess.Popen(
        [tapedeck, "cat", recording, "--format", "ndjson"], stdout=subprocess.PIPE
    ) as cat:
        assert cat.stdout is not None
        for line in cat.stdout:
            record = json.loads(line)
            if record["kind"] == "stream_opened":
                order.append(record["sequence"])
            elif record["kind"] in ("grpc_message_in", "websocket_frame_in"):
                flags = json.dumps(record["flags"], sort_keys=True)
                frame = (record["kind"], flags, record["payload"])
                found.setdefault(record["stream"], []).append(frame)
    if cat.returncode != 0:
        raise SystemExit(f"compare: 'cat {recording}' ended with {cat.returncode}")
    return [found.get(stream, []) for stream in order]


def frames(tapedeck: str, one: str, other: str) -> None:
    """Compares kind, flags and bytes of every frame of every stream, in order."""
    left, right = streams(tapedeck, one), streams(tapedeck, other)
    # Streams may open in another order; each must have its equal.
    rest = list(right)
    total = 0
    for number, stream in enumerate(left, 1):
        if stream in rest:
            rest.remove(stream)
            size = sum(len(frame[2]) * 3 // 4 for frame in stream)
            print(f"stream {number}: {len(stream)} frames, {size / 1e6:.1f} MB, identical")
            total += len(stream)
            continue
        for other_stream in rest:
            for place, (a, b) in enumerate(zip(stream, other_stream)):
                if a != b:
                    print(f"stream {number}: first difference at frame {place + 1}")
                    break
        raise SystemExit(f"compare: stream {number} of {one} has no equal in {other}")
    if rest:
        raise SystemExit(f"compare: {len(rest)} streams of {other} are in excess")
    print(f"all {total} frames are identical, in the same order")


if __name__ == "__main__":
    {"sources": sources, "frames": frames}[sys.argv[1]](*sys.argv[2:])
