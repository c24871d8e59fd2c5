"""What `serve` answers to JSON-RPC clients, compared with rules of our own in Python."""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile
import unittest
from typing import Any, ClassVar

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import evm_chain
from deck import Case, Running, first_addresses, run, shared, verbs
from evm_chain import CALLS, Chain
from evm_peer import (
    CLOSE, PING, PONG, TEXT, Captured, Ended, EvmClient, EvmServer, Frame, Peer, end, fragments,
    messages_of, play, read_captured,
)  # fmt: skip


class Served(Case):
    """One recorded connection that is served at `max` to all tests of a class."""

    place: ClassVar[pathlib.Path]
    address: ClassVar[str]
    captured: ClassVar[Captured]

    @classmethod
    def source(cls) -> Captured:
        """The connection."""
        raise unittest.SkipTest("only a base")

    @classmethod
    def setUpClass(cls) -> None:
        cls.captured = cls.source()
        if "serve" not in verbs():
            raise unittest.SkipTest("this build has no verb 'serve'")
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="tapedeck-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)

        def script(peer: Peer) -> None:
            list(play(peer, cls.captured, fragments))
            end(peer, 1000)

        with EvmServer(script) as server:
            source = {"ws": server.url, "calls": cls.captured.calls, "chain": "evm:137"}
            config = cls.place / "config.json5"
            config.write_text(json.dumps({"sources": [source], "limits": {"until_end": True}}))
            result = run("record", "-o", cls.place / "rec", "--config", config)
        if result.code != 0:
            raise AssertionError(str(result))
        words = ("serve", cls.place / "rec", "--ws", "127.0.0.1:0", "--rate", "max")
        serving = Running(*words)
        cls.addClassCleanup(serving.__exit__)
        (cls.address,) = first_addresses(serving, 1)

    def assertSubscribes(self, *filters: dict[str, Any] | None, alone: bool = False) -> None:
        """Each subscription of one connection gets just what the rules say, byte for byte.

        The calls come in one message, or each alone, after the answer to the one before.
        """
        with EvmClient(self.address) as client:
            calls = []
            for number, wanted in enumerate(filters):
                params: list[Any] = ["newHeads"] if wanted is None else ["logs", wanted]
                calls.append(
                    {"jsonrpc": "2.0", "id": number, "method": "eth_subscribe", "params": params}
                )
            if alone:
                for call in calls:
                    client.call(call)
                    self.assertEqual(json.loads(client.message())["id"], call["id"])
            else:
                client.call(calls if len(calls) > 1 else calls[0])
            frames = client.read_to_end()
        self.assertEqual(frames[-1].opcode, CLOSE)
        self.assertEqual(frames[-1].payload[:2], (1000).to_bytes(2, "big"))
        messages = messages_of(frames)
        first = [json.loads(m) for m in messages if b'"method"' not in m]
        answers = first[0] if len(filters) > 1 and not alone else first
        self.assertEqual([a["id"] for a in answers], list(range(len(filters))), answers)
        self.assertEqual(len({a["result"] for a in answers}), len(filters))
        got: dict[str, list[bytes]] = {a["result"]: [] for a in answers}
        for message in messages:
            if b'"method"' in message:
                got[json.loads(message)["params"]["subscription"]].append(message)
        for wanted, answer in zip(filters, answers):
            id = answer["result"]
            rules = evm_chain.expected(self.captured.incoming, wanted, id)
            self.assertTrue(rules, f"{wanted} selects nothing: the test proves nothing")
            self.assertSameMessages(got[id], rules, f"{wanted}")
        for place, frame in enumerate(frames):
            if frame.opcode == TEXT and not frame.fin:
                self.assertGreater(
                    len(frame.payload) + len(frames[place + 1].payload), 1_024, "cut for nothing"
                )


