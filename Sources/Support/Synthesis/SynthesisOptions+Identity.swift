import MarketModel

extension SynthesisOptions {
    /// What identity and salts of a recording come from: the seed, and every option that is not the
    /// default, so that markets of one seed are no copies of one recording.
    ///
    /// Those that the recordings of this repository are made with change nothing: they keep their
    /// bytes.
    ///
    /// - Parameter real: transactions that stand in for the invented ones.
    /// - Returns: a seed.
    func identitySeed(_ real: RealBlocks?) -> UInt64 {
        func values(_ options: SynthesisOptions) -> [(name: String, value: String)] {
            // Every option there is, also one that is added later, in the order of declaration.
            Mirror(reflecting: options).children.compactMap { child in
                child.label.map { ($0, String(describing: child.value)) }
            }
        }
        var digest = ContentDigest()
        var isPlain = true
        for (own, plain) in zip(values(self), values(SynthesisOptions()))
        where own.value != plain.value && !SynthesisOptions.leftOut.contains(own.name) {
            isPlain = false
            for text in [own.name, own.value] {
                let bytes = Array(text.utf8)
                digest.combine(bytes.span.bytes, 0..<bytes.count)
            }
        }
        for transaction in real?.blocks.flatMap(\.transactions) ?? [] {  // none are real
            isPlain = false
            let bytes = transaction.signature
            digest.combine(bytes.span.bytes, 0..<bytes.count)
            digest.combine(UInt64(transaction.info.count))
        }
        let start = seed ^ 0x7461_7065_6465_636B
        return isPlain ? start : start ^ digest.words.0
    }

    private static let leftOut: Set<String> = [
        "seed", "slots", "ethereumBlocks", "reorgs", "wholeBlocks", "end",
    ]
}
