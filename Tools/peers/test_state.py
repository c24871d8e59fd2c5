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
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import unittest

import deck
import yellowstone as ys
from deck import Case, Running, run
from geyser_peer import GeyserServer, Script
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


ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def unbase58(text: str) -> bytes:
    """The 32 bytes of an address."""
    number = 0
    for digit in text.encode():
        number = number * 58 + ALPHABET.index(digit)
    return number.to_bytes(32, "big")


class State(Case):
    def recording(self, name: str = "deck", slots: int = 50, seed: int = 7) -> pathlib.Path:
        return synth(self.folder / name, slots, seed, "--blocks", "0")

    def ok(self, *words: object) -> deck.Result:
        result = run(*words)
        self.assertEqual(result.code, 0, str(result))
        return result

    def stored(self, path: pathlib.Path) -> dict[str, str]:
        """What the state file says of itself; nothing while there is none."""
        for file in (path / "derived").glob("state-solana-*.sqlite"):
            base = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            try:
                return dict(base.execute("SELECT name, value FROM _state"))
            except sqlite3.OperationalError:
                return {}
            finally:
                base.close()
        return {}

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

    def test_damaged_anchors_are_set_aside_and_not_used(self) -> None:
        path = self.recording()
        self.ok("rebuild", path)
        slot = self.ok("digest", path).stdout.split()[1]
        words = ("digest", path, "--at", f"slot:{slot}")
        expected = self.ok(*words, "--whole").stdout
        (anchor,) = (path / "derived" / "anchors").glob("*.sqlite")
        whole = anchor.read_bytes()
        refused = 0
        for offset in range(101, len(whole), len(whole) // 10):
            for damage in ("flip", "cut"):
                with self.subTest(offset=offset, damage=damage):
                    anchor.write_bytes(whole if damage == "flip" else whole[:offset])
                    if damage == "flip":
                        spoil(anchor, offset)
                    result = self.check(run(*words))
                    self.assertEqual(result.stdout, expected)
                    refused += "not used" in result.stderr
        self.assertGreater(refused, 9)

    def test_state_of_another_recording_is_not_used(self) -> None:
        path, other = self.recording(), self.recording("other", seed=8)
        self.ok("rebuild", other)
        shutil.copytree(other / "derived", path / "derived")
        expected = position(self.ok("digest", path).stdout)
        result = self.ok("rebuild", path)
        self.assertRegex(result.stderr, r"not of this log: it is of recording [0-9a-f-]{36}, not of")
        self.assertEqual(position(result.stdout), expected)
        again = self.ok("rebuild", path)
        self.assertIn("went on from record", again.stderr)
        self.assertEqual(position(again.stdout), expected)

    def test_state_of_records_that_a_power_cut_took_is_not_used(self) -> None:
        # Slots are final 32 slots later: what is lost must have been stored by then.
        market = synth(self.folder / "market", 110, 7, "--blocks", "0", "--trades", "3")
        (line,) = self.ok("requests", market).stdout.splitlines()
        request = self.folder / "request.json"
        request.write_text(json.dumps(json.loads(line)["subscribe"]))
        frames = [r.payload for r in deck.records(market) if r.kind == "grpc_message_in"]
        kept, read = len(frames) // 2, len(frames) * 95 // 100
        # Another provider does not bring each second transaction.
        other = [
            frame for number, frame in enumerate(frames[kept:])
            if number % 2 or not ys.SubscribeUpdate.FromString(frame).HasField("transaction")
        ]  # fmt: skip
        path, held = self.folder / "rec", threading.Event()
        scripts = iter([Script(frames[:read], hold=held), Script(other)])
        with GeyserServer(lambda _: next(scripts)) as peer:
            words = [
                "record", "-o", path, "--geyser", peer.url, "--subscribe", request, "--durability",
                "none",
            ]  # fmt: skip
            with Running(*words) as recording:
                deadline = time.monotonic() + 60
                while not (path / "recording.json").exists() or sum(1 for _ in deck.records(path)) < read:
                    self.assertLess(time.monotonic(), deadline, "the frames never came")
                with Running("rebuild", path, "--follow", "--checkpoint-slots", "3") as follower:
                    while int(self.stored(path).get("read_through", 0)) < read * 7 // 8:
                        self.assertLess(time.monotonic(), deadline, "the follower never came so far")
                        time.sleep(0.05)
                    self.check(follower.stop())
                recording.process.send_signal(signal.SIGKILL)
                recording.wait()
            held.set()
            # Nothing was synced by the recorder: the power takes what lies behind.
            (segment,) = segments(path)
            with segment.open("r+b") as file:
                file.truncate(segment.stat().st_size * 55 // 100)
            state = self.stored(path)
            self.assertEqual(state["writer_epoch"], "1")
            self.check(run(*words, "--until-end"))
        last = json.loads(self.ok("info", path, "--format", "json").stdout)["last_sequence"]
        self.assertLess(int(state["read_through"]), int(last))
        result = self.ok("rebuild", path)
        self.assertRegex(result.stderr, r"not of this log: it had read up to record \d+ of writer epoch 1")
        expected = self.ok("digest", path).stdout
        self.assertEqual(result.stdout, expected)
        again = self.ok("rebuild", path)
        self.assertIn("went on from record", again.stderr)
        self.assertEqual(again.stdout, expected)

    def test_decoded_trades_equal_what_the_balances_say(self) -> None:
        for name in ("real", "blocks"):
            source = deck.SHARED / "data" / "solana" / f"{name}.bin"
            if not source.exists():
                self.skipTest(f"no {source}")
            path = self.folder / name
            self.ok("import", source, "-o", path)
            _, totals = self.agree(path, source)
            self.assertGreater(totals["equal"], 3)

    def agree(self, path: pathlib.Path, source: pathlib.Path) -> tuple[str, dict[str, int]]:
        """Decoded trades of a recording, and how they compare with balances of its messages."""
        trades = self.folder / f"{path.name}.ndjson"
        trades.write_text(self.ok("coverage", path, "--trades").stdout)
        result = subprocess.run(
            [sys.executable, str(deck.ROOT / "Tools" / "oracle"), "compare", trades, source],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout[-3000:])
        totals = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual(totals["unexplained"], {})
        return trades.read_text(), totals

    def test_decoded_trades_of_an_invented_market_equal_what_the_balances_say(self) -> None:
        path = synth(self.folder / "invented", 60, 5, "--blocks", "0", "--usdc", "400", "--tokens", "8")
        source = self.folder / "invented.bin"
        with source.open("wb") as file:
            for line in self.ok("cat", path, "--format", "ndjson").stdout.splitlines():
                record = json.loads(line)
                if record["kind"] == "grpc_message_in":
                    message = base64.b64decode(record["payload"], validate=True)
                    file.write(len(message).to_bytes(4, "little") + message)
        text, totals = self.agree(path, source)
        self.assertEqual(totals["compared"], totals["equal"])
        self.assertGreater(totals["equal"], 200)
        usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
        quotes = [json.loads(line).get("quote") for line in text.splitlines()]
        self.assertGreater(quotes.count(usdc), 20)

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
        self.assertRegex(result.stdout, r"phase: [a-z_]+ -> [a-z_]+")
        ladder = path / "expected" / "ladder.txt"
        lines = ladder.read_text().splitlines()
        lines[2] = lines[2][:-4] + "0000"
        ladder.write_text("\n".join(lines) + "\n")
        result = run("test", path)
        self.assertEqual(result.code, 4)
        _, slot, _, digest = lines[2].split()
        self.assertRegex(result.stdout, rf"first broken rung: 2 of \d+, slot {slot}\n")
        self.assertIn(f"expected chain {digest}\n", result.stdout)
        self.assertIn(f"it came with what follows slot {lines[1].split()[1]}\n", result.stdout)
        self.ok("test", path, "--update")
        self.ok("test", path)

    def test_an_expectation_of_nothing_is_refused(self) -> None:
        path = self.folder / "begun"
        self.ok("cut", self.recording(), "-o", path, "--to", "seq:+30")
        result = run("test", path, "--update")
        self.assertEqual(result.code, 1, str(result))
        self.assertIn("no whole slot was folded", result.stderr)
        self.assertFalse((path / "expected").exists())
        # Nor does one pass that somebody else wrote.
        (path / "expected").mkdir()
        (path / "expected" / "ladder.txt").write_text("every 10\n")
        self.assertEqual(run("test", path).code, 1)

    def test_a_recording_of_another_chain_alone_says_so(self) -> None:
        both = synth(self.folder / "both", 8, 7, "--blocks", "20")
        sources = [json.loads(line) for line in self.ok("requests", both).stdout.splitlines()]
        (other,) = [source for source in sources if source["transport"] == "websocket"]
        path = self.folder / "evm"
        self.ok("cut", both, "-o", path, "--source", other["source"])
        for words in (
            ["rebuild", path], ["state", path], ["digest", path], ["coverage", path], ["test", path],
            ["test", path, "--update"], ["why", path, "11111111111111111111111111111112"],
        ):  # fmt: skip
            result = run(*words)
            self.assertEqual(result.code, 1, str(result))
            self.assertIn("nothing to fold", result.stderr)
            self.assertIn(other["chain"], result.stderr)
        # A recording that has only begun may yet get something.
        begun = self.folder / "begun"
        self.ok("cut", both, "-o", begun, "--to", "seq:+3")
        for verb in ("rebuild", "state", "digest", "coverage"):
            self.ok(verb, begun)

    def test_evidence_is_told_for_each_group_and_adds_up(self) -> None:
        path = synth(self.folder / "deck", 40, 7, "--blocks", "0", "--streams", "2", "--forks", "2")
        evidence = json.loads(self.ok("coverage", path, "--format", "json").stdout)["evidence"]
        kinds = ("counted", "barrier", "unproved")
        slots = sum(int(evidence[kind]) for kind in kinds)
        told = self.ok("rebuild", path, "--in-memory").stderr
        folded, undone = map(int, re.search(r"slots: (\d+) folded, (\d+) taken back", told).groups())
        self.assertEqual(slots, folded - undone)
        self.assertGreater(int(evidence["counted"]) + int(evidence["barrier"]), slots // 2)
        programs = {"pump_curve", "pumpswap", "raydium_v4"}
        self.assertEqual({row["group"] for row in evidence["groups"]}, programs)
        text = self.ok("coverage", path).stdout
        for row in evidence["groups"]:
            self.assertEqual(sum(int(row[kind]) for kind in kinds), slots)
            cells = " +".join([row["group"], *(row[kind] for kind in kinds)])
            self.assertRegex(text, re.compile(f"^{cells}$", re.M))

    def test_an_import_proves_nothing_but_what_is_counted(self) -> None:
        # Nobody knows what an import's stream was asked for, so its silence means nothing.
        path = self.folder / "imported"
        file = self.folder / "market.bin"
        file.write_bytes(b"".join(
            len(payload).to_bytes(4, "little") + payload
            for record in deck.records(self.recording(slots=30))
            if record.kind == "grpc_message_in"
            for payload in (record.payload,)
        ))  # fmt: skip
        self.ok("import", file, "--format", "solana-le", "--chain", "solana", "-o", path)
        evidence = json.loads(self.ok("coverage", path, "--format", "json").stdout)["evidence"]
        self.assertEqual(evidence["barrier"], "0")
        self.assertEqual(evidence["groups"], [])

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

    def changes(self, path: pathlib.Path, entity: str, field: str) -> list[list[str]]:
        """The record, the value before and after, and who did it, of each change."""
        lines = self.ok("why", path, entity, "--field", field).stdout.splitlines()
        self.assertEqual(lines[0].split(), "record slot row before after by transaction".split())
        # Columns are parted by two blanks or more; nothing in these rows has two in itself.
        rows = [re.split(r" {2,}", line.strip()) for line in lines[1:]]
        slots = [int(row[1]) for row in rows]
        self.assertEqual(slots, sorted(slots))
        return [[row[0], row[3], row[4], row[5]] for row in rows]

    def payload(self, path: pathlib.Path, sequence: str) -> bytes:
        shown = self.ok("cat", path, "--from", f"seq:{sequence}", "--to", "seq:+1", "--format", "ndjson")
        return base64.b64decode(json.loads(shown.stdout.splitlines()[0])["payload"])

    def test_why_shows_the_records_that_changed_one_value(self) -> None:
        path = self.recording()
        tables = json.loads(self.ok("state", path, "--format", "json").stdout)["tables"]
        shown = 0
        for market in tables["token_markets"]:
            if market["progress"] is None or int(market["trades"]) < 3 or shown == 4:
                continue
            shown += 1
            rows = self.changes(path, market["token"], "progress")
            for before, after in zip(rows, rows[1:]):
                self.assertEqual(after[1], before[2])
            self.assertEqual(rows[-1][2], market["progress"])
            counts = self.changes(path, market["token"], "token_markets.trades")
            # One trade a transaction in this market, so one count each.
            self.assertLessEqual({row[0] for row in rows}, {row[0] for row in counts})
            self.assertEqual(counts[-1][2], market["trades"])
            for sequence, _, _, said in rows:
                self.assertRegex(said, "^(buy|sell|created|curve|migrated)")
                self.assertIn(unbase58(market["token"]), self.payload(path, sequence))
        self.assertGreater(shown, 2)

    def test_why_names_the_records_behind_detections(self) -> None:
        path = synth(self.folder / "deck", 60, 9, "--blocks", "0", "--sandwiches", "6")
        tables = json.loads(self.ok("state", path, "--format", "json").stdout)["tables"]
        found = [row for row in tables["detections"] if row["class"] == "1"]
        self.assertTrue(found)
        text = self.ok("why", path, found[0]["attacker"]).stdout
        made = re.findall(r"^detections\n  made by record (\d+) of slot (\d+)", text, re.M)
        self.assertTrue(made, text[-2000:])
        for sequence, slot in made:
            self.assertIn(unbase58(found[0]["attacker"]), self.payload(path, sequence))
            self.assertIn(slot, {row["slot"] for row in found} | {row["detected_at"] for row in found})

    def test_why_names_the_accounts_behind_a_value(self) -> None:
        source = deck.SHARED / "data" / "solana" / "real.bin"
        if not source.exists():
            self.skipTest(f"no {source}")
        path = self.folder / "deck"
        self.ok("import", source, "-o", path)
        tables = json.loads(self.ok("state", path, "--format", "json").stdout)["tables"]
        (row,) = tables["pool_accounts"]
        for field in ("shares", "token_vault"):
            (change,) = self.changes(path, row["pool"], f"pool_accounts.{field}")
            self.assertEqual(change[2], row[field])
            self.assertRegex(change[3], "^account ")
            self.assertIn(unbase58(change[3].split()[1]), self.payload(path, change[0]))

    def test_a_field_that_nothing_has_is_refused(self) -> None:
        path = self.recording(slots=20)
        token = "11111111111111111111111111111112"
        self.assertEqual(run("why", path, token, "--field", "weather").code, 2)
        self.assertEqual(run("why", path, token, "--field", "tokens.weather").code, 2)
        self.assertEqual(run("why", path, token, "--field", "progress").code, 1)

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

    def test_whoever_stops_before_damage_has_what_comes_before_it(self) -> None:
        """A sealed segment has lost its end: what is whole of it is still delivered."""
        path = self.recording()
        segment = segments(path)[0]
        data = segment.read_bytes()
        segment.write_bytes(data[: len(data) // 2])
        cat = run("cat", path, "--format", "ndjson")
        lines = [json.loads(line) for line in cat.stdout.splitlines()]
        damage = next(i for i, line in enumerate(lines) if "sequence" not in line)
        self.assertGreater(damage, 100)
        last = int(lines[damage - 1]["sequence"])
        replay = run("replay", path, "--rate", "max")
        self.assertEqual(replay.code, 3, str(replay))
        self.assertIn(f"replayed sequences 1 to {last}:", replay.stderr)
        for verb in ("digest", "rebuild"):
            result = run(verb, path)
            self.assertEqual(result.code, 3, str(result))
            at = re.findall(r"^sequence (\d+) position", result.stdout, re.M)
            self.assertEqual([int(sequence) for sequence in at], [last], str(result))

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
