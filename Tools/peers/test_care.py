"""Verbs for people in trouble, seen from outside: what they make is held to what `cat` printed of
the originals before anything was done to them."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import unittest

import deck
from deck import Case, run


def synth(path: pathlib.Path, slots: int = 12, seed: int = 1, *more: str) -> pathlib.Path:
    """A small recording of an invented market."""
    result = run("synth", "--seed", str(seed), "--slots", str(slots), *more, "-o", path)
    if result.code != 0:
        raise AssertionError(str(result))
    return path


def segments(path: pathlib.Path) -> list[pathlib.Path]:
    """The segment files of a recording, oldest first."""
    return sorted(path.glob("segments/*.seg"))


def spoil(file: pathlib.Path, offset: int, bits: int = 0x40) -> None:
    """Flips bits of one byte."""
    data = bytearray(file.read_bytes())
    data[offset] ^= bits
    file.write_bytes(data)


def lines(path: pathlib.Path, *more: str) -> list[dict]:
    """What `cat` prints of a recording, damaged or not: records, holes and damage."""
    result = run("cat", path, "--format", "ndjson", *more)
    if result.code not in (0, 3):
        raise AssertionError(str(result))
    return [json.loads(line) for line in result.stdout.splitlines()]


def tree(path: pathlib.Path) -> dict[str, str]:
    """Every file of a folder with its mode, its time and what it holds."""
    found = {}
    for file in sorted(path.rglob("*")):
        about = file.lstat()
        data = file.read_bytes() if file.is_file() else b""
        found[str(file.relative_to(path))] = (
            f"{about.st_mode:o} {about.st_mtime_ns} {hashlib.sha256(data).hexdigest()}"
        )
    return found


class Verify(Case):
    def answers(self, result: deck.Result) -> list[dict]:
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_a_list_gives_one_answer_a_path_in_its_order(self) -> None:
        good = synth(self.folder / "good")
        bad = synth(self.folder / "bad")
        spoil(segments(bad)[0], 20_000)
        newer = synth(self.folder / "newer")
        text = (newer / "recording.json").read_text()
        (newer / "recording.json").write_text(text.replace('"1.0"', '"9.0"'))
        paths = [good, bad, self.folder / "absent", newer, self.folder, good] * 20
        for name in ("a", "b"):
            shutil.copytree(good, self.folder / name)
        listing = self.folder / "list"
        listing.write_text("".join(f"{path}\n" for path in paths))
        result = run("verify", "--from-file", listing, "--format", "ndjson")
        self.check(result, code=1)
        answers = self.answers(result)
        self.assertEqual([a["recording"] for a in answers], [str(p) for p in paths])
        status = ["whole", "damaged", "failed", "failed", "failed", "whole"] * 20
        self.assertEqual([a["status"] for a in answers], status)
        errors = [None, None, "system", "newer_version", "not_a_recording", None]
        self.assertEqual([a.get("error") for a in answers[:6]], errors)

    def test_damage_names_segment_offset_and_exactly_what_is_missing(self) -> None:
        path = synth(self.folder / "deck")
        everything = [r.sequence for r in deck.records(path)]
        file = segments(path)[0]
        spoil(file, 30_000)
        result = self.check(run("verify", path, "--format", "json"), code=3)
        report = json.loads(result.stdout)
        self.assertEqual(report["status"], "damaged")
        [damage] = [d for d in report["damage"] if d["from"]]
        self.assertEqual((damage["file"], damage["segment"]), (file.name, "1"))
        self.assertTrue(damage["exact"])
        self.assertLessEqual(int(damage["offset"]), 30_000)
        lines = run("cat", path, "--format", "ndjson").stdout.splitlines()
        kept = {int(r["sequence"]) for r in map(json.loads, lines) if "sequence" in r}
        missing = [s for s in everything if s not in kept]
        self.assertEqual(missing, list(range(int(damage["from"]), int(damage["through"]) + 1)))

    def test_standard_input_is_answered_path_by_path(self) -> None:
        path = synth(self.folder / "deck")
        process = subprocess.Popen(
            [deck.BINARY, "verify", "--from-file", "-", "--format", "ndjson"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=deck.environment(),
        )  # fmt: skip
        with process:
            for _ in range(3):
                process.stdin.write(f"{path}\n")
                process.stdin.flush()
                # The answer comes before the next question is asked.
                self.assertEqual(json.loads(process.stdout.readline())["status"], "whole")
            process.stdin.close()
            self.assertEqual(process.stdout.read(), "")
            self.assertEqual(process.wait(30), 0)

    def test_exit_codes(self) -> None:
        good = synth(self.folder / "good")
        bad = shutil.copytree(good, self.folder / "bad")
        spoil(segments(bad)[0], 20_000)
        self.check(run("verify", good), code=0)
        self.check(run("verify", good, bad), code=3, says="damage")
        self.check(run("verify", bad, self.folder / "absent"), code=1)
        self.check(run("verify"), code=2, says="from-file")
        self.check(run("verify", "--from-file", self.folder / "absent"), code=1)
        brief = self.check(run("verify", good, bad, "--from-file", "/dev/null"), code=3)
        self.assertEqual(len(brief.stdout.splitlines()), 2)


class Private(Case):
    """What every verb that makes a recording owes its user."""

    def assertPrivate(self, path: pathlib.Path) -> None:
        """Folders 0700, files 0600, no link, nothing left beside it."""
        for entry in [path, *path.rglob("*")]:
            mode = entry.lstat().st_mode
            self.assertFalse(stat.S_ISLNK(mode), entry)
            self.assertEqual(stat.S_IMODE(mode), 0o700 if stat.S_ISDIR(mode) else 0o600, entry)
        left = [e.name for e in path.parent.iterdir() if e.name.startswith(".")]
        self.assertEqual(left, [])

    def check_output_rules(self, words: list[str], source: pathlib.Path) -> None:
        """An output is never overwritten without --force, never a source, never through a link."""
        before = tree(source)
        out = self.folder / "out-rules"
        self.check(run(*words, "-o", out), code=0)
        self.assertPrivate(out)
        made = tree(out)
        self.check(run(*words, "-o", out), code=1, says="--force")
        self.assertEqual(tree(out), made)
        self.check(run(*words, "-o", out, "--force"), code=0)
        self.verified(out)
        self.check(run(*words, "-o", source, "--force"), code=1, says="only read")
        self.check(run(*words, "-o", source / "segments" / "x"), code=1, says="only read")
        other = self.folder / "other"
        (self.folder / "link").symlink_to(other)
        self.check(run(*words, "-o", self.folder / "link", "--force"), code=1)
        self.assertFalse(other.exists())
        folder = self.folder / "mine"
        folder.mkdir()
        (folder / "letter").write_text("dear")
        self.check(run(*words, "-o", folder, "--force"), code=1)
        self.assertEqual((folder / "letter").read_text(), "dear")
        self.assertEqual(tree(source), before)
        self.assertPrivate(out)


class Recover(Private):
    def recovered(self, path: pathlib.Path, code: int) -> tuple[dict, list[dict]]:
        out = self.folder / "recovered"
        before = tree(path)
        result = self.check(run("recover", path, "-o", out, "--force", "--format", "json"), code)
        self.assertEqual(tree(path), before, "the original was touched")
        self.verified(out)
        return json.loads(result.stdout), lines(out)

    def test_a_whole_recording_gives_the_same_lines(self) -> None:
        path = synth(self.folder / "deck")
        report, made = self.recovered(path, 0)
        self.assertEqual(made, lines(path))
        self.assertEqual(report["status"], "whole")

    def test_every_record_outside_of_the_damage_is_kept_under_its_number(self) -> None:
        whole = synth(self.folder / "deck", 30)
        everything = lines(whole)
        size = segments(whole)[0].stat().st_size
        for offset in range(300, size, size // 9):
            path = shutil.copytree(whole, self.folder / f"bad-{offset}")
            spoil(segments(path)[0], offset)
            report, made = self.recovered(path, 3)
            missing = {
                s for d in report["missing"] for s in range(int(d["from"]), int(d["through"]) + 1)
            }
            self.assertTrue(missing)
            expected = [r for r in everything if int(r["sequence"]) not in missing]
            count = len(everything)
            kept = [r for r in made if "sequence" in r and int(r["sequence"]) <= count]
            # The source is a name of the stream's first record, which may be what is lost.
            for record in (*kept, *expected):
                record.pop("source", None)
            self.assertTrue(kept == expected, f"damage at {offset}: records differ")
            holes = [(int(r["from"]), int(r["through"])) for r in made if r["kind"] == "hole"]
            self.assertEqual(
                sorted(s for a, b in holes for s in range(a, b + 1)), sorted(missing)
            )
            told = [r for r in made if "sequence" in r and int(r["sequence"]) > count]
            self.assertEqual(told[0]["kind"], "run_started")
            [gap] = [r for r in told if r["kind"] == "gap_opened"]
            self.assertEqual(gap["detail"]["cause"], "damage")
            self.assertIn(segments(path)[0].name, gap["detail"]["evidence"])

    def test_identity_and_manifest_gone_in_a_read_only_folder(self) -> None:
        path = synth(self.folder / "deck")
        expected = lines(path)
        (path / "recording.json").unlink()
        (path / "segments" / "MANIFEST").unlink()
        self.check(run("verify", path), code=1)
        folders = [path, path / "segments"]
        try:
            for folder in folders:
                folder.chmod(0o500)
            _, made = self.recovered(path, 0)
        finally:
            for folder in folders:
                folder.chmod(0o700)
        self.assertEqual(made, expected)

    def test_three_answers(self) -> None:
        out = self.folder / "out"
        (self.folder / "empty").mkdir()
        self.check(run("recover", self.folder / "absent", "-o", out), code=1)
        self.check(run("recover", self.folder / "empty", "-o", out), code=1, says="not a recording")
        newer = synth(self.folder / "newer")
        text = (newer / "recording.json").read_text()
        (newer / "recording.json").write_text(text.replace('"1.0"', '"9.0"'))
        self.check(run("recover", newer, "-o", out), code=1, says="newer version")
        self.assertFalse(out.exists())

    def test_output(self) -> None:
        path = synth(self.folder / "deck")
        self.check_output_rules(["recover", str(path)], path)

    def test_an_interrupt_leaves_nothing(self) -> None:
        path = synth(self.folder / "deck", 150)
        with deck.Running("recover", path, "-o", self.folder / "out") as running:
            deck.wait_until(
                lambda: any(e.name.startswith(".out") for e in self.folder.iterdir())
                or running.process.poll() is not None
            )
            result = running.stop(signal.SIGINT)
        self.check(result, code=1, says="interrupted")
        self.assertEqual([e.name for e in self.folder.iterdir()], ["deck"])


if __name__ == "__main__":
    unittest.main()
