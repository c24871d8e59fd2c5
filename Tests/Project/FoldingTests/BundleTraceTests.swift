import Assembly
import Folding
import MarketModel
import Projection
import RecordModel
import Synthesis
import Testing

/// Which part of a slot made a row what it is.
@Suite struct BundleTraceTests {
    /// Follows how often each token was traded: by its rows, and by the events themselves.
    private final class Watch: FoldObserver {
        struct Step: Equatable {
            let slot: UInt64
            let transaction: TransactionID?
            let old: UInt64
            let new: UInt64
        }

        private(set) var rows: [Address: [Step]] = [:]
        private(set) var events: [Address: [Step]] = [:]
        private(set) var causes: Set<String> = []
        private(set) var undone = 0

        func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
            switch action {
            case .apply(let bundle):
                do throws(StorageError) { try trace(bundle, engine, sequence) } catch {
                    Issue.record("\(error)")
                }
                count(bundle)
            case .undo(let position):
                undone += 1
                for token in rows.keys { rows[token]?.removeAll { $0.slot == position } }
                for token in events.keys { events[token]?.removeAll { $0.slot == position } }
            case .final, .stale: break
            }
        }

        private func trace(
            _ bundle: Bundle,
            _ engine: ProjectionEngine,
            _ sequence: Sequence
        ) throws(StorageError) {
            let digest = engine.chainDigest
            let changes = try BundleTrace.changes(of: bundle, at: sequence, in: engine) {
                schema,
                _ in
                schema.name == "token_markets"
            }
            #expect(engine.chainDigest == digest)
            for change in changes {
                let token = Bytes32(change.key).map { Address($0) }
                let (old, new) = (
                    trades(change.old, change.schema), trades(change.new, change.schema)
                )
                switch change.cause {
                case .slot: causes.insert("slot")
                case .transaction: causes.insert("transaction")
                case .account: causes.insert("account")
                }
                guard let token, old != new else { continue }
                var transaction: TransactionID?
                if case .transaction(let facts) = change.cause { transaction = facts.id }
                rows[token, default: []].append(
                    Step(slot: bundle.position, transaction: transaction, old: old, new: new)
                )
            }
        }

        private func trades(_ row: ListedRow?, _ schema: TableSchema) -> UInt64 {
            guard let row, let place = schema.columns.firstIndex(where: { $0.name == "trades" })
            else {
                return 0
            }
            do throws(RowError) {
                guard case .number(let digits) = try schema.values(row)[schema.key.count + place]
                else { return 0 }
                return UInt64(digits) ?? 0  // the column is of 64 bits
            } catch {
                Issue.record("\(error)")
                return 0
            }
        }

        /// What a slot's events say: every trade counts.
        private func count(_ bundle: Bundle) {
            for facts in bundle.transactions {
                var tokens: [Address: UInt64] = [:]
                for placed in facts.events {
                    guard case .trade(let trade) = placed.event, !trade.flags.contains(.mayhemAgent)
                    else { continue }
                    tokens[trade.token, default: 0] += 1
                }
                for (token, count) in tokens {
                    let old = events[token]?.last?.new ?? 0  // none before the first
                    events[token, default: []].append(
                        Step(
                            slot: bundle.position,
                            transaction: facts.id,
                            old: old,
                            new: old + count
                        )
                    )
                }
            }
        }
    }

    @Test(arguments: [AssemblerCommitment.confirmed, .processed])
    func `each transaction is named that moved a value, with the value before and after`(
        commitment: AssemblerCommitment
    ) throws {
        let market = try FoldTestMarket {
            $0.seed = 71
            $0.slots = 50
            $0.streams = 2
            $0.forks = 4
        }
        let watch = Watch()
        let fold = try market.fold(observer: watch) { $0.commitment = commitment }
        #expect(watch.rows.count > 5)
        #expect(watch.rows == watch.events)
        #expect(watch.causes.contains("transaction"))
        if commitment == .processed { #expect(watch.undone > 0) }
        // What was looked into is as it would have been.
        let plain = try market.fold { $0.commitment = commitment }
        #expect(fold.positionDigest == plain.positionDigest)
    }

    typealias AssemblerCommitment = Assembly.AssemblerConfiguration.Commitment
}
