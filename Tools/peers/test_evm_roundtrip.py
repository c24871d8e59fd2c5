"""EVM WebSocket streams through record, serve and record again, frame by frame."""

from __future__ import annotations

import json
import pathlib
import random
import re
import threading
import time
import unittest
from email.utils import formatdate
from typing import Any, Callable

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import certificates
from deck import Case, Record, Result, Running, Stream, first_addresses, records, run, shared, streams
from evm_peer import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Captured, EvmClient, EvmServer, Frame, Peer,
    close_frame, deflated, end, fragments, messages_of, play, read_captured,
)  # fmt: skip

HEADS = {"method": "eth_subscribe", "params": ["newHeads"]}
LOGS = {"method": "eth_subscribe", "params": ["logs", {"topics": [["0x" + "ab" * 32]]}]}
#: How a connection may end: codes of close frames, and None for no close frame at all.
ENDINGS: list[int | None] = [1000, 1001, 1008, 1011, 1012, 1013, None]


def text_of(value: Any) -> bytes:
    """JSON as a node writes it: compact, with a line feed."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def invented(count: int, seed: int, name: str = "invented") -> Captured:
    """A connection with one subscription and notifications of every size class."""
    draw = random.Random(seed)
    identity = hex(draw.getrandbits(126))
    rows = [
        (True, json.dumps({"jsonrpc": "2.0", "id": 1, **HEADS}).encode()),
        (False, text_of({"jsonrpc": "2.0", "id": 1, "result": identity})),
    ]
    for number in range(count):
        size = draw.choice([0, 200, 880, 890, 900, 1_000, 1_950, 1_960, 5_000, 66_000])
        head = {"number": hex(1_000 + number), "hash": "0x" + draw.randbytes(32).hex()}
        head["extraData"] = "0x" + draw.randbytes(size // 2).hex() + "é"[: number % 2]
        notice = {"subscription": identity, "result": head}
        rows.append(
            (False, text_of({"jsonrpc": "2.0", "method": "eth_subscription", "params": notice}))
        )
    return Captured(name, rows)


def frame_of(record: Record) -> Frame:
    """The frame that a record holds."""
    flags = record.flags
    return Frame(flags["opcode"], record.payload, flags["fin"], flags["rsv"])


def frames_in(stream: Stream) -> list[Frame]:
    """The frames that arrived on a stream."""
    return [frame_of(r) for r in stream.frames if r.kind == "websocket_frame_in"]


class EvmCase(Case):
    def configuration(
        self, sources: dict[str, str], calls: dict[str, list[Any]], **more: Any
    ) -> pathlib.Path:
        """A configuration file: URLs and calls by source id."""
        file = self.folder / f"record-{len(list(self.folder.iterdir()))}.json5"
        listed = [{"id": id, "ws": url, "calls": calls[id], **more} for id, url in sources.items()]
        file.write_text(json.dumps({"sources": listed, "limits": {"until_end": True}}))
        return file

    def assertSameFrames(self, got: list[Frame], expected: list[Frame], about: str) -> None:
        for place, (one, other) in enumerate(zip(got, expected)):
            if one != other:
                self.fail(
                    f"{about}: frame {place} is {one.opcode} fin {one.fin} rsv {one.rsv} "
                    f"{len(one.payload)} bytes {one.payload[:80]!r}, expected {other.opcode} fin "
                    f"{other.fin} rsv {other.rsv} {len(other.payload)} bytes {other.payload[:80]!r}"
                )
        self.assertEqual(len(got), len(expected), f"{about}: another number of frames")

    def record_calls(
        self, target: pathlib.Path, url: str, calls: list[Any], *more: str, code: int = 0
    ) -> Result:
        words = [w for call in calls for w in ("--call", json.dumps(call))]
        return self.check(
            run("record", "-o", target, "--ws", url, *words, "--until-end", *more), code
        )

    def ask(self, client: EvmClient, calls: list[Any]) -> None:
        for number, call in enumerate(calls):
            client.call({"jsonrpc": "2.0", "id": number + 1, **call})


class RoundTrip(EvmCase):
    def record_many(
        self, target: pathlib.Path, captured: list[Captured], cut: Callable[[bytes], list[Frame]]
    ) -> dict[str, list[Frame]]:
        """Records all connections at once; returns what the node sent on each."""
        sent: dict[str, list[Frame]] = {}

        def script(peer: Peer) -> None:
            one = captured[int(peer.path.strip("/"))]
            frames = list(play(peer, one, cut))
            closing = end(peer, 1000, "done")
            sent[one.name] = frames + ([closing] if closing else [])

        with EvmServer(script) as server:
            urls = {one.name: f"{server.url}/{n}" for n, one in enumerate(captured)}
            calls = {one.name: one.calls for one in captured}
            self.check(run("record", "-o", target, "--config", self.configuration(urls, calls)))
        self.verified(target)
        found = {stream.source: stream for stream in streams(target)}
        self.assertEqual(set(found), {one.name for one in captured})
        for one in captured:
            got = frames_in(found[one.name])
            self.assertSameFrames(got, sent[one.name], f"recorded {one.name}")
            self.assertSameMessages(messages_of(got), one.incoming, f"messages of {one.name}")
        return sent

    def serve_many(
        self, path: pathlib.Path, captured: list[Captured], sent: dict[str, list[Frame]]
    ) -> None:
        """Serves each source on its own port: exact frames, whole messages, and again recorded."""
        self.needs("serve")
        words = [w for one in captured for w in ("--ws", f"127.0.0.1:0={one.name}")]
        again = self.folder / f"again-{path.name}"
        with Running("serve", path, *words, "--rate", "max") as serving:
            addresses = first_addresses(serving, len(captured))
            for one, address in zip(captured, addresses):
                with EvmClient(address) as client:
                    self.ask(client, one.calls)
                    got = client.read_to_end()
                    self.assertSameFrames(got, sent[one.name], f"served {one.name}")
            for one, address in list(zip(captured, addresses))[:3]:
                got_messages: list[bytes] = []
                with connect(f"ws://{address}", compression=None, max_size=None) as library:
                    for number, call in enumerate(one.calls):
                        library.send(json.dumps({"jsonrpc": "2.0", "id": number + 1, **call}))
                    try:
                        while True:
                            data = library.recv(timeout=30)
                            got_messages.append(data.encode() if isinstance(data, str) else data)
                    except ConnectionClosed as closed:
                        self.assertEqual(closed.rcvd and closed.rcvd.code, 1000)
                self.assertSameMessages(got_messages, one.incoming, f"a library reads {one.name}")
            urls = {one.name: f"ws://{a}" for one, a in zip(captured, addresses)}
            calls = {one.name: one.calls for one in captured}
            self.check(run("record", "-o", again, "--config", self.configuration(urls, calls)))
            self.check(serving.stop())
        self.verified(again)
        for stream in streams(again):
            self.assertSameFrames(frames_in(stream), sent[stream.source], f"again {stream.source}")

    def real(self, wanted: Callable[[str], bool]) -> None:
        everything = read_captured(shared("evm", "real.jsonl"))
        captured = [one for name, one in everything.items() if wanted(name)]
        self.assertGreater(len(captured), 10)
        # One record command takes 64 sources at most.
        parts = [captured[start : start + 60] for start in range(0, len(captured), 60)]
        sent = [self.record_many(self.folder / f"{n}", part, fragments) for n, part in enumerate(parts)]
        for one in sent:
            self.assertTrue(any(not frame.fin for frames in one.values() for frame in frames))
        for n, part in enumerate(parts):
            self.serve_many(self.folder / f"{n}", part, sent[n])

    def test_real_polygon_connections(self) -> None:
        self.real(lambda name: name.startswith("poly"))

    def test_real_ethereum_connections(self) -> None:
        self.real(lambda name: name.startswith("eth"))

    def test_invented_connections(self) -> None:
        captured = [invented(60, seed, f"s{seed}") for seed in range(4)]
        target = self.folder / "rec"
        self.serve_many(target, captured, self.record_many(target, captured, fragments))


class Frames(EvmCase):
    """Odd but legal frames, and how connections end."""

    def odd(self, peer: Peer) -> list[Frame]:
        """Control frames between fragments, empty and binary messages, one byte a frame."""
        one = invented(20, 5)
        frames = list(play(peer, one, fragments))
        body = one.incoming[-1][:900]
        more = [
            Frame(PING, b""),
            Frame(TEXT, body[:100], False), Frame(PING, b"in the middle"),
            Frame(CONTINUATION, b"", False), Frame(CONTINUATION, body[100:], False),
            Frame(PONG, b"unasked"), Frame(CONTINUATION, b""),
            Frame(BINARY, bytes(range(256))), Frame(BINARY, b""), Frame(TEXT, b""),
            *[Frame(TEXT if i == 0 else CONTINUATION, body[i : i + 1], i == 19) for i in range(20)],
            Frame(BINARY, b"\0" * 70_000), Frame(PING, b"p" * 125),
        ]  # fmt: skip
        peer.wire.send(*more)
        # Each ping is answered with its payload.
        for payload in (b"", b"in the middle", b"p" * 125):
            answer = peer.pongs.get(timeout=20)
            if answer != payload:
                raise AssertionError(f"pong {answer!r} instead of {payload!r}")
        return frames + more

    def one(self, target: pathlib.Path, code: int | None) -> list[Frame]:
        sent: list[Frame] = []

        def script(peer: Peer) -> None:
            sent.extend(self.odd(peer))
            closing = end(peer, code, "as planned")
            sent.extend([closing] if closing else [])

        with EvmServer(script) as server:
            self.record_calls(target, server.url, [HEADS])
        self.verified(target)
        return sent

    def test_every_ending_is_recorded_and_only_odd_ones_open_a_gap(self) -> None:
        for code in ENDINGS:
            with self.subTest(code=code):
                target = self.folder / f"end-{code}"
                sent = self.one(target, code)
                (stream,) = streams(target)
                self.assertSameFrames(frames_in(stream), sent, f"code {code}")
                assert stream.closed
                if code is not None:
                    self.assertEqual(stream.closed.detail["close_code"], str(code))
                    self.assertEqual(stream.closed.detail["close_reason"], "as planned")
                gaps = sum(record.kind == "gap_opened" for record in records(target))
                self.assertEqual(gaps, 0 if code in (1000, 1001) else 1)

    def test_odd_frames_and_every_ending_are_served_again(self) -> None:
        self.needs("serve")
        for code in ENDINGS:
            with self.subTest(code=code):
                target, again = self.folder / f"odd-{code}", self.folder / f"again-{code}"
                # Pongs answered the recorder's pings; a client's own pings get their own.
                sent = [frame for frame in self.one(target, code) if frame.opcode != PONG]
                with Running("serve", target, "--ws", "127.0.0.1:0", "--rate", "max") as serving:
                    (address,) = first_addresses(serving, 1)
                    with EvmClient(address) as client:
                        self.ask(client, [HEADS])
                        self.assertSameFrames(client.read_to_end(), sent, f"served {code}")
                    self.record_calls(again, f"ws://{address}", [HEADS])
                    self.check(serving.stop())
                (stream,) = streams(again)
                self.assertSameFrames(frames_in(stream), sent, f"again {code}")

    def test_a_frame_cut_in_the_middle_is_kept_as_a_part(self) -> None:
        target = self.folder / "rec"
        whole = Frame(TEXT, b"x" * 3_000).encoded()

        def script(peer: Peer) -> None:
            list(play(peer, invented(3, 6), fragments))
            peer.wire.send_raw(whole[:1_234])

        with EvmServer(script) as server:
            self.record_calls(target, server.url, [HEADS])
        self.verified(target)
        parts = [r.payload for r in records(target) if r.kind == "partial_frame_in"]
        self.assertEqual(parts, [whole[:1_234]])

    def test_masked_calls_are_recorded_as_they_were_sent(self) -> None:
        target, got = self.folder / "rec", []

        def script(peer: Peer) -> None:
            got.extend(peer.calls.get(timeout=20) for _ in range(2))
            for id in (1, 2):
                peer.wire.send(*fragments(text_of({"jsonrpc": "2.0", "id": id, "result": hex(id)})))
            end(peer, 1000)

        with EvmServer(script) as server:
            self.record_calls(target, server.url, [HEADS, LOGS])
        (stream,) = streams(target)
        out = [r for r in stream.frames if r.kind == "websocket_frame_out"]
        self.assertEqual([r.payload for r in out if r.flags["opcode"] == TEXT], got)
        self.assertTrue(all(r.flags["masked"] for r in out))
        self.assertEqual([json.loads(call)["id"] for call in got], [1, 2])

    def test_interrupting_closes_in_order(self) -> None:
        target, closed = self.folder / "rec", threading.Event()

        def script(peer: Peer) -> None:
            list(play(peer, invented(5, 7), fragments))
            if peer.close.wait(30):
                closed.set()
                peer.wire.send(close_frame(1000))

        with EvmServer(script) as server:
            words = ("--ws", server.url, "--call", json.dumps(HEADS), "--acks")
            with Running("record", "-o", target, *words) as recording:
                recording.wait_acknowledged(8)
                self.check(recording.stop())
        self.assertTrue(closed.is_set())
        kinds = [record.kind for record in records(target)]
        self.assertNotIn("gap_opened", kinds)
        self.assertEqual(kinds[-1], "run_ended")


class Compression(EvmCase):
    def cut(self, payload: bytes) -> list[Frame]:
        packed = deflated(payload)
        if len(packed) > 600:  # The bit stands on the first frame of a message only.
            return [Frame(TEXT, packed[:500], False, 4), Frame(CONTINUATION, packed[500:])]
        return [Frame(TEXT, packed, True, 4)]

    def record(self, target: pathlib.Path, one: Captured, offers: bool) -> list[Frame]:
        sent: list[Frame] = []

        def script(peer: Peer) -> None:
            self.assertEqual(peer.is_deflated, offers)
            sent.extend(play(peer, one, self.cut if offers else fragments))
            closing = end(peer, 1000)
            sent.extend([closing] if closing else [])

        with EvmServer(script, deflate=True) as server:
            config = self.configuration(
                {"main": server.url}, {"main": one.calls}, permessage_deflate=offers
            )
            self.check(run("record", "-o", target, "--config", config))
        self.verified(target)
        (stream,) = streams(target)
        self.assertSameFrames(frames_in(stream), sent, "recorded")
        self.assertSameMessages(messages_of(frames_in(stream)), one.incoming)
        return sent

    def test_permessage_deflate_is_off_unless_asked_for(self) -> None:
        self.record(self.folder / "rec", invented(30, 8), False)

    def test_compressed_frames_are_recorded_and_served_to_both_kinds_of_client(self) -> None:
        one, target = invented(40, 9), self.folder / "rec"
        sent = self.record(target, one, True)
        self.needs("serve")
        with Running("serve", target, "--ws", "127.0.0.1:0", "--rate", "max") as serving:
            (address,) = first_addresses(serving, 1)
            for offers in (True, False):
                with self.subTest(offers=offers), EvmClient(address, deflate=offers) as client:
                    self.ask(client, one.calls)
                    got = client.read_to_end()
                    self.assertSameMessages(messages_of(got), one.incoming, f"offers {offers}")
                    if offers:
                        self.assertTrue(client.is_deflated)
                        self.assertSameFrames(got, sent, "served compressed")
                    else:
                        self.assertFalse(any(frame.rsv for frame in got))
            self.check(serving.stop())


class Identity(EvmCase):
    SECRET = "k3y-77aa55ee-in-the-url"

    def test_keys_in_addresses_and_headers_are_never_kept(self) -> None:
        target, one = self.folder / "rec", invented(5, 10)

        def script(peer: Peer) -> None:
            list(play(peer, one, fragments))
            end(peer, 1000)

        with EvmServer(script) as server:
            config = self.folder / "config.json5"
            source = {
                "ws_env": "ENDPOINT", "calls": one.calls,
                "headers": {"X-Api-Key": {"env": "HEADER"}},
            }  # fmt: skip
            config.write_text(json.dumps({"sources": [source], "limits": {"until_end": True}}))
            extra = {"ENDPOINT": f"{server.url}/v2/{self.SECRET}", "HEADER": self.SECRET[::-1]}
            result = run("record", "-o", target, "--config", config, extra=extra)
            self.check(result)
            (request,) = server.requests
            self.assertEqual(request.path, "/v2/" + self.SECRET)
            self.assertEqual(request.headers["X-Api-Key"], self.SECRET[::-1])
        for secret in (self.SECRET, self.SECRET[::-1]):
            self.assertNowhere(secret, target, result, run("cat", target, "--format", "ndjson"))

    def test_a_secret_inside_of_a_frame_is_kept_and_flagged(self) -> None:
        target = self.folder / "rec"
        notice = text_of({"jsonrpc": "2.0", "warning": f"key {self.SECRET} is old"})

        def script(peer: Peer) -> None:
            list(play(peer, invented(3, 12), fragments))
            peer.wire.send(*fragments(notice))
            end(peer, 1000)

        with EvmServer(script) as server:
            result = self.record_calls(target, f"{server.url}/{self.SECRET}", [HEADS])
        (stream,) = streams(target)
        flagged = [r for r in stream.frames if r.flags.get("contains_secret")]
        self.assertEqual([r.payload for r in flagged], [notice])
        self.assertNotIn(self.SECRET, result.stdout + result.stderr)

    def test_tls_verifies_the_chain_and_the_name(self) -> None:
        made = certificates.make(self.folder)
        (self.folder / "other").mkdir()
        other = certificates.make(self.folder / "other", name="elsewhere.example", address="10.1.2.3")
        one = invented(5, 11)

        def script(peer: Peer) -> None:
            list(play(peer, one, fragments))
            end(peer, 1000)

        def record(server: EvmServer, name: str, root: pathlib.Path, place: str) -> Result:
            url = {"main": f"wss://{name}:{server.port}"}
            config = self.configuration(url, {"main": one.calls}, ca_file=str(root))
            return run("record", "-o", self.folder / place, "--config", config)

        with EvmServer(script, tls=(made.chain_file, made.key_file)) as server:
            for name in ("localhost", "127.0.0.1"):
                self.check(record(server, name, made.root, name))
                (stream,) = streams(self.folder / name)
                self.assertSameMessages(messages_of(frames_in(stream)), one.incoming)
            self.check(record(server, "localhost", other.root, "unknown"), 1, "(?i)tls|certificate")
        with EvmServer(script, tls=(other.chain_file, other.key_file)) as server:
            self.check(record(server, "127.0.0.1", other.root, "name"), 1, "(?i)tls|certificate")

    def test_refused_upgrades_are_named(self) -> None:
        for status in (401, 403, 404, 429, 503):
            with self.subTest(status=status):
                target = self.folder / str(status)
                with EvmServer(lambda _: None, refuses=(status, "no")) as server:
                    words = ("record", "-o", target, "--ws", server.url, "--call", json.dumps(HEADS))
                    if status in (429, 503):
                        with Running(*words) as recording:
                            recording.wait_said(str(status))
                            self.check(recording.stop(), 1)
                    else:
                        self.check(run(*words), 1, str(status))
                errors = [r for r in records(target) if r.kind == "connect_error"]
                self.assertEqual(errors[0].detail["http_status"], str(status))

    def test_a_server_that_asks_for_patience_is_left_alone(self) -> None:
        until = formatdate(time.time() + 200, usegmt=True)
        for status, value, least in ((429, "90", 90), (503, until, 190), (503, "99999999", 3_600)):
            with self.subTest(status=status, value=value):
                target = self.folder / str(least)
                headers = {"Retry-After": value}
                with EvmServer(lambda _: None, refuses=(status, "no"), headers=headers) as server:
                    words = ("record", "-o", target, "--ws", server.url, "--call", json.dumps(HEADS))
                    with Running(*words) as recording:
                        recording.wait_said("next try in")
                        result = self.check(recording.stop(), 1, f"{status}.* of patience")
                (wait,) = re.findall(r"next try in ([0-9.]+) s", result.stderr)
                self.assertGreaterEqual(float(wait), least)
                self.assertLessEqual(float(wait), least * 1.2)


if __name__ == "__main__":
    unittest.main()
