"""`export` and `import`, seen by the reader of the MCAP project: files open there, their checksums
hold, and what they carry is what `cat` prints."""

from __future__ import annotations

import base64
import json
import pathlib
import struct
import unittest
import zlib
from collections import Counter

import lz4.frame
from mcap.reader import make_reader
from mcap.records import Chunk, DataEnd, Footer, Message
from mcap.stream_reader import StreamReader

import deck
from deck import Case, run

#: Channels that every file has besides those of frames.
OWN = {"tapedeck/events", "tapedeck/envelopes", "tapedeck/context"}
#: One entry of an envelopes message, as Sources/App/README.md says.
ENVELOPE = struct.Struct("<QQqQIBBBB")


def lines(path: pathlib.Path) -> list[dict]:
    """What `cat` prints of a recording."""
    result = run("cat", path, "--format", "ndjson")
    if result.code != 0:
        raise AssertionError(str(result))
    return [json.loads(line) for line in result.stdout.splitlines()]


class Export(Case):
    """An exported recording in foreign hands, and back."""

    def setUp(self) -> None:
        super().setUp()
        self.deck = self.folder / "deck"
        self.check(run("synth", "--seed", "5", "--slots", "40", "-o", self.deck), 0)
        self.file = self.folder / "deck.mcap"
        result = run("export", self.deck, "-o", self.file, "--format", "mcap")
        self.check(result, 0)
        self.plain = self.folder / "plain.mcap"
        words = ["--format", "mcap", "--compression", "none"]
        self.check(run("export", self.deck, "-o", self.plain, *words), 0)
        self.lines = lines(self.deck)

    def chunks(self, path: pathlib.Path) -> list[Chunk]:
        with path.open("rb") as stream:
            records = StreamReader(stream, emit_chunks=True, validate_crcs=True).records
            return [record for record in records if isinstance(record, Chunk)]

    def test_chunks_are_frames_that_the_lz4_library_opens(self) -> None:
        small, large = self.chunks(self.file), self.chunks(self.plain)
        self.assertEqual({chunk.compression for chunk in small}, {"lz4"})
        self.assertEqual({chunk.compression for chunk in large}, {""})
        # Message by message the same; only the index of the whole file has other places.
        self.assertEqual(
            [lz4.frame.decompress(chunk.data) for chunk in small], [c.data for c in large]
        )
        for chunk in small:
            about = lz4.frame.get_frame_info(chunk.data)
            self.assertEqual(about["content_size"], chunk.uncompressed_size)
        self.assertLess(self.file.stat().st_size, self.plain.stat().st_size * 0.8)
        again = self.folder / "again.mcap"
        self.check(run("export", self.deck, "-o", again, "--format", "mcap"), 0)
        self.assertEqual(again.read_bytes(), self.file.read_bytes())

    def test_uncompressed_chunks_come_back_too(self) -> None:
        back = self.folder / "back"
        self.check(run("import", self.plain, "-o", back), 0)
        self.assertEqual(lines(back), self.lines)

    def test_the_compression_is_one_that_mcap_has(self) -> None:
        for words in (["mcap", "--compression", "zstd"], ["csv", "--compression", "lz4"]):
            out = self.folder / "x"
            self.check(run("export", self.deck, "-o", out, "--format", *words), 2)
            self.assertFalse(out.exists())

    def test_it_opens_and_every_checksum_holds(self) -> None:
        with self.file.open("rb") as stream:
            records = list(StreamReader(stream, validate_crcs=True).records)
        end = next(r for r in records if isinstance(r, DataEnd))
        footer = next(r for r in records if isinstance(r, Footer))
        self.assertNotEqual(end.data_section_crc, 0)
        data = self.file.read_bytes()
        # Up to the checksum itself and the magic number behind it.
        self.assertEqual(zlib.crc32(data[footer.summary_start : -12]), footer.summary_crc)

    def test_the_summary_counts_what_is_there(self) -> None:
        with self.file.open("rb") as stream:
            reader = make_reader(stream, validate_crcs=True)
            summary = reader.get_summary()
            topics = Counter(channel.topic for _, channel, _ in reader.iter_messages())
            about = {m.name: m.metadata for m in reader.iter_metadata()}
        counted = {
            summary.channels[number].topic: count
            for number, count in summary.statistics.channel_message_counts.items()
        }
        self.assertEqual(topics, counted)
        self.assertEqual(summary.statistics.message_count, sum(topics.values()))
        self.assertEqual(summary.statistics.chunk_count, len(summary.chunk_indexes))
        self.assertEqual(topics["tapedeck/envelopes"], len(summary.chunk_indexes))
        frames = {t: n for t, n in topics.items() if t not in OWN}
        expected = Counter(
            f"{r['source']}/{r['stream']}/{r['kind']}" for r in self.lines if "detail" not in r
        )
        self.assertEqual(frames, expected)
        identity = json.loads((self.deck / "recording.json").read_text())
        self.assertEqual(about["tapedeck"]["recording"], identity["uuid"])

    def test_payloads_and_envelopes_are_those_of_cat(self) -> None:
        topics: dict[int, str] = {}
        found: list[tuple[str, Message]] = []
        envelopes: list[tuple] = []
        with self.file.open("rb") as stream:
            for record in StreamReader(stream, validate_crcs=True).records:
                if type(record).__name__ == "Channel":
                    topics[record.id] = record.topic
                elif isinstance(record, Message):
                    topic = topics[record.channel_id]
                    if topic == "tapedeck/envelopes":
                        envelopes += list(ENVELOPE.iter_unpack(record.data))
                    elif topic != "tapedeck/context":
                        found.append((topic, record))
        self.assertEqual(len(found), len(self.lines))
        self.assertEqual(len(envelopes), len(self.lines))
        for (topic, message), envelope, line in zip(found, envelopes, self.lines):
            self.assertEqual(envelope[0], int(line["sequence"]))
            self.assertEqual(envelope[1], int(line["stream"]))
            self.assertEqual(envelope[2], int(line["received_ns"]))
            self.assertEqual(envelope[3], int(line["monotonic_ns"]))
            self.assertEqual(message.log_time, int(line["received_ns"]))
            self.assertEqual(message.sequence, int(line["sequence"]) & 0xFFFFFFFF)
            if topic == "tapedeck/events":
                self.assertEqual(json.loads(message.data), line)
            else:
                self.assertEqual(message.data, base64.b64decode(line["payload"]))

    def test_searching_by_time_finds_the_same(self) -> None:
        times = sorted(int(r["received_ns"]) for r in self.lines)
        start, end = times[len(times) // 3], times[2 * len(times) // 3]
        with self.file.open("rb") as stream:
            reader = make_reader(stream, validate_crcs=True)
            found = sum(
                channel.topic not in {"tapedeck/envelopes", "tapedeck/context"}
                for _, channel, _ in reader.iter_messages(start_time=start, end_time=end)
            )
        self.assertEqual(found, sum(start <= time < end for time in times))

    def test_the_way_there_and_back_keeps_everything(self) -> None:
        back = self.folder / "back"
        self.check(run("import", self.file, "-o", back), 0)
        self.assertEqual(lines(back), self.lines)
        self.check(run("verify", back), 0)
        self.check(run("diff", "--times", self.deck, back), 0)
        again = self.folder / "again.mcap"
        self.check(run("export", back, "-o", again, "--format", "mcap"), 0)
        self.check(run("import", again, "-o", self.folder / "third"), 0)
        self.assertEqual(lines(self.folder / "third"), self.lines)

    def test_a_file_that_was_changed_is_refused(self) -> None:
        data = bytearray(self.file.read_bytes())
        data[len(data) // 2] ^= 1
        self.file.write_bytes(data)
        result = run("import", self.file, "-o", self.folder / "back")
        self.check(result, 1)
        self.assertIn("damaged", result.stderr)
        left = sorted(p.name for p in self.folder.iterdir())
        self.assertEqual(left, ["deck", "deck.mcap", "plain.mcap"])

    def test_text_formats_are_those_of_cat(self) -> None:
        for form in ("ndjson", "csv"):
            file = self.folder / f"deck.{form}"
            self.check(run("export", self.deck, "-o", file, "--format", form), 0)
            printed = run("cat", self.deck, "--format", form).stdout
            self.assertEqual(file.read_text(), printed)


if __name__ == "__main__":
    unittest.main()
