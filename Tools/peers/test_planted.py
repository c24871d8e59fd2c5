"""What others may put in the way: links, pipes and folders where a recording has its parts, and
masks that would give away what is made. Nothing is followed, and everything made is private."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import unittest
from typing import Any

import deck
from deck import Case, Running, run
from evm_peer import EvmServer, Frame, Peer, TEXT, end

sys.path.insert(0, str(deck.ROOT / "Tools" / "reader"))
import defects  # noqa: E402
import made_recording as made  # noqa: E402

HEADS = {"method": "eth_subscribe", "params": ["newHeads"]}


def plant(place: pathlib.Path, what: str, elsewhere: pathlib.Path) -> None:
    """Moves what stands at a place elsewhere and puts something else there."""
    shutil.move(place, elsewhere)
    if what == "link":
        place.symlink_to(elsewhere)
    elif what == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()


def told(lines: list[dict[str, Any]]) -> set[int]:
    """The sequences that damage lines say to be missing."""
    found: set[int] = set()
    for line in lines:
        if line.get("from"):
            found |= set(range(int(line["from"]), int(line["through"]) + 1))
    return found


def node(count: int = 40) -> EvmServer:
    """A node with a few heads."""

    def script(peer: Peer) -> None:
        peer.calls.get(timeout=20)
        peer.wire.send(Frame(TEXT, b'{"jsonrpc":"2.0","id":1,"result":"0xa1"}'))
        for number in range(count):
            head = json.dumps({"number": hex(number)})
            text = (
                '{"jsonrpc":"2.0","method":"eth_subscription","params":'
                '{"subscription":"0xa1","result":%s}}' % head
            )
            peer.wire.send(Frame(TEXT, text.encode()))
        end(peer, 1000, "done")

    return EvmServer(script)


class Reading(Case):
    """Sequences 1 to 9, 10 to 15, 16 to 22 in three segments, of which one is not to be had."""

    def planted(self, name: str, what: str) -> pathlib.Path:
        path = self.folder / f"{what}-{name.replace('/', '-')}"
        made.write(defects.base().files(), path)
        plant(path / name, what, self.folder / f"{path.name}-elsewhere")
        return path

    def test_every_verb_tells_what_is_missing(self) -> None:
        for what in ("link", "pipe", "folder"):
            for name, lost in ((defects.SECOND, set(range(10, 16))), ("segments/MANIFEST", set())):
                with self.subTest(f"{what} as {name}"):
                    path = self.planted(name, what)
                    self.check(run("info", path), code=3)
                    replay = self.check(run("replay", path, "--rate", "max"), code=3)
                    self.assertIn("stopped before damage", replay.stderr)
                    self.check(run("replay", path, "--rate", "max", "--skip-damage"), code=3)
                    self.check(run("gaps", path), code=3)
                    self.check(run("export", path, "--format", "ndjson", "-o", path / "x"), code=3)
                    self.check(run("cut", path, "-o", self.folder / "cut"), code=3)
                    words = ["--kind", "grpc_message_in", "-o", self.folder / "cut"]
                    self.check(run("cut", path, *words), code=3)
                    self.check(run("merge", path, "-o", self.folder / "merged"), code=3)
                    self.recovered(path, lost)

    def recovered(self, path: pathlib.Path, lost: set[int]) -> None:
        out = self.folder / "recovered"
        done = run("recover", path, "-o", out, "--force", "--format", "json")
        self.check(done, code=3 if lost else 0)
        report = json.loads(done.stdout)
        self.assertEqual(told(report["missing"]), lost)
        self.assertTrue(lost or report["harmless"])
        self.verified(out)
        lines = map(json.loads, run("cat", out, "--format", "ndjson").stdout.splitlines())
        kept = {int(line["sequence"]) for line in lines if "sequence" in line}
        self.assertEqual({s for s in kept if s <= 22}, set(range(1, 23)) - lost)

    def test_serve_stops_before_it(self) -> None:
        for what in ("link", "pipe"):
            for name in (defects.FIRST, "segments/MANIFEST", "segments"):
                with self.subTest(f"{what} as {name}"):
                    path = self.planted(name, what)
                    self.check(run("serve", path, "--geyser", "127.0.0.1:0", timeout=20), code=3)
        path = self.planted(defects.SECOND, "link")
        with Running("serve", path, "--geyser", "127.0.0.1:0") as serving:
            serving.wait_said("serving ends before damage, with sequence 9")
            self.check(serving.stop(), code=3)
        path = self.planted("segments/MANIFEST", "folder")
        with Running("serve", path, "--geyser", "127.0.0.1:0", "--skip-damage") as serving:
            serving.wait_said("skipping damage")
            self.check(serving.stop(), code=3)

    def test_a_recording_without_its_folder_of_segments(self) -> None:
        for what in ("link", "pipe"):
            path = self.planted("segments", what)
            elsewhere = self.folder / f"{path.name}-elsewhere"
            before = sorted(elsewhere.iterdir())
            for verb in ("verify", "info", "cat", "replay", "gaps"):
                result = self.check(run(verb, path), code=3)
                self.assertIn("segments is not a folder", result.stdout + result.stderr)
            for format in ("ndjson", "csv", "mcap"):
                file = self.folder / f"{what}.{format}"
                words = ["--format", format, "-o", file]
                self.check(run("export", path, *words), code=3, says="not a folder")
            for words in (["cut"], ["cut", "--kind", "grpc_message_in"], ["merge"]):
                words = [*words, "-o", self.folder / "cut"]
                self.check(run(words[0], path, *words[1:]), code=3, says="not a folder")
            out = self.folder / f"{what}-out"
            self.check(run("recover", path, "-o", out), code=3)
            self.verified(out)
            with node() as server:
                words = ["--ws", server.url, "--call", json.dumps(HEADS), "--until-end"]
                self.check(run("record", "-o", path, *words), code=1, says="not a folder")
            self.assertEqual(sorted(elsewhere.iterdir()), before)

    def test_neither_manifest_nor_segment_is_written_through_a_link(self) -> None:
        for name in ("segments/MANIFEST", defects.THIRD):
            with self.subTest(name):
                path = self.planted(name, "link")
                elsewhere = self.folder / f"{path.name}-elsewhere"
                before = elsewhere.read_bytes()
                with node() as server:
                    words = ["--ws", server.url, "--call", json.dumps(HEADS), "--until-end"]
                    done = run("record", "-o", path, *words)
                self.assertNotIn(done.code, deck.CRASHES)
                self.assertEqual(elsewhere.read_bytes(), before)
                if name == defects.THIRD:
                    # It is set aside, and recording goes on behind what is known to be lost.
                    self.check(done, code=0, says="not a regular file")
                    self.check(run("verify", path), code=3)
                else:
                    self.check(done, code=1, says="regular file")


class Writing(Case):
    """Folders 0700, files and sockets 0600, and no link followed, wherever a verb makes one."""

    MASKS = (0o000, 0o022, 0o277, 0o777)

    def under(self, mask: int, *words: str | os.PathLike[str], code: int = 0) -> None:
        done = subprocess.run(
            [deck.BINARY, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=deck.environment(),
            timeout=deck.PATIENCE,
            umask=mask,
        )
        self.assertEqual(done.returncode, code, f"{words}: {done.stderr.decode()}")

    def assertPrivate(self, *paths: pathlib.Path) -> None:
        count = 0
        for path in paths:
            for entry in [path, *path.rglob("*")]:
                mode = entry.lstat().st_mode
                wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
                self.assertEqual(stat.S_IMODE(mode), wanted, f"{entry}: {stat.filemode(mode)}")
                count += 1
        self.assertGreater(count, 0)

    def test_whatever_the_mask(self) -> None:
        for mask in self.MASKS:
            with self.subTest(f"{mask:03o}"):
                folder = self.folder / f"{mask:03o}"
                folder.mkdir()
                deck_ = folder / "deck"
                with node() as server:
                    self.under(
                        mask, "record", "-o", deck_, "--ws", server.url, "--call",
                        json.dumps(HEADS), "--until-end",
                    )  # fmt: skip
                self.under(mask, "synth", "--slots", "3", "-o", folder / "synth")
                self.under(mask, "pin", deck_, "a", "--at", "seq:2")
                self.under(mask, "retire", deck_, "--keep-age", "1d")
                for name in ("recover", "cut", "merge"):
                    self.under(mask, name, deck_, "-o", folder / name)
                for name in ("ndjson", "csv", "mcap"):
                    file = folder / f"x.{name}"
                    self.under(mask, "export", deck_, "--format", name, "-o", file)
                self.under(mask, "import", folder / "x.mcap", "-o", folder / "import")
                torn = folder / "torn"
                shutil.copytree(deck_, torn)
                (segment,) = torn.glob("segments/*.seg")
                segment.write_bytes(segment.read_bytes()[:-200])
                (torn / "segments" / "MANIFEST").write_bytes(
                    (torn / "segments" / "MANIFEST").read_bytes()[:160]
                )
                with node() as server:
                    self.under(
                        mask, "record", "-o", torn, "--ws", server.url, "--call",
                        json.dumps(HEADS), "--until-end",
                    )  # fmt: skip
                self.assertTrue(list(torn.glob("segments/*.torn-*")))
                self.assertPrivate(*folder.iterdir())
                self.serve(mask, deck_, folder / "control")

    def serve(self, mask: int, path: pathlib.Path, socket: pathlib.Path) -> None:
        process = subprocess.Popen(
            [deck.BINARY, "serve", path, "--ws", "127.0.0.1:0", "--control", socket],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=deck.environment(), umask=mask,
        )  # fmt: skip
        with process:
            assert process.stdout
            process.stdout.readline()
            self.assertPrivate(socket)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(deck.PATIENCE), 0)

    def test_no_link_is_followed_for_what_is_made(self) -> None:
        """Each path that a verb may make, taken by a link to where nothing may appear."""
        source = self.folder / "source"
        self.check(run("synth", "--slots", "3", "-o", source))
        victim = self.folder / "victim"
        self.check(run("export", source, "--format", "mcap", "-o", self.folder / "x.mcap"))
        (self.folder / "out").symlink_to(victim)
        out = self.folder / "out"
        for words in (
            ["recover", source], ["cut", source], ["merge", source], ["synth", "--slots", "2"],
            ["import", self.folder / "x.mcap"], ["export", source, "--format", "mcap"],
            ["export", source, "--format", "csv"],
        ):  # fmt: skip
            for more in ([], ["--force"]):
                with self.subTest(f"{words[0]} {more}"):
                    done = run(*words, "-o", out, *more)
                    self.assertNotIn(done.code, (0, *deck.CRASHES), str(done))
                    self.assertFalse(victim.exists())
                    self.assertTrue(out.is_symlink())
        with node() as server:
            words = ["--ws", server.url, "--call", json.dumps(HEADS), "--until-end"]
            for more in ([], ["--force"]):
                done = run("record", "-o", out, *words, *more)
                self.assertNotIn(done.code, (0, *deck.CRASHES), str(done))
                self.assertFalse(victim.exists())
        socket = self.folder / "socket"
        socket.symlink_to(victim)
        serve = run("serve", source, "--geyser", "127.0.0.1:0", "--control", socket, timeout=20)
        self.check(serve, code=1)
        self.assertFalse(victim.exists())

    def test_no_link_is_followed_inside_of_a_recording(self) -> None:
        source = self.folder / "source"
        with node() as server:
            words = ["--ws", server.url, "--call", json.dumps(HEADS), "--until-end"]
            self.check(run("record", "-o", source, *words))
            victim = self.folder / "victim"
            # A kill left it: the next opening has everything to do.
            manifest = source / "segments" / "MANIFEST"
            manifest.write_bytes(manifest.read_bytes()[:160])
            (segment,) = source.glob("segments/*.seg")
            segment.write_bytes(segment.read_bytes()[:-200] + b"torn")
            following = f"segments/00000002-{len(list(deck.records(source))) + 1:020}.seg"
            for name in (
                "LOCK", "segments/RESERVE", "segments/MANIFEST.new", f"{segment.name}.torn-2",
                following, "recording.json.new", "pins.lock", "pins.json.new", "pins.json",
            ):  # fmt: skip
                name = name if "/" in name or ".torn" not in name else f"segments/{name}"
                with self.subTest(name):
                    path = self.folder / "deck"
                    shutil.rmtree(path, ignore_errors=True)
                    shutil.copytree(source, path)
                    (path / name).unlink(missing_ok=True)
                    (path / name).symlink_to(victim)
                    for verb in (
                        ["pin", path, "a", "--at", "seq:2"],
                        ["record", "-o", path, *words],
                        ["retire", path, "--keep-bytes", "1MiB"],
                        ["verify", path],
                    ):
                        done = run(*verb)
                        self.assertNotIn(done.code, deck.CRASHES, str(done))
                        self.assertFalse(victim.is_symlink() or victim.exists(), str(done))
                    # Nothing that was there is lost, whatever was refused.
                    frames = [r for r in deck.records(path) if r.kind == "websocket_frame_in"]
                    self.assertGreaterEqual(len(frames), 30)


if __name__ == "__main__":
    unittest.main()
