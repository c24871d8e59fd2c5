"""The structures of a recording as Sources/Log/README.md describes them: bytes in, values out.

Nothing here reads a file. Every `parse` raises `Refused`, with the page's text for the cause, when
the page says that the structure is not to be believed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import lz4.block
import xxhash

PAYLOAD_MAX = 64 << 20
RECORD_BYTES = 36
RAW_MAX = PAYLOAD_MAX + RECORD_BYTES
ENTRIES_MAX = 4_194_304
IDENTITY_MAX = 64 << 10
MANIFEST_MAX = 256 << 20
CONTEXT_EVENTS_MAX = 65_536
NEVER = 2**64 - 1

SEGMENT_HEADER_BYTES = 128
BLOCK_HEADER_BYTES = 80
INDEX_ENTRY_BYTES = 64
TRAILER_BYTES = 80
MANIFEST_HEADER_BYTES = 64
MANIFEST_ENTRY_BYTES = 96

SEGMENT_MAGIC = b"TDSEG\r\n\x1a"
MANIFEST_MAGIC = b"TDMAN\r\n\x1a"
BLOCK_MAGIC = b"TBLK"
ENTRY_MAGIC = b"TDME"
TRAILER_MAGIC = b"TEND"

CRITICAL = 0x80

DATA, CONTEXT, MARK, HOLE = 1, 2, 3, 4
CREATED, SEALED, RETIRED, QUARANTINED = 1, 2, 3, 4

KINDS = {
    1: "grpc_message_in", 2: "grpc_message_out", 3: "websocket_frame_in",
    4: "websocket_frame_out", 5: "partial_frame_in",
    16: "stream_opened", 17: "stream_accepted", 18: "stream_closed", 19: "connect_error",
    32: "run_started", 33: "run_ended", 34: "source_declared", 35: "subscription_decided",
    36: "gap_opened", 37: "gap_filled", 38: "gap_abandoned", 39: "failover",
    40: "breaker_transition", 41: "rate_limit_wait", 42: "enrichment", 43: "note",
    44: "gap_bounded",
}  # fmt: skip
LAST_FRAME_KIND = 15

FIELDS = {
    number: name
    for number, name in enumerate(
        """source endpoint method request_metadata response_metadata trailer http_status
        status_code status_text close_code close_reason cause evidence from_sequence to_sequence
        from_position to_position from_time_ns to_time_ns writer_epoch tool_version
        segment_ordinal cut_offset cut_bytes last_sequence_kept chain transport request gap
        on_request extensions text origin group frames bytes attempt delay_ns peer answer namespace
        key value as_of_position""".split(),
        1,
    )
}
UNSIGNED, SIGNED, BOOLEAN, TEXT, BYTES, PAIR = 1, 2, 3, 4, 5, 6


class Refused(Exception):
    """A structure that is not to be believed; its text is a cause as the page lists them."""


def cut_short(structure: str, needed: int, there: int) -> Refused:
    return Refused(f"{structure} is cut short: {needed} bytes needed, {there} there")


def foreign(structure: str) -> Refused:
    return Refused(f"no {structure} here: the magic number is not ours")


def newer(structure: str, major: int) -> Refused:
    return Refused(
        f"{structure} was written by a newer version (format {major}; this build reads up to 1)"
    )


def mismatch(structure: str, one: int, other: int) -> Refused:
    return Refused(f"{structure} is damaged: checksum {one:016x} instead of {other:016x}")


def wrong(structure: str, field: str, value: int) -> Refused:
    return Refused(f"{structure} is damaged: {field} is {value}")


def not_a(kind: str, structure: str) -> Refused:
    return Refused(f"{structure} is not a {kind}")


def checksum(bytes_: bytes | memoryview, salt: int) -> int:
    """XXH3 with 64 bits, seeded with the file's salt."""
    return xxhash.xxh3_64_intdigest(bytes_, salt)


