import MarketModel
import RecordModel

/// One call of a Raydium program, and the questions that all of them ask about it.
struct RaydiumCall {
    /// A pool's token account.
    struct Vault: Hashable {
        /// Its index among the keys.
        var index: Int
        var mint: Address
    }

    /// Its place in the walk.
    let call: Int
    let program: SolanaProgram

    /// Whether a program was called without giving an event: then its logs cannot be told apart by
    /// call, and the call is read by its transfers.
    static func hasEventlessCall(of program: SolanaProgram, in walk: ProgramWalk) -> Bool {
        walk.calls.contains { $0.program == program && !$0.isEvent && $0.eventCount == 0 }
    }

    /// The account at a position of the call's list.
    func account(
        _ position: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Address {
        transaction.keys[try index(position, in: walk, transaction, bytes)]
    }

    /// The last account of the call's list.
    func lastAccount(
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Address {
        let count = transaction.instructions[call].accounts.count
        return try account(count - 1, in: walk, transaction, bytes)
    }

    /// The token account at a position of the call's list, its mint told by its balances.
    func vault(
        _ position: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Vault {
        let index = try index(position, in: walk, transaction, bytes)
        guard let mint = transaction.mint(ofAccount: index, bytes) else { throw .unknownMints }
        return Vault(index: index, mint: mint)
    }

    /// The token account at a position of the call's list, its mint at another one.
    func vault(
        _ position: Int,
        mintAt mint: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Vault {
        Vault(
            index: try index(position, in: walk, transaction, bytes),
            mint: try account(mint, in: walk, transaction, bytes)
        )
    }

    /// Decimals of what the token account at a position holds; nil when no balance tells.
    func decimals(
        _ position: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> UInt8? {
        guard let index = walk.accountIndex(position, of: call, transaction, bytes),
            let balance = transaction.balanceAfter(index) ?? transaction.balanceBefore(index)
        else { return nil }
        return UInt8(exactly: balance.decimals)
    }

    /// Where the account at a position of the call's list stands among the keys.
    private func index(
        _ position: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Int {
        guard let index = walk.accountIndex(position, of: call, transaction, bytes) else {
            throw .missingAccount
        }
        guard index < transaction.keys.count else { throw .badIndex }
        return index
    }

    /// A swap whose event was cut from the logs: by what moved into and out of the vaults. The side
    /// that something went into is the input; reserves and fees are not known.
    func swapByTransfers(
        pool: Address,
        trader: Address,
        _ vaults: (first: Vault, second: Vault),
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Trade {
        guard let venue = program.venue else { preconditionFailure("no market: \(program)") }
        let first = TokenFlow(of: vaults.first.index, below: call, in: walk, transaction, bytes)
        let second = TokenFlow(of: vaults.second.index, below: call, in: walk, transaction, bytes)
        let isFirstIn = first.into > 0
        let taken = isFirstIn ? first.into : second.into
        let given = isFirstIn ? second.outOf : first.outOf
        guard taken > 0, given > 0 else { throw .noEvent }
        var trade = RaydiumSwap(
            venue: venue,
            pool: pool,
            trader: trader,
            inputMint: isFirstIn ? vaults.first.mint : vaults.second.mint,
            outputMint: isFirstIn ? vaults.second.mint : vaults.first.mint,
            isFirstIn: isFirstIn,
            taken: taken,
            given: given,
            paid: taken,
            received: given
        ).trade()
        trade.flags.formUnion([.fromCall, .fromBalances])
        return trade
    }
}

extension ProgramWalk {
    /// The first eight bytes of an event, big-endian; nil when it is shorter or a `ray_log`.
    func discriminator(ofEvent event: Int) -> UInt64? {
        guard !events[event].isRayLog, events[event].payload.count >= 8 else { return nil }
        let start = events[event].payload.lowerBound
        return unsafe payloads.span.bytes.littleEndianUInt64(at: start).byteSwapped
    }

    /// The first event of a call that has a discriminator.
    ///
    /// - Returns: its place in `events`; nil when the call gave none.
    /// - Throws: why the bytes of an event are missing that may be it.
    func event(of call: Int, _ wanted: UInt64) throws(ParseFailure) -> Int? {
        let range = events(of: call)
        if let found = range.first(where: { discriminator(ofEvent: $0) == wanted }) { return found }
        for event in range {
            if let fault = events[event].fault { throw fault }
        }
        return nil
    }

    /// Counts the events of a call that `isKnown` does not take for known.
    func countUnknownEvents(
        of call: Int,
        tally: inout ParseTally,
        isKnown: (UInt64) -> Bool
    ) {
        for event in events(of: call) {
            guard let discriminator = discriminator(ofEvent: event), !isKnown(discriminator) else {
                continue
            }
            tally.meetUnknown(events[event].program, isEvent: true, discriminator)
        }
    }
}

extension LiquidityChange {
    /// Sets the reserves before it, and those after it by the amounts; when more goes out than
    /// there was, the latter stay unknown.
    mutating func setReserves(before: Reserves) {
        self.before = before
        switch direction {
        case .add:
            let token = before.token.addingReportingOverflow(tokenAmount)
            let quote = before.quote.addingReportingOverflow(quoteAmount)
            guard !token.overflow, !quote.overflow else { return }
            after = Reserves(token: token.partialValue, quote: quote.partialValue)
        case .remove:
            guard tokenAmount <= before.token, quoteAmount <= before.quote else { return }
            after = Reserves(
                token: before.token - tokenAmount,
                quote: before.quote - quoteAmount
            )
        }
    }
}
