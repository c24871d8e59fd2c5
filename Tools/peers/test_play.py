"""How `serve` plays: waiting, pausing, stepping, seeking, rates, ranges and loops, seen by clients.

What a client must get follows from the lines of `cat` and from the messages that were recorded.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import grpc
from google.protobuf import json_format

import yellowstone as ys
from deck import Case, Record, Running, first_addresses, records, run, wait_until
from evm_chain import CALLS, HEADS, LOGS, Chain
from evm_peer import (
    CLOSE, PING, PONG, EvmClient, EvmServer, Frame, Peer, close_frame, end, fragments,
    messages_of, play,
)  # fmt: skip
from geyser_peer import Answer, GeyserClient, GeyserServer, Script
from market import Market, everything

#: Nanoseconds between two messages of the EVM connection.
STEP = 10_000_000


class Control:
    """The control socket of a running `serve`."""

    def __init__(self, path: pathlib.Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(30)
        wait_until(path.exists, about="the control socket")
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")

    def say(self, line: str) -> str:
        """Sends a line; the line that answers it."""
        self._socket.sendall(line.encode() + b"\n")
        return self._lines.readline().rstrip("\n")

    def __call__(self, line: str) -> dict[str, str]:
        """The state that an `ok` tells."""
        answer = self.say(line)
        if not answer.startswith("ok "):
            raise AssertionError(f"{line!r} is answered with {answer!r}")
        return dict(word.split("=", 1) for word in answer[3:].split())

    def wait(self, key: str, value: str) -> None:
        """Waits until the state says so."""
        wait_until(lambda: self("status")[key] == value, about=f"{key}={value}")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@dataclass
class Notified:
    """A recorded notification and the sequences of its first and last frame."""

    first: int
    sequence: int
    payload: bytes


class Background:
    """A Yellowstone subscription that reads on a thread of its own."""

    def __init__(self, address: str, request: bytes) -> None:
        self.messages: list[bytes] = []
        self.answer: Answer | None = None
        self._client = GeyserClient(address)
        self._thread = threading.Thread(target=self._read, args=(request,), daemon=True)
        self._thread.start()

    def _read(self, request: bytes) -> None:
        def seen(message: bytes) -> None:
            self.messages.append(message)

        self.answer = self._client.subscribe(request, follow=seen)

    def wait(self, count: int) -> list[bytes]:
        """The messages, once there are so many."""
        wait_until(lambda: len(self.messages) >= count, about=f"{count} messages")
        return list(self.messages)

    def end(self) -> Answer:
        """The whole answer."""
        self._thread.join(60)
        if self.answer is None:
            raise AssertionError(f"the stream goes on behind {len(self.messages)} messages")
        return self.answer

    def close(self) -> None:
        self._client.close()
        self._thread.join(30)


class Played(Case):
    """Both wires in one recording, and the EVM connection alone with times of its own."""

    place: ClassVar[pathlib.Path]
    chain: ClassVar[Chain]
    market: ClassVar[Market]
    request: ClassVar[bytes]
    #: Both wires, recorded live.
    both: ClassVar[pathlib.Path]
    #: The EVM connection, a message every ten milliseconds.
    timed: ClassVar[pathlib.Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="tapedeck-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.chain, cls.market = Chain(), Market()
        cls.request = everything().SerializeToString()
        cls.both, cls.timed = cls.place / "both", cls.place / "timed"

        def script(peer: Peer) -> None:
            list(play(peer, cls.chain.captured, fragments))
            end(peer, 1000)

        (cls.place / "request.json").write_text(
            json_format.MessageToJson(ys.SubscribeRequest.FromString(cls.request))
        )
        with EvmServer(script) as node, GeyserServer(lambda _: Script(cls.market.messages)) as peer:
            sources = [
                {"geyser": peer.url, "subscribe": str(cls.place / "request.json")},
                {"ws": node.url, "calls": CALLS, "chain": "evm:137"},
            ]
            config = cls.place / "config.json5"
            config.write_text(json.dumps({"sources": sources, "limits": {"until_end": True}}))
            result = run("record", "-o", cls.both, "--config", config)
        if result.code != 0:
            raise AssertionError(str(result))
        lines = [
            {
                "conn": "chain", "seq": place, "t": 1_700_000_000_000 + place * STEP // 1_000_000,
                "dir": "out" if is_call else "in", "opcode": "text", "payload": data.decode(),
            }
            for place, (is_call, data) in enumerate(cls.chain.captured.rows)
        ]  # fmt: skip
        capture = cls.place / "chain.jsonl"
        capture.write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = run("import", capture, "--chain", "evm:137", "-o", cls.timed)
        if result.code != 0:
            raise AssertionError(str(result))

    def serving(self, path: pathlib.Path, *words: str) -> Running:
        serving = Running("serve", path, *words)
        self.addCleanup(serving.__exit__)
        return serving

    def evm(self, address: str, subscribe: bool = True) -> EvmClient:
        """A client, subscribed as the recorder was."""
        client = EvmClient(address)
        self.addCleanup(client.close)
        if subscribe:
            for number, call in enumerate(CALLS):
                client.call({"jsonrpc": "2.0", "id": number + 1, **call})
        return client

    def geyser(self, address: str) -> Background:
        client = Background(address, self.request)
        self.addCleanup(client.close)
        return client

    def notifications(self, path: pathlib.Path) -> list[Notified]:
        """The recorded notifications, in order."""
        found = []
        parts: list[Record] = []
        for record in records(path):
            if record.kind != "websocket_frame_in" or record.flags["opcode"] >= 8:
                continue
            parts.append(record)
            if not record.flags["fin"]:
                continue
            whole = Notified(
                parts[0].sequence, record.sequence, b"".join(r.payload for r in parts)
            )
            parts = []
            if b"eth_subscription" in whole.payload:
                found.append(whole)
        return found

    def rest(self, client: EvmClient) -> list[Frame]:
        """What comes up to the end, both sides of which are then over."""
        frames = client.read_to_end()
        client.close()
        return frames

    def assertQuiet(self, client: EvmClient) -> None:
        """Nothing lies between what the client has read and the answer to a ping."""
        client.wire.send(Frame(PING, b"barrier"))
        self.assertEqual(client.frame(), Frame(PONG, b"barrier"))


class Controls(Played):
    """The control socket: what it says, and what clients see of it."""

    def begin(self, path: pathlib.Path, *words: str) -> tuple[list[str], Control]:
        """`serve`, paused at its start."""
        place = self.folder / "deck.sock"
        count = sum(word in ("--ws", "--geyser") for word in words)
        serving = self.serving(path, *words, "--start-paused", "--control", str(place))
        addresses = first_addresses(serving, count)
        control = Control(place)
        self.addCleanup(control.close)
        return addresses, control

    def test_steps_seeks_and_pauses_on_an_evm_connection(self) -> None:
        (address,), control = self.begin(self.timed, "--ws", "127.0.0.1:0")
        recorded = self.notifications(self.timed)
        client = self.evm(address)
        answers = [client.message(), client.message()]
        self.assertSameMessages(answers, self.chain.captured.incoming[:2])
        control.wait("subscriptions", "1")

        def position() -> int:
            return int(control("status")["position"])

        # By one, by some, and to a place between two messages.
        got: list[bytes] = []
        for count in (recorded[0].sequence - position(), 1, 7, 20):
            before = position()
            self.assertEqual(int(control(f"step {count}")["position"]), before + count)
            due = [r.payload for r in recorded if r.sequence <= before + count]
            while len(got) < len(due):
                got.append(client.message())
            self.assertSameMessages(got, due, f"stepped to {before + count}")
            self.assertQuiet(client)
        # Back, and on from there: what was told is told again.
        target = recorded[10].sequence
        self.assertEqual(int(control(f"seek seq:{target}")["position"]), target - 1)
        self.assertEqual(int(control("step 5")["position"]), target + 4)
        again = [r.payload for r in recorded if target <= r.sequence <= target + 4]
        self.assertSameMessages([client.message() for _ in again], again, "sought back")
        self.assertQuiet(client)
        # Forward to a block: the first that comes is of it.
        block = self.chain.last - 3
        control(f"seek block:{block}")
        head = next(r for r in recorded if f'"number":"{hex(block)}"'.encode() in r.payload)
        self.assertEqual(position(), head.sequence - 1)
        control("step")
        self.assertEqual(client.message(), head.payload)
        # Answers are as of the head.
        self.assertEqual(client.ask("eth_blockNumber", [])["result"], hex(block))
        # The rest, at full speed from here.
        control("rate max")
        control("resume")
        rest = [r.payload for r in recorded if r.sequence > head.sequence]
        frames = self.rest(client)
        self.assertEqual(frames[-1].opcode, CLOSE)
        self.assertSameMessages(messages_of(frames)[-len(rest) :], rest, "the rest")
        self.assertEqual(control("status")["at_end"], "true")

    def test_steps_seeks_and_pauses_on_a_yellowstone_stream(self) -> None:
        (address,), control = self.begin(self.both, "--geyser", "127.0.0.1:0")
        recorded = [r for r in records(self.both) if r.kind == "grpc_message_in"]
        client = self.geyser(address)
        control.wait("subscriptions", "1")
        for count in (recorded[0].sequence, 1, 50):
            position = int(control(f"step {count}")["position"])
            due = [r.payload for r in recorded if r.sequence <= position]
            self.assertSameMessages(client.wait(len(due)), due, f"stepped to {position}")
        told = len(client.messages)
        target = recorded[5].sequence
        control(f"seek seq:{target}")
        position = int(control("step 40")["position"])
        again = [r.payload for r in recorded if target <= r.sequence <= position]
        self.assertSameMessages(client.wait(told + len(again))[told:], again, "sought back")
        told = len(client.messages)
        target = recorded[-20].sequence
        control(f"seek seq:{target}")
        control("resume")
        answer = client.end()
        self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
        rest = [r.payload for r in recorded if r.sequence >= target]
        self.assertSameMessages(answer.messages[told:], rest, "the rest")

    def test_a_pause_holds_both_wires_at_one_place(self) -> None:
        words = ("--geyser", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--rate", "0.001")
        (geyser, ws), control = self.begin(self.both, *words)
        stream, client = self.geyser(geyser), self.evm(ws)
        control.wait("subscriptions", "2")
        control("resume")
        control("rate 1000000")
        control.wait("at_end", "true")
        answer = stream.end()
        self.assertSameMessages(answer.messages, self.market.messages)
        self.assertSameMessages(messages_of(self.rest(client)), self.chain.captured.incoming)
        # Clients that come at the end begin there; the head goes back for all who are there.
        control("pause")
        control("seek seq:1")
        late, other = self.geyser(geyser), self.evm(ws)
        control.wait("subscriptions", "4")
        middle = [r for r in records(self.both) if r.kind == "grpc_message_in"][300].sequence
        position = int(control(f"step {middle}")["position"])
        self.assertEqual(position, middle)
        self.assertSameMessages(late.wait(301), self.market.messages[:301])
        control("rate max")
        control("resume")
        self.assertSameMessages(late.end().messages, self.market.messages)
        self.assertSameMessages(messages_of(self.rest(other)), self.chain.captured.incoming)

    def test_the_rate_stretches_the_recorded_times(self) -> None:
        span = STEP * (len(self.chain.captured.rows) - 1) / 1e9
        (address,), control = self.begin(self.timed, "--ws", "127.0.0.1:0", "--rate", "2")
        client = self.evm(address)
        control.wait("subscriptions", "1")
        began = time.monotonic()
        control("resume")
        frames = self.rest(client)
        self.assertEqual(messages_of(frames), self.chain.captured.incoming)
        self.assertEqual(frames[-1], close_frame(1000))
        # Never early. How late it may be is nothing for a busy machine.
        self.assertGreaterEqual(time.monotonic() - began, span / 2)
        control("pause")
        control("seek seq:1")
        control("rate 0.000001")
        client = self.evm(address)
        control.wait("subscriptions", "2")
        control("resume")
        # A hundred seconds a message: none comes until the rate is another one.
        for _ in range(2):
            client.message()
        self.assertQuiet(client)
        self.assertEqual(control("rate 1000")["rate"], "1000")
        self.assertEqual(messages_of(self.rest(client)), self.chain.captured.incoming)

    def test_mistakes_are_answered_and_change_nothing(self) -> None:
        (_,), control = self.begin(self.timed, "--ws", "127.0.0.1:0")
        state = control("status")
        for line in ("", "jump", "step 0", "step x", "rate", "rate -1", "rate 1e3", "seek 5",
                     "seek time:yesterday", "pause now", "x" * 3_000):  # fmt: skip
            with self.subTest(line=line[:40]):
                self.assertTrue(control.say(line).startswith("error "), line)
        self.assertEqual(control("status"), state)
        self.assertTrue(control.say("help").startswith("ok "))
        control("resume")
        self.assertTrue(control.say("step 3").startswith("error "))


class Clients(Played):
    def test_the_clock_waits_for_clients_of_both_wires(self) -> None:
        place = self.folder / "deck.sock"
        words = ("--geyser", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--control", str(place))
        for rate in ("max", "1000"):
            with self.subTest(rate=rate):
                serving = self.serving(self.both, *words, "--rate", rate, "--wait-clients", "3")
                geyser, ws = first_addresses(serving, 2)
                control = Control(place)
                first, stream = self.evm(ws), self.geyser(geyser)
                control.wait("subscriptions", "2")
                self.assertEqual(control("status")["started"], "false")
                answers = [first.message(), first.message()]
                self.assertSameMessages(answers, self.chain.captured.incoming[:2])
                self.assertQuiet(first)
                self.assertEqual(stream.messages, [])
                # One that asks and does not subscribe does not count.
                asking = self.evm(ws, subscribe=False)
                self.assertEqual(asking.ask("eth_chainId", [])["result"], "0x89")
                self.assertEqual(control("status")["started"], "false")
                second = self.evm(ws)
                for client in (first, second):
                    got = messages_of(self.rest(client))
                    self.assertSameMessages(got, self.chain.captured.incoming)
                self.assertSameMessages(stream.end().messages, self.market.messages)
                control.close()
                # One that does not answer a close frame would be waited for.
                asking.close()
                self.check(serving.stop())

    def test_a_loop_begins_again_for_those_who_come_after_the_end(self) -> None:
        words = ("--geyser", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--rate", "1000000")
        geyser, ws = first_addresses(self.serving(self.both, *words, "--loop"), 2)
        for _ in range(3):
            answer = self.geyser(geyser).end()
            self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
            self.assertSameMessages(answer.messages, self.market.messages)
            got = messages_of(self.rest(self.evm(ws)))
            self.assertSameMessages(got, self.chain.captured.incoming)

    def test_without_a_loop_the_end_is_the_end(self) -> None:
        words = ("--geyser", "127.0.0.1:0", "--rate", "1000000")
        (geyser,) = first_addresses(self.serving(self.both, *words), 1)
        self.assertSameMessages(self.geyser(geyser).end().messages, self.market.messages)
        late = self.geyser(geyser).end()
        self.assertIs(late.code, grpc.StatusCode.OK, late.details)
        self.assertEqual(late.messages, [])


class Ranges(Played):
    def test_sequences(self) -> None:
        frames = [r for r in records(self.both) if r.kind == "grpc_message_in"]
        notified = self.notifications(self.both)
        # From the second frame of a message on: what is left of it is no message.
        cut = next(n for n in notified[20:] if n.first < n.sequence)
        first, last = cut.first + 1, max(frames[400].sequence, notified[60].sequence)
        answers = self.chain.captured.incoming[:2]
        for words in (
            ("--from", f"seq:{first}", "--to", f"seq:{last}"),
            ("--from", f"seq:{first}..{last}"),
            ("--from", f"seq:{first}", "--to", f"seq:+{last - first + 1}"),
        ):
            with self.subTest(words=words):
                ports = ("--geyser", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--rate", "max")
                serving = self.serving(self.both, *ports, *words)
                geyser, ws = first_addresses(serving, 2)
                wanted = [r.payload for r in frames if first <= r.sequence <= last]
                self.assertSameMessages(self.geyser(geyser).end().messages, wanted)
                got = messages_of(self.rest(self.evm(ws)))
                wanted = [n.payload for n in notified if first <= n.first and n.sequence <= last]
                self.assertSameMessages([m for m in got if b"eth_subscription" in m], wanted)
                self.assertEqual([m for m in got if b"eth_subscription" not in m], answers)
                self.check(serving.stop())

    def test_slots(self) -> None:
        low, high = self.market.first + 4, self.market.first + 9
        frames = [r for r in records(self.both) if r.kind == "grpc_message_in"]

        def slot(record: Record) -> int:
            update = ys.SubscribeUpdate.FromString(record.payload)
            kinds = ("account", "slot", "transaction", "entry", "block", "block_meta")
            return next(getattr(update, kind).slot for kind in kinds if update.HasField(kind))

        inside = [place for place, r in enumerate(frames) if low <= slot(r) <= high]
        wanted = [r.payload for r in frames[inside[0] : inside[-1] + 1]]
        words = ("--geyser", "127.0.0.1:0", "--rate", "max", "--from", f"slot:{low}..{high}")
        (geyser,) = first_addresses(self.serving(self.both, *words), 1)
        got = self.geyser(geyser).end().messages
        self.assertSameMessages(got, wanted)

    def test_blocks(self) -> None:
        low, high = self.chain.first + 3, self.chain.first + 8
        words = ("--ws", "127.0.0.1:0", "--rate", "max", "--from", f"block:{low}..{high}")
        (ws,) = first_addresses(self.serving(self.timed, *words), 1)
        got = [json.loads(m) for m in messages_of(self.rest(self.evm(ws)))]
        heads = [m["params"]["result"] for m in got if m.get("params", {}).get("subscription") == HEADS]
        logs = [m["params"]["result"] for m in got if m.get("params", {}).get("subscription") == LOGS]
        self.assertEqual([int(h["number"], 16) for h in heads], list(range(low, high + 1)))
        wanted = [l for l in self.chain.canonical if low <= int(l["blockNumber"], 16) <= high]
        self.assertEqual(logs, wanted)

    def test_a_range_that_is_not_there_exits_5(self) -> None:
        for words in (("--from", "seq:1000000"), ("--from", "block:5000000")):
            with self.subTest(words=words):
                self.check(run("serve", self.timed, "--ws", "127.0.0.1:0", *words), 5)


class Replayed(Played):
    """`replay` gives what `cat` gives, whatever the rate."""

    def test_replayed_records_are_those_of_the_recording(self) -> None:
        for more in ((), ("--from", "seq:20", "--to", "seq:90"), ("--to", "block:1000004")):
            shown = self.check(run("cat", self.timed, "--format", "ndjson", *more)).stdout
            self.assertTrue(shown)
            for rate in ("max", "100"):
                with self.subTest(rate=rate, more=more):
                    words = ("replay", self.timed, "--rate", rate, "--format", "ndjson", *more)
                    played = self.check(run(*words))
                    self.assertEqual(played.stdout, shown)

    def test_replay_keeps_the_recorded_times(self) -> None:
        span = STEP * (len(self.chain.captured.rows) - 1) / 1e9
        began = time.monotonic()
        played = self.check(run("replay", self.timed, "--rate", "4"))
        self.assertGreaterEqual(time.monotonic() - began, span / 4)
        self.assertRegex(played.stderr, r"replayed sequences 1 to \d+: \d+ frames")
        self.assertEqual(played.stdout, "")

    def test_payloads_survive_a_replay(self) -> None:
        out = self.check(run("replay", self.both, "--rate", "max", "--format", "ndjson")).stdout
        played = [Record(json.loads(line)) for line in out.splitlines()]
        sent = [r.payload for r in played if r.kind == "grpc_message_in"]
        self.assertSameMessages(sent, self.market.messages)
