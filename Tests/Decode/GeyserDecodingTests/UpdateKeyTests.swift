import GeyserDecoding
import MarketModel
import Testing

@Suite struct UpdateKeyTests {
    private func key(of bytes: [UInt8]) throws -> UpdateKey? {
        try UpdateSummary(of: bytes.span.bytes).key(in: bytes.span.bytes)
    }

    @Test func `each kind has the key of the design`() throws {
        let signature = try #require(Signature(signatureBytes(9)))
        let hash = UTF8Text(Base58.encode(GeyserDecodingTests.key(7)))
        let block = message {
            W.uint64(1, 5, to: &$0)
            W.text(2, hash, to: &$0)
        }
        let blockhash = try #require(Blockhash(GeyserDecodingTests.key(7)))
        #expect(try key(of: MadeTransaction().update()) == .transaction(5, signature))
        #expect(
            try key(of: update(10, message { W.bytes(2, signatureBytes(9), to: &$0) }))
                == .transactionStatus(0, signature)
        )
        #expect(try key(of: update(3, [8, 5, 24, 2])) == .slot(5, status: 2))
        #expect(try key(of: update(8, [8, 5, 16, 3])) == .entry(5, index: 3))
        #expect(try key(of: update(7, block)) == .blockMeta(5, blockhash))
        #expect(try key(of: update(5, block)) == .block(5, blockhash))
        #expect(try key(of: update(6, [])) == nil)
        #expect(try key(of: update(4, [])) == nil)
        #expect(try key(of: update(7, [8, 5])) == nil)
    }

    @Test func `an account's key sees everything but names, time and write version`() throws {
        let account = MadeAccount(data: [1, 2, 3], signature: signatureBytes(1))
        let original = try #require(try key(of: account.update()))
        #expect(try key(of: account.update(["other", "names"])) == original)
        var changed = account
        changed.data = [1, 2, 4]
        #expect(try key(of: changed.update()) != original)
        changed = account
        changed.lamports = 101
        #expect(try key(of: changed.update()) != original)
        changed = account
        changed.owner = GeyserDecodingTests.key(3)
        #expect(try key(of: changed.update()) != original)
        changed = account
        changed.signature = signatureBytes(2)
        #expect(try key(of: changed.update()) != original)

        func withVersion(_ version: UInt64, signed: Bool) -> [UInt8] {
            let info = message {
                W.bytes(1, GeyserDecodingTests.key(1), to: &$0)
                W.uint64(7, version, to: &$0)
                if signed { W.bytes(8, signatureBytes(1), to: &$0) }
            }
            return update(2, message { W.bytes(1, info, to: &$0) })
        }
        #expect(
            try key(of: withVersion(1, signed: true)) == key(of: withVersion(2, signed: true))
        )
        #expect(
            try key(of: withVersion(1, signed: false)) != key(of: withVersion(2, signed: false))
        )
    }

    @Test func `the digest depends on every byte, its place and where parts end`() {
        func digest(_ parts: [UInt8]...) -> ContentDigest {
            var digest = ContentDigest()
            for part in parts { digest.combine(part.span.bytes, 0..<part.count) }
            return digest
        }
        var seen: Set<ContentDigest> = []
        for length in 0..<40 {
            let zeros = [UInt8](repeating: 0, count: length)
            #expect(seen.insert(digest(zeros)).inserted)
            for place in 0..<length {
                var bytes = zeros
                bytes[place] = 1
                #expect(seen.insert(digest(bytes)).inserted)
            }
        }
        #expect(digest([1, 2], [3]) != digest([1], [2, 3]))
        let shifted: [UInt8] = [9, 1, 2, 3, 9]
        var inner = ContentDigest()
        inner.combine(shifted.span.bytes, 1..<4)
        #expect(inner == digest([1, 2, 3]))
    }

    @Test(.enabled(if: SharedRecordings.isPresent, SharedRecordings.absent))
    func `every message of a real capture has a key of its own`() throws {
        var keys: Set<UpdateKey> = []
        var count = 0
        for message in try SharedRecordings.messages("capture.bin") {
            guard let key = try key(of: message) else { continue }
            keys.insert(key)
            count += 1
        }
        #expect(count > 15_000)
        #expect(keys.count == count)
    }
}
