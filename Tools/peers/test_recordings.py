"""The recordings of this repository still give the state that was expected of them."""

from __future__ import annotations

import pathlib
import re
import shutil
import unittest

import deck
from deck import Case, run

FOLDER = deck.ROOT / "Recordings"


def listed() -> list[pathlib.Path]:
    """The recordings of the table that says how each is made."""
    table = (FOLDER / "README.md").read_text()
    return [FOLDER / name for name in re.findall(r"^\| `([\w-]+)` \| `tapedeck synth", table, re.M)]


class Recordings(Case):
    def test_each_gives_the_state_that_is_expected_of_it(self) -> None:
        paths = listed()
        self.assertGreaterEqual(len(paths), 4)
        result = run("test", *paths)
        self.assertEqual(result.code, 0, f"{result}\nafter a change that is meant: Tools/remake --expected")
        self.assertEqual(len(re.findall(r": as expected, ", result.stdout)), len(paths))
        self.assertIn(f"{len(paths)} of {len(paths)} recordings as expected", result.stderr)

    def test_expectations_stand_beside_what_can_be_made_again_alone(self) -> None:
        found = {path.parent.parent for path in FOLDER.glob("**/expected/ladder.txt")}
        self.assertEqual(found, set(listed()))

    def test_a_change_of_one_row_is_found(self) -> None:
        path = self.folder / "market"
        shutil.copytree(FOLDER / "market", path)
        self.check(run("test", path))
        file = path / "expected" / "tokens.csv"
        *rows, last = file.read_text().splitlines(keepends=True)
        file.write_text("".join(rows))
        result = self.check(run("test", path), code=4)
        self.assertIn("tokens.csv: 1 rows differ", result.stdout)
        self.assertIn(f"+ {last.split(',')[0]}", result.stdout)


if __name__ == "__main__":
    unittest.main()