class Invented(Served):
    chain: ClassVar[Chain]

    @classmethod
    def source(cls) -> Captured:
        cls.chain = Chain()
        return cls.chain.captured

    def test_heads_alone(self) -> None:
        self.assertSubscribes(None)

    def test_filters_of_logs(self) -> None:
        addresses, topics = self.chain.addresses, self.chain.topics
        wanted: list[dict[str, Any]] = [
            {"address": addresses[0]},
            {"address": addresses[:3]},
            {"address": [addresses[1].upper().replace("0X", "0x")]},
            {"topics": [topics[0]]},
            {"topics": [[topics[0], topics[1]]]},
            {"topics": [None, topics[2]]},
            {"topics": [[], [topics[2], topics[3]]]},
            {"topics": [None, None, None]},
            {"topics": []},
            {"address": addresses[:4], "topics": [[topics[0], topics[4], topics[5]], None]},
        ]
        for one in wanted:
            with self.subTest(**one):
                self.assertSubscribes(one)

    def test_several_subscriptions_on_one_connection(self) -> None:
        addresses = self.chain.addresses
        self.assertSubscribes({"address": addresses[0]}, None, {"address": addresses[1:]}, {})

    def test_subscriptions_one_by_one_lose_nothing(self) -> None:
        addresses = self.chain.addresses
        # The recorder's calls in the other order; the recorder's first and others; others alone.
        self.assertSubscribes({}, None, alone=True)
        self.assertSubscribes(None, {"address": addresses[1]}, {}, alone=True)
        self.assertSubscribes(
            {"address": addresses[0]}, {"address": addresses[1:4]}, None, {}, alone=True
        )

    def test_the_recorded_calls_are_answered_with_the_recorded_bytes(self) -> None:
        with EvmClient(self.address) as client:
            for number, call in enumerate(CALLS):
                client.call({"jsonrpc": "2.0", "id": number + 1, **call})
            got = messages_of(client.read_to_end())
        self.assertSameMessages(got, self.captured.incoming)

    def test_ids_are_echoed_as_they_were(self) -> None:
        with EvmClient(self.address) as client:
            for raw in (b"7", b'"seven"', b"9007199254740993", b'"\\u00e9\\n"', b"0", b"-1"):
                client.call(b'{"jsonrpc":"2.0","id":' + raw + b',"method":"eth_chainId","params":[]}')
                answer = client.message()
                self.assertTrue(answer.endswith(b"\n"))
                self.assertEqual(json.loads(answer)["result"], "0x89")
                self.assertIn(b'"id":' + raw + b",", answer)

    def test_simple_queries(self) -> None:
        with EvmClient(self.address) as client:
            self.assertEqual(client.ask("net_version", [])["result"], "137")
            self.assertEqual(client.ask("eth_chainId", [])["result"], "0x89")
            self.assertEqual(client.ask("eth_blockNumber", [])["result"], hex(self.chain.last))

    def test_logs_of_ranges(self) -> None:
        chain = self.chain
        low, high = chain.first + 2, chain.last - 2
        cases: list[dict[str, Any]] = [
            {"fromBlock": hex(low), "toBlock": hex(high)},
            {"fromBlock": hex(low), "toBlock": hex(low)},
            {"fromBlock": hex(low), "toBlock": hex(high), "address": chain.addresses[2]},
            {"fromBlock": hex(low), "toBlock": hex(high), "topics": [None, chain.topics[:3]]},
            {"blockHash": chain.hashes[chain.first + chain.forked]},
            {"blockHash": chain.hashes[low], "address": chain.addresses},
        ]
        with EvmClient(self.address) as client:
            for wanted in cases:
                with self.subTest(**wanted):
                    answer = client.ask("eth_getLogs", [wanted])
                    self.assertIn("result", answer, answer)
                    self.assertEqual(answer["result"], self.logs(wanted))

    def logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in wanted:
            of_range = [l for l in self.chain.canonical if l["blockHash"] == wanted["blockHash"]]
        else:
            low = int(wanted["fromBlock"], 16)
            high = int(wanted["toBlock"], 16)
            of_range = [l for l in self.chain.canonical if low <= int(l["blockNumber"], 16) <= high]
        return [log for log in of_range if evm_chain.matches(wanted, log)]

    def test_ranges_that_cannot_be_answered_are_errors_and_never_short(self) -> None:
        chain = self.chain
        with EvmClient(self.address) as client:
            for wanted in (
                {"fromBlock": hex(chain.first - 5), "toBlock": hex(chain.last)},
                {"fromBlock": hex(5), "toBlock": hex(9)},
                # No child proves that the logs of the last block are all there.
                {"fromBlock": hex(chain.first + 2), "toBlock": "latest"},
                {"fromBlock": hex(chain.last), "toBlock": hex(chain.first)},
                {"blockHash": "0x" + "77" * 32},
                {"fromBlock": "nonsense"},
                {"topics": [None] * 5},
            ):
                with self.subTest(**wanted):
                    answer = client.ask("eth_getLogs", [wanted])
                    self.assertIn("error", answer, answer)
                    self.assertIsInstance(answer["error"]["code"], int)

    def test_blocks_by_number(self) -> None:
        with EvmClient(self.address) as client:
            answer = client.ask("eth_getBlockByNumber", [hex(self.chain.first + 3), False])
            # Heads carry no transactions: a whole block object is not there and not made up.
            block = answer.get("result")
            if block is None:
                self.assertIn("error", answer)
            else:
                self.assertEqual(block["hash"], self.chain.hashes[self.chain.first + 3])

    def test_mistakes_have_the_nodes_codes(self) -> None:
        with EvmClient(self.address) as client:
            cases: list[tuple[str, list[Any], int, str]] = [
                ("eth_noSuchThing", [], -32601, "the method eth_noSuchThing does not exist"),
                ("eth_subscribe", ["noSuchKind"], -32601, 'no "noSuchKind" subscription'),
                ("eth_unsubscribe", ["0x1234"], -32000, "subscription not found"),
                ("eth_subscribe", ["logs", {"topics": [None] * 5}], -32000, "topics"),
                ("eth_subscribe", [], -32602, ""),
                ("eth_subscribe", ["logs", {"address": "0x12"}], -32602, ""),
            ]
            for method, params, code, text in cases:
                with self.subTest(method=method, params=params):
                    answer = client.ask(method, params)
                    self.assertEqual(answer["error"]["code"], code, answer)
                    self.assertIn(text, answer["error"]["message"])

    def test_what_was_not_recorded_is_refused(self) -> None:
        with EvmClient(self.address) as client:
            answer = client.ask("eth_subscribe", ["newPendingTransactions"])
            self.assertIn("error", answer)

    def test_unsubscribing(self) -> None:
        with EvmClient(self.address) as client:
            id = client.ask("eth_subscribe", ["logs", {"address": self.chain.addresses[0]}], 1)
            try:
                answer = client.ask("eth_unsubscribe", [id["result"]], 2)
                self.assertIs(answer["result"], True)
                again = client.ask("eth_unsubscribe", [id["result"]], 3)
                self.assertEqual(again["error"]["code"], -32000)
            except Ended:
                pass  # The whole recording fitted into the buffers before the call was read.

    def test_batches(self) -> None:
        with EvmClient(self.address) as client:
            client.call(
                [
                    {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId", "params": []},
                    {"jsonrpc": "2.0", "id": 2, "method": "eth_nonsense", "params": []},
                    {"jsonrpc": "2.0", "id": 3, "method": "eth_blockNumber", "params": []},
                ]
            )
            answers = json.loads(client.message())
            self.assertEqual([a["id"] for a in answers], ["a", 2, 3])
            self.assertEqual(answers[0]["result"], "0x89")
            self.assertEqual(answers[1]["error"]["code"], -32601)
            self.assertEqual(answers[2]["result"], hex(self.chain.last))
            call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
            client.call([call] * 1_001)
            answer = json.loads(client.message())
            answer = answer[0] if isinstance(answer, list) else answer
            self.assertEqual(answer["error"]["code"], -32600)

    def test_bad_json_is_answered_and_ends(self) -> None:
        for data in (b"{", b"", b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"', b"\xff\xfe"):
            with self.subTest(data=data), EvmClient(self.address) as client:
                client.wire.send(Frame(TEXT, data))
                frames = client.read_to_end()
                answers = [json.loads(m) for m in messages_of(frames)]
                if data != b"\xff\xfe":  # Text that is not UTF-8 is a breach of the protocol below.
                    self.assertEqual([a["error"]["code"] for a in answers], [-32700])

    def test_client_pings_are_answered(self) -> None:
        with EvmClient(self.address) as client:
            client.wire.send(Frame(PING, b"are you there"))
            self.assertEqual(client.frame(), Frame(PONG, b"are you there"))

    def test_calls_may_come_in_fragments(self) -> None:
        call = b'{"jsonrpc":"2.0","id":5,"method":"eth_chainId","params":[]}'
        with EvmClient(self.address) as client:
            client.wire.send(Frame(TEXT, call[:9], False), Frame(PING, b""), Frame(0, call[9:]))
            self.assertEqual(json.loads(client.message())["result"], "0x89")

    def test_breaches_of_the_protocol_end_one_client_only(self) -> None:
        call = b'{"jsonrpc":"2.0","id":5,"method":"eth_chainId","params":[]}'
        good = Frame(TEXT, call).encoded(masked=True)
        breaches = {
            "no mask": (Frame(TEXT, call).encoded(masked=False), 1002),
            "RSV1": (Frame(TEXT, call, True, 4).encoded(masked=True), 1002),
            "RSV2": (Frame(TEXT, call, True, 2).encoded(masked=True), 1002),
            "RSV3 in a fragment": (
                Frame(TEXT, call[:9], False).encoded(masked=True)
                + Frame(0, call[9:], True, 1).encoded(masked=True), 1002,
            ),
            "an opcode of nobody": (Frame(3, call).encoded(masked=True), 1002),
            "a continuation of nothing": (Frame(0, call).encoded(masked=True), 1002),
            "a ping without mask": (Frame(PING, b"?").encoded(masked=False), 1002),
            "a ping in pieces": (Frame(PING, b"?", False).encoded(masked=True), 1002),
            "no UTF-8": (Frame(TEXT, call[:-1] + b"\xff}").encoded(masked=True), 1007),
            "an absurd length": (b"\x81\xff" + b"\xff" * 12, 1002),
        }  # fmt: skip
        for what, (data, code) in breaches.items():
            # Often, as an answer would have to win a race.
            for _ in range(10):
                with self.subTest(what), EvmClient(self.address) as client:
                    client.wire.send_raw(data + good + good)
                    frames = client.read_to_end()
                    self.assertEqual([f.opcode for f in frames], [CLOSE], frames)
                    self.assertEqual(int.from_bytes(frames[0].payload[:2], "big"), code)
        with EvmClient(self.address) as client:
            self.assertEqual(client.ask("eth_chainId", [])["result"], "0x89")

    def test_a_token_is_asked_for(self) -> None:
        secret = "gate-4411-secret"
        words = ("serve", self.place / "rec", "--ws", "127.0.0.1:0", "--token-env", "GATE")
        with Running(*words, extra={"GATE": secret}) as serving:
            (address,) = first_addresses(serving, 1)
            for headers in ({}, {"x-token": "no"}, {"Authorization": "Bearer " + secret + "x"}):
                with self.assertRaises(InvalidStatus) as caught:
                    connect(f"ws://{address}", additional_headers=headers).close()
                self.assertEqual(caught.exception.response.status_code, 401)
            for headers in ({"x-token": secret}, {"Authorization": "Bearer " + secret}):
                with EvmClient(address, headers=headers) as client:
                    self.assertEqual(client.ask("eth_chainId", [])["result"], "0x89")
            result = self.check(serving.stop())
        self.assertNotIn(secret, result.stdout + result.stderr)


class Real(Served):
    @classmethod
    def source(cls) -> Captured:
        return read_captured(shared("evm", "real.jsonl"))["poly-w3"]

    def test_real_logs_by_address_and_topic(self) -> None:
        notices = [json.loads(m) for m in self.captured.incoming[2:]]
        logs = [n["params"]["result"] for n in notices if "logIndex" in n["params"]["result"]]
        recorded = self.captured.calls[1]["params"][1]
        busiest = max({l["address"] for l in logs}, key=lambda a: sum(l["address"] == a for l in logs))
        topic = logs[0]["topics"][0]
        for wanted in (
            recorded | {"address": busiest},
            recorded | {"topics": [[topic]]},
            {"address": [busiest], "topics": [topic]},
        ):
            with self.subTest(address=wanted.get("address")):
                self.assertSubscribes(wanted)

    def test_a_wider_filter_than_recorded_is_refused(self) -> None:
        with EvmClient(self.address) as client:
            answer = client.ask("eth_subscribe", ["logs", {}])
            self.assertEqual(answer["error"]["code"], -32000, answer)
            self.assertIn("recording", answer["error"]["message"])


if __name__ == "__main__":
    unittest.main()