@dataclass
class SegmentHeader:
    """The first 128 bytes of a segment."""

    major: int
    recording: int
    ordinal: int
    epoch: int
    first: int
    salt: int
    previous_link: int
    superseded: int
    superseded_from: int
    link: int

    @staticmethod
    def parse(data: bytes) -> SegmentHeader:
        structure = "segment header"
        if len(data) < len(SEGMENT_MAGIC):
            raise cut_short(structure, SEGMENT_HEADER_BYTES, len(data))
        if data[:8] != SEGMENT_MAGIC:
            raise foreign(structure)
        if len(data) < SEGMENT_HEADER_BYTES:
            raise cut_short(structure, SEGMENT_HEADER_BYTES, len(data))
        (major, _, size, recording, ordinal, epoch, first, salt, previous, _, old, old_from) = (
            struct.unpack_from("<HHI16sQQQQQqQQ", data, 8)
        )
        (link,) = struct.unpack_from("<Q", data, 120)
        if major > 1:
            raise newer(structure, major)
        computed = checksum(data[:120], salt)
        if link != computed:
            raise mismatch(structure, link, computed)
        if major == 0:
            raise wrong(structure, "version", 0)
        if size != SEGMENT_HEADER_BYTES:
            raise wrong(structure, "header bytes", size)
        for name, value in (("ordinal", ordinal), ("writer epoch", epoch)):
            if not 1 <= value < NEVER:
                raise wrong(structure, name, value)
        if not 1 <= first < NEVER or old_from == NEVER:
            raise wrong(structure, "first sequence", first)
        return SegmentHeader(
            major, int.from_bytes(recording, "little"), ordinal, epoch, first, salt, previous,
            old, old_from, link,
        )  # fmt: skip


@dataclass
class Block:
    """The header of a block."""

    kind: int
    codec: int
    stored: int
    raw: int
    records: int
    number: int
    first: int
    mark: int
    previous_link: int
    payload_checksum: int
    link: int

    @property
    def bytes(self) -> int:
        return BLOCK_HEADER_BYTES + self.stored

    @staticmethod
    def parse(data: bytes | memoryview, offset: int, salt: int) -> Block:
        """The header at `offset`, alone."""
        structure = "block header"
        header = bytes(data[offset : offset + BLOCK_HEADER_BYTES])
        if len(header) < BLOCK_HEADER_BYTES:
            raise cut_short(structure, BLOCK_HEADER_BYTES, len(header))
        if header[:4] != BLOCK_MAGIC:
            raise foreign(structure)
        (kind, codec, size, stored, raw, records, number, first, _, _, mark, previous, payload,
         link) = struct.unpack_from("<BBHIIIIQqqQQQQ", header, 4)  # fmt: skip
        computed = checksum(header[:72], salt)
        if link != computed:
            raise mismatch(structure, link, computed)
        if size != BLOCK_HEADER_BYTES:
            raise wrong(structure, "header bytes", size)
        if not DATA <= kind <= HOLE:
            raise wrong(structure, "kind", kind)
        if codec not in (1, 2):
            raise wrong(structure, "codec", codec)
        if raw > RAW_MAX:
            raise wrong(structure, "raw bytes", raw)
        if stored > raw or (codec == 1 and stored != raw):
            raise wrong(structure, "stored bytes", stored)
        if records * RECORD_BYTES > raw or (kind != CONTEXT and (kind == DATA) != (records > 0)):
            raise wrong(structure, "record count", records)
        if number == 0:
            raise wrong(structure, "number", number)
        if first == 0 or first + records > NEVER:
            raise wrong(structure, "first sequence", first)
        if kind == MARK and raw:
            raise wrong(structure, "raw bytes", raw)
        if mark == NEVER:
            raise wrong(structure, "durable mark", mark)
        return Block(
            kind, codec, stored, raw, records, number, first, mark, previous, payload, link
        )

    @property
    def last(self) -> int:
        """The last sequence of its records; the one before its first when it has none."""
        return self.first + (self.records if self.kind == DATA else 0) - 1

    @staticmethod
    def valid(data: bytes | memoryview, offset: int, salt: int) -> Block:
        """The block at `offset`, its stored bytes checked too."""
        block = Block.parse(data, offset, salt)
        if len(data) - offset < block.bytes:
            raise cut_short("block", block.bytes, len(data) - offset)
        computed = checksum(block._stored(data, offset), salt)
        if computed != block.payload_checksum:
            raise mismatch("block", computed, block.payload_checksum)
        return block

    def _stored(self, data: bytes | memoryview, offset: int) -> bytes:
        begin = offset + BLOCK_HEADER_BYTES
        return bytes(data[begin : begin + self.stored])

    def content(self, data: bytes | memoryview, offset: int) -> bytes:
        """The raw bytes of a valid block."""
        stored = self._stored(data, offset)
        if self.codec == 1:
            return stored
        try:
            raw = lz4.block.decompress(stored, uncompressed_size=self.raw)
        except lz4.block.LZ4BlockError:
            raw = None
        if raw is None or len(raw) != self.raw:
            raise Refused(
                f"block is damaged: its bytes do not decompress to {self.raw} bytes"
            )
        return raw


