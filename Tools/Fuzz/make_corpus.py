#!/usr/bin/env python3
"""Writes the corpora that fuzzing begins with: Tests/Fuzz/Corpus/TARGET/NAME.

    Tools/Fuzz/make_corpus.py [TAPEDECK]

Every input is invented here or cut from Recordings. The same files come out of every run; files of
an earlier run that are no longer made are removed. Given the program, the MCAP inputs are exported
anew; otherwise they stay as they are.
"""

import base64
import gzip
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "Tests" / "Fuzz" / "Corpus"
RECORDINGS = ROOT / "Recordings"
PART_MAX = 20 << 10


def put(target, name, data):
    if isinstance(data, str):
        data = data.encode()
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# Recordings


def bundle(recording, switches):
    """The files of a recording as ForeignRecording reads them; None when they are too large."""
    out = bytes([switches])
    segments = recording / "segments"
    parts = []
    if (segments / "MANIFEST").exists():
        parts.append((0, segments / "MANIFEST"))
    if (recording / "recording.json").exists():
        parts.append((1, recording / "recording.json"))
    parts += [(2, path) for path in sorted(segments.glob("*.seg"))]
    if (recording / "pins.json").exists():
        parts.append((3, recording / "pins.json"))
    for kind, path in parts:
        contents = path.read_bytes()
        if len(contents) > 65535:
            return None
        out += struct.pack("<BH", kind, len(contents)) + contents
    return out if len(out) <= PART_MAX else None


def recordings():
    places = sorted(
        path.parent
        for path in RECORDINGS.rglob("segments")
        if path.is_dir() and not path.is_symlink()
    )
    for place in places:
        name = "-".join(part for part in place.relative_to(RECORDINGS).parts if part != "recording")
        malformed = name.startswith("malformed")
        made = bundle(place, 0 if malformed else 7)
        if made is None:
            continue
        if len(made) > (3 << 10 if malformed else 20 << 10):
            continue
        put("recording", name, made)
        put("recovery", name, made)
    smallest = RECORDINGS / "formats" / "v1" / "smallest" / "recording"
    put("identity", "smallest", (smallest / "recording.json").read_bytes())
    put("identity", "newer", '{"format":"tapedeck","version":"9.9"}')
    put("pins", "none", '{"pins":[]}')
    pins = {
        "format": "tapedeck pins",
        "version": "1.0",
        "pins": [{"name": "keep", "sequence": "12", "created_ns": "1700000000000000000"}],
    }
    put("pins", "one", json.dumps(pins))
    return smallest


# Structures of the log


def record(kind, payload, stream=1):
    head = struct.pack("<IBBBBIQqQ", len(payload), kind, 0x81, 0, 0, 0, stream, 17, 19)
    return head + payload


def field(number, kind, data):
    return struct.pack("<HBI", number, kind, len(data)) + data


def structures(smallest):
    fields = (
        field(1, 4, b"geyser-1")
        + field(5, 6, struct.pack("<H", 4) + b"namevalue")
        + field(14, 1, struct.pack("<Q", 5))
        + field(16, 2, struct.pack("<q", -5))
        + field(30, 3, b"\1")
    )
    records = record(1, b"frame") + record(16, fields, 0) + record(2, b"")
    hole = (
        field(14, 1, struct.pack("<Q", 9))
        + field(15, 1, struct.pack("<Q", 11))
        + field(12, 4, b"damage")
    )
    context = struct.pack("<Q", 3) + record(17, fields, 0)
    put("structures", "records", b"\x00" + records)
    put("structures", "fields", b"\x01" + fields)
    put("structures", "context", b"\x02" + context)
    put("structures", "hole", b"\x03" + hole)
    segments = smallest / "segments"
    segment = next(segments.glob("*.seg")).read_bytes()
    manifest = (segments / "MANIFEST").read_bytes()
    put("structures", "block-header", b"\x84" + segment[128:208])
    put("structures", "segment-header", b"\x85" + segment[:128])
    put("structures", "manifest-header", b"\x86" + manifest[:64])
    put("structures", "manifest-entry", b"\x87" + manifest[64:160])
    trailer = segment[-80:]
    index = struct.unpack_from("<Q", trailer, 8)[0]
    put("structures", "seal", b"\x88" + segment[index:])
    literals = bytes([0xF0, len(records) - 15]) + records
    put("structures", "lz4", b"\x09" + struct.pack("<H", len(records)) + literals)


