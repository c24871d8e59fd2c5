"""Transactions out of length-prefixed SubscribeUpdates, by a protobuf parser of its own.

Only what balances and instructions need is read. Nothing here is shared with the program: an error
there cannot hide here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers with their values: a number, or the bytes of anything with a length."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
            yield tag >> 3, value
        elif kind == 2:
            size, at = varint(data, at)
            if at + size > len(data):
                raise ValueError("a length reaches beyond its message")
            yield tag >> 3, data[at : at + size]
            at += size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            yield tag >> 3, int.from_bytes(data[at : at + size], "little")
            at += size
        else:
            raise ValueError(f"wire type {kind}")


@dataclass
class Call:
    """An instruction of the message, or a call below one."""

    program: bytes
    accounts: list[int]
    data: bytes
    outer: int
    inner: int = 0
    height: int | None = 1


@dataclass
class Token:
    mint: str
    owner: str
    amount: int
    decimals: int


@dataclass
class Transaction:
    slot: int
    signature: str = ""
    index: int = 0
    is_vote: bool = False
    is_failed: bool = False
    fee: int = 0
    keys: list[bytes] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    lamports: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    tokens: tuple[dict[int, Token], dict[int, Token]] = field(default_factory=lambda: ({}, {}))

    def key(self, index: int) -> bytes:
        return self.keys[index] if index < len(self.keys) else b""

    def lamport_delta(self, index: int) -> int:
        before, after = self.lamports
        if index >= len(before) or index >= len(after):
            return 0
        return after[index] - before[index]

    def token_delta(self, index: int) -> int:
        return sum(
            sign * side[index].amount
            for sign, side in zip((-1, 1), self.tokens)
            if index in side
        )

    def token(self, index: int) -> Token | None:
        """What the account holds: as it is afterwards, or was before it was closed."""
        return self.tokens[1].get(index) or self.tokens[0].get(index)

    def indices(self, key: bytes) -> list[int]:
        return [index for index, other in enumerate(self.keys) if other == key]


def _instruction(data: bytes, keys: list[bytes], outer: int, inner: int) -> Call:
    program, accounts, payload = 0, b"", b""
    height = 1 if inner == 0 else None
    for number, value in fields(data):
        if number == 1:
            program = value & 0xFFFFFFFF
        elif number == 2:
            accounts = value
        elif number == 3:
            payload = value
        elif number == 4 and inner:
            height = value
    name = keys[program] if program < len(keys) else b""
    return Call(name, list(accounts), payload, outer, inner, height)


def _numbers(value: int | bytes) -> list[int]:
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        found.append(number)
    return found


def _token(data: bytes) -> tuple[int, Token]:
    index, token = 0, Token("", "", 0, 0)
    for number, value in fields(data):
        if number == 1:
            index = value
        elif number == 2:
            token.mint = value.decode()
        elif number == 4:
            token.owner = value.decode()
        elif number == 3:
            for inner, part in fields(value):
                if inner == 2:
                    token.decimals = part
                elif inner == 3:
                    token.amount = int(part or b"0")
    return index, token


def transaction(info: bytes, slot: int) -> Transaction:
    """A SubscribeUpdateTransactionInfo. Of a vote only what it is."""
    made = Transaction(slot)
    signed = meta = b""
    for number, value in fields(info):
        if number == 1:
            made.signature = base58(value)
        elif number == 2:
            made.is_vote = bool(value)
        elif number == 3:
            signed = value
        elif number == 4:
            meta = value
        elif number == 5:
            made.index = value
    if made.is_vote:
        return made
    message = b"".join(value for number, value in fields(signed) if number == 2)
    parts = list(fields(message))
    result = list(fields(meta))
    made.keys = [value for number, value in parts if number == 2]
    made.keys += [value for number, value in result if number == 12]
    made.keys += [value for number, value in result if number == 13]
    groups: dict[int, list[bytes]] = {}
    for number, value in result:
        if number == 1:
            made.is_failed = True
        elif number == 2:
            made.fee = value
        elif number in (3, 4):
            made.lamports[number - 3].extend(_numbers(value))
        elif number == 5:
            group = list(fields(value))
            outer = next((part for inner, part in group if inner == 1), 0)
            groups.setdefault(outer, []).extend(part for inner, part in group if inner == 2)
        elif number == 6:
            made.logs.append(value.decode(errors="replace"))
        elif number in (7, 8):
            index, token = _token(value)
            made.tokens[number - 7][index] = token
    for outer, value in enumerate(value for number, value in parts if number == 4):
        made.calls.append(_instruction(value, made.keys, outer, 0))
        for inner, call in enumerate(groups.get(outer, []), 1):
            made.calls.append(_instruction(call, made.keys, outer, inner))
    return made


def messages(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def transactions(path: Path) -> Iterator[Transaction]:
    """Every transaction of a file, those of whole blocks too, in the order of the file."""
    for message in messages(path):
        for number, body in fields(message):
            if number == 4:
                parts = dict(fields(body))
                yield transaction(parts.get(1, b""), parts.get(2, 0))
            elif number == 5:
                parts = list(fields(body))
                slot = next((value for inner, value in parts if inner == 1), 0)
                for inner, value in parts:
                    if inner == 6:
                        yield transaction(value, slot)
