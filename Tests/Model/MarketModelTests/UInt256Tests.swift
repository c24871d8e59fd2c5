import MarketModel
import Testing

/// Long division, against products made with numbers of 128 bits.
@Suite struct UInt256Tests {
    private func number(_ state: inout UInt64) -> UInt128 {
        func word() -> UInt128 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt128(state ^ state >> 29)
        }
        let value = word() << 64 | word()
        // Of all lengths.
        return value >> UInt128(state >> 57)
    }

    @Test func `quotient times divisor and remainder give the number back`() throws {
        var state: UInt64 = 1
        for _ in 0..<2_000 {
            let (factor, divisor) = (number(&state), number(&state))
            guard divisor > 0 else { continue }
            let rest = number(&state) % divisor
            guard let product = UInt256(factor, times: divisor).plus(rest) else { continue }
            let (quotient, remainder) = product.divided(by: UInt256(high: 0, low: divisor))
            #expect(quotient == UInt256(high: 0, low: factor))
            #expect(remainder == UInt256(high: 0, low: rest))
        }
    }

    @Test func `divisors above 128 bits divide`() {
        let number = UInt256(high: .max, low: .max)
        let divisor = UInt256(high: 1 << 127, low: 5)
        let (quotient, remainder) = number.divided(by: divisor)
        #expect(quotient == UInt256(high: 0, low: 1))
        #expect(remainder == UInt256(high: (1 << 127) - 1, low: .max - 5))
        #expect(number.divided(by: number).quotient == UInt256(high: 0, low: 1))
        #expect(divisor.divided(by: number).remainder == divisor)
        #expect(number.plus(1) == nil)
    }
}
