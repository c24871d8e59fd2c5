import Projection
import Testing

@Suite struct RowCodingTests {
    @Test(arguments: ["é", "€", "😀", "a"])
    func `a text too long for a row is cut at a character, and stays the same when read back`(
        character: String
    ) throws {
        let text = "xyz" + String(repeating: character, count: 70_000)
        var writer = RowWriter()
        writer.add(text)
        var reader = RowReader(writer.bytes)
        let read = try reader.text()
        try reader.finish()
        #expect(text.hasPrefix(read))
        #expect(read.utf8.count > 65_536 - 4 && read.utf8.count <= 65_536)
        var again = RowWriter()
        again.add(read)
        #expect(again.bytes == writer.bytes)
    }

    @Test func `the order of encoded numbers is the order of the numbers`() {
        func encoded(_ body: (inout RowWriter) -> Void) -> [UInt8] {
            var writer = RowWriter()
            body(&writer)
            return writer.bytes
        }
        let longs: [Int64] = [.min, -2, -1, 0, 1, .max]
        let hugeNumbers: [Int128] = [.min, -1 << 64, -1, 0, 1 << 64, .max]
        let words: [Int32] = [.min, -1, 0, .max]
        for list in [
            longs.map { value in encoded { $0.add(value) } },
            hugeNumbers.map { value in encoded { $0.add(value) } },
            words.map { value in encoded { $0.add(value) } },
        ] {
            for (left, right) in zip(list, list.dropFirst()) {
                #expect(left.lexicographicallyPrecedes(right))
            }
        }
    }

    @Test func `bytes that are no row are refused at any length`() {
        var writer = RowWriter()
        writer.add(UInt64(7))
        writer.add("text")
        writer.add([1, 2, 3] as [UInt8])
        for count in 0..<writer.bytes.count {
            var reader = RowReader(Array(writer.bytes[..<count]))
            #expect(throws: RowError.self) {
                _ = try reader.unsigned64()
                _ = try reader.text()
                _ = try reader.byteString()
            }
        }
    }
}
