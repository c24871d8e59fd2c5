import MarketModel
import Testing

@Suite struct KeyTests {
    // Well-known addresses with their bytes, and vectors of the Base58 draft
    // (draft-msporny-base58: "Hello World!", the pangram, leading zeros).
    @Test func `base58 agrees with published vectors`() throws {
        let vectors: [([UInt8], String)] = [
            (Array("Hello World!".utf8), "2NEpo7TZRRrLZSi2U"),
            (
                Array("The quick brown fox jumps over the lazy dog.".utf8),
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z"
            ),
            ([0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd], "11233QC4"),
            ([], ""),
            ([0], "1"),
            ([0xff], "5Q"),
        ]
        for (bytes, text) in vectors {
            #expect(Base58.encode(bytes) == text)
            #expect(try Base58.decode(text.utf8, charactersMax: 100) == bytes)
        }
    }

    @Test func `the system program is 32 zero bytes and the token program has its known bytes`()
        throws
    {
        let system = try PublicKey("11111111111111111111111111111111")
        #expect(system.bytes == [UInt8](repeating: 0, count: 32))
        // Bytes as in the SPL token crate's declare_id.
        let token = try PublicKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
        #expect(
            token.bytes == [
                6, 221, 246, 225, 215, 101, 161, 147, 217, 203, 225, 70, 206, 235, 121, 172, 28,
                180, 133, 237, 95, 91, 55, 145, 58, 140, 245, 133, 126, 255, 0, 169,
            ]
        )
        #expect(token.description == "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
    }

    @Test(arguments: [
        ("0", Base58Error.invalidCharacter(offset: 0)),
        ("1I", .invalidCharacter(offset: 1)),
        ("1é", .invalidCharacter(offset: 1)),
        ("1111111111111111111111111111111", .wrongSize),
        ("111111111111111111111111111111111", .wrongSize),
        (String(repeating: "z", count: 44), .wrongSize),
        (String(repeating: "1", count: 45), .wrongSize),
    ])
    func `a text that is not a key is refused`(text: String, expected: Base58Error) {
        #expect(throws: expected) { try PublicKey(text) }
    }

    @Test func `keys compare as bytes and load from any offset`() throws {
        var bytes = [UInt8](repeating: 0, count: 33)
        bytes[1] = 1
        bytes[32] = 9
        let low = try #require(PublicKey([UInt8](bytes[..<32])))
        let high = try #require(PublicKey([UInt8](bytes[1...])))
        #expect(low < high)
        #expect(PublicKey(bytes.span.bytes, at: 0) == low)
        #expect(PublicKey(bytes.span.bytes, at: 1) == high)
        #expect(PublicKey(bytes.span.bytes, at: 2) == nil)
        #expect(PublicKey(bytes.span.bytes, at: -1) == nil)
        #expect(PublicKey(bytes.span.bytes, at: Int.max) == nil)
        #expect(PublicKey(bytes) == nil)
    }

    @Test func `the last byte counts in order and equality`() throws {
        let zero = [UInt8](repeating: 0, count: 64)
        for index in 0..<64 {
            var one = zero
            one[index] = 1
            let left = try #require(Signature(zero))
            let right = try #require(Signature(one))
            #expect(left < right)
            #expect(left != right)
            #expect(right.bytes == one)
            #expect(try Signature(right.description) == right)
            #expect(Signature(one.span.bytes, at: 0) == right)
        }
    }

    @Test func `slot statuses other than the commitment steps are not commitment`() {
        #expect(SlotStatus.allCases.filter(\.isCommitment).map(\.rawValue) == [0, 1, 2])
        #expect(SlotStatus(rawValue: 7) == nil)
        #expect(CommitmentLevel(rawValue: 3) == nil)
    }
}
