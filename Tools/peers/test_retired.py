"""Recordings whose oldest segments are gone, retired or lost, with the frames by which the streams
subscribed: they are served as before, from the first record that is left."""

from __future__ import annotations

import json
import pathlib
import random
import shutil
import sys
import unittest
from typing import Any

import grpc
from google.protobuf import json_format

import deck
import yellowstone as ys
from deck import Case, Running, first_addresses, records, run
from evm_peer import (
    EvmClient, EvmServer, Frame, Peer, deflated, end, fragments, messages_of,
)  # fmt: skip
from geyser_peer import GeyserClient, GeyserServer, Script

sys.path.insert(0, str(deck.ROOT / "Tools" / "reader"))
import read_recording  # noqa: E402

HEADS: dict[str, Any] = {"method": "eth_subscribe", "params": ["newHeads"]}
LOGS: dict[str, Any] = {"method": "eth_subscribe", "params": ["logs", {"topics": []}]}
CHAIN: dict[str, Any] = {"method": "eth_chainId", "params": []}
IDS = {"newHeads": "0xaa01", "logs": "0xbb02"}


def request(name: str) -> ys.SubscribeRequest:
    made = ys.SubscribeRequest(commitment=0)
    made.accounts[name].SetInParent()
    return made


def updates(count: int) -> list[bytes]:
    """Account updates that do not compress, 10 KiB each."""
    draw, made = random.Random(5), []
    for number in range(count):
        update = ys.SubscribeUpdate(filters=["mine"])
        update.account.slot = 1_000 + number
        update.account.account.pubkey = draw.randbytes(32)
        update.account.account.owner = bytes(32)
        update.account.account.txn_signature = draw.randbytes(64)
        update.account.account.data = draw.randbytes(10_000)
        made.append(update.SerializeToString())
    return made


def notices(count: int) -> list[bytes]:
    """Heads and logs in turns, 10 KiB each."""
    draw, made, parent = random.Random(6), [], bytes(32)
    for number in range(count):
        own = draw.randbytes(32)
        if number % 2:
            result: dict[str, Any] = {
                "address": "0x" + "ab" * 20, "topics": ["0x" + "cd" * 32],
                "data": "0x" + draw.randbytes(5_000).hex(), "blockNumber": hex(number),
                "transactionHash": "0x" + own.hex(), "transactionIndex": "0x0",
                "blockHash": "0x" + parent.hex(), "logIndex": hex(number), "removed": False,
            }  # fmt: skip
        else:
            result = {
                "number": hex(number), "hash": "0x" + own.hex(), "parentHash": "0x" + parent.hex(),
                "extraData": "0x" + draw.randbytes(5_000).hex(),
            }  # fmt: skip
            parent = own
        identity = IDS["logs" if number % 2 else "newHeads"]
        notice = {"subscription": identity, "result": result}
        text = {"jsonrpc": "2.0", "method": "eth_subscription", "params": notice}
        made.append(json.dumps(text, separators=(",", ":")).encode() + b"\n")
    return made


