"""State from outside: what monitors say is held to SQL, to balances that an oracle reads, and to
what the same log gave before."""

from __future__ import annotations

import base64
import csv
import io
import json
import pathlib
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import unittest

import deck
from deck import Case, run
from test_care import segments, spoil, synth


def position(text: str) -> str:
    """The position digest of what `digest` or `rebuild` printed."""
    return re.findall(r"^sequence \d+ position ([0-9a-f]{32})$", text, re.M)[-1]


def renamed(message: bytes, names: dict[bytes, bytes]) -> bytes:
    """A message whose tokens have other names of the same lengths, in calls and in logs."""
    out = bytearray(message)
    mark = b"Program data: "
    place = message.find(mark)
    while place >= 0:
        # The line's length stands before it, in one byte or two.
        size = message[place - 1]
        if message[place - 2] >= 0x80:
            size = size << 7 | message[place - 2] & 0x7F
        start, end = place + len(mark), place + size
        event = base64.b64decode(message[start:end], validate=True)
        for old, new in names.items():
            event = event.replace(old, new)
        out[start:end] = base64.b64encode(event)
        place = message.find(mark, end)
    for old, new in names.items():
        out = out.replace(old, new)
    return bytes(out)


class State(Case):
    def recording(self, name: str = "deck", slots: int = 50, seed: int = 7) -> pathlib.Path:
        return synth(self.folder / name, slots, seed, "--blocks", "0")

    def ok(self, *words: object) -> deck.Result:
        result = run(*words)
        self.assertEqual(result.code, 0, str(result))
        return result

    def test_the_state_is_the_same_however_it_is_reached(self) -> None:
        path = self.recording()
        expected = position(self.ok("digest", path).stdout)
        self.assertEqual(position(self.ok("rebuild", path, "--checkpoint-slots", "3").stdout), expected)
        again = self.ok("rebuild", path)
        self.assertIn("went on from record", again.stderr)
        self.assertEqual(position(again.stdout), expected)
        self.assertEqual(position(self.ok("rebuild", path, "--force").stdout), expected)
        self.assertEqual(position(self.ok("rebuild", path, "--in-memory").stdout), expected)

    def test_stored_tables_are_plain_sql_that_agrees_with_the_program(self) -> None:
        path = self.recording()
        self.ok("rebuild", path)
        files = list((path / "derived").glob("state-solana-*.sqlite"))
        self.assertEqual(len(files), 1)
        self.assertEqual(stat.S_IMODE(files[0].stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(files[0].parent.stat().st_mode), 0o700)
        base = sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True)
        state = dict((row[0], row[1]) for row in base.execute('SELECT * FROM "_state"'))
        at = self.ok(
            "state", path, "--at", f"slot:{state['position']}", "--table", "tokens", "--format", "csv"
        )
        printed = list(csv.DictReader(io.StringIO(at.stdout)))
        stored = {
            row[0]: row[1:]
            for row in base.execute("SELECT token, phase, created_position FROM tokens")
        }
        self.assertGreater(len(printed), 3)
        self.assertEqual({row["token"] for row in printed}, set(stored))
        for row in printed:
            phase, created = stored[row["token"]]
            self.assertEqual(int(row["phase"]), phase)
            self.assertEqual(row["created_position"], "" if created is None else str(created))
        described = {name for (name,) in base.execute('SELECT DISTINCT table_name FROM "_columns"')}
        self.assertIn("tokens", described)

    def test_damaged_state_is_set_aside_and_made_again(self) -> None:
        path = self.recording()
        expected = position(self.ok("rebuild", path).stdout)
        (file,) = (path / "derived").glob("state-solana-*.sqlite")
        whole = file.read_bytes()
        for offset in range(101, len(whole), len(whole) // 25):
            with self.subTest(offset=offset):
                # Nor an anchor: the state is made of the log alone.
                shutil.rmtree(path / "derived")
                file.parent.mkdir(mode=0o700)
                file.write_bytes(whole)
                spoil(file, offset)
                result = run("rebuild", path)
                self.assertEqual(result.code, 0, str(result))
                self.assertEqual(position(result.stdout), expected)

    def test_decoded_trades_equal_what_the_balances_say(self) -> None:
        for name in ("real", "blocks"):
            source = deck.SHARED / "data" / "solana" / f"{name}.bin"
            if not source.exists():
                self.skipTest(f"no {source}")
            path = self.folder / name
            self.ok("import", source, "-o", path)
            trades = self.folder / f"{name}.ndjson"
            trades.write_text(self.ok("coverage", path, "--trades").stdout)
            result = subprocess.run(
                [sys.executable, str(deck.ROOT / "Tools" / "oracle"), "compare", trades, source],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual(result.returncode, 0, result.stdout[-3000:])
            totals = json.loads(result.stdout.splitlines()[-1])
            self.assertEqual(totals["unexplained"], {})
            self.assertGreater(totals["equal"], 3)

    def test_decoded_trades_of_an_invented_market_equal_what_the_balances_say(self) -> None:
        path = synth(self.folder / "invented", 60, 5, "--blocks", "0", "--usdc", "400", "--tokens", "8")
        source = self.folder / "invented.bin"
        with source.open("wb") as file:
            for line in self.ok("cat", path, "--format", "ndjson").stdout.splitlines():
                record = json.loads(line)
                if record["kind"] == "grpc_message_in":
                    message = base64.b64decode(record["payload"], validate=True)
                    file.write(len(message).to_bytes(4, "little") + message)
        trades = self.folder / "invented.ndjson"
        trades.write_text(self.ok("coverage", path, "--trades").stdout)
        usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
        quotes = [json.loads(line).get("quote") for line in trades.read_text().splitlines()]
        self.assertGreater(quotes.count(usdc), 20)
        result = subprocess.run(
            [sys.executable, str(deck.ROOT / "Tools" / "oracle"), "compare", trades, source],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout[-3000:])
        totals = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual(totals["compared"], totals["equal"])
        self.assertGreater(totals["equal"], 200)

    def test_parse_rates_of_real_data(self) -> None:
        source = deck.SHARED / "data" / "solana" / "real.bin"
        if not source.exists():
            self.skipTest(f"no {source}")
        path = self.folder / "real"
        self.ok("import", source, "-o", path)
        report = json.loads(self.ok("coverage", path, "--format", "json").stdout)
        self.assertEqual(report["messages"], "633")
        self.assertEqual(report["transactions"], "603")
        for row in report["strategies"]:
            if int(row["n"]) >= 100:
                self.assertGreater(row["parse_rate_bps"], 9_800)
            else:
                self.assertEqual(row["n"], row["decoded"], row)

    def test_what_goes_into_a_stage_comes_out_is_dropped_or_fails(self) -> None:
        path = self.recording()
        report = json.loads(self.ok("coverage", path, "--format", "json").stdout)
        stages = report["stages"]
        by_reason = {row["reason"]: row["count"] for row in report["dropped"]}
        self.assertEqual(by_reason, stages[1]["dropped"] | stages[1]["errors"])
        self.assertTrue(all(int(row["first_sequence"]) > 0 for row in report["dropped"]), report)
        names = ["ingestion", "parsing", "enrichment", "dispatch"]
        self.assertEqual([stage["stage"] for stage in stages], names)
        for stage in stages:
            lost = [int(count) for part in ("dropped", "errors") for count in stage[part].values()]
            self.assertEqual(int(stage["in"]), int(stage["out"]) + sum(lost), stage)
            p50, p99, most = (int(stage["latency_ns"][key]) for key in ("p50", "p99", "max"))
            self.assertTrue(0 < p50 <= p99 <= most, stage)
        self.assertEqual(stages[1]["in"], report["messages"])
        told = self.ok("rebuild", path, "--in-memory").stderr
        for stage in stages:
            row = rf"^{stage['stage']} +{stage['unit']} +{stage['in']} +{stage['out']} "
            self.assertRegex(told, re.compile(row, re.M))

    def test_a_regression_is_told_with_its_rung_and_rows(self) -> None:
        path = self.recording()
        self.assertEqual(run("test", path).code, 1)
        self.ok("test", path, "--update", "--every", "2")
        self.assertIn("as expected", self.ok("test", path).stdout)
        file = path / "expected" / "tokens.csv"
        rows = list(csv.reader(io.StringIO(file.read_text())))
        phase = rows[0].index("phase")
        rows[1][phase] = "6" if rows[1][phase] != "6" else "2"
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        file.write_text(out.getvalue())
        result = run("test", path)
        self.assertEqual(result.code, 4, str(result))
        self.assertIn("tokens.csv: 1 rows differ", result.stdout)
        self.assertRegex(result.stdout, r"phase: \d -> \d")
        ladder = path / "expected" / "ladder.txt"
        lines = ladder.read_text().splitlines()
        lines[2] = lines[2][:-4] + "0000"
        ladder.write_text("\n".join(lines) + "\n")
        result = run("test", path)
        self.assertEqual(result.code, 4)
        self.assertIn(f"first broken rung: expected '{lines[2]}'", result.stdout)
        self.ok("test", path, "--update")
        self.ok("test", path)

    def test_why_names_records_that_hold_the_entity(self) -> None:
        path = self.recording()
        table = self.ok("state", path, "--table", "tokens", "--format", "csv").stdout
        token = next(csv.DictReader(io.StringIO(table)))["token"]
        text = self.ok("why", path, token).stdout
        lines = text.splitlines()
        sequences = [int(m.group(1)) for m in (re.match(r"\s*(\d+)\s+\d+\s+\d+/", row) for row in lines) if m]
        self.assertTrue(sequences, text[:500])
        shown = self.ok("cat", path, "--from", f"seq:{sequences[0]}", "--to", "seq:+1", "--format", "ndjson")
        self.assertEqual(json.loads(shown.stdout.splitlines()[0])["kind"], "grpc_message_in")
        self.assertIn("tokens", lines)
        missing = run("why", path, "11111111111111111111111111111112")
        self.assertEqual(missing.code, 1, str(missing))

    def test_damage_stops_state_unless_it_is_skipped(self) -> None:
        path = self.recording()
        segment = segments(path)[0]
        spoil(segment, segment.stat().st_size // 2)
        for verb in ("state", "rebuild", "digest", "coverage"):
            result = run(verb, path)
            self.assertEqual(result.code, 3, str(result))
            self.assertIn("--skip-damage", result.stderr)
        skipped = run("digest", path, "--skip-damage")
        self.assertEqual(skipped.code, 3, str(skipped))
        self.assertIn("skipped damage", skipped.stderr)

    def test_replay_tells_what_monitors_notice_at_any_rate(self) -> None:
        path = self.recording(slots=30)
        fast = self.ok("replay", path, "--rate", "max", "--projector", "lifecycle", "--format", "ndjson")
        notices = [json.loads(line) for line in fast.stdout.splitlines()]
        self.assertGreater(len(notices), 3)
        self.assertTrue(all(notice["kind"] and notice["subject"] for notice in notices))
        paced = self.ok("replay", path, "--rate", "40", "--projector", "lifecycle", "--format", "ndjson")
        self.assertEqual(paced.stdout, fast.stdout)

    def test_state_at_a_record_or_slot_is_what_a_shorter_log_gives(self) -> None:
        path = self.recording()
        ladder = re.findall(
            r"^slot (\d+) chain (\w+)$", self.ok("digest", path, "--every", "1").stdout, re.M
        )
        slot, digest = ladder[len(ladder) // 2]
        at = self.ok("digest", path, "--at", f"slot:{slot}").stdout
        self.assertIn(f"slot {slot} chain {digest}", at)
        info = json.loads(self.ok("info", path, "--format", "json").stdout)
        self.assertTrue(info)
        part = self.folder / "part"
        self.ok("cut", path, "-o", part, "--to", "seq:2000")
        self.assertEqual(
            position(self.ok("digest", path, "--at", "seq:2000").stdout),
            position(self.ok("digest", part, "--at", "seq:2000").stdout),
        )
        shutil.rmtree(part)

    def test_names_that_strangers_chose_steer_no_terminal(self) -> None:
        path = self.recording(slots=30)
        texts = json.loads(self.ok("state", path, "--table", "token_texts", "--format", "json").stdout)
        token, other = texts["tables"]["token_texts"][:2]
        # Names of equal length: colours and bells, line ends, other directions, markup, commas.
        names = {}
        for row, text in ((token, "\x1b[31m\x07\r\n"), (other, "\u202e<b>,\u0301\"")):
            old = row["name"].encode()
            names[old] = text.encode()[: len(old)].ljust(len(old), b"x")
        hostile = self.folder / "hostile"
        file = self.folder / "hostile.bin"
        file.write_bytes(b"".join(
            len(message).to_bytes(4, "little") + renamed(message, names)
            for record in deck.records(path)
            if record.kind == "grpc_message_in"
            for message in (base64.b64decode(record.line["payload"]),)
        ))  # fmt: skip
        self.ok("import", file, "--format", "solana-le", "--chain", "solana", "-o", hostile)
        printed = self.ok("state", hostile, "--table", "token_texts", "--format", "csv").stdout
        found = {row["token"]: row["name"] for row in csv.DictReader(io.StringIO(printed, newline=""))}
        self.assertEqual(found[token["token"]].encode(), names[token["name"].encode()])
        self.assertEqual(found[other["token"]].encode(), names[other["name"].encode()])
        self.ok("test", hostile, "--update")
        rows = (hostile / "expected" / "token_texts.csv").read_text()
        (hostile / "expected" / "token_texts.csv").write_text(rows.replace("ipfs", "ipfx"))
        shown = [
            self.ok("state", hostile).stdout,
            self.ok("state", hostile, "--table", "token_texts").stdout,
            self.ok("why", hostile, token["token"]).stdout,
            self.ok("why", hostile, other["token"]).stdout,
            self.ok("replay", hostile, "--rate", "max", "--projector", "lifecycle").stdout,
            run("test", hostile).stdout,
        ]
        for text in shown:
            self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]", text), text[:2000])

    def test_wrong_words_are_refused(self) -> None:
        path = self.recording(slots=5)
        for words in (
            ["state", path, "--table", "nothing"],
            ["state", path, "--at", "block:7"],
            ["state", path, "--projector", "weather"],
            ["state", path, "--format", "csv"],
            ["why", path, "0OIl"],
        ):
            result = run(*words)
            self.assertEqual(result.code, 2, str(result))
        self.assertEqual(run("state", self.folder / "nowhere").code, 1)


if __name__ == "__main__":
    unittest.main()
