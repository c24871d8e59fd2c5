"""Makes recordings, right ones and wrong ones, with everything in the hand of the caller.

It follows Sources/Log/README.md and nothing else, so what it makes also tests the reader in Swift.
The same arguments make the same bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import lz4.block

import recording_format as form
from recording_format import checksum

UUID = 0x7AFE_DEC0_0000_4000_8000_0000_0000_0001


def text_field(name: str, value: str) -> bytes:
    """A text field of an event."""
    return raw_field(_id(name), form.TEXT, value.encode())


def unsigned_field(name: str, value: int) -> bytes:
    """An unsigned field of an event."""
    return raw_field(_id(name), form.UNSIGNED, struct.pack("<Q", value))


def raw_field(number: int, type_: int, value: bytes) -> bytes:
    """Any field."""
    return struct.pack("<HBI", number, type_, len(value)) + value


def _id(name: str) -> int:
    return next(number for number, known in form.FIELDS.items() if known == name)


def kind(name: str) -> int:
    """A kind by its name."""
    return next(number for number, known in form.KINDS.items() if known == name)


def record(
    kind_: int,
    payload: bytes = b"",
    stream: int = 0,
    wire: int = 0,
    flags: int = 0,
    mask: bytes = bytes(4),
    received: int = 1_000,
    monotonic: int = 1_000,
) -> bytes:
    """A record in a data block."""
    return (
        struct.pack("<IBBBB", len(payload), kind_, wire, flags, 0)
        + mask
        + struct.pack("<QqQ", stream, received, monotonic)
        + payload
    )


@dataclass
class Made:
    """A block that was made: where it stands, and its bytes."""

    offset: int
    data: bytes
    kind: int
    first: int
    count: int
    stored: int
    latest: int


@dataclass
class MadeSegment:
    """A segment file that grows block by block."""

    ordinal: int
    first: int
    epoch: int = 1
    salt: int = 0
    previous_link: int = 0
    superseded: int = 0
    superseded_from: int = 0
    uuid: int = UUID
    major: int = 1
    #: What comes next, and what the next block says to be durable.
    next: int = 0
    mark: int = 0
    blocks: list[Made] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    link: int = 0
    sealed: bool = False

    def __post_init__(self) -> None:
        self.salt = self.salt or 0x5A17_0000_0000_0000 + self.ordinal
        self.next = self.first
        head = form.SEGMENT_MAGIC + struct.pack(
            "<HHI16sQQQQQqQQ24x", self.major, 0, form.SEGMENT_HEADER_BYTES,
            self.uuid.to_bytes(16, "little"), self.ordinal, self.epoch, self.first, self.salt,
            self.previous_link, 1_000, self.superseded, self.superseded_from,
        )  # fmt: skip
        self.link = self.header_link = checksum(head, self.salt)
        self.data += head + struct.pack("<Q", self.link)

    @property
    def name(self) -> str:
        return f"{self.ordinal:08}-{self.first:020}.seg"

    def block(
        self,
        kind_: int,
        raw: bytes = b"",
        count: int = 0,
        first: int | None = None,
        times: tuple[int, int] = (0, 0),
        stored: bytes | None = None,
        raw_bytes: int | None = None,
        codec: int | None = None,
        payload_checksum: int | None = None,
    ) -> Made:
        """Any block; what is not given is right."""
        if stored is None:
            packed = lz4.block.compress(raw, store_size=False) if raw else b""
            codec, stored = (2, packed) if 0 < len(packed) < len(raw) else (1, raw)
        first = self.next if first is None else first
        head = form.BLOCK_MAGIC + struct.pack(
            "<BBHIIIIQqqQQQ", kind_, codec or 1, form.BLOCK_HEADER_BYTES, len(stored),
            len(raw) if raw_bytes is None else raw_bytes, count, len(self.blocks) + 1, first,
            *times, self.mark, self.link,
            checksum(stored, self.salt) if payload_checksum is None else payload_checksum,
        )  # fmt: skip
        self.link = checksum(head, self.salt)
        data = head + struct.pack("<Q", self.link) + stored
        made = Made(len(self.data), data, kind_, first, count, len(stored), times[1])
        self.blocks.append(made)
        self.data += data
        return made

    def context(self, *events: tuple[int, bytes]) -> Made:
        """The block that a segment begins with."""
        raw = b"".join(struct.pack("<Q", number) + event for number, event in events)
        return self.block(form.CONTEXT, raw, len(events))

    def records(self, *found: bytes) -> Made:
        """A data block."""
        times = [struct.unpack_from("<q", one, 20)[0] for one in found]
        made = self.block(form.DATA, b"".join(found), len(found), None, (min(times), max(times)))
        self.next += len(found)
        return made

    def durable(self) -> None:
        """What was written is durable: the blocks that follow say so."""
        self.mark = self.next - 1

    def tell_mark(self) -> Made:
        """A mark block."""
        return self.block(form.MARK)

    def hole(self, count: int, cause: str) -> Made:
        """A hole block."""
        last = self.next + count - 1
        made = self.block(
            form.HOLE,
            unsigned_field("from_sequence", self.next) + unsigned_field("to_sequence", last)
            + text_field("cause", cause),
        )  # fmt: skip
        self.next = last + 1
        return made

    def seal(self) -> None:
        """Index and trailer."""
        index, running, records_ = b"", -(1 << 63), 0
        for made in self.blocks:
            if made.kind == form.DATA:
                running = max(running, made.latest)
                records_ += made.count
            index += struct.pack(
                "<QQIIqQQQQ", made.offset, made.first, made.count, made.stored, running,
                form.NEVER, 0, form.NEVER, 0,
            )  # fmt: skip
        trailer = form.TRAILER_MAGIC + struct.pack(
            "<IQIIQQqQQQ", form.TRAILER_BYTES, len(self.data), len(self.blocks), len(index),
            self.next - 1, self.link, running, records_, self.ordinal, checksum(index, self.salt),
        )  # fmt: skip
        self.data += index + trailer + struct.pack("<Q", checksum(trailer, self.salt))
        self.sealed = True


@dataclass
class MadeRecording:
    """A recording in memory."""

    uuid: int = UUID
    identity: bytes = b""
    salt: int = 0x3A17_3A17_3A17_3A17
    segments: list[MadeSegment] = field(default_factory=list)
    manifest: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        text = f"{self.uuid:032x}"
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        self.identity = self.identity or (
            f'{{"format":"tapedeck-recording","version":"1.0","uuid":"{"-".join(parts)}",'
            '"created_ns":"1000","tool":"made by hand"}\n'
        ).encode()
        head = form.MANIFEST_MAGIC + struct.pack(
            "<HHI16sQ16x", 1, 0, form.MANIFEST_HEADER_BYTES, self.uuid.to_bytes(16, "little"),
            self.salt,
        )  # fmt: skip
        self.manifest += head + struct.pack("<Q", checksum(head, self.salt))

    def begin(self, **more: int) -> MadeSegment:
        """The next segment, created in the manifest."""
        before = self.segments[-1] if self.segments else None
        more = {
            "ordinal": before.ordinal + 1 if before else 1,
            "first": before.next if before else 1,
            "epoch": before.epoch if before else 1,
            "previous_link": before.link if before and before.sealed else 0,
        } | more
        segment = MadeSegment(**more)
        self.segments.append(segment)
        self.state(
            form.CREATED, segment, superseded=segment.superseded, told=segment.superseded_from,
            salt=segment.salt, link=segment.header_link,
        )  # fmt: skip
        return segment

    def seal(self) -> None:
        """Seals the newest segment, in the file and in the manifest."""
        segment = self.segments[-1]
        link = segment.link
        segment.seal()
        self.state(form.SEALED, segment, segment.next - 1, link, len(segment.data))

    def state(
        self,
        kind_: int,
        segment: MadeSegment,
        last: int = 0,
        end_link: int = 0,
        file_bytes: int = 0,
        superseded: int = 0,
        told: int = 0,
        salt: int = 0,
        link: int = 0,
    ) -> None:
        """An entry of the manifest."""
        entry = form.ENTRY_MAGIC + struct.pack(
            "<B3xQQQQQQQQQQ", kind_, segment.ordinal, segment.epoch, segment.first, last, end_link,
            file_bytes, superseded, told, salt, link,
        )  # fmt: skip
        self.manifest += entry + struct.pack("<Q", checksum(entry, self.salt))

    def files(self) -> dict[str, bytes]:
        """The files by their paths in the recording."""
        found = {
            "recording.json": self.identity,
            "LOCK": b"",
            "segments/MANIFEST": bytes(self.manifest),
        }
        return found | {f"segments/{one.name}": bytes(one.data) for one in self.segments}


def write(files: dict[str, bytes], folder: Path) -> None:
    """Writes files; the folder must not hold others of the recording."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


