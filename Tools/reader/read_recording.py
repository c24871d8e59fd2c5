"""Reads a recording and prints what `tapedeck cat --format ndjson` prints.

  read_recording.py RECORDING

`Tools/require --python` makes an environment that can run it, .build/python/bin/python.

Written from Sources/Log/README.md alone, to show that the page suffices; the steps in the comments
are those of its section "Reading". Exit codes: 0; 3 after damage; 1 when this is no recording, when
a newer version wrote it, or when the system refuses something.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

import canonical
import recording_format as form
from recording_format import Block, Entry, Hole, Manifest, Record, Refused, SegmentHeader


class NoAnswer(Exception):
    """Not a recording, a newer version, or a refusal of the system: what to print."""


@dataclass
class Damage:
    """A place that is not what was written."""

    path: str
    offset: int
    cause: str
    first: int | None = None
    through: int | None = None

    def __str__(self) -> str:
        place = f"{self.path} at byte {self.offset}: {self.cause}; "
        if self.first is None:
            return place + "no record is missing"
        if self.through is None:
            return place + f"records from sequence {self.first} on are missing"
        count = self.through - self.first + 1
        return place + f"sequences {self.first} to {self.through} are missing ({count})"


Item = tuple[int, Record] | Hole | Damage


@dataclass
class Segment:
    """What is known of a segment before its file is looked at."""

    ordinal: int
    first: int
    path: str
    #: What the manifest or the header says of its making; None when nobody knows it.
    created: Entry | None = None
    sealed: Entry | None = None
    quarantined: Entry | None = None
    limit: int | None = None

    @property
    def told_last(self) -> int | None:
        if self.limit is not None:
            return self.limit - 1
        end = self.sealed or self.quarantined
        return end.last if end else None


def read_file(path: str, structure: str, limit: int | None = None) -> bytes:
    """A whole file; what is no regular file is not opened."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise form.not_a("regular file", structure)
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        if limit is not None and os.fstat(file.fileno()).st_size > limit:
            raise ValueError(f"larger than the limit of {limit} bytes")
        return file.read()


# MARK: Identity, step 1


def read_identity(path: str) -> int:
    """The recording's UUID as a number."""
    place = f"{path}/recording.json"
    os.lstat(path)
    if not os.path.lexists(place):
        raise NoAnswer(f"{path} is not a recording: it has no recording.json")
    try:
        root = json.loads(
            read_file(place, "recording.json", form.IDENTITY_MAX).decode("utf-8", "strict"),
            parse_constant=_refuse_constant,
        )
        if _depth(root) > 128:
            raise ValueError("too deep")
    except (ValueError, RecursionError, Refused) as error:
        raise NoAnswer(f"{place} is not a recording: {error}") from None
    found = root if isinstance(root, dict) else {}
    if found.get("format") != "tapedeck-recording":
        raise NoAnswer(f"{place} is not a recording: its format is not tapedeck-recording")
    version = _match(r"([0-9]+)\.([0-9]+)", found.get("version"))
    if not version or not 0 < int(version[1]) < 1 << 16 or int(version[2]) >= 1 << 16:
        raise NoAnswer(f"{place} is not a recording: its version is not a version")
    if int(version[1]) > 1:
        raise NoAnswer(f"{place}: it has format {version[0]}; a newer version is needed")
    uuid = _match(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found.get("uuid"))
    if not uuid:
        raise NoAnswer(f"{place} is not a recording: its uuid is not a UUID")
    created = _match(r"[+-]?[0-9]+", found.get("created_ns"))
    if not created or not -(1 << 63) <= int(created[0]) < 1 << 63:
        raise NoAnswer(f"{place} is not a recording: its created_ns is not a number")
    return int(uuid[0].replace("-", ""), 16)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _match(pattern: str, value: Any) -> re.Match[str] | None:
    return re.fullmatch(pattern, value) if isinstance(value, str) else None


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


# MARK: Manifest, step 2