@dataclass
class Record:
    """One record; `size` is what it takes in its block."""

    kind: int
    wire: int
    flags: int
    mask_key: bytes
    stream: int
    received: int
    monotonic: int
    payload: bytes
    size: int

    @staticmethod
    def parse(raw: bytes, offset: int) -> Record:
        if len(raw) - offset < RECORD_BYTES:
            raise cut_short("record", RECORD_BYTES, len(raw) - offset)
        size, kind, wire, flags, _, mask, stream, received, monotonic = struct.unpack_from(
            "<IBBBB4sQqQ", raw, offset
        )
        begin = offset + RECORD_BYTES
        if size > len(raw) - begin:
            raise cut_short("record", size + RECORD_BYTES, len(raw) - offset)
        if kind == 0:
            raise wrong("record", "kind", kind)
        return Record(
            kind, wire, flags, mask, stream, received, monotonic, raw[begin : begin + size],
            RECORD_BYTES + size,
        )  # fmt: skip

    @property
    def fields(self) -> list[Field] | None:
        """The fields of an event of a known kind; None when it has none."""
        known = self.kind > LAST_FRAME_KIND and self.kind in KINDS
        return fields(self.payload) if known else None


@dataclass
class Field:
    """One field of an event."""

    id: int
    type: int
    bytes: bytes

    @property
    def number(self) -> int:
        return int.from_bytes(self.bytes, "little", signed=self.type == SIGNED)


def fields(payload: bytes) -> list[Field] | None:
    """The fields of an event, or nothing when the payload is no list of fields."""
    found: list[Field] = []
    offset = 0
    while offset < len(payload):
        if len(payload) - offset < 7:
            return None
        number, type_, size = struct.unpack_from("<HBI", payload, offset)
        offset += 7
        if size > len(payload) - offset:
            return None
        value = payload[offset : offset + size]
        offset += size
        if type_ in (UNSIGNED, SIGNED) and size != 8:
            return None
        if type_ == BOOLEAN and size != 1:
            return None
        found.append(Field(number, type_, value))
    return found


def first_text(found: list[Field] | None, name: str) -> str | None:
    """The first text field of that name, repaired."""
    for field in found or []:
        if FIELDS.get(field.id) == name and field.type == TEXT:
            return field.bytes.decode("utf-8", "replace")
    return None


def first_unsigned(found: list[Field] | None, name: str) -> int | None:
    """The first unsigned field of that name."""
    for field in found or []:
        if FIELDS.get(field.id) == name and field.type == UNSIGNED:
            return field.number
    return None


@dataclass
class Trailer:
    """The last 80 bytes of a sealed segment."""

    index_offset: int
    entries: int
    last: int
    end_link: int
    records: int
    ordinal: int
    index_checksum: int

    @staticmethod
    def parse(data: bytes, file_bytes: int, salt: int) -> Trailer:
        """The trailer in the last 80 bytes of a file."""
        structure = "segment trailer"
        if data[:4] != TRAILER_MAGIC:
            raise foreign(structure)
        (size, index, entries, index_bytes, last, link, _, records, ordinal, index_checksum,
         sum_) = struct.unpack_from("<IQIIQQqQQQQ", data, 4)  # fmt: skip
        computed = checksum(data[:72], salt)
        if sum_ != computed:
            raise mismatch(structure, sum_, computed)
        if size != TRAILER_BYTES:
            raise wrong(structure, "bytes", size)
        if entries > ENTRIES_MAX or index_bytes != entries * INDEX_ENTRY_BYTES:
            raise wrong(structure, "entry count", entries)
        if index + index_bytes + TRAILER_BYTES != file_bytes or index < SEGMENT_HEADER_BYTES:
            raise wrong(structure, "index offset", index)
        if last == NEVER:
            raise wrong(structure, "last sequence", last)
        return Trailer(index, entries, last, link, records, ordinal, index_checksum)


def check_index(index: bytes, trailer: Trailer, salt: int) -> None:
    """Whether the index is what the trailer tells, and covers the blocks without space."""
    structure = "segment index"
    computed = checksum(index, salt)
    if computed != trailer.index_checksum:
        raise mismatch(structure, computed, trailer.index_checksum)
    end, sequence = SEGMENT_HEADER_BYTES, 0
    for place in range(0, len(index), INDEX_ENTRY_BYTES):
        offset, first, count, stored = struct.unpack_from("<QQII", index, place)
        if offset != end:
            raise wrong(structure, "offset", offset)
        end += BLOCK_HEADER_BYTES + stored
        if first < sequence or first + count > NEVER:
            raise wrong(structure, "first sequence", first)
        sequence = first
    if end != trailer.index_offset:
        raise wrong(structure, "end of the blocks", end)