# Protobuf


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(tag, value):
    return varint(tag << 3) + varint(value)


def text(tag, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(tag << 3 | 2) + varint(len(data)) + data


def updates():
    key = bytes(range(32))
    signature = bytes(range(64))
    created = text(11, number(1, 1_700_000_000) + number(2, 5))
    account_info = (
        text(1, key) + number(2, 5) + text(3, bytes(32)) + number(4, 0) + number(5, 9)
        + text(6, bytes(range(16))) + number(7, 77) + text(8, signature)
    )
    header = number(1, 1) + number(2, 0) + number(3, 1)
    instruction = number(1, 1) + text(2, b"\0") + text(3, b"data")
    message = (
        text(1, header) + text(2, key) + text(2, bytes(32)) + text(3, key)
        + text(4, instruction) + number(5, 1)
    )
    transaction = text(1, signature) + text(2, message)
    meta = (
        number(2, 5000) + text(3, varint(10) + varint(20)) + text(4, varint(9) + varint(21))
        + text(6, "Program log: hi") + text(7, number(1, 0) + text(2, "mint") + text(4, "owner"))
        + text(12, key) + number(16, 300)
    )
    info = text(1, signature) + number(2, 0) + text(3, transaction) + text(4, meta) + number(5, 4)
    status = number(1, 12) + text(2, signature) + number(3, 0) + number(4, 4)
    entry = number(1, 12) + number(2, 1) + number(3, 64) + text(4, key) + number(5, 2)
    block = (
        number(1, 12) + text(2, "hash") + text(4, number(1, 1_700_000_000)) + text(5, number(1, 9))
        + text(6, info) + number(7, 11) + text(8, "parent") + number(9, 1)
        + text(11, account_info) + number(10, 1) + number(12, 1) + text(13, entry)
    )
    return {
        "account": text(1, "a") + text(2, text(1, account_info) + number(2, 12)) + created,
        "slot": text(1, "s") + text(3, number(1, 12) + number(2, 11) + number(3, 1)) + created,
        "transaction": text(1, "t") + text(4, text(1, info) + number(2, 12)) + created,
        "status": text(1, "u") + text(10, status) + created,
        "block": text(1, "b") + text(5, block) + created,
        "meta": text(1, "m") + text(7, number(1, 12) + text(2, "hash") + number(8, 3)) + created,
        "entry": text(1, "e") + text(8, entry) + created,
        "ping": text(6, b""),
        "pong": text(9, number(1, 3)),
    }


def entry(tag, name, value):
    return text(tag, text(1, name) + text(2, value))


def requests():
    key = "11111111111111111111111111111111"
    memcmp = text(4, text(1, number(1, 8) + text(2, b"\1\2")))
    lamports = text(4, text(4, number(1, 5)))
    return {
        "accounts": entry(1, "a", text(2, key) + text(3, key) + memcmp + lamports + number(5, 1)),
        "slots": entry(2, "s", number(1, 1) + number(2, 1)),
        "transactions": entry(3, "t", number(1, 0) + number(2, 0) + text(3, key) + text(6, key)),
        "blocks": entry(4, "b", text(1, key) + number(2, 1) + number(3, 1) + number(4, 1)),
        "rest": entry(5, "m", b"") + entry(8, "e", b"") + entry(10, "u", number(1, 1))
        + number(6, 1) + text(7, number(1, 1) + number(2, 4)) + text(9, number(1, 7))
        + number(11, 12),
    }


def rich_transaction(is_vote=0):
    """A transaction with calls, both forms of balances, loaded keys and an error."""

    def call(program, data, height=None):
        made = number(1, program) + text(2, b"\0\1") + text(3, data)
        return made if height is None else made + number(4, height)

    message = (
        text(2, bytes(range(32))) + text(2, bytes(32)) + text(4, call(1, b"a")) + text(4, call(1, b""))
    )
    balance = number(1, 1) + text(2, "mint") + text(3, number(2, 6) + text(3, "42")) + text(4, "w")
    meta = (
        text(1, text(1, b"\x08\0\0\0")) + number(2, 5000) + text(3, varint(1 << 40) + varint(0))
        + number(4, 7) + number(4, 8) + text(5, text(2, call(0, b"x", 2)) + number(1, 1))
        + text(5, number(1, 0) + text(2, call(1, b"y", 2)) + text(2, call(0, b"z", 3)))
        + text(6, "Program log: hi") + text(7, balance) + text(8, balance)
        + text(13, bytes(range(1, 33))) + text(12, bytes(range(2, 34))) + number(16, 300)
    )
    return (
        text(1, bytes(range(64))) + number(2, is_vote) + text(3, text(2, message)) + text(4, meta)
        + number(5, 4)
    )


def solana(made, asked):
    for name, data in made.items():
        put("solana-update", name, data)
    rich = rich_transaction()
    put("solana-update", "rich", text(4, text(1, rich) + number(2, 12)))
    put("solana-update", "rich-block", text(5, number(1, 12) + text(6, rich) * 2))
    put("solana-transaction", "rich", rich)
    put("solana-transaction", "vote", rich_transaction(1))
    for name, data in asked.items():
        put("stream-scope", name, data)


def key(byte):
    return bytes([byte]) * 32


def words(*values):
    return b"".join(struct.pack("<Q", value) for value in values)


def step(kind, *parts):
    return bytes([kind]) + b"".join(bytes([part]) if isinstance(part, int) else part for part in parts)


def called(program, accounts, data):
    return step(0, program, len(accounts), bytes(accounts), len(data), data)


def told(program, height, payload):
    return step(3, program, height - 2, struct.pack("<H", len(payload)), payload)


def programs():
    """Steps of FuzzedTransaction: calls of programs by their place among its keys, and events."""
    accounts = list(range(20, 38))
    trade = (
        bytes.fromhex("bddb7fd34ee661ee") + key(20) + words(1000, 2000) + b"\1" + key(21)
        + words(1, 30_000, 40_000, 5, 6)
    )
    later = (
        key(22) + words(95, 96) + key(23) + words(30, 31) + b"\1" + words(0, 0, 0, 0)
        + struct.pack("<I", 3) + b"buy\0" + words(5, 6, 5000, 48) + bytes(4) + key(11)
        + words(1000, 30_000, 6, 0, 0, 0)
    )
    buy = bytes.fromhex("66063d1201daebea") + words(9, 10)
    event = (
        bytes.fromhex("67f4521f2cf57777") + words(1, 10, 60, 1, 2, 2000, 3000, 50, 1, 2, 3, 4, 52, 56)
        + b"".join(key(20 + at) for at in range(6))
    )
    end = (
        key(26) + words(3, 1) + b"\1" + words(0, 0, 0, 0, 9) + struct.pack("<I", 3) + b"buy"
        + words(0, 0, 5000, 2) + struct.pack("<qq", -5, -1) + b"\1" + words(7, 0, 0, 0)
    )
    created = bytes.fromhex("1b72a94ddeeb6376")
    for word in ("Name", "NM", "https://a"):
        created += struct.pack("<I", len(word)) + word.encode()
    created += key(20) + key(21) + key(22)
    pair = [20, 21, 22, 13, 10, 30, 31]
    made = {
        "curve": called(0, accounts, buy) + told(0, 2, trade),
        "curve-newest": called(0, accounts, buy) + told(0, 2, trade + later),
        "created": called(0, accounts, bytes.fromhex("d6904cec5f8b31b4")) + told(0, 2, created),
        "pool": called(1, pair, buy) + told(1, 2, event),
        "pool-newest": called(1, pair, buy) + told(1, 2, event + end),
        "routed": called(40, [20], b"\1") + step(1, 2, 0, 6, bytes(accounts[:6]), len(buy), buy)
        + told(0, 3, trade) + step(1, 2, 6, 3, bytes([20, 21, 22]), 9, b"\3" + words(5)),
        "lines": called(0, accounts, buy) + step(4, 0, 1)
        + step(6, struct.pack("<H", len(trade)), trade) + step(5, 0)
        + step(9, struct.pack("<H", 13), b"Log truncated"),
        "ray-log": called(2, accounts, b"\x09" + words(100, 1)) + step(4, 2, 1)
        + step(7, struct.pack("<H", 57), b"\3" + words(100, 1, 2, 1000, 5000, 6000, 119)) + step(5, 2),
        "balances": called(6, [20, 21, 22], b"\3" + words(5)) + step(8, 20, 10, 11, 5, 0, 0, 0)
        + step(8, 21, 10, 12, 5, 0, 0, 1) + called(0, accounts, buy) + told(0, 2, trade),
        "tip": called(8, [13, 12], struct.pack("<IQ", 2, 9)) + called(9, [], b"\3" + words(7)),
    }
    for name, data in made.items():
        put("program-calls", name, data)
    curve = bytes.fromhex("17b7f83760d8ac60") + words(1, 2, 3, 4, 5) + b"\1" + key(3) + bytes(60)
    pool = bytes.fromhex("f19a6d0411b16dbc") + bytes(203) + key(9) + bytes(60)
    for name, owner, data in (
        ("curve", 0, curve), ("pool", 1, pool), ("v4", 2, bytes(752)), ("cpmm", 3, bytes(637)),
        ("clmm", 4, bytes(1544)), ("token", 6, key(1) + key(2) + words(5) + b"\0" * 36 + b"\1" + bytes(56)),
        ("mint", 7, bytes(36) + words(5) + b"\6\1" + bytes(36)),
    ):
        put("program-account", name, bytes([owner]) + data)


def geyser():
    made, asked = updates(), requests()
    solana(made, asked)
    for name, data in made.items():
        put("geyser-update", name, data)
    for name, data in asked.items():
        put("geyser-request", name, data)
        for update in ("account", "transaction", "block", "slot"):
            if name in ("rest", update + "s", "blocks"):
                body = struct.pack("<H", len(data)) + data + made[update]
                put("geyser-filter", f"{name}-{update}", body)
    key = "11111111111111111111111111111111"
    texts = {
        "slots": {"slots": {"a": {"filterByCommitment": True}}, "commitment": "CONFIRMED"},
        "accounts": {
            "accounts": {
                "a": {
                    "account": [key],
                    "filters": [
                        {"memcmp": {"offset": "8", "base58": "abc"}},
                        {"datasize": "165"},
                        {"lamports": {"gt": "5"}},
                    ],
                }
            },
            "accountsDataSlice": [{"offset": "0", "length": "4"}],
        },
        "rest": {
            "transactions": {"t": {"vote": False, "accountInclude": [key]}},
            "blocks": {"b": {"includeTransactions": True}},
            "blocksMeta": {"m": {}},
            "entry": {"e": {}},
            "ping": {"id": 3},
            "fromSlot": "12",
        },
    }
    for name, value in texts.items():
        put("geyser-request-json", name, json.dumps(value))


# WebSocket and HTTP


def frame(first, payload, mask=None):
    bit = 0 if mask is None else 0x80
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    else:
        head = bytes([first, bit | 126]) + struct.pack(">H", len(payload))
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def deflated(data):
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    out = coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH)
    return out[:-4]


