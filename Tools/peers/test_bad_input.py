"""What can be wrong outside: every time the right exit code and a sentence, never a crash."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import threading
import unittest
from typing import Any

from deck import Case, Result, Running, records, run, streams
from evm_peer import Frame, Peer, end, fragments, play
from evm_peer import TEXT, EvmServer
from geyser_peer import GeyserServer, Script
from test_evm_roundtrip import HEADS, invented, text_of
from test_geyser_roundtrip import invented as invented_updates

SECRET = "hush-58c1-never-print-me"


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Endpoints(Case):
    def request(self, text: str = '{"slots":{"all":{}}}') -> pathlib.Path:
        file = self.folder / "request.json"
        file.write_text(text)
        return file

    def geyser(self, url: str, *more: str, extra: dict[str, str] | None = None) -> Result:
        words = ["record", "-o", self.folder / "rec", "--geyser", url, "--subscribe"]
        return run(*words, self.request(), *more, extra=extra)

    def test_nobody_listens(self) -> None:
        config = self.folder / "config.json5"
        port = closed_port()
        quick = "reconnect: {first: '10ms', longest: '20ms'}"
        config.write_text(
            f"""{{sources: [
                {{id: 'one', geyser: 'http://127.0.0.1:{port}', subscribe: 'request.json', {quick}}},
                {{id: 'two', ws: 'ws://127.0.0.1:{port}', {quick},
                 calls: [{{method: 'eth_subscribe', params: ['newHeads']}}]}}],
               limits: {{until_end: true}}}}"""
        )
        self.request()
        result = run("record", "-o", self.folder / "rec", "--config", config)
        self.check(result, 1, "never streamed: one, two")
        self.assertRegex(result.stderr, "(?i)refused")
        errors = [r for r in records(self.folder / "rec") if r.kind == "connect_error"]
        self.assertEqual({r.source for r in errors}, {"one", "two"})

    def test_a_server_of_another_protocol(self) -> None:
        def answer(listener: socket.socket, data: bytes) -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        connection.recv(4_096)
                        connection.sendall(data)
                    except OSError:
                        pass

        for data in (b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b"\x15\x03\x01\0\2\2\x28"):
            with self.subTest(data=data), socket.create_server(("127.0.0.1", 0)) as listener:
                thread = threading.Thread(target=answer, args=(listener, data), daemon=True)
                thread.start()
                port = listener.getsockname()[1]
                target = self.folder / "other"
                shutil.rmtree(target, ignore_errors=True)
                for scheme in ("ws", "wss"):
                    words = ("record", "-o", target, "--force", "--ws", f"{scheme}://127.0.0.1:{port}")
                    with Running(*words, "--call", json.dumps(HEADS)) as recording:
                        recording.wait_said("ws-1: ")
                        self.check(recording.stop(), 1, "ws-1: .{10,}")
                listener.shutdown(socket.SHUT_RDWR)

    def test_a_refused_token_is_given_up_at_once(self) -> None:
        with GeyserServer(lambda _: Script(), token="another") as peer:
            result = self.geyser(peer.url, "--token-env", "TOKEN", extra={"TOKEN": SECRET})
        self.check(result, 1, "(?i)token")
        self.assertNowhere(SECRET, self.folder / "rec", result)

    def test_a_missing_empty_or_odd_token_is_a_usage_mistake(self) -> None:
        for extra, said in (({}, "not set"), ({"TOKEN": ""}, "empty"), ({"TOKEN": "a\nb"}, "line")):
            result = self.geyser("http://127.0.0.1:1", "--token-env", "TOKEN", extra=extra)
            self.check(result, 2, f"TOKEN.*{said}")
        result = self.geyser("http://192.0.2.1:1", "--token-env", "TOKEN", extra={"TOKEN": SECRET})
        self.check(result, 2, "without encryption")
        self.assertFalse((self.folder / "rec").exists())
        self.assertNotIn(SECRET, result.stderr)

    def test_unusable_addresses(self) -> None:
        for url in ("http://", "http://host:99999", "http://[::1", "https://user:pw@host", "http://a b"):
            with self.subTest(url=url):
                self.check(self.geyser(url), 2)
        for url in ("ws://", f"ws://host:0x10/{SECRET}", f"wss://host:70000/{SECRET}"):
            with self.subTest(url=url):
                words = ("--ws", url, "--call", json.dumps(HEADS))
                result = self.check(run("record", "-o", self.folder / "rec", *words), 2)
                self.assertNotIn(SECRET, result.stderr)

    def assertGap(self, path: pathlib.Path, cause: str) -> None:
        """There is one gap and its record says why."""
        gaps = [r.detail for r in records(path) if r.kind == "gap_opened"]
        self.assertEqual([gap["cause"] for gap in gaps], [cause], gaps)
        self.assertRegex(gaps[0]["evidence"], ".{20,}")

    def test_messages_over_the_limit_end_the_stream_with_a_gap(self) -> None:
        config = self.folder / "config.json5"
        self.request()
        big = b"\x0a\x04full" + bytes(20_000)
        with GeyserServer(lambda _: Script([b"", big, b""], (("x-a", "b"),))) as peer:
            config.write_text(
                f"""{{sources: [{{geyser: '{peer.url}', subscribe: 'request.json',
                    receive_limit: '10KiB'}}], limits: {{until_end: true}}}}"""
            )
            result = run("record", "-o", self.folder / "g", "--config", config)
        self.check(result)
        (stream,) = streams(self.folder / "g")
        self.assertEqual(stream.messages(), [b""])
        self.assertGap(self.folder / "g", "message_too_large")

        def script(peer: Peer) -> None:
            list(play(peer, invented(2, 1), fragments))
            peer.wire.send(Frame(TEXT, b"y" * 300_000))
            peer.close.wait(20)

        with EvmServer(script) as server:
            config.write_text(
                f"""{{sources: [{{ws: '{server.url}', receive_limit: '256KiB',
                    calls: [{json.dumps(HEADS)}]}}], limits: {{until_end: true}}}}"""
            )
            result = run("record", "-o", self.folder / "w", "--config", config)
        self.check(result)
        self.assertGap(self.folder / "w", "message_too_large")

    def test_protocol_violations_end_the_stream_with_a_gap(self) -> None:
        bad = {
            "reserved bit": Frame(TEXT, b"x", True, 2).encoded(),
            "reserved opcode": Frame(3, b"x").encoded(),
            "long ping": Frame(9, b"x" * 126).encoded(),
            "cut ping": Frame(9, b"x", False).encoded(),
            "masked": Frame(TEXT, b"hello").encoded(masked=True),
            "stray continuation": Frame(0, b"x").encoded(),
            "length over 63 bits": b"\x81\x7f" + b"\xff" * 8,
            "long form of a short length": b"\x81\x7e\0\x05hello",
        }
        for name, data in bad.items():
            with self.subTest(name=name):
                target = self.folder / name.replace(" ", "-")

                def script(peer: Peer) -> None:
                    list(play(peer, invented(2, 1), fragments))
                    peer.wire.send_raw(data)
                    peer.close.wait(20)

                with EvmServer(script) as server:
                    words = ("--ws", server.url, "--call", json.dumps(HEADS), "--until-end")
                    self.check(run("record", "-o", target, *words))
                self.verified(target)
                self.assertGap(target, "protocol_violation")

    def test_answers_that_are_errors(self) -> None:
        def script(peer: Peer) -> None:
            peer.calls.get(timeout=20)
            error = {"code": -32601, "message": f"no {SECRET} here"}
            peer.wire.send(*fragments(text_of({"jsonrpc": "2.0", "id": 1, "error": error})))
            end(peer, 1000)

        with EvmServer(script) as server:
            words = ("--ws", f"{server.url}/{SECRET}", "--call", json.dumps(HEADS))
            with Running("record", "-o", self.folder / "rec", *words) as recording:
                recording.wait_said("refused")
                result = recording.stop()
        self.assertRegex(result.stderr, "-32601")
        self.assertNotIn(SECRET, result.stderr)


class Files(Case):
    def test_malformed_subscriptions_name_file_and_place(self) -> None:
        cases = {
            "": "",
            "{": "",
            "[]": "",
            '{"slots": 5}': "slots",
            '{"slots": {"a": {"interslotUpdates": "x"}}}': "interslot",
            '{"nonsense": {}}': "nonsense",
            '{"commitment": "SOON"}': "commitment",
            '{"fromSlot": "-1"}': "[Ff]rom_?[Ss]lot",
            '{"accountsDataSlice": [{"offset": "99999999999999999999"}]}': "offset",
            "\ufeff{}\x00": "",
            "[" * 100_000: "",
        }
        for text, place in cases.items():
            with self.subTest(text=text[:60]):
                file = self.folder / "broken.json"
                file.write_text(text)
                words = ("--geyser", "http://127.0.0.1:1", "--subscribe", file)
                result = self.check(run("record", "-o", self.folder / "rec", *words), 2)
                self.assertIn("broken.json", result.stderr)
                self.assertRegex(result.stderr, place or "broken.json: .{10,}")
                self.assertFalse((self.folder / "rec").exists())
        result = run("record", "-o", "x", "--geyser", "http://h:1", "--subscribe", "absent.json")
        self.check(result, 2, "absent.json")

    def test_malformed_calls(self) -> None:
        for call in ("", "{", "[]", "{}", '{"method":5}', '{"method":"a","params":5}'):
            with self.subTest(call=call):
                words = ("--ws", "ws://127.0.0.1:1", "--call", call)
                self.check(run("record", "-o", self.folder / "rec", *words), 2, "call")

    def test_malformed_configurations_name_file_and_place(self) -> None:
        call = '{method: "eth_subscribe", params: ["newHeads"]}'
        good = f'{{id: "a", ws: "ws://127.0.0.1:1", calls: [{call}]}}'
        cases = {
            "": "JSON5",
            "{": "JSON5",
            "{}": "source",
            "{sources: 5}": "sources",
            "{sources: []}": "source",
            "{sources: [{}]}": r"sources\[0\]",
            f"{{sources: [{good}, {good}]}}": "'a'",
            f"{{sources: [{good}], colour: 'red'}}": "colour",
            f"{{sources: [{good}], log: {{rotate_bytes: '1 parsec'}}}}": r"log\.rotate_bytes",
            f"{{sources: [{good}], limits: {{frames: -1}}}}": r"limits\.frames",
            "{sources: [{ws: 'ws://127.0.0.1:1', calls: []}]}": r"sources\[0\]\.calls",
            "{sources: [{geyser: 'http://127.0.0.1:1', subscribe: 'absent.json'}]}": "absent.json",
            f"{{sources: [{{geyser: 'http://127.0.0.1:1', token: '{SECRET}'}}]}}": "token|subscribe",
        }
        for text, place in cases.items():
            with self.subTest(text=text):
                file = self.folder / "broken.json5"
                file.write_text(text)
                for words in (
                    ("record", "-o", self.folder / "rec", "--config", file),
                    ("config", "check", file),
                ):
                    result = self.check(run(*words), 2, f"broken.json5: .*({place})")
                    self.assertEqual(result.stdout, "")
                    self.assertNotIn(SECRET, result.stderr)


class Numbers(Case):
    """Every option of a configuration and every flag with a number at its bounds and beyond."""

    #: Option, its least and greatest value, and the value below and above where there is one.
    SIZES = {"rotate_bytes": ("1MiB", "1TiB"), "queue_bytes": ("1MiB", "4GiB")}
    TIMES = {"interval": ("1ms", "60s"), "rotate_after": ("1s", "365d")}
    RECONNECT = {
        "first": ("10ms", "1h"), "longest": ("10ms", "1h"), "first_when_busy": ("10ms", "1h"),
        "longest_when_busy": ("10ms", "1h"), "refused": ("30s", "1d"), "reset_after": ("10ms", "1h"),
        "longest_retry_after": ("10ms", "1d"),
    }  # fmt: skip
    #: What no option takes; as JSON5.
    NEVER = (
        "-1", "'-1'", "'-1s'", "NaN", "Infinity", "-Infinity", "''", "'NaN'", "1e300", "1.5",
        "9223372036854775808", "18446744073709551616", "'99999999999999999999d'",
        "'18446744073709551616'", "[]", "{}", "true", "'1 s'", "'1e3'", "'0x10'", "'\u0661s'",
    )  # fmt: skip

    def options(self) -> dict[str, tuple[str, str, str]]:
        """The path of each option, with its least and greatest value as JSON5."""
        found: dict[str, tuple[str, str, str]] = {}
        for name, (least, most) in (self.SIZES | self.TIMES).items():
            found[f"log.{name}"] = (f"log: {{{name}: @}}", f"'{least}'", f"'{most}'")
        found["limits.for"] = ("limits: {for: @}", "'1ms'", "'9223372036854775807ns'")
        found["limits.frames"] = ("limits: {frames: @}", "1", "9223372036854775807")
        for place, kind in (("sources[0]", "geyser"), ("sources[1]", "ws")):
            for name, (least, most) in self.RECONNECT.items():
                found[f"{place}.reconnect.{name}"] = (
                    f"{kind}: reconnect: {{{name}: @}}", f"'{least}'", f"'{most}'",
                )  # fmt: skip
            found[f"{place}.keepalive.every"] = (f"{kind}: keepalive: {{every: @}}", "'1s'", "'1h'")
            found[f"{place}.keepalive.timeout"] = (
                f"{kind}: keepalive: {{timeout: @}}", "'1s'", "'10m'",
            )  # fmt: skip
            found[f"{place}.receive_limit"] = (f"{kind}: receive_limit: @", "1024", "'64MiB'")
        found["sources[0].ping_seconds"] = ("geyser: ping_seconds: @", "0", "3600")
        return found

    def write(self, text: str, geyser: str = "http://127.0.0.1:1") -> pathlib.Path:
        """A configuration with one option set."""
        (self.folder / "all.json").write_text('{"slots":{"all":{}}}')
        kind, _, option = text.partition(": ")
        more = {"geyser": "", "ws": ""}
        top = ""
        if kind in more:
            more[kind] = ", " + option
        else:
            top = ", " + text
        file = self.folder / "deck.json5"
        file.write_text(
            f"""{{sources: [{{geyser: '{geyser}', subscribe: 'all.json'{more["geyser"]}}},
                {{ws: 'ws://127.0.0.1:1', calls: [{json.dumps(HEADS)}]{more["ws"]}}}]{top}}}"""
        )
        return file

    def test_options_beyond_their_bounds_are_named(self) -> None:
        """One value an option here; the tests of `Command` have every value for each."""
        for number, (path, (text, least, most)) in enumerate(self.options().items()):
            zero = () if least == "0" else ("0",)
            for value in (self.NEVER[number % len(self.NEVER)], *zero):
                with self.subTest(path=path, value=value):
                    result = run("config", "check", self.write(text.replace("@", value)))
                    self.check(result, 2, re.escape(f"deck.json5: {path}: expected") + "|" + re.escape(
                        f"deck.json5: it is not JSON5"
                    ))  # fmt: skip

    def test_options_at_their_bounds_record(self) -> None:
        sent = invented_updates(3, 1)
        for bound in (1, 2):
            groups: dict[str, list[str]] = {"log": [], "reconnect": [], "keepalive": [], "": []}
            for path, option in self.options().items():
                *place, name = path.split(".")
                if place[0] in ("log", "sources[0]"):
                    group = place[-1] if place[-1] in groups else ""
                    groups[group].append(f"{name}: {option[bound]}")
            with GeyserServer(lambda _: Script(sent)) as peer:
                file = self.write("none", peer.url)
                (self.folder / "deck.json5").write_text(
                    f"""{{sources: [{{geyser: '{peer.url}', subscribe: 'all.json',
                        reconnect: {{{", ".join(groups["reconnect"])}}},
                        keepalive: {{{", ".join(groups["keepalive"])}}},
                        {", ".join(o for o in groups[""] if "receive" not in o)}}}],
                        log: {{{", ".join(groups["log"])}}},
                        limits: {{until_end: true}}}}"""
                )
                target = self.folder / f"rec-{bound}"
                self.check(run("record", "-o", target, "--config", file))
            self.verified(target)
            (stream,) = streams(target)
            self.assertSameMessages(stream.messages(), sent)

    def test_flags_at_and_beyond_their_bounds(self) -> None:
        rec = self.folder / "rec"
        self.check(run("synth", "--seed", "1", "--slots", "3", "-o", rec))
        record = ["record", "-o", self.folder / "new", "--ws", "ws://127.0.0.1:1"]
        record += ["--call", json.dumps(HEADS)]
        serve = ["serve", rec, "--geyser", "127.0.0.1:0"]
        verbs: dict[str, tuple[list[Any], list[str]]] = {
            "--for": (record, ["0x1", "0"]), "--frames": (record, ["0"]),
            "--wait-clients": (serve, ["0", "100001"]), "--rate": (serve, ["0", "1000001", "0.0"]),
            "--geyser": (serve, ["127.0.0.1:65536", "127.0.0.1", ":", "[::1", "a:b:c"]),
            "--seed": (["synth", "-o", self.folder / "s"], []),
            "--slots": (["synth", "-o", self.folder / "s"], ["0", "10000001"]),
            "--from": (["cat", rec], ["seq:", "seq:0x1", "slot:1..a", "time:never", "time:2026"]),
            "--to": (["replay", rec], ["seq:-1", "seq:18446744073709551616", "slot:+", "block:"]),
        }  # fmt: skip
        never = ["-1", "", "NaN", "inf", "1e9", " 1", "1 ", "18446744073709551616", "9" * 400]
        for flag, (words, more) in verbs.items():
            for value in never + more:
                if flag in ("--from", "--to") and value in ("18446744073709551616",):
                    continue
                with self.subTest(flag=flag, value=value[:40]):
                    result = run(*words, flag, value)
                    self.check(result, 2, f"{flag}.*expected|{flag} ")
        # The greatest values are taken, and nothing traps on them.
        most = str((1 << 64) - 1)
        for words, codes in (
            ([*record, "--frames", most, "--until-end"], {2}),
            (["replay", rec, "--rate", "1000000"], {0}),
            (["cat", rec, "--from", f"seq:{most}"], {5}),
            (["cat", rec, "--from", f"seq:1..+{most}"], {0, 5}),
            (["cat", rec, "--to", f"seq:..{most}"], {0, 5}),
            (["cat", rec, "--from", f"slot:{most}.."], {5}),
            (["cat", rec, "--from", f"slot:0..+{most}"], {0, 5}),
            (["cat", rec, "--from", "time:9999-12-31T23:59:59Z"], {2, 5}),
            (["cat", rec, "--from", "time:1677-09-21T00:12:44Z.."], {0, 2, 5}),
            (["replay", rec, "--rate", "max", "--from", "seq:0"], {0, 5}),
            (["synth", "-o", self.folder / "big", "--seed", most, "--slots", "1"], {0}),
        ):
            with self.subTest(words=words[2:]):
                result = run(*words)
                self.assertIn(self.check(result, result.code).code, codes, f"\n{result}")


class Recordings(Case):
    def make(self, name: str = "rec", slots: int = 5) -> pathlib.Path:
        target = self.folder / name
        self.check(run("synth", "--seed", "3", "--slots", str(slots), "-o", target))
        return target

    def segments(self, path: pathlib.Path) -> list[pathlib.Path]:
        return sorted((path / "segments").glob("*.seg"))

    def readers(self, path: pathlib.Path) -> list[list[Any]]:
        words: list[list[Any]] = [["cat", path], ["verify", path], ["info", path]]
        words.append(["replay", path, "--rate", "max"])
        words.append(["serve", path, "--geyser", "127.0.0.1:0"])
        return words

    def others(self, path: pathlib.Path) -> list[list[Any]]:
        """Every other verb that opens a recording."""
        out = self.folder / "out"
        words: list[list[Any]] = [[verb, path] for verb in ("du", "gaps", "requests", "pin")]
        words += [[verb, path, "-o", out] for verb in ("recover", "cut", "merge")]
        for form in ("ndjson", "csv", "mcap"):
            words.append(["export", path, "--format", form, "-o", out])
        words += [["diff", path, path], ["retire", path, "--keep-bytes", "1GiB"]]
        words.append(["pin", path, "a", "--at", "seq:1"])
        return words

    def test_what_is_no_recording(self) -> None:
        empty, file = self.folder / "empty", self.folder / "file"
        empty.mkdir()
        file.write_text("hello")
        odd = self.folder / "odd"
        odd.mkdir()
        (odd / "recording.json").write_text("{")
        for place in (self.folder / "absent", empty, file, odd):
            for words in self.readers(place) + self.others(place):
                with self.subTest(words=words):
                    result = self.check(run(*words), 1)
                    self.assertIn(place.name, result.stderr)
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        for place in (file, odd):
            words = ("record", "-o", place, "--geyser", "http://127.0.0.1:1", "--subscribe", request)
            for more in ((), ("--force",)):
                with self.subTest(place=place.name, more=more):
                    self.check(run(*words, *more), 1, place.name)
        self.assertEqual(file.read_text(), "hello")
        self.assertEqual((odd / "recording.json").read_text(), "{")

    def test_a_flipped_byte_anywhere_is_found(self) -> None:
        path = self.make()
        for segment in self.segments(path):
            whole = segment.read_bytes()
            size = len(whole)
            for place in sorted({*range(0, size, max(1, size // 24)), size - 1, 9, 40}):
                with self.subTest(file=segment.name, place=place):
                    segment.write_bytes(
                        whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
                    )
                    result = run("verify", path)
                    self.assertNotEqual(result.code, 0, f"byte {place} of {size}\n{result}")
                    self.check(result, result.code)
                    self.assertIn(result.code, (1, 3))
                    self.assertIn(segment.name, result.stderr)
                    for words in self.readers(path)[:1]:
                        self.assertIn(self.check_any(run(*words)).code, (0, 1, 3))
            segment.write_bytes(whole)
        self.verified(path)

    def check_any(self, result: Result) -> Result:
        return self.check(result, result.code)

    def test_a_damaged_block_is_stepped_over_and_stops_replay(self) -> None:
        path = self.make(slots=20)
        before = [r.line for r in records(path)]
        segment = max(self.segments(path), key=lambda s: s.stat().st_size)
        whole = bytearray(segment.read_bytes())
        whole[len(whole) // 2] ^= 1
        segment.write_bytes(bytes(whole))
        result = self.check(run("cat", path, "--format", "ndjson"), 3, f"{segment.name}.*[0-9]+")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        kept = [line for line in lines if "sequence" in line]
        damage = [line for line in lines if line["kind"] == "damage"]
        self.assertEqual(len(damage), 1)
        self.assertEqual(damage[0]["file"], segment.name)
        missing = int(damage[0]["through"]) - int(damage[0]["from"]) + 1
        self.assertEqual(len(kept) + missing, len(before))
        self.assertEqual(kept, [l for l in before if l in kept])
        self.check(run("info", path), 3)
        self.check(run("replay", path, "--rate", "max"), 3)
        self.check(run("replay", path, "--rate", "max", "--skip-damage"), 3)

    def test_a_newer_version_is_its_own_answer(self) -> None:
        path = self.make()
        document = path / "recording.json"
        text = document.read_text()
        changed = text.replace('"version":"1.', '"version":"2.')
        self.assertNotEqual(text, changed, text)
        document.write_text(changed)
        before = sorted(path.rglob("*"))
        for words in self.readers(path) + self.others(path):
            with self.subTest(words=words[0]):
                self.check(run(*words), 1, "newer")
        self.assertEqual(sorted(path.rglob("*")), before)
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        words = ["record", "-o", path, "--geyser", "http://127.0.0.1:1", "--subscribe", request]
        self.check(run(*words), 1, f"{path.name}.*newer")
        self.assertEqual(document.read_text(), changed)

    def test_recording_goes_on_behind_damage_and_reports_it(self) -> None:
        path = self.make(slots=20)
        segment = max(self.segments(path), key=lambda s: s.stat().st_size)
        damaged = bytearray(segment.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        segment.write_bytes(bytes(damaged))
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        sent = invented_updates(5, 1)
        with GeyserServer(lambda _: Script(sent)) as peer:
            words = ["record", "-o", path, "--geyser", peer.url, "--subscribe", request]
            self.check(run(*words, "--until-end"))
        # Nothing of what was there is touched, and the verdict stays.
        self.assertEqual(segment.read_bytes(), bytes(damaged))
        self.check(run("verify", path), 3, segment.name)

    def test_a_second_writer_is_refused(self) -> None:
        path, hold = self.folder / "rec", threading.Event()
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        with GeyserServer(lambda _: Script(invented_updates(20, 1), hold=hold)) as peer:
            words = ("record", "-o", path, "--geyser", peer.url, "--subscribe", request)
            with Running(*words, "--acks") as first:
                first.wait_lines(1)
                for more in ((), ("--force",)):
                    says = f"{path.name}.*another process"
                    self.check(run(*words, "--for", "1s", *more), 1, says)
                # Readers are welcome meanwhile.
                self.check(run("verify", path))
                self.check(run("cat", path))
                hold.set()
                self.check(first.stop())
        self.verified(path)

    def test_a_writer_that_was_killed_is_in_nobodys_way_and_the_next_is(self) -> None:
        path, hold = self.folder / "rec", threading.Event()
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        with GeyserServer(lambda _: Script(invented_updates(20, 1), hold=hold)) as peer:
            words = ("record", "-o", path, "--geyser", peer.url, "--subscribe", request)
            last = 0
            for _ in range(3):
                with Running(*words, "--acks") as writer:
                    writer.wait_acknowledged(last + 20)
                    says = f"{path.name}.*another process"
                    self.check(run(*words, "--for", "1s"), 1, says)
                    self.check(run("retire", path, "--keep-bytes", "1MiB"), 1, says)
                    writer.process.kill()
                    writer.wait()
                last = max(record.sequence for record in records(path))
                self.verified(path)
            hold.set()
        found = [record.sequence for record in records(path)]
        self.assertEqual(found, list(range(1, len(found) + 1)))
        runs = [r for r in records(path) if r.kind == "run_started"]
        self.assertEqual([int(r.detail["writer_epoch"]) for r in runs], [1, 2, 3])

    def test_a_torn_tail_is_cut_and_kept_aside(self) -> None:
        path = self.folder / "rec"
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        sent, hold = invented_updates(200, 2), threading.Event()
        with GeyserServer(lambda _: Script(sent, hold=hold)) as peer:
            words = ("record", "-o", path, "--geyser", peer.url, "--subscribe", request, "--acks")
            with Running(*words) as first:
                first.wait_lines(1)
                first.process.kill()
                first.wait()
            segment = self.segments(path)[-1]
            with segment.open("ab") as file:
                file.write(b"\x07torn tail of a write that did not end" * 3)
            result = self.check(run("verify", path))
            self.assertIn("torn", result.stdout)
            hold.set()
            again = self.check(run(*words[:-1], "--for", "300ms"), 0, "torn bytes")
        aside = re.search(r"kept in (\S+)", again.stderr)
        assert aside
        kept = pathlib.Path(aside[1].rstrip(".,"))
        kept = kept if kept.is_absolute() else next(path.rglob(kept.name))
        self.assertIn(b"torn tail of a write", kept.read_bytes())
        self.verified(path)

    def test_an_output_that_is_there_is_not_overwritten(self) -> None:
        path = self.make()
        self.check(run("synth", "--slots", "2", "-o", path), 1, "--force")
        self.check(run("synth", "--slots", "2", "-o", path, "--force"))
        file = self.folder / "file"
        file.write_text("precious")
        for words in (("synth", "--slots", "2", "-o", file, "--force"),):
            self.assertNotEqual(self.check_any(run(*words)).code, 0)
            self.assertEqual(file.read_text(), "precious")

    def test_a_range_that_is_not_there_exits_5(self) -> None:
        path = self.make()
        for words in (["cat", path, "--from", "seq:99999999"], ["cat", path, "--from", "slot:1..2"]):
            with self.subTest(words=words[2:]):
                self.check(run(*words), 5)

    def test_a_closed_pipe_is_a_good_end(self) -> None:
        path = self.make(slots=20)
        line = '"$0" cat "$1" --format ndjson | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"'
        done = subprocess.run(
            ["bash", "-c", line, os.environ["TAPEDECK_BIN"], str(path)], capture_output=True
        )
        self.assertEqual(done.stdout.strip(), b"0", done.stderr)

    def unread(self, *words: object) -> tuple[int, str]:
        """Exit code and talk of a command whose output nobody reads from the beginning."""
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = subprocess.run(
                [os.environ["TAPEDECK_BIN"], *map(str, words)],
                stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, text=True,
                check=False, timeout=60,
            )  # fmt: skip
        finally:
            os.close(writer)
        return done.returncode, done.stderr

    def test_every_verb_ends_well_when_nobody_reads_it(self) -> None:
        path = self.make(slots=20)
        self.check(run("test", path, "--update"))
        token = self.check(run("state", path, "--table", "tokens", "--format", "csv")).stdout
        entity = token.splitlines()[1].split(",")[0]
        for words in (
            ["info", path], ["verify", path], ["du", path], ["gaps", path], ["requests", path],
            ["diff", path, path], ["cat", path], ["replay", path, "--rate", "max", "--format", "text"],
            ["state", path], ["state", path, "--format", "json"], ["state", path, "--table", "list"],
            ["digest", path], ["coverage", path], ["coverage", path, "--trades"],
            ["why", path, entity], ["rebuild", path], ["test", path], ["help"], ["version"],
            ["replay", path, "--rate", "max", "--projector", "lifecycle"],
            ["completion", "bash"], ["cat", "--help"], ["pin", path],
        ):  # fmt: skip
            with self.subTest(words=[word for word in words if word != path]):
                code, talk = self.unread(*words)
                self.assertEqual(code, 0, talk)
                self.assertNotRegex(talk, r"(?i)pipe|stdout|errno")

    def test_a_verdict_that_nobody_reads_stays_the_exit_code(self) -> None:
        path = self.make(slots=20)
        other = self.make("other", slots=21)
        self.assertEqual(self.unread("diff", path, other)[0], run("diff", path, other).code)
        self.check(run("test", path, "--update"))
        ladder = path / "expected" / "ladder.txt"
        ladder.write_text(ladder.read_text().replace("chain ", "chain 0", 1))
        self.assertEqual(self.unread("test", path)[0], 4)
        segment = next((path / "segments").glob("*.seg"))
        spoil = bytearray(segment.read_bytes())
        spoil[len(spoil) // 2] ^= 0x10
        segment.write_bytes(spoil)
        for verb in ("verify", "state", "coverage"):
            self.assertEqual(self.unread(verb, path)[0], 3, verb)


def field(number: int, value: bytes | int) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Folding(Case):
    """Messages that strangers sent, in a recording that is folded."""

    #: Bytes of memory that no fold of these recordings may need; a million parsed transactions
    #: would be far more.
    MEMORY = 400 << 20

    def fold(self, *words: object) -> str:
        """What a command printed, whose memory is looked at."""
        process = subprocess.Popen(
            [os.environ["TAPEDECK_BIN"], *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        text = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        self.assertEqual(process.returncode, 0, words)
        self.assertLess(usage.ru_maxrss << 10, self.MEMORY, words)
        return text

    def imported(self, name: str, messages: list[bytes]) -> pathlib.Path:
        file = self.folder / f"{name}.bin"
        file.write_bytes(b"".join(len(m).to_bytes(4, "little") + m for m in messages))
        path = self.folder / name
        words = ("--format", "solana-le", "--chain", "solana", "-o", path)
        self.check(run("import", file, *words))
        return path

    def sequences(self, path: pathlib.Path) -> list[tuple[int, bytes]]:
        kind = "grpc_message_in"
        return [(r.sequence, r.payload) for r in records(path) if r.kind == kind]

    def test_a_million_empty_messages_are_one_counted_message_each(self) -> None:
        market = self.folder / "market"
        self.check(run("synth", "--seed", "5", "--slots", "40", "--blocks", "0", "-o", market))
        good = [payload for _, payload in self.sequences(market)]
        million = 1_000_000
        # A block's head, with an old slot and a hash: what counts is what hangs on it.
        head = field(1, 7) + field(2, b"1" * 32) + field(7, 6) + field(8, b"1" * 32)
        empty = {
            "transactions of a block": field(5, head + field(6, b"") * million),
            "accounts of a block": field(5, head + field(11, b"") * million),
            "entries of a block": field(5, head + field(13, b"") * million),
            "signatures": field(4, field(1, field(3, field(1, b"") * million)) + field(2, 7)),
            "instructions": field(
                4, field(1, field(3, field(2, field(4, b"") * million))) + field(2, 7)
            ),
            "inner instructions": field(4, field(1, field(4, field(5, b"") * million)) + field(2, 7)),
            "log lines": field(4, field(1, field(4, field(6, b"") * million)) + field(2, 7)),
            "filters": field(1, b"") * million,
            "fields that nobody knows": field(4, field(99, b"") * million),
        }
        step = len(good) // (len(empty) + 1)
        bad: list[bytes] = []
        for place, message in enumerate(good):
            bad.append(message)
            if place % step == step - 1 and empty:
                bad.append(empty.pop(next(iter(empty))))
        self.assertFalse(empty)
        plain = self.imported("plain", good)
        path = self.imported("bad", bad)
        chain = r"^slot \d+ chain \w+$"
        expected = re.findall(chain, self.fold("rebuild", plain), re.M)
        self.assertTrue(expected)
        # Of the slots that were folded in between too: nothing that is final came of them.
        self.assertEqual(re.findall(chain, self.fold("rebuild", path), re.M), expected)
        ladder = ["digest", "--every", "1"]
        self.assertEqual(
            re.findall(chain, self.fold(*ladder, path), re.M),
            re.findall(chain, self.fold(*ladder, plain), re.M),
        )
        one, other = (
            json.loads(self.fold("coverage", deck_, "--format", "json")) for deck_ in (plain, path)
        )
        self.assertEqual(int(other["messages"]), int(one["messages"]) + 9)
        before = {row["reason"] for row in one["dropped"]}
        found = {row["reason"]: row for row in other["dropped"] if row["reason"] not in before}
        large = [(number, m) for number, m in self.sequences(path) if len(m) > million]
        # Transactions of the block have no signature; those that come alone have none either.
        blocks = [number for number, message in large if message[0] == 5 << 3 | 2]
        others = [number for number, message in large if message[0] == 4 << 3 | 2]
        self.assertEqual(found["incomplete_block"]["first_sequence"], str(blocks[0]))
        self.assertEqual(found["incomplete_block"]["count"], "1")
        self.assertEqual(found["incomplete"]["first_sequence"], str(others[0]))
        self.assertEqual(found["incomplete"]["count"], str(len(others)))

    def test_the_first_record_of_each_failure_is_told(self) -> None:
        market = self.folder / "market"
        self.check(run("synth", "--seed", "5", "--slots", "20", "--blocks", "0", "-o", market))
        messages = self.sequences(market)
        # The tag by which a program calls itself to leave an event, and that of a trade.
        tag = bytes.fromhex("e445a52e51cb9a1dbddb7fd34ee661ee")
        hit = next(place for place, (_, payload) in enumerate(messages) if tag in payload)
        message = messages[hit][1]
        # Lengths stay right; the event has another name in its call and is gone from the log.
        bad = [payload for _, payload in messages]
        bad[hit] = message.replace(bytes.fromhex("bddb7fd34ee661ee"), b"newevent").replace(
            b"Program data: ", b"Program dato: "
        )
        path = self.imported("bad", bad)
        sequence = next(number for number, payload in self.sequences(path) if b"newevent" in payload)
        report = json.loads(self.check(run("coverage", path, "--format", "json")).stdout)
        unknown = [row for row in report["unknown"] if row["discriminator"] == b"newevent".hex()]
        self.assertEqual([row["first_sequence"] for row in unknown], [str(sequence)])
        (curve,) = [row for row in report["strategies"] if row["strategy"] == "pump_curve"]
        self.assertEqual(curve["failed"], {"no_event": "1"})
        self.assertEqual(curve["first_failed"], {"no_event": str(sequence)})
        text = self.check(run("coverage", path)).stdout
        self.assertRegex(text, re.compile(rf"^pump_curve +no_event +1 +{sequence}$", re.M))


class FullDisk(Case):
    def setUp(self) -> None:
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        size = ("-o", "size=6m", "-t", "tmpfs", "tmpfs", str(self.disk))
        if os.geteuid() != 0 or subprocess.run(["mount", *size], capture_output=True).returncode:
            self.skipTest("a small disk needs the right to mount one")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=False)

    def words(self, url: str) -> list[str]:
        request = self.folder / "request.json"
        request.write_text('{"slots":{"all":{}}}')
        return ["record", "-o", str(self.disk / "rec"), "--geyser", url, "--subscribe", str(request)]

    def sent(self) -> list[bytes]:
        return [struct.pack("<I", n) + os.urandom(20_000) for n in range(600)]

    def test_exit_on_full_ends_and_leaves_a_whole_recording(self) -> None:
        sent, hold = self.sent(), threading.Event()
        with GeyserServer(lambda _: Script(sent, hold=hold)) as peer:
            result = run(*self.words(peer.url), "--on-full", "exit", "--acks", timeout=60)
            hold.set()
        self.check(result, 1, "(?i)full|no space")
        said = [l for l in result.stderr.splitlines() if "cannot be written any more" in l]
        self.assertEqual(len(said), 1, result)
        self.verified(self.disk / "rec")
        (stream,) = streams(self.disk / "rec")
        last = max(record.sequence for record in records(self.disk / "rec"))
        acknowledged = [int(line) for line in result.stdout.split()]
        # On a fast machine the disk is full before anything was synced and acknowledged.
        self.assertGreaterEqual(last, max(acknowledged, default=0))
        self.assertSameMessages(stream.messages(), sent[: len(stream.messages())])

    def wait_for_room(self, ends: bool) -> None:
        sent, hold = self.sent(), None if ends else threading.Event()
        with GeyserServer(lambda _: Script(sent, hold=hold)) as peer:
            with Running(*self.words(peer.url), "--until-end") as recording:
                recording.wait_said("takes no data")
                size = ["mount", "-o", "remount,size=64m", str(self.disk)]
                subprocess.run(size, check=True, capture_output=True)
                if hold:
                    recording.wait_said("takes data again")
                    hold.set()
                self.check(recording.wait(60))
        self.verified(self.disk / "rec")
        (stream,) = streams(self.disk / "rec")
        self.assertSameMessages(stream.messages(), sent)

    def test_waiting_on_full_loses_nothing_once_there_is_room(self) -> None:
        self.wait_for_room(ends=False)

    def test_streams_that_end_while_the_disk_is_full_are_still_written(self) -> None:
        self.wait_for_room(ends=True)


if __name__ == "__main__":
    unittest.main()
