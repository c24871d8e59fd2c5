import Assembly
import MarketModel
import Pipeline
import RecordModel
import Testing

/// What enrichment records say.
@Suite struct IntakeFactTests {
    private struct Answer {
        var said: [AssemblerInput]
        var kept: UInt64
        var unreadable: UInt64
        var silent: UInt64
    }

    private func take(
        _ fill: (inout EventFields) -> Void,
        isPriming: Bool = false
    ) -> Answer {
        var fields = EventFields()
        fill(&fields)
        return take(fields.encoded, isPriming: isPriming)
    }

    private func take(_ payload: [UInt8], isPriming: Bool = false) -> Answer {
        var intake = RecordIntake()
        let envelope = RecordEnvelope(
            sequence: Sequence(9),
            kind: .enrichment,
            receivedAt: 0,
            monotonic: 0
        )
        let batch = RecordBatch()
        if isPriming {
            unsafe payload.withUnsafeBytes {
                let bytes = unsafe RawSpan(_unsafeBytes: $0)
                intake.prime(envelope, bytes, before: Sequence(10), into: batch)
            }
        } else {
            unsafe payload.withUnsafeBytes { unsafe intake.take(envelope, $0, into: batch) }
        }
        UpdateParser().parse(batch)
        return Answer(
            said: batch.inputs,
            kept: batch.tally.intake.kept,
            unreadable: batch.tally.intake.unreadable,
            silent: batch.tally.intake.silent
        )
    }

    private func fact(_ answer: Answer) -> OutsideFact? {
        guard answer.said.count == 1, case .fact(let fact) = answer.said[0] else { return nil }
        return fact
    }

    @Test func `a fact has what its record says`() {
        let price = take {
            $0.add(.chain, "solana")
            $0.add(.namespace, "price")
            $0.add(.key, "SOL/USD")
            $0.add(.value, "171.25")
            $0.add(.asOfPosition, UInt64(77))
            $0.add(.origin, "exchange")
        }
        let expected = OutsideFact(
            namespace: "price",
            key: "SOL/USD",
            value: .text("171.25"),
            asOf: 77,
            origin: "exchange",
            sequence: 9
        )
        #expect(fact(price) == expected)
        #expect(price.kept == 1)
        let document = take {
            $0.add(.namespace, "document")
            $0.add(.key, "k")
            $0.add(.value, bytes: [1, 2])
        }
        #expect(fact(document)?.value == .bytes([1, 2]))
        #expect(fact(document)?.asOf == nil)
        #expect(fact(document)?.origin == nil)
    }

    @Test func `one of another chain, or known before what is read, says nothing`() {
        func fill(_ chain: String) -> (inout EventFields) -> Void {
            {
                $0.add(.chain, chain)
                $0.add(.namespace, "n")
                $0.add(.key, "k")
                $0.add(.value, "v")
            }
        }
        let other = take(fill("evm:137"))
        #expect(other.said.isEmpty)
        #expect(other.silent == 1)
        #expect(take(fill("solana"), isPriming: true).said.isEmpty)
        #expect(take(fill("solana")).said.count == 1)
    }

    @Test func `what lacks something or is too long is counted and says nothing`() {
        func fields(_ names: [FieldID], _ length: Int = 1) -> (inout EventFields) -> Void {
            { fields in
                for name in names { fields.add(name, String(repeating: "x", count: length)) }
            }
        }
        let whole: [FieldID] = [.namespace, .key, .value]
        for name in whole {
            let answer = take(fields(whole.filter { $0 != name }))
            #expect(answer.said.isEmpty)
            #expect(answer.unreadable == 1)
        }
        #expect(take(fields(whole, 1_024)).said.count == 1)
        #expect(take(fields(whole, 1_025)).unreadable == 1)
        for (count, isTaken) in [(65_536, true), (65_537, false)] {
            let answer = take {
                $0.add(.namespace, "n")
                $0.add(.key, "k")
                $0.add(.value, bytes: [UInt8](repeating: 0, count: count))
            }
            #expect(answer.said.isEmpty != isTaken)
        }
        #expect(take([1, 2, 3]).unreadable == 1)
    }
}