# MARK: Recordings with one of everything


def run_started(epoch: int, last_kept: int = 0) -> bytes:
    """The record that a run begins with."""
    return record(
        kind("run_started"),
        text_field("tool_version", "0.1.0") + unsigned_field("writer_epoch", epoch)
        + unsigned_field("last_sequence_kept", last_kept),
    )  # fmt: skip


def run_ended() -> bytes:
    """The record that a run ends with."""
    return record(kind("run_ended"), text_field("cause", "asked"))


def opened(source: str) -> bytes:
    """The beginning of a stream."""
    return record(kind("stream_opened"), text_field("source", source), received=2_000)


def frames(count: int, stream: int, seed: int = 1) -> list[bytes]:
    """gRPC messages, some of which compress."""
    found = []
    for number in range(count):
        value = (seed * 7919 + number * 104_729) % 251
        payload = bytes((value * (at % 5 + 1) + at) % 256 for at in range(number * 11 % 60))
        found.append(record(1, payload, stream, number % 2, received=3_000 + 7 * value))
    return found


def strange_records(stream: int) -> list[bytes]:
    """One of everything that needs care in print."""
    fields = (
        text_field("source", "über \"quoted\"\\\x01\x7f\n") + text_field("text", "one")
        + text_field("text", "two") + raw_field(_id("text"), form.TEXT, b"bad \xed\xa0\x80 \xff")
        + raw_field(_id("request_metadata"), form.PAIR, b"\x01\x00ab\n")
        + raw_field(_id("trailer"), form.PAIR, b"\x02\x00\xc3(\xff\xfe")
        + raw_field(_id("peer"), form.PAIR, b"\x09\x00x") + raw_field(900, form.BYTES, b"zz")
        + raw_field(_id("cause"), 9, b"q") + raw_field(_id("on_request"), form.BOOLEAN, b"\x02")
        + raw_field(_id("from_time_ns"), form.SIGNED, struct.pack("<q", -5))
        + raw_field(_id("request"), form.BYTES, bytes(range(256)))
    )  # fmt: skip
    return [
        record(3, b"hi", stream, 0x81),
        record(4, b"\x1b[2Jho", stream, 0xF2, 1 | 2 | 4 | 0x28, b"\xa1\x02\x03\x04"),
        record(3, b"", stream, 0, 0, b"\1\0\0\0"),
        record(2, b"m", stream, 0xFF, 1),
        record(5, b"half", stream),
        record(6, b"frame of a newer version", stream, 7),
        record(99, fields, stream, 0, 0x10),
        record(kind("note"), fields, stream),
        record(kind("note"), raw_field(7, form.UNSIGNED, b"short"), stream),
        record(kind("note"), fields[:-1], stream),
        record(kind("note"), b"", 77),
        record(1, bytes(100_000), stream, received=-(1 << 63), monotonic=form.NEVER),
    ]