def wires():
    mask = b"\1\2\3\4"
    client = frame(0x81, b"hello", mask) + frame(0x89, b"p", mask) + frame(0x88, b"\3\xe8by", mask)
    server = frame(0x01, "h\u00e9".encode()) + frame(0x8A, b"") + frame(0x80, b"llo" * 60)
    squeezed = frame(0xC1, deflated(b"to be deflated " * 9)) + frame(0x82, b"\0\1")
    put("websocket", "client", b"\0\3" + client)
    put("websocket", "server", b"\1\1" + server)
    put("websocket", "deflate", b"\3\x10" + squeezed)
    put("websocket", "deflate-client", b"\2\x02" + frame(0xC2, deflated(bytes(99)), mask))
    for place, url in enumerate(
        [
            "wss://node.example/v2/abcdef0123456789?key=1",
            "ws://user:pass-word@[::1]:8546",
            "ws://127.0.0.1:1/",
        ]
    ):
        put("websocket-url", f"url-{place}", url)
    lines = [
        "GET /chat HTTP/1.1",
        "Host: node.example",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    end = ["", ""]
    offers = "permessage-deflate; server_no_context_takeover; client_max_window_bits"
    more = [f"Sec-WebSocket-Extensions: {offers}", "Sec-WebSocket-Protocol: json, rpc"]
    put("http-server", "plain", "\r\n".join(lines + end))
    put("http-server", "offers", "\r\n".join(lines + more + end))
    answer = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: KFHFdsKOyPkgxBvGzUNNyjlSImU=",
    ]
    agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    put("http-client", "plain", "\r\n".join(answer + end))
    more = [f"Sec-WebSocket-Extensions: {agreed}", "Sec-WebSocket-Protocol: rpc"]
    put("http-client", "agreed", "\r\n".join(answer + more + end))
    put("http-client", "refused", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n\r\nno")
    put("inflate", "gzip", b"\0" + gzip.compress(b"inflate me " * 20, mtime=0))
    put("inflate", "message", b"\1" + deflated(b"inflate me " * 20))
    put("inflate", "bomb", b"\0" + gzip.compress(bytes(1 << 20), mtime=0))


# JSON and what it carries


def texts():
    put("json", "kinds", '{"a":[1,-2.5e3,true,false,null,"x\\u00e9\\n\\ud83d\\ude00"],"a":{"b":{}}}')
    put("json", "deep", "[" * 31 + "]" * 31)
    put("json", "numbers", "[0,-0,18446744073709551615,-9223372036854775808,1e400,0.1]")
    put("base64", "text", base64.b64encode(bytes(range(50))))
    put("base64", "padded", "AQ==")
    word = "0x" + "ab" * 32
    address = "0x" + "cd" * 20
    head = {
        "number": "0x10",
        "hash": word,
        "parentHash": "0x" + "aa" * 32,
        "timestamp": "0x65",
        "miner": address,
    }
    log = {
        "address": address,
        "topics": [word, word],
        "data": "0x",
        "blockNumber": "0x10",
        "blockHash": word,
        "transactionHash": word,
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }

    def line(value):
        return json.dumps({"jsonrpc": "2.0", **value}, separators=(",", ":"))

    def told(result):
        params = {"subscription": "0x9", "result": result}
        return line({"method": "eth_subscription", "params": params})

    def call(method, *params):
        return line({"id": 1, "method": method, "params": list(params)})

    chosen = {"address": [address], "topics": [None, [word]]}
    put("json-rpc", "head", told(head))
    put("json-rpc", "log", told(log))
    put("json-rpc", "subscribe-logs", call("eth_subscribe", "logs", chosen))
    put("json-rpc", "subscribe-heads", call("eth_subscribe", "newHeads"))
    put("json-rpc", "subscribe-pending", call("eth_subscribe", "newPendingTransactions", True))
    put("json-rpc", "batch", "[" + call("eth_chainId") + "," + call("eth_blockNumber") + "]")
    put("json-rpc", "error", line({"id": 1, "error": {"code": -32000, "message": "no"}}))
    story = [
        "s0" + line({"id": 1, "method": "eth_subscribe", "params": ["newHeads"]}),
        "r0" + line({"id": 1, "result": "0x9"}),
        "s0" + line({"id": 2, "method": "eth_subscribe", "params": ["logs", {}]}),
        "r0" + line({"id": 2, "result": "0x8"}),
        "r0" + told(head),
        "r0" + told(log).replace("0x9", "0x8"),
        "r0" + told({**head, "number": "0x11", "parentHash": word, "hash": "0x" + "ef" * 32}),
        "a0" + call("eth_blockNumber"),
        "a0" + call("eth_getBlockByNumber", "0x10", False),
        "a0" + call("eth_getLogs", {"fromBlock": "0x10", "toBlock": "latest", "address": address}),
        "a0" + call("eth_getBlockByHash", word, False),
        "e0",
    ]
    put("chain-view", "story", "\n".join(story))


# The program


def program():
    whole = """{ // JSON5
      sources: [
        { id: 'main', geyser: 'https://geyser.example', subscribe: 'all.json',
          token_env: 'TOKEN', metadata: { 'X-Sub': { env: 'TOKEN' } }, server_name: 'inner',
          encodings: ['gzip'], receive_limit: '1MiB', keepalive: { every: 'off' },
          ping_seconds: 0, reconnect: { first: '1s', refused: '1m' }, },
        { ws: 'wss://node.example/v2/abc', chain: 'evm:137',
          calls: [{ method: 'eth_subscribe', params: ['logs', { b: 1, a: [null, true] }] }],
          headers: { Authorization: { env: 'TOKEN' } }, permessage_deflate: true },
      ],
      log: { durability: 'none', rotate_bytes: '2MiB', on_full: 'exit' },
      limits: { frames: 10 },
    }
    """
    put("config", "whole", whole)
    put("config", "least", "{sources:[{ws:'ws://127.0.0.1:1',calls:[{method:'eth_chainId'}]}]}")
    put("config", "comments", "/* a */ { // b\n limits: { for: '5m', }, }")
    put("config", "fault", "{ sources: [ { ws 'x' } ] }")
    words = {
        "record": ["record", "-o", "rec", "--ws", "ws://h:1", "--call", "{}", "--for", "1h30m"],
        "cat": ["cat", "rec", "--from", "seq:100", "--to", "time:..+1m30s", "--format", "ndjson"],
        "numbers": ["250ms", "64MiB", "0.5", "max", "slot:..+500", "[::1]:0=main,backup"],
        "times": ["time:2026-01-01T00:00:00.25Z..", "2026-01-01T00:00:00Z", "-1.5", "1e5"],
        "addresses": ["https://geyser.example:443", "http://127.0.0.1:10000", "10.0.0.1:80"],
        "calls": ['{"method":"eth_subscribe","params":["newHeads"]}', "--help", "-abc=1"],
    }
    for name, value in words.items():
        put("arguments", name, "\n".join(value))
    made = updates()
    little = b"".join(struct.pack("<I", len(data)) + data for data in made.values())
    big = b"".join(struct.pack(">I", len(data)) + data for data in made.values())
    put("import", "little-endian", little)
    put("import", "big-endian", big)
    lines = [
        {"conn": "c", "seq": 1, "t": 1700000000000.25, "dir": "out", "opcode": "text",
         "payload": '{"id":1,"method":"eth_subscribe"}'},
        {"conn": "c", "seq": 2, "t": 1700000000001, "dir": "in", "opcode": "ping", "payload": ""},
        {"conn": "d", "seq": 1, "t": 1700000000000, "dir": "in", "opcode": "text", "payload": "x"},
    ]
    put("import", "capture", "\n".join(json.dumps(line) for line in lines))
    put("import", "capture-raw", json.dumps({"t_wall": 1700000000.125, "raw": "{}"}) + "\n")


def exports(tapedeck):
    folder = CORPUS / "mcap"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("smallest", "sealed"):
        source = RECORDINGS / "formats" / "v1" / name / "recording"
        for compression, suffix in (("none", ""), ("lz4", "-lz4")):
            command = [tapedeck, "export", source, "--format", "mcap", "-o", folder / (name + suffix)]
            command += ["--compression", compression]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main():
    for folder in CORPUS.glob("*"):
        if folder.name != "mcap":
            shutil.rmtree(folder)
    if len(sys.argv) > 1:
        exports(sys.argv[1])
    structures(recordings())
    geyser()
    programs()
    wires()
    texts()
    program()
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    print(f"{len(files)} inputs, {total} bytes")


if __name__ == "__main__":
    main()
