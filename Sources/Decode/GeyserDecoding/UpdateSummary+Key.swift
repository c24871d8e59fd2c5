// The identity of an update, for merging what several streams brought.

package import MarketModel
import RecordModel

extension UpdateSummary {
    /// The key under which the same update of another stream is recognised.
    ///
    /// - Parameter bytes: Those that the summary was read from.
    /// - Returns: Nil for pings, pongs, unknown kinds, and updates whose key parts have not their
    ///   proper length: such an update is never a duplicate.
    /// - Throws: The account's fields cannot be read.
    package func key(in bytes: RawSpan) throws(ProtobufError) -> UpdateKey? {
        guard let slot else { return nil }
        switch kind {
        case .slot: return .slot(slot, status: status)
        case .account: return try accountKey(bytes, slot)
        case .transaction:
            return signature(bytes, signature).map { .transaction(slot, $0) }
        case .transactionStatus:
            return signature(bytes, signature).map { .transactionStatus(slot, $0) }
        case .entry: return .entry(slot, index: index)
        case .blockMeta: return blockhash(bytes).map { .blockMeta(slot, $0) }
        case .block: return blockhash(bytes).map { .block(slot, $0) }
        case .ping, .pong, .unknown: return nil
        }
    }

    private func signature(_ bytes: RawSpan, _ range: Range<Int>?) -> Signature? {
        guard let range, range.count == 64 else { return nil }
        return Signature(bytes, at: range.lowerBound)
    }

    private func blockhash(_ bytes: RawSpan) -> Blockhash? {
        let text = bytes.copyBytes(blockhash)
        do throws(Base58Error) {
            return try Blockhash(base58: text)
        } catch {
            return nil
        }
    }

    private func accountKey(
        _ bytes: RawSpan,
        _ slot: Slot
    ) throws(ProtobufError) -> UpdateKey? {
        guard let range = publicKey, let address = PublicKey(bytes, exactly: range) else {
            return nil
        }
        let writer: UpdateKey.AccountWriter
        if let transactionSignature {
            guard let signature = signature(bytes, transactionSignature) else { return nil }
            writer = .transaction(signature)
        } else {
            writer = .runtime(writeVersion: writeVersion)
        }
        var digest = ContentDigest()
        var offset = accountInfo.lowerBound
        while let field = try ProtobufReader.next(
            bytes,
            at: &offset,
            end: accountInfo.upperBound
        ) {
            guard field.number != 7 else { continue }  // the write version
            digest.combine(UInt64(field.number))
            if field.wireType == .lengthDelimited {
                digest.combine(bytes, field.payload)
            } else {
                digest.combine(field.value)
            }
        }
        return .account(slot, address, writer, digest)
    }
}
