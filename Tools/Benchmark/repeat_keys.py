#!/usr/bin/env python3
"""Repeats a stream of SubscribeUpdates with changed keys, so that state grows with its length.

    repeat_keys.py IN.bin OUT.bin TIMES [--keep-keys] [--creations [N] [--per-slot N]]

Both files are u32 little-endian lengths, each followed by a message. In every repetition tokens,
pools, wallets, signatures and blockhashes are others, and slots go on rising; programs, sysvars and
quote coins stay. A key changes wherever it stands: among account keys, in instructions, in events
in calls and in logs (Base64), in balances and log lines (Base58). It keeps its first four bytes,
so that its Base58 text keeps its length and a repetition is made by patching the one before.

--keep-keys changes signatures, blockhashes and slots alone. --creations keeps only transactions
that create a coin of pump.fun's, the N smallest, without their log lines; N repetitions share
their slots then, with rising indices.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))

import programs  # noqa: E402
import wire  # noqa: E402

ALPHABET = wire.ALPHABET.encode()
DIGITS = {digit: value for value, digit in enumerate(ALPHABET)}
PAIRS = [bytes((one, other)) for one in ALPHABET for other in ALPHABET]
# Coins that are quotes, and never the traded one, beside those that the oracle names.
QUOTES = [
    "USD1ttGY1N17NEEHLmELoaybftRBUSErhqYiQzvEmuB",
    "mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So",
    "J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn",
    "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo",
]
# Places in the first repetition that lie further apart than this are moved together: it is longer
# than anything looks back, and slots keep their length however often they are repeated.
GAP_MAX = 200
TEXT = re.compile(rb"[1-9A-HJ-NP-Za-km-z]{32,44}")
CODED = re.compile(rb"[A-Za-z0-9+/]{44,}={0,2}")
CREATE_EVENT = hashlib.sha256(b"event:CreateEvent").digest()[:8]


def text_of(key: bytes) -> bytes:
    """Base58 of 32 bytes, two digits at a time."""
    number = int.from_bytes(key, "big")
    parts = []
    while number:
        number, pair = divmod(number, 3364)
        parts.append(PAIRS[pair])
    parts.reverse()
    digits = b"".join(parts).lstrip(b"1")
    return b"1" * (len(key) - len(key.lstrip(b"\0"))) + digits


def key_of(text: bytes) -> bytes | None:
    """The 32 bytes that a text stands for; None when it is no key."""
    number = 0
    for digit in text:
        if digit not in DIGITS:
            return None
        number = number * 58 + DIGITS[digit]
    if number >> 256:
        return None
    key = number.to_bytes(32, "big")
    return key if text_of(key) == text else None


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# What a field is: a message with fields of its own, or a kind of value that may change.
SLOT, PARENT, HASH, INDEX = "slot", "parent", "hash", "index"
SIGNATURE, KEY_TEXT, LOG = "signature", "text", "log"
BALANCE = {2: KEY_TEXT, 4: KEY_TEXT}
META = {6: LOG, 7: BALANCE, 8: BALANCE, 9: {1: KEY_TEXT}}
INFO = {1: SIGNATURE, 3: {1: SIGNATURE}, 4: META, 5: INDEX}
ACCOUNT = {8: SIGNATURE}
UPDATE = {
    2: {1: ACCOUNT, 2: SLOT},
    3: {1: SLOT, 2: PARENT},
    4: {1: INFO, 2: SLOT},
    5: {1: SLOT, 2: HASH, 6: INFO, 7: PARENT, 8: HASH, 11: ACCOUNT},
    7: {1: SLOT, 2: HASH, 6: PARENT, 7: HASH},
    8: {1: SLOT},
    10: {1: SLOT, 2: SIGNATURE},
}


def walk(data: bytes, start: int, end: int, shape: dict) -> Iterator[tuple[str, int, int]]:
    """Kind, begin and end of every value that may change."""
    at = start
    while at < end:
        tag, at = wire.varint(data, at)
        kind = tag & 7
        begin = at
        if kind == 0:
            _, at = wire.varint(data, at)
        elif kind == 2:
            size, begin = wire.varint(data, at)
            at = begin + size
        else:
            at += 8 if kind == 1 else 4
        what = shape.get(tag >> 3)
        if isinstance(what, dict):
            yield from walk(data, begin, at, what)
        elif what is not None:
            yield what, begin, at


@dataclass
class Slots:
    """Where the slots of one repetition go."""

    places: dict[int, int]
    span: int

    @staticmethod
    def of(found: set[int], times: int) -> Slots:
        ordered = sorted(found)
        at = ordered[0]
        places = {ordered[0]: at}
        for before, slot in zip(ordered, ordered[1:]):
            at += min(slot - before, GAP_MAX)
            places[slot] = at
        span = at - ordered[0] + 1
        size = len(varint(ordered[0]))
        # Another length would move everything behind it.
        edges = (ordered[0] - GAP_MAX, ordered[-1], ordered[0] + span * times)
        if any(len(varint(max(value, 0))) != size for value in edges):
            shift = (1 << 28) + GAP_MAX - ordered[0]
            places = {slot: place + shift for slot, place in places.items()}
        return Slots(places, span)

    def parent(self, parent: int, slot: int) -> int:
        known = self.places.get(parent)
        return self.places[slot] - min(slot - parent, GAP_MAX - 1) if known is None else known


def encoded(
    data: bytes, start: int, end: int, shape: dict, slots: Slots, link: dict[bytes, bytes]
) -> bytes:
    """A message with its slots moved to where the first repetition has them, and hashes replaced."""
    out = bytearray()
    at = start
    slot = 0
    while at < end:
        begin = at
        tag, at = wire.varint(data, at)
        kind = tag & 7
        head = data[begin:at]
        what = shape.get(tag >> 3)
        if kind == 0:
            value, at = wire.varint(data, at)
            if what == SLOT:
                slot = value
                out += head + varint(slots.places[value])
            elif what == PARENT:
                # Follows its slot in every message.
                out += head + varint(slots.parent(value, slot))
            else:
                out += data[begin:at]
        elif kind == 2:
            size, inner = wire.varint(data, at)
            at = inner + size
            if isinstance(what, dict) and SLOT in what.values():
                body = encoded(data, inner, at, what, slots, link)
                out += head + varint(len(body)) + body
            elif what == HASH:
                text = link.get(data[inner:at], data[inner:at])
                out += head + varint(len(text)) + text
            else:
                out += data[begin:at]
        else:
            at += 8 if kind == 1 else 4
            out += data[begin:at]
    return bytes(out)


@dataclass
class Patches:
    """What changes from one repetition to the next, and where it stands."""

    slots: list[tuple[int, int, int]] = field(default_factory=list)
    indices: list[tuple[int, int]] = field(default_factory=list)
    signatures: list[tuple[int, int]] = field(default_factory=list)
    hashes: list[tuple[int, int, bytes]] = field(default_factory=list)
    keys: list[tuple[int, bytes]] = field(default_factory=list)
    texts: list[tuple[int, int, bytes]] = field(default_factory=list)
    # The hash of the slot before the first: one of the repetition before.
    link: tuple[int, int, bytes] | None = None
    # Base64: its place, what it stands for, and where keys stand in that.
    coded: list[tuple[int, int, bytearray, list[tuple[int, bytes]]]] = field(default_factory=list)


def windows(data: bytes, keys: set[bytes]) -> list[tuple[int, bytes]]:
    """Every place of 32 bytes that are a key of a set."""
    found = []
    for at in range(len(data) - 31):
        window = data[at : at + 32]
        if window in keys:
            found.append((at, window))
    return found


def changing(messages: list[bytes]) -> set[bytes]:
    """Accounts, coins and owners, save programs, sysvars and quotes."""
    keys: set[bytes] = set()
    kept = {key_of(text.encode()) for text in (*programs.VENUES, *programs.QUOTES, *QUOTES)}
    for message in messages:
        for number, body in wire.fields(message):
            parts = list(wire.fields(body)) if number in (2, 4, 5) else []
            infos = [value for inner, value in parts if inner == (1 if number == 4 else 6)]
            for info in infos if number != 2 else []:
                made = wire.transaction(info, 0)
                keys.update(made.keys)
                kept.update(call.program for call in made.calls)
                for side in made.tokens:
                    for token in side.values():
                        keys.update(
                            key
                            for text in (token.mint, token.owner)
                            if (key := key_of(text.encode()))
                        )
            for account in [value for inner, value in parts if number == 2 and inner == 1]:
                for inner, value in wire.fields(account):
                    if inner == 1:
                        keys.add(value)
                    elif inner == 3:
                        kept.add(value)
    return {
        key
        for key in keys - kept
        if len(key) == 32 and any(key[:4]) and not text_of(key).startswith(b"Sysvar")
    }


def patches(data: bytes, starts: list[tuple[int, int]], keys: set[bytes]) -> Patches:
    made = Patches()
    for start, end in starts:
        for kind, begin, stop in walk(data, start, end, UPDATE):
            if kind in (SLOT, PARENT):
                made.slots.append((begin, stop, wire.varint(data, begin)[0]))
            elif kind == INDEX:
                made.indices.append((begin, stop))
            elif kind == SIGNATURE and stop - begin == 64:
                made.signatures.append((begin, int.from_bytes(data[begin:stop], "big")))
            elif kind == HASH:
                key = key_of(data[begin:stop])
                if key:
                    made.hashes.append((begin, stop, key))
            elif kind == KEY_TEXT:
                key = key_of(data[begin:stop])
                if key in keys:
                    made.texts.append((begin, stop, key))
            elif kind == LOG and keys:
                line = data[begin:stop]
                for match in TEXT.finditer(line):
                    key = key_of(match.group())
                    if key in keys:
                        made.texts.append((begin + match.start(), begin + match.end(), key))
                if not line.startswith(b"Program data: "):
                    continue
                for match in CODED.finditer(line):
                    if len(match.group()) % 4:
                        continue
                    payload = base64.b64decode(match.group())
                    places = windows(payload, keys)
                    if places:
                        place = begin + match.start(), begin + match.end()
                        made.coded.append((*place, bytearray(payload), places))
        if keys:
            made.keys += [(start + at, key) for at, key in windows(data[start:end], keys)]
    return made


def link_of(messages: list[bytes]) -> dict[bytes, bytes]:
    """What makes the first slot follow the last: nothing, unless each follows the one before."""
    chain = []
    for message in messages:
        for number, body in wire.fields(message):
            if number == 7:
                parts = dict(wire.fields(body))
                chain.append((parts.get(2, b""), parts.get(7, b"")))
    if len(chain) < 2 or any(one[0] != other[1] for one, other in zip(chain, chain[1:])):
        return {}
    return {chain[0][1]: chain[-1][0]}


def pad_of(number: int) -> int:
    """What changes the 60 last bytes of signatures, and the 28 last of keys."""
    if number == 0:
        return 0
    return int.from_bytes(hashlib.blake2b(b"%d" % number, digest_size=60).digest(), "big")


def repeat(data: bytearray, made: Patches, number: int, slots: Slots, per_slot: int) -> None:
    """Turns one repetition into that of a number."""
    for begin, end, value in made.slots:
        data[begin:end] = varint(value + slots.span * (number // per_slot))
    if per_slot > 1:
        for place, (begin, end) in enumerate(made.indices):
            index = varint(128 + number % per_slot * len(made.indices) + place)
            if len(index) != end - begin:
                raise ValueError("an index that is longer or shorter")
            data[begin:end] = index
    pad = pad_of(number)
    for begin, value in made.signatures:
        data[begin : begin + 64] = (value ^ pad).to_bytes(64, "big")
    pad >>= 256
    changed: dict[bytes, bytes] = {}

    def other(key: bytes) -> bytes:
        found = changed.get(key)
        if found is None:
            found = (int.from_bytes(key, "big") ^ pad).to_bytes(32, "big")
            changed[key] = found
        return found

    def text(key: bytes, size: int) -> bytes:
        found = changed.get(key + b"t")
        if found is None:
            found = text_of(other(key))
            if len(found) != size:
                raise ValueError("a key's text changes its length")
            changed[key + b"t"] = found
        return found

    for begin, end, key in made.hashes:
        data[begin:end] = text(key, end - begin)
    if made.link:
        begin, end, key = made.link
        before = int.from_bytes(key, "big") ^ pad_of(number - 1) >> 256
        data[begin:end] = text_of(before.to_bytes(32, "big"))
    for begin, key in made.keys:
        data[begin : begin + 32] = other(key)
    for begin, end, key in made.texts:
        data[begin:end] = text(key, end - begin)
    for begin, end, payload, places in made.coded:
        for at, key in places:
            payload[at : at + 32] = other(key)
        data[begin:end] = base64.b64encode(payload)


def creates(message: bytes) -> bool:
    """Whether a message is a transaction with an event of pump.fun's that a coin was made."""
    return any(
        CREATE_EVENT in call.data
        for number, body in wire.fields(message)
        if number == 4
        for call in wire.transaction(dict(wire.fields(body)).get(1, b""), 0).calls
    )