class Picture:
    """The segments that count, and what is wrong with what names them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.recording = read_identity(path)
        self.damage: str | None = None
        #: All records are missing, because the segments do not lie in a folder.
        self.loss: Damage | None = None
        self.segments: list[Segment] = []
        self._read_manifest()

    @property
    def _manifest(self) -> str:
        return f"{self.path}/segments/MANIFEST"

    def _tell(self, path: str, offset: int, cause: object) -> None:
        if self.damage is None:
            self.damage = f"{path} at byte {offset}: {cause}"

    def _read_manifest(self) -> None:
        folder = f"{self.path}/segments"
        if not os.path.lexists(folder) or not stat.S_ISDIR(os.lstat(folder).st_mode):
            self.loss = Damage(folder, 0, str(form.not_a("folder", "segments")), 1)
            return
        try:
            data = read_file(self._manifest, "manifest", form.MANIFEST_MAX)
            manifest = Manifest.parse(data)
        except FileNotFoundError:
            self._without_manifest(0, form.cut_short("manifest", form.MANIFEST_HEADER_BYTES, 0))
            return
        except (Refused, ValueError) as error:
            self._without_manifest(0, error)
            return
        if manifest.is_damaged:
            self._tell(self._manifest, manifest.end, manifest.tail)
        if manifest.recording != self.recording:
            if not any(self._header(*name, manifest.recording) for name in self._files()):
                self.damage = None
                self._without_manifest(16, form.wrong("manifest", "recording", 0))
                return
            self.recording = manifest.recording
            self.damage = None
            self._tell(
                f"{self.path}/recording.json", 0, form.wrong("recording.json", "uuid", 0)
            )
        self._take(manifest.entries)
        retired = self._retired(manifest.entries)
        named = {segment.ordinal for segment in self.segments}
        fresh = []
        for ordinal, first in self._files():
            if ordinal in named or ordinal <= retired:
                continue
            header = self._header(ordinal, first, self.recording)
            if header and self._has_records(ordinal, first, header.salt):
                fresh.append(_created(header))
        if fresh:
            lost = form.cut_short("manifest", len(fresh) * form.MANIFEST_ENTRY_BYTES, 0)
            self._tell(self._manifest, manifest.end, manifest.tail or lost)
            self._take(manifest.entries + fresh)

    def _without_manifest(self, offset: int, cause: object) -> None:
        self._tell(self._manifest, offset, cause)
        known, unknown = [], []
        for ordinal, first in self._files():
            header = self._header(ordinal, first, self.recording)
            if header:
                known.append(_created(header))
            else:
                unknown.append(Entry(form.CREATED, ordinal, 0, first, 0, 0, 0, 0, 0, 0, 0))
        self._take(known + unknown)

    @staticmethod
    def _retired(entries: list[Entry]) -> int:
        return max((e.ordinal for e in entries if e.kind == form.RETIRED), default=0)

    def _take(self, entries: list[Entry]) -> None:
        found: dict[int, Segment] = {}
        for entry in entries:
            if entry.kind == form.CREATED:
                created = entry if entry.salt else None
                path = self._segment_path(entry.ordinal, entry.first)
                found[entry.ordinal] = Segment(entry.ordinal, entry.first, path, created)
        for entry in entries:
            if entry.kind == form.CREATED:
                if entry.superseded in found:
                    found[entry.superseded].limit = entry.superseded_from
            elif entry.kind == form.SEALED and entry.ordinal in found:
                found[entry.ordinal].sealed = entry
            elif entry.kind == form.QUARANTINED and entry.ordinal in found:
                found[entry.ordinal].quarantined = entry
        retired = self._retired(entries)
        self.segments = [found[number] for number in sorted(found) if number > retired]

    # Files

    def _segment_path(self, ordinal: int, first: int) -> str:
        return f"{self.path}/segments/{ordinal:08}-{first:020}.seg"

    def _files(self) -> list[tuple[int, int]]:
        """Ordinal and first sequence of the files with the name of a segment."""
        found = []
        for name in os.listdir(f"{self.path}/segments"):
            parts = re.fullmatch(r"([0-9]{8,20})-([0-9]{20})\.seg", name)
            if not parts:
                continue
            ordinal, first = int(parts[1]), int(parts[2])
            if f"{ordinal:08}-{first:020}.seg" == name and max(ordinal, first) <= form.NEVER:
                found.append((ordinal, first))
        return sorted(found)

    def _header(self, ordinal: int, first: int, recording: int) -> SegmentHeader | None:
        path = self._segment_path(ordinal, first)
        try:
            data = read_file(path, "segment file")
            header = SegmentHeader.parse(data[: form.SEGMENT_HEADER_BYTES])
        except Refused:
            return None
        told = (header.recording, header.ordinal, header.first)
        return header if told == (recording, ordinal, first) else None

    def _has_records(self, ordinal: int, first: int, salt: int) -> bool:
        data = read_file(self._segment_path(ordinal, first), "segment file")
        offset: int | None = form.SEGMENT_HEADER_BYTES
        while offset is not None and offset < len(data):
            try:
                block = Block.valid(data, offset, salt)
            except Refused:
                offset = next_block(data, offset, salt)
                continue
            if block.kind in (form.DATA, form.HOLE):
                return True
            offset += block.bytes
        return False


def _created(header: SegmentHeader) -> Entry:
    return Entry(
        form.CREATED, header.ordinal, header.epoch, header.first, 0, 0, 0, header.superseded,
        header.superseded_from, header.salt, header.link,
    )  # fmt: skip


def next_block(data: bytes, place: int, salt: int) -> int | None:
    """Where the next valid block behind a place begins."""
    while True:
        place = data.find(form.BLOCK_MAGIC, place + 1)
        if place < 0:
            return None
        try:
            Block.valid(data, place, salt)
            return place
        except Refused:
            continue


# MARK: Segments, steps 3 to 8


class Reader:
    """Gives records, holes and damage in order."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.torn_bytes = 0
        self._expected = picture.segments[0].first if picture.segments else 1
        self._highest_mark = 0

    def items(self) -> Iterator[Item]:
        if self.picture.loss:
            yield self.picture.loss
        for number, segment in enumerate(self.picture.segments):
            newest = number == len(self.picture.segments) - 1
            following = None if newest else self.picture.segments[number + 1].first
            yield from self._segment(segment, following)

    def _segment(self, segment: Segment, following: int | None) -> Iterator[Item]:
        # Step 4.
        try:
            data = read_file(segment.path, "segment file")
        except FileNotFoundError:
            cause = form.cut_short("segment file", 1, 0)
            yield self._whole(segment, following, cause)
            return
        except Refused as error:
            yield self._whole(segment, following, error)
            return
        supersedes = segment.created.superseded if segment.created else 0
        try:
            header = SegmentHeader.parse(data[: form.SEGMENT_HEADER_BYTES])
            told = (header.recording, header.ordinal, header.first)
            if told != (self.picture.recording, segment.ordinal, segment.first):
                field = "identity (the header is that of another segment): ordinal"
                raise form.wrong("segment header", field, header.ordinal)
            salt, link, supersedes = header.salt, header.link, header.superseded
        except Refused as error:
            if segment.created is None:
                yield self._whole(segment, following, error)
                return
            salt, link = segment.created.salt, segment.created.header_link
            yield Damage(segment.path, 0, str(error))
        end, seal_last, bad = self._seal(data, salt)
        if self.picture.damage is None:
            seal_last = None  # Only the manifest, which is whole, says what is sealed.
        yield from Walk(self, segment, data[:end], len(data), salt, link, seal_last).items(
            supersedes > 0
        )
        if bad and segment.sealed:
            yield Damage(segment.path, bad[0], str(bad[1]))

    def _whole(self, segment: Segment, following: int | None, cause: Refused) -> Damage:
        """A segment of which nothing can be read."""
        last = segment.told_last if following is None else following - 1
        return self.lose(segment.path, 0, cause, last, is_known=last is not None)

    def lose(
        self, path: str, offset: int, cause: object, last: int | None, is_known: bool = True
    ) -> Damage:
        """Damage that costs what lies between the expected sequence and the last one."""
        if not is_known:
            return Damage(path, offset, str(cause), self._expected)
        if last is None or last < self._expected:
            return Damage(path, offset, str(cause))
        damage = Damage(path, offset, str(cause), self._expected, last)
        self._expected = last + 1
        return damage

    @staticmethod
    def _seal(
        data: bytes, salt: int
    ) -> tuple[int, int | None, tuple[int, Refused] | None]:
        """Where blocks end, the last sequence of a good seal, and what is wrong with it."""
        place = len(data) - form.TRAILER_BYTES
        if place < form.SEGMENT_HEADER_BYTES:
            return len(data), None, None
        try:
            trailer = form.Trailer.parse(data[place:], len(data), salt)
        except Refused as error:
            return len(data), None, (place, error)
        begin = trailer.index_offset
        try:
            form.check_index(data[begin:place], trailer, salt)
        except Refused as error:
            return begin, None, (begin, error)
        return begin, trailer.last, None


