"""Verbs for people in trouble, seen from outside: what they make is held to what `cat` printed of
the originals before anything was done to them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pathlib
import re
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


class Cut(Private):
    def test_a_range_prints_what_cat_prints_of_it(self) -> None:
        path = synth(self.folder / "deck", 20)
        for number, (first, last) in enumerate([(1, 50), (7, 7), (300, 999), (1500, 99_999_999)]):
            words = ["--from", f"seq:{first}", "--to", f"seq:{last}"]
            out = self.folder / f"cut-{number}"
            self.check(run("cut", path, *words, "-o", out))
            self.verified(out)
            self.assertTrue(lines(out) == lines(path, *words), words)
            origin = json.loads((out / "recording.json").read_text())
            before = json.loads((path / "recording.json").read_text())
            self.assertIn(before["uuid"], origin["origin"])
            self.assertNotEqual(before["uuid"], origin["uuid"])

    def test_slots_and_times_and_what_is_not_there(self) -> None:
        path = synth(self.folder / "deck", 20)
        slots = re.search(r"slots +(\d+) to", run("info", path).stdout)
        assert slots
        words = ["--from", f"slot:{int(slots[1]) + 5}", "--to", "slot:+4"]
        out = self.folder / "cut"
        self.check(run("cut", path, *words, "-o", out))
        self.assertTrue(lines(out) == lines(path, *words))
        gone = self.folder / "gone"
        self.check(run("cut", path, "--from", "seq:9999999", "-o", gone), code=5)
        self.check(run("cut", path, "--stream", "999999", "-o", gone), code=5)
        self.check(run("cut", path, "--kind", "no_such_kind", "-o", gone), code=2)
        self.assertFalse(gone.exists())

    def test_damage_ends_it_or_becomes_a_hole(self) -> None:
        path = synth(self.folder / "deck", 20)
        whole = lines(path)
        spoil(segments(path)[0], 60_000)
        out = self.folder / "cut"
        self.check(run("cut", path, "-o", out), code=3, says="recover")
        self.assertFalse(out.exists())
        self.check(run("cut", path, "--skip-damage", "-o", out), code=3, says="damage")
        self.verified(out)
        made = lines(out)
        holes = [(int(r["from"]), int(r["through"])) for r in made if r["kind"] == "hole"]
        self.assertEqual(len(holes), 1)
        kept = [r for r in made if "sequence" in r]
        first, last = holes[0]
        self.assertTrue(
            kept == [r for r in whole if not first <= int(r["sequence"]) <= last]
        )

    def test_a_cut_is_served_frame_by_frame(self) -> None:
        path = synth(self.folder / "deck", 40)
        total = len(lines(path))
        first, last = total // 3, 2 * total // 3
        words = ["--from", f"seq:{first}", "--to", f"seq:{last}"]
        cut = self.folder / "cut"
        self.check(run("cut", path, *words, "-o", cut))
        requests = run("requests", cut).stdout
        self.assertEqual(requests, run("requests", path).stdout)
        entries = [json.loads(line) for line in requests.splitlines()]
        flags: list[str] = []
        with deck.Running(
            "serve", cut, "--geyser", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--rate", "max",
            "--wait-clients", str(len(entries)),
        ) as serving:  # fmt: skip
            geyser, ws = deck.first_addresses(serving, 2)
            for number, entry in enumerate(entries):
                if "subscribe" in entry:
                    file = self.folder / f"subscribe-{number}.json"
                    file.write_text(json.dumps(entry["subscribe"]))
                    flags += ["--geyser", f"http://{geyser}", "--subscribe", str(file)]
                else:
                    flags += ["--ws", f"ws://{ws}"]
                    for call in entry["calls"]:
                        flags += ["--call", json.dumps(call)]
            again = self.folder / "again"
            self.check(run("record", "-o", again, *flags, "--until-end"))
            serving.stop()
        got = {
            s.opened.detail["transport"]: [
                # The close frame is the server's own: the stream goes on behind the range.
                r.payload for r in s.received() if r.flags.get("opcode") != 8
            ]
            for s in deck.streams(again)
        }  # fmt: skip
        # The original's frames of the range, by the protocol of their stream.
        kinds = {"grpc": "grpc_message_in", "websocket": "websocket_frame_in"}
        expected = {
            transport: [r.payload for r in deck.records(path, *words) if r.kind == kind]
            for transport, kind in kinds.items()
        }
        self.assertGreater(len(expected["grpc"]), 100)
        self.assertGreater(len(expected["websocket"]), 3)
        self.assertSameMessages(got["grpc"], expected["grpc"], "gRPC messages of the cut")
        # Answers to the calls come first; then what the range holds, its control frames too.
        served = got["websocket"][-len(expected["websocket"]) :]
        self.assertSameMessages(served, expected["websocket"], "frames of the cut")
        calls = len(next(e["calls"] for e in entries if "calls" in e))
        self.assertEqual(len(got["websocket"]) - len(served), calls)

    def test_a_cut_is_replayed(self) -> None:
        path = synth(self.folder / "deck", 20)
        words = ["--from", "seq:500", "--to", "seq:900"]
        cut = self.folder / "cut"
        self.check(run("cut", path, *words, "-o", cut))
        played = self.check(run("replay", cut, "--rate", "max", "--format", "ndjson"))
        self.assertEqual(played.stdout, run("cat", path, *words, "--format", "ndjson").stdout)

    def test_filters_keep_frames_and_renumber_the_rest(self) -> None:
        path = synth(self.folder / "deck", 20)
        before = deck.streams(path)
        for number, stream in enumerate(before):
            for words in (["--source", stream.source], ["--stream", stream.opened.sequence]):
                out = self.folder / f"cut-{number}-{words[0]}"
                self.check(run("cut", path, *words, "-o", out))
                self.verified(out)
                made = list(deck.records(out))
                self.assertEqual([r.sequence for r in made], list(range(1, len(made) + 1)))
                [only] = deck.streams(out)
                self.assertEqual(only.source, stream.source)
                self.assertEqual(only.closed.detail, stream.closed.detail)
                for one, other in zip(only.frames, stream.frames, strict=True):
                    for key in ("kind", "received_ns", "monotonic_ns", "flags", "payload"):
                        self.assertEqual(one.line[key], other.line[key])
        out = self.folder / "in"
        self.check(run("cut", path, "--kind", "websocket_frame_in", "-o", out))
        kinds = {r.kind for r in deck.records(out)}
        self.assertIn("websocket_frame_in", kinds)
        self.assertFalse(kinds & {"grpc_message_in", "grpc_message_out", "websocket_frame_out"})

    def test_output(self) -> None:
        path = synth(self.folder / "deck")
        self.check_output_rules(["cut", str(path), "--from", "seq:100"], path)


class Merged(Private):
    def test_frames_of_every_stream_stay_and_stand_in_order_of_time(self) -> None:
        a = synth(self.folder / "a", 20, 1)
        b = synth(self.folder / "b", 20, 2)
        # A cut whose streams were open before it, and a recording whose clock stands apart.
        part = self.folder / "part"
        self.check(run("cut", a, "--from", "seq:700", "--to", "seq:1400", "-o", part))
        inputs = [a, b, part]
        out = self.folder / "out"
        self.check(run("merge", *inputs, "-o", out))
        self.verified(out)
        made = list(deck.records(out))
        self.assertEqual([r.sequence for r in made], list(range(1, len(made) + 1)))
        frames = [r for r in made if r.kind.endswith(("_in", "_out"))]

        def shape(record: deck.Record) -> tuple:
            return tuple(
                json.dumps(record.line[key]) for key in ("kind", "received_ns", "flags", "payload")
            )

        def by_stream(records: list[deck.Record]) -> list[tuple]:
            found: dict[int, list[tuple]] = {}
            for record in records:
                found.setdefault(record.stream, []).append(shape(record))
            return sorted(tuple(shapes) for shapes in found.values())

        expected: list[tuple] = []
        inside: list[tuple] = []
        for path in inputs:
            there = [r for r in deck.records(path) if r.kind.endswith(("_in", "_out"))]
            if path == part:
                inside = by_stream(there)
            else:
                expected += by_stream(there)
        got = by_stream(frames)
        for stream in expected:
            self.assertIn(stream, got)
            got.remove(stream)
        # Streams of the cut begin with the frames by which they subscribed before it.
        self.assertEqual(len(got), len(inside))
        for stream in inside:
            self.assertTrue(any(made[-len(stream):] == stream for made in got))
        # One order for all: the running maximum of receive time, as the page of help says.
        own = [r for r in frames if shape(r) not in {s for stream in inside for s in stream}]
        times = [int(r.line["received_ns"]) for r in own]
        self.assertLess(sum(x > y for x, y in zip(times, times[1:])), len(times) // 100 + 1)
        streams = {s.opened.sequence: s.source for s in deck.streams(out)}
        self.assertEqual(len(streams), 6)
        for record in frames:
            self.assertIn(record.stream, streams)
        self.assertEqual(sum(r.kind == "run_started" for r in made), 1)

    def test_sources_are_renamed_only_when_they_differ(self) -> None:
        a = synth(self.folder / "a", 5, 1)
        b = synth(self.folder / "b", 5, 2)
        result = self.check(run("merge", a, b, "-o", self.folder / "same"))
        self.assertNotIn("now", result.stderr)
        lines_file = self.folder / "one.jsonl"
        lines_file.write_text('{"t_wall": 1767614400.5, "raw": "{\\"id\\":1}"}\n')
        other = self.folder / "other"
        renamed = self.folder / "geyser-1.jsonl"
        renamed.write_bytes(lines_file.read_bytes())
        self.check(run("import", renamed, "--format", "ws-jsonl", "-o", other))
        result = self.check(run("merge", a, other, "-o", self.folder / "out"))
        self.assertIn("geyser-1-2", result.stderr)
        sources = {s.source for s in deck.streams(self.folder / "out")}
        self.assertLessEqual({"geyser-1", "geyser-1-2"}, sources)

    def test_one_recording_merged_keeps_all_of_its_frames_in_order(self) -> None:
        path = synth(self.folder / "deck", 20)
        out = self.folder / "out"
        self.check(run("merge", path, "-o", out))
        expected = [r.payload for r in deck.records(path) if r.kind.endswith(("_in", "_out"))]
        got = [r.payload for r in deck.records(out) if r.kind.endswith(("_in", "_out"))]
        self.assertSameMessages(got, expected)

    def test_damage_and_output(self) -> None:
        a, b = synth(self.folder / "a"), synth(self.folder / "b", 12, 2)
        self.check_output_rules(["merge", str(a), str(b)], b)
        spoil(segments(b)[0], 20_000)
        out = self.folder / "out"
        self.check(run("merge", a, b, "-o", out), code=3)
        self.assertFalse(out.exists())
        self.check(run("merge", a, b, "-o", out, "--skip-damage"), code=3)
        self.verified(out)
        self.assertEqual(sum(r["kind"] == "hole" for r in lines(out)), 1)


class Gaps(Case):
    def recorded(self) -> pathlib.Path:
        """A recording whose damage became a gap record, with the damage behind it."""
        path = synth(self.folder / "deck", 20)
        spoil(segments(path)[0], 60_000)
        out = self.folder / "recovered"
        self.check(run("recover", path, "-o", out), code=3)
        return out

    def test_every_format_tells_gap_and_hole(self) -> None:
        path = self.recorded()
        records = lines(path)
        [hole] = [r for r in records if r["kind"] == "hole"]
        [opened] = [r for r in records if r["kind"] == "gap_opened"]
        found = [
            json.loads(line)
            for line in self.check(
                run("gaps", path, "--format", "ndjson"), code=3
            ).stdout.splitlines()
        ]
        self.assertEqual([f["kind"] for f in found], ["gap", "hole"])
        gap = found[0]
        self.assertEqual(gap["gap"], opened["sequence"])
        self.assertEqual((gap["state"], gap["cause"]), ("bounded", "damage"))
        self.assertEqual(int(gap["from_sequence"]), int(hole["from"]) - 1)
        self.assertEqual(int(gap["to_sequence"]), int(hole["through"]) + 1)
        self.assertEqual(gap["evidence"], [opened["detail"]["evidence"]])
        self.assertEqual(found[1], hole)
        whole = json.loads(self.check(run("gaps", path, "--format", "json"), code=3).stdout)
        self.assertEqual((whole["gaps"], whole["holes"]), ([gap], [hole]))
        rows = list(
            csv.DictReader(
                io.StringIO(self.check(run("gaps", path, "--format", "csv"), code=3).stdout)
            )
        )
        self.assertEqual([r["kind"] for r in rows], ["gap", "hole"])
        self.assertEqual(rows[0]["from_sequence"], gap["from_sequence"])
        self.assertEqual(rows[1]["to_sequence"], hole["through"])
        text = self.check(run("gaps", path), code=3).stdout
        self.assertIn(f"gap {gap['gap']}", text)
        self.assertIn("1 bounded", text)

    def test_nothing_missing_is_0_and_damage_is_3(self) -> None:
        path = synth(self.folder / "deck", 20)
        self.assertIn("0 open", self.check(run("gaps", path), code=0).stdout)
        self.assertEqual(self.check(run("gaps", path, "--format", "ndjson")).stdout, "")
        spoil(segments(path)[0], 60_000)
        result = self.check(run("gaps", path, "--open", "--format", "ndjson"), code=3)
        self.assertEqual(json.loads(result.stdout)["kind"], "damage")
        self.check(run("gaps", self.folder / "absent"), code=1)


class Usage(Case):
    def test_the_sum_is_the_size_of_the_files_and_counts_are_those_of_cat(self) -> None:
        path = synth(self.folder / "deck", 20)
        size = sum(file.stat().st_size for file in segments(path))
        every = list(deck.records(path))
        for grouping in ("source", "stream", "kind", "segment"):
            result = self.check(run("du", path, "--by", grouping, "--format", "json"))
            report = json.loads(result.stdout)
            rows = {row[grouping]: row for row in report["rows"]}
            self.assertEqual(sum(int(r["stored_bytes"]) for r in rows.values()), size)
            self.assertEqual(int(report["total"]["stored_bytes"]), size)
            keys = {
                "source": lambda r: r.source or "(none)",
                "stream": lambda r: str(
                    r.sequence if r.kind == "stream_opened" else r.stream or "(none)"
                ),
                "kind": lambda r: r.kind,
                "segment": lambda r: "1",
            }
            expected: dict[str, list[int]] = {}
            for record in every:
                sums = expected.setdefault(keys[grouping](record), [0, 0, 0])
                sums[0] += record.kind.endswith(("_in", "_out"))
                sums[1] += not record.kind.endswith(("_in", "_out"))
                sums[2] += len(record.payload)
            got = {
                name: [int(r[k]) for k in ("frames", "events", "payload_bytes")]
                for name, r in rows.items()
                if int(r["raw_bytes"])
            }
            self.assertEqual(got, expected, grouping)
            for name, row in rows.items():
                raw = int(row["payload_bytes"]) + 36 * (int(row["frames"]) + int(row["events"]))
                self.assertEqual(int(row["raw_bytes"]), raw, name)
            listed = self.check(run("du", path, "--by", grouping, "--format", "ndjson")).stdout
            self.assertEqual([json.loads(x) for x in listed.splitlines()], report["rows"])
            table = self.check(run("du", path, "--by", grouping, "--format", "csv")).stdout
            self.assertEqual(len(list(csv.DictReader(io.StringIO(table)))), len(rows))
            self.assertIn("total", self.check(run("du", path, "--by", grouping)).stdout)

    def test_damage_is_counted_too(self) -> None:
        path = synth(self.folder / "deck", 20)
        spoil(segments(path)[0], 60_000)
        size = sum(file.stat().st_size for file in segments(path))
        report = json.loads(self.check(run("du", path, "--format", "json")).stdout)
        self.assertEqual(int(report["total"]["stored_bytes"]), size)
        damaged = [r for r in report["rows"] if r["source"] == "(damaged)"]
        self.assertGreater(int(damaged[0]["stored_bytes"]), 1000)


if __name__ == "__main__":
    unittest.main()
