"""What `import` makes of captures: compared with the files' own contents, read here in Python."""

from __future__ import annotations

import gzip
import json
import pathlib
import struct
from typing import Any

from deck import Case, Running, Stream, first_addresses, records, run, shared, streams
from evm_chain import Chain
from evm_peer import EvmClient, messages_of
from market import Market

#: Texts that a careless reader of JSON changes.
ODD = [
    "", " ", "\n", "a\tb\r\n", '"\\/\b\f', "\u0000\u001f\u007f", "é ß 漢字 \U0001f600", "\ud7ff\ue000\uffff",
    "\u2028\u2029", '{"a": 1.0e400, "a": -0, "\\u0061": [1 , 2]}', "x" * 70_000,
]  # fmt: skip


def prefixed(messages: list[bytes], order: str) -> bytes:
    """Messages behind their lengths in 32 bits."""
    return b"".join(struct.pack(order + "I", len(m)) + m for m in messages)


class Import(Case):
    def imported(self, *files: pathlib.Path, more: tuple[str, ...] = ()) -> list[Stream]:
        """The streams of a recording made of files."""
        target = self.folder / f"rec-{len(list(self.folder.iterdir()))}"
        self.check(run("import", *files, "-o", target, *more))
        self.verified(target)
        self.target = target
        return streams(target)

    def written(self, name: str, data: bytes) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def assertImported(self, path: pathlib.Path, messages: list[bytes], *more: str) -> None:
        """The file is one gRPC stream of these messages, in order."""
        (stream,) = self.imported(path, more=more)
        self.assertEqual({r.kind for r in stream.frames}, {"grpc_message_in"})
        self.assertSameMessages(stream.messages(), messages, path.name)
        self.assertFalse(any(r.flags["compressed"] for r in stream.frames))

    def assertLengths(self, messages: list[bytes]) -> None:
        """Both byte orders, told and found out, plain and packed."""
        for order, name in (("<", "solana-le"), (">", "solana-be")):
            data = prefixed(messages, order)
            with self.subTest(format=name):
                path = self.written(f"{name}.bin", data)
                self.assertImported(path, messages, "--format", name)
                self.assertImported(path, messages)
                packed = self.written(f"{name}.bin.gz", gzip.compress(data, 1))
                self.assertImported(packed, messages, "--format", name)
                other = "solana-be" if order == "<" else "solana-le"
                target = self.folder / "none"
                self.check(run("import", path, "--format", other, "-o", target), 1, path.name)
                self.assertFalse(target.exists())

    def test_invented_updates_in_both_byte_orders(self) -> None:
        self.assertLengths(Market().messages)

    def test_real_updates_in_both_byte_orders(self) -> None:
        data, place, messages = shared("solana", "real.bin").read_bytes(), 0, []
        while place < len(data):
            (size,) = struct.unpack_from("<I", data, place)
            messages.append(data[place + 4 : place + 4 + size])
            place += 4 + size
        self.assertLengths(messages)

    def test_times_are_those_of_the_updates(self) -> None:
        market = Market()
        path = self.written("m.bin", prefixed(market.messages, "<"))
        (stream,) = self.imported(path)
        times = [int(r.line["received_ns"]) for r in stream.frames]
        # The invented updates say a nanosecond more each.
        self.assertEqual(times, [1_700_000_000 * 10**9 + 1 + n for n in range(len(times))])

    def test_what_is_cut_or_absurd_leaves_nothing(self) -> None:
        messages = Market().messages[:20]
        whole = prefixed(messages, "<")
        target = self.folder / "rec"
        for name, data in (
            ("cut", whole[:-1]), ("cut length", whole + b"\1\0"), ("empty", b""),
            ("absurd", whole + b"\xff\xff\xff\xff"), ("not protobuf", prefixed([b"\xff" * 9], "<")),
        ):  # fmt: skip
            with self.subTest(name):
                path = self.written("bad.bin", data)
                for more in ((), ("--format", "solana-le")):
                    self.check(run("import", path, "-o", target, *more), 1, "bad.bin")
                    self.assertFalse(target.exists())

    # MARK: Lines of JSON

    def lines(self, rows: list[dict[str, Any]], ascii: bool = True) -> bytes:
        return "".join(json.dumps(r, ensure_ascii=ascii) + "\n" for r in rows).encode()

    def assertLines(self, path: pathlib.Path, rows: list[dict[str, Any]], *more: str) -> None:
        """Each connection of a capture is one stream with these messages."""
        found = {stream.source: stream for stream in self.imported(path, more=more)}
        by_name: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_name.setdefault(row["conn"], []).append(row)
        self.assertEqual(len(found), len(by_name))
        opcodes = {"text": 1, "ping": 9, "pong": 10}
        for name, wanted in by_name.items():
            stream = found[name]
            self.assertEqual(
                [(r.kind, r.flags["opcode"], r.flags["fin"]) for r in stream.frames],
                [(f"websocket_frame_{w['dir']}", opcodes[w["opcode"]], True) for w in wanted],
                name,
            )
            self.assertSameMessages(
                [r.payload for r in stream.frames], [w["payload"].encode() for w in wanted], name
            )
            times = [int(r.line["received_ns"]) for r in stream.frames]
            self.assertEqual(times, [w["t"] * 1_000_000 for w in wanted], name)

    def test_invented_lines(self) -> None:
        rows: list[dict[str, Any]] = []
        for place, text in enumerate(ODD * 3):
            rows.append(
                {
                    "conn": ("one", "two")[place % 2], "seq": place // 2, "t": 1_700_000_000_000 + place,
                    "dir": ("in", "out", "in")[place % 3], "opcode": "text", "payload": text,
                }
            )  # fmt: skip
        rows[5]["opcode"], rows[8]["opcode"] = "ping", "pong"
        rows[5]["payload"] = rows[8]["payload"] = "beat"
        for ascii in (True, False):
            with self.subTest(escaped=ascii):
                path = self.written("lines.jsonl", self.lines(rows, ascii))
                self.assertLines(path, rows)
                self.assertLines(path, rows, "--format", "ws-jsonl", "--chain", "evm:137")
        packed = self.written("lines.jsonl.gz", gzip.compress(self.lines(rows)))
        self.assertLines(packed, rows)

    def test_real_lines(self) -> None:
        path = shared("evm", "real.jsonl")
        with path.open() as lines:
            self.assertLines(path, [json.loads(line) for line in lines])

    def test_lines_of_one_connection_with_seconds(self) -> None:
        rows = [{"t_wall": 1_783_089_923 + n / 8, "raw": text} for n, text in enumerate(ODD)]
        (stream,) = self.imported(self.written("raw.jsonl", self.lines(rows)))
        self.assertSameMessages(stream.messages(), [text.encode() for text in ODD])
        times = [int(r.line["received_ns"]) for r in stream.frames]
        self.assertEqual(times, [1_783_089_923 * 10**9 + n * 125_000_000 for n in range(len(ODD))])

    def test_a_bad_line_is_named_and_leaves_nothing(self) -> None:
        good = {"conn": "a", "seq": 0, "t": 1, "dir": "in", "opcode": "text", "payload": "x"}
        target = self.folder / "rec"
        for bad in (
            {**good, "dir": "up"}, {**good, "opcode": "close"}, {**good, "payload": 5},
            {**good, "t": "soon"}, {k: v for k, v in good.items() if k != "conn"},
        ):  # fmt: skip
            with self.subTest(**bad):
                path = self.written("bad.jsonl", self.lines([good, bad]))
                self.check(run("import", path, "-o", target), 1, r"bad\.jsonl.*line 2")
                self.assertFalse(target.exists())
        path = self.written("bad.jsonl", self.lines([good]) + b'{"conn": "a", "seq"\n')
        self.check(run("import", path, "-o", target), 1, r"bad\.jsonl.*line 2")

    def test_several_files_are_one_recording_that_can_be_served(self) -> None:
        market, chain = Market(), Chain()
        rows = [
            {
                "conn": "chain", "seq": place, "t": 1_700_000_000_000 + place,
                "dir": "out" if is_call else "in", "opcode": "text", "payload": data.decode(),
            }
            for place, (is_call, data) in enumerate(chain.captured.rows)
        ]  # fmt: skip
        found = self.imported(
            self.written("m.bin", prefixed(market.messages, "<")),
            self.written("c.jsonl", self.lines(rows)),
        )
        self.assertEqual([stream.source for stream in found], ["m", "chain"])
        self.assertSameMessages(found[0].messages(), market.messages)
        sequences = [record.sequence for record in records(self.target)]
        self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        with Running("serve", self.target, "--ws", "127.0.0.1:0", "--rate", "max") as serving:
            (address,) = first_addresses(serving, 1)
            with EvmClient(address) as client:
                for is_call, data in chain.captured.rows:
                    if is_call:
                        client.call(data)
                self.assertSameMessages(
                    messages_of(client.read_to_end()), chain.captured.incoming, "served"
                )
