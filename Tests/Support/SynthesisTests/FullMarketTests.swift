import Testing

@testable import Synthesis

/// A market with everything turned on, read from the bytes of its streams by protobuf-c and the
/// published layouts alone: each thing that it is said to hold is there.
struct FullMarketTests {
    private struct Market {
        var labels: [SynthesizedLabel]
        /// Messages by stream, in order of arrival.
        var streams: [UInt32: [[UInt8]]] = [:]
        var statuses: [WireReading.Status] = []
        var metas: [WireReading.Meta] = []
        var confirmed: Set<UInt64> = []
        /// Of confirmed slots that have one block, each once, in the order of the chain.
        var transactions: [WireReading.Transaction] = []
        var accounts: [WireReading.Account] = []

        init(_ options: SynthesisOptions) throws {
            var steps: [SynthesizedStep] = []
            labels = MarketSynthesis(options).run { steps.append($0) }
            for step in steps {
                guard case .message(.incoming, let bytes) = step.event else { continue }
                streams[step.stream, default: []].append(bytes)
            }
            let messages = streams.sorted { $0.key < $1.key }.flatMap(\.value)
            statuses = try WireReading.statuses(messages)
            metas = try WireReading.metas(messages)
            confirmed = Set(statuses.filter { $0.state == 1 }.map(\.slot))
            var seen: Set<[UInt8]> = []
            let single = confirmed.subtracting(doubled)
            for transaction in try WireReading.transactions(messages)
            where single.contains(transaction.slot) && seen.insert(transaction.signature).inserted {
                transactions.append(transaction)
            }
            transactions.sort { ($0.slot, $0.index) < ($1.slot, $1.index) }
            accounts = try WireReading.accounts(messages)
        }

        /// Slots of which two blocks were seen.
        var doubled: Set<UInt64> {
            var hashes: [UInt64: Set<String>] = [:]
            for meta in metas { hashes[meta.slot, default: []].insert(meta.hash) }
            return Set(hashes.filter { $0.value.count > 1 }.keys)
        }

        /// Events of a kind with their transactions.
        func events(
            _ discriminator: [UInt8]
        ) -> [(transaction: WireReading.Transaction, event: [UInt8])] {
            transactions.filter { !$0.failed }.flatMap { transaction in
                transaction.events.filter { $0.starts(with: discriminator) }
                    .map { (transaction, $0) }
            }
        }
    }

    private static var options: SynthesisOptions {
        var options = SynthesisOptions()
        options.seed = 61
        options.slots = 100
        options.fill()
        options.votesPerSlot = 1
        options.usdcPerMille = 300
        options.ethereumBlocks = 0
        return options
    }

    private static let market = Result { try Market(options) }

    private static let create: [UInt8] = [0x1b, 0x72, 0xa9, 0x4d, 0xde, 0xeb, 0x63, 0x76]
    private static let trade: [UInt8] = [0xbd, 0xdb, 0x7f, 0xd3, 0x4e, 0xe6, 0x61, 0xee]
    private static let complete: [UInt8] = [0x5f, 0x72, 0x61, 0x9c, 0xd4, 0x2e, 0x98, 0x08]
    private static let migration: [UInt8] = [0xbd, 0xe9, 0x5d, 0xb9, 0x5c, 0x94, 0xea, 0x94]
    private static let createPool: [UInt8] = [0xb1, 0x31, 0x0c, 0xd2, 0xa0, 0x76, 0xa7, 0x74]
    private static let poolBuy: [UInt8] = [0x67, 0xf4, 0x52, 0x1f, 0x2c, 0xf5, 0x77, 0x77]
    private static let poolSell: [UInt8] = [0x3e, 0x2f, 0x37, 0x0a, 0xa5, 0x03, 0xdc, 0x2a]
    private static let deposit: [UInt8] = [0x78, 0xf8, 0x3d, 0x53, 0x1f, 0x8e, 0x6b, 0x90]
    private static let withdrawal: [UInt8] = [0x16, 0x09, 0x85, 0x1a, 0xa0, 0x2c, 0x47, 0xc0]