class Walk:
    """One segment, block by block."""

    def __init__(
        self,
        reader: Reader,
        segment: Segment,
        data: bytes,
        file_bytes: int,
        salt: int,
        link: int | None,
        seal_last: int | None,
    ) -> None:
        self.reader = reader
        self.segment = segment
        self.data = data
        self.file_bytes = file_bytes
        self.salt = salt
        self.link = link
        self.seal_last = seal_last
        self.pending: tuple[int, str] | None = None
        told = (segment.sealed, segment.quarantined, segment.limit, seal_last)
        self.is_closed = any(value is not None for value in told)

    @property
    def _last(self) -> int | None:
        told = self.segment.told_last
        return self.seal_last if told is None else told

    @property
    def _is_past_limit(self) -> bool:
        limit = self.segment.limit
        return limit is not None and self.reader._expected >= limit

    def items(self, supersedes: bool) -> Iterator[Item]:
        offset = form.SEGMENT_HEADER_BYTES
        while offset < len(self.data):
            # Step 5.
            try:
                block = Block.valid(self.data, offset, self.salt)
            except Refused as error:
                found, damage = self._invalid(offset, error)
                yield from damage
                if found is None:
                    return
                offset = found
                continue
            takes = block.kind in (form.DATA, form.HOLE)
            if takes and self.segment.limit is not None and block.first >= self.segment.limit:
                break
            yield from self._block(block, offset, supersedes)
            offset += block.bytes
        yield from self._end(offset)

    def _block(self, block: Block, offset: int, supersedes: bool) -> Iterator[Item]:
        reader, path = self.reader, self.segment.path
        reader._highest_mark = max(reader._highest_mark, block.mark)
        if self.link is not None and block.previous_link != self.link:
            cause = form.mismatch("link of the block before", block.previous_link, self.link)
            yield Damage(path, offset, str(cause))
        self.link = block.link
        reader.torn_bytes = 0
        if block.kind == form.CONTEXT:
            return
        if self.pending:
            (place, cause_), self.pending = self.pending, None
            yield reader.lose(path, place, cause_, block.first - 1)
        begin = reader._expected
        if block.first < begin:
            if not supersedes:
                field = "first sequence (seen before)"
                yield Damage(path, offset, str(form.wrong("block", field, block.first)))
                return
            if block.kind == form.DATA and block.last < begin:
                return
        if block.first > begin:
            field = "first sequence (records before it are missing)"
            yield reader.lose(
                path, offset, form.wrong("block", field, block.first), block.first - 1
            )
            begin = reader._expected
        # Step 6.
        if block.kind == form.MARK:
            return
        try:
            raw = block.content(self.data, offset)
            if block.kind == form.HOLE:
                hole = Hole.parse(raw, block)
                reader._expected = hole.last + 1
                yield hole
                return
        except Refused as error:
            yield reader.lose(
                path, offset, error, block.last if block.kind == form.DATA else None
            )
            return
        yield from self._records(block, raw, offset, begin)

    def _records(self, block: Block, raw: bytes, offset: int, begin: int) -> Iterator[Item]:
        place = 0
        for sequence in range(block.first, block.last + 1):
            try:
                record = Record.parse(raw, place)
            except Refused as error:
                yield self.reader.lose(self.segment.path, offset, error, block.last)
                return
            place += record.size
            if sequence >= begin:
                self.reader._expected = sequence + 1
                yield sequence, record
        if place != len(raw):
            cause = form.wrong("block", "raw bytes", len(raw))
            yield Damage(self.segment.path, offset, str(cause))

    def _invalid(self, place: int, error: Refused) -> tuple[int | None, list[Damage]]:
        """Step 7: where to go on, if anywhere in this segment, and what to tell."""
        reader = self.reader
        if self._is_past_limit:
            return None, list(self._end(place))
        found = next_block(self.data, place, self.salt)
        if found is not None and (self.is_closed or self._is_durable(found)):
            self.pending = self.pending or (place, str(error))
            self.link = None
            return found, []
        if self.is_closed:
            last = self._last
            path = self.segment.path
            return None, [reader.lose(path, place, error, last, is_known=last is not None)]
        if found is None and reader._highest_mark >= reader._expected:
            return None, [reader.lose(self.segment.path, place, error, reader._highest_mark)]
        if self.segment.limit is None:
            reader.torn_bytes = self.file_bytes - place
        return None, []

    def _is_durable(self, place: int) -> bool:
        """Whether a block says that what is expected was durable."""
        mark, at = self.reader._highest_mark, place
        while mark < self.reader._expected:
            try:
                block = Block.valid(self.data, at, self.salt)
                mark, at = max(mark, block.mark), at + block.bytes
            except Refused:
                following = next_block(self.data, at, self.salt)
                if following is None:
                    return False
                at = following
        return True

    def _end(self, place: int) -> Iterator[Damage]:
        """Step 8."""
        reader, last = self.reader, self._last
        is_loss = last is not None and last >= reader._expected
        if not is_loss and not self.pending:
            return
        where, cause = self.pending or (place, str(form.cut_short("segment", 1, 0)))
        yield reader.lose(self.segment.path, where, cause, last)


