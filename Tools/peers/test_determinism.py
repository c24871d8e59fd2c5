"""One log gives one state: a smoke of the gate that Tools/determinism runs whole."""

from __future__ import annotations

import os
import pathlib
import subprocess
import unittest

from deck import Case

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Determinism(Case):
    def test_a_smoke_of_the_gate_finds_no_difference(self) -> None:
        """Threads, memory, checkpoints, kills, following, and recordings of one chain."""
        result = subprocess.run(
            [ROOT / "Tools" / "determinism", "--smoke"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False,
            env=dict(os.environ),
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout[-4000:])
        self.assertRegex(result.stdout.splitlines()[-1], r"^\d+ passed, 0 failed")


if __name__ == "__main__":
    unittest.main()