    private func number(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The quote at the end of TradeEvent; zeros are SOL.
    private func quote(_ event: [UInt8]) -> [UInt8] {
        Array(event[event.count - 56..<event.count - 24])
    }

    // MARK: The market

    @Test func `coins are launched, traded, completed and become pools, in SOL and in USDC`() throws
    {
        let market = try Self.market.get()
        let launches = market.events(Self.create)
        #expect(launches.count >= 26)
        // Virtual quote is the last field, the quote's mint the one before.
        let usdc = launches.filter { $0.event.suffix(40).prefix(32) == PumpEventTests.usdc[...] }
        #expect((6...12).contains(usdc.count))
        for (transaction, event) in launches {
            let isUSDC = event.suffix(40).prefix(32) == PumpEventTests.usdc[...]
            let start: [UInt8] =
                isUSDC
                ? [0xd6, 0x90, 0x4c, 0xec, 0x5f, 0x8b, 0x31, 0xb4]
                : [0x18, 0x1e, 0xc8, 0x28, 0x05, 0x1c, 0x07, 0x77]
            let call = transaction.calls.first { $0.data.starts(with: start) }
            #expect(call?.accounts.count == (isUSDC ? 19 : 14))
            if isUSDC { #expect(call?.accounts[16] == PumpEventTests.usdc) }
        }
        let trades = market.events(Self.trade)
        #expect(trades.count > 200)
        #expect(trades.count { quote($0.event) == PumpEventTests.usdc } > 30)
        #expect(market.events(Self.complete).count > 1)
        let migrated = market.events(Self.migration)
        #expect(migrated.count > 1)
        for (transaction, event) in migrated {
            // The pool comes into being in the same transaction, and its shares are burnt.
            let pools = transaction.events.filter { $0.starts(with: Self.createPool) }
            #expect(pools.map { Array($0[173..<205]) } == [Array(event[136..<168])])
            let burnt = transaction.calls.filter { $0.data.count == 9 && $0.data[0] == 8 }
            #expect(burnt.map { number($0.data, 1) } == pools.map { number($0, 164) })
        }
    }

    @Test func `pools are traded on, added to and taken from`() throws {
        let market = try Self.market.get()
        #expect(market.events(Self.createPool).count > 2)
        #expect(market.events(Self.poolBuy).count > 30)
        #expect(market.events(Self.poolSell).count > 10)
        #expect(market.events(Self.deposit).count > 2)
        #expect(market.events(Self.withdrawal).count > 0)
        let raydium = market.transactions.filter { transaction in
            transaction.logs.contains { $0.hasPrefix("Program log: ray_log: ") }
        }
        #expect(raydium.count { !$0.failed } > 50)
    }

    /// What a trade in USDC moved, by the transfers of the token program, is what its event says.
    @Test func `trades in USDC move USDC by the second form of the instructions`() throws {
        let market = try Self.market.get()
        let forms: [[UInt8]: Int] = [
            [0xb8, 0x17, 0xee, 0x61, 0x67, 0xc5, 0xd3, 0x3d]: 27,
            [0xc2, 0xab, 0x1c, 0x46, 0x68, 0x4d, 0x5b, 0x2f]: 27,
            [0x5d, 0xf6, 0x82, 0x3c, 0xe7, 0xe9, 0x40, 0xb2]: 26,
        ]
        var seen: Set<[UInt8]> = []
        for (transaction, event) in market.events(Self.trade)
        where quote(event) == PumpEventTests.usdc {
            guard transaction.events.count(where: { $0.starts(with: Self.trade) }) == 1 else {
                continue
            }
            let calls = transaction.calls.filter { forms[Array($0.data.prefix(8))] != nil }
            let call = try #require(calls.first)
            seen.insert(Array(call.data.prefix(8)))
            #expect(calls.count == 1)
            #expect(call.accounts.count == forms[Array(call.data.prefix(8))])
            #expect(call.accounts[1] == Array(event[8..<40]))
            #expect(call.accounts[2] == PumpEventTests.usdc)
            #expect(call.accounts[13] == Array(event[57..<89]))
            let moved = transaction.calls.filter {
                $0.data.first == 12 && $0.data.count == 10 && $0.accounts[1] == PumpEventTests.usdc
            }
            let amount = number(event, event.count - 24)
            let fees = number(event, 169) + number(event, 217)
            let isBuy = event[56] == 1
            #expect(moved.map { number($0.data, 1) }.reduce(0, +) == amount + (isBuy ? fees : 0))
            #expect(moved.allSatisfy { $0.data[9] == 6 })
            // From the trader, or out of the curve's account.
            #expect(moved.allSatisfy { $0.accounts[0] == call.accounts[isBuy ? 15 : 12] })
        }
        #expect(seen.count == 3)
    }

    @Test func `some transactions fail, and say how`() throws {
        let market = try Self.market.get()
        let failed = market.transactions.filter(\.failed)
        #expect(failed.count > 20)
        for transaction in failed {
            #expect(transaction.events.isEmpty)
            #expect(
                transaction.logs.last?.contains("failed: custom program error: 0x") == true
            )
        }
        // 6002 and 6003 of pump, 40 of Raydium.
        let codes = Set(failed.compactMap { $0.logs.last?.split(separator: " ").last })
        #expect(codes == ["0x1772", "0x1773", "0x28"])
    }

    // MARK: What goes wrong

    @Test func `slots are skipped, die, are given up and have two blocks`() throws {
        let market = try Self.market.get()
        #expect(market.confirmed.count == 100)
        let states = market.statuses.reduce(into: [UInt64: Set<UInt32>]()) {
            $0[$1.slot, default: []].insert($1.state)
        }
        let dead = states.filter { $0.value.contains(6) }
        #expect(dead.count == 1)
        let orphans = states.filter { $0.value.contains(0) && !$0.value.contains(1) }
        #expect((1...3).contains(orphans.count))
        let finalized = states.filter { $0.value.contains(2) }
        #expect(Set(finalized.keys).isSubset(of: market.confirmed))
        #expect(finalized.count > 50)
        #expect(states.allSatisfy { $0.value.isSuperset(of: [3, 5]) })
        let first = try #require(states.keys.min())
        let last = try #require(states.keys.max())
        #expect(Int(last - first) + 1 > states.count)
        #expect(market.doubled.count == 1)
        #expect(market.doubled.isSubset(of: market.confirmed))
    }

    @Test func `streams repeat, mix up, lose and break`() throws {
        let market = try Self.market.get()
        // Three sources and one that came back.
        #expect(market.streams.count == 4)
        var repeated = 0
        var behind = 0
        var missing: Set<UInt64> = []
        for messages in market.streams.values {
            repeated += messages.count - Set(messages).count
            var newest: (slot: UInt64, index: UInt64) = (0, 0)
            for transaction in try WireReading.transactions(messages) {
                let place = (transaction.slot, transaction.index)
                if place < newest { behind += 1 } else { newest = place }
            }
        }
        #expect(repeated > 500)
        #expect(behind > 200)
        let headed = try (UInt32(1)...3).map { stream in
            Set(try WireReading.metas(market.streams[stream] ?? []).map(\.slot))  // opened
        }
        for slot in market.confirmed where headed.contains(where: { !$0.contains(slot) }) {
            missing.insert(slot)
        }
        #expect(!missing.isEmpty)
        // What one lost, another one has.
        let all = Set(market.metas.map(\.slot))
        #expect(market.confirmed.isSubset(of: all))
    }

    // MARK: Actors

    @Test func `every kind of label and of look-alike is there`() throws {
        let labels = try Self.market.get().labels
        for kind in SynthesizedLabel.Kind.allCases {
            #expect(labels.contains { $0.kind == kind && $0.innocence == nil }, "\(kind)")
        }
        let alike = Set(labels.filter { $0.innocence != nil }.map(\.kind))
        #expect(alike.isSuperset(of: [.sandwichUnprofitable, .possibleFrontRun, .backRun]))
    }

    // MARK: Accounts

    /// Token accounts against the balances of the transaction that wrote them.
    @Test func `token accounts hold what their transactions left in them`() throws {
        let market = try Self.market.get()
        let programs = [SolanaAddress.token.bytes, SolanaAddress.token2022.bytes]
        let transactions = Dictionary(
            market.transactions.map { ($0.signature, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var compared = 0
        for account in market.accounts where programs.contains(account.owner) {
            guard let transaction = transactions[account.signature] else { continue }
            guard account.data.count == 165 || account.data.dropFirst(165).first == 2 else {
                continue
            }
            #expect(transaction.balances[account.key] == String(account.number(at: 64)))
            #expect(account.data[108] == 1)
            compared += 1
        }
        #expect(compared > 2_000)
    }

    /// The supply of a coin is minted once, that of shares follows their mints and burns.
    @Test func `mints say what was minted and burnt`() throws {
        let market = try Self.market.get()
        var supplies: [[UInt8]: UInt64] = [:]
        var compared = 0
        let images = Dictionary(grouping: market.accounts) { $0.signature }
        for transaction in market.transactions where !transaction.failed {
            for call in transaction.calls where call.data.count == 9 {
                if call.data[0] == 7 {
                    supplies[call.accounts[0], default: 0] += number(call.data, 1)
                }
                if call.data[0] == 8 {
                    supplies[call.accounts[1], default: 0] -= number(call.data, 1)
                }
            }
            for image in images[transaction.signature] ?? [] {  // none were written
                let isMint = image.data.count == 82 || image.data.dropFirst(165).first == 1
                guard isMint, image.owner != SolanaAddress.raydium.bytes,
                    let supply = supplies[image.key]
                else { continue }
                #expect(image.number(at: 36) == supply)
                #expect(image.data[45] == 1)
                compared += 1
            }
        }
        #expect(compared > 30)
    }

    /// The shares of a pool change with what is added and taken, and with nothing else.
    @Test func `pools keep their shares through trades`() throws {
        let market = try Self.market.get()
        var raydium: [[UInt8]: Set<UInt64>] = [:]
        var swaps = 0
        for account in market.accounts where account.owner == SolanaAddress.raydium.bytes {
            raydium[account.key, default: []].insert(account.number(at: 720))
            swaps += 1
        }
        #expect(raydium.count > 3)
        #expect(swaps > 100)
        #expect(raydium.allSatisfy { $0.value.count == 1 })
        var shares: [[UInt8]: UInt64] = [:]
        var compared = 0
        let images = Dictionary(grouping: market.accounts) { $0.signature }
        for transaction in market.transactions where !transaction.failed {
            for event in transaction.events {
                if event.starts(with: Self.createPool) {
                    shares[Array(event[173..<205])] = number(event, 156)
                } else if event.starts(with: Self.deposit) {
                    shares[Array(event[96..<128])] = number(event, 88) + number(event, 16)
                } else if event.starts(with: Self.withdrawal) {
                    shares[Array(event[96..<128])] = number(event, 88) - number(event, 16)
                }
            }
            for image in images[transaction.signature] ?? []  // none were written
            where image.owner == SolanaAddress.pumpSwap.bytes {
                guard let known = shares[image.key] else { continue }
                #expect(image.number(at: 203) == known)
                compared += 1
            }
        }
        #expect(compared > 50)
    }
}