# MARK: Sources


class Sources:
    """The sources of streams, looked up when they are asked for."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._opened: dict[int, str] | None = None
        self._context: dict[int, str] | None = None

    def source(self, record: Record) -> str:
        own = form.first_text(record.fields, "source")
        if own is not None:
            return own
        if record.stream == 0:
            return ""
        if self._opened is None:
            self._opened = dict(self._read_opened())
        if record.stream in self._opened:
            return self._opened[record.stream]
        if self._context is None:
            self._context = {}
            for segment in self.picture.segments:
                # The oldest segment that knows a stream is right.
                self._context = self._read_context(segment) | self._context
        return self._context.get(record.stream, "")

    def _read_opened(self) -> Iterator[tuple[int, str]]:
        try:
            for item in Reader(self.picture).items():
                if isinstance(item, tuple) and form.KINDS.get(item[1].kind) == "stream_opened":
                    found = item[1].fields
                    if found is not None:
                        yield item[0], form.first_text(found, "source") or ""
        except OSError:
            return  # Whoever prints the records comes to the same place.

    def _read_context(self, segment: Segment) -> dict[int, str]:
        found: dict[int, str] = {}
        try:
            data = read_file(segment.path, "segment file")
            header = self.picture._header(segment.ordinal, segment.first, self.picture.recording)
            known = header or segment.created
            if known is None:
                return {}
            end, _, _ = Reader._seal(data, known.salt)
            data = data[:end]
            block = Block.valid(data, form.SEGMENT_HEADER_BYTES, known.salt)
            if block.kind != form.CONTEXT:
                return {}
            raw = block.content(data, form.SEGMENT_HEADER_BYTES)
            place, last, count = 0, 0, 0
            while place < len(raw):
                sequence = int.from_bytes(raw[place : place + 8], "little")
                record = Record.parse(raw, place + 8)
                count += 1
                if sequence <= last or count > form.CONTEXT_EVENTS_MAX:
                    return {}
                last = sequence
                place += 8 + record.size
                if form.KINDS.get(record.kind) == "stream_opened":
                    found[sequence] = form.first_text(record.fields, "source") or ""
        except (Refused, FileNotFoundError):
            return {}
        return found


# MARK: Printing


def cat(path: str, write: Callable[[bytes], object], complain: Callable[[str], object]) -> int:
    """Gives the lines of a recording and what is wrong with it; the result is the exit code."""
    try:
        picture = Picture(path.rstrip("/") or "/")
        sources = Sources(picture)
        code = 0
        if picture.damage:
            complain(f"damage: {picture.damage}")
            code = 3
        reader = Reader(picture)
        for item in reader.items():
            if isinstance(item, Damage):
                complain(f"damage: {item}")
                code = 3
                name = Path(item.path).name
                line = canonical.damage_line(
                    item.first, item.through, item.cause, name, item.offset
                )
            elif isinstance(item, Hole):
                line = canonical.hole_line(item.first, item.last, item.cause)
            else:
                sequence, record = item
                if record.flags & form.CRITICAL and record.kind not in form.KINDS:
                    raise NoAnswer(
                        f"{path}: record {sequence} has the critical kind {record.kind}, which "
                        "this reader does not know; a newer version is needed"
                    )
                line = canonical.record_line(sequence, record, sources.source(record))
            write(line.encode() + b"\n")
        if reader.torn_bytes:
            complain(
                f"{reader.torn_bytes} bytes behind the last whole block: the tail that a crash "
                "tore, or a writer at work"
            )
        return code
    except (NoAnswer, OSError) as error:
        complain(str(error))
        return 1


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return cat(
            sys.argv[1],
            sys.stdout.buffer.write,
            lambda text: print(f"read_recording: {text}", file=sys.stderr),
        )
    finally:
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
