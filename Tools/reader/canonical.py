"""The canonical ndjson of the format page: one line a record, hole or damage."""

from __future__ import annotations

import base64

from recording_format import (
    BOOLEAN, BYTES, FIELDS, KINDS, PAIR, SIGNED, TEXT, UNSIGNED, Field, Record,
)  # fmt: skip

_ESCAPES = {
    code: f"\\u{code:04x}" for code in range(0x20)
} | {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}
_GRPC = (1, 2)
_WEBSOCKET = (3, 4)
_KNOWN_TYPES = {UNSIGNED, SIGNED, BOOLEAN, TEXT, BYTES, PAIR}


def text(value: str) -> str:
    """A JSON string."""
    return f'"{value.translate(_ESCAPES)}"'


def binary(value: bytes) -> str:
    """Bytes as a JSON string."""
    return f'"{base64.b64encode(value).decode()}"'


def _text_or_bytes(value: bytes) -> str:
    try:
        return text(value.decode("utf-8"))
    except UnicodeDecodeError:
        return f'{{"base64":{binary(value)}}}'


def _boolean(value: object) -> str:
    return "true" if value else "false"


def _flags(record: Record) -> str:
    pairs: list[str] = []
    if record.kind in _GRPC:
        pairs.append(f'"compressed":{_boolean(record.wire & 1)}')
        shown = 0x01
    elif record.kind in _WEBSOCKET:
        pairs.append(f'"fin":{_boolean(record.wire & 0x80)}')
        pairs.append(f'"rsv":{record.wire >> 4 & 7}')
        pairs.append(f'"opcode":{record.wire & 15}')
        shown = 0xFF
    else:
        shown = 0
    if record.wire & ~shown:
        pairs.append(f'"wire_byte":{record.wire}')
    masked = record.flags & 1
    if masked or record.kind in _WEBSOCKET:
        pairs.append(f'"masked":{_boolean(masked)}')
    if masked or any(record.mask_key):
        pairs.append(f'"mask_key":"{record.mask_key.hex()}"')
    for bit, name in ((2, "time_synthetic"), (4, "contains_secret"), (128, "critical")):
        if record.flags & bit:
            pairs.append(f'"{name}":true')
    if record.flags & 0x78:
        pairs.append(f'"other_bits":{record.flags & 0x78}')
    return "{" + ",".join(pairs) + "}"


def _value(field: Field) -> str:
    size = int.from_bytes(field.bytes[:2], "little")
    is_short = field.type == PAIR and (len(field.bytes) < 2 or size > len(field.bytes) - 2)
    if field.id not in FIELDS or field.type not in _KNOWN_TYPES or is_short:
        return f'{{"type":{field.type},"base64":{binary(field.bytes)}}}'
    if field.type in (UNSIGNED, SIGNED):
        return f'"{field.number}"'
    if field.type == BOOLEAN:
        return _boolean(field.bytes != b"\0")
    if field.type == TEXT:
        return _text_or_bytes(field.bytes)
    if field.type == BYTES:
        return binary(field.bytes)
    name = field.bytes[2 : 2 + size].decode("utf-8", "replace")
    return f'{{"name":{text(name)},"value":{_text_or_bytes(field.bytes[2 + size :])}}}'


def detail(found: list[Field]) -> str:
    """The fields of an event as an object."""
    values: dict[int, list[str]] = {}
    first_types: dict[int, int] = {}
    for field in found:
        values.setdefault(field.id, []).append(_value(field))
        first_types.setdefault(field.id, field.type)
    pairs = []
    for id_, list_ in values.items():
        name = FIELDS.get(id_, f"field_{id_}")
        array = len(list_) > 1 or first_types[id_] == PAIR
        pairs.append(f'"{name}":' + (f"[{','.join(list_)}]" if array else list_[0]))
    return "{" + ",".join(pairs) + "}"


def record_line(sequence: int, record: Record, source: str) -> str:
    """The line of a record, without its line feed."""
    name = KINDS.get(record.kind, f"kind_{record.kind}")
    line = (
        f'{{"sequence":"{sequence}","kind":"{name}","stream":"{record.stream}",'
        f'"source":{text(source)},"received_ns":"{record.received}",'
        f'"monotonic_ns":"{record.monotonic}","flags":{_flags(record)},'
        f'"payload":{binary(record.payload)}'
    )
    found = record.fields
    if found is not None:
        line += f',"detail":{detail(found)}'
    return line + "}"


def _number(value: int | None) -> str:
    return "null" if value is None else f'"{value}"'


def hole_line(first: int, through: int, cause: str) -> str:
    """The line of a hole."""
    return f'{{"kind":"hole","from":"{first}","through":"{through}","cause":{text(cause)}}}'


def damage_line(
    first: int | None, through: int | None, cause: str, file: str, offset: int
) -> str:
    """The line of a place that is not what was written."""
    return (
        f'{{"kind":"damage","from":{_number(first)},"through":{_number(through)},'
        f'"cause":{text(cause)},"file":{text(file)},"offset":"{offset}"}}'
    )
