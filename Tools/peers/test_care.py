"""Verbs for people in trouble, seen from outside: `verify` of many recordings at once."""

from __future__ import annotations

import json
import pathlib
import shutil
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


if __name__ == "__main__":
    unittest.main()
