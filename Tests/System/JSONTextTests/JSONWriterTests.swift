import Foundation
import JSONText
import Testing

@Suite struct JSONWriterTests {
    private func text(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        #expect(writer.isComplete)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `objects and arrays come in the order written, without spaces`() {
        let written = text { writer in
            writer.beginObject()
            writer.key("z")
            writer.integer(1)
            writer.key("a")
            writer.beginArray()
            writer.null()
            writer.boolean(true)
            writer.boolean(false)
            writer.beginObject()
            writer.endObject()
            writer.beginArray()
            writer.endArray()
            writer.integerString(UInt64.max)
            writer.raw(Array("{\"x\": 1}".utf8))
            writer.endArray()
            writer.key("b")
            writer.base64([1, 2, 3, 4])
            writer.endObject()
        }
        #expect(
            written
                == #"{"z":1,"a":[null,true,false,{},[],"18446744073709551615",{"x": 1}],"b":"AQIDBA=="}"#
        )
    }

    @Test func `strings escape only what must be`() {
        #expect(
            text { $0.string("a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é😀\u{2028}") }
                == #""a\"\\/\b\f\n\r\t\u0001\u001f"# + "\u{7f}é😀\u{2028}\""
        )
        #expect(
            text { $0.string(utf8: [0x61, 0xFF, 0xE2, 0x82, 0x62]) } == "\"a\u{FFFD}\u{FFFD}b\""
        )
    }

    @Test(arguments: [
        (Int128(0), "0"), (-1, "-1"), (Int128(Int64.min), "-9223372036854775808"),
        (Int128(UInt64.max), "18446744073709551615"),
        (Int128(UInt64.max) + 1, "18446744073709551616"),
        (10, "10"), (1_000_000_007, "1000000007"),
    ])
    func `integers are decimal`(value: Int128, expected: String) {
        #expect(text { $0.integer(value) } == expected)
    }

    @Test func `every byte string is read back by the independent reader`() throws {
        var random = Seeded(state: 7)
        for _ in 0..<500 {
            let bytes = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
            var writer = JSONWriter()
            writer.beginArray()
            writer.string(utf8: bytes)
            writer.base64(bytes)
            writer.endArray()
            let read = try #require(try oracle(writer.bytes) as? [String])
            #expect(
                read[0].unicodeScalars.elementsEqual(
                    String(decoding: bytes, as: UTF8.self).unicodeScalars
                )
            )
            #expect(read[1] == Data(bytes).base64EncodedString())
        }
    }

    @Test func `lines follow each other and a reset keeps nothing`() {
        var writer = JSONWriter(appendingTo: Array("> ".utf8))
        writer.integer(1)
        writer.endLine()
        writer.integer(2)
        writer.endLine()
        #expect(writer.bytes == Array("> 1\n2\n".utf8))
        writer.reset()
        writer.string("x")
        #expect(writer.bytes == Array("\"x\"".utf8))
    }

    @Test func `misuse stops the program`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.integer(1)
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.endArray()
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.integer(1)
            writer.integer(1)
        }
    }
}

@Suite struct Base64Tests {
    // The test vectors of RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of the standard hold`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == Array(encoded.utf8))
        #expect(Base64.decode(Array(encoded.utf8)) == Array(plain.utf8))
    }

    @Test func `all bytes match the independent coder`() {
        for count in 0..<260 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ count) }
            let encoded = Array(Data(bytes).base64EncodedString().utf8)
            #expect(Base64.encode(bytes) == encoded)
            #expect(Base64.decode(encoded) == bytes)
        }
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "====", "=", "Z===", "Zm9v=",
        "Z=g=",
        "Zg==Zg==", "Zm8_", "Zm8-", "é===",
    ])
    func `any other form is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }
}
