"""Serves a synthetic recording at full speed and records it again over loopback.

Prints messages a second, processor time a message and peak memory of both processes.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def frames_of(tapedeck: str, recording: Path) -> tuple[dict[str, int], int]:
    """Data frames that arrived in a recording, by kind, and their payload bytes."""
    counts: dict[str, int] = {}
    size = 0
    cat = subprocess.Popen(
        [tapedeck, "cat", str(recording), "--format", "ndjson"], stdout=subprocess.PIPE
    )
    assert cat.stdout is not None
    for line in cat.stdout:
        record = json.loads(line)
        if record["kind"] in ("grpc_message_in", "websocket_frame_in"):
            counts[record["kind"]] = counts.get(record["kind"], 0) + 1
            size += len(record["payload"]) * 3 // 4
    if cat.wait() != 0:
        raise SystemExit(f"cat {recording} failed")
    return counts, size


def processor_seconds(process: subprocess.Popen) -> tuple[float, float]:
    """Waits for a process; gives its processor seconds and its peak memory in MiB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status >> 8 if status & 0x7F == 0 else -(status & 0x7F)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def requests_of(tapedeck: str, recording: Path) -> dict[str, dict]:
    """What the sources of a recording asked for, by transport."""
    lines = subprocess.run(
        [tapedeck, "requests", str(recording)], check=True, capture_output=True
    ).stdout.splitlines()
    return {entry["transport"]: entry for entry in map(json.loads, lines)}


def run(tapedeck: str, work: Path, source: Path, flags: list[str], what: str, kind: str) -> None:
    wanted = frames_of(tapedeck, source)[0].get(kind, 0)
    server = subprocess.Popen(
        [tapedeck, "serve", str(source), what, "127.0.0.1:0", "--rate", "max"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    address = server.stdout.readline().split()[-1]
    scheme = "http" if what == "--geyser" else "ws"
    target = work / f"recorded{what}"
    begun = time.monotonic()
    recorder = subprocess.Popen(
        [tapedeck, "record", "-o", str(target), what, f"{scheme}://{address}", *flags,
         "--until-end"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert recorder.stderr is not None
    talk = recorder.stderr.read()
    recorder_cpu, recorder_memory = processor_seconds(recorder)
    seconds = time.monotonic() - begun
    server.terminate()
    server_cpu, server_memory = processor_seconds(server)
    if recorder.returncode != 0:
        raise SystemExit(f"record ended with {recorder.returncode}: {talk}")
    got, size = frames_of(tapedeck, target)
    count = got.get(kind, 0)
    name = "gRPC messages" if what == "--geyser" else "WebSocket frames"
    print(f"{name}: {count} of {wanted}, {size / 1e6:.0f} MB, {seconds:.2f} s in all")
    print(f"  through both            {count / seconds:12,.0f} /s")
    print(f"  receive to log          {count / recorder_cpu:12,.0f} /s of processor time")
    print(f"  serve                   {count / server_cpu:12,.0f} /s of processor time")
    print(f"  peak memory             record {recorder_memory:.0f} MiB, serve {server_memory:.0f} MiB")


def main() -> None:
    tapedeck, work, slots = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    source = work / "source"
    begun = time.monotonic()
    subprocess.run(
        [tapedeck, "synth", "--seed", "1", "--slots", str(slots), "--blocks", str(slots),
         "-o", str(source)],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    print(f"synth: {slots} slots and blocks in {time.monotonic() - begun:.1f} s")
    requests = requests_of(tapedeck, source)
    subscribe = work / "subscribe.json"
    subscribe.write_text(json.dumps(requests["grpc"]["subscribe"]))
    run(tapedeck, work, source, ["--subscribe", str(subscribe)], "--geyser", "grpc_message_in")
    calls: list[str] = []
    for call in requests["websocket"]["calls"]:
        calls += ["--call", json.dumps(call)]
    run(tapedeck, work, source, calls, "--ws", "websocket_frame_in")
    print("replay at the recorded pace, ten seconds:")
    replay = subprocess.run(
        [tapedeck, "replay", str(source), "--rate", "1", "--to", "time:..+10s"],
        capture_output=True,
        text=True,
    )
    for line in replay.stderr.splitlines():
        print("  " + line)


if __name__ == "__main__":
    main()
