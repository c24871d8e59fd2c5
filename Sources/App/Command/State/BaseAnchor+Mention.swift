import CheckpointStore
import MarketModel
import Projection
import SegmentLog

/// A base anchor as the recording names it. The log does not know what state is, so both say the
/// same in words of their own.
extension BaseAnchor {
    /// From what the recording says; nil when that is of no chain that this build knows.
    init?(_ mention: BaseAnchorMention) {
        guard let chain = Chain(mention.chain), let key = StateDigest(mention.key),
            let checksum = StateDigest(mention.checksum)
        else { return nil }
        self.init(
            name: mention.file,
            chain: chain,
            position: mention.position,
            resume: mention.resume,
            key: key,
            bytes: mention.bytes,
            checksum: checksum
        )
    }

    /// What the recording is to say.
    var mention: BaseAnchorMention {
        BaseAnchorMention(
            file: name,
            chain: chain.description,
            position: position,
            resume: resume,
            key: key.description,
            bytes: bytes,
            checksum: checksum.description
        )
    }
}
