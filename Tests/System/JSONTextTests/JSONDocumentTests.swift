import Foundation
import JSONText
import Testing

@Suite struct JSONDocumentTests {
    private func parse(
        _ text: String,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        try JSONDocument.parse(Array(text.utf8), limits: limits)
    }

    private func kind(_ text: String, limits: JSONLimits = JSONLimits()) -> JSONError.Kind? {
        do throws(JSONError) {
            _ = try parse(text, limits: limits)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func `every kind of value is read`() throws {
        let root = try parse(#" {"a":[1,"x\n",true,false,null,{}],"b":-2.5e3,"é":""} "#)
        #expect(root.kind == .object)
        #expect(root.count == 3)
        let keys = root.members.map(\.key.string)
        #expect(keys == ["a", "b", "é"])
        let a = try #require(root.member("a"))
        #expect(a.elements.map(\.kind) == [.number, .string, .boolean, .boolean, .null, .object])
        #expect(a.elements.map(\.string) == [nil, "x\n", nil, nil, nil, nil])
        #expect(a.elements.map(\.boolean) == [nil, nil, true, false, nil, nil])
        #expect(a.elements.map(\.isNull) == [false, false, false, false, true, false])
        #expect(root.member("b")?.numberText == "-2.5e3")
        #expect(root.member("é")?.string == "")
        #expect(root.member("c") == nil)
        #expect(a.member("a") == nil)
        #expect(a.member("b") == nil)
        #expect(Array(root.elements).isEmpty)
        #expect(Array(a.members).isEmpty)
    }

    @Test func `ranges are the exact bytes of a value`() throws {
        let text = " [ {\"k\\\"\" : [ 1 , 2.0 ]  } , \"a\\\\\" ,\n-7 , true,null ] \n"
        let bytes = Array(text.utf8)
        let root = try JSONDocument.parse(bytes)
        let pieces = root.elements.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        #expect(pieces == [#"{"k\"" : [ 1 , 2.0 ]  }"#, #""a\\""#, "-7", "true", "null"])
        #expect(String(decoding: root.rawBytes, as: UTF8.self) == text.trimmed)
        let member = try #require(root.elements.flatMap { Array($0.members) }.first)
        #expect(String(decoding: member.key.rawBytes, as: UTF8.self) == #""k\"""#)
        #expect(String(decoding: member.value.rawBytes, as: UTF8.self) == "[ 1 , 2.0 ]")
    }

    @Test func `equal keys are all shown and the last one counts`() throws {
        let root = try parse(#"{"a":1,"b":2,"a":3}"#)
        #expect(root.members.map(\.value.uint64) == [1, 2, 3])
        #expect(root.member("a")?.uint64 == 3)
    }

    @Test(
        arguments: [
            ("18446744073709551615", UInt64.max, nil),
            ("18446744073709551616", nil, nil),
            ("99999999999999999999999999999999999999", nil, nil),
            ("9223372036854775807", 9_223_372_036_854_775_807, Int64.max),
            ("9223372036854775808", 9_223_372_036_854_775_808, nil),
            ("-9223372036854775808", nil, Int64.min),
            ("-9223372036854775809", nil, nil),
            ("-1", nil, -1), ("-0", nil, 0), ("0", 0, 0), ("1e5", nil, nil), ("1.0", nil, nil),
            ("1e400", nil, nil), ("-1E-400", nil, nil),
        ] as [(String, UInt64?, Int64?)]
    )
    func `numbers convert exactly or not at all`(
        text: String,
        unsigned: UInt64?,
        signed: Int64?
    )
        throws
    {
        for (form, value) in [(text, try parse(text)), (text, try parse(" [\(text) ] ").only)] {
            #expect(value.kind == .number)
            #expect(value.numberText == form)
            #expect(value.uint64 == unsigned)
            #expect(value.int64 == signed)
        }
    }

    @Test(arguments: [
        "", " ", "\n", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "{} {}",
        "1 2", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{1:2}", "[1}", "{\"a\":1]", "\"", "\"\\\"", "[\"a]", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"a\nb\"", "\"a\u{1}b\"", "tru", "nul", "truee",
        "True", "nan",
        "NaN", "Infinity", "01", "-", "-a", "1.", ".5", "1e", "1e+", "+1", "0x00", "00", "-01",
        "1x", "[0x1]",
        "'a'", "[1]x", "\"a\"b", "\"a\" \"b\"", "/**/1", "[\"a\" \"b\"]", "{\"a\":1}}", "[[]",
        "nulll",
        "[true false]", "{\"a\":[1}", ":", ",", "[:]", "{\"a\"::1}", "{\"a\":1,,\"b\":2}", "[1,,2]",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(kind(text) != nil)
        #expect((try? oracle(Array(text.utf8))) == nil || hasTrailingComma(text))
    }

    @Test func `a fault is named and placed`() {
        func fault(_ text: String) -> JSONError? {
            do throws(JSONError) {
                _ = try parse(text)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault("") == JSONError(kind: .empty, offset: 0))
        #expect(fault("  ") == JSONError(kind: .empty, offset: 0))
        #expect(fault("[1,02]") == JSONError(kind: .badNumber, offset: 3))
        #expect(fault(#"["a","\q"]"#) == JSONError(kind: .badString, offset: 5))
        #expect(fault(#"{"\q":1}"#) == JSONError(kind: .badString, offset: 1))
        #expect(fault("[1,x]") == JSONError(kind: .malformed, offset: 3))
        #expect(fault("\"abc")?.kind == .unclosedString)
        #expect(fault("[\"a\tb\"]")?.kind == .controlCharacter)
        #expect(fault("7 8") == JSONError(kind: .trailingText, offset: 1))
    }

    @Test(
        arguments: [
            [0xFF], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
        ] as [[UInt8]]
    )
    func `bytes that are no UTF-8 are refused`(bytes: [UInt8]) {
        #expect(throws: JSONError(kind: .notUTF8, offset: 0)) { try JSONDocument.parse(bytes) }
    }

    @Test func `depth, size and number of values are bounded`() throws {
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(kind(deep) == nil)
        #expect(kind("[" + deep + "]") == .tooDeep(limit: 128))
        let objects =
            String(repeating: "{\"a\":", count: 128) + "1" + String(repeating: "}", count: 128)
        #expect(kind(objects) == nil)
        #expect(kind("[" + objects + "]") == .tooDeep(limit: 128))
        let million = String(repeating: "[", count: 1_000_000)
        #expect(kind(million) != nil)
        #expect(kind(million + String(repeating: "]", count: 1_000_000)) == .tooDeep(limit: 128))
        let small = JSONLimits(bytesMax: 10, depthMax: 1, valuesMax: 3)
        #expect(kind("[1,2]", limits: small) == nil)
        #expect(kind("[1,2,3]", limits: small) == .tooManyValues(limit: 3))
        #expect(kind("[[]]", limits: small) == .tooDeep(limit: 1))
        #expect(kind("[1       ]", limits: small) == nil)
        #expect(kind("[1        ]", limits: small) == .tooLong(limit: 10))
    }

    @Test func `a document is used again after errors and large texts`() throws {
        let document = JSONDocument()
        let large = "[" + String(repeating: "\"0123456789\",", count: 600_000) + "1]"
        for _ in 0..<3 {
            #expect(try document.parse(Array(large.utf8)).count == 600_001)
            #expect(throws: JSONError.self) { try document.parse(Array("[1,".utf8)) }
            let value = try document.parse(Array(#"{"a":"\u00e9\ud83d\ude00\u0000/\/"}"#.utf8))
            #expect(value.member("a")?.string == "é😀\u{0}//")
            #expect(value.member("a")?.isString("é😀") == false)
            #expect(value.member("a")?.stringBytes == Array("é😀\u{0}//".utf8))
        }
    }

    @Test func `a value that outlived its text stops the program`() async {
        await #expect(processExitsWith: .failure) {
            let document = JSONDocument()
            let old = try document.parse(Array("[1]".utf8))
            _ = try document.parse(Array("[2]".utf8))
            _ = old.count
        }
    }

    @Test func `a span is read like an array`() throws {
        let document = JSONDocument()
        let bytes = Array(#"[1,"a"]"#.utf8)
        let value = try document.parse(bytes.span.bytes)
        #expect(value.count == 2)
        #expect(value.elements.map { $0.withString { $0.count } } == [nil, 1])
    }

    @Test func `seeded damage is judged as by the independent reader`() throws {
        let seeds = [
            #"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs",{"address":"0xab"}]}"#,
            #"{"a":[1,-2.5e+3,true,false,null,"x\"\\\/\b\f\n\r\té😀"],"b":{"c":{}}, "d" : [ [ ] ] }"#,
            #"[{"a":1},{"a":2,"a":3},[],"",0]"#,
        ].map { Array($0.utf8) }
        var random = Seeded(state: 20_240_501)
        let document = JSONDocument()
        var accepted = 0
        for round in 0..<20_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...random.below(3) {
                let at = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[at] = UInt8(random.below(256))
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(seeds[0][random.below(seeds[0].count)], at: at)
                default: bytes[at] = Array("{}[],:\"\\0-.e \n".utf8)[random.below(14)]
                }
            }
            let ours = try? document.parse(bytes)
            let theirs = try? oracle(bytes)
            // Foundation takes a NUL or a byte order mark in places; such texts are left out.
            guard !bytes.contains(0), bytes.first != 0xEF else { continue }
            if let ours, let theirs {
                accepted += 1
                #expect(equal(ours, theirs), "\(String(decoding: bytes, as: UTF8.self))")
            } else if ours != nil || theirs != nil {
                #expect(
                    isKnownDifference(bytes, ours: ours != nil),
                    "\(ours != nil) \(String(decoding: bytes, as: UTF8.self))"
                )
            }
        }
        #expect(accepted > 1_000)
    }

    /// Foundation refuses numbers beyond a double and takes a comma before a closing bracket.
    private func isKnownDifference(_ bytes: [UInt8], ours: Bool) -> Bool {
        if ours { return bytes.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") } }
        return hasTrailingComma(String(decoding: bytes, as: UTF8.self))
    }

    private func hasTrailingComma(_ text: String) -> Bool {
        text.range(of: #",[ \n\r\t]*[\]}]"#, options: .regularExpression) != nil
    }
}

func oracle(_ bytes: [UInt8]) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
}

/// Whether our value and Foundation's hold the same, objects as dictionaries.
func equal(_ ours: JSONValue, _ theirs: Any) -> Bool {
    switch ours.kind {
    case .null: return theirs is NSNull
    case .boolean: return (theirs as? NSNumber)?.boolValue == ours.boolean
    case .string:
        guard let text = theirs as? String, let own = ours.string else { return false }
        return Array(text.unicodeScalars) == Array(own.unicodeScalars)
    case .number:
        guard let number = theirs as? NSNumber, let text = ours.numberText else { return false }
        return number.doubleValue == Double(text)
    case .array:
        guard let array = theirs as? [Any], array.count == ours.count else { return false }
        return zip(ours.elements, array).allSatisfy { equal($0, $1) }
    case .object:
        guard let dictionary = theirs as? [String: Any] else { return false }
        // Where a key stands twice, which one Foundation keeps is its own affair.
        let keys = ours.members.compactMap(\.key.string)
        guard Set(keys) == Set(dictionary.keys) else { return false }
        if Set(keys).count < keys.count { return true }
        return ours.members.allSatisfy { member in
            dictionary[member.key.string ?? ""].map { equal(member.value, $0) } == true
        }
    }
}

/// A small generator with a seed (SplitMix64).
struct Seeded {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

extension JSONValue {
    fileprivate var only: JSONValue {
        var elements = self.elements
        guard let first = elements.next() else { fatalError("empty") }
        return first
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
