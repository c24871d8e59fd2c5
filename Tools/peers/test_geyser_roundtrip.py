"""Yellowstone streams through record, serve and record again: not one byte may change."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import random
import threading
import unittest
import zlib
from typing import Any

import grpc
from google.protobuf import json_format

import certificates
import yellowstone as ys
from deck import (
    Case, Record, Result, Running, Stream, first_addresses, records, run, shared, streams,
)  # fmt: skip
from geyser_peer import GeyserClient, GeyserServer, Script, read_messages

FILES = ("real", "volume", "blocks", "capture")
TOKEN = "tok-9f3kQz71-secret"


def request_of(name: str) -> bytes:
    """A request that only the stream of this name has."""
    request = ys.SubscribeRequest(commitment=0)
    request.slots[name].interslot_updates = True
    request.entry[name].SetInParent()
    request.blocks_meta[name].SetInParent()
    request.transactions[name].SetInParent()
    return request.SerializeToString(deterministic=True)


def name_of(request: bytes) -> str:
    """The name that `request_of` was given."""
    return next(iter(ys.SubscribeRequest.FromString(request).slots))


def invented(count: int, seed: int) -> list[bytes]:
    """Updates of many sizes, the empty message among them."""
    draw = random.Random(seed)
    made: list[bytes] = []
    for index in range(count):
        update = ys.SubscribeUpdate(filters=["invented"])
        update.account.slot = 1_000 + index // 10
        update.account.account.pubkey = draw.randbytes(32)
        noise = draw.randbytes(draw.choice([0, 1, 82, 511, 4_500]))
        update.account.account.data = noise + noise[::-1] + bytes(len(noise))
        update.account.account.write_version = index
        made.append(update.SerializeToString())
    made.insert(count // 2, b"")
    made.append(bytes(300_000))
    # A field of the future, and one that is no protobuf at all: both are only bytes here.
    made.append(made[0] + b"\xfa\x3f\x03new")
    made.append(b"\xff\xff\xff not protobuf")
    return made


class GeyserCase(Case):
    def subscription(self, request: bytes, name: str) -> pathlib.Path:
        """The file for --subscribe, in protobuf's JSON mapping, by Google's own library."""
        file = self.folder / f"{name}.json"
        file.write_text(json_format.MessageToJson(ys.SubscribeRequest.FromString(request)))
        return file

    def record(
        self, target: pathlib.Path, url: str, requests: dict[str, bytes], *more: str,
        extra: dict[str, str] | None = None,
    ) -> Result:  # fmt: skip
        words: list[str] = []
        for name, request in requests.items():
            file = self.subscription(request, name)
            words += ["--geyser", url, "--subscribe", str(file)]
            words += ["--token-env", "SOME_TOKEN"] if extra else []
        return run("record", "-o", target, *words, "--until-end", *more, extra=extra)

    def by_request(self, path: pathlib.Path) -> dict[str, Stream]:
        """The streams of a recording by the name in their request."""
        found = {}
        for stream in streams(path):
            sent = [r for r in stream.frames if r.kind == "grpc_message_out"]
            self.assertTrue(sent, "a stream without its request")
            found[name_of(sent[0].payload)] = stream
        return found

    def kinds(self, path: pathlib.Path) -> list[str]:
        return [record.kind for record in records(path)]


class RoundTrip(GeyserCase):
    def round_trip(self, streams_sent: dict[str, list[bytes]]) -> None:
        """Records, compares, serves to an independent client and to ourselves, compares."""
        first, second = self.folder / "first", self.folder / "second"
        requests = {name: request_of(name) for name in streams_sent}
        trailing = (("x-trailer", "t"),)

        def choose(request: bytes) -> Script:
            return Script(streams_sent[name_of(request)], (("x-initial", "i"),), trailing)

        with GeyserServer(choose) as server:
            self.check(self.record(first, server.url, requests))
        self.compare(first, streams_sent)
        self.needs("serve")
        with Running("serve", first, "--geyser", "127.0.0.1:0", "--rate", "max") as serving:
            (address,) = first_addresses(serving, 1)
            with GeyserClient(address) as client:
                for name, request in requests.items():
                    answer = client.subscribe(request)
                    self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
                    self.assertSameMessages(answer.messages, streams_sent[name], f"served {name}")
            self.check(self.record(second, f"http://{address}", requests))
            self.check(serving.stop())
        self.compare(second, streams_sent)

    def compare(self, path: pathlib.Path, expected: dict[str, list[bytes]]) -> None:
        self.verified(path)
        found = self.by_request(path)
        self.assertEqual(set(found), set(expected))
        for name, stream in found.items():
            self.assertSameMessages(stream.messages(), expected[name], f"recorded {name}")
            self.assertFalse(any(r.flags["compressed"] for r in stream.received()))
            assert stream.closed
            self.assertEqual(stream.closed.detail["status_code"], "0")
        self.assertNotIn("gap_opened", self.kinds(path))

    def test_real_messages_of_four_streams_at_once(self) -> None:
        sent = {name: read_messages(shared("solana", f"{name}.bin")) for name in FILES}
        self.round_trip(sent)

    def test_invented_messages_of_two_streams_at_once(self) -> None:
        self.round_trip({"one": invented(600, 1), "two": invented(300, 2)})


class Recording(GeyserCase):
    """What a recording says of a stream, without serving it again."""

    def one(
        self, script: Script, *more: str, code: int = 0, says: str = "", **server: object
    ) -> Stream:
        target = self.folder / "rec"
        with GeyserServer(lambda _: script, **server) as peer:  # type: ignore[arg-type]
            self.check(self.record(target, peer.url, {"x": request_of("x")}, *more), code, says)
        self.verified(target)
        return streams(target)[0]

    def test_invented_messages_are_recorded(self) -> None:
        sent = invented(500, 3)
        self.assertSameMessages(self.one(Script(sent)).messages(), sent)

    def test_metadata_trailers_and_status_are_recorded(self) -> None:
        script = Script(
            invented(5, 4), (("x-one", "1"), ("x-one", "2"), ("x-bin", b"\0\xff")),
            (("x-end", "yes"),),
        )  # fmt: skip
        stream = self.one(script)
        assert stream.accepted and stream.closed
        metadata = [(p["name"], p["value"]) for p in stream.accepted.detail["response_metadata"]]
        self.assertIn(("x-one", "1"), metadata)
        self.assertIn(("x-one", "2"), metadata)
        self.assertTrue(any(name == "x-bin" for name, _ in metadata), metadata)
        self.assertEqual(stream.closed.detail["status_code"], "0")
        self.assertIn({"name": "x-end", "value": "yes"}, stream.closed.detail["trailer"])

    def test_every_error_status_is_recorded_with_a_gap(self) -> None:
        for status in grpc.StatusCode:
            number, _ = status.value
            if status is grpc.StatusCode.OK:
                continue
            with self.subTest(status=status.name):
                target = self.folder / status.name
                script = Script(
                    invented(3, number), (("x-initial", "i"),), (("x-why", status.name),), status,
                    f"ended by {status.name}",
                )  # fmt: skip
                with GeyserServer(lambda _: script) as peer:
                    self.check(self.record(target, peer.url, {"x": request_of("x")}))
                (stream,) = streams(target)
                self.assertSameMessages(stream.messages(), list(script.messages))
                assert stream.closed
                detail = stream.closed.detail
                self.assertEqual(detail["status_code"], str(number))
                self.assertEqual(detail["status_text"], f"ended by {status.name}")
                self.assertIn({"name": "x-why", "value": status.name}, detail["trailer"])
                self.assertEqual(self.kinds(target).count("gap_opened"), 1)

    def test_binary_metadata_is_recorded_and_served_as_it_came(self) -> None:
        details = bytes(range(256)) + b"\x08\x05\x12\x04gone\x1a\x00"
        binary = (("grpc-status-details-bin", details), ("x-odd-bin", b"\x80\x00"))
        script = Script(
            invented(3, 12), (("x-start-bin", details),), (*binary, ("x-why", "text")),
            grpc.StatusCode.ABORTED, "see the details",
        )  # fmt: skip
        stream = self.one(script)
        assert stream.accepted and stream.closed

        def values(pairs: list[Any]) -> dict[str, bytes]:
            return {
                p["name"]: base64.b64decode(p["value"]["base64"])
                if isinstance(p["value"], dict)
                else p["value"].encode()
                for p in pairs
            }

        self.assertEqual(values(stream.accepted.detail["response_metadata"])["x-start-bin"], details)
        trailers = values(stream.closed.detail["trailer"])
        self.assertEqual(trailers, dict(binary) | {"x-why": b"text"})
        words = ("serve", self.folder / "rec", "--geyser", "127.0.0.1:0", "--rate", "max")
        with Running(*words) as serving:
            (address,) = first_addresses(serving, 1)
            with GeyserClient(address) as client:
                answer = client.subscribe(request_of("x"))
            self.check(serving.stop())
        self.assertIs(answer.code, grpc.StatusCode.ABORTED)
        self.assertSameMessages(answer.messages, list(script.messages))
        self.assertEqual(answer.trailing, dict(binary) | {"x-why": "text"})

    def test_a_server_that_vanishes_opens_a_gap(self) -> None:
        target, gone = self.folder / "rec", threading.Event()
        script = Script(invented(50, 5), hold=gone)
        with GeyserServer(lambda _: script) as peer:
            file = self.subscription(request_of("x"), "x")
            words = ("--geyser", peer.url, "--subscribe", str(file), "--until-end", "--acks")
            with Running("record", "-o", target, *words) as recording:
                recording.wait_acknowledged(12)
                peer.stop()
                gone.set()
                self.check(recording.wait())
        self.verified(target)
        (stream,) = streams(target)
        self.assertSameMessages(stream.messages(), list(script.messages)[: len(stream.messages())])
        self.assertIn("gap_opened", self.kinds(target))

    def test_a_gap_is_given_up_after_its_hold_time(self) -> None:
        target, hold = self.folder / "rec", threading.Event()
        broken = Script(
            invented(10, 5), status=grpc.StatusCode.UNAVAILABLE, details="restart"
        )
        scripts = iter([broken])
        with GeyserServer(lambda _: next(scripts, Script(invented(20, 6), hold=hold))) as peer:
            file = self.subscription(request_of("x"), "x")
            words = ("--geyser", peer.url, "--subscribe", str(file), "--gap-hold", "50ms")
            with Running("record", "-o", target, *words) as recording:
                recording.wait_said("is given up: not filled within 50ms")
                self.check(recording.stop())
                hold.set()
        self.verified(target)
        told = {r.kind: r for r in records(target) if r.kind.startswith("gap_")}
        self.assertEqual(list(told), ["gap_opened", "gap_bounded", "gap_abandoned"])
        end = told["gap_abandoned"].detail
        self.assertEqual(end["gap"], str(told["gap_opened"].sequence))
        self.assertEqual(end["cause"], told["gap_opened"].detail["cause"])
        self.assertEqual(end["to_sequence"], told["gap_bounded"].detail["to_sequence"])
        self.assertEqual(end["text"], "not filled within 50ms")
        self.check(run("gaps", target))

    def test_interrupting_ends_in_order_without_a_gap(self) -> None:
        target, hold = self.folder / "rec", threading.Event()
        sent = invented(20, 6)
        with GeyserServer(lambda _: Script(sent, hold=hold)) as peer:
            file = self.subscription(request_of("x"), "x")
            words = ("--geyser", peer.url, "--subscribe", str(file), "--acks")
            with Running("record", "-o", target, *words) as recording:
                recording.wait_acknowledged(12)
                self.check(recording.stop())
            hold.set()
        kinds = self.kinds(target)
        self.assertNotIn("gap_opened", kinds)
        self.assertEqual(kinds[-1], "run_ended")

    def test_frames_limit_is_exact(self) -> None:
        sent = invented(100, 7)
        target = self.folder / "rec"
        hold = threading.Event()
        with GeyserServer(lambda _: Script(sent, hold=hold)) as peer:
            file = self.subscription(request_of("x"), "x")
            words = ("--geyser", peer.url, "--subscribe", file, "--frames", "40")
            self.check(run("record", "-o", target, *words))
            hold.set()
        (stream,) = streams(target)
        self.assertSameMessages(stream.messages(), sent[:40])


class Compression(GeyserCase):
    def configuration(self, url: str, name: str, more: str = "") -> pathlib.Path:
        file = self.folder / "record.json5"
        self.subscription(request_of(name), name)
        file.write_text(
            f"""// What a person would write.
            {{ sources: [ {{ id: 'main', geyser: '{url}', subscribe: '{name}.json', {more} }} ],
               limits: {{ until_end: true }}, }}"""
        )
        return file

    def test_gzip_messages_are_recorded_raw_and_served_to_both_kinds_of_client(self) -> None:
        sent = invented(400, 8)
        target = self.folder / "rec"
        with GeyserServer(lambda _: Script(sent), compression="gzip") as peer:
            config = self.configuration(peer.url, "z", "encodings: ['gzip']")
            self.check(run("record", "-o", target, "--config", config))
        self.verified(target)
        (stream,) = streams(target)
        self.assertEqual(stream.source, "main")
        got = stream.received()
        compressed = [r for r in got if r.flags["compressed"]]
        self.assertGreater(len(compressed), 100, "the server compressed nothing")
        plain = [gzip.decompress(r.payload) if r.flags["compressed"] else r.payload for r in got]
        self.assertSameMessages(plain, sent)
        self.needs("serve")
        again = self.folder / "again"
        with Running("serve", target, "--geyser", "127.0.0.1:0", "--rate", "max") as serving:
            (address,) = first_addresses(serving, 1)
            for accepts in (True, False):
                with GeyserClient(address, gzip=accepts) as client:
                    answer = client.subscribe(request_of("z"))
                    self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
                    self.assertSameMessages(answer.messages, sent, f"client gzip {accepts}")
            config = self.configuration(f"http://{address}", "z", "encodings: ['gzip']")
            self.check(run("record", "-o", again, "--config", config))
            self.check(serving.stop())
        (copy,) = streams(again)
        self.assertSameMessages(copy.messages(), stream.messages(), "recorded again")
        flags = [r.flags["compressed"] for r in copy.received()]
        self.assertEqual(flags, [r.flags["compressed"] for r in got])

    def test_a_server_that_compresses_unasked_is_named(self) -> None:
        """grpcio compresses whatever was announced; the C core refuses that by itself."""
        for name in ("gzip", "deflate"):
            for initial in ((), (("x-a", "b"),)):
                with self.subTest(name=name, initial=initial):
                    target = self.folder / f"{name}-{len(initial)}"
                    script = Script(invented(30, 9), initial)
                    with GeyserServer(lambda _: script, compression=name) as peer:
                        result = self.record(target, peer.url, {"x": request_of("x")})
                    # Without metadata it looks like a refusal of the call: nothing was served.
                    says = f'compresses with {name}.*encodings: \\["{name}"\\]'
                    self.check(result, 0 if initial else 1, says)
                    self.verified(target)
                    (stream,) = streams(target)
                    self.assertEqual(stream.messages(), [])
                    assert stream.closed
                    self.assertEqual(stream.closed.detail["cause"], "encoding_not_accepted")
                    self.assertEqual(stream.closed.detail["status_code"], "12")
                    gaps = [r.detail for r in records(target) if r.kind == "gap_opened"]
                    causes = ["encoding_not_accepted"] if initial else []
                    self.assertEqual([gap["cause"] for gap in gaps], causes)

    def test_deflated_messages_are_recorded_raw_once_the_encoding_is_offered(self) -> None:
        sent = invented(60, 13)
        target = self.folder / "rec"
        with GeyserServer(lambda _: Script(sent), compression="deflate") as peer:
            config = self.configuration(peer.url, "z", "encodings: ['deflate']")
            self.check(run("record", "-o", target, "--config", config))
        self.verified(target)
        (stream,) = streams(target)
        got = stream.received()
        self.assertTrue(any(r.flags["compressed"] for r in got), "the server compressed nothing")
        plain = [zlib.decompress(r.payload) if r.flags["compressed"] else r.payload for r in got]
        self.assertSameMessages(plain, sent)


class Identity(GeyserCase):
    def tls(self, server: GeyserServer, name: str, root: pathlib.Path, more: str = "") -> Result:
        self.subscription(request_of("t"), "t")
        config = self.folder / "tls.json5"
        config.write_text(
            json.dumps(
                {
                    "sources": [
                        {
                            "geyser": f"https://{name}:{server.port}",
                            "subscribe": "t.json",
                            "ca_file": str(root),
                            "token_env": "SOME_TOKEN",
                        }
                    ]
                }
            )
        )
        return run(
            "record", "-o", self.folder / more, "--config", config, "--until-end",
            extra={"SOME_TOKEN": TOKEN},
        )  # fmt: skip

    def test_tls_verifies_the_chain_and_the_name(self) -> None:
        made = certificates.make(self.folder)
        (self.folder / "other").mkdir()
        other = certificates.make(self.folder / "other", name="elsewhere.example")
        sent = invented(30, 10)
        with GeyserServer(lambda _: Script(sent), token=TOKEN, tls=(made.key, made.chain)) as peer:
            for name in ("localhost", "127.0.0.1"):
                result = self.check(self.tls(peer, name, made.root, f"good-{name}"))
                self.assertNowhere(TOKEN, self.folder / f"good-{name}", result)
                (stream,) = streams(self.folder / f"good-{name}")
                self.assertSameMessages(stream.messages(), sent)
            self.check(self.tls(peer, "localhost", other.root, "unknown"), 1, "never streamed")
        with GeyserServer(lambda _: Script(sent), tls=(other.key, other.chain)) as peer:
            self.check(self.tls(peer, "localhost", other.root, "misnamed"), 1, "never streamed")
        self.assertNotIn("grpc_message_in", self.kinds(self.folder / "misnamed"))

    def test_tokens_are_sent_and_never_kept(self) -> None:
        sent = invented(30, 11)
        target = self.folder / "rec"
        with GeyserServer(lambda _: Script(sent), token=TOKEN) as peer:
            result = self.record(target, peer.url, {"x": request_of("x")}, extra={"SOME_TOKEN": TOKEN})
            self.check(result)
            self.assertNowhere(TOKEN, target, result)
            (stream,) = streams(target)
            self.assertSameMessages(stream.messages(), sent)
            self.assertNowhere(TOKEN, target, run("cat", target, "--format", "ndjson"))
            wrong = self.folder / "wrong"
            refused = self.record(
                wrong, peer.url, {"x": request_of("x")}, extra={"SOME_TOKEN": TOKEN + "-stale"}
            )
            self.check(refused, 1, "UNAUTHENTICATED|No valid auth token")
            self.assertNowhere(TOKEN + "-stale", wrong, refused)

    def test_a_token_that_the_server_echoes_is_masked_outside_of_frames(self) -> None:
        script = Script(
            (), (), (("x-echo", TOKEN),), grpc.StatusCode.PERMISSION_DENIED,
            f"token {TOKEN} may not", refuses=True,
        )  # fmt: skip
        target = self.folder / "rec"
        with GeyserServer(lambda _: script) as peer:
            result = self.record(target, peer.url, {"x": request_of("x")}, extra={"SOME_TOKEN": TOKEN})
        self.check(result, 1)
        self.assertNowhere(TOKEN, target, result, run("cat", target, "--format", "ndjson"))

    def test_serve_asks_for_its_own_token(self) -> None:
        self.needs("serve")
        sent = invented(30, 12)
        target = self.folder / "rec"
        with GeyserServer(lambda _: Script(sent)) as peer:
            self.check(self.record(target, peer.url, {"x": request_of("x")}))
        serving = Running(
            "serve", target, "--geyser", "127.0.0.1:0", "--rate", "max", "--token-env", "GATE",
            extra={"GATE": TOKEN},
        )  # fmt: skip
        with serving:
            (address,) = first_addresses(serving, 1)
            for token in (None, TOKEN[:-1], TOKEN + "x", ""):
                with GeyserClient(address, token=token) as client:
                    answer = client.subscribe(request_of("x"))
                    self.assertIs(answer.code, grpc.StatusCode.UNAUTHENTICATED)
                    self.assertEqual(answer.messages, [])
                    with self.assertRaises(grpc.RpcError) as caught:
                        client.unary("GetVersion")
                    self.assertIs(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
            with GeyserClient(address, token=TOKEN) as client:
                self.assertSameMessages(client.subscribe(request_of("x")).messages, sent)
            self.assertNowhere(TOKEN, target, self.check(serving.stop()))


if __name__ == "__main__":
    unittest.main()
