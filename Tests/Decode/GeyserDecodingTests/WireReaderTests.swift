import CGeyser
import GeyserDecoding
import MarketModel
import Testing

@Suite struct WireReaderTests {
    @Test(
        .enabled(if: SharedRecordings.isPresent, SharedRecordings.absent),
        arguments: ["real.bin", "capture.bin", "blocks.bin", "volume.bin"]
    )
    func `the wire reader sees what protobuf-c sees in real messages`(
        name: String
    )
        throws
    {
        let descriptor = MessageOracle.updateDescriptor()
        let messages = try SharedRecordings.messages(name)
        #expect(!messages.isEmpty)
        for (index, message) in messages.enumerated() {
            let expected = try #require(MessageOracle.linesByC(message, descriptor))
            let found = try MessageOracle.linesByReader(message, descriptor)
            #expect(found == expected, "message \(index) of \(name)")
        }
    }

    @Test(
        .enabled(if: SharedRecordings.isPresent, SharedRecordings.absent),
        arguments: ["real.bin", "capture.bin", "blocks.bin", "volume.bin"]
    )
    func `the summary of every real message agrees with protobuf-c`(name: String) throws {
        for (index, message) in try SharedRecordings.messages(name).enumerated() {
            let unpacked = try #require(
                geyser__subscribe_update__unpack(nil, message.count, message)
            )
            defer { geyser__subscribe_update__free_unpacked(unpacked, nil) }
            let summary = try UpdateSummary(of: message.span.bytes)
            expectSame(summary, message, unpacked.pointee, "message \(index) of \(name)")
        }
    }

    private func expectSame(
        _ summary: UpdateSummary,
        _ message: [UInt8],
        _ update: Geyser__SubscribeUpdate,
        _ comment: Comment
    ) {
        #expect(summary.filterCount == update.n_filters, comment)
        #expect(summary.createdSeconds == update.created_at?.pointee.seconds, comment)
        #expect(summary.createdNanos == (update.created_at?.pointee.nanos ?? 0), comment)
        #expect(UpdateSummary.slot(of: message.span.bytes) == summary.slot, comment)
        func bytes(_ range: Range<Int>?) -> [UInt8]? { range.map { [UInt8](message[$0]) } }
        func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
            [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
        }
        switch update.update_oneof_case {
        case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_ENTRY:
            let entry = update.entry.pointee
            #expect(summary.kind == .entry, comment)
            #expect(summary.slot?.number == entry.slot, comment)
            #expect(summary.index == entry.index, comment)
        case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_SLOT:
            let slot = update.slot.pointee
            #expect(summary.kind == .slot, comment)
            #expect(summary.slot?.number == slot.slot, comment)
            #expect(summary.status == Int32(bitPattern: slot.status.rawValue), comment)
            #expect(summary.parent?.number == (slot.has_parent != 0 ? slot.parent : nil), comment)
        case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK_META:
            let meta = update.block_meta.pointee
            #expect(summary.kind == .blockMeta, comment)
            #expect(summary.slot?.number == meta.slot, comment)
            #expect(
                bytes(summary.blockhash) == [UInt8](String(cString: meta.blockhash).utf8),
                comment
            )
            #expect(summary.parent?.number == meta.parent_slot, comment)
        case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK:
            let block = update.block.pointee
            #expect(summary.kind == .block, comment)
            #expect(summary.slot?.number == block.slot, comment)
            #expect(
                bytes(summary.blockhash) == [UInt8](String(cString: block.blockhash).utf8),
                comment
            )
        case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_TRANSACTION:
            let transaction = update.transaction.pointee
            #expect(summary.kind == .transaction, comment)
            #expect(summary.slot?.number == transaction.slot, comment)
            #expect(
                bytes(summary.signature) == bytes(transaction.transaction.pointee.signature),
                comment
            )
            #expect(summary.index == transaction.transaction.pointee.index, comment)
        case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_ACCOUNT:
            let account = update.account.pointee
            #expect(summary.kind == .account, comment)
            #expect(summary.slot?.number == account.slot, comment)
            #expect(bytes(summary.publicKey) == bytes(account.account.pointee.pubkey), comment)
            #expect(bytes(summary.accountData) == bytes(account.account.pointee.data), comment)
            #expect(summary.writeVersion == account.account.pointee.write_version, comment)
        default:
            Issue.record("a kind that the shared data should not have", severity: .error)
        }
    }

    @Test func `each wire type is read with its range`() throws {
        var bytes: [UInt8] = []
        ProtobufWriter.uint64(1, .max, to: &bytes)
        ProtobufWriter.fixed64(2, 0x0102_0304_0506_0708, to: &bytes)
        ProtobufWriter.bytes(3, [7, 8, 9], to: &bytes)
        ProtobufWriter.fixed32(536_870_911, 0xdead_beef, to: &bytes)
        // Hand-encoded: tag 8, ten-byte varint; tag 0x11, eight bytes; tag 0x1a, length, three.
        #expect(
            bytes[..<25]
                == [
                    8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1,
                    0x11, 8, 7, 6, 5, 4, 3, 2, 1, 0x1a, 3, 7, 8, 9,
                ]
        )
        var offset = 0
        var fields: [ProtobufField] = []
        while let field = try ProtobufReader.next(bytes.span.bytes, at: &offset, end: bytes.count) {
            fields.append(field)
        }
        #expect(fields.map(\.number) == [1, 2, 3, 536_870_911])
        #expect(fields.map(\.value) == [.max, 0x0102_0304_0506_0708, 3, 0xdead_beef])
        #expect(fields.map(\.payload) == [1..<11, 12..<20, 22..<25, 30..<34])
        #expect(fields.map(\.start) == [0, 11, 20, 25])
    }

    @Test(arguments: [
        ([0x08], ProtobufError.truncated(offset: 1)),
        ([0x80], .truncated(offset: 0)),
        ([0x08, 0x80, 0x80], .truncated(offset: 1)),
        ([0x08] + [UInt8](repeating: 0x80, count: 9) + [2], .varintTooLong(offset: 1)),
        ([0x08] + [UInt8](repeating: 0xff, count: 10) + [0], .varintTooLong(offset: 1)),
        ([0x09, 1, 2, 3, 4, 5, 6, 7], .truncated(offset: 1)),
        ([0x0d, 1, 2, 3], .truncated(offset: 1)),
        ([0x0a, 2, 1], .lengthBeyondEnd(offset: 0)),
        ([0x0a] + [UInt8](repeating: 0xff, count: 9) + [1], .lengthBeyondEnd(offset: 0)),
        ([0x0b], .groupRefused(offset: 0)),
        ([0x0c], .groupRefused(offset: 0)),
        ([0x0e], .invalidTag(offset: 0)),
        ([0x00, 0], .invalidTag(offset: 0)),
        ([0x80, 0x80, 0x80, 0x80, 0x10, 0], .invalidTag(offset: 0)),
    ])
    func `malformed fields are refused with their place`(
        bytes: [UInt8],
        expected: ProtobufError
    ) {
        #expect(throws: expected) {
            var offset = 0
            while try ProtobufReader.next(bytes.span.bytes, at: &offset, end: bytes.count) != nil {}
        }
    }

    @Test func `varint sizes are those written`() {
        for shift in 0..<64 {
            for value in [UInt64(1) << shift, UInt64(1) << shift &- 1] {
                var bytes: [UInt8] = []
                ProtobufWriter.varint(value, to: &bytes)
                #expect(bytes.count == ProtobufWriter.varintByteCount(value))
            }
        }
    }
}
