"""The reader in Python, written from the format page, against `tapedeck cat --format ndjson`.

Both must give the same lines, exit codes and findings for every recording, damaged ones included;
what they give is compared with what was written, and with what `verify` says. READER_LONG=1 tries
every byte instead of a sample.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import deck

sys.path.insert(0, str(deck.ROOT / "Tools" / "reader"))
import defects  # noqa: E402
import made_recording as made  # noqa: E402
import read_recording  # noqa: E402
import recording_format as form  # noqa: E402

LONG = bool(os.environ.get("READER_LONG"))
MALFORMED = deck.ROOT / "Recordings" / "malformed"
#: Seeds of wounds about which the two did not agree once.
SEEDS_KEPT = (69, 302, 1953, 2232, 2386)
Line = dict[str, Any]


def in_swift(path: str) -> tuple[int, bytes, list[str]]:
    """What `tapedeck cat` does with a recording."""
    done = subprocess.run(
        [deck.BINARY, "cat", path, "--format", "ndjson"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=deck.environment(),
        timeout=deck.PATIENCE,
    )
    said = done.stderr.decode().splitlines()
    return done.returncode, done.stdout, [line.removeprefix("tapedeck cat: ") for line in said]


def in_python(path: str) -> tuple[int, bytes, list[str]]:
    """The same from the reader in Python."""
    out: list[bytes] = []
    said: list[str] = []
    return read_recording.cat(path, out.append, said.append), b"".join(out), said


def missing(lines: list[Line], kind: str) -> set[int]:
    """The sequences that lines of a kind say to be missing; an open end reaches to 99."""
    found: set[int] = set()
    for line in lines:
        if line["kind"] == kind and line["from"] is not None:
            found |= set(range(int(line["from"]), int(line["through"] or 99) + 1))
    return found


def records(lines: list[Line]) -> dict[int, Line]:
    """Records by sequence, without the source, which damage elsewhere may hide."""
    return {
        int(line["sequence"]): {key: value for key, value in line.items() if key != "source"}
        for line in lines
        if "sequence" in line
    }


class Compared:
    """One recording on disk that is changed and read by both, again and again."""

    def __init__(self, test: unittest.TestCase, files: dict[str, bytes], active: str) -> None:
        self.test, self.files, self.active = test, files, active
        self.folder = Path(tempfile.mkdtemp(prefix="tapedeck-reader-"))
        test.addCleanup(shutil.rmtree, self.folder)
        made.write(files, self.folder)
        code, out, said = self.read()
        test.assertEqual((code, said), (0, []))
        lines = [json.loads(line) for line in out.splitlines()]
        self.records, self.holes = records(lines), missing(lines, "hole")
        self.verify = subprocess.Popen(
            [deck.BINARY, "verify", "--from-file", "-", "--format", "ndjson"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=deck.environment(),
        )
        test.addCleanup(self._end)

    def _end(self) -> None:
        assert self.verify.stdin and self.verify.stdout
        self.verify.stdin.close()
        self.verify.stdout.close()
        self.verify.wait(timeout=deck.PATIENCE)

    def read(self) -> tuple[int, bytes, list[str]]:
        """What both say, which must be the same."""
        swift, python = in_swift(str(self.folder)), in_python(str(self.folder))
        self.test.assertEqual(python[:2], swift[:2], "Python, then Swift")
        if swift[0] != 1:  # The three answers are worded freely.
            self.test.assertEqual(python[2], swift[2], "Python, then Swift")
        return swift

    def verdict(self) -> Line:
        """What `verify` says, from one process for all."""
        assert self.verify.stdin and self.verify.stdout
        self.verify.stdin.write(f"{self.folder}\n".encode())
        self.verify.stdin.flush()
        return json.loads(self.verify.stdout.readline())

    def try_change(self, name: str, data: bytes | None) -> None:
        """Reads with one file changed, or without it, and compares with what was written."""
        path = self.folder / name
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        try:
            self._judge(is_active=name.endswith(self.active))
        finally:
            path.write_bytes(self.files[name])

    def _judge(self, is_active: bool) -> None:
        test = self.test
        code, out, _ = self.read()
        verdict = self.verdict()
        if code == 1:
            test.assertEqual(verdict["status"], "failed")
            return
        lines = [json.loads(line) for line in out.splitlines()]
        read, lost = records(lines), missing(lines, "damage")
        for sequence, line in read.items():
            test.assertEqual(line, self.records.get(sequence))
        test.assertFalse(lost & set(read), "said to be missing, and delivered")
        gone = (set(self.records) | self.holes) - set(read) - lost - missing(lines, "hole")
        if gone:
            # Only the end of the active segment may go without a word.
            test.assertTrue(is_active, f"silently missing: {sorted(gone)}")
            test.assertEqual(gone, set(range(min(gone), max(self.records) + 1)))
        test.assertEqual(missing(verdict["damage"], "damage"), lost, "as verify says, as cat says")
        if code == 3:
            test.assertEqual(verdict["status"], "damaged")


class Reader(unittest.TestCase):
    def both(self, path: Path) -> tuple[int, bytes, list[str]]:
        swift, python = in_swift(str(path)), in_python(str(path))
        self.assertEqual(python[0], swift[0], path)
        self.assertTrue(python[1] == swift[1], f"the lines of {path} differ")
        if swift[0] != 1:
            self.assertEqual(python[2], swift[2], path)
        return swift

    def test_every_committed_recording_reads_the_same(self) -> None:
        found = sorted(path.parent for path in deck.ROOT.glob("Recordings/**/recording.json"))
        self.assertGreater(len(found), 40)
        for path in found:
            with self.subTest(str(path)):
                self.both(path)

    def test_the_page_shows_the_raw_bytes_of_a_block(self) -> None:
        page = (deck.ROOT / "Sources" / "Log" / "README.md").read_text()
        dump = page.split("```hex block 2\n")[1].split("```")[0]
        shown = b"".join(
            bytes.fromhex(line.split("|")[0].split(None, 1)[1]) for line in dump.splitlines()
        )
        folder = deck.ROOT / "Recordings" / "formats" / "v1" / "smallest" / "recording"
        data = (folder / defects.FIRST).read_bytes()
        salt = form.SegmentHeader.parse(data).salt
        place = form.SEGMENT_HEADER_BYTES + form.Block.valid(data, 128, salt).bytes
        self.assertEqual(form.Block.valid(data, place, salt).content(data, place), shown)

    def test_a_recording_made_by_hand_is_whole_and_reads_the_same(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tapedeck-reader-"))
        self.addCleanup(shutil.rmtree, folder)
        made.write(made.everything().files(), folder)
        code, out, said = self.both(folder)
        self.assertEqual((code, said), (0, []))
        self.assertEqual(out.count(b"\n"), 42)
        self.assertEqual(deck.run("verify", folder).code, 0)

    def test_what_a_killed_recorder_left_reads_the_same(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tapedeck-reader-"))
        self.addCleanup(shutil.rmtree, folder)
        for name in ("market", "cut"):
            source = deck.ROOT / "Recordings" / name
            shutil.copytree(source, folder / name)
            manifest = folder / name / "segments" / "MANIFEST"
            manifest.write_bytes(manifest.read_bytes()[:160])  # created, not yet sealed
            (segment,) = (folder / name / "segments").glob("*.seg")
            whole = segment.read_bytes()
            for size in (len(whole) - 1, len(whole) // 2, 5_000, 128, 3):
                segment.write_bytes(whole[:size])
                self.both(folder / name)

    def changes(self, change: Callable[[bytes, int], bytes], every: int) -> None:
        files = made.everything(is_small=True).files()
        compared = Compared(self, files, active="29.seg")
        chosen = random.Random(every)
        for name, data in files.items():
            for place in range(0 if LONG else chosen.randrange(every), len(data), every):
                with self.subTest(f"{name} at {place}"):
                    compared.try_change(name, change(data, place))

    def test_a_flipped_bit_anywhere(self) -> None:
        def flip(data: bytes, place: int) -> bytes:
            changed = bytearray(data)
            changed[place] ^= 1 << place * 5 % 8
            return bytes(changed)

        self.changes(flip, 1 if LONG else 47)

    def test_a_cut_anywhere(self) -> None:
        self.changes(lambda data, place: data[:place], 1 if LONG else 71)

    def test_files_that_are_gone(self) -> None:
        files = made.everything(is_small=True).files()
        compared = Compared(self, files, active="29.seg")
        for name in files:
            with self.subTest(name):
                compared.try_change(name, None)

    def test_random_damage_in_many_places(self) -> None:
        """Several wounds at once; nothing is known but that both agree."""
        files = defects.base().files()
        folder = Path(tempfile.mkdtemp(prefix="tapedeck-reader-"))
        self.addCleanup(shutil.rmtree, folder)
        for seed in (*SEEDS_KEPT, *range(3_000 if LONG else 40)):
            with self.subTest(f"seed {seed}"):
                made.write(wounded(files, random.Random(seed)), folder)
                self.both(folder)

    def test_each_defect_is_told_as_its_expected_text_says(self) -> None:
        folders = sorted(path.parent for path in MALFORMED.glob("*/expected.txt"))
        self.assertEqual({path.name for path in folders}, set(defects.DEFECTS))
        with ThreadPoolExecutor(2) as pool:
            for folder, told in zip(folders, pool.map(told_of, folders)):
                with self.subTest(folder.name):
                    expected = (folder / "expected.txt").read_text()
                    self.assertEqual(told, expected.split("\n\n", 1)[1])

    def test_what_is_no_file_is_never_opened(self) -> None:
        """A link, a pipe or a folder in place of a part: the right answer, exact to the record."""
        parts: dict[str, set[int] | None] = {
            "recording.json": None,
            "segments/MANIFEST": set(),
            defects.SECOND: set(range(10, 16)),
            "segments": set(range(1, 100)),
        }
        for name, lost in parts.items():
            for what in ("link", "pipe", "folder"):
                if name == "segments" and what == "folder":
                    continue
                with self.subTest(f"{what} as {name}"):
                    self._plant(name, what, lost)

    def _plant(self, name: str, what: str, lost: set[int] | None) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tapedeck-reader-"))
        self.addCleanup(shutil.rmtree, folder)
        made.write(defects.base().files(), folder / "deck")
        place, elsewhere = folder / "deck" / name, folder / "elsewhere"
        # What a link leads to is the whole, right original: following it would go unseen.
        shutil.move(place, elsewhere)
        if what == "link":
            place.symlink_to(elsewhere)
        elif what == "pipe":
            os.mkfifo(place)
        else:
            place.mkdir()
        code, out, said = self.both(folder / "deck")
        verify = deck.run("verify", "--format", "json", folder / "deck")
        if lost is None:
            self.assertEqual((code, verify.code), (1, 1))
            self.assertRegex(said[-1], "is not a recording: .* is not a regular file")
            return
        self.assertEqual((code, verify.code), (3, 3))
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(missing(lines, "damage"), lost)
        self.assertEqual(set(records(lines)), set(range(1, 23)) - lost)
        damage = json.loads(verify.stdout)["damage"]
        self.assertEqual(missing(damage, "damage"), lost)
        self.assertRegex(said[0], "is not a (regular file|folder)")


def wounded(files: dict[str, bytes], chosen: random.Random) -> dict[str, bytes]:
    """Segments and manifest with one to six flips, zeroed, moved or repeated stretches, or cuts."""
    changed = {name: bytearray(data) for name, data in files.items()}
    names = [name for name in files if name.startswith("segments/")]
    for _ in range(chosen.randint(1, 6)):
        data = changed[chosen.choice(names)]
        if not data:
            continue
        place, size = chosen.randrange(len(data)), chosen.choice((1, 8, 80, 200, 512))
        other = chosen.randrange(len(data))
        match chosen.randrange(5):
            case 0:
                data[place] ^= 1 << chosen.randrange(8)
            case 1:
                data[place : place + size] = bytes(len(data[place : place + size]))
            case 2:
                data[place : place + size] = data[other : other + size]
            case 3:
                del data[place : place + size]
            case _:
                del data[place:]
    return {name: bytes(data) for name, data in changed.items()}


def told_of(folder: Path) -> str:
    """What verify and cat say of a defect, in the form of the expected texts."""
    path = f"{folder}/recording"
    found = []
    for verb in (["verify"], ["cat", "--format", "ndjson"]):
        done = deck.run(verb[0], path, *verb[1:])
        found.append(f"{verb[0]} exits with {done.code}")
        for line in done.stderr.splitlines():
            found.append("  " + line.removeprefix(f"tapedeck {verb[0]}: ").replace(path, "REC"))
    return "\n".join(found) + "\n"