class Retired(Case):
    def recorded(self, source: dict[str, Any]) -> pathlib.Path:
        """A recording of one source in segments of 1 MiB, of which the oldest were retired."""
        file, path = self.folder / "config.json5", self.folder / "deck"
        settings = {
            "sources": [source], "limits": {"until_end": True}, "log": {"rotate_bytes": "1MiB"},
        }  # fmt: skip
        file.write_text(json.dumps(settings))
        self.check(run("record", "-o", path, "--config", file))
        self.before = run("requests", path).stdout
        self.whole = self.folder / "whole"
        shutil.copytree(path, self.whole)
        self.check(run("retire", path, "--keep-bytes", "2200KiB"))
        self.verified(path)
        self.left = list(records(path))
        kinds = {record.kind for record in self.left}
        self.assertFalse(kinds & {"stream_opened", "subscription_decided", "grpc_message_out"})
        self.assertGreater(len(self.left), 100)
        self.assertGreater(self.left[0].sequence, 100)
        self.assertEqual({r.source for r in self.left if r.stream}, {source["id"]})
        return path

    def derived(self, path: pathlib.Path) -> dict[str, pathlib.Path]:
        """The same, and what other verbs make of it."""
        found = {"retired": path}
        half = self.left[len(self.left) // 3].sequence
        for verb, words in (("recover", []), ("cut", ["--from", f"seq:{half}"]), ("merge", [])):
            found[verb] = self.folder / verb
            self.check(run(verb, path, *words, "-o", found[verb]))
        # Not retired but lost: the first of three or more segments, with every opening.
        expected = {r.sequence: r.line for r in records(self.whole)}
        min(self.whole.glob("segments/*.seg")).unlink()
        found["lost"] = self.folder / "lost"
        self.check(run("recover", self.whole, "-o", found["lost"]), code=3)
        self.verified(found["lost"])
        kept = [r for r in records(found["lost"]) if "sequence" in r.line]
        for record in kept:
            if record.sequence in expected:
                self.assertEqual(record.line, expected[record.sequence])
        out: list[bytes] = []
        self.assertEqual(read_recording.cat(str(found["lost"]), out.append, self.fail), 0)
        lines = [r.line for r in records(found["lost"])]
        self.assertEqual([json.loads(line) for line in b"".join(out).splitlines()], lines)
        info = json.loads(run("info", found["lost"], "--format", "json").stdout)
        self.assertEqual({s["source"] for s in info["sources"]}, {self.left[5].source})
        self.assertEqual(sum(len(s["streams"]) for s in info["sources"]), 1)
        file = self.folder / "lost.mcap"
        self.check(run("export", found["lost"], "--format", "mcap", "-o", file))
        found["mcap"] = self.folder / "mcap"
        self.check(run("import", file, "-o", found["mcap"]))
        self.verified(found["mcap"])
        self.assertEqual([r.line for r in records(found["mcap"])], lines)
        return found

    def left_of(self, path: pathlib.Path, kind: str) -> list[bytes]:
        return [record.payload for record in records(path) if record.kind == kind]

    def test_a_yellowstone_stream(self) -> None:
        sent = updates(400)
        with GeyserServer(lambda _: Script(sent)) as server:
            file = self.folder / "subscribe.json"
            file.write_text(json_format.MessageToJson(request("mine")))
            source = {"id": "main", "geyser": server.url, "subscribe": file.name}
            retired = self.recorded(source)
        for name, path in self.derived(retired).items():
            with self.subTest(name):
                if name != "merge":
                    self.assertEqual(run("requests", path).stdout, self.before)
                expected = self.left_of(path, "grpc_message_in")
                self.assertEqual(expected, sent[-len(expected) :])
                with Running("serve", path, "--geyser", "127.0.0.1:0", "--rate", "max") as serving:
                    (address,) = first_addresses(serving, 1)
                    with GeyserClient(address) as client:
                        # Equal to the recorded one: byte for byte.
                        answer = client.subscribe(request("mine").SerializeToString())
                        self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
                        self.assertSameMessages(answer.messages, expected, "verbatim")
                        # Another one: filtered, with its own name.
                        answer = client.subscribe(request("yours").SerializeToString())
                        self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
                        got = [ys.SubscribeUpdate.FromString(m) for m in answer.messages]
                        slots = [u.account.slot for u in got if u.HasField("account")]
                        wanted = [ys.SubscribeUpdate.FromString(m).account.slot for m in expected]
                        self.assertEqual(slots, wanted)
                        self.assertEqual({tuple(u.filters) for u in got if u.filters}, {("yours",)})
                    self.check(serving.stop())

    def evm(self, *, deflate: bool = False) -> tuple[pathlib.Path, list[bytes]]:
        sent = notices(900 if deflate else 400)

        def script(peer: Peer) -> None:
            for _ in range(3):
                call = json.loads(peer.calls.get(timeout=20))
                result = "0x89" if call["method"] == "eth_chainId" else IDS[call["params"][0]]
                answer = {"jsonrpc": "2.0", "id": call["id"], "result": result}
                self.send(peer, json.dumps(answer).encode() + b"\n")
            for message in sent:
                self.send(peer, message)
            end(peer, 1000, "done")

        with EvmServer(script, deflate=deflate) as server:
            source: dict[str, Any] = {
                "id": "polygon", "ws": server.url, "calls": [CHAIN, HEADS, LOGS],
            }  # fmt: skip
            if deflate:
                source["permessage_deflate"] = True
            return self.recorded(source), sent

    def send(self, peer: Peer, message: bytes) -> None:
        whole = deflated(message) if peer.is_deflated else message
        peer.wire.send(*fragments(whole, rsv=4 if peer.is_deflated else 0))

    def test_an_evm_connection(self) -> None:
        retired, sent = self.evm()
        for name, path in self.derived(retired).items():
            with self.subTest(name):
                if name != "merge":
                    self.assertEqual(run("requests", path).stdout, self.before)
                self.serve_evm(path, sent)

    def test_a_compressed_evm_connection(self) -> None:
        retired, sent = self.evm(deflate=True)
        self.assertTrue(any(r.flags.get("rsv") for r in self.left))
        self.serve_evm(retired, sent)

    def serve_evm(self, path: pathlib.Path, sent: list[bytes]) -> None:
        frames = [r for r in records(path) if r.kind == "websocket_frame_in"]
        data = [
            Frame(r.flags["opcode"], r.payload, r.flags["fin"], r.flags["rsv"])
            for r in frames if r.flags["opcode"] < 8
        ]  # fmt: skip
        # The oldest record that is left may be the second half of a message.
        while data[0].opcode == 0:
            data.pop(0)
        expected = messages_of(data)
        self.assertEqual(expected, sent[-len(expected) :])
        with Running("serve", path, "--ws", "127.0.0.1:0", "--rate", "max") as serving:
            (address,) = first_addresses(serving, 1)
            # The recorder's own calls in its order: everything, under the node's own ids.
            with EvmClient(address) as client:
                self.assertEqual(client.ask("eth_subscribe", HEADS["params"], 2)["result"], "0xaa01")
                client.call({"jsonrpc": "2.0", "id": 3, **LOGS})
                got = [m for m in messages_of(client.read_to_end()) if b"eth_subscription" in m]
                self.assertSameMessages(got, expected, "bound")
            # One of them, under an id of the server's.
            with EvmClient(address) as client:
                answer = client.ask("eth_subscribe", ["logs", {"address": "0x" + "ab" * 20}], 7)
                identity = answer["result"]
                found = messages_of(client.read_to_end())
                logs = [json.loads(m)["params"] for m in found if b"eth_subscription" in m]
                wanted = [json.loads(m)["params"] for m in expected if b"0xbb02" in m[:90]]
                self.assertEqual({p["subscription"] for p in logs}, {identity})
                self.assertEqual([p["result"] for p in logs], [p["result"] for p in wanted])
            with EvmClient(address) as client:
                self.assertEqual(client.ask("eth_chainId", [])["result"], "0x89")
            self.check(serving.stop())


if __name__ == "__main__":
    unittest.main()