def without(data: bytes, *path: int) -> bytes:
    """A message without the fields that a path leads to."""
    out = bytearray()
    at = 0
    while at < len(data):
        begin = at
        tag, at = wire.varint(data, at)
        kind, number = tag & 7, tag >> 3
        if kind == 0:
            _, at = wire.varint(data, at)
        elif kind == 2:
            size, inner = wire.varint(data, at)
            at = inner + size
            if number == path[0]:
                if len(path) > 1:
                    body = without(data[inner:at], *path[1:])
                    out += varint(tag) + varint(len(body)) + body
                continue
        else:
            at += 8 if kind == 1 else 4
        out += data[begin:at]
    return bytes(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("times", type=int)
    parser.add_argument("--keep-keys", action="store_true")
    parser.add_argument("--creations", type=int, nargs="?", const=1, metavar="N")
    parser.add_argument("--per-slot", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    messages = list(wire.messages(arguments.source))
    if arguments.creations:
        # Update, transaction, its information, its outcome, log lines.
        messages = [without(message, 4, 1, 4, 6) for message in messages if creates(message)]
        messages = sorted(messages, key=len)[: arguments.creations]
    keys = set() if arguments.keep_keys else changing(messages)
    found: set[int] = set()
    for message in messages:
        found.update(
            wire.varint(message, begin)[0]
            for kind, begin, _ in walk(message, 0, len(message), UPDATE)
            if kind == SLOT
        )
    slots = Slots.of(found, arguments.times)
    link = link_of(messages)
    data = bytearray()
    starts = []
    for message in messages:
        body = encoded(message, 0, len(message), UPDATE, slots, link)
        data += struct.pack("<I", len(body))
        starts.append((len(data), len(data) + len(body)))
        data += body
    made = patches(bytes(data), starts, keys)
    if link:
        made.link = made.hashes[1]
    with arguments.target.open("wb") as target:
        for number in range(arguments.times):
            if number or arguments.per_slot > 1:
                repeat(data, made, number, slots, arguments.per_slot)
            target.write(data)
    print(
        f"{len(messages)} messages, {len(keys)} keys, {slots.span} slots, {len(data)} bytes; "
        f"{arguments.times} times"
    )


if __name__ == "__main__":
    main()
