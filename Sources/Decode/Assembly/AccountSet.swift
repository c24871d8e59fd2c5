import MarketModel

/// One state of an account in a slot, as one part brought it last.
struct HeldAccount: Sendable {
    let part: Int
    let writeVersion: UInt64
    let writer: Signature?
    let digest: ContentDigest
    let content: AccountFact.Content?
}

/// The last states of accounts in one slot, by account and part.
struct AccountSet: Sendable {
    private(set) var states: [Address: [HeldAccount]] = [:]
    private(set) var count = 0

    /// Takes in what one part brought; a write that an earlier one of the same part supersedes
    /// tells nothing.
    mutating func insert(
        _ input: AccountInput,
        part: Int,
        limit: Int
    ) -> TransactionSet.Outcome {
        let held = HeldAccount(
            part: part,
            writeVersion: input.writeVersion,
            writer: input.writer,
            digest: input.digest,
            content: input.content
        )
        guard let place = states[input.account]?.firstIndex(where: { $0.part == part }) else {
            guard count < limit else { return .full }
            states[input.account, default: []].append(held)
            count += 1
            return .new
        }
        guard let before = states[input.account]?[place].writeVersion,
            before < input.writeVersion
        else { return .known }
        states[input.account]?[place] = held
        return .changed
    }

    /// The state of every account after the last transaction of the variant, by rising address.
    ///
    /// - Parameters:
    ///   - mask: the variant's parts.
    ///   - streamOf: the stream of a part; write versions order within one.
    ///   - indexOf: where a writer stands in the block; nil when it is not known there.
    /// - Returns: one fact for each account that still holds something known.
    func facts(
        in mask: PartMask,
        streamOf: (Int) -> UInt64,
        indexOf: (Signature) -> UInt32?
    ) -> [AccountFact] {
        guard !states.isEmpty else { return [] }
        var facts: [AccountFact] = []
        for account in states.keys.sorted() {
            // Empty cannot be: each key has states.
            let all = states[account] ?? []
            let held = all.filter { mask >> PartMask($0.part) & 1 == 1 }
            guard let last = AccountSet.last(of: held, streamOf, indexOf),
                let content = last.content
            else { continue }
            facts.append(AccountFact(account: account, content: content))
        }
        return facts
    }

    private static func last(
        of held: [HeldAccount],
        _ streamOf: (Int) -> UInt64,
        _ indexOf: (Signature) -> UInt32?
    ) -> HeldAccount? {
        guard held.count > 1 else { return held.first }
        // The last of each stream, by its own write versions.
        var lasts: [HeldAccount] = []
        for state in held {
            let stream = streamOf(state.part)
            if let place = lasts.firstIndex(where: { streamOf($0.part) == stream }) {
                if lasts[place].writeVersion < state.writeVersion { lasts[place] = state }
            } else {
                lasts.append(state)
            }
        }
        // Between streams: the write of the later transaction; equal states need no choice.
        return lasts.max { left, right in
            let leftIndex = left.writer.flatMap(indexOf).map(Int64.init) ?? -1
            let rightIndex = right.writer.flatMap(indexOf).map(Int64.init) ?? -1
            return leftIndex == rightIndex
                ? left.digest < right.digest : leftIndex < rightIndex
        }
    }
}
