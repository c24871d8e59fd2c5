"""The command line as a script or a person meets it."""

from __future__ import annotations

import subprocess
import unittest

from deck import Case, run, verbs


class CommandLine(Case):
    def test_every_verb_has_help_with_an_example(self) -> None:
        found = verbs()
        expected = {
            "record", "serve", "replay", "cat", "info", "verify", "import", "synth", "recover",
            "cut", "merge", "gaps", "du",
        }  # fmt: skip
        self.assertLessEqual(expected, found)
        for verb in sorted(found):
            with self.subTest(verb=verb):
                for words in ([*verb.split(), "--help"], ["help", *verb.split()]):
                    result = self.check(run(*words))
                    self.assertIn("tapedeck " + verb, result.stdout)
                    self.assertEqual(result.stderr, "")
                if verb not in ("help", "version"):
                    self.assertRegex(result.stdout, r"(?i)\bexamples?\b")

    def test_version(self) -> None:
        self.assertRegex(self.check(run("version")).stdout, r"^tapedeck \d+\.\d+\S*")

    def test_completion_scripts_parse(self) -> None:
        script = self.check(run("completion", "bash")).stdout
        self.assertIn("record", script)
        parsed = subprocess.run(["bash", "-n"], input=script.encode(), capture_output=True)
        self.assertEqual((parsed.returncode, parsed.stderr), (0, b""))
        for shell in ("zsh", "fish"):
            self.assertTrue(self.check(run("completion", shell)).stdout)

    def test_usage_mistakes_exit_2_and_name_the_mistake(self) -> None:
        target = str(self.folder / "rec")
        call = '{"method":"eth_subscribe","params":["newHeads"]}'
        cases = [
            (["--no-such-flag"], "no-such-flag"),
            (["recrod"], "record"),
            (["cat"], "REC"),
            (["cat", target, "--no-such-flag"], "no-such-flag"),
            (["cat", target, "--formt", "ndjson"], "--format"),
            (["cat", target, "--from", "slot:x"], "slot:x"),
            (["record", "-o", target], "--geyser"),
            (["record", "-o", target, "--ws", "ws://127.0.0.1:1"], "--call"),
            (["record", "-o", target, "--ws", "http://127.0.0.1:1", "--call", call], "ws://"),
            (["record", "-o", target, "--ws", "ws://127.0.0.1:1", "--call", call,
              "--frames", "0"], "frames"),
            (["record", "-o", target, "--ws", "ws://127.0.0.1:1", "--call", call,
              "--frames", "5", "--for", "1s"], "--for"),
        ]  # fmt: skip
        for words, said in cases:
            with self.subTest(words=" ".join(words)):
                result = self.check(run(*words), code=2)
                self.assertIn(said, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_no_arguments_show_how_to_go_on(self) -> None:
        result = run()
        self.assertIn(result.code, (0, 2))
        self.assertIn("record", result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