@dataclass
class Entry:
    """An entry of the manifest."""

    kind: int
    ordinal: int
    epoch: int
    first: int
    last: int
    end_link: int
    file_bytes: int
    superseded: int
    superseded_from: int
    salt: int
    header_link: int

    @staticmethod
    def parse(data: bytes, salt: int) -> Entry:
        structure = "manifest entry"
        if len(data) < MANIFEST_ENTRY_BYTES:
            raise cut_short(structure, MANIFEST_ENTRY_BYTES, len(data))
        if data[:4] != ENTRY_MAGIC:
            raise foreign(structure)
        (kind, ordinal, epoch, first, last, link, size, old, old_from, segment_salt, header_link,
         sum_) = struct.unpack_from("<B3xQQQQQQQQQQQ", data, 4)  # fmt: skip
        computed = checksum(data[:88], salt)
        if sum_ != computed:
            raise mismatch(structure, sum_, computed)
        if not CREATED <= kind <= QUARANTINED:
            raise wrong(structure, "kind", kind)
        if not 1 <= ordinal < NEVER:
            raise wrong(structure, "ordinal", ordinal)
        if epoch == NEVER:
            raise wrong(structure, "writer epoch", epoch)
        if NEVER in (first, last, old_from):
            raise wrong(structure, "sequence", NEVER)
        if kind == CREATED and first == 0:
            raise wrong(structure, "first sequence", 0)
        return Entry(
            kind, ordinal, epoch, first, last, link, size, old, old_from, segment_salt,
            header_link,
        )  # fmt: skip


@dataclass
class Manifest:
    """The manifest, and where its first refused entry stands."""

    recording: int
    entries: list[Entry]
    #: Where the first refused entry stands, or the end of the last one.
    end: int
    #: Why the first refused entry was refused.
    tail: Refused | None
    #: Whether a good entry stands behind a refused one.
    is_damaged: bool

    @staticmethod
    def parse(data: bytes) -> Manifest:
        structure = "manifest"
        if data[:8] != MANIFEST_MAGIC:
            raise foreign(structure)
        if len(data) < MANIFEST_HEADER_BYTES:
            raise cut_short(structure, MANIFEST_HEADER_BYTES, len(data))
        major, _, size, recording, salt = struct.unpack_from("<HHI16sQ", data, 8)
        (sum_,) = struct.unpack_from("<Q", data, 56)
        if major > 1:
            raise newer(structure, major)
        computed = checksum(data[:56], salt)
        if sum_ != computed:
            raise mismatch(structure, sum_, computed)
        if major == 0:
            raise wrong(structure, "version", 0)
        if size != MANIFEST_HEADER_BYTES:
            raise wrong(structure, "header bytes", size)
        manifest = Manifest(
            int.from_bytes(recording, "little"), [], MANIFEST_HEADER_BYTES, None, False
        )
        for place in range(MANIFEST_HEADER_BYTES, len(data), MANIFEST_ENTRY_BYTES):
            try:
                entry = Entry.parse(data[place : place + MANIFEST_ENTRY_BYTES], salt)
            except Refused as error:
                manifest.tail = manifest.tail or error
                continue
            manifest.is_damaged = manifest.is_damaged or manifest.tail is not None
            manifest.entries.append(entry)
            if manifest.tail is None:
                manifest.end = place + MANIFEST_ENTRY_BYTES
        manifest._refuse_retirement()
        return manifest

    def _refuse_retirement(self) -> None:
        """The newest segment is never retired."""
        newest = max((one.ordinal for one in self.entries if one.kind == CREATED), default=0)
        absurd = [one for one in self.entries if one.kind == RETIRED and one.ordinal >= newest]
        if absurd:
            self.entries = [one for one in self.entries if one not in absurd]
            self.is_damaged = True
            field = "retired through (the newest segment is never retired)"
            self.tail = self.tail or wrong("manifest entry", field, absurd[0].ordinal)


@dataclass
class Hole:
    """What a hole block says."""

    first: int
    last: int
    cause: str

    @staticmethod
    def parse(raw: bytes, block: Block) -> Hole:
        found = fields(raw)
        if found is None:
            raise wrong("hole", "fields", len(raw))
        first, last = first_unsigned(found, "from_sequence"), first_unsigned(found, "to_sequence")
        if first != block.first:
            raise wrong("hole", "from", block.first)
        if last is None or not first <= last < NEVER:
            raise wrong("hole", "to", first)
        cause = first_text(found, "cause")
        if cause is None:
            raise wrong("hole", "cause", 0)
        return Hole(first, last, cause)
