import MarketModel

/// The parts of a `SubscribeUpdateAccountInfo` that filters ask about.
struct AccountView {
    /// Nil when not 32 bytes.
    var publicKey: PublicKey?
    /// Nil when not 32 bytes.
    var owner: PublicKey?
    var lamports: UInt64 = 0
    /// Within the bytes that the view was read from.
    var data = 0..<0
    var hasTransactionSignature = false

    init(_ bytes: RawSpan, _ range: Range<Int>) throws(ProtobufError) {
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: publicKey = PublicKey(bytes, exactly: try field.delimited())
            case 2: lamports = try field.varint()
            case 3: owner = PublicKey(bytes, exactly: try field.delimited())
            case 6: data = try field.delimited()
            case 8:
                _ = try field.delimited()
                hasTransactionSignature = true
            default: break
            }
        }
    }
}

extension PublicKey {
    /// The key that fills `range` exactly; nil for any other length.
    init?(_ bytes: RawSpan, exactly range: Range<Int>) {
        guard range.count == 32 else { return nil }
        self.init(bytes, at: range.lowerBound)
    }
}
