"""One recording for each defect that a recording can have, each as small as it can be.

  defects.py FOLDER      writes FOLDER/<defect>/recording; what is there already is kept

`Recordings/malformed` was made so. Beside each stands `expected.txt`, written by hand, with what
`tapedeck verify` and `tapedeck cat` say of it; the suite `reader` holds them to it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

import lz4.block

import recording_format as form
from made_recording import (
    MadeRecording, MadeSegment, frames, kind, opened, record, run_started, text_field,
    unsigned_field, write,
)  # fmt: skip

Files = dict[str, bytes]
DEFECTS: dict[str, Callable[[], Files]] = {}
FIRST, SECOND, THIRD = (
    f"segments/{ordinal:08}-{first:020}.seg" for ordinal, first in ((1, 1), (2, 10), (3, 16))
)


def defect(make: Callable[[], Files]) -> Callable[[], Files]:
    """Registers a function under its name."""
    DEFECTS[make.__name__.replace("_", "-")] = make
    return make


def noise(count: int, seed: int) -> bytes:
    """Bytes that do not compress."""
    state, found = seed * 2654435761 + 1, bytearray()
    while len(found) < count:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        found.append(state >> 56)
    return bytes(found)


def frame(size: int, seed: int) -> bytes:
    """A gRPC message of stream 2."""
    return record(1, noise(size, seed), 2)


def base(uuid: int | None = None, salt: int = 0) -> MadeRecording:
    """Two sealed segments and an active one: sequences 1 to 9, 10 to 15, 16 to 22.

    Blocks: context, 1-2, 3-5, 6-9, mark; context, 10-12, 13-15; context, 16-18, 19-20, 21-22.
    """
    made = MadeRecording(**({"uuid": uuid} if uuid else {}))
    more = {"uuid": made.uuid}
    started, main = run_started(1), opened("main")
    one = made.begin(**more, salt=0xA1A1 + salt)
    one.context()
    one.records(started, main)
    one.records(*(frame(200, number) for number in (3, 4, 5)))
    one.durable()
    one.records(*(frame(300, number) for number in (6, 7, 8, 9)))
    one.durable()
    one.tell_mark()
    made.seal()
    two = made.begin(**more, salt=0xB2B2 + salt)
    two.mark = one.next - 1
    two.context((1, started), (2, main))
    two.records(*(frame(40, number) for number in (10, 11, 12)))
    two.durable()
    two.records(*(frame(50, number) for number in (13, 14, 15)))
    made.seal()
    three = made.begin(**more, salt=0xC3C3 + salt)
    three.mark = two.next - 1
    three.context((1, started), (2, main))
    for first, last in ((16, 18), (19, 20), (21, 22)):
        three.records(*(frame(30, number) for number in range(first, last + 1)))
        three.durable()
    return made


def changed(name: str, change: Callable[[bytearray], bytes | bytearray | None]) -> Files:
    """The files of the base, one of them changed in place or replaced."""
    files = base().files()
    data = bytearray(files[name])
    new = change(data)
    files[name] = bytes(data if new is None else new)
    return files


def flip(offset: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[offset] ^= 0x10

    return change


def block(segment: int, number: int) -> tuple[int, int]:
    """Where a block of the base begins and ends; both numbers from 0."""
    made = base().segments[segment].blocks[number]
    return made.offset, made.offset + len(made.data)


# MARK: Segments


@defect
def flip_in_block_header() -> Files:
    return changed(FIRST, flip(block(0, 2)[0] + 24))


@defect
def flip_in_payload() -> Files:
    return changed(FIRST, flip(block(0, 2)[0] + 100))


@defect
def flip_in_context() -> Files:
    return changed(SECOND, flip(block(1, 0)[0] + 85))


@defect
def flip_in_segment_header() -> Files:
    return changed(FIRST, flip(72))


@defect
def flip_in_index() -> Files:
    return changed(FIRST, lambda data: flip(len(data) - 100)(data))


@defect
def flip_in_trailer() -> Files:
    return changed(FIRST, lambda data: flip(len(data) - 30)(data))


@defect
def flip_below_the_mark_of_the_active_segment() -> Files:
    return changed(THIRD, flip(block(2, 2)[0] + 90))


@defect
def flip_above_every_mark() -> Files:
    return changed(THIRD, flip(block(2, 3)[0] + 90))


@defect
def cut_sealed_segment() -> Files:
    return changed(FIRST, lambda data: data[: block(0, 3)[0] + 7])


@defect
def cut_active_segment() -> Files:
    return changed(THIRD, lambda data: data[:-3])


@defect
def empty_segment() -> Files:
    return changed(SECOND, lambda data: b"")


@defect
def zeroed_sector() -> Files:
    return changed(FIRST, lambda data: data[:1024] + bytes(512) + data[1536:])


@defect
def swapped_sectors() -> Files:
    return changed(FIRST, lambda data: data[:512] + data[1024:1536] + data[512:1024] + data[1536:])


@defect
def repeated_sector() -> Files:
    return changed(FIRST, lambda data: data[:1024] + data[512:1024] + data[1536:])


@defect
def swapped_blocks() -> Files:
    (first, second), (_, end) = block(1, 1), block(1, 2)
    return changed(
        SECOND, lambda data: data[:first] + data[second:end] + data[first:second] + data[end:]
    )


@defect
def repeated_block() -> Files:
    first, end = block(1, 1)
    return changed(SECOND, lambda data: data[:end] + data[first:])


@defect
def missing_block() -> Files:
    first, end = block(1, 1)
    return changed(SECOND, lambda data: data[:first] + data[end:])


@defect
def foreign_block() -> Files:
    other = base(salt=77).segments[1].blocks[1]
    return changed(
        SECOND,
        lambda data: data[: other.offset] + other.data + data[other.offset + len(other.data) :],
    )


@defect
def missing_segment() -> Files:
    files = base().files()
    del files[SECOND]
    return files


@defect
def missing_active_segment() -> Files:
    files = base().files()
    del files[THIRD]
    return files


@defect
def foreign_segment() -> Files:
    other = base(uuid=0x0DD0_0000_0000_4000_8000_0000_0000_0002, salt=9).files()
    return base().files() | {SECOND: other[SECOND]}


@defect
def swapped_segments() -> Files:
    files = base().files()
    return files | {FIRST: files[SECOND], SECOND: files[FIRST]}


@defect
def newer_segment() -> Files:
    return changed(SECOND, lambda data: data[:8] + b"\x02" + data[9:])


def forged(change: Callable[[MadeSegment], object]) -> Files:
    """A recording whose only segment a writer of our own made wrong, and sealed."""
    made = MadeRecording()
    one = made.begin(salt=0xD4D4)
    one.context()
    one.records(run_started(1), opened("main"))
    change(one)
    one.records(*frames(2, 2))
    made.seal()
    return made.files()


@defect
def absurd_record_length() -> Files:
    def change(one: MadeSegment) -> None:
        bad = bytearray(record(1, b"abc", 2))
        bad[:4] = b"\xff\xff\xff\xff"
        one.records(record(1, b"good", 2), bytes(bad), record(1, b"lost", 2))

    return forged(change)


@defect
def record_of_kind_zero() -> Files:
    return forged(lambda one: one.records(record(1, b"good", 2), record(0), record(1, b"lost", 2)))


@defect
def bytes_behind_the_last_record() -> Files:
    def change(one: MadeSegment) -> None:
        raw = record(1, b"whole", 2)
        one.block(form.DATA, raw + b"\0" * 7, 1, None, (1_000, 1_000))
        one.next += 1

    return forged(change)


@defect
def absurd_block_length() -> Files:
    return forged(
        lambda one: one.block(form.DATA, b"\0" * 36, 1, raw_bytes=form.RAW_MAX + 1)
    )


@defect
def lz4_bomb() -> Files:
    def change(one: MadeSegment) -> None:
        packed = lz4.block.compress(bytes(1 << 20), store_size=False)
        one.block(form.DATA, count=1, stored=packed, raw_bytes=5_000, codec=2)
        one.next += 1

    return forged(change)


@defect
def lz4_garbage() -> Files:
    def change(one: MadeSegment) -> None:
        one.block(form.DATA, count=1, stored=noise(60, 1), raw_bytes=form.RAW_MAX, codec=2)
        one.next += 1

    return forged(change)


@defect
def hole_of_another_range() -> Files:
    def change(one: MadeSegment) -> None:
        fields = unsigned_field("from_sequence", 9) + unsigned_field("to_sequence", 12)
        one.block(form.HOLE, fields + text_field("cause", "none"))

    return forged(change)


@defect
def forged_trailer() -> Files:
    def change(one: MadeSegment) -> None:
        one.records(*frames(2, 2))
        one.next += 1_000_000  # the trailer then tells of a million more

    made = MadeRecording()
    one = made.begin(salt=0xD4D4)
    one.context()
    one.records(run_started(1), opened("main"))
    change(one)
    made.seal()
    return made.files()


@defect
def copy_of_a_segment_in_a_frame() -> Files:
    """A frame holds a sealed segment, a block before it is damaged: nothing of it is believed."""
    inner = bytes(base().segments[1].data)

    made = MadeRecording()
    one = made.begin(salt=0xD4D4)
    one.context()
    one.records(run_started(1), opened("main"))
    one.records(record(1, noise(40, 1), 2))
    one.records(record(1, noise(300, 2) + inner, 2))
    bad = one.blocks[-1].offset
    one.durable()
    one.records(*frames(2, 2))
    made.seal()
    files = made.files()
    data = bytearray(files[FIRST])
    data[bad + 90] ^= 1
    return files | {FIRST: bytes(data)}


@defect
def critical_unknown_kind() -> Files:
    return forged(lambda one: one.records(record(1, b"good", 2), record(200, b"?", 2, 0, 0x80)))


# MARK: Manifest


@defect
def missing_manifest() -> Files:
    files = base().files()
    del files["segments/MANIFEST"]
    return files


@defect
def flip_in_manifest_header() -> Files:
    return changed("segments/MANIFEST", flip(33))


@defect
def flip_in_manifest_entry() -> Files:
    return changed("segments/MANIFEST", flip(64 + 96 + 40))


@defect
def cut_manifest() -> Files:
    return changed("segments/MANIFEST", lambda data: data[:-100])


@defect
def newer_manifest() -> Files:
    return changed("segments/MANIFEST", lambda data: data[:8] + b"\x02" + data[9:])


@defect
def foreign_manifest() -> Files:
    other = base(uuid=0x0DD0_0000_0000_4000_8000_0000_0000_0002, salt=9).files()
    return base().files() | {"segments/MANIFEST": other["segments/MANIFEST"]}


# MARK: Identity


def identity(text: bytes) -> Files:
    return base().files() | {"recording.json": text}


def identity_with(old: bytes, new: bytes) -> Files:
    return changed("recording.json", lambda data: data.replace(old, new))


@defect
def no_identity() -> Files:
    files = base().files()
    del files["recording.json"]
    return files


@defect
def identity_of_another_program() -> Files:
    return identity_with(b"tapedeck-recording", b"cassette-recording")


@defect
def identity_that_is_no_json() -> Files:
    return identity(b'{"format":"tapedeck-recording","version":"1.0"')


@defect
def identity_too_deep() -> Files:
    return identity(b'{"x":' + b"[" * 2_000 + b"]" * 2_000 + b"}")


@defect
def identity_too_large() -> Files:
    return identity(b" " * (form.IDENTITY_MAX + 1))


@defect
def identity_without_a_uuid() -> Files:
    return identity_with(b'"uuid"', b'"udid"')


@defect
def identity_with_another_uuid() -> Files:
    return identity_with(b"7afe", b"7aff")


@defect
def newer_recording() -> Files:
    return identity_with(b'"1.0"', b'"2.0"')


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for name, make in DEFECTS.items():
        folder = Path(sys.argv[1]) / name / "recording"
        if not folder.exists():
            write(make(), folder)
            print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