def everything(is_small: bool = False) -> MadeRecording:
    """Sealed, superseded and active segments, a hole, marks, a retired segment, strange records.

    `verify` finds nothing wrong in it. Small is without the strange records.
    """
    made = MadeRecording()
    gone = made.begin(first=5)
    made.segments.clear()
    made.state(form.RETIRED, gone)
    one = made.begin(ordinal=2, first=9)
    one.context((3, run_started(1)), (6, opened("retired")))
    started, main = run_started(2, 8), opened("main")
    one.records(started, main)
    one.records(*frames(4, 10))
    one.durable()
    if not is_small:
        one.records(*strange_records(10))
    one.hole(3, 'nothing was "there"\n')
    one.records(*frames(3, 6, 2))
    one.durable()
    one.tell_mark()
    made.seal()
    two = made.begin()
    two.context((9, started), (10, main))
    two.records(*frames(3, 10, 3))
    two.durable()
    two.records(*frames(2, 10, 4))
    kept = two.next
    two.records(*frames(2, 10, 5))
    three = made.begin(first=kept, superseded=two.ordinal, superseded_from=kept)
    three.mark = two.mark
    three.context((9, started), (10, main))
    three.records(*frames(3, 10, 5))
    three.durable()
    made.seal()
    four = made.begin(epoch=3)
    four.mark = three.next - 1
    four.context((9, started), (10, main))
    four.records(run_started(3, four.first - 1), opened("second"))
    four.durable()
    four.records(*frames(5, four.first + 1, 6))
    four.durable()
    four.records(*frames(3, four.first + 1, 7))
    four.durable()
    four.tell_mark()
    four.records(*frames(2, 10, 8))
    return made
